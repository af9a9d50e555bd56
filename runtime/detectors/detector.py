"""What every detector is, and what they share: the frame in the size for detection, the order of boxes."""

from __future__ import annotations

from typing import Protocol

import cv2
import numpy as np

# YuNet found 150 frames that are faces of 48x48 pixels: 81 % as they are, 97 % at 96 and 320 px, 99 % at 200.
SMALLEST_PX = 200
MOST_PX = 16384  # OpenCV turns no image that, with its borders, is longer than 32767


class DetectorError(RuntimeError):
    """A face detector isn't available; the message says what to do.

    Attributes:
        reason: Why, for use inside another sentence: without advice on where to download it, and without a
            full stop.
    """

    def __init__(self, message: str, *, reason: str | None = None) -> None:
        """Takes the message, and the reason where it is not the whole message."""
        super().__init__(message)
        self.reason = reason or message.rstrip(".")


class Detector(Protocol):
    """A loaded face detector, which threads may share."""

    name: str  # "ferkit", "yunet" or "haar": the key of the crop rule in a model's card

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Returns the boxes of the faces in a frame.

        Args:
            frame: `uint8` BGR `(height, width, 3)`.

        Returns:
            `float32` `(faces, 5)`: x, y, width, height in pixels of the frame (a box may reach beyond it),
            and a confidence from 0 to 1; the surest first.
        """
        ...


def checked(frame: np.ndarray) -> np.ndarray:
    """Returns the frame; raises `ValueError` unless it is `uint8` BGR `(height, width, 3)` with pixels."""
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape:
        raise ValueError(
            f"expected a frame of uint8 BGR (height, width, 3), got {frame.dtype} of shape {frame.shape}"
        )
    return frame


def resized(frame: np.ndarray, size_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the frame in the size for detection, and the ratio of their sizes, `float32` (x, y, x, y)."""
    height, width = frame.shape[:2]
    longer, shorter = max(height, width), min(height, width)
    # A panorama is reduced less, so that its faces aren't lost; an image as small as a dataset's is enlarged.
    goal = min(MOST_PX, max(size_px, size_px / 4 * longer / shorter))
    share = min(1.0, goal / longer) if longer > SMALLEST_PX else SMALLEST_PX / longer
    size = max(1, round(width * share)), max(1, round(height * share))
    if size != (width, height):
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC)
    return frame, np.tile([width / size[0], height / size[1]], 2).astype(np.float32)


def best_first(boxes: np.ndarray) -> np.ndarray:
    """Returns boxes `(faces, 5)` as `float32`, the surest first, equals in their order."""
    return boxes[np.argsort(-boxes[:, 4], kind="stable")].astype(np.float32)
