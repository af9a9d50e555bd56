"""Boxes, labels and probabilities drawn on a frame.

An `Arranger` (`layout.py`) finds the places; an `Overlay` draws there, in the colours of the labels. What is
drawn often, such as a box's corners or a panel's pane, is kept as a `Layer` (`layers.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from ..recognizer import Face
from ..smoothing import UNCERTAIN
from .layers import INK, WHITE, Colour, Layer, blend, cover, lay, layer_of, rounded_mask, text_mask
from .layout import Arranger
from .places import ROW, Rectangle, names_width, panel_size, text_px_of

COLOURS: dict[str, Colour] = {
    "angry": (72, 72, 240),
    "disgust": (96, 176, 64),
    "fear": (226, 92, 150),
    "happy": (48, 200, 250),
    "sad": (240, 146, 70),
    "surprise": (44, 128, 250),
    "neutral": (196, 186, 176),
}
# For the labels of other models, in their order; after the last one the first comes again.
OTHER_COLOURS: tuple[Colour, ...] = (
    (190, 190, 60),
    (180, 130, 250),
    (60, 225, 175),
    (60, 95, 150),
    (140, 60, 50),
    (130, 100, 20),
    (150, 30, 205),
    (50, 130, 130),
)
UNCERTAIN_COLOUR: Colour = (150, 150, 150)


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


class Overlay:
    """Draws on the frames of a stream, one after another, so that nothing flickers.

    It remembers where everything was in the frame before.
    """

    def __init__(self) -> None:
        """Starts without a frame before."""
        self._arranger = Arranger()

    def __call__(self, frame: np.ndarray, faces: Sequence[Face], status: str = "") -> np.ndarray:
        """Returns a copy of the next frame with boxes, labels, panels and the status.

        Args:
            frame: `uint8` BGR `(height, width, 3)`.
            faces: Its faces.
            status: As in `draw_faces`.
        """
        image = frame.copy()
        text_px = text_px_of(frame)
        for face in faces:
            _draw_box(image, face.box, colour_of(face.label, face.labels), text_px)
        layout = self._arranger.lay_out(frame, faces, status)
        if layout.status is not None:
            _draw_chip(image, layout.status, status, INK, opacity=0.7)
        for face, _, place, text in layout.chips:
            _draw_chip(image, place, text, colour_of(face.label, face.labels))
        for face, place, panel_px in layout.panels:
            _draw_panel(image, place, panel_px, face)
        return image


def draw_faces(frame: np.ndarray, faces: Sequence[Face], status: str = "") -> np.ndarray:
    """Returns a copy of a frame with each face's box and label, and its scores where there is room.

    Nothing covers another face or another text. In a crowd labels become smaller and shorter, and what has no
    room is left out. Boxes are always drawn, in the colours of their labels. For the frames of a stream an
    `Overlay` does the same without flicker.

    Args:
        frame: `uint8` BGR `(height, width, 3)`.
        faces: Its faces.
        status: A line for a free corner, such as the frames per second.
    """
    return Overlay()(frame, faces, status)


def colour_of(label: str, labels: Sequence[str] = ()) -> Colour:
    """Returns a label's colour, BGR; one that is not in `COLOURS` has its own among the model's labels."""
    if label in COLOURS:
        return COLOURS[label]
    if label == UNCERTAIN:
        return UNCERTAIN_COLOUR
    others = [other for other in labels if other not in COLOURS]
    return OTHER_COLOURS[others.index(label) % len(OTHER_COLOURS) if label in others else 0]


def _draw_box(image: np.ndarray, box: Rectangle, colour: Colour, text_px: int) -> None:
    """Draws a thin rounded frame with strong corners; their dark rim shows on a bright ground."""
    shorter, longer = sorted(box[2:])
    strong = max(2, min(round(text_px / 4), shorter // 18))
    outline = Outline(max(1, round(text_px / 10)), strong, colour)
    radius = max(1, min(text_px, shorter // 6))
    arm = max(radius, shorter // 4)
    # The layers of a tiny box would overlap, and those of a giant one would take much memory.
    if radius < outline.margin or longer > max(image.shape):
        _stroke_box(image, box, radius, arm, outline)
    else:
        _lay_box(image, box, radius, arm, outline)


def _lay_box(image: np.ndarray, box: Rectangle, radius: int, arm: int, outline: Outline) -> None:
    """Draws a box from layers: four curves, and between them eight halves of sides, each with its arm."""
    x, y, width, height = box
    right, bottom, middle_x, middle_y = x + width - 1, y + height - 1, x + width // 2, y + height // 2
    for corner_y, down in ((y, 1), (bottom, -1)):
        top = _least(corner_y, down, radius, outline)
        for corner_x, across in ((x, 1), (right, -1)):
            left = _least(corner_x, across, radius, outline)
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


def _stroke_box(image: np.ndarray, box: Rectangle, radius: int, arm: int, outline: Outline) -> None:
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
    corner = -_least(0, across, radius, outline), -_least(0, down, radius, outline)
    line = _corner(corner, (across, down), (2 * side, 2 * side), radius)
    return _stroked((side, side), line, line, outline)


def _least(corner: int, direction: int, radius: int, outline: Outline) -> int:
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


def _draw_chip(
    image: np.ndarray, chip: Rectangle, text: str, colour: Colour, *, opacity: float = 1.0
) -> None:
    """Draws a label or the status: a rounded ground with its text."""
    x, y, width, height = chip
    blend(image, rounded_mask(width, height, height // 3), colour, x, y, opacity)
    mask = text_mask(text, round(height / 2.1))
    text_x = x + (width - mask.shape[1]) // 2
    blend(image, mask, _ink_on(colour), text_x, y + _text_top(height, round(height / 2.1)))


def _ink_on(colour: Colour) -> Colour:
    """Returns dark or white, whichever stands out on a colour (by BT.601 luma)."""
    blue, green, red = colour
    return INK if 0.114 * blue + 0.587 * green + 0.299 * red > 130 else WHITE


def _draw_panel(image: np.ndarray, panel: Rectangle, panel_px: int, face: Face) -> None:
    """Draws a dark pane with a row per label: its name, its bar, its percentage."""
    x, y, width, _ = panel
    bar_x, bars_y, bar_width, bar_px = _bars(face.labels, panel_px)
    pad, row_px = round(0.9 * panel_px), round(ROW * panel_px)
    lay(image, _pane(tuple(face.labels), panel_px), x, y)
    for number, (label, score) in enumerate(zip(face.labels, face.scores.tolist(), strict=True)):
        text_y = y + round(0.65 * panel_px) + number * row_px + _text_top(row_px, panel_px)
        opacity = 1.0 if label == face.label else 0.78
        lay(image, _text_layer(label, panel_px, opacity), x + pad, text_y)
        filled = round(bar_width * score)
        if filled:
            bar = _bar(bar_width, bar_px, colour_of(label, face.labels), opacity).cut(
                np.s_[:], np.s_[:filled]
            )
            lay(image, bar, x + bar_x, y + bars_y + number * row_px)
        percent = _text_layer(f"{score:.0%}", panel_px, opacity)
        lay(image, percent, x + width - pad - percent.shade.shape[1], text_y)


def _bars(labels: Sequence[str], panel_px: int) -> Rectangle:
    """Returns the first bar's place in a panel, and the size of a full bar."""
    pad, bar_px = round(0.9 * panel_px), max(3, round(0.75 * panel_px))
    top = round(0.65 * panel_px) + (round(ROW * panel_px) - bar_px) // 2
    return 2 * pad + names_width(labels, panel_px), top, round(4.2 * panel_px), bar_px


@lru_cache(maxsize=8)
def _pane(labels: tuple[str, ...], panel_px: int) -> Layer:
    """Returns a panel's ground with empty bars. Few are kept: in a 4K frame one takes megabytes."""
    bar_x, bars_y, bar_width, bar_px = _bars(labels, panel_px)
    pane = layer_of(rounded_mask(*panel_size(labels, panel_px), panel_px), INK, 0.72)
    bar = _bar(bar_width, bar_px, WHITE, 0.2)
    for number in range(len(labels)):
        cover(pane, bar, bar_x, bars_y + number * round(ROW * panel_px))
    return pane.frozen()


@lru_cache(maxsize=128)
def _bar(width: int, height: int, colour: Colour, opacity: float) -> Layer:
    return layer_of(rounded_mask(width, height, height // 2), colour, opacity).frozen()


@lru_cache(maxsize=512)
def _text_layer(text: str, text_px: int, opacity: float) -> Layer:
    """Returns the layer of a line of white text."""
    return layer_of(text_mask(text, text_px), WHITE, opacity).frozen()


def _text_top(height: int, text_px: int) -> int:
    """Returns where a text mask starts if its capitals are in the middle of `height` rows."""
    return round((height - text_px) / 2 - 0.15 * text_px)
