"""Boxes, labels and probabilities drawn on a frame.

Every measure follows the frame's shorter side, so that a thumbnail and a 4K frame look alike. OpenCV's
letters are strokes; drawn four times too large and averaged down they become smooth.

What is drawn again and again, such as a box's corners or a panel's pane, is kept as a `Layer`, so that a
frame costs little more than the pixels it changes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
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
OTHER_COLOUR: Colour = (190, 190, 60)
UNCERTAIN_COLOUR: Colour = (150, 150, 150)
WHITE: Colour = (255, 255, 255)
INK: Colour = (28, 24, 22)

FONT = cv2.FONT_HERSHEY_SIMPLEX
OVERSAMPLING = 4
LEAST_TEXT_PX = 7  # lower capitals can't be read
ROW = 1.9  # a panel's rows, in heights of their capitals

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


def draw_faces(frame: np.ndarray, faces: Sequence[Face], status: str = "") -> np.ndarray:
    """A copy of a frame, `uint8` BGR, with each face's box and label, and its scores where there is room.

    `status` is a line for a free corner, such as the frames per second. Nothing covers a face other than
    its own, or another text: in a crowd labels become smaller and shorter, and what finds no place where
    it can be read is left out. Boxes are drawn always, in the colours of their labels.
    """
    picture = frame.copy()
    text_px = _text_px(frame)
    for face in faces:
        _draw_box(picture, face.box, colour_of(face.label), text_px)
    taken: list[Rectangle] = [face.box for face in faces]
    corner = _place_status(picture, status, text_px, taken) if status else None
    if corner is not None:
        _draw_chip(picture, corner, status, INK, opacity=0.7)
        taken.append(corner)
    for face, chip, text in _place_chips(picture, faces, text_px, taken):
        _draw_chip(picture, chip, text, colour_of(face.label))
        taken.append(chip)
    for face in faces:
        panel = _place_panel(picture, face, text_px, taken)
        if panel is not None:
            _draw_panel(picture, *panel, face)
            taken.append(panel[0])
    return picture


def _text_px(frame: np.ndarray) -> int:
    """The height of a label's capitals: a 40th of the shorter side."""
    return max(LEAST_TEXT_PX, round(min(frame.shape[:2]) / 40))


def colour_of(label: str) -> Colour:
    return COLOURS.get(label, UNCERTAIN_COLOUR if label == UNCERTAIN else OTHER_COLOUR)


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


def _place_status(
    picture: np.ndarray, text: str, text_px: int, taken: Sequence[Rectangle]
) -> Rectangle | None:
    """The upper left corner, or another one that is free; smaller where the frame is small."""
    for status_px in _sizes(text_px):
        width, height = _chip_size(text, status_px)
        margin = status_px // 2
        right, bottom = picture.shape[1] - margin - width, picture.shape[0] - margin - height
        for left, top in ((margin, margin), (right, margin), (margin, bottom), (right, bottom)):
            if _is_free((left, top, width, height), picture, taken):
                return left, top, width, height
    return None


def _place_chips(
    picture: np.ndarray, faces: Sequence[Face], text_px: int, taken: Sequence[Rectangle]
) -> list[tuple[Face, Rectangle, str]]:
    """Where the labels stand and what they say: over nothing in `taken`, which begins with the faces' boxes.

    All are alike, as large and full as leaves each a place; in a throng in which nothing does, as leaves
    most of them one.
    """
    best: list[tuple[Face, Rectangle, str]] = []
    for shorter in range(3):
        for size in _sizes(text_px):
            placed: list[tuple[Face, Rectangle, str]] = []
            chips: list[Rectangle] = []
            for number, face in enumerate(faces):
                text = _chip_texts(face)[shorter]
                others = [*taken[:number], *taken[number + 1 :], *chips]
                chip = _place_chip(picture, face.box, text, size, others)
                if chip is not None:
                    chips.append(chip)
                    placed.append((face, chip, text))
            if len(placed) > len(best):
                best = placed
            if len(best) == len(faces):
                return best
    return best


