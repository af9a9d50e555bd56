"""The places of a frame's labels, panels and status, chosen before anything is drawn.

An `Arranger` remembers from one frame of a stream to the next where everything was, so that nothing flickers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from ..recognizer import Face
from .patience import Fit, Patience, Placement
from .places import (
    AROUND,
    Rectangle,
    chip_texts,
    corners,
    fit_panel,
    is_far,
    is_free,
    panel_sizes,
    place_chip,
    sizes_of,
    slack_of,
    text_px_of,
)


class Chip(NamedTuple):
    """A face's label in a frame.

    Attributes:
        face: The face.
        spot: The number of its place around the box.
        place: Its rectangle.
        text: Its text.
    """

    face: Face
    spot: int
    place: Rectangle
    text: str


class Layout(NamedTuple):
    """The places in a frame.

    Attributes:
        status: Of the status; None where it has no room, or is empty.
        chips: The labels that have room.
        panels: The faces whose scores have room, with the place and the height of the capitals.
    """

    status: Rectangle | None
    chips: list[Chip]
    panels: list[tuple[Face, Rectangle, int]]


class Arranger:
    """Chooses the places in the frames of a stream, one after another, so that nothing flickers.

    A label and a panel stay at their side of the box while it is free. Where room is short, labels become
    smaller and shorter at once. They become larger and fuller again, all together, only after `PATIENCE`
    frames with room to spare. The same holds for a panel that could be larger, for one without room, and for
    a label inside its box that could be outside. Faces are known by their ids, and forgotten in the first
    frame without them. Faces without an id are new in every frame.
    """

    def __init__(self) -> None:
        """Starts without a frame before."""
        self._shape: tuple[int, ...] = ()
        self._forget()

    def _forget(self) -> None:
        self._status = Placement(spots=4)
        self._panels: dict[int, Placement] = {}
        self._spots: dict[int | None, int | None] = {}  # of each label, None where it had no room
        self._step = 0
        self._patience = Patience()
        self._outside = Patience()
        self._frames = 0

    def lay_out(self, frame: np.ndarray, faces: Sequence[Face], status: str = "") -> Layout:
        """Returns the places in the next frame, of which only the shape counts."""
        if frame.shape != self._shape:
            self._forget()
            self._shape = frame.shape
        self._frames += 1
        text_px = text_px_of(frame)
        taken: list[Rectangle] = [face.box for face in faces]
        corner = self._place_status(frame, status, text_px, taken) if status else None
        if corner is not None:
            taken.append(corner)
        chips = self._place_chips(frame, faces, text_px, taken)
        taken += [chip.place for chip in chips]
        return Layout(corner, chips, self._place_panels(frame, faces, text_px, taken))

    def _place_status(
        self, frame: np.ndarray, text: str, text_px: int, taken: Sequence[Rectangle]
    ) -> Rectangle | None:
        """Returns the place of the status; None where all corners are taken."""

        def fit(status_px: int, spot: int, slack: int) -> Rectangle | None:
            corner = corners(text, status_px, frame)[spot]
            return corner if is_free(corner, frame, []) and is_far(corner, slack, taken) else None

        sizes, slack = sizes_of(text_px), slack_of(text_px)
        place = self._status.keep(fit) or self._status.move(fit, sizes, slack)
        if self._status.patience.looks(self._frames):
            place = self._status.grow(fit, sizes, slack) or place
        return place

    def _place_chips(
        self, frame: np.ndarray, faces: Sequence[Face], text_px: int, taken: Sequence[Rectangle]
    ) -> list[Chip]:
        """Places the labels over nothing in `taken`, which begins with the faces' boxes.

        All labels have the same size and wording: the largest and fullest at which each has a place. In a
        crowd there may be none; then the one at which most have a place.
        """
        steps = [(shorter, size) for shorter in range(3) for size in sizes_of(text_px)]
        slack = slack_of(text_px)
        known = any(face.id in self._spots for face in faces)
        best: list[Chip] = []
        step = first = self._step if known else 0
        for number in range(first, len(steps)):
            chips = self._arrange(frame, faces, *steps[number], taken, slack)
            if len(chips) > len(best):
                best, step = chips, number
            if len(best) == len(faces):
                break
        if not known:
            self._patience, self._outside = Patience(), Patience()
        elif self._patience.looks(self._frames):
            best, step = self._grown(frame, faces, steps[:step], taken, slack, best)
        if known and self._outside.looks(self._frames):
            best = self._brought_out(frame, faces, steps[step], taken, slack, best)
        self._step = step
        spots = {chip.face.id: chip.spot for chip in best}
        self._spots = {face.id: spots.get(face.id) for face in faces if face.id is not None}
        return best

    def _grown(
        self,
        frame: np.ndarray,
        faces: Sequence[Face],
        steps: Sequence[tuple[int, int]],
        taken: Sequence[Rectangle],
        slack: int,
        chips: list[Chip],
    ) -> tuple[list[Chip], int]:
        """Returns the labels at a larger step, if they have fitted there for long enough, with the step."""
        spare = len(faces) - len(chips)

        def at(number: int) -> list[Chip] | None:
            found = self._arrange(frame, faces, *steps[number], taken, slack, spare=spare)
            return found if len(found) >= len(chips) else None

        now = len(steps)
        larger = next((number for number in range(now) if at(number)), now)
        allowed = -self._patience.allowed(-larger, -now)
        grown = at(allowed) if allowed < now else None
        return (grown, allowed) if grown else (chips, now)

    def _brought_out(
        self,
        frame: np.ndarray,
        faces: Sequence[Face],
        step: tuple[int, int],
        taken: Sequence[Rectangle],
        slack: int,
        chips: list[Chip],
    ) -> list[Chip]:
        """Returns the labels with fewer inside their boxes, if there was room outside for long enough."""
        inside = _count_inside(chips)
        spots: dict[int | None, int | None] = {face.id: None for face in faces}
        spots |= {chip.face.id: chip.spot for chip in chips if chip.spot < AROUND}
        spots.pop(None, None)
        found = self._arrange(frame, faces, *step, taken, slack, spots=spots) if inside else chips
        room = inside - _count_inside(found) if len(found) >= len(chips) else 0
        return found if self._outside.allowed(room, 0) else chips

    def _arrange(
        self,
        frame: np.ndarray,
        faces: Sequence[Face],
        shorter: int,
        size: int,
        taken: Sequence[Rectangle],
        slack: int,
        *,
        spare: int | None = None,
        spots: Mapping[int | None, int | None] | None = None,
    ) -> list[Chip]:
        """Places labels of one wording and size: first those that stay where they were.

        A label that changes its place needs slack, or it would soon change it again.

        Args:
            frame: The frame, of which only the shape counts.
            faces: Its faces.
            shorter: The number of the wording, 0 for the fullest.
            size: The height of the capitals.
            taken: What may not be covered, the faces' boxes first.
            slack: By how many pixels a box may move without its label's place being lost.
            spare: All labels need slack, and it ends once more than so many have no place. None: neither.
            spots: The spots of the frame before, by id. None: the remembered ones.
        """
        before = self._spots if spots is None else spots
        found: dict[int, Chip] = {}
        taken = list(taken)

        def place(number: int, spots: Sequence[int], slack: int) -> None:
            face = faces[number]
            text = chip_texts(face)[shorter]
            others = [*taken[:number], *taken[number + 1 :]]
            chip = place_chip(frame, face.box, text, size, others, spots, slack)
            if chip is not None:
                taken.append(chip[1])
                found[number] = Chip(face, *chip, text)

        for number, face in enumerate(faces):
            spot = before.get(face.id)
            if spot is not None:
                place(number, [spot], 0 if spare is None else slack)
        for number, face in enumerate(faces):
            if number not in found:
                known = spare is not None or face.id in before
                place(number, range(AROUND + 2), slack if known else 0)
            if spare is not None and number + 1 - sum(other <= number for other in found) > spare:
                break
        return [found[number] for number in sorted(found)]

    def _place_panels(
        self, frame: np.ndarray, faces: Sequence[Face], text_px: int, taken: Sequence[Rectangle]
    ) -> list[tuple[Face, Rectangle, int]]:
        """Places the largest panels that fit over nothing in `taken`; the first faces choose first."""
        placements = [
            self._panels.get(face.id, Placement(spots=2)) if face.id is not None else Placement(spots=2)
            for face in faces
        ]
        self._panels = {
            face.id: placement
            for face, placement in zip(faces, placements, strict=True)
            if face.id is not None
        }
        places: list[Rectangle | None] = [None] * len(faces)
        sizes, slack = panel_sizes(text_px), slack_of(text_px)

        def fit_of(number: int) -> Fit:
            others = [*taken, *(place for other, place in enumerate(places) if place and other != number)]
            return lambda *fit: fit_panel(frame, faces[number], text_px, others, *fit)

        new = [placement.text_px is None for placement in placements]
        for number, placement in enumerate(placements):
            places[number] = placement.keep(fit_of(number))
        for number, placement in enumerate(placements):
            places[number] = places[number] or placement.move(fit_of(number), sizes, slack)
        for number, placement in enumerate(placements):
            if placement.patience.looks(self._frames) and not new[number] and placement.text_px != sizes[0]:
                places[number] = placement.grow(fit_of(number), sizes, slack) or places[number]
        return [
            (face, place, placement.text_px)
            for face, place, placement in zip(faces, places, placements, strict=True)
            if place and placement.text_px
        ]


def _count_inside(chips: Sequence[Chip]) -> int:
    """Returns how many labels are inside their boxes."""
    return sum(chip.spot >= AROUND for chip in chips)
