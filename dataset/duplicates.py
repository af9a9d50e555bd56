"""Duplicate, contradicting and blank images: which samples they are, and which training leaves out."""

from __future__ import annotations

import numpy as np

from .fer2013 import Dataset


def duplicates_of(dataset: Dataset, *, split: str = "test", of: str = "train") -> np.ndarray:
    """Marks the samples of a split whose image another split has too, byte for byte: bool (samples,).

    The test samples that are not marked give the score that no memorised image can raise.

    Args:
        dataset: All samples.
        split: The split whose samples are marked.
        of: The other split.
    """
    return np.isin(dataset.numbers[dataset.rows(split)], dataset.numbers[dataset.rows(of)])


def blank(faces: np.ndarray) -> np.ndarray:
    """Marks the faces of one gray level throughout: bool (n,)."""
    rows = faces.reshape(len(faces), -1)
    return rows.min(axis=1) == rows.max(axis=1)


def contradicted(labels: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Marks the samples that share their image with a sample of another label: bool (n,).

    Args:
        labels: int (n,).
        numbers: int (n,), equal where the images are equal.
    """
    pairs = np.unique(np.stack([numbers, labels], axis=1), axis=0)  # (distinct pairs, 2)
    images, label_counts = np.unique(pairs[:, 0], return_counts=True)
    return np.isin(numbers, images[label_counts > 1])


def training_samples(
    dataset: Dataset,
    *,
    drop_duplicates: bool = True,
    drop_contradictions: bool = True,
    drop_blank: bool = True,
) -> np.ndarray:
    """Marks the samples of the train split to train on: bool (samples,), in the order of `split("train")`.

    Duplicates of a training sample with the same label stay.

    Args:
        dataset: All samples.
        drop_duplicates: Leave out samples whose image also stands in validation or test, so that neither
            score counts an image that was trained on. Only images are compared, not their labels.
        drop_contradictions: Leave out every sample of an image that has different labels within the train
            split.
        drop_blank: Leave out images of one gray level.
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
