"""The ranges of a model's activations, which int8 needs: measured once and stored beside the weights."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from dataset.fer2013 import Dataset
from reporting.files import sha256_of, write_json

from .errors import ExportError
from .keras_file import is_recurrent, read_stored
from .own_process import in_own_process

CALIBRATION_FACES = 1000  # of the training split, evenly spaced

Ranges = dict[str, tuple[float, float]]  # a tensor's name: its smallest and its largest value


def ranges_for(
    keras_file: Path, dataset: Dataset | None, workplace: Path, announce: Callable[[str], None]
) -> Path:
    """Returns the file with the ranges of these very weights, measured now if need be.

    With stored ranges the export of the released models needs no dataset and gives the same int8 files
    everywhere.

    Args:
        keras_file: The weights; the file beside them is `<name>.ranges.json`.
        dataset: Whose training faces the ranges are measured on, where none are stored.
        workplace: A folder for temporary files.
        announce: Is called with a sentence before the ranges are measured, which takes a while.

    Raises:
        ExportError: No ranges of these weights are stored and there is no dataset.
    """
    stored = keras_file.with_suffix(".ranges.json")
    if is_recurrent(keras_file):  # quantized dynamically, it needs none
        return stored
    digest = sha256_of(keras_file)
    if stored.exists() and read_stored(stored, "weights_sha256") == digest:
        return stored
    if dataset is None:
        state = "has other weights'" if stored.exists() else "is missing"
        raise ExportError(
            keras_file,
            f"int8 needs the ranges of its activations, and {stored.name} {state}. "
            "Give the faces it was trained on: python -m export --data fer2013.csv",
        )
    faces = training_faces(dataset, CALIBRATION_FACES)
    announce(f"Measuring the ranges of {keras_file} on {len(faces)} training faces ...")
    content = {
        "weights_sha256": digest,
        "dataset_sha256": dataset.sha256,
        "faces": len(faces),
        **measured_ranges(keras_file, faces, workplace),
    }
    write_json(stored, content, indent=0)
    return stored


def measured_ranges(keras_file: Path, faces: np.ndarray, workplace: Path) -> dict[str, Any]:
    """Returns the ranges of every activation over faces, uint8 (n, 48, 48, 1), by format."""
    faces_file, ranges_file = workplace / "training_faces.npy", workplace / "ranges.json"
    np.save(faces_file, faces)
    in_own_process("ranges", keras_file, faces_file, ranges_file)
    return json.loads(ranges_file.read_text(encoding="utf-8"))


def training_faces(dataset: Dataset, count: int) -> np.ndarray:
    """Returns `count` faces of the training split, evenly spaced; all of them where there are fewer."""
    faces, _ = dataset.split("train")
    return faces[np.linspace(0, len(faces) - 1, min(count, len(faces))).astype(int)]


def read_ranges(path: Path, form: str) -> Ranges:
    """Returns the stored ranges for a format, "tflite" or "onnx"."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    return {name: (low, high) for name, (low, high) in stored[form].items()}


def settled(names: list[str], limits: np.ndarray, *, group: int = 50) -> Ranges:
    """Returns a range per tensor: the limits of each group of faces, averaged over the groups.

    So one extreme face does not widen the steps for all.

    Args:
        names: Of the tensors.
        limits: The smallest and the largest value of each tensor for each face, float32 (faces, tensors, 2).
        group: The number of faces in a group.
    """
    groups = np.array_split(limits.astype(np.float64), max(1, len(limits) // group))
    lowest = np.mean([part[:, :, 0].min(axis=0) for part in groups], axis=0)
    highest = np.mean([part[:, :, 1].max(axis=0) for part in groups], axis=0)
    return {
        name: (float(np.float32(low)), float(np.float32(high)))
        for name, low, high in sorted(zip(names, lowest, highest, strict=True))
    }
