"""What a video or a camera showed in all: each face's share of time per label, and a timeline."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..drawing.layers import INK, Colour, blend, rounded_mask, text_mask
from ..drawing.overlay import colour_of
from ..recognizer import Face
from .outputs import LinesFile, OutputError, write_image
from .sources import Sample

LEAST_GAP_S = 2.0  # without frames for longer, nobody was seen; slow sources get two frames' time

SUFFIXES = (".md", ".json", ".png")

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


@dataclass
class Span:
    """A stretch of time in which a face showed one label."""

    from_s: float
    to_s: float
    label: str


@dataclass
class Person:
    """A face through the time: the spans in which it was seen, in order."""

    id: int
    spans: list[Span] = field(default_factory=list)

    @property
    def seen_s(self) -> float:
        """For how long it was seen."""
        return sum(span.to_s - span.from_s for span in self.spans)

    def seconds_of(self) -> dict[str, float]:
        """Seconds of each label that it showed."""
        seconds: dict[str, float] = {}
        for span in self.spans:
            seconds[span.label] = seconds.get(span.label, 0.0) + span.to_s - span.from_s
        return seconds


class Summary:
    """Gathers the faces of frame after frame; `write` leaves a table, the same as JSON, and a timeline.

    A frame stands until the next one's time, the last one for `1 / frame_rate` or as long as the one before.
    Faces are told apart by their ids, without ids by their places in the list of a frame's faces. Memory
    grows with the changes of labels, not with the frames.
    """

    def __init__(self, name: str, *, frame_rate: float | None = None) -> None:
        self.name = name
        self.frames = 0
        self._frame_s = 1 / frame_rate if frame_rate else 0.0
        self._longest_s = max(LEAST_GAP_S, 2 * self._frame_s)
        self._people: dict[int, Person] = {}
        self._labels: tuple[str, ...] = ()
        self._pending: list[tuple[int, str]] = []
        self._time_s = self._end_s = 0.0

    def add(self, sample: Sample, faces: Sequence[Face]) -> None:
        """Take in the faces of the next frame."""
        if self.frames:
            self._settle(sample.time_s - self._time_s)
        self.frames += 1
        self._time_s = sample.time_s
        self._end_s = max(self._end_s, sample.time_s)
        self._pending = [
            (number + 1 if face.id is None else face.id, face.label) for number, face in enumerate(faces)
        ]
        if faces:
            self._labels = faces[0].labels

    def _settle(self, seconds: float) -> None:
        """Give the pending frame's faces their time; none where the next frame is not later."""
        if not 0 < seconds <= self._longest_s:
            seconds = min(self._frame_s, max(0.0, seconds))
        else:
            self._frame_s = seconds
        end_s = self._time_s + seconds
        pending, self._pending = self._pending, []
        if end_s <= self._time_s:  # a span of no length is no share of a time
            return
        for id, label in pending:
            spans = self._people.setdefault(id, Person(id)).spans
            if spans and spans[-1].label == label and abs(spans[-1].to_s - self._time_s) < 1e-6:
                spans[-1].to_s = end_s
            else:
                spans.append(Span(self._time_s, end_s, label))
        self._end_s = max(self._end_s, end_s)

    def finish(self) -> None:
        """Let the last frame stand for its time."""
        if self._pending:
            self._settle(self._frame_s or 1 / 25)

    @property
    def end_s(self) -> float:
        """When the last frame ended."""
        return self._end_s

    def people(self) -> list[Person]:
        """The faces, in the order in which they came."""
        return sorted(self._people.values(), key=lambda person: (person.spans[0].from_s, person.id))

    def labels(self) -> list[str]:
        """The labels that were shown, in the model's order, "uncertain" last."""
        shown = {span.label for person in self._people.values() for span in person.spans}
        known = [label for label in self._labels if label in shown]
        return known + sorted(shown - set(known))

    def colours(self) -> dict[str, Colour]:
        """The colour of each label that was shown, in the order of `labels`."""
        return {label: colour_of(label, self._labels) for label in self.labels()}

    def table(self) -> list[list[str]]:
        """A row of text per face, and one for all of them, under a row of headings."""
        labels = self.labels()
        rows = [["face", "seen", "from", "to", *labels]]
        everyone = Person(0, [span for person in self.people() for span in person.spans])
        for person in [*self.people(), everyone]:
            if not person.spans:
                continue
            start_s, end_s = (
                min(span.from_s for span in person.spans),
                max(span.to_s for span in person.spans),
            )
            seconds = person.seconds_of()
            shares = [f"{100 * seconds.get(label, 0.0) / person.seen_s:.1f} %" for label in labels]
            name = "all" if person is everyone else str(person.id)
            rows.append([name, f"{person.seen_s:.1f} s", f"{start_s:.1f} s", f"{end_s:.1f} s", *shares])
        return rows

    def record(self) -> dict[str, Any]:
        """The same with every span, as docs/output.md describes it."""
        faces = []
        for person in self.people():
            seconds = person.seconds_of()
            shares = {
                label: round(seconds[label] / person.seen_s, 4) for label in self.labels() if label in seconds
            }
            spans = [
                {"from_s": round(span.from_s, 3), "to_s": round(span.to_s, 3), "label": span.label}
                for span in person.spans
            ]
            faces.append(
                {"id": person.id, "seen_s": round(person.seen_s, 3), "shares": shares, "spans": spans}
            )
        return {"source": self.name, "frames": self.frames, "end_s": round(self.end_s, 3), "faces": faces}

    def write(self, stem: Path) -> list[Path]:
        """Write `stem.md`, `stem.json` and `stem.png`; returns their paths. Raises `OutputError`."""
        paths = summary_paths(stem)
        for path in paths:
            self.write_file(path)
        return paths

    def write_file(self, path: Path) -> None:
        """Write one of the `summary_paths`, as its suffix says. Raises `OutputError`."""
        if path.suffix == ".png":
            write_image(path, draw_timeline(self))
            return
        if path.suffix == ".json":
            text = json.dumps(self.record(), indent=1, ensure_ascii=False) + "\n"
        else:
            text = summary_markdown(self, path.with_suffix(".png").name)
        with LinesFile(path) as file:
            file.write(text)


