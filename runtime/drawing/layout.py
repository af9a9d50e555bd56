"""Where a frame's labels, panels and status stand, chosen before anything is drawn.

Every measure follows the frame's shorter side, so that a thumbnail and a 4K frame look alike. An `Arranger`
remembers from one frame of a stream to the next where everything stood, so that nothing flickers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from ..recognizer import Face
from .layers import text_width

LEAST_TEXT_PX = 7  # lower capitals can't be read
ROW = 1.9  # a panel's rows, in heights of their capitals
PATIENCE = 25  # frames in a row that must have had room before something becomes larger or comes back
LOOK_EVERY = 5  # frames, where there was none: to look for room takes longer than all else
AROUND = 6  # places for a label outside of a box, before those inside it

Rectangle = tuple[int, int, int, int]  # x, y, width, height


class Chip(NamedTuple):
    """A face's label in a frame: which of the places around its box it has, where that is, what it says."""

    face: Face
    spot: int
    place: Rectangle
    text: str


class Layout(NamedTuple):
    """What stands where in a frame: the status, the labels, and the panels with their capitals' heights."""

    status: Rectangle | None
    chips: list[Chip]
    panels: list[tuple[Face, Rectangle, int]]


# The place of something that has several, or None where it isn't free: by the height of its capitals, by the
# number of the place, and by the slack, how many pixels it must be able to move.
Fit = Callable[[int, int, int], "Rectangle | None"]


@dataclass
class Patience:
    """Lets something become larger only after `PATIENCE` frames in a row in which there was room for it."""

    frames: int = 0
    least: int = 0

    def looks(self, number: int) -> bool:
        """Whether it is to be seen if there is room in a frame, by its number in the stream."""
        return self.frames > 0 or number % LOOK_EVERY == 0

    def allowed(self, room: int, now: int) -> int:
        """How large it may be that is `now` so large and has `room` to be larger, in the same unit."""
        if room <= now:
            self.frames = 0
            return now
        self.least = min(room, self.least) if self.frames else room
        self.frames += 1
        if self.frames <= PATIENCE:
            return now
        self.frames = 0
        return self.least


@dataclass
class Stand:
    """Where a panel or the status stood in the frame before, at `spot`, of `spots` places.

    `text_px` is the height of its capitals: 0 where there was no room for it, None before its first frame.
    """

    spots: int
    text_px: int | None = None
    spot: int = 0
    patience: Patience = field(default_factory=Patience)

    def keep(self, fit: Fit) -> Rectangle | None:
        """Its place, if that is still free."""
        return fit(self.text_px, self.spot, 0) if self.text_px else None

    def move(self, fit: Fit, sizes: Sequence[int], slack: int) -> Rectangle | None:
        """Another place, not larger than before; what comes anew takes the largest that is free."""
        if self.text_px is None:
            return self._take(fit, sizes, 0)
        return self._take(fit, [size for size in sizes if size <= self.text_px], slack)

    def grow(self, fit: Fit, sizes: Sequence[int], slack: int) -> Rectangle | None:
        """A larger place, or one at all, if there has been room for long enough."""
        now = self.text_px or 0
        larger = [size for size in sizes if size > now]
        found = self._search(fit, larger, slack)
        allowed = self.patience.allowed(found[0] if found else 0, now)
        if allowed == now or not self._search(fit, [allowed], slack):
            return None
        return self._take(fit, [allowed], slack)

    def _take(self, fit: Fit, sizes: Sequence[int], slack: int) -> Rectangle | None:
        found = self._search(fit, sizes, slack)
        self.text_px, self.spot = (found[0], found[1]) if found else (0, self.spot)
        return found[2] if found else None

    def _search(self, fit: Fit, sizes: Sequence[int], slack: int) -> tuple[int, int, Rectangle] | None:
        """The first size at which it fits, the place where it is already before the others."""
        spots = sorted(range(self.spots), key=lambda spot: spot != self.spot)
        for size in sizes:
            for spot in spots:
                place = fit(size, spot, slack)
                if place is not None:
                    return size, spot, place
        return None


