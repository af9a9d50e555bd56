"""Boxes, labels and probabilities drawn on a frame.

An `Arranger` (`layout.py`) finds the places; an `Overlay` draws there, in the colours of the labels. What is
drawn often, such as a box's corners or a panel's pane, is kept as a `Layer` (`layers.py`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..recognizer import Face
from .box import draw_box
from .colours import colour_of
from .layers import INK, WHITE, Colour, blend, rounded_mask, text_mask
from .layout import Arranger
from .panel import draw_panel, text_top
from .places import Rectangle, text_px_of


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
            draw_box(image, face.box, colour_of(face.label, face.labels), text_px)
        layout = self._arranger.lay_out(frame, faces, status)
        if layout.status is not None:
            draw_chip(image, layout.status, status, INK, opacity=0.7)
        for face, _, place, text in layout.chips:
            draw_chip(image, place, text, colour_of(face.label, face.labels))
        for face, place, panel_px in layout.panels:
            draw_panel(image, place, panel_px, face)
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


def draw_chip(image: np.ndarray, chip: Rectangle, text: str, colour: Colour, *, opacity: float = 1.0) -> None:
    """Draws a label or the status: a rounded ground with its text."""
    x, y, width, height = chip
    blend(image, rounded_mask(width, height, height // 3), colour, x, y, opacity)
    mask = text_mask(text, round(height / 2.1))
    text_x = x + (width - mask.shape[1]) // 2
    blend(image, mask, _ink_on(colour), text_x, y + text_top(height, round(height / 2.1)))


def _ink_on(colour: Colour) -> Colour:
    """Returns dark or white, whichever stands out on a colour (by BT.601 luma)."""
    blue, green, red = colour
    return INK if 0.114 * blue + 0.587 * green + 0.299 * red > 130 else WHITE
