"""Masks of texts and shapes, and layers that blend their colours into an image.

OpenCV's letters are strokes: drawn four times too large and averaged down they become smooth. What is drawn
often is kept as a `Layer`; then a frame costs little more than the pixels that change.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

Colour = tuple[int, int, int]  # BGR

WHITE: Colour = (255, 255, 255)
INK: Colour = (28, 24, 22)

FONT = cv2.FONT_HERSHEY_SIMPLEX
OVERSAMPLING = 4


class Layer(NamedTuple):
    """A drawing that can be laid over images.

    Attributes:
        through: How much of the image is still seen, 255 for all of it; `uint8` `(rows, columns, 3)`.
        shade: What is added to that: the drawing on black, `uint8` BGR `(rows, columns, 3)`.
    """

    through: np.ndarray
    shade: np.ndarray

    def cut(self, rows: slice, columns: slice) -> Layer:
        """Returns a part of the layer."""
        return Layer(self.through[rows, columns], self.shade[rows, columns])

    def frozen(self) -> Layer:
        """Returns the layer, read-only from now on, so that it may be kept."""
        for array in self:
            array.flags.writeable = False
        return self


@lru_cache(maxsize=2048)
def text_width(text: str, text_px: int) -> int:
    """Returns the width of a text's mask, in pixels."""
    scale, thickness = _pen(text_px)
    (width, _), _ = cv2.getTextSize(_letters(text), FONT, scale, thickness)
    return -(-(width + thickness) // OVERSAMPLING)


def _letters(text: str) -> str:
    """Returns a text in ASCII, the only letters that OpenCV has: without accents, with ? for all else.

    Text that isn't UTF-8, as in a file's name, would end the process.
    """
    letters = (letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return "".join(letter if " " <= letter <= "~" else "?" for letter in letters)


def _pen(text_px: int) -> tuple[float, int]:
    """Returns OpenCV's scale and thickness for letters that are drawn large and then averaged down."""
    capital_px = text_px * OVERSAMPLING
    return capital_px / 21, max(1, round(capital_px / 6.5))  # the Hershey capitals are 21 units high


@lru_cache(maxsize=256)
def text_mask(text: str, text_px: int) -> np.ndarray:
    """Returns the mask of a line of text whose capitals are `text_px` high, with room for descenders.

    Returns:
        Coverage 0-255, `uint8` `(rows, columns)`, read-only.
    """
    scale, thickness = _pen(text_px)
    rows = round(1.6 * text_px) * OVERSAMPLING
    columns = text_width(text, text_px) * OVERSAMPLING
    large = np.zeros((rows, columns), np.uint8)
    baseline = round(1.15 * OVERSAMPLING * text_px)
    cv2.putText(large, _letters(text), (thickness // 2, baseline), FONT, scale, 255, thickness, cv2.LINE_AA)
    size = (columns // OVERSAMPLING, rows // OVERSAMPLING)
    mask = cv2.resize(large, size, interpolation=cv2.INTER_AREA)
    mask.flags.writeable = False
    return mask


@lru_cache(maxsize=64)
def rounded_mask(width: int, height: int, radius: int) -> np.ndarray:
    """Returns the mask of a rectangle with round corners: coverage 0-255, `uint8` `(height, width)`."""
    radius = min(radius, width // 2, height // 2)
    mask = np.full((height, width), 255, np.uint8)
    if radius:
        side = radius * OVERSAMPLING
        large = np.zeros((side, side), np.uint8)
        cv2.circle(large, (side, side), side, 255, cv2.FILLED)
        corner = cv2.resize(large, (radius, radius), interpolation=cv2.INTER_AREA)
        mask[:radius, :radius], mask[:radius, -radius:] = corner, corner[:, ::-1]
        mask[-radius:, :radius], mask[-radius:, -radius:] = corner[::-1], corner[::-1, ::-1]
    mask.flags.writeable = False
    return mask


def blend(image: np.ndarray, mask: np.ndarray, colour: Colour, x: int, y: int, opacity: float = 1.0) -> None:
    """Lays a colour over an image where a mask covers it; what reaches beyond the image is cut off."""
    lay(image, layer_of(mask, colour, opacity), x, y)


def layer_of(mask: np.ndarray, colour: Colour, opacity: float = 1.0) -> Layer:
    """Returns a layer of one colour, where a mask, coverage 0-255, has it."""
    through = cv2.convertScaleAbs(mask, alpha=-opacity, beta=255)
    shades = [cv2.convertScaleAbs(mask, alpha=opacity * value / 255) for value in colour]
    return Layer(cv2.merge([through, through, through]), cv2.merge(shades))


def cover(lower: Layer, upper: Layer, x: int, y: int) -> None:
    """Lays a layer over another one, which becomes both together."""
    lay(lower.through, Layer(upper.through, np.zeros_like(upper.shade)), x, y)
    lay(lower.shade, upper, x, y)


def lay(image: np.ndarray, layer: Layer, x: int, y: int) -> None:
    """Lays a layer over an image, its upper left corner at `x, y`; what reaches beyond is cut off."""
    height, width = layer.shade.shape[:2]
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + width, image.shape[1]), min(y + height, image.shape[0])
    if left >= right or top >= bottom:
        return
    region = image[top:bottom, left:right]
    rows, columns = slice(top - y, bottom - y), slice(left - x, right - x)
    cv2.multiply(region, layer.through[rows, columns], dst=region, scale=1 / 255)
    cv2.add(region, layer.shade[rows, columns], dst=region)
