"""Moves images, and their boxes and points with them. Needs numpy and OpenCV only."""

from typing import Any

import cv2
import numpy as np

from .boxes import covered
from .teacher import Photo

LEAST_VISIBLE = 0.4  # of a face's box; where less is in the image it may or may not be found


def similarity(
    *, scale: float, degrees: float, mirror: bool, source: np.ndarray, target: np.ndarray
) -> np.ndarray:
    """Returns the move that brings a point to another, scales and turns around it.

    Args:
        scale: factor of all lengths.
        degrees: of the turn, clockwise in the image.
        mirror: whether left and right change sides first.
        source: `float (2,)`, x, y of the point before.
        target: `float (2,)`, x, y of the point after.

    Returns:
        `float64 (2, 3)`, for `cv2.warpAffine`.
    """
    angle = np.deg2rad(degrees)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turn = turn @ np.diag([-1.0 if mirror else 1.0, 1.0])
    return np.concatenate([turn, (np.asarray(target) - turn @ np.asarray(source))[:, None]], axis=1)


def warp(image: np.ndarray, move: np.ndarray, *, height: int, width: int, **options: Any) -> np.ndarray:
    """Returns an image, `uint8 (rows, columns)`, moved onto `uint8 (height, width)` without aliasing."""
    scale = float(np.sqrt(abs(np.linalg.det(move[:, :2]))))
    if scale < 0.7:
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        ratio = np.array([image.shape[1] / size[0], image.shape[0] / size[1]])
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        move = np.concatenate(
            [move[:, :2] * ratio, move[:, 2:] + move[:, :2] @ (ratio / 2 - 0.5)[:, None]], axis=1
        )
    return cv2.warpAffine(image, move, (width, height), flags=cv2.INTER_LINEAR, **options)


def moved_boxes(boxes: np.ndarray, move: np.ndarray) -> np.ndarray:
    """Returns boxes, `float (n, 4)`, after a move: their centres turn, their sides only scale.

    A head that is turned by a few degrees keeps its size, and a box around the turned box would not.
    """
    centres = boxes[:, :2] + boxes[:, 2:] / 2
    size = boxes[:, 2:] * np.sqrt(abs(np.linalg.det(move[:, :2])))
    return np.concatenate([_moved(centres, move) - size / 2, size], axis=1).astype(np.float32)


def moved_eyes(eyes: np.ndarray, move: np.ndarray) -> np.ndarray:
    """Returns eyes, `float (n, 4)`, after a move; a mirror image changes which of the two is first."""
    points = _moved(eyes.reshape(-1, 2), move).reshape(-1, 4)
    if np.linalg.det(move[:, :2]) < 0:
        points = points[:, [2, 3, 0, 1]]
    return points.astype(np.float32)


def moved_photo(photo: Photo, move: np.ndarray, *, height: int, width: int, fill: np.ndarray) -> Photo:
    """Returns a photo moved onto a canvas; faces that are cut by its edge for the most part are ignored.

    Args:
        photo: image and faces.
        move: `float (2, 3)`, from the photo's pixels to the canvas's.
        height: of the canvas in pixels.
        width: of the canvas in pixels.
        fill: `uint8 (height, width)`, what stands where the photo does not reach.
    """
    # OpenCV's pixels are points; boxes count from a pixel's edge.
    shifted = move.copy()
    shifted[:, 2] += move[:, :2] @ (0.5, 0.5) - 0.5
    canvas = fill.copy()
    inside = warp(
        photo.image, shifted, height=height, width=width, dst=canvas, borderMode=cv2.BORDER_TRANSPARENT
    )
    return visible(
        Photo(
            inside,
            moved_boxes(photo.boxes, move),
            moved_eyes(photo.eyes, move),
            moved_boxes(photo.ignored, move),
        )
    )


def visible(photo: Photo) -> Photo:
    """Returns a photo without the boxes outside its image; those of which little is seen are ignored."""
    height, width = photo.image.shape
    share = covered(photo.boxes, height=height, width=width)
    whole, partly = share >= LEAST_VISIBLE, (share > 0) & (share < LEAST_VISIBLE)
    regions = photo.ignored[covered(photo.ignored, height=height, width=width) > 0]
    return Photo(
        photo.image, photo.boxes[whole], photo.eyes[whole], np.concatenate([regions, photo.boxes[partly]])
    )


def _moved(points: np.ndarray, move: np.ndarray) -> np.ndarray:
    return points @ move[:, :2].T + move[:, 2]