def _place_chip(
    picture: np.ndarray, box: Rectangle, text: str, text_px: int, others: Sequence[Rectangle]
) -> Rectangle | None:
    """A place around a face's box, else inside it, that covers none of `others`."""
    size, gap = _chip_size(text, text_px), max(2, text_px // 2)
    for chip in _around(box, size, gap, picture.shape[1]):
        if not _covers_any(chip, [box]) and _is_free(chip, picture, others):
            return chip
    for chip in _within(box, size, gap, picture):
        if _is_free(chip, picture, others):
            return chip
    return None


def _sizes(text_px: int) -> list[int]:
    """The heights of capitals to try, in pixels: full, three quarters, and half of it."""
    return sorted({max(LEAST_TEXT_PX, round(share * text_px)) for share in (1, 0.75, 0.5)}, reverse=True)


def _around(box: Rectangle, size: tuple[int, int], gap: int, frame_width: int) -> list[Rectangle]:
    """Places for a label outside a box: above, below, then right and left of it."""
    x, y, box_width, box_height = box
    width, height = size
    above, below = y - gap - height, y + box_height + gap
    left, right = _clamp(x, frame_width - width), _clamp(x + box_width - width, frame_width - width)
    places = [(left, above), (left, below), (right, above), (right, below)]
    places += [(x + box_width + gap, y), (x - gap - width, y)]
    return [(*place, width, height) for place in places]


def _within(box: Rectangle, size: tuple[int, int], gap: int, picture: np.ndarray) -> list[Rectangle]:
    """Places for a label inside a box, at its upper and lower side, where the frame shows the box."""
    x, y, box_width, box_height = box
    width, height = size
    left = _clamp(x, picture.shape[1] - width)
    highest, lowest = max(0, y + gap), min(picture.shape[0], y + box_height - gap) - height
    if left + width > x + box_width + gap or lowest < highest:
        return []
    return [(left, highest, width, height), (left, lowest, width, height)]


def _is_free(place: Rectangle, picture: np.ndarray, taken: Sequence[Rectangle]) -> bool:
    """Whether a place lies inside the frame and covers nothing in `taken`."""
    x, y, width, height = place
    inside = x >= 0 and y >= 0 and x + width <= picture.shape[1] and y + height <= picture.shape[0]
    return inside and not _covers_any(place, taken)


def _draw_chip(
    picture: np.ndarray, chip: Rectangle, text: str, colour: Colour, *, opacity: float = 1.0
) -> None:
    x, y, width, height = chip
    blend(picture, rounded_mask(width, height, height // 3), colour, x, y, opacity)
    mask = text_mask(text, round(height / 2.1))
    text_x = x + (width - mask.shape[1]) // 2
    blend(picture, mask, _ink_on(colour), text_x, y + _text_top(height, round(height / 2.1)))


def _place_panel(
    picture: np.ndarray, face: Face, text_px: int, taken: Sequence[Rectangle]
) -> tuple[Rectangle, int] | None:
    """The largest panel of scores that fits right or left of the box and covers nothing in `taken`.

    Returns its place and the height of its capitals.
    """
    frame_height, frame_width = picture.shape[:2]
    x, y, box_width, box_height = face.box
    gap = max(3, text_px // 2)
    for panel_px in range(max(LEAST_TEXT_PX, round(0.8 * text_px)), LEAST_TEXT_PX - 1, -1):
        width, height = _panel_size(face.labels, panel_px)
        if width + 2 * gap > frame_width or height + 2 * gap > frame_height:
            continue
        # At most twice as high as the box, so that one sees whose scores they are.
        if height > 2 * box_height and panel_px > LEAST_TEXT_PX:
            continue
        top = _clamp(y, frame_height - height - gap, gap)
        for left in (x + box_width + gap, x - gap - width):
            panel = (left, top, width, height)
            inside = gap <= left and left + width + gap <= frame_width
            if inside and not _covers_any(panel, taken):
                return panel, panel_px
    return None


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
            bar = _bar(bar_width, bar_px, colour_of(label), opacity).cut(np.s_[:], np.s_[:filled])
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
