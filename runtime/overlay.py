"""Boxes, labels and probabilities drawn on a frame.

Every measure follows the frame's shorter side, so that a thumbnail and a 4K frame look alike. OpenCV's
letters are strokes; drawn four times too large and averaged down they become smooth.

What is drawn again and again, such as a box's corners or a panel's pane, is kept as a `Layer`, so that a
frame costs little more than the pixels it changes. What stands where is chosen before anything is drawn;
an `Overlay` remembers it from one frame of a stream to the next, so that nothing flickers.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from .recognizer import Face
from .smoothing import UNCERTAIN

Colour = tuple[int, int, int]  # BGR

COLOURS: dict[str, Colour] = {
    "angry": (72, 72, 240),
    "disgust": (96, 176, 64),
    "fear": (226, 92, 150),
    "happy": (48, 200, 250),
    "sad": (240, 146, 70),
    "surprise": (44, 128, 250),
    "neutral": (196, 186, 176),
}
# For the labels of other models, in their order; more than these begin anew.
OTHER_COLOURS: tuple[Colour, ...] = (
    (190, 190, 60),
    (180, 130, 250),
    (60, 225, 175),
    (60, 95, 150),
    (140, 60, 50),
    (130, 100, 20),
    (150, 30, 205),
    (50, 130, 130),
)
UNCERTAIN_COLOUR: Colour = (150, 150, 150)
WHITE: Colour = (255, 255, 255)
INK: Colour = (28, 24, 22)

FONT = cv2.FONT_HERSHEY_SIMPLEX
OVERSAMPLING = 4
LEAST_TEXT_PX = 7  # lower capitals can't be read
ROW = 1.9  # a panel's rows, in heights of their capitals
PATIENCE = 25  # frames in a row that must have had room before something becomes larger or comes back
LOOK_EVERY = 5  # frames, where there was none: to look for room takes longer than all else
AROUND = 6  # places for a label outside of a box, before those inside it

Rectangle = tuple[int, int, int, int]  # x, y, width, height


class Layer(NamedTuple):
    """What a drawing does to a picture under it; both are `uint8`, `(rows, columns, 3)`.

    `through` says how much of the picture is still seen, 255 all of it; `shade` is added to that, and is how
    the drawing looks on black.
    """

    through: np.ndarray
    shade: np.ndarray

    def cut(self, rows: slice, columns: slice) -> Layer:
        return Layer(self.through[rows, columns], self.shade[rows, columns])

    def frozen(self) -> Layer:
        """The same, safe to be kept: nobody can write into it."""
        for array in self:
            array.flags.writeable = False
        return self


class Outline(NamedTuple):
    """The lines that a box is drawn with: two thicknesses in pixels, and their colour."""

    thin: int
    strong: int
    colour: Colour

    @property
    def rim(self) -> int:
        return self.strong + max(2, self.strong // 2)

    @property
    def margin(self) -> int:
        """How far the rim can reach beyond the middle of a line, smoothed as it is."""
        return self.rim // 2 + 2


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
        return self._take(fit, [size for size in sizes if size <= (self.text_px or 0)], slack)

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


class Overlay:
    """Draws the frames of a stream, one after another, as `draw_faces` does, but so that nothing flickers.

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

    def __call__(self, frame: np.ndarray, faces: Sequence[Face], status: str = "") -> np.ndarray:
        """A copy of a frame, `uint8` BGR, with boxes, labels, panels and the status."""
        picture = frame.copy()
        text_px = _text_px(frame)
        for face in faces:
            _draw_box(picture, face.box, colour_of(face.label, face.labels), text_px)
        layout = self.lay_out(frame, faces, status)
        if layout.status is not None:
            _draw_chip(picture, layout.status, status, INK, opacity=0.7)
        for face, _, place, text in layout.chips:
            _draw_chip(picture, place, text, colour_of(face.label, face.labels))
        for face, place, panel_px in layout.panels:
            _draw_panel(picture, place, panel_px, face)
        return picture

    def lay_out(self, frame: np.ndarray, faces: Sequence[Face], status: str = "") -> Layout:
        """Where everything stands in the next frame, of which only the shape counts."""
        if frame.shape != self._shape:
            self._forget()
            self._shape = frame.shape
        self._frames += 1
        text_px = _text_px(frame)
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
        spots = {chip.face.id: chip.spot if chip.spot < AROUND else None for chip in chips}
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


