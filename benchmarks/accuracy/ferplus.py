"""A model's accuracy against FER+'s majority labels, for the same images as FER2013's own labels."""

from __future__ import annotations

import numpy as np

from dataset.fer2013 import Dataset
from dataset.ferplus import find_votes, majority_labels, read_votes
from reporting import metrics


def majority_of_split(dataset: Dataset, split: str) -> np.ndarray:
    """Return FER+'s majority label of each row of a split: int64 (rows,), -1 where FER2013 has no such label.

    Raises DatasetError where FER+'s file is missing or is not that of this dataset.
    """
    return majority_labels(read_votes(find_votes(dataset), dataset))[dataset.rows(split)]


def majority_accuracy(scores: np.ndarray, majority: np.ndarray) -> dict:
    """Return `accuracy` (0 to 1, nan without rows), the `rows` it is over, and the rows `left_out`.

    scores: float (n, 7). majority: int (n,); rows with -1 (contempt, unknown, no face, a tie) are left out.
    """
    known = majority >= 0
    return {
        "accuracy": metrics.accuracy(scores[known], majority[known]),
        "rows": int(known.sum()),
        "left_out": int((~known).sum()),
    }
