"""The accuracies in the cards: measured now, or recorded for the very same file."""

import datetime
from pathlib import Path
from typing import Any

import numpy as np

from dataset.duplicates import duplicates_of
from dataset.fer2013 import OFFICIAL_SHA256, Dataset

from .keras_file import read_stored

SPLITS = ("validation", "test")


def accuracy_of(dataset: Dataset, scores: dict[str, np.ndarray]) -> dict[str, Any]:
    """Returns the accuracy on each split scored.

    Args:
        dataset: Whose faces were scored.
        scores: Probabilities, float32 (n, labels), by split.

    Returns:
        Shares of 0 to 1 by split; with `test` also `test_without_duplicates`, on the test samples whose face
        is no training face.
    """
    accuracy: dict[str, Any] = {}
    for split in (split for split in SPLITS if split in scores):
        right = scores[split].argmax(axis=1) == dataset.split(split)[1]
        accuracy[split] = float(right.mean())
        if split == "test":
            duplicates = duplicates_of(dataset, split="test", of="train")
            accuracy["test_without_duplicates"] = float(right[~duplicates].mean())
    return accuracy


def merged(
    measured: dict[str, Any] | None, stored: dict[str, Any] | None, dataset: Dataset | None
) -> dict[str, Any] | None:
    """Returns the accuracy for a card: what was measured now, with the stored date if nothing changed.

    Args:
        measured: What `accuracy_of` returned; None without a dataset.
        stored: What was recorded for this very file. If it has the test split and only validation was scored
            now, it stays whole: one date holds for all its figures.
        dataset: What was measured on.
    """
    if measured is None or dataset is None:
        return stored
    today = datetime.date.today().isoformat()
    name = "FER2013" if dataset.sha256 == OFFICIAL_SHA256 else dataset.path.absolute().name
    fresh = {"dataset": name, "dataset_sha256": dataset.sha256, "measured": today, **measured}
    if stored is None or stored["dataset_sha256"] != dataset.sha256:
        return fresh
    unchanged = fresh == stored | {"measured": today}
    return stored if unchanged or ("test" in stored and "test" not in measured) else fresh


def measured_path(keras_file: Path) -> Path:
    """Returns where the accuracies of a model's files are recorded."""
    return keras_file.with_suffix(".measured.json")


def stored_measurements(keras_file: Path) -> dict[str, dict[str, Any]]:
    """Returns the accuracies that were recorded for this model's files, by the files' sha256."""
    path = measured_path(keras_file)
    return read_stored(path, "files") if path.exists() else {}
