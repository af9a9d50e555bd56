"""The experiments' pages, and a trial on a small net."""

import shutil
from pathlib import Path

import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("ai_edge_litert")

import keras

from export import tflite_file
from export.experiments.stored_ranges import main
from export.experiments.trials import Way, trial_of, write_report
from tests.support.tiny_nets import made_dataset

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.published
@pytest.mark.parametrize("name", ["stored_ranges", "cnn_lstm_int8"])
def test_a_page_is_made_from_its_results(name, tmp_path):
    results = shutil.copy(ROOT / "results" / f"{name}.json", tmp_path)
    write_report(Path(results), template=name)
    page = (ROOT / "reports" / f"{name}.md").read_text(encoding="utf-8")
    assert (tmp_path / f"{name}.md").read_text(encoding="utf-8") == page


def test_a_float32_file_loses_nothing(tiny):
    model = keras.saving.load_model(tiny)
    way = Way(name="float32", form="tflite", make=lambda: tflite_file.to_tflite(model, "fp32"))
    trial = trial_of(way, model, made_dataset())
    assert (trial["way"], trial["label_agreement"], trial["accuracy_change"]) == ("float32", 1.0, 0.0)
    assert trial["largest_gap"] < 1e-4
    assert trial["bytes"] > 1000


def test_a_missing_dataset_is_named(tmp_path, capsys):
    assert main(["--data", str(tmp_path / "none.csv"), "--out", str(tmp_path / "out.json")]) == 1
    assert str(tmp_path / "none.csv") in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
