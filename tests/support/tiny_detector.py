"""An ONNX file of the detector's kind that answers the same for every image, with its card."""

import hashlib
import json

import numpy as np
import pytest

from runtime.card import LETTERBOX, card_path

OUTPUTS = ("boxes", "confidences", "eyes")
HEIGHT, WIDTH, CELLS = 256, 320, 4


def write_detector(folder, *, box=(0, 0, 1, 1), confidence=0.0, outputs=OUTPUTS):
    """Writes the file and its card into a folder; returns the file's path.

    The first of its four places answers with the box, x, y, width, height in pixels of the input, and the
    confidence; the others with no face.
    """
    onnx = pytest.importorskip("onnx")
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    boxes = np.tile(np.float32([0, 0, 1, 1]), (1, CELLS, 1))
    confidences = np.zeros((1, CELLS), np.float32)
    boxes[0, 0], confidences[0, 0] = box, confidence
    answers = [boxes, confidences, np.zeros((1, CELLS, 4), np.float32)]
    shapes = [list(answer.shape) for answer in answers]
    # The sum of the pixels times zero is added, because engines refuse a graph that reads no input.
    nodes = [
        helper.make_node("ReduceMax", ["pixels"], ["brightest"], keepdims=0),
        helper.make_node("Mul", ["brightest", "zero"], ["nothing"]),
        *(helper.make_node("Add", [f"{name}_answer", "nothing"], [name]) for name in outputs),
    ]
    constants = [numpy_helper.from_array(np.zeros((), np.float32), "zero")]
    constants += [
        numpy_helper.from_array(answer, f"{name}_answer")
        for name, answer in zip(outputs, answers, strict=True)
    ]

    def value(name, shape):
        return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)

    graph = helper.make_graph(
        nodes,
        "detector",
        [value("pixels", [1, HEIGHT, WIDTH, 1])],
        [value(name, shape) for name, shape in zip(outputs, shapes, strict=True)],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path = folder / "tiny_detector_fp32.onnx"
    path.write_bytes(model.SerializeToString())
    card_path(path).write_text(json.dumps(card_of(path, shapes)))
    return path


def card_of(path, shapes):
    """Returns the card of such a file."""

    def tensor(name, shape):
        return {"name": name, "shape": shape, "dtype": "float32", "quantization": None}

    data = path.read_bytes()
    image = tensor("pixels", [1, HEIGHT, WIDTH, 1])
    return {
        "card_version": 1,
        "kind": "detector",
        "file": path.name,
        "model": "tiny_detector",
        "precision": "fp32",
        "description": "Answers the same for every image: a detector for tests.",
        "licence": "MIT",
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "input": image | {"range": [0, 255], "colour": "gray, BT.601 luma", "letterbox": LETTERBOX},
        "outputs": {name: tensor(name, shape) for name, shape in zip(OUTPUTS, shapes, strict=True)},
        "threshold": 0.6,
        "overlap": 0.4,
        "parity": {"largest_gap": 0.0},
        "accuracy": None,
        "versions": {},
    }
