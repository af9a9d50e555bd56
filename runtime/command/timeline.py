"""Draws the timeline of a summary: a band per face over the time, coloured by its label."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from ..drawing.layers import INK, Colour, blend, rounded_mask, text_mask
from .summary import SeenFace, Summary

# The timeline, in pixels.
WIDTH, MARGIN = 1600, 48
TITLE_PX, TEXT_PX = 22, 13  # heights of capitals
BAND, BAND_STEP = 38, 62
MOST_BANDS = 12
OVERSAMPLING = 8  # a column in which the label changes has a mixture of both colours
PAPER: Colour = (255, 255, 255)
TRACK: Colour = (244, 242, 240)
GRID: Colour = (226, 223, 220)
GRAY: Colour = (120, 114, 108)


class Area(NamedTuple):
    """Where the bands are, in pixels, and how many pixels a second takes."""

    left: int
    right: int
    top: int
    bottom: int
    per_s: float


def draw_timeline(summary: Summary) -> np.ndarray:
    """Draws a band per face over the time, coloured by its label; of more than 12 faces the 12 seen longest.

    Returns:
        `uint8` BGR `(height, 1600, 3)`.
    """
    faces = sorted(summary.faces(), key=lambda face: -face.seen_s)[:MOST_BANDS]
    faces.sort(key=lambda face: (face.spans[0].from_s, face.id))
    colours = summary.colours()
    area = _area(summary, faces)
    image = np.full((area.bottom + 5 * TEXT_PX + MARGIN, WIDTH, 3), PAPER, np.uint8)
    _draw_head(image, summary, left_out=len(summary.faces()) - len(faces))
    _draw_legend(image, colours, MARGIN + 2 * TITLE_PX + TEXT_PX)
    _draw_axis(image, area, summary.end_s)
    for number, face in enumerate(faces):
        y = area.top + number * BAND_STEP
        text_y = y + (BAND - TEXT_PX) // 2
        name = _name(face)
        _write(image, name, TEXT_PX, area.left - 20 - _width(name, TEXT_PX), text_y, INK)
        _draw_band(image, face, colours, area, y)
        _write(image, _mostly(face), TEXT_PX, area.right + 20, text_y, GRAY)
    if not faces:
        nobody = "no face was seen"
        _write(image, nobody, TEXT_PX, (WIDTH - _width(nobody, TEXT_PX)) // 2, area.top + BAND // 3, GRAY)
    return image


def _area(summary: Summary, faces: Sequence[SeenFace]) -> Area:
    """Returns the place of the bands: between the faces' names and their longest labels."""
    left = MARGIN + max([_width(_name(face), TEXT_PX) for face in faces], default=0) + 20
    right = WIDTH - MARGIN - max([_width(_mostly(face), TEXT_PX) for face in faces], default=0) - 20
    top = MARGIN + 3 * TITLE_PX + (4 * TEXT_PX if summary.labels() else 0)
    bottom = top + BAND_STEP * max(1, len(faces)) - (BAND_STEP - BAND)
    return Area(left, right, top, bottom, (right - left) / (summary.end_s or 1.0))


