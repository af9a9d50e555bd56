"""Small nets that train in a second, and a small dataset, for the tests of the export."""

from pathlib import Path

import keras
import numpy as np

from dataset.fer2013 import Dataset
from export.parity_faces import parity_faces

PORTRAIT, DRAWN = 3, 6  # the two labels that the tiny nets learn
TINY_FILES = [
    "tiny_fp32.tflite",
    "tiny_fp16.tflite",
    "tiny_dynamic.tflite",
    "tiny_int8.tflite",
    "tiny_int8_io.tflite",
    "tiny_fp32.onnx",
    "tiny_fp16.onnx",
    "tiny_int8.onnx",
]
TINY_TFLITE = [file for file in TINY_FILES if file.endswith(".tflite")]
TINY_ONNX = [file for file in TINY_FILES if file.endswith(".onnx")]


def fitted(features, faces, name):
    """A net of the given features that has learned to tell the portrait's crops from drawn faces.

    Untrained nets are unsure about every face, and a quantized one then flips more labels than a real one.
    """
    scores = keras.layers.Dense(7, activation="softmax", name="scores")(features)
    model = keras.Model(faces, scores, name=name)
    model.compile(keras.optimizers.Adam(0.02), "categorical_crossentropy")
    targets = np.eye(7, dtype="float32")[[PORTRAIT, DRAWN] * 120]
    model.fit(parity_faces(240, seed=2).astype("float32"), targets, batch_size=60, epochs=20, verbose=0)
    return model


def pixels():
    faces = keras.Input((48, 48, 1), name="faces")
    return faces, keras.layers.Rescaling(1 / 255)(faces)


def convolutional(name="tiny"):
    keras.utils.set_random_seed(0)
    faces, x = pixels()
    x = keras.layers.Conv2D(8, 5, strides=3, activation="relu")(x)
    x = keras.layers.MaxPooling2D(3)(x)
    x = keras.layers.Dense(32, activation="relu")(keras.layers.Flatten()(x))
    return fitted(x, faces, name)


def recurrent(name="rows", *, hidden=False, overflowing=False):
    """A net that reads rows.

    hidden: its LSTM stands inside an inner model, where the export does not see it and leaves its loop.
    overflowing: weights of the rows beyond float16's largest number, 65,504, undone in the next layer.
    """
    keras.utils.set_random_seed(0)
    faces, x = pixels()
    x = keras.layers.Reshape((48, 48))(x)
    x = keras.layers.Dense(8, activation="relu", name="rows")(x)
    lstm = keras.layers.LSTM(16, name="lstm")
    x = keras.Sequential([keras.Input((48, 8)), lstm])(x) if hidden else lstm(x)
    model = fitted(x, faces, name)
    if overflowing:
        rows, factor = model.get_layer("rows"), 2.0**22
        rows.set_weights([weights * factor for weights in rows.get_weights()])
        kernel, *others = lstm.get_weights()
        lstm.set_weights([kernel / factor, *others])
    return model


def made_dataset():
    """60 faces to measure ranges on, 20 for validation, 51 for the test; every fifth label is wrong, and the
    last test face repeats a training face."""
    faces = parity_faces(130, seed=2)
    labels = np.where(np.arange(130) % 5 == 4, 0, np.where(np.arange(130) % 2, DRAWN, PORTRAIT))
    return Dataset(
        faces=np.concatenate([faces, faces[:1]]),
        labels=np.append(labels, labels[0]),
        splits=np.repeat(["train", "validation", "test"], [60, 20, 51]),
        origins=range(2, 133),
        path=Path("made.csv"),
        sha256="5" * 64,
    )
