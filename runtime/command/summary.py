"""What a video or a camera showed in all: each face's share of time per label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..drawing.layers import Colour
from ..drawing.overlay import colour_of
from ..recognizer import Face
from .sources import Sample

LEAST_GAP_S = 2.0  # without frames for longer, nobody was seen; slow sources get two frames' time


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
        """The same with every span, as docs/command-line.md describes it."""
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