def draw_faces(frame: np.ndarray, faces: Sequence[Face], status: str = "") -> np.ndarray:
    """A copy of a frame, `uint8` BGR, with each face's box and label, and its scores where there is room.

    `status` is a line for a free corner, such as the frames per second. Nothing covers a face other than
    its own, or another text: in a crowd labels become smaller and shorter, and what finds no place where
    it can be read is left out. Boxes are drawn always, in the colours of their labels.

    For the frames of a stream an `Overlay` does the same without flicker.
    """
    return Overlay()(frame, faces, status)


def _text_px(frame: np.ndarray) -> int:
    """The height of a label's capitals: a 40th of the shorter side."""
    return max(LEAST_TEXT_PX, round(min(frame.shape[:2]) / 40))


def _slack(text_px: int) -> int:
    """How many pixels boxes tremble in a stream, and some more: so far away others must be of a new place."""
    return max(3, text_px // 3)


def colour_of(label: str, labels: Sequence[str] = ()) -> Colour:
    """A label's colour; one that `COLOURS` doesn't know has its own among the model's `labels`."""
    if label in COLOURS:
        return COLOURS[label]
    if label == UNCERTAIN:
        return UNCERTAIN_COLOUR
    others = [other for other in labels if other not in COLOURS]
    return OTHER_COLOURS[others.index(label) % len(OTHER_COLOURS) if label in others else 0]


def _chip_texts(face: Face) -> list[str]:
    """Three things to say, the fullest first: the number of a face that is followed, label, probability."""
    number = "" if face.id is None else f"{face.id}  "
    texts = [f"{number}{face.label} {face.score:.0%}", f"{number}{face.label}", face.label]
    return [texts[1], *texts[1:]] if face.uncertain else texts


def _draw_box(picture: np.ndarray, box: Rectangle, colour: Colour, text_px: int) -> None:
    """A thin rounded frame with strong corners, on a dark rim that shows on a bright ground."""
    shorter, longer = sorted(box[2:])
    strong = max(2, min(round(text_px / 4), shorter // 18))
    outline = Outline(max(1, round(text_px / 10)), strong, colour)
    radius = max(1, min(text_px, shorter // 6))
    arm = max(radius, shorter // 4)
    # The pieces of a tiny box would overlap, and those of a giant one would take much memory.
    if radius < outline.margin or longer > max(picture.shape):
        _stroke_box(picture, box, radius, arm, outline)
    else:
        _lay_box(picture, box, radius, arm, outline)


def _lay_box(picture: np.ndarray, box: Rectangle, radius: int, arm: int, outline: Outline) -> None:
    """A box of layers: four curves, and between them eight halves of sides, each with its arm."""
    x, y, width, height = box
    right, bottom, middle_x, middle_y = x + width - 1, y + height - 1, x + width // 2, y + height // 2
    for corner_y, down in ((y, 1), (bottom, -1)):
        top = _least(corner_y, down, radius, outline)
        for corner_x, across in ((x, 1), (right, -1)):
            left = _least(corner_x, across, radius, outline)
            _lay(picture, _curve(radius, outline, across, down), left, top)
    length = 1 << int(max(width, height) // 2).bit_length()  # of few kinds, so that boxes share them
    for corner, direction, start, stop in (
        (x, 1, x + radius, middle_x),
        (right, -1, middle_x, right - radius + 1),
    ):
        first = corner + direction * arm - length
        side = _side(outline, length, direction).cut(np.s_[:], np.s_[start - first : stop - first])
        for corner_y in (y, bottom):
            _lay(picture, side, start, corner_y - outline.margin)
    for corner, direction, start, stop in (
        (y, 1, y + radius, middle_y),
        (bottom, -1, middle_y, bottom - radius + 1),
    ):
        first = corner + direction * arm - length
        side = _side(outline, length, direction, upright=True)
        side = side.cut(np.s_[start - first : stop - first], np.s_[:])
        for corner_x in (x, right):
            _lay(picture, side, corner_x - outline.margin, start)


def _stroke_box(picture: np.ndarray, box: Rectangle, radius: int, arm: int, outline: Outline) -> None:
    """A box without layers: rim, thin frame and strong corners, with arms of `arm` pixels at most."""
    x, y, width, height = box
    for reach, colour, thickness in (
        (arm, INK, outline.rim),
        (max(width, height), outline.colour, outline.thin),
        (arm, outline.colour, outline.strong),
    ):
        arms = min(reach, width // 2), min(reach, height // 2)
        for corner_y, down in ((y, 1), (y + height - 1, -1)):
            for corner_x, across in ((x, 1), (x + width - 1, -1)):
                line = _corner((corner_x, corner_y), (across, down), arms, radius)
                cv2.polylines(picture, [line], False, colour, thickness, cv2.LINE_AA)


def _corner(
    corner: tuple[int, int], direction: tuple[int, int], arms: tuple[int, int], radius: int
) -> np.ndarray:
    """The points of a round corner, `int32` `(points, 2)`, whose arms point to `direction`, 1 or -1 each."""
    (x, y), (across, down), (arm_x, arm_y) = corner, direction, arms
    angle = {(1, 1): 180, (-1, 1): 270, (-1, -1): 0, (1, -1): 90}[direction]
    curve = cv2.ellipse2Poly((x + across * radius, y + down * radius), (radius, radius), angle, 0, 90, 6)
    # The curve runs clockwise: where it starts depends on the corner.
    ends = [[x, y + down * arm_y], [x + across * arm_x, y]]
    if across != down:
        ends.reverse()
    return np.array([ends[0], *np.array(curve).tolist(), ends[1]], np.int32)


@lru_cache(maxsize=256)
def _curve(radius: int, outline: Outline, across: int, down: int) -> Layer:
    """A round corner, from the margin outside of it to where its arms begin."""
    side = outline.margin + radius
    corner = -_least(0, across, radius, outline), -_least(0, down, radius, outline)
    line = _corner(corner, (across, down), (2 * side, 2 * side), radius)
    return _stroked((side, side), line, line, outline)


def _least(corner: int, direction: int, radius: int, outline: Outline) -> int:
    """The least coordinate that the curve at a corner covers."""
    return corner - outline.margin if direction > 0 else corner - radius + 1


@lru_cache(maxsize=128)
def _side(outline: Outline, length: int, direction: int, *, upright: bool = False) -> Layer:
    """A strong arm that ends in the middle, and the thin line in which it goes on: `2 * length + 1` pixels.

    `direction`, 1 or -1, is where the line goes on: right or, `upright`, down; left or up.
    """
    margin, beyond = outline.margin, 2 * outline.margin
    ends = np.array([(-beyond, margin), (2 * length + beyond, margin)], np.int32)[::direction]
    arm = np.array([ends[0], (length, margin)], np.int32)
    shape = (2 * margin + 1, 2 * length + 1)
    if upright:
        return _stroked(shape[::-1], ends[:, ::-1], arm[:, ::-1], outline)
    return _stroked(shape, ends, arm, outline)


def _stroked(shape: tuple[int, int], line: np.ndarray, arm: np.ndarray, outline: Outline) -> Layer:
    """A thin line, and an arm of it that is strong and has a rim; both are points, `int32` `(points, 2)`."""
    rim, stroke = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    cv2.polylines(rim, [np.ascontiguousarray(arm)], False, 255, outline.rim, cv2.LINE_AA)
    cv2.polylines(stroke, [np.ascontiguousarray(line)], False, 255, outline.thin, cv2.LINE_AA)
    cv2.polylines(stroke, [np.ascontiguousarray(arm)], False, 255, outline.strong, cv2.LINE_AA)
    layer = _layer(rim, INK)
    _cover(layer, _layer(stroke, outline.colour), 0, 0)
    return layer.frozen()


def _chip_size(text: str, text_px: int) -> tuple[int, int]:
    return _text_width(text, text_px) + round(1.4 * text_px), round(2.1 * text_px)


def _corners(text: str, text_px: int, picture: np.ndarray) -> list[Rectangle]:
    """Places for the status: the upper left corner before the others."""
    width, height = _chip_size(text, text_px)
    margin = text_px // 2
    right, bottom = picture.shape[1] - margin - width, picture.shape[0] - margin - height
    corners = ((margin, margin), (right, margin), (margin, bottom), (right, bottom))
    return [(left, top, width, height) for left, top in corners]


def _place_chip(
    picture: np.ndarray,
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
        chip = _chip_at(spot, box, size, gap, picture, others)
        if chip is not None and all(
            _chip_at(spot, moved, size, gap, picture, others) for moved in _moved(box, slack)
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
    picture: np.ndarray,
    others: Sequence[Rectangle],
) -> Rectangle | None:
    """A label's place by its number, if it is free of `others`.

    Four are above and below the box, at its left and at its right; two right and left of it; and two inside
    it, at its upper and lower side, where the frame shows the box.
    """
    x, y, box_width, box_height = box
    width, height = size
    frame_height, frame_width = picture.shape[:2]
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
    return chip if _is_free(chip, picture, others) else None


def _is_free(place: Rectangle, picture: np.ndarray, taken: Sequence[Rectangle]) -> bool:
    """Whether a place lies inside the frame and covers nothing in `taken`."""
    x, y, width, height = place
    inside = x >= 0 and y >= 0 and x + width <= picture.shape[1] and y + height <= picture.shape[0]
    return inside and not _covers_any(place, taken)


def _is_far(place: Rectangle, slack: int, taken: Sequence[Rectangle]) -> bool:
    """Whether a place is more than `slack` pixels away from all in `taken`."""
    x, y, width, height = place
    return not _covers_any((x - slack, y - slack, width + 2 * slack, height + 2 * slack), taken)


def _draw_chip(
    picture: np.ndarray, chip: Rectangle, text: str, colour: Colour, *, opacity: float = 1.0
) -> None:
    x, y, width, height = chip
    blend(picture, rounded_mask(width, height, height // 3), colour, x, y, opacity)
    mask = text_mask(text, round(height / 2.1))
    text_x = x + (width - mask.shape[1]) // 2
    blend(picture, mask, _ink_on(colour), text_x, y + _text_top(height, round(height / 2.1)))


def _panel_sizes(text_px: int) -> range:
    """The heights of a panel's capitals to try, in pixels, the largest first."""
    return range(max(LEAST_TEXT_PX, round(0.8 * text_px)), LEAST_TEXT_PX - 1, -1)


def _fit_panel(
    picture: np.ndarray,
    face: Face,
    text_px: int,
    others: Sequence[Rectangle],
    panel_px: int,
    spot: int,
    slack: int,
) -> Rectangle | None:
    """A panel of scores right (spot 0) or left (1) of the box, if it fits and covers none of `others`."""
    frame_height, frame_width = picture.shape[:2]
    gap = max(3, text_px // 2)
    width, height = _panel_size(face.labels, panel_px)
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


def _panel_size(labels: Sequence[str], panel_px: int) -> tuple[int, int]:
    width = _names_width(labels, panel_px) + round(11.2 * panel_px)
    return width, len(labels) * round(ROW * panel_px) + 2 * round(0.65 * panel_px)


def _names_width(labels: Sequence[str], panel_px: int) -> int:
    return max(_text_width(label, panel_px) for label in labels)


def _draw_panel(picture: np.ndarray, panel: Rectangle, panel_px: int, face: Face) -> None:
    """A dark pane with a row per label: its name, its bar, its percentage."""
    x, y, width, _ = panel
    bar_x, bars_y, bar_width, bar_px = _bars(face.labels, panel_px)
    pad, row_px = round(0.9 * panel_px), round(ROW * panel_px)
    _lay(picture, _pane(tuple(face.labels), panel_px), x, y)
    for number, (label, score) in enumerate(zip(face.labels, face.scores.tolist(), strict=True)):
        text_y = y + round(0.65 * panel_px) + number * row_px + _text_top(row_px, panel_px)
        opacity = 1.0 if label == face.label else 0.78
        _lay(picture, _text_layer(label, panel_px, opacity), x + pad, text_y)
        filled = round(bar_width * score)
        if filled:
            bar = _bar(bar_width, bar_px, colour_of(label, face.labels), opacity).cut(
                np.s_[:], np.s_[:filled]
            )
            _lay(picture, bar, x + bar_x, y + bars_y + number * row_px)
        percent = _text_layer(f"{score:.0%}", panel_px, opacity)
        _lay(picture, percent, x + width - pad - percent.shade.shape[1], text_y)


def _bars(labels: Sequence[str], panel_px: int) -> Rectangle:
    """The first bar's place in a panel, and the size of one that is full."""
    pad, bar_px = round(0.9 * panel_px), max(3, round(0.75 * panel_px))
    top = round(0.65 * panel_px) + (round(ROW * panel_px) - bar_px) // 2
    return 2 * pad + _names_width(labels, panel_px), top, round(4.2 * panel_px), bar_px


@lru_cache(maxsize=8)
def _pane(labels: tuple[str, ...], panel_px: int) -> Layer:
    """A panel's ground with empty bars; few are kept, as one takes megabytes in a 4K frame."""
    bar_x, bars_y, bar_width, bar_px = _bars(labels, panel_px)
    pane = _layer(rounded_mask(*_panel_size(labels, panel_px), panel_px), INK, 0.72)
    bar = _bar(bar_width, bar_px, WHITE, 0.2)
    for number in range(len(labels)):
        _cover(pane, bar, bar_x, bars_y + number * round(ROW * panel_px))
    return pane.frozen()


@lru_cache(maxsize=128)
def _bar(width: int, height: int, colour: Colour, opacity: float) -> Layer:
    return _layer(rounded_mask(width, height, height // 2), colour, opacity).frozen()


@lru_cache(maxsize=512)
def _text_layer(text: str, text_px: int, opacity: float) -> Layer:
    """A line of white text, for those that come again and again."""
    return _layer(text_mask(text, text_px), WHITE, opacity).frozen()


@lru_cache(maxsize=2048)
def _text_width(text: str, text_px: int) -> int:
    """How many pixels wide the mask of a text is."""
    scale, thickness = _pen(text_px)
    (width, _), _ = cv2.getTextSize(_letters(text), FONT, scale, thickness)
    return -(-(width + thickness) // OVERSAMPLING)


def _letters(text: str) -> str:
    """What OpenCV's letters, which are ASCII, can write of a text: no accents, and ? for all else.

    Text that isn't UTF-8 (neither a file's name nor a label of a card need be) ends its process.
    """
    letters = (letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return "".join(letter if " " <= letter <= "~" else "?" for letter in letters)


def _pen(text_px: int) -> tuple[float, int]:
    """OpenCV's scale and thickness of letters that are drawn too large, to be averaged down."""
    capital_px = text_px * OVERSAMPLING
    return capital_px / 21, max(1, round(capital_px / 6.5))  # the Hershey capitals are 21 units high


@lru_cache(maxsize=256)
def text_mask(text: str, text_px: int) -> np.ndarray:
    """Coverage 0-255 of a line of text whose capitals are `text_px` high, with room for descenders."""
    scale, thickness = _pen(text_px)
    rows = round(1.6 * text_px) * OVERSAMPLING
    columns = _text_width(text, text_px) * OVERSAMPLING
    large = np.zeros((rows, columns), np.uint8)
    baseline = round(1.15 * OVERSAMPLING * text_px)
    cv2.putText(large, _letters(text), (thickness // 2, baseline), FONT, scale, 255, thickness, cv2.LINE_AA)
    size = (columns // OVERSAMPLING, rows // OVERSAMPLING)
    mask = cv2.resize(large, size, interpolation=cv2.INTER_AREA)
    mask.flags.writeable = False
    return mask


def _text_top(height: int, text_px: int) -> int:
    """Where a text mask starts so that its capitals stand in the middle of `height` rows."""
    return round((height - text_px) / 2 - 0.15 * text_px)


@lru_cache(maxsize=64)
def rounded_mask(width: int, height: int, radius: int) -> np.ndarray:
    """Coverage 0-255 of a rectangle with round corners."""
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


def blend(
    picture: np.ndarray, mask: np.ndarray, colour: Colour, x: int, y: int, opacity: float = 1.0
) -> None:
    """Lay a colour over a picture where a mask covers it; what leaves the picture is cut off."""
    _lay(picture, _layer(mask, colour, opacity), x, y)


def _layer(mask: np.ndarray, colour: Colour, opacity: float = 1.0) -> Layer:
    """A colour where a mask, coverage 0-255, lets it be seen."""
    through = cv2.convertScaleAbs(mask, alpha=-opacity, beta=255)
    shades = [cv2.convertScaleAbs(mask, alpha=opacity * value / 255) for value in colour]
    return Layer(cv2.merge([through, through, through]), cv2.merge(shades))


def _cover(lower: Layer, upper: Layer, x: int, y: int) -> None:
    """Lay a layer over another one, which becomes both."""
    _lay(lower.through, Layer(upper.through, np.zeros_like(upper.shade)), x, y)
    _lay(lower.shade, upper, x, y)


def _lay(picture: np.ndarray, layer: Layer, x: int, y: int) -> None:
    """Lay a layer over a picture, its upper left corner at `x, y`; what leaves the picture is cut off."""
    height, width = layer.shade.shape[:2]
    left, top = max(x, 0), max(y, 0)
    right, bottom = min(x + width, picture.shape[1]), min(y + height, picture.shape[0])
    if left >= right or top >= bottom:
        return
    region = picture[top:bottom, left:right]
    rows, columns = slice(top - y, bottom - y), slice(left - x, right - x)
    cv2.multiply(region, layer.through[rows, columns], dst=region, scale=1 / 255)
    cv2.add(region, layer.shade[rows, columns], dst=region)


def _ink_on(colour: Colour) -> Colour:
    """Dark or white, whichever stands out on a colour (BT.601 luma)."""
    blue, green, red = colour
    return INK if 0.114 * blue + 0.587 * green + 0.299 * red > 130 else WHITE


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
