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
    x, y = boxes[:, 0], boxes[:, 1]
    ends_x, ends_y = x + boxes[:, 2], y + boxes[:, 3]
    areas = boxes[:, 2] * boxes[:, 3]
    rows, kept = np.arange(len(boxes)), []
    while len(rows):  # all pairs at once would take ten times as long in a crowd
        row, rows = rows[0], rows[1:]
        kept.append(row)
        width = np.minimum(ends_x[row], ends_x[rows]) - np.maximum(x[row], x[rows])
        height = np.minimum(ends_y[row], ends_y[rows]) - np.maximum(y[row], y[rows])
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        rows = rows[shared / (areas[row] + areas[rows] - shared) <= most_overlap]
    return np.array(kept, int)
