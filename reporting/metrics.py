"""The figures of a classifier that need numpy alone, so that a small board can compute them too.

Everywhere: `scores` is float `(n, classes)`, one probability distribution per row; `labels` is an integer
`(n,)` array of class indices. A figure over no rows is not a number.
"""

from __future__ import annotations

import numpy as np

CALIBRATION_BINS = (
    15  # Guo et al. 2017, "On Calibration of Modern Neural Networks" (arXiv 1706.04599), section 5
)
SMALLEST_PROBABILITY = 1e-7  # an int8 file's scores are steps of 1/256, and the logarithm of 0 is no figure


def accuracy(scores: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of rows whose largest score is the label's, 0 to 1; nan where there is no row."""
    return float(np.mean(scores.argmax(axis=1) == labels)) if len(labels) else float("nan")


def macro_recall(scores: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean over the classes that have rows of the share of their rows that were found, 0 to 1.

    Every class counts the same, so a model that never says "disgust" (1.5 % of FER2013's test split) pays
    a seventh. Also known as balanced accuracy; nan where there is no row.
    """
    right = scores.argmax(axis=1) == labels
    rows_of_class = np.bincount(labels, minlength=scores.shape[1])
    found_of_class = np.bincount(labels[right], minlength=scores.shape[1])
    present = rows_of_class > 0
    return float(np.mean(found_of_class[present] / rows_of_class[present])) if present.any() else float("nan")


def negative_log_likelihood(scores: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean of -ln(score of the label), in nats; scores are at least `SMALLEST_PROBABILITY`."""
    of_label = scores[np.arange(len(labels)), labels]
    return (
        float(-np.log(np.clip(of_label, SMALLEST_PROBABILITY, 1.0)).mean()) if len(labels) else float("nan")
    )


def calibration_error(scores: np.ndarray, labels: np.ndarray, bins: int = CALIBRATION_BINS) -> float:
    """Return the expected calibration error, 0 to 1: how far the largest score is from the share it is right.

    The rows are sorted into `bins` equally wide intervals (a, b] of their largest score; the error is the
    mean over rows of |accuracy - mean largest score| of the row's interval (Guo et al. 2017, equation 3).
    """
    if not len(labels):
        return float("nan")
    confidence = scores.max(axis=1).astype(np.float64)
    right = scores.argmax(axis=1) == labels
    interval = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gap_of_interval = np.bincount(interval, weights=right - confidence, minlength=bins)
    return float(np.abs(gap_of_interval).sum() / len(labels))


def label_agreement(scores: np.ndarray, reference: np.ndarray) -> float:
    """Return the share of rows, 0 to 1, to which two models give the same label."""
    return float(np.mean(scores.argmax(axis=1) == reference.argmax(axis=1))) if len(scores) else float("nan")
