"""Draws a face's box: a thin rounded frame with strong corners on a dark rim.

A box is laid from layers that are kept. A tiny or a giant one is drawn by strokes; both look alike.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from .layers import INK, Colour, Layer, cover, lay, layer_of
from .places import Rectangle


class Outline(NamedTuple):
    """The lines of a box.

    Attributes:
        thin: The thickness of the frame, in pixels.
        strong: The thickness of the corners.
        colour: BGR.
    """

    thin: int
    strong: int
    colour: Colour

    @property
    def rim(self) -> int:
        """The thickness of the dark rim under the corners."""
        return self.strong + max(2, self.strong // 2)

    @property
    def margin(self) -> int:
        """How far the smoothed rim can reach beyond the middle of a line."""
        return self.rim // 2 + 2


def draw_box(image: np.ndarray, box: Rectangle, colour: Colour, text_px: int) -> None:
    """Draws a thin rounded frame with strong corners; their dark rim shows on a bright ground."""
    shorter, longer = sorted(box[2:])
    strong = max(2, min(round(text_px / 4), shorter // 18))
    outline = Outline(max(1, round(text_px / 10)), strong, colour)
    radius = max(1, min(text_px, shorter // 6))
    arm = max(radius, shorter // 4)
    # The layers of a tiny box would overlap, and those of a giant one would take much memory.
    if radius < outline.margin or longer > max(image.shape):
        stroke_box(image, box, radius, arm, outline)
    else:
        lay_box(image, box, radius, arm, outline)


def lay_box(image: np.ndarray, box: Rectangle, radius: int, arm: int, outline: Outline) -> None:
    """Draws a box from layers: four curves, and between them eight halves of sides, each with its arm."""
    x, y, width, height = box
    right, bottom, middle_x, middle_y = x + width - 1, y + height - 1, x + width // 2, y + height // 2
    for corner_y, down in ((y, 1), (bottom, -1)):
        top = _curve_start(corner_y, down, radius, outline)
        for corner_x, across in ((x, 1), (right, -1)):
            left = _curve_start(corner_x, across, radius, outline)
            lay(image, _curve(radius, outline, across, down), left, top)
    length = 1 << int(max(width, height) // 2).bit_length()  # few lengths, so that boxes share layers
    for corner, direction, start, stop in (
        (x, 1, x + radius, middle_x),
        (right, -1, middle_x, right - radius + 1),
    ):
        first = corner + direction * arm - length
        side = _side(outline, length, direction).cut(np.s_[:], np.s_[start - first : stop - first])
        for corner_y in (y, bottom):
            lay(image, side, start, corner_y - outline.margin)
    for corner, direction, start, stop in (
        (y, 1, y + radius, middle_y),
        (bottom, -1, middle_y, bottom - radius + 1),
    ):
        first = corner + direction * arm - length
        side = _side(outline, length, direction, upright=True)
        side = side.cut(np.s_[start - first : stop - first], np.s_[:])
        for corner_x in (x, right):
            lay(image, side, corner_x - outline.margin, start)


def stroke_box(image: np.ndarray, box: Rectangle, radius: int, arm: int, outline: Outline) -> None:
    """Draws a box without layers: rim, thin frame and strong corners, with arms of at most `arm` pixels."""
    x, y, width, height = box
    for reach, colour, thickness in (
        (arm, INK, outline.rim),
        (max(width, height), outline.colour, outline.thin),
        (arm, outline.colour, outline.strong),
    ):
        arms = min(reach, width // 2), min(reach, height // 2)
        for corner_y, down in ((y, 1), (y + height - 1, -1)):
            for corner_x, across in ((x, 1), (x + width - 1, -1)):
                line = _corner((corner_x, corner_y), (across, down), arms, radius)
                cv2.polylines(image, [line], False, colour, thickness, cv2.LINE_AA)


def _corner(
    corner: tuple[int, int], direction: tuple[int, int], arms: tuple[int, int], radius: int
) -> np.ndarray:
    """Returns the points of a round corner, `int32` `(points, 2)`; its arms point to `direction`, 1 or -1."""
    (x, y), (across, down), (arm_x, arm_y) = corner, direction, arms
    angle = {(1, 1): 180, (-1, 1): 270, (-1, -1): 0, (1, -1): 90}[direction]
    curve = cv2.ellipse2Poly((x + across * radius, y + down * radius), (radius, radius), angle, 0, 90, 6)
    # The curve runs clockwise, so its start depends on the corner.
    ends = [[x, y + down * arm_y], [x + across * arm_x, y]]
    if across != down:
        ends.reverse()
    return np.array([ends[0], *np.array(curve).tolist(), ends[1]], np.int32)


@lru_cache(maxsize=256)
def _curve(radius: int, outline: Outline, across: int, down: int) -> Layer:
    """Returns the layer of a round corner, from the margin outside of it to the start of its arms."""
    side = outline.margin + radius
    corner = -_curve_start(0, across, radius, outline), -_curve_start(0, down, radius, outline)
    line = _corner(corner, (across, down), (2 * side, 2 * side), radius)
    return _stroked((side, side), line, line, outline)


def _curve_start(corner: int, direction: int, radius: int, outline: Outline) -> int:
    """Returns the smallest coordinate that the curve at a corner covers."""
    return corner - outline.margin if direction > 0 else corner - radius + 1


@lru_cache(maxsize=128)
def _side(outline: Outline, length: int, direction: int, *, upright: bool = False) -> Layer:
    """Returns the layer of a side: a strong arm to its middle, then a thin line; `2 * length + 1` pixels.

    Args:
        outline: The thicknesses and the colour.
        length: Of the arm and of the line, in pixels.
        direction: Where the thin line is: 1 for right or down, -1 for left or up.
        upright: Whether the side is vertical.
    """
    margin, beyond = outline.margin, 2 * outline.margin
    ends = np.array([(-beyond, margin), (2 * length + beyond, margin)], np.int32)[::direction]
    arm = np.array([ends[0], (length, margin)], np.int32)
    shape = (2 * margin + 1, 2 * length + 1)
    if upright:
        return _stroked(shape[::-1], ends[:, ::-1], arm[:, ::-1], outline)
    return _stroked(shape, ends, arm, outline)


def _stroked(shape: tuple[int, int], line: np.ndarray, arm: np.ndarray, outline: Outline) -> Layer:
    """Returns the layer of a thin line with a strong arm on a rim; both are points, `int32` `(points, 2)`."""
    rim, stroke = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    cv2.polylines(rim, [np.ascontiguousarray(arm)], False, 255, outline.rim, cv2.LINE_AA)
    cv2.polylines(stroke, [np.ascontiguousarray(line)], False, 255, outline.thin, cv2.LINE_AA)
    cv2.polylines(stroke, [np.ascontiguousarray(arm)], False, 255, outline.strong, cv2.LINE_AA)
    layer = layer_of(rim, INK)
    cover(layer, layer_of(stroke, outline.colour), 0, 0)
    return layer.frozen()
