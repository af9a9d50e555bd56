"""From a detector's box to the face that a model takes: box -> square -> 48x48 gray pixels.

Ports to other languages repeat this file exactly, so every rounding is written down here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np

FACE_SIDE = 48

# A larger box is a mistake: its padded square would take more than a quarter of a gigabyte.
LARGEST_SIDE = 16384


def square_of(
    box: Sequence[float], *, scale: float = 1.0, shift_x: float = 0.0, shift_y: float = 0.0
) -> tuple[int, int, int]:
    """Returns the square of a box, `(left, top, side)` in whole pixels.

    With `round(v) = floor(v + 0.5)` in double precision:

        side = max(1, round(max(width, height) * scale))
        left = round(x + width / 2 + shift_x * side - side / 2)
        top  = round(y + height / 2 + shift_y * side - side / 2)

    The square may reach beyond the frame on any side.

    Args:
        box: `(x, y, width, height)` in pixels of the frame.
        scale: The square's side, in longer sides of the box.
        shift_x: By how much the square moves to the right, in its sides.
        shift_y: By how much the square moves down, in its sides.

    Raises:
        ValueError: The box is not four finite numbers with a width and height above 0, or the side is above
            16,384 pixels.
    """
    x, y, width, height = (float(value) for value in box)
    if not all(map(math.isfinite, (x, y, width, height))) or width <= 0 or height <= 0:
        raise ValueError(f"Expected a box (x, y, width, height) with a size above 0, got {tuple(box)}.")
    longer = max(width, height) * scale
    if not 0 < longer <= LARGEST_SIDE:
        raise ValueError(
            f"Expected a square of at most {LARGEST_SIDE} pixels, got {longer:g} from the box {tuple(box)} "
            f"and the scale {scale}."
        )
    side = max(1, _round(longer))
    left = _round(x + width / 2 + shift_x * side - side / 2)
    top = _round(y + height / 2 + shift_y * side - side / 2)
    return left, top, side


def crop_face(
    frame: np.ndarray,
    box: Sequence[float],
    *,
    scale: float = 1.0,
    shift_x: float = 0.0,
    shift_y: float = 0.0,
) -> np.ndarray:
    """Returns the face in a box, `uint8` `(48, 48)`, gray 0-255.

    1. The square of `square_of` is cut out; pixels outside the frame repeat the frame's edge.
    2. Gray is BT.601 luma as OpenCV rounds it, `(3735 blue + 19235 green + 9798 red + 16384) >> 15`.
    3. The square is resized to 48x48: by area (`cv2.INTER_AREA`) where it is larger, bilinear
       (`cv2.INTER_LINEAR`) where it is smaller.

    Args:
        frame: `uint8` BGR `(height, width, 3)`.
        box: `(x, y, width, height)` in pixels of the frame.
        scale: This and the next two are a card's `input.crop` for the detector that found the box; see
            `square_of`.
        shift_x: See `square_of`.
        shift_y: See `square_of`.

    Raises:
        ValueError: The frame is of another kind, such as gray or BGRA, or `square_of` refuses the box.
    """
    check_frame(frame)
    left, top, side = square_of(box, scale=scale, shift_x=shift_x, shift_y=shift_y)
    gray = cut_gray(frame, left, top, side, side)
    if side == FACE_SIDE:
        return gray
    method = cv2.INTER_AREA if side > FACE_SIDE else cv2.INTER_LINEAR
    return cv2.resize(gray, (FACE_SIDE, FACE_SIDE), interpolation=method)


def cut_gray(frame: np.ndarray, left: int, top: int, width: int, height: int) -> np.ndarray:
    """Returns a rectangle of a BGR frame, gray `uint8` `(height, width)`; outside, its edge is repeated."""
    rows, above, below = _span(top, height, frame.shape[0])
    columns, before, after = _span(left, width, frame.shape[1])
    gray = cv2.cvtColor(frame[rows, columns], cv2.COLOR_BGR2GRAY)
    if above or below or before or after:
        gray = cv2.copyMakeBorder(gray, above, below, before, after, cv2.BORDER_REPLICATE)
    return gray


def check_frame(frame: np.ndarray) -> None:
    """Raises `ValueError` unless a frame is `uint8` BGR `(height, width, 3)` with at least one pixel."""
    if (
        isinstance(frame, np.ndarray)
        and frame.dtype == np.uint8
        and frame.ndim == 3
        and frame.shape[2] == 3
        and frame.size
    ):
        return
    got = f"{frame.dtype} {frame.shape}" if isinstance(frame, np.ndarray) else type(frame).__name__
    raise ValueError(
        f"Expected a frame as a uint8 BGR array of shape (height, width, 3), got {got}. "
        "cv2.cvtColor with COLOR_GRAY2BGR or COLOR_BGRA2BGR converts one."
    )


def _span(start: int, side: int, size: int) -> tuple[slice, int, int]:
    """Returns the part of `start .. start + side` inside `0 .. size`, and how often its two ends repeat.

    Where nothing is inside, it is the nearest pixel.
    """
    first = min(max(start, 0), size - 1)
    last = min(max(start + side, first + 1), size)
    before = min(max(-start, 0), side - 1)
    return slice(first, last), before, side - before - (last - first)


def _round(value: float) -> int:
    return math.floor(value + 0.5)
