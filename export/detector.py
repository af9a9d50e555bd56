"""The face detector: its weights, the size of its images, the columns of its answers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from train.models import RELEASED

if TYPE_CHECKING:
    import keras

NAME = "detector"  # of the network in the Keras file
FOLDER = "detectors"  # of its files, in the folder of the artifacts and in that of the wheel
HEIGHT, WIDTH = 256, 320  # of the images that the files take, in pixels
OVERLAP = 0.4  # beyond it non-maximum suppression takes two boxes for one face
STRIDES = (8, 16, 32)  # of the cells, in pixels
PRECISIONS = ("fp32", "int8")
IN_THE_WHEEL = ("detector_int8.tflite", "detector_int8.onnx")
COLUMNS = {"boxes": 4, "confidences": 1, "eyes": 4}  # of a cell's answer


def detector_weights() -> Path:
    """Returns the path of our detector's released weights."""
    return RELEASED / "detector.keras"


def cells() -> int:
    """Returns how many answers a file gives: one for each cell of three grids."""
    return sum((HEIGHT // stride) * (WIDTH // stride) for stride in STRIDES)


def as_exported(model: keras.Model) -> keras.Model:
    """Returns a detector's network for the files' size of images, whatever size it was saved for."""
    from train.detector.network import build_detector, copy_weights

    detector = build_detector(HEIGHT, WIDTH)
    copy_weights(model, detector)
    return detector


def joined(outputs: dict[str, np.ndarray]) -> np.ndarray:
    """Returns a detector's outputs side by side, float32 (n, cells, 9): box, confidence, eyes."""
    n, cells = outputs["confidences"].shape
    return np.concatenate(
        [outputs[name].reshape(n, cells, width) for name, width in COLUMNS.items()], axis=2, dtype=np.float32
    )
