"""The ranges of the activations: how they are measured, stored, and refused."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("ai_edge_litert")

import keras
import onnx

from export import onnx_file, tflite_file
from export.errors import ExportError
from export.one_model import export_model
from export.parity import compare, faults
from export.ranges import read_ranges, settled, training_faces
from reporting.files import sha256_of
from tests.support.exported import scores_in
from tests.support.tiny_nets import made_dataset

ROOT = Path(__file__).resolve().parents[2]


def test_ranges_are_measured_once_and_stored_beside_the_weights(tiny, first, second):
    assert first.said == [f"Measuring the ranges of {tiny} on 60 training faces ..."]
    assert second.said == []
    stored = json.loads(tiny.with_suffix(".ranges.json").read_text())
    assert stored["weights_sha256"] == sha256_of(tiny)
    assert (stored["dataset_sha256"], stored["faces"]) == ("5" * 64, 60)
    for form in ("tflite", "onnx"):
        ranges = read_ranges(tiny.with_suffix(".ranges.json"), form)
        assert len(ranges) > 3
        assert all(low <= high for low, high in ranges.values())
        assert [ranges[name] for name in ranges if "faces" in name] == [(0.0, 255.0)]
        outputs = max(high for name, (low, high) in ranges.items() if high <= 1)
        assert outputs > 0.9  # of softmax


def test_ranges_of_other_weights_are_refused(tiny, first, tmp_path):
    other = tmp_path / "tiny.keras"
    other.write_bytes(tiny.read_bytes())
    with pytest.raises(ExportError, match=r"needs the ranges of its activations, and .* is missing"):
        export_model(other, tmp_path / "out", dataset=None)
    stored = json.loads(tiny.with_suffix(".ranges.json").read_text())
    other.with_suffix(".ranges.json").write_text(json.dumps(stored | {"weights_sha256": "0" * 64}))
    with pytest.raises(ExportError) as caught:
        export_model(other, tmp_path / "out", dataset=None)
    assert str(caught.value) == (
        f"{other}: int8 needs the ranges of its activations, and tiny.ranges.json has other weights'. "
        "Give the faces it was trained on: python -m export --data fer2013.csv"
    )
    assert list((tmp_path / "out").iterdir()) == []


def test_a_range_is_averaged_over_groups_of_faces():
    # Four faces, two tensors, lowest and highest; groups of two.
    limits = np.array(
        [
            [[-1, 1], [0, 5]],
            [[-3, 2], [0, 1]],
            [[-1, 9], [2, 3]],
            [[-2, 4], [1, 8]],
        ],
        np.float32,
    )
    ranges = settled(["b", "a"], limits, group=2)
    assert ranges == {"a": (0.5, 6.5), "b": (-2.5, 5.5)}
    assert list(ranges) == ["a", "b"]


def test_few_faces_are_one_group():
    limits = np.arange(10, dtype=np.float32).reshape(5, 1, 2)  # lowest 0, 2, 4, 6, 8; highest 1, 3, 5, 7, 9
    assert settled(["x"], limits, group=2) == {"x": (3.0, 7.0)}  # faces 0-2 and 3-4
    assert settled(["x"], limits, group=50) == {"x": (0.0, 9.0)}


def test_one_extreme_face_of_a_thousand_hardly_widens_a_range():
    limits = np.tile(np.float32([0, 1]), (1000, 1, 1))
    limits[500, 0, 1] = 101
    assert settled(["x"], limits)["x"] == (0.0, 6.0)  # 1 + 100 / 20 groups


def test_int8_needs_the_ranges_of_the_model(tiny, first):
    model = keras.saving.load_model(tiny)
    for convert in (tflite_file.to_tflite, onnx_file.to_onnx):
        with pytest.raises(ValueError, match="needs the ranges of the activations"):
            convert(model, "int8")
    with pytest.raises(ValueError, match=r"the ranges are not this model's: .* is in one of the two only"):
        tflite_file.to_tflite(model, "int8", {"another": (0.0, 1.0)})


def test_wrong_ranges_make_a_file_that_misses_the_limit(tiny, first, faces, reference, tmp_path):
    ranges = read_ranges(tiny.with_suffix(".ranges.json"), "tflite")
    narrow = {name: (low, high if "faces" in name else high / 50) for name, (low, high) in ranges.items()}
    path = tmp_path / "narrow.tflite"
    path.write_bytes(tflite_file.to_tflite(keras.saving.load_model(tiny), "int8", narrow))
    (fault,) = faults("int8", compare(scores_in(path, faces), reference))
    assert re.fullmatch(r"label agreement with Keras \d+\.\d\d%, limit 98%", fault)


def test_training_faces_are_spread_over_the_training_split():
    dataset = made_dataset()
    np.testing.assert_array_equal(training_faces(dataset, 1000), dataset.faces[:60])
    np.testing.assert_array_equal(training_faces(dataset, 3), dataset.faces[[0, 29, 59]])


def test_stored_ranges_are_as_accurate_as_those_of_other_training_faces(fer2013, tmp_path):
    weights = ROOT / "models" / "cnn.keras"
    stored = weights.with_suffix(".ranges.json")
    if not stored.exists():
        pytest.skip("needs models/cnn.ranges.json")
    model = keras.saving.load_model(weights, compile=False)
    train_faces, _ = fer2013.split("train")
    calibration = training_faces(fer2013, 1000)
    others = np.random.default_rng(0).choice(len(train_faces), 1000, replace=False)
    test_faces, test_labels = fer2013.split("test")
    assert not np.array_equal(train_faces[others], calibration)
    for form, module in (("tflite", tflite_file), ("onnx", onnx_file)):
        accuracies = []
        for ranges in (read_ranges(stored, form), module.measure_ranges(model, train_faces[others])):
            path = tmp_path / f"cnn_int8.{form}"
            if form == "tflite":
                path.write_bytes(tflite_file.to_tflite(model, "int8", ranges))
            else:
                onnx.save(onnx_file.to_onnx(model, "int8", ranges), path)
            right = scores_in(path, test_faces).argmax(axis=1) == test_labels
            accuracies.append(right.mean())
        assert abs(accuracies[0] - accuracies[1]) <= 0.005, (form, accuracies)
        assert min(accuracies) > 0.55, (form, accuracies)  # not two broken files that agree
