"""A dataset with duplicates, contradictions and a blank image."""

from pathlib import Path

import numpy as np

from dataset.fer2013 import LABELS, Dataset
from tests.support.dataset_files import numbered_faces


def dataset_of(rows: list[tuple[str, str, int]]) -> Dataset:
    """A dataset from (split, label, image); images of equal number are equal, image 0 is blank."""
    faces = numbered_faces(10)
    faces[0] = 0
    return Dataset(
        faces=faces[[image for _, _, image in rows]],
        labels=np.array([LABELS.index(label) for _, label, _ in rows]),
        splits=np.array([split for split, _, _ in rows]),
        origins=range(2, len(rows) + 2),
        path=Path("fer2013.csv"),
        sha256="",
    )


WITH_DUPLICATES = dataset_of(
    [
        ("train", "happy", 1),
        ("train", "happy", 2),  # repeated in validation
        ("validation", "happy", 2),
        ("train", "sad", 3),  # repeated in test, under another label
        ("train", "fear", 4),  # with the next: two labels for one image
        ("train", "angry", 4),
        ("test", "angry", 3),
        ("test", "angry", 5),
        ("train", "neutral", 6),  # with the next: twice the same
        ("train", "neutral", 6),
        ("train", "neutral", 0),  # blank
        ("validation", "sad", 7),
        ("test", "sad", 7),
    ]
)
