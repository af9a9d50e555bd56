"""Draws a face's panel: a dark pane with each label's name, bar and percentage."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ..recognizer import Face
from .colours import colour_of
from .layers import INK, WHITE, Colour, Layer, cover, lay, layer_of, rounded_mask, text_mask
from .places import ROW, Rectangle, names_width, panel_size


def draw_panel(image: np.ndarray, panel: Rectangle, panel_px: int, face: Face) -> None:
    """Draws a dark pane with a row per label: its name, its bar, its percentage."""
    x, y, width, _ = panel
    bar_x, bars_y, bar_width, bar_px = bars_of(face.labels, panel_px)
    pad, row_px = round(0.9 * panel_px), round(ROW * panel_px)
    lay(image, pane(tuple(face.labels), panel_px), x, y)
    for number, (label, score) in enumerate(zip(face.labels, face.scores.tolist(), strict=True)):
        text_y = y + round(0.65 * panel_px) + number * row_px + text_top(row_px, panel_px)
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


def bars_of(labels: Sequence[str], panel_px: int) -> Rectangle:
    """Returns the first bar's place in a panel, and the size of a full bar."""
    pad, bar_px = round(0.9 * panel_px), max(3, round(0.75 * panel_px))
    top = round(0.65 * panel_px) + (round(ROW * panel_px) - bar_px) // 2
    return 2 * pad + names_width(labels, panel_px), top, round(4.2 * panel_px), bar_px


@lru_cache(maxsize=8)
def pane(labels: tuple[str, ...], panel_px: int) -> Layer:
    """Returns a panel's ground with empty bars. Few are kept: in a 4K frame one takes megabytes."""
    bar_x, bars_y, bar_width, bar_px = bars_of(labels, panel_px)
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


def text_top(height: int, text_px: int) -> int:
    """Returns where a text mask starts if its capitals are in the middle of `height` rows."""
    return round((height - text_px) / 2 - 0.15 * text_px)
