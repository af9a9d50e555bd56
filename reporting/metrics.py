"""The figures of a classifier and of boxes that need numpy alone, so that a small board can compute them.

Everywhere: `scores` is float `(n, classes)`, one probability distribution per sample; `labels` is an integer
`(n,)` array of class indices. A figure over no samples is not a number.
"""

from __future__ import annotations

import numpy as np

# Guo et al. 2017, "On Calibration of Modern Neural Networks" (arXiv 1706.04599), section 5
CALIBRATION_BINS = 15
SMALLEST_PROBABILITY = 1e-7  # an int8 file's scores are steps of 1/256, and the logarithm of 0 is no figure


def accuracy(scores: np.ndarray, labels: np.ndarray) -> float:
    """Returns the share of samples whose largest score is the label's, 0 to 1."""
    return float(np.mean(scores.argmax(axis=1) == labels)) if len(labels) else float("nan")


def macro_recall(scores: np.ndarray, labels: np.ndarray) -> float:
    """Returns the mean recall of the classes that have samples, 0 to 1; also known as balanced accuracy.

    Every class counts the same, so a model that never says "disgust" (1.5 % of FER2013's test split) pays
    a seventh.
    """
    right = scores.argmax(axis=1) == labels
    samples = np.bincount(labels, minlength=scores.shape[1])  # of each class
    found = np.bincount(labels[right], minlength=scores.shape[1])
    present = samples > 0
    return float(np.mean(found[present] / samples[present])) if present.any() else float("nan")


def negative_log_likelihood(scores: np.ndarray, labels: np.ndarray) -> float:
    """Returns the mean of -ln(score of the label), in nats; scores are at least `SMALLEST_PROBABILITY`."""
    of_label = scores[np.arange(len(labels)), labels]
    if not len(labels):
        return float("nan")
    return float(-np.log(np.clip(of_label, SMALLEST_PROBABILITY, 1.0)).mean())


def calibration_error(scores: np.ndarray, labels: np.ndarray, bins: int = CALIBRATION_BINS) -> float:
    """Returns the expected calibration error, 0 to 1: how far confidence and accuracy lie apart.

    Confidence is the largest score. The samples are sorted into `bins` equally wide intervals (a, b] of it.
    The error is the mean over samples of |accuracy - mean confidence| of their interval (Guo et al. 2017,
    equation 3).
    """
    if not len(labels):
        return float("nan")
    confidence = scores.max(axis=1).astype(np.float64)
    right = scores.argmax(axis=1) == labels
    interval = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gap_of_interval = np.bincount(interval, weights=right - confidence, minlength=bins)
    return float(np.abs(gap_of_interval).sum() / len(labels))


def label_agreement(scores: np.ndarray, reference: np.ndarray) -> float:
    """Returns the share of samples, 0 to 1, to which two models give the same label."""
    return float(np.mean(scores.argmax(axis=1) == reference.argmax(axis=1))) if len(scores) else float("nan")


def intersection_over_union(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns how far every box overlaps every other, 0 to 1: float (n, m).

    `ferkit` ships without this folder and has its own in `runtime/tracking.py`; a test holds them together.

    Args:
        boxes: x, y, width, height of each, float (n, 4); further columns, such as confidence, are ignored.
        others: The same, (m, 4).
    """
    boxes, others = boxes[:, :4], others[:, :4]
    ends, other_ends = boxes[:, :2] + boxes[:, 2:], others[:, :2] + others[:, 2:]
    starts = np.maximum(boxes[:, None, :2], others[None, :, :2])
    sides = np.clip(np.minimum(ends[:, None], other_ends[None]) - starts, 0, None)
    shared = sides[..., 0] * sides[..., 1]
    areas, other_areas = boxes[:, 2] * boxes[:, 3], others[:, 2] * others[:, 3]
    return shared / (areas[:, None] + other_areas[None] - shared)


def share_interval(right: int, count: int) -> tuple[float, float]:
    """Returns the 95 % interval of a share, 0 to 1, by Wilson's score (Wilson 1927); (0, 1) of nothing.

    Args:
        right: How many of `count` have what is counted.
        count: How many there are.
    """
    if not count:
        return 0.0, 1.0
    z = 1.959964  # the normal distribution's 97.5 % quantile
    share = right / count
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2)) / (1 + z**2 / count)
    return max(0.0, float(middle - half)), min(1.0, float(middle + half))
