"""What an export writes: every file is opened, compared with Keras and held to its card."""

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

from dataset.fer2013 import LABELS
from export import tflite_schema
from export.parity_faces import parity_faces
from reporting.files import sha256_of
from runtime.command.verify import verify
from runtime.model import load_model
from runtime.model_file import read_contents
from tests.support.exported import foreign_operators, interpreter_of, scores_in
from tests.support.tflite_support import displayed
from tests.support.tiny_nets import TINY_FILES, TINY_ONNX, TINY_TFLITE


def test_every_precision_is_written_with_its_card_and_nothing_else(first):
    assert [outcome.file for outcome in first.outcomes] == TINY_FILES
    assert first.done == first.outcomes
    assert [outcome.faults for outcome in first.outcomes] == [()] * 8
    assert sorted(path.name for path in first.out.iterdir()) == sorted(
        TINY_FILES + [f"{file}.json" for file in TINY_FILES]
    )


@pytest.mark.parametrize("file", TINY_FILES)
def test_a_file_answers_as_keras_within_its_limit(first, faces, reference, file):
    model = load_model(first.out / file)
    assert model.labels == LABELS
    scores = model(faces)
    gap = np.abs(scores - reference).max()
    agreement = (scores.argmax(axis=1) == reference.argmax(axis=1)).mean()
    if model.card["precision"] in ("fp32", "fp16"):
        assert gap <= {"fp32": 1e-4, "fp16": 1e-2}[model.card["precision"]]
    else:
        assert agreement >= 0.98
    assert model.card["parity"]["largest_gap"] == float(f"{gap:.2g}")
    assert model.card["parity"]["label_agreement"] == round(agreement, 4)


@pytest.mark.parametrize("file", TINY_FILES)
def test_a_card_describes_its_file(first, tiny, file):
    content = json.loads((first.out / f"{file}.json").read_text())
    assert content == next(outcome.card for outcome in first.outcomes if outcome.file == file)
    assert (content["file"], content["sha256"]) == (file, sha256_of(first.out / file))
    assert content["bytes"] == (first.out / file).stat().st_size
    assert (content["card_version"], content["model"], content["licence"]) == (1, "tiny", "not stated")
    assert content["precision"] == re.fullmatch(r"tiny_(\w+)\.\w+", file)[1]
    assert content["labels"] == ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
    assert content["input"]["range"] == [0, 255]
    assert (content["input"]["colour"], content["input"]["resize"]) == ("gray, BT.601 luma", "area")
    assert content["parity"]["reference"] == "tiny.keras"
    assert content["parity"]["reference_sha256"] == sha256_of(tiny)
    assert content["parity"]["faces"] == 600
    assert content["versions"]["keras"] == keras.__version__
    assert set(content["versions"]) == {"keras", "tensorflow"} | (
        {"tf2onnx", "onnx", "onnxruntime"} if file.endswith(".onnx") else set()
    )


@pytest.mark.parametrize("file", TINY_TFLITE)
def test_a_card_gives_the_tensors_that_the_interpreter_sees(first, file):
    content = json.loads((first.out / f"{file}.json").read_text())
    interpreter = interpreter_of(first.out / file)
    for side, details in (
        ("input", interpreter.get_input_details()),
        ("output", interpreter.get_output_details()),
    ):
        ((tensor,), described) = details, content[side]
        assert described["shape"] == tensor["shape"].tolist()
        assert described["dtype"] == np.dtype(tensor["dtype"]).name
        scale, zero_point = tensor["quantization"]
        if file == "tiny_int8_io.tflite":
            assert described["quantization"] == {"scale": scale, "zero_point": zero_point}
        else:
            assert (described["quantization"], scale) == (None, 0)
    (signature,) = interpreter.get_signature_list().values()
    assert signature == {"inputs": ["faces"], "outputs": ["scores"]}


def test_int8_input_is_the_gray_pixel_less_128(first):
    (tensor,) = interpreter_of(first.out / "tiny_int8_io.tflite").get_input_details()
    assert (tensor["dtype"], tensor["quantization"]) == (np.int8, (1.0, -128))


