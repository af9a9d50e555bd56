"""The exported face detector: every file finds what Keras finds, runs where it has to, and is its card's."""

import json
import shutil

import cv2
import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("ai_edge_litert")

import keras

from export import detector, one_detector, tflite_schema
from export.__main__ import main
from export.detector import HEIGHT, WIDTH, as_exported, detector_weights, joined
from export.detector_answers import answers_of
from export.detector_parity import compare
from export.errors import ExportError
from export.keras_file import is_detector
from export.one_detector import export_detector
from export.one_file import Outcome
from export.parity_images import parity_images
from export.ranges import ranges_for_detector, read_ranges
from export.release import release
from reporting.files import sha256_of
from runtime.card import read_card
from runtime.command.verify import verify
from runtime.model import ModelError, load_model
from runtime.networks import NETWORKS
from tests.support.exported import foreign_operators, interpreter_of
from train.models import RELEASED

FILES = [f"detector_{precision}.{form}" for form in ("tflite", "onnx") for precision in ("fp32", "int8")]
WEIGHTS = detector_weights()


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """The folder with the detector's files, exported from what is stored beside the weights."""
    out = tmp_path_factory.mktemp("detector")
    said = []
    outcomes = export_detector(WEIGHTS, out, announce=said.append)
    assert ([outcome.faults for outcome in outcomes], said) == ([()] * 4, [])
    return out / "detectors"


@pytest.fixture(scope="module")
def images():
    """Other images than those that the export checks with: uint8 (40, 256, 320, 1)."""
    return parity_images(40, height=HEIGHT, width=WIDTH, seed=5)


@pytest.fixture(scope="module")
def reference(images):
    """What Keras answers to them: float32 (40, cells, 9)."""
    model = as_exported(keras.saving.load_model(WEIGHTS, compile=False))
    return np.concatenate(
        [joined(model.predict_on_batch(part.astype("float32"))) for part in (images[:20], images[20:])]
    )


@pytest.fixture
def weights(tmp_path):
    """A copy of the weights and their record, without ranges."""
    for suffix in (".keras", ".json"):
        shutil.copy(WEIGHTS.with_suffix(suffix), tmp_path / f"mine{suffix}")
    return tmp_path / "mine.keras"


def test_every_file_is_written_with_its_card_and_nothing_else(export):
    assert sorted(path.name for path in export.iterdir()) == sorted(
        [*FILES, *(f"{file}.json" for file in FILES)]
    )


@pytest.mark.parametrize("file", FILES)
def test_a_file_finds_the_faces_that_keras_finds(export, images, reference, file):
    card = read_card(export / file)
    parity = compare(answers_of(export / file)(images), reference, card["threshold"])
    assert parity.faces > 15
    if card["precision"] == "fp32":
        assert parity.largest_gap < 1e-4 and parity.largest_box_gap < 0.01
    else:
        assert parity.agreement >= 0.95 and parity.mean_overlap >= 0.92 and parity.mean_gap <= 0.05


@pytest.mark.parametrize("file", FILES)
def test_a_card_describes_its_file(export, file):
    card = read_card(export / file)
    assert (card["kind"], card["model"], card["licence"]) == ("detector", "detector", "MIT")
    assert card["input"]["shape"] == [1, HEIGHT, WIDTH, 1]
    assert card["outputs"]["boxes"]["shape"] == [1, detector.cells(), 4] == [1, 1680, 4]
    assert card["threshold"] == json.loads(WEIGHTS.with_suffix(".json").read_text())["threshold"]
    assert (card["parity"]["reference"], card["parity"]["reference_sha256"]) == (
        WEIGHTS.name,
        sha256_of(WEIGHTS),
    )
    assert {check.name: check.result for check in verify(export / file)} == {
        "file": "passed",
        "card": "passed",
        "sha256": "passed",
        "signature": "passed",
        "metadata": "passed",
        "golden": "not checked",
    }


@pytest.mark.parametrize("file", FILES)
def test_a_detector_is_no_classifier(export, file):
    with pytest.raises(ModelError, match="expected a classifier, got a face detector"):
        load_model(export / file)


def test_an_int8_file_is_small(export):
    assert (export / "detector_int8.tflite").stat().st_size <= 150_000
    assert (export / "detector_int8.onnx").stat().st_size <= 150_000


@pytest.mark.parametrize("file", [file for file in FILES if file.endswith(".tflite")])
def test_a_tflite_file_has_static_shapes_and_operators_of_every_runtime(export, file):
    from tensorflow.lite.python.schema_py_generated import BuiltinOperator

    assert foreign_operators(export / file) == []
    content = tflite_schema.read((export / file).read_bytes())
    used = {max(code.builtinCode, code.deprecatedBuiltinCode) for code in content.operatorCodes}
    assert used.isdisjoint({BuiltinOperator.HARD_SWISH, BuiltinOperator.SHAPE, BuiltinOperator.WHILE})
    (graph,) = content.subgraphs
    assert all(size > 0 for tensor in graph.tensors for size in tensor.shape)
    interpreter = interpreter_of(export / file)
    for tensor in (*interpreter.get_input_details(), *interpreter.get_output_details()):
        assert tensor["dtype"] is np.float32
    (signature,) = interpreter.get_signature_list().values()
    assert signature == {"inputs": ["pixels"], "outputs": ["boxes", "confidences", "eyes"]}