def summary_paths(stem: Path) -> list[Path]:
    """The table, the same as JSON, and the timeline of a summary."""
    return [Path(f"{stem}{suffix}") for suffix in SUFFIXES]


def summary_stem(target: str) -> Path:
    """The path that `Summary.write` takes, from what a user wrote: with or without .md, .json or .png.

    Raises `OutputError` for a folder: its summary would lie beside it, where nobody looks for it.
    """
    path = Path(target)
    # Not Path.is_dir, which raises where a folder on the way is closed to this user.
    if target.endswith(("/", os.sep)) or os.path.isdir(target):  # noqa: PTH112
        raise OutputError(
            f"{target}: expected the name of the summary's files, got a folder. Name them in it, such as "
            f"{path / 'summary'}."
        )
    return path.with_suffix("") if path.suffix.lower() in SUFFIXES else path


def summary_text(summary: Summary) -> str:
    """The table in columns, for a terminal."""
    rows = summary.table()
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def summary_markdown(summary: Summary, image: str) -> str:
    """The table as Markdown, with the timeline's image under it."""
    head, *rows = summary.table()
    lines = [
        f"# {Path(summary.name).name}",
        "",
        f"{summary.frames} frames until {summary.end_s:.1f} s. Shares are of the time in which a face was "
        "seen.",
        "",
        f"| {' | '.join(head)} |",
        f"|{'|'.join(['---:'] * len(head))}|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
        f"![The labels of each face over time]({image.replace(' ', '%20')})",
    ]
    return "\n".join(lines) + "\n"


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