def _draw_head(image: np.ndarray, summary: Summary, *, left_out: int) -> None:
    """Writes the source's name, and the number of faces and seconds."""
    _write(image, _shortened(Path(summary.name).name, TITLE_PX, WIDTH // 2), TITLE_PX, MARGIN, MARGIN, INK)
    faces = len(summary.faces())
    count = f"{faces} face{'' if faces == 1 else 's'}, {summary.end_s:.1f} s"
    if left_out:
        count += f", without the {left_out} seen most briefly"
    _write(image, count, TEXT_PX, WIDTH - MARGIN - _width(count, TEXT_PX), MARGIN + TITLE_PX - TEXT_PX, GRAY)


def _draw_axis(image: np.ndarray, area: Area, end_s: float) -> None:
    """Draws a line and a time for each tick, and the unit under them."""
    for tick_s, text in ticks(end_s):
        x = area.left + round(tick_s * area.per_s)
        cv2.line(image, (x, area.top - 12), (x, area.bottom + 12), GRID, 1)
        _write(image, text, TEXT_PX, x - _width(text, TEXT_PX) // 2, area.bottom + 12 + TEXT_PX, GRAY)
    unit = "seconds" if end_s < 600 else "hours:minutes:seconds"
    x = (area.left + area.right - _width(unit, TEXT_PX)) // 2
    _write(image, unit, TEXT_PX, x, area.bottom + 12 + 3 * TEXT_PX, GRAY)


def ticks(end_s: float) -> list[tuple[float, str]]:
    """Returns times in seconds for an axis from 0 to `end_s`, at most 13, with their texts.

    Steps are 1, 2 or 5 times a power of ten. From ten minutes on they are those of a clock, and the texts are
    hours, minutes and seconds.
    """
    if not end_s > 0:
        return [(0.0, "0")]
    if end_s < 600:
        power = 10.0 ** math.floor(math.log10(end_s / 12))
        step = next(factor * power for factor in (1, 2, 5, 10) if end_s / (factor * power) <= 12)
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        return [
            (number * step, f"{number * step:.{digits}f}") for number in range(int(end_s / step + 1e-9) + 1)
        ]
    steps = (60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800, 21600, 43200)
    clock = next((step for step in steps if end_s / step <= 12), 86400 * math.ceil(end_s / 86400 / 12))
    times = range(0, int(end_s) + 1, clock)
    return [(float(time), f"{time // 3600}:{time // 60 % 60:02}:{time % 60:02}") for time in times]


def _draw_band(image: np.ndarray, face: SeenFace, colours: dict[str, Colour], area: Area, y: int) -> None:
    """Draws a rounded track over the whole time, with the face's spans in their labels' colours."""
    width = area.right - area.left
    fine = np.full((1, width * OVERSAMPLING, 3), TRACK, np.uint8)
    for span in face.spans:
        start, end = (round(time_s * area.per_s * OVERSAMPLING) for time_s in (span.from_s, span.to_s))
        fine[:, start : max(end, start + 1)] = colours[span.label]
    row = cv2.resize(fine, (width, 1), interpolation=cv2.INTER_AREA)
    cover = rounded_mask(width, BAND, 8)[:, :, np.newaxis] / np.float32(255)
    region = image[y : y + BAND, area.left : area.right]
    region[:] = np.rint(region + (row.astype(np.float32) - region) * cover)


def _draw_legend(image: np.ndarray, colours: dict[str, Colour], y: int) -> None:
    x = MARGIN
    for label, colour in colours.items():
        chip = rounded_mask(2 * TEXT_PX, round(1.4 * TEXT_PX), 4)
        blend(image, chip, colour, x, y - round(0.2 * TEXT_PX))
        _write(image, label, TEXT_PX, x + 2 * TEXT_PX + 8, y, INK)
        x += 2 * TEXT_PX + 8 + _width(label, TEXT_PX) + 28


def _name(face: SeenFace) -> str:
    return f"face {face.id}"


def _mostly(face: SeenFace) -> str:
    """Returns the label that a face showed longest, and its share."""
    seconds = face.seconds_of()
    label = max(seconds, key=seconds.__getitem__)
    return f"{label} {seconds[label] / face.seen_s:.0%}"


def _width(text: str, text_px: int) -> int:
    return text_mask(text, text_px).shape[1]


def _shortened(text: str, text_px: int, width: int) -> str:
    text_width = _width(text, text_px)
    if text_width <= width:
        return text
    text = text[: len(text) * width // text_width + 1]
    while text and _width(f"{text}...", text_px) > width:
        text = text[:-1]
    return f"{text}..."


def _write(image: np.ndarray, text: str, text_px: int, x: int, y: int, colour: Colour) -> None:
    """Writes a line; the upper left corner of its capitals is at a point."""
    blend(image, text_mask(text, text_px), colour, x, y - round(0.15 * text_px))
