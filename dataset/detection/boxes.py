"""Arithmetic on boxes and points: overlap, suppression, letterboxing. Needs numpy and OpenCV only.

A box is `(x, y, width, height)` in pixels; `x, y` is its upper left corner. Eyes are `(x, y, x, y)` in
pixels, first the eye that is further left in an upright, unmirrored image; NaN where they are unknown.
"""

import cv2
import numpy as np


def overlaps(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns the intersection over union of every box with every other one.

    Args:
        boxes: `float (n, 4)`.
        others: `float (m, 4)`.

    Returns:
        `float (n, m)`, 0 to 1; 0 for boxes without an area.
    """
    boxes, others = np.asarray(boxes, float), np.asarray(others, float)
    corner = np.maximum(boxes[:, None, :2], others[None, :, :2])
    far_corner = np.minimum(
        boxes[:, None, :2] + boxes[:, None, 2:4], others[None, :, :2] + others[None, :, 2:4]
    )
    shared = np.prod(np.clip(far_corner - corner, 0, None), axis=2)
    union = np.prod(boxes[:, None, 2:4], axis=2) + np.prod(others[None, :, 2:4], axis=2) - shared
    return shared / np.maximum(union, 1e-9)


def covered(boxes: np.ndarray, *, height: float, width: float) -> np.ndarray:
    """Returns the share of each box, `float (n, 4)`, that lies within an image: `float (n,)`, 0 to 1."""
    inside = np.minimum(boxes[:, :2] + boxes[:, 2:4], (width, height)) - np.maximum(boxes[:, :2], 0)
    return np.prod(np.clip(inside, 0, None), axis=1) / np.maximum(np.prod(boxes[:, 2:4], axis=1), 1e-9)


def suppress(boxes: np.ndarray, confidences: np.ndarray, *, most_overlap: float = 0.4) -> np.ndarray:
    """Returns the rows that non-maximum suppression keeps, the surest first.

    Args:
        boxes: `float (n, 4)`.
        confidences: `float (n,)`.
        most_overlap: a box that overlaps a surer one by more is dropped.

    Returns:
        `int (kept,)`.
    """
    rows = np.argsort(-confidences, kind="stable")
    kept: list[int] = []
    while len(rows):
        kept.append(int(rows[0]))
        shared = overlaps(boxes[rows[:1]], boxes[rows[1:]])[0]
        rows = rows[1:][shared <= most_overlap]
    return np.array(kept, int)


def letterbox(image: np.ndarray, *, height: int, width: int) -> tuple[np.ndarray, float]:
    """Returns an image reduced or magnified into the upper left of a black canvas, and the scale.

    Args:
        image: `uint8 (rows, columns)`, gray.
        height: of the canvas, in pixels.
        width: of the canvas, in pixels.

    Returns:
        `uint8 (height, width)`, and the factor from the image's pixels to the canvas's.
    """
    scale = min(height / image.shape[0], width / image.shape[1])
    size = (
        max(1, min(width, round(image.shape[1] * scale))),
        max(1, min(height, round(image.shape[0] * scale))),
    )
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    canvas = np.zeros((height, width), np.uint8)
    canvas[: size[1], : size[0]] = cv2.resize(image, size, interpolation=method)
    return canvas, scale
