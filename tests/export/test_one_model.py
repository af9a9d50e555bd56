"""Exports of one model: the same bytes again, and the accuracies in the cards."""

import json
import shutil

import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("ai_edge_litert")

import keras

from dataset.fer2013 import OFFICIAL_SHA256, Dataset
from export import one_model
from export.accuracy import merged
from reporting.files import sha256_of
from tests.support.exported import scores_in
from tests.support.tiny_nets import TINY_FILES, made_dataset


@pytest.mark.parametrize("file", [name for file in TINY_FILES for name in (file, f"{file}.json")])
def test_an_export_without_the_dataset_gives_the_same_bytes(first, second, file):
    assert (second.out / file).read_bytes() == (first.out / file).read_bytes()


def test_a_card_holds_the_accuracy_of_its_file_on_each_split(first):
    dataset = made_dataset()
    for file in TINY_FILES:
        accuracy = json.loads((first.out / f"{file}.json").read_text())["accuracy"]
        assert (accuracy["dataset"], accuracy["dataset_sha256"]) == ("made.csv", "5" * 64)
        faces, labels = dataset.split("validation")
        right = scores_in(first.out / file, faces).argmax(axis=1) == labels
        assert accuracy["validation"] == right.mean()
        faces, labels = dataset.split("test")
        right = scores_in(first.out / file, faces).argmax(axis=1) == labels
        assert accuracy["test"] == right.mean()
        assert accuracy["test_without_duplicates"] == right[:-1].mean()
        assert 0.7 < right.mean() < 0.9  # every fifth label is wrong


def test_without_record_the_test_split_is_not_read(monkeypatch, tiny, first, tmp_path):
    known, unknown = "tiny_fp32.tflite", "tiny_fp32.onnx"
    monkeypatch.setattr(one_model, "WRITTEN", {"tflite": ("fp32",), "onnx": ("fp32",)})  # two files will do
    for suffix in (".keras", ".ranges.json"):
        shutil.copy(tiny.with_suffix(suffix), tmp_path)
    measured = json.loads(tiny.with_suffix(".measured.json").read_text())
    del measured["files"][sha256_of(first.out / unknown)]
    (tmp_path / "tiny.measured.json").write_text(json.dumps(measured))
    dataset = made_dataset()
    dataset.faces[dataset.rows("test")] = 0  # would change every accuracy on it

    one_model.export_model(tmp_path / "tiny.keras", tmp_path / "out", dataset=dataset)

    # What was recorded of the same file stays in its card.
    card, recorded = ((tmp_path / "out" / f"{unknown}.json"), (first.out / f"{unknown}.json"))
    assert (tmp_path / "out" / f"{known}.json").read_bytes() == (first.out / f"{known}.json").read_bytes()
    accuracy, before = (json.loads(path.read_text())["accuracy"] for path in (card, recorded))
    assert accuracy["validation"] == before["validation"]
    assert not [key for key in accuracy if key.startswith("test")]
    assert json.loads((tmp_path / "tiny.measured.json").read_text()) == measured


def test_accuracies_are_recorded_by_the_sha256_of_each_file(tiny, first):
    recorded = json.loads(tiny.with_suffix(".measured.json").read_text())
    assert recorded["files"] == {
        sha256_of(first.out / file): json.loads((first.out / f"{file}.json").read_text())["accuracy"]
        for file in TINY_FILES
    }
    faces, labels = made_dataset().split("test")
    scores = keras.saving.load_model(tiny).predict(faces.astype("float32"), verbose=0)
    assert recorded["keras"]["test"] == (scores.argmax(axis=1) == labels).mean()


def test_an_unchanged_accuracy_keeps_its_date():
    dataset = made_dataset()
    measured = {"validation": 0.6, "test": 0.5}
    stored = {"dataset": "made.csv", "dataset_sha256": "5" * 64, "measured": "2020-02-02", **measured}
    assert merged(measured, stored, dataset) == stored
    assert merged(None, stored, None) == stored
    assert merged(None, None, None) is None
    changed = merged({"validation": 0.6, "test": 0.4}, stored, dataset)
    assert changed == stored | {"test": 0.4, "measured": changed["measured"]}
    assert changed["measured"] > "2026"
    assert merged({"validation": 0.7}, stored, dataset) == stored  # the test split's is of that day
    del stored["test"]
    assert merged({"validation": 0.7}, stored, dataset)["measured"] > "2026"


def test_only_the_official_file_is_called_fer2013():
    whole = made_dataset()
    official = Dataset(
        whole.faces, whole.labels, whole.splits, whole.origins, whole.path, sha256=OFFICIAL_SHA256
    )
    assert merged({"test": 0.5}, None, official)["dataset"] == "FER2013"