class Arranger:
    """Says where everything stands in the frames of a stream, one after another, so that nothing flickers.

    A label and a panel stay at their side of the box while it is free. Labels become smaller and shorter at
    once where they must; larger and fuller, all together, only after `PATIENCE` frames in which they would
    have fitted with some pixels to spare; likewise a panel, and one that had no room, and a label that stood
    inside its box and can stand outside. Faces are known by their ids, and forgotten in the first frame
    without them; those without an id are new in every frame.
    """

    def __init__(self) -> None:
        self._shape: tuple[int, ...] = ()
        self._forget()

    def _forget(self) -> None:
        self._status = Stand(spots=4)
        self._panels: dict[int, Stand] = {}
        self._spots: dict[int | None, int | None] = {}  # of each label, None where it had no room
        self._step = 0
        self._patience = Patience()
        self._outside = Patience()
        self._frames = 0

    def lay_out(self, frame: np.ndarray, faces: Sequence[Face], status: str = "") -> Layout:
        """Where everything stands in the next frame, of which only the shape counts."""
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
        def fit(status_px: int, spot: int, slack: int) -> Rectangle | None:
            corner = _corners(text, status_px, frame)[spot]
            return corner if _is_free(corner, frame, []) and _is_far(corner, slack, taken) else None

        sizes, slack = _sizes(text_px), _slack(text_px)
        place = self._status.keep(fit) or self._status.move(fit, sizes, slack)
        if self._status.patience.looks(self._frames):
            place = self._status.grow(fit, sizes, slack) or place
        return place

    def _place_chips(
        self, frame: np.ndarray, faces: Sequence[Face], text_px: int, taken: Sequence[Rectangle]
    ) -> list[Chip]:
        """The labels, over nothing in `taken`, which begins with the faces' boxes.

        All are alike, as large and full as leaves each a place; in a throng in which nothing does, as leaves
        most of them one.
        """
        steps = [(shorter, size) for shorter in range(3) for size in _sizes(text_px)]
        slack = _slack(text_px)
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
        """The labels at an earlier, larger step if they have fitted there for long enough; with the step."""
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
        """The labels with fewer inside their boxes, if there has been room outside for long enough."""
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
        """The labels that have a place at one wording and size: first those that stay where they were.

        A label that changes its place must have slack, or it would soon change it again; with `spare` all
        must, and it ends where more than so many have none. `spots` are those of the frame before.
        """
        before = self._spots if spots is None else spots
        found: dict[int, Chip] = {}
        taken = list(taken)

        def place(number: int, spots: Sequence[int], slack: int) -> None:
            face = faces[number]
            text = _chip_texts(face)[shorter]
            others = [*taken[:number], *taken[number + 1 :]]
            chip = _place_chip(frame, face.box, text, size, others, spots, slack)
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
        """The largest panels that fit, the faces' order deciding, over nothing in `taken`."""
        stands = [
            self._panels.get(face.id, Stand(spots=2)) if face.id is not None else Stand(spots=2)
            for face in faces
        ]
        self._panels = {
            face.id: stand for face, stand in zip(faces, stands, strict=True) if face.id is not None
        }
        places: list[Rectangle | None] = [None] * len(faces)
        sizes, slack = _panel_sizes(text_px), _slack(text_px)

        def fit_of(number: int) -> Fit:
            others = [*taken, *(place for other, place in enumerate(places) if place and other != number)]
            return lambda *fit: _fit_panel(frame, faces[number], text_px, others, *fit)

        new = [stand.text_px is None for stand in stands]
        for number, stand in enumerate(stands):
            places[number] = stand.keep(fit_of(number))
        for number, stand in enumerate(stands):
            places[number] = places[number] or stand.move(fit_of(number), sizes, slack)
        for number, stand in enumerate(stands):
            if stand.patience.looks(self._frames) and not new[number] and stand.text_px != sizes[0]:
                places[number] = stand.grow(fit_of(number), sizes, slack) or places[number]
        return [
            (face, place, stand.text_px)
            for face, place, stand in zip(faces, places, stands, strict=True)
            if place and stand.text_px
        ]


def text_px_of(frame: np.ndarray) -> int:
    """The height of a label's capitals: a 40th of the shorter side."""
    return max(LEAST_TEXT_PX, round(min(frame.shape[:2]) / 40))


