"""The ranges of a model's activations, which int8 needs: measured once and stored beside the weights."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dataset.fer2013 import Dataset
from reporting.files import sha256_of, write_json

from .detector_images import CALIBRATION_IMAGES, images_of
from .errors import ExportError
from .keras_file import is_recurrent, read_stored
from .own_process import in_own_process

CALIBRATION_FACES = 1000  # of the training split, evenly spaced

Ranges = dict[str, tuple[float, float]]  # a tensor's name: its smallest and its largest value


@dataclass(frozen=True)
class Calibration:
    """What ranges are measured on.

    Attributes:
        images: Faces or images, uint8 (n, height, width, 1), gray 0-255.
        called: What they are, in words.
        facts: What is stored of them with the ranges.
    """

    images: np.ndarray
    called: str
    facts: dict[str, Any]


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
    if is_recurrent(keras_file):  # quantized dynamically, it needs none
        return keras_file.with_suffix(".ranges.json")

    def calibration() -> Calibration:
        assert dataset is not None
        faces = training_faces(dataset, CALIBRATION_FACES)
        return Calibration(faces, "training faces", {"dataset_sha256": dataset.sha256, "faces": len(faces)})

    advice = "Give the faces it was trained on: python -m export --data fer2013.csv"
    return stored_ranges(
        keras_file, calibration if dataset is not None else None, advice, workplace, announce
    )


def ranges_for_detector(
    keras_file: Path, sources: Sequence[Path], workplace: Path, announce: Callable[[str], None]
) -> Path:
    """Returns the file with the ranges of a detector's very weights, measured now if need be.

    Args:
        keras_file: The weights.
        sources: Folders or zip archives of images, whose training part the ranges are measured on, where none
            are stored.
        workplace: A folder for temporary files.
        announce: As for `ranges_for`.

    Raises:
        ExportError: No ranges of these weights are stored and there are no images.
    """

    def calibration() -> Calibration:
        images = images_of(sources, "train", CALIBRATION_IMAGES)
        facts = {"images": len(images), "sources": [source.name for source in sources]}
        return Calibration(images, "training images", facts)

    advice = f"Give images with and without faces: python -m export {keras_file} --images FOLDER_OR_ZIP ..."
    return stored_ranges(keras_file, calibration if sources else None, advice, workplace, announce)


def stored_ranges(
    keras_file: Path,
    calibration: Callable[[], Calibration] | None,
    advice: str,
    workplace: Path,
    announce: Callable[[str], None],
) -> Path:
    """Returns the file with the ranges; with a calibration they are measured where none are stored."""
    stored, digest = keras_file.with_suffix(".ranges.json"), sha256_of(keras_file)
    if stored.exists() and read_stored(stored, "weights_sha256") == digest:
        return stored
    if calibration is None:
        state = "has other weights'" if stored.exists() else "is missing"
        raise ExportError(
            keras_file,
            f"int8 needs the ranges of its activations, and {stored.name} {state}. {advice}",
        )
    given = calibration()
    announce(f"Measuring the ranges of {keras_file} on {len(given.images)} {given.called} ...")
    measured = measured_ranges(keras_file, given.images, workplace)
    write_json(stored, {"weights_sha256": digest, **given.facts, **measured}, indent=0)
    return stored


def measured_ranges(keras_file: Path, images: np.ndarray, workplace: Path) -> dict[str, Any]:
    """Returns the ranges of every activation over images, uint8 (n, height, width, 1), by format."""
    images_file, ranges_file = workplace / "calibration.npy", workplace / "ranges.json"
    np.save(images_file, images)
    in_own_process("ranges", keras_file, images_file, ranges_file)
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
