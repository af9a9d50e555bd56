"""Exports that several tests look at, each made once. The imports wait for a test that needs them."""

import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import pytest

from reporting.files import sha256_of


@pytest.fixture(autouse=True, scope="package")
def no_servers_are_left():
    """Ends the servers of `export.own_process`, whose TensorFlow takes half a gigabyte each."""
    yield
    from export.own_process import stop_all

    stop_all()


@dataclass
class Export:
    """A folder of artifacts, and what the export said.

    Attributes:
        out: The folder.
        outcomes: What `export_model` returned.
        said: The announcements.
        done: The outcomes that `done` was called with, in order.
    """

    out: Path
    outcomes: list = field(default_factory=list)
    said: list = field(default_factory=list)
    done: list = field(default_factory=list)


def exported(weights, out, **keywords):
    """Exports one model; returns the folder and all that was said."""
    from export.one_model import export_model

    export = Export(out)
    export.outcomes = export_model(
        weights, out, announce=export.said.append, done=export.done.append, **keywords
    )
    return export


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """The tiny convolutional net as a `.keras` file, alone in its folder."""
    from tests.support.tiny_nets import convolutional

    path = tmp_path_factory.mktemp("models") / "tiny.keras"
    convolutional().save(path)
    return path


@pytest.fixture(scope="session")
def first(tiny, tmp_path_factory):
    """An export with a dataset, which measures ranges and records accuracies."""
    from tests.support.tiny_nets import made_dataset

    return exported(tiny, tmp_path_factory.mktemp("first"), dataset=made_dataset(), record=True)


@pytest.fixture(scope="session")
def second(tiny, first, tmp_path_factory):
    """The export without a dataset, from what the first one stored beside the weights."""
    return exported(tiny, tmp_path_factory.mktemp("second"), dataset=None)


@pytest.fixture(scope="session")
def faces():
    """The faces of parity, uint8 (600, 48, 48, 1)."""
    from export.parity_faces import parity_faces

    return parity_faces()


@pytest.fixture(scope="session")
def reference(tiny, faces):
    """What Keras answers to the faces of parity: probabilities, float32 (600, 7)."""
    import keras

    return keras.saving.load_model(tiny).predict(faces.astype("float32"), verbose=0)


@pytest.fixture(scope="session")
def rows():
    """A net that reads the rows of a face with an LSTM."""
    from tests.support.tiny_nets import recurrent

    return recurrent()


@dataclass
class Failed:
    """What `python -m export` left and printed."""

    out: Path
    status: int
    printed: str
    complained: str


@pytest.fixture(scope="session")
def failed(tmp_path_factory):
    """`python -m export` of a net that breaks precisions in three ways, into a folder with old files."""
    from export.__main__ import main
    from tests.support.tiny_nets import recurrent

    folder = tmp_path_factory.mktemp("failing")
    weights, out = folder / "rows.keras", folder / "out"
    recurrent(hidden=True, overflowing=True).save(weights)
    ranges = {"weights_sha256": sha256_of(weights), "tflite": {}, "onnx": {}}
    weights.with_suffix(".ranges.json").write_text(json.dumps(ranges))
    out.mkdir()
    for old in (
        "rows_fp16.tflite",
        "rows_fp16.tflite.json",
        "rows_int8.tflite",
        "rows_fp32.onnx",
        "cnn.onnx",
    ):
        (out / old).write_text("old")
    with redirect_stdout(StringIO()) as printed, redirect_stderr(StringIO()) as complained:
        status = main([str(weights), "--out", str(out), "--no-data"])
    return Failed(out, status, printed.getvalue(), complained.getvalue())
