"""The summary of a video or a camera's frames: each face's share of time per label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..drawing.colours import colour_of
from ..drawing.layers import Colour
from ..recognizer import Face
from .sources import SourceFrame

MIN_GAP_S = (
    2.0  # in a longer gap between frames nobody was seen; of a slow source, in one of two frames' time
)


@dataclass
class Span:
    """A stretch of time in which a face showed one label, from and to seconds of the source."""

    from_s: float
    to_s: float
    label: str


@dataclass
class SeenFace:
    """A face that was seen: its id, and the spans in which it was seen, in order."""

    id: int
    spans: list[Span] = field(default_factory=list)

    @property
    def seen_s(self) -> float:
        """For how many seconds it was seen."""
        return sum(span.to_s - span.from_s for span in self.spans)

    def seconds_of(self) -> dict[str, float]:
        """Returns the seconds of each label that it showed."""
        seconds: dict[str, float] = {}
        for span in self.spans:
            seconds[span.label] = seconds.get(span.label, 0.0) + span.to_s - span.from_s
        return seconds


class Summary:
    """Gathers the faces of frame after frame.

    A frame lasts until the next one's time, the last one `1 / frame_rate` or as long as the one before. Faces
    differ by their ids; without ids, by their places in a frame's list. Memory grows with the changes of
    labels, not with the frames.

    Attributes:
        name: The source's name.
        frames: The number of frames so far.
    """

    def __init__(self, name: str, *, frame_rate: float | None = None) -> None:
        """Takes the source's name and its frames per second, if it says so."""
        self.name = name
        self.frames = 0
        self._frame_s = 1 / frame_rate if frame_rate else 0.0
        self._longest_s = max(MIN_GAP_S, 2 * self._frame_s)
        self._faces: dict[int, SeenFace] = {}
        self._labels: tuple[str, ...] = ()
        self._pending: list[tuple[int, str]] = []
        self._time_s = self._end_s = 0.0

    def add(self, frame: SourceFrame, faces: Sequence[Face]) -> None:
        """Takes in the faces of the next frame."""
        if self.frames:
            self._settle(frame.time_s - self._time_s)
        self.frames += 1
        self._time_s = frame.time_s
        self._end_s = max(self._end_s, frame.time_s)
        self._pending = [
            (number + 1 if face.id is None else face.id, face.label) for number, face in enumerate(faces)
        ]
        if faces:
            self._labels = faces[0].labels

    def _settle(self, seconds: float) -> None:
        """Gives the pending frame's faces their time; none where the next frame is not later."""
        if not 0 < seconds <= self._longest_s:
            seconds = min(self._frame_s, max(0.0, seconds))
        else:
            self._frame_s = seconds
        end_s = self._time_s + seconds
        pending, self._pending = self._pending, []
        if end_s <= self._time_s:  # a span of no length is no share of a time
            return
        for id, label in pending:
            spans = self._faces.setdefault(id, SeenFace(id)).spans
            if spans and spans[-1].label == label and abs(spans[-1].to_s - self._time_s) < 1e-6:
                spans[-1].to_s = end_s
            else:
                spans.append(Span(self._time_s, end_s, label))
        self._end_s = max(self._end_s, end_s)

    def finish(self) -> None:
        """Gives the last frame its time."""
        if self._pending:
            self._settle(self._frame_s or 1 / 25)

    @property
    def end_s(self) -> float:
        """When the last frame ended, in seconds of the source."""
        return self._end_s

    def faces(self) -> list[SeenFace]:
        """Returns the faces, in the order of their appearance."""
        return sorted(self._faces.values(), key=lambda face: (face.spans[0].from_s, face.id))

    def labels(self) -> list[str]:
        """Returns the labels that were shown, in the model's order, "uncertain" last."""
        shown = {span.label for face in self._faces.values() for span in face.spans}
        known = [label for label in self._labels if label in shown]
        return known + sorted(shown - set(known))

    def colours(self) -> dict[str, Colour]:
        """Returns the colour, BGR, of each label that was shown, in the order of `labels`."""
        return {label: colour_of(label, self._labels) for label in self.labels()}

    def table(self) -> list[list[str]]:
        """Returns a row of text per face, and one for all of them, under a row of headings."""
        labels = self.labels()
        rows = [["face", "seen", "from", "to", *labels]]
        everyone = SeenFace(0, [span for face in self.faces() for span in face.spans])
        for face in [*self.faces(), everyone]:
            if not face.spans:
                continue
            start_s, end_s = (
                min(span.from_s for span in face.spans),
                max(span.to_s for span in face.spans),
            )
            seconds = face.seconds_of()
            shares = [f"{100 * seconds.get(label, 0.0) / face.seen_s:.1f} %" for label in labels]
            name = "all" if face is everyone else str(face.id)
            rows.append([name, f"{face.seen_s:.1f} s", f"{start_s:.1f} s", f"{end_s:.1f} s", *shares])
        return rows

    def record(self) -> dict[str, Any]:
        """Returns the JSON of the summary, as docs/command-line.md describes it."""
        faces = []
        for face in self.faces():
            seconds = face.seconds_of()
            shares = {
                label: round(seconds[label] / face.seen_s, 4) for label in self.labels() if label in seconds
            }
            spans = [
                {"from_s": round(span.from_s, 3), "to_s": round(span.to_s, 3), "label": span.label}
                for span in face.spans
            ]
            faces.append({"id": face.id, "seen_s": round(face.seen_s, 3), "shares": shares, "spans": spans})
        return {"source": self.name, "frames": self.frames, "end_s": round(self.end_s, 3), "faces": faces}
