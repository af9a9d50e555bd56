"""FER2013 in memory: faces, labels and splits (Goodfellow et al. 2013, arXiv 1307.0414).

Three forms are in circulation. `csv_file.py` reads the official CSV (`emotion,pixels,Usage`, plain or packed
as .gz, .xz, .zip or Kaggle's .tar.gz), and the same rows in another column order with spaces in the header
(`emotion, Usage, pixels`). `image_folder.py` reads a folder of images
(`train|validation|test/<class>/*.png|jpg|jpeg`). Every sample is checked: whatever is wrong raises
`DatasetError`, and nothing is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from .locate import DatasetError

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")

SPLITS = ("train", "validation", "test")

FACE_SIZE_PX = 48

PIXELS = FACE_SIZE_PX * FACE_SIZE_PX

OFFICIAL_SHA256 = "9a507eec5c86856889fbe5f9182ecf5f3da98fe4acaa9326d9b955c3bb0a83b7"
"""sha256 of the uncompressed fer2013.csv of 2013: 301,072,766 bytes, 35,887 rows."""

OFFICIAL_ROWS = {"train": 28709, "validation": 3589, "test": 3589}


@dataclass(frozen=True, eq=False)
class Dataset:
    """Every sample of a dataset, in the order of its file (of a folder: by split, label and file name).

    Attributes:
        faces: `uint8 (n, 48, 48, 1)`, gray 0-255.
        labels: `int64 (n,)`, an index into `classes`.
        splits: `str (n,)`, each one of SPLITS.
        origins: n line numbers of the CSV (the header is line 1), or n image paths relative to the folder.
        path: The CSV, its packed form, or the folder.
        sha256: Of a CSV, whatever its packing, that of its uncompressed bytes; of a folder see `read_folder`.
        validation_share: The share that `hold_out_validation` was given; None where the dataset came with its
            own validation split.
        validation_seed: The seed that it was given.
        classes: The names of the classes.
        votes: FER+'s votes of each sample, `int64 (n, 10)`, where the labels are their majority; else None.
    """

    faces: np.ndarray
    labels: np.ndarray
    splits: np.ndarray
    origins: Sequence[int] | Sequence[str]
    path: Path
    sha256: str
    validation_share: float | None = None
    validation_seed: int | None = None
    classes: tuple[str, ...] = LABELS
    votes: np.ndarray | None = None

    @cached_property
    def numbers(self) -> np.ndarray:
        """The `image_numbers` of all faces: equal where the images are equal."""
        return image_numbers(self.faces)

    def rows(self, name: str) -> np.ndarray:
        """Returns the row numbers of a split's samples, int64 (samples,), counted from 0, ascending."""
        if name not in SPLITS:
            raise DatasetError(f"Expected a split out of {', '.join(SPLITS)}, got {name!r}.")
        return np.flatnonzero(self.splits == name)

    def split(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Returns the faces, `uint8 (samples, 48, 48, 1)`, and labels, `int64 (samples,)`, of a split."""
        rows = self.rows(name)
        return self.faces[rows], self.labels[rows]

    def origin(self, row: int) -> str:
        """Returns where a sample is from, for messages: 'fer2013.csv:3' or 'train/angry/7.png'."""
        origin = self.origins[row]
        return f"{self.path.name}:{origin}" if isinstance(origin, int) else origin


def image_numbers(faces: np.ndarray) -> np.ndarray:
    """Numbers the distinct images: int64 (n,), for each face the first row with the same bytes."""
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(face.tobytes(), row) for row, face in enumerate(faces)], np.int64)
