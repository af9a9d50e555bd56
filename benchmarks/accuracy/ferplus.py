"""A model's accuracy against FER+'s majority labels, for the same images as FER2013's own labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dataset.fer2013 import Dataset
from dataset.ferplus import find_votes, majority_labels, read_votes
from reporting import metrics


@dataclass(frozen=True)
class MajorityAccuracy:
    """Accuracy, 0 to 1 (nan without faces), the faces that it is over, and the faces that are left out."""

    accuracy: float
    faces: int
    left_out: int


def majority_of_split(dataset: Dataset, split: str) -> np.ndarray:
    """Returns FER+'s majority label of each face of a split: int64 (n,), -1 where FER2013 has no such label.

    Raises:
        DatasetError: FER+'s file is missing or is not that of this dataset.
    """
    return majority_labels(read_votes(find_votes(dataset), dataset))[dataset.rows(split)]


def majority_accuracy(scores: np.ndarray, majority: np.ndarray) -> MajorityAccuracy:
    """Returns the accuracy on the majority labels.

    Args:
        scores: float (n, 7).
        majority: int (n,); faces with -1 (contempt, unknown, no face, a tie) are left out.
    """
    known = majority >= 0
    return MajorityAccuracy(
        accuracy=metrics.accuracy(scores[known], majority[known]),
        faces=int(known.sum()),
        left_out=int((~known).sum()),
    )
