"""Which released files are compared, what they were trained on, and where results go."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import main as benchmark
from benchmarks.artifacts import ROOT, ReleasedError, find_released, trained_on
from benchmarks.comparison import flagship
from dataset.fer2013 import OFFICIAL_SHA256, Dataset
from export.detector import detector_weights
from runtime.card import card_path
from tests.support.flagship import release


@pytest.mark.published
def test_labels_are_said_once_for_the_models_that_share_them_by_the_files_sha256():
    def digest(name):
        return json.loads((ROOT / "runtime" / "models" / f"{name}.json").read_text())["sha256"]

    files = [digest(f"{name}.tflite") for name in ("edge_int8", "cnn_int8", "cnn_lstm_dynamic")]
    own = "FER2013's own labels"
    assert trained_on([*files, "0" * 64]) == (
        f"Trained: `edge` on {own} and FER+'s votes; `cnn` and `cnn_lstm` on {own}."
    )
    weights = json.loads((ROOT / "models" / "cnn.json").read_text())["weights_sha256"]
    assert trained_on([weights]) == "Trained: `cnn` on FER2013's own labels."


def test_a_detectors_record_says_nothing_of_labels(tmp_path):
    for suffix in (".keras", ".json"):
        shutil.copy(detector_weights().with_suffix(suffix), tmp_path)
    assert trained_on(["0" * 64], records=tmp_path) == ""


def test_of_a_file_that_is_only_named_as_a_released_one_no_labels_are_said(tmp_path):
    assert trained_on([hashlib.sha256(b"mine/edge_int8.tflite").hexdigest()]) == ""
    assert trained_on(["0" * 64], released=tmp_path, records=tmp_path) == ""


def place(arguments, *, sha256=OFFICIAL_SHA256):
    """Where a report of FER2013, or of the dataset with that sha256, goes."""
    none = np.empty(0, np.int64)
    dataset = Dataset(np.empty((0, 48, 48, 1), np.uint8), none, none, [], Path("fer2013.csv"), sha256)
    return flagship.place_of_report(flagship.build_parser().parse_args(arguments), dataset)


@pytest.mark.parametrize(
    "arguments", [["edge"], ["--split", "validation"], ["--peers", "none.json"], ["--records", "mine"]]
)
def test_a_report_of_a_part_stays_out_of_what_is_committed(arguments):
    assert place([]) == ROOT / "reports" / "flagship.md"
    assert place(arguments) == ROOT / "benchmarks" / "out" / "flagship.md"
    assert place([], sha256="5" * 64) == ROOT / "benchmarks" / "out" / "flagship.md"
    assert place(["--out", "mine.md"], sha256="5" * 64) == Path("mine.md")


def test_a_report_whose_images_had_its_own_path_is_refused():
    with pytest.raises(flagship.ReportPlaceError, match=r"^report: expected the name of a report, such as"):
        place(["--out", "report"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "robustness.md"], "--out: expected a name for the figures, such as robustness.json, got"),
        (["--threads", "0"], "--threads: expected 1 to 256, got 0."),
    ],
)
def test_what_would_lose_the_figures_or_means_nothing_is_refused(arguments, message, capsys):
    with pytest.raises(SystemExit) as caught:
        benchmark(["robustness", *arguments])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_without_the_dataset_no_folder_is_left(tmp_path, capsys):
    arguments = ["--data", str(tmp_path / "none.csv"), "--out"]
    assert benchmark(["robustness", *arguments, str(tmp_path / "new" / "results.json")]) == 1
    assert benchmark(["flagship", *arguments, str(tmp_path / "new" / "flagship.md")]) == 1
    assert benchmark(["peers", *arguments, str(tmp_path / "new" / "peers.md")]) == 1
    assert capsys.readouterr().err.count(f"{tmp_path / 'none.csv'}: ") == 3
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_is_said_before_the_work(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    pixels = " ".join(["7"] * 48 * 48)
    rows = [f"0,{pixels},{usage}" for usage in ("Training", "PublicTest", "PrivateTest")]
    (tmp_path / "faces.csv").write_text("\n".join(["emotion,pixels,Usage", *rows, ""]))
    out = tmp_path / "file" / "results.json"
    assert benchmark(["robustness", "--out", str(out), "--data", str(tmp_path / "faces.csv")]) == 1
    assert capsys.readouterr().err.startswith(f"{out.parent}: expected a folder that can be made and written")
    arguments = ["--out", str(out.with_suffix(".md")), "--json", str(out), "--no-accuracy", "--offline"]
    assert benchmark(["peers", *arguments]) == 1
    assert capsys.readouterr().err.startswith(f"{out.parent}: expected a folder that can be made and written")


def test_of_a_model_the_int8_file_is_taken_else_the_next_smaller_precision(tmp_path):
    for model, precision in (("cnn", "fp32"), ("cnn", "int8"), ("cnn_lstm", "fp32"), ("cnn_lstm", "dynamic")):
        release(tmp_path, model, precision)
    found = find_released(tmp_path)
    assert [(name, path.name) for name, path in found] == [
        ("cnn", "cnn_int8.tflite"),
        ("cnn_lstm", "cnn_lstm_dynamic.tflite"),
    ]


def test_by_default_the_model_comes_first_that_is_the_most_accurate_on_validation(tmp_path):
    for model, share in (("cnn", 0.6), ("edge_tiny", 0.68), ("edge", 0.7), ("new", None)):
        card_file = card_path(release(tmp_path, model))
        accuracy = None if share is None else {"validation": share}
        card_file.write_text(json.dumps({**json.loads(card_file.read_text()), "accuracy": accuracy}))
    assert [name for name, _ in find_released(tmp_path)] == ["edge", "edge_tiny", "cnn", "new"]


def test_a_model_that_is_asked_for_and_not_released_is_named(tmp_path):
    release(tmp_path, "cnn")
    with pytest.raises(ReleasedError, match=r"a released \.tflite file of edge, found those of cnn"):
        find_released(tmp_path, ["edge", "cnn"])