def test_the_last_convolutions_and_the_decoding_of_an_int8_file_are_float32(export):
    from tensorflow.lite.python.schema_py_generated import BuiltinOperator, TensorType

    content = tflite_schema.read((export / "detector_int8.tflite").read_bytes())
    (graph,) = content.subgraphs
    kinds = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in content.operatorCodes]
    given = {
        kind: [
            graph.tensors[operator.outputs[0]].type
            for operator in graph.operators
            if kinds[operator.opcodeIndex] == kind
        ]
        for kind in set(kinds)
    }
    assert given[BuiltinOperator.CONV_2D].count(TensorType.FLOAT32) == 9  # three of each of three grids
    assert given[BuiltinOperator.CONV_2D].count(TensorType.INT8) == 21
    assert set(given[BuiltinOperator.DEPTHWISE_CONV_2D]) == {TensorType.INT8}
    for kind in (BuiltinOperator.EXP, BuiltinOperator.LOGISTIC, BuiltinOperator.SUB):
        assert set(given[kind]) == {TensorType.FLOAT32}


def test_opencv_runs_the_float32_onnx_file(export, images, reference):
    network = NETWORKS["opencv"](export / "detector_fp32.onnx", outputs=list(detector.COLUMNS))
    answers = joined(dict(zip(detector.COLUMNS, network.run(images[:1]), strict=True)))
    np.testing.assert_allclose(answers[..., 4], reference[:1, :, 4], atol=1e-4)
    np.testing.assert_allclose(answers[..., :4], reference[:1, :, :4], atol=0.01, rtol=1e-4)


def test_ranges_are_measured_on_training_images_once(weights, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, image in enumerate(parity_images(20, height=300, width=200)):
        cv2.imwrite(str(folder / f"{number}.png"), image)
    said = []
    with pytest.raises(ExportError, match=r"mine\.ranges\.json is missing\. Give images .* --images"):
        ranges_for_detector(weights, [], tmp_path, said.append)
    stored = ranges_for_detector(weights, [folder], tmp_path, said.append)
    assert said == [f"Measuring the ranges of {weights} on 16 training images ..."]  # 20 less two tenths
    content = json.loads(stored.read_text())
    assert (content["images"], content["sources"]) == (16, ["photos"])
    assert content["weights_sha256"] == sha256_of(weights)
    for form in ("tflite", "onnx"):
        ranges = read_ranges(stored, form)
        assert [ranges[name] for name in ranges if "pixels" in name] == [(0.0, 255.0)]
        assert set(ranges) == set(read_ranges(WEIGHTS.with_suffix(".ranges.json"), form))
    assert ranges_for_detector(weights, [], tmp_path, said.append) == stored
    assert len(said) == 1


@pytest.mark.parametrize("content", [None, "no zip"])
def test_what_are_no_images_is_named(weights, tmp_path, capsys, content):
    source = tmp_path / "photos.zip"
    if content is not None:
        source.write_text(content)
    assert main([str(weights), "--images", str(source), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert f"{source}: expected a folder or a zip archive of images, got" in said
    assert "Traceback" not in said


def test_a_detector_without_its_record_is_refused(weights, tmp_path, capsys):
    weights.with_suffix(".json").unlink()
    assert main([str(weights), "--out", str(tmp_path / "out")]) == 1
    assert f"{weights.with_suffix('.json')}: expected the record" in capsys.readouterr().err


def test_a_file_that_misses_a_limit_is_not_kept(weights, tmp_path, monkeypatch):
    monkeypatch.setattr(one_detector, "detector_file_names", lambda _: ["detectors/mine_int8.tflite"])
    content = json.loads(WEIGHTS.with_suffix(".ranges.json").read_text())
    content["tflite"] = {
        name: (low, high if "pixels" in name else high / 30)
        for name, (low, high) in content["tflite"].items()
    }
    weights.with_suffix(".ranges.json").write_text(json.dumps(content))
    old = tmp_path / "out" / "detectors" / "mine_int8.tflite"
    old.parent.mkdir(parents=True)
    old.write_text("old")
    (outcome,) = export_detector(weights, tmp_path / "out", announce=print)
    assert outcome.card is None
    assert any("faces that Keras finds, too" in fault and "limit 97%" in fault for fault in outcome.faults)
    assert list(old.parent.iterdir()) == []


def test_a_detector_is_known_by_its_network_not_by_its_name(weights):
    assert is_detector(weights)
    assert not is_detector(RELEASED / "cnn.keras")


def test_a_release_copies_a_detectors_files_into_their_folder(export, tmp_path):
    name = "detectors/detector_int8.tflite"
    outcome = Outcome(name, read_card(export / "detector_int8.tflite"))
    release([outcome], [name], export.parent, tmp_path)
    assert sorted(path.name for path in (tmp_path / "detectors").iterdir()) == [
        "detector_int8.tflite",
        "detector_int8.tflite.json",
    ]
