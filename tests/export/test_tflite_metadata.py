"""Metadata inside a TFLite file: what other readers find there, and that nothing else has changed."""

import io
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("flatbuffers")

from flatbuffers import number_types
from flatbuffers.table import Table

from export import tflite_metadata as metadata
from runtime.engines import ENGINES
from runtime.model_file import read_contents
from tests.support.tflite_support import displayed
from tests.support.trees import tree_of

schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
DATA = Path(__file__).parent.parent / "data"
WEIGHTS = "0123456789abcdef" * 4
FILES = pytest.mark.parametrize("name", ["tiny_fp32.tflite", "tiny_int8_io.tflite"])
LABELS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]


def facts_of(name):
    return json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))


def embedded(name, folder):
    """A copy of a tiny model with its card's facts inside."""
    path = Path(shutil.copy(DATA / name, folder))
    metadata.embed(path, facts_of(name), WEIGHTS)
    return path


def model_of(data):
    return schema.ModelT.InitFromPackedBuf(data, 0)


def metadata_in(data):
    """The metadata's root, by TFLite's schema and the flatbuffers package."""
    model = model_of(data)
    (entry,) = [entry for entry in model.metadata if entry.name == b"TFLITE_METADATA"]
    found = bytes(model.buffers[entry.buffer].data)
    assert found[4:8] == b"M001"
    return Table(found, int.from_bytes(found[:4], "little"))


def table_at(table, *path):
    """The table that a path of field numbers leads to; in a list to its only element."""
    for slot in path:
        offset = table.Offset(4 + 2 * abs(slot))
        assert offset, f"field {slot} is left out"
        if slot < 0:
            assert table.VectorLen(offset) == 1
            table = Table(table.Bytes, table.Indirect(table.Vector(offset)))
        else:
            table = Table(table.Bytes, table.Indirect(table.Pos + offset))
    return table


def text_at(table, slot):
    return table.String(table.Pos + table.Offset(4 + 2 * slot)).decode()


def number_at(table, slot, kind):
    return table.Get(kind, table.Pos + table.Offset(4 + 2 * slot))


def floats_at(table, slot):
    return table.GetVectorAsNumpy(number_types.Float32Flags, table.Offset(4 + 2 * slot)).tolist()


# --- what readers find -------------------------------------------------------------------------------


@FILES
def test_any_zip_reader_finds_the_labels_stored_as_they_are(tmp_path, name):
    path = embedded(name, tmp_path)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        (entry,) = archive.infolist()
        assert (entry.filename, entry.compress_type) == ("labels.txt", zipfile.ZIP_STORED)
        assert archive.read(entry).decode() == "angry\ndisgust\nfear\nhappy\nsad\nsurprise\nneutral\n"
    assert b"angry\ndisgust\n" in path.read_bytes()


@FILES
def test_the_metadata_has_name_description_version_and_licence(tmp_path, name):
    root = metadata_in(embedded(name, tmp_path).read_bytes())
    assert text_at(root, 0) == "tiny"
    assert text_at(root, 1) == "An untrained net for tests: its labels mean nothing."
    assert text_at(root, 2) == "0123456789abcdef"
    assert text_at(root, 5) == "MIT"
    assert text_at(root, 7) == "1.0.0"


@pytest.mark.parametrize(
    ("name", "limits", "words"),
    [
        ("tiny_fp32.tflite", (0, 255), "resized by area."),
        ("tiny_int8_io.tflite", (-128, 127), "resized by area. As int8: round(value / 1) - 128."),
    ],
)
def test_the_input_is_a_gray_image_without_rescaling(tmp_path, name, limits, words):
    faces = table_at(metadata_in(embedded(name, tmp_path).read_bytes()), -3, -2)
    assert text_at(faces, 0) == "faces"
    assert text_at(faces, 1) == f"One face: gray, BT.601 luma, pixels 0-255, {words}"
    content = table_at(faces, 3)
    assert number_at(content, 0, number_types.Uint8Flags) == 2  # ImageProperties
    image = table_at(content, 1)
    assert number_at(image, 0, number_types.Int8Flags) == 2  # GRAYSCALE
    size = table_at(image, 1)
    assert [number_at(size, slot, number_types.Uint32Flags) for slot in (0, 1)] == [48, 48]
    unit = table_at(faces, -4)
    assert number_at(unit, 0, number_types.Uint8Flags) == 1  # NormalizationOptions
    normalization = table_at(unit, 1)
    assert (floats_at(normalization, 0), floats_at(normalization, 1)) == ([0], [1])
    stats = table_at(faces, 5)
    assert (floats_at(stats, 1), floats_at(stats, 0)) == ([limits[0]], [limits[1]])


@FILES
def test_the_output_names_the_file_of_its_labels(tmp_path, name):
    scores = table_at(metadata_in(embedded(name, tmp_path).read_bytes()), -3, -3)
    assert text_at(scores, 0) == "scores"
    file = table_at(scores, -6)
    assert text_at(file, 0) == "labels.txt"
    assert number_at(file, 2, number_types.Int8Flags) == 2  # TENSOR_AXIS_LABELS
    stats = table_at(scores, 5)
    limits = [0, 1] if name == "tiny_fp32.tflite" else [-128, 127]
    assert floats_at(stats, 1) + floats_at(stats, 0) == limits