def _slack(text_px: int) -> int:
    """How many pixels boxes tremble in a stream, and some more: so far away others must be of a new place."""
    return max(3, text_px // 3)


def _chip_texts(face: Face) -> list[str]:
    """Three things to say, the fullest first: the number of a face that is followed, label, probability."""
    number = "" if face.id is None else f"{face.id}  "
    texts = [f"{number}{face.label} {face.score:.0%}", f"{number}{face.label}", face.label]
    return [texts[1], *texts[1:]] if face.uncertain else texts


def _chip_size(text: str, text_px: int) -> tuple[int, int]:
    return text_width(text, text_px) + round(1.4 * text_px), round(2.1 * text_px)


def _corners(text: str, text_px: int, image: np.ndarray) -> list[Rectangle]:
    """Places for the status: the upper left corner before the others."""
    width, height = _chip_size(text, text_px)
    margin = text_px // 2
    right, bottom = image.shape[1] - margin - width, image.shape[0] - margin - height
    corners = ((margin, margin), (right, margin), (margin, bottom), (right, bottom))
    return [(left, top, width, height) for left, top in corners]


def _place_chip(
    image: np.ndarray,
    box: Rectangle,
    text: str,
    text_px: int,
    others: Sequence[Rectangle],
    spots: Sequence[int],
    slack: int,
) -> tuple[int, Rectangle] | None:
    """The first of some places around a face's box, else inside it, that covers none of `others`."""
    size, gap = _chip_size(text, text_px), max(2, text_px // 2)
    for spot in spots:
        chip = _chip_at(spot, box, size, gap, image, others)
        if chip is not None and all(
            _chip_at(spot, moved, size, gap, image, others) for moved in _moved(box, slack)
        ):
            return spot, chip
    return None


def _moved(box: Rectangle, slack: int) -> list[Rectangle]:
    """Where there is slack, a box so many pixels further up and left, and so many further down and right."""
    x, y, width, height = box
    return [(x + by, y + by, width, height) for by in (-slack, slack)] if slack else []


def _sizes(text_px: int) -> list[int]:
    """The heights of capitals to try, in pixels: full, three quarters, and half of it."""
    return sorted({max(LEAST_TEXT_PX, round(share * text_px)) for share in (1, 0.75, 0.5)}, reverse=True)


def _count_inside(chips: Sequence[Chip]) -> int:
    """How many labels stand inside their boxes."""
    return sum(chip.spot >= AROUND for chip in chips)


def _chip_at(
    spot: int,
    box: Rectangle,
    size: tuple[int, int],
    gap: int,
    image: np.ndarray,
    others: Sequence[Rectangle],
) -> Rectangle | None:
    """A label's place by its number, if it is free of `others`.

    Four are above and below the box, at its left and at its right; two right and left of it; and two inside
    it, at its upper and lower side, where the frame shows the box.
    """
    x, y, box_width, box_height = box
    width, height = size
    frame_height, frame_width = image.shape[:2]
    if spot < 4:
        left = _clamp(x if spot < 2 else x + box_width - width, frame_width - width)
        top = y + box_height + gap if spot % 2 else y - gap - height
    elif spot < AROUND:
        left, top = x - gap - width if spot % 2 else x + box_width + gap, y
    else:
        left = _clamp(x, frame_width - width)
        highest, lowest = max(0, y + gap), min(frame_height, y + box_height - gap) - height
        if left + width > x + box_width + gap or lowest < highest:
            return None
        top = lowest if spot % 2 else highest
    chip = left, top, width, height
    if spot < AROUND and _covers_any(chip, (box,)):
        return None
    return chip if _is_free(chip, image, others) else None


def _is_free(place: Rectangle, image: np.ndarray, taken: Sequence[Rectangle]) -> bool:
    """Whether a place lies inside the frame and covers nothing in `taken`."""
    x, y, width, height = place
    inside = x >= 0 and y >= 0 and x + width <= image.shape[1] and y + height <= image.shape[0]
    return inside and not _covers_any(place, taken)


def _is_far(place: Rectangle, slack: int, taken: Sequence[Rectangle]) -> bool:
    """Whether a place is more than `slack` pixels away from all in `taken`."""
    x, y, width, height = place
    return not _covers_any((x - slack, y - slack, width + 2 * slack, height + 2 * slack), taken)


def _panel_sizes(text_px: int) -> range:
    """The heights of a panel's capitals to try, in pixels, the largest first."""
    return range(max(LEAST_TEXT_PX, round(0.8 * text_px)), LEAST_TEXT_PX - 1, -1)


def _fit_panel(
    image: np.ndarray,
    face: Face,
    text_px: int,
    others: Sequence[Rectangle],
    panel_px: int,
    spot: int,
    slack: int,
) -> Rectangle | None:
    """A panel of scores right (spot 0) or left (1) of the box, if it fits and covers none of `others`."""
    frame_height, frame_width = image.shape[:2]
    gap = max(3, text_px // 2)
    width, height = panel_size(face.labels, panel_px)
    if width + 2 * gap > frame_width or height + 2 * gap > frame_height:
        return None
    # At most twice as high as the box, so that one sees whose scores they are.
    if height > 2 * (face.box[3] - slack) and panel_px > LEAST_TEXT_PX:
        return None
    panels = []
    for x, y, box_width, _ in (face.box, *_moved(face.box, slack)):
        left = x - gap - width if spot else x + box_width + gap
        panel = (left, _clamp(y, frame_height - height - gap, gap), width, height)
        if left < gap or left + width + gap > frame_width or _covers_any(panel, others):
            return None
        panels.append(panel)
    return panels[0]


def panel_size(labels: Sequence[str], panel_px: int) -> tuple[int, int]:
    width = names_width(labels, panel_px) + round(11.2 * panel_px)
    return width, len(labels) * round(ROW * panel_px) + 2 * round(0.65 * panel_px)


def names_width(labels: Sequence[str], panel_px: int) -> int:
    return max(text_width(label, panel_px) for label in labels)


def _covers_any(place: Rectangle, taken: Sequence[Rectangle]) -> bool:
    """Whether a place shares a pixel with one of the rectangles in `taken`."""
    left, top, width, height = place
    right, bottom = left + width, top + height
    for x, y, other_width, other_height in taken:  # plain comparisons: the hottest line of a throng
        if x < right and left < x + other_width and y < bottom and top < y + other_height:
            return True
    return False


def _clamp(value: int, largest: int, least: int = 0) -> int:
    return max(least, min(value, largest))
