"""Arithmetic on boxes: rows of x, y, width, height."""

from __future__ import annotations

import numpy as np


def iou(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns the intersection over union of every box `(n, 4)` with every other `(m, 4)`: `(n, m)`."""
    ends, other_ends = boxes[:, :2] + boxes[:, 2:], others[:, :2] + others[:, 2:]
    starts = np.maximum(boxes[:, None, :2], others[None, :, :2])
    sides = np.clip(np.minimum(ends[:, None], other_ends[None]) - starts, 0, None)
    shared = sides[..., 0] * sides[..., 1]
    areas, other_areas = boxes[:, 2] * boxes[:, 3], others[:, 2] * others[:, 3]
    return shared / (areas[:, None] + other_areas[None] - shared)


def suppress(boxes: np.ndarray, most_overlap: float) -> np.ndarray:
    """Returns which boxes greedy non-maximum suppression keeps, `int` `(kept,)`, in their order.

    Args:
        boxes: `float64` `(n, 4)`, the surest first.
        most_overlap: A box whose IoU with a kept one is larger is dropped.
    """
    if len(boxes) < 2:
        return np.arange(len(boxes))
    alone = iou(boxes, boxes) <= most_overlap
    kept = np.ones(len(boxes), bool)
    for row in range(len(boxes)):
        if kept[row]:
            kept[row + 1 :] &= alone[row, row + 1 :]
    return np.flatnonzero(kept)