def test_a_smaller_precision_is_smaller(first):
    size = {file: (first.out / file).stat().st_size for file in TINY_FILES}
    assert size["tiny_fp16.tflite"] < 0.8 * size["tiny_fp32.tflite"]
    assert size["tiny_dynamic.tflite"] < 0.6 * size["tiny_fp32.tflite"]
    assert size["tiny_int8.tflite"] < 0.6 * size["tiny_fp32.tflite"]
    assert size["tiny_int8_io.tflite"] < 0.6 * size["tiny_fp32.tflite"]  # quantizes at its end as well
    assert size["tiny_fp16.onnx"] < 0.8 * size["tiny_fp32.onnx"]
    assert size["tiny_int8.onnx"] < 0.8 * size["tiny_fp32.onnx"]


@pytest.mark.parametrize("file", TINY_TFLITE)
def test_a_tflite_file_has_batch_1_and_built_in_operators_only(first, file):
    assert foreign_operators(first.out / file) == []
    content = tflite_schema.read((first.out / file).read_bytes())
    (graph,) = content.subgraphs
    assert {graph.tensors[index].shape[0] for index in (*graph.inputs, *graph.outputs)} == {1}


@pytest.mark.parametrize("file", TINY_ONNX)
def test_an_onnx_file_has_a_free_batch_and_clean_names(first, file):
    model = onnx.load(first.out / file)
    (faces,), (scores,) = model.graph.input, model.graph.output
    assert (faces.name, scores.name) == ("faces", "scores")
    for value, tail in ((faces, [48, 48, 1]), (scores, [7])):
        batch, *rest = value.type.tensor_type.shape.dim
        assert (batch.dim_param, [dimension.dim_value for dimension in rest]) == ("n", tail)
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")) == 17
    assert {node.domain for node in model.graph.node} <= {"", "ai.onnx"}
    images = parity_faces(5, seed=9)
    one_by_one = [scores_in(first.out / file, images[number : number + 1])[0] for number in range(5)]
    np.testing.assert_allclose(scores_in(first.out / file, images), one_by_one, atol=1e-6)

    content = json.loads((first.out / f"{file}.json").read_text())
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    facts = "card_version model precision description licence labels input output versions"
    assert set(metadata) == set(facts.split())
    for key, value in metadata.items():
        assert (value if isinstance(content[key], str) else json.loads(value)) == content[key], key


@pytest.mark.parametrize("file", TINY_TFLITE)
def test_the_metadata_of_a_tflite_file_is_that_of_its_card(first, tiny, file):
    content = json.loads((first.out / f"{file}.json").read_text())
    facts = read_contents((first.out / file).read_bytes(), ".tflite").facts
    assert facts == {
        "model": "tiny",
        "description": "A model trained with this kit.",
        "version": sha256_of(tiny)[:16],
        "licence": "not stated",
        "labels": content["labels"],
    }


def test_googles_reader_reads_the_metadata_of_every_tflite_file(first, failed):
    paths = [first.out / file for file in TINY_TFLITE]
    paths += [failed.out / file for file in ("rows_fp32.tflite", "rows_dynamic.tflite")]
    for path, found in zip(paths, displayed(paths), strict=True):
        content = json.loads(Path(f"{path}.json").read_text())
        assert found["files"] == {"labels.txt": "".join(f"{label}\n" for label in LABELS)}
        assert found["parser"] == found["metadata"]["min_parser_version"] == "1.0.0"
        for name, fact in {"name": "model", "description": "description", "license": "licence"}.items():
            assert found["metadata"][name] == content[fact]
        (graph,) = found["metadata"]["subgraph_metadata"]
        (faces,), (scores,) = graph["input_tensor_metadata"], graph["output_tensor_metadata"]
        assert (faces["name"], scores["name"]) == ("faces", "scores")
        assert faces["content"]["content_properties"]["color_space"] == "GRAYSCALE"
        (unit,) = faces["process_units"]
        assert unit["options"] == {"mean": [0.0], "std": [1.0]}
        whole = [[-128.0], [127.0]] if path.name == "tiny_int8_io.tflite" else [[0.0], [255.0]]
        assert [faces["stats"]["min"], faces["stats"]["max"]] == whole


@pytest.mark.parametrize("file", TINY_FILES)
def test_verify_passes_what_was_exported(first, file):
    assert {check.name: check.result for check in verify(first.out / file)} == {
        "file": "passed",
        "card": "passed",
        "sha256": "passed",
        "signature": "passed",
        "metadata": "passed",
        "golden": "not checked",
    }
