"""The timeline of a summary: a band per face over the time, coloured by its label."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np

from ..drawing.layers import INK, Colour, blend, rounded_mask, text_mask
from .summary import Person, Summary

# The timeline, in pixels.
WIDTH, MARGIN = 1600, 48
TITLE_PX, TEXT_PX = 22, 13  # heights of capitals
BAND, BAND_STEP = 38, 62
MOST_BANDS = 12
OVERSAMPLING = 8  # so that a change within a column is a mixture and not a jump
PAPER: Colour = (255, 255, 255)
TRACK: Colour = (244, 242, 240)
GRID: Colour = (226, 223, 220)
GRAY: Colour = (120, 114, 108)


def draw_timeline(summary: Summary) -> np.ndarray:
    """A band per face over the time, coloured by its label, `uint8` BGR, 1600 pixels wide.

    Of more than 12 faces the 12 that were seen longest.
    """
    people = sorted(summary.people(), key=lambda person: -person.seen_s)[:MOST_BANDS]
    people.sort(key=lambda person: (person.spans[0].from_s, person.id))
    left_out = len(summary.people()) - len(people)
    labels = summary.labels()
    names = [f"face {person.id}" for person in people]
    left = MARGIN + max([_width(name, TEXT_PX) for name in names], default=0) + 20
    right = WIDTH - MARGIN - max([_width(_mostly(person), TEXT_PX) for person in people], default=0) - 20
    top = MARGIN + 3 * TITLE_PX + (4 * TEXT_PX if labels else 0)
    bottom = top + BAND_STEP * max(1, len(people)) - (BAND_STEP - BAND)
    image = np.full((bottom + 5 * TEXT_PX + MARGIN, WIDTH, 3), PAPER, np.uint8)

    _write(image, _shortened(Path(summary.name).name, TITLE_PX, WIDTH // 2), TITLE_PX, MARGIN, MARGIN, INK)
    count = f"{len(summary.people())} face{'' if len(summary.people()) == 1 else 's'}, {summary.end_s:.1f} s"
    if left_out:
        count += f", without the {left_out} seen most briefly"
    _write(image, count, TEXT_PX, WIDTH - MARGIN - _width(count, TEXT_PX), MARGIN + TITLE_PX - TEXT_PX, GRAY)
    colours = summary.colours()
    _draw_legend(image, colours, MARGIN + 2 * TITLE_PX + TEXT_PX)

    per_s = (right - left) / (summary.end_s or 1.0)
    for tick_s, text in ticks(summary.end_s):
        x = left + round(tick_s * per_s)
        cv2.line(image, (x, top - 12), (x, bottom + 12), GRID, 1)
        _write(image, text, TEXT_PX, x - _width(text, TEXT_PX) // 2, bottom + 12 + TEXT_PX, GRAY)
    axis = "seconds" if summary.end_s < 600 else "hours:minutes:seconds"
    _write(image, axis, TEXT_PX, (left + right - _width(axis, TEXT_PX)) // 2, bottom + 12 + 3 * TEXT_PX, GRAY)
    for number, (person, name) in enumerate(zip(people, names, strict=True)):
        y = top + number * BAND_STEP
        text_y = y + (BAND - TEXT_PX) // 2
        _write(image, name, TEXT_PX, left - 20 - _width(name, TEXT_PX), text_y, INK)
        _draw_band(image, person, colours, left, right, y, per_s)
        _write(image, _mostly(person), TEXT_PX, right + 20, text_y, GRAY)
    if not people:
        nobody = "no face was seen"
        _write(image, nobody, TEXT_PX, (WIDTH - _width(nobody, TEXT_PX)) // 2, top + BAND // 3, GRAY)
    return image


def ticks(end_s: float) -> list[tuple[float, str]]:
    """Times in seconds, at most 12, for an axis from 0 to `end_s`, with their texts.

    Steps are 1, 2 or 5 times a power of ten; from ten minutes on such as a clock has, as hours, minutes
    and seconds.
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


def _draw_band(
    image: np.ndarray,
    person: Person,
    colours: dict[str, Colour],
    left: int,
    right: int,
    y: int,
    per_s: float,
) -> None:
    """A rounded track over the whole time, with the face's spans in their labels' colours."""
    fine = np.full((1, (right - left) * OVERSAMPLING, 3), TRACK, np.uint8)
    for span in person.spans:
        start, end = (round(time_s * per_s * OVERSAMPLING) for time_s in (span.from_s, span.to_s))
        fine[:, start : max(end, start + 1)] = colours[span.label]
    row = cv2.resize(fine, (right - left, 1), interpolation=cv2.INTER_AREA)
    cover = rounded_mask(right - left, BAND, 8)[:, :, np.newaxis] / np.float32(255)
    region = image[y : y + BAND, left:right]
    region[:] = np.rint(region + (row.astype(np.float32) - region) * cover)


def _draw_legend(image: np.ndarray, colours: dict[str, Colour], y: int) -> None:
    x = MARGIN
    for label, colour in colours.items():
        chip = rounded_mask(2 * TEXT_PX, round(1.4 * TEXT_PX), 4)
        blend(image, chip, colour, x, y - round(0.2 * TEXT_PX))
        _write(image, label, TEXT_PX, x + 2 * TEXT_PX + 8, y, INK)
        x += 2 * TEXT_PX + 8 + _width(label, TEXT_PX) + 28


def _mostly(person: Person) -> str:
    """The label that a face showed longest, and its share."""
    seconds = person.seconds_of()
    label = max(seconds, key=seconds.__getitem__)
    return f"{label} {seconds[label] / person.seen_s:.0%}"


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
    """Write a line whose capitals' upper left corner is at a point."""
    blend(image, text_mask(text, text_px), colour, x, y - round(0.15 * text_px))