@FILES
def test_the_runtime_reads_the_facts_of_the_card(tmp_path, name):
    contents = read_contents(embedded(name, tmp_path).read_bytes(), ".tflite")
    assert contents.facts == {
        "model": "tiny",
        "description": "An untrained net for tests: its labels mean nothing.",
        "version": "0123456789abcdef",
        "licence": "MIT",
        "labels": LABELS,
    }
    assert read_contents((DATA / name).read_bytes(), ".tflite").facts is None


def test_googles_reader_finds_the_same(tmp_path):
    names = ["tiny_fp32.tflite", "tiny_int8_io.tflite"]
    for found in displayed([embedded(name, tmp_path) for name in names]):
        assert found["files"] == {"labels.txt": "".join(f"{label}\n" for label in LABELS)}
        assert found["parser"] == found["metadata"]["min_parser_version"] == "1.0.0"
        assert found["metadata"]["name"] == "tiny"
        assert found["metadata"]["version"] == "0123456789abcdef"
        assert found["metadata"]["license"] == "MIT"
        (graph,) = found["metadata"]["subgraph_metadata"]
        (faces,), (scores,) = graph["input_tensor_metadata"], graph["output_tensor_metadata"]
        assert faces["content"]["content_properties"] == {
            "color_space": "GRAYSCALE",
            "default_size": {"width": 48, "height": 48},
        }
        assert faces["process_units"] == [
            {"options_type": "NormalizationOptions", "options": {"mean": [0.0], "std": [1.0]}}
        ]
        assert [file["type"] for file in scores["associated_files"]] == ["TENSOR_AXIS_LABELS"]


# --- what stays as it was ----------------------------------------------------------------------------


@FILES
def test_nothing_but_the_metadata_differs_in_the_model(tmp_path, name):
    before, after = (tree_of(model_of(path.read_bytes())) for path in (DATA / name, embedded(name, tmp_path)))
    assert len(after["buffers"]) == len(before["buffers"]) + 1
    assert len(after["metadata"]) == len(before["metadata"]) + 1
    for added in ("buffers", "metadata"):
        after[added].pop()
    assert after == before


@FILES
def test_buffers_keep_their_alignment(tmp_path, name):
    before, after = (alignments(path.read_bytes()) for path in (DATA / name, embedded(name, tmp_path)))
    assert len(before) >= 7
    assert after == [*before, 0]


def alignments(data):
    """Where each buffer's content starts, modulo 16."""
    model = schema.Model.GetRootAs(data)
    buffers = [model.Buffers(number) for number in range(model.BuffersLength())]
    return [buffer._tab.Vector(buffer._tab.Offset(4)) % 16 for buffer in buffers if not buffer.DataIsNone()]


@FILES
def test_metadata_does_not_change_the_scores(tmp_path, name):
    faces = np.random.default_rng(7).integers(0, 256, (20, 48, 48, 1), dtype=np.uint8)
    before, after = (ENGINES["litert"](path)(faces) for path in (DATA / name, embedded(name, tmp_path)))
    np.testing.assert_array_equal(after, before)
    assert len(np.unique(before.argmax(axis=1))) > 1


@FILES
def test_the_same_file_and_facts_give_the_same_bytes(tmp_path, name):
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    first = embedded(name, tmp_path / "first").read_bytes()
    assert first == embedded(name, tmp_path / "second").read_bytes()
    assert sorted(path.name for path in (tmp_path / "first").iterdir()) == [name]
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        (entry,) = archive.infolist()
        assert entry.date_time == (1980, 1, 1, 0, 0, 0)
        assert (entry.create_system, entry.external_attr >> 16) == (3, 0o644)  # on Windows, too


OLD_RUNTIME = """
import sys
import numpy as np
from tflite_runtime.interpreter import Interpreter

for path in sys.argv[1:]:
    interpreter = Interpreter(model_path=path)
    interpreter.allocate_tensors()
    (faces,), (scores,) = interpreter.get_input_details(), interpreter.get_output_details()
    pixels = np.arange(2304, dtype=np.int64).reshape(1, 48, 48, 1) * 7 % 256
    less = 128 if faces["dtype"] == np.int8 else 0
    interpreter.set_tensor(faces["index"], (pixels - less).astype(faces["dtype"]))
    interpreter.invoke()
    print(interpreter.get_tensor(scores["index"]).tobytes().hex())
"""


@FILES
def test_metadata_does_not_change_the_scores_of_tflite_runtime_2_14(tmp_path, name):
    python = os.environ.get("FERKIT_TFLITE_RUNTIME")
    if not python:
        pytest.skip("needs tflite-runtime, in the environment whose python FERKIT_TFLITE_RUNTIME names")
    command = [python, "-c", OLD_RUNTIME, str(DATA / name), str(embedded(name, tmp_path))]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    before, after = done.stdout.split()
    assert after == before
    assert len(set(bytes.fromhex(before))) > 2
