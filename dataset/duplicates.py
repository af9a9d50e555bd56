"""Duplicate, contradicting and blank images: what a dataset holds of them, and what training leaves out."""

from __future__ import annotations

import numpy as np

from .fer2013 import Dataset


def duplicates_of(dataset: Dataset, *, split: str = "test", of: str = "train") -> np.ndarray:
    """Which rows of a split repeat a image of another one, byte for byte: bool (rows of `split`,).

    The test rows where this is False give the score that no memorised image can raise.
    """
    return np.isin(dataset.numbers[dataset.rows(split)], dataset.numbers[dataset.rows(of)])


def blank(faces: np.ndarray) -> np.ndarray:
    """Which faces show nothing, one gray level throughout: bool (n,)."""
    rows = faces.reshape(len(faces), -1)
    return rows.min(axis=1) == rows.max(axis=1)


def contradicted(labels: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Which rows share their image (equal `numbers`) with a row of another label: bool (n,)."""
    pairs = np.unique(np.stack([numbers, labels], axis=1), axis=0)  # (distinct pairs, 2)
    images, label_counts = np.unique(pairs[:, 0], return_counts=True)
    return np.isin(numbers, images[label_counts > 1])


def training_rows(
    dataset: Dataset,
    *,
    drop_duplicates: bool = True,
    drop_contradictions: bool = True,
    drop_blank: bool = True,
) -> np.ndarray:
    """Which rows of the train split to train on: bool (train rows,), in the order of `split("train")`.

    drop_duplicates: leave out rows whose image also stands in validation or test, so that neither score
        counts a image that was trained on. Only images are compared, no label of theirs is looked at.
    drop_contradictions: leave out every row of a image that has different labels within the train split.
    drop_blank: leave out images of one gray level.

    Rows that repeat a training row with the same label stay.
    """
    rows = dataset.rows("train")
    keep = np.ones(len(rows), bool)
    if drop_duplicates:
        for split in ("validation", "test"):
            keep &= ~duplicates_of(dataset, split="train", of=split)
    if drop_contradictions:
        keep &= ~contradicted(dataset.labels[rows], dataset.numbers[rows])
    if drop_blank:
        keep &= ~blank(dataset.faces[rows])
    return keep
