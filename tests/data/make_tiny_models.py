"""Makes the tiny models that the tests run: `python -m tests.data.make_tiny_models [NAME ...]`.

They are seeded, untrained, and a few KB each. Their labels mean nothing, but depend on the image.

    tiny_fp32.tflite      float32 in and out, batch 1
    tiny_int8_io.tflite   int8 in and out, batch 1
    tiny_fp32.onnx        float32 in and out, free batch

`three_*` and `twelve_*` are the same for other classes than FER2013's seven.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

FOLDER = Path(__file__).parent
LABELS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
LABELS_OF = {
    "tiny": LABELS,
    "three": ["tired", "calm", "tense"],
    "twelve": [*LABELS, "contempt", "very tense", "m\u00fcde", "calm", "bored"],
}
PACKAGES = ("keras", "tensorflow", "tf2onnx")
SEED = 3


def build_tiny(name: str = "tiny") -> keras.Model:
    """Returns a net from gray pixels 0-255 `(n, 48, 48, 1)` to a probability for each of `LABELS_OF[name]`.

    It is a strided convolution, the means of its channels and a dense layer. Its weights are so large that
    images get different scores.
    """
    generator, classes = np.random.default_rng(SEED), len(LABELS_OF[name])
    faces = keras.Input((48, 48, 1), name="faces")
    features = keras.layers.Rescaling(1 / 255)(faces)
    features = keras.layers.Conv2D(8, 5, strides=3, activation="relu")(features)
    features = keras.layers.GlobalAveragePooling2D(name="means")(features)
    scores = keras.layers.Dense(classes, activation="softmax", name="scores")(features)
    model = keras.Model(faces, scores, name=name)
    kernels = generator.normal(0, 0.4, (5, 5, 1, 8))
    dense = generator.normal(0, 6, (8, classes))
    model.set_weights([kernels, np.zeros(8), dense, np.zeros(classes)])
    # Logits of mean zero over the images: otherwise one label would win everywhere.
    means = keras.Model(faces, features)(make_images(200, seed=SEED).astype(np.float32))
    model.set_weights([kernels, np.zeros(8), dense, -np.asarray(means).mean(axis=0) @ dense])
    return model


def make_images(count: int, *, seed: int) -> np.ndarray:
    """Returns blotchy gray images, `uint8` `(count, 48, 48, 1)`, of every contrast."""
    generator = np.random.default_rng(seed)
    coarse = generator.random((count, 6, 6))
    images = coarse.repeat(8, axis=1).repeat(8, axis=2)[..., np.newaxis]
    low, high = np.sort(generator.random((2, count, 1, 1, 1)) * 255, axis=0)
    noise = generator.normal(0, 8, images.shape)
    return np.clip(low + (high - low) * images + noise, 0, 255).astype(np.uint8)


def tflite_of(model: keras.Model, *, int8: bool) -> bytes:
    """Returns the model as a TFLite file of batch 1, by a SavedModel, which keeps the names clean."""
    import tensorflow as tf

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        "serve",
        lambda faces: {"scores": model(faces)},
        input_signature=[keras.InputSpec(shape=(1, 48, 48, 1), dtype="float32", name="faces")],
    )
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if int8:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = _calibration
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
        return converter.convert()


def onnx_of(model: keras.Model) -> bytes:
    """Returns the model as an ONNX file with a free batch, called `batch`."""
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec((None, 48, 48, 1), tf.float32, name="faces")]
    function = tf.function(lambda faces: {"scores": model(faces)}, input_signature=signature)
    proto, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=17)
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    return proto.SerializeToString()


def write_artifact(file: str, data: bytes, reference: np.ndarray, images: np.ndarray) -> None:
    """Writes a model file and its card, with its gap to Keras as the runtime measures it."""
    from runtime.engines import ENGINES, ENGINES_OF_SUFFIX

    path = FOLDER / file
    path.write_bytes(data)
    scores = ENGINES[ENGINES_OF_SUFFIX[path.suffix][0]](path)(images)
    name, _, precision = path.stem.partition("_")
    labels = LABELS_OF[name]
    card = {
        "card_version": 1,
        "file": file,
        "model": name,
        "precision": precision,
        "description": "An untrained net for tests: its labels mean nothing.",
        "licence": "MIT",
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
        "labels": labels,
        "input": _tensor("faces", path, [48, 48, 1])
        | {
            "range": [0, 255],
            "colour": "gray, BT.601 luma",
            "resize": "area",
            "crop": {
                "yunet": {"scale": 1.1, "shift_x": 0.0, "shift_y": 0.0},
                "haar": {"scale": 1.0, "shift_x": 0.0, "shift_y": 0.0},
            },
        },
        "output": _tensor("scores", path, [len(labels)]),
        "parity": {
            "reference": "the same net in Keras",
            "faces": len(images),
            "source": "make_images(200, seed=5)",
            "largest_gap": float(np.abs(scores - reference).max()),
            "label_agreement": float((scores.argmax(1) == reference.argmax(1)).mean()),
        },
        "accuracy": None,
        "versions": {name: importlib.import_module(name).__version__ for name in PACKAGES},
    }
    path.with_name(file + ".json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    print(f"{file}: {len(data)} bytes, {card['parity']}")


def _calibration() -> Iterator[list[np.ndarray]]:
    for image in make_images(100, seed=4):
        yield [image[np.newaxis].astype(np.float32)]


def _tensor(name: str, path: Path, shape: list[int]) -> dict[str, Any]:
    if path.suffix == ".onnx":
        return {"name": name, "shape": [None, *shape], "dtype": "float32", "quantization": None}
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    details: Callable[[], list[dict[str, Any]]] = (
        interpreter.get_input_details if name == "faces" else interpreter.get_output_details
    )
    (tensor,) = details()
    scale, zero_point = tensor["quantization"]
    return {
        "name": name,
        "shape": [1, *shape],
        "dtype": np.dtype(tensor["dtype"]).name,
        "quantization": {"scale": float(scale), "zero_point": int(zero_point)} if scale else None,
    }


def main() -> None:
    for name in sys.argv[1:] or LABELS_OF:
        write_models(name)


def write_models(name: str) -> None:
    """Writes the files of one net with their cards."""
    model, labels = build_tiny(name), LABELS_OF[name]
    images = make_images(200, seed=5)
    reference = np.asarray(model(images.astype(np.float32)))
    write_artifact(f"{name}_fp32.tflite", tflite_of(model, int8=False), reference, images)
    if name != "twelve":  # in int8 an untrained net of twelve classes is sure of nothing
        write_artifact(f"{name}_int8_io.tflite", tflite_of(model, int8=True), reference, images)
    write_artifact(f"{name}_fp32.onnx", onnx_of(model), reference, images)
    answers = np.bincount(reference.argmax(1), minlength=len(labels))
    print("answers per label:", dict(zip(labels, answers.tolist(), strict=True)))


if __name__ == "__main__":
    main()
