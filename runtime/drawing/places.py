"""Where a label, a panel or the status can be in a frame, and how large.

Every size is a share of the frame's shorter side, so that a thumbnail and a 4K frame look alike. A place is a
rectangle; the places around a box are numbered, and such a number is a `spot`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..recognizer import Face
from .layers import text_width

MIN_TEXT_PX = 7  # smaller capitals can't be read
ROW = 1.9  # the height of a panel's row, in heights of its capitals
AROUND = 6  # the first so many spots of a label are outside of its box, the others inside
Rectangle = tuple[int, int, int, int]  # x, y, width, height


def text_px_of(frame: np.ndarray) -> int:
    """Returns the height of a label's capitals, in pixels: a 40th of the frame's shorter side."""
    return max(MIN_TEXT_PX, round(min(frame.shape[:2]) / 40))


def slack_of(text_px: int) -> int:
    """Returns how far a new place must be from others, in pixels: boxes tremble by almost so much."""
    return max(3, text_px // 3)


def chip_texts(face: Face) -> list[str]:
    """Returns three texts of a label, the fullest first: id, label and probability; id and label; label."""
    number = "" if face.id is None else f"{face.id}  "
    texts = [f"{number}{face.label} {face.score:.0%}", f"{number}{face.label}", face.label]
    return [texts[1], *texts[1:]] if face.uncertain else texts


def chip_size(text: str, text_px: int) -> tuple[int, int]:
    """Returns the width and height of a label with this text, in pixels."""
    return text_width(text, text_px) + round(1.4 * text_px), round(2.1 * text_px)


def corners(text: str, text_px: int, image: np.ndarray) -> list[Rectangle]:
    """Returns the places of the status: the upper left corner before the others."""
    width, height = chip_size(text, text_px)
    margin = text_px // 2
    right, bottom = image.shape[1] - margin - width, image.shape[0] - margin - height
    corners = ((margin, margin), (right, margin), (margin, bottom), (right, bottom))
    return [(left, top, width, height) for left, top in corners]


def place_chip(
    image: np.ndarray,
    box: Rectangle,
    text: str,
    text_px: int,
    others: Sequence[Rectangle],
    spots: Sequence[int],
    slack: int,
) -> tuple[int, Rectangle] | None:
    """Returns the first of some spots whose place covers none of `others`, with the place; None without one.

    Args:
        image: The frame, of which only the shape counts.
        box: The face's.
        text: The label's.
        text_px: The height of its capitals.
        others: What may not be covered.
        spots: The spots to try, in order.
        slack: By how many pixels the box may move without the place being lost.
    """
    size, gap = chip_size(text, text_px), max(2, text_px // 2)
    for spot in spots:
        chip = chip_at(spot, box, size, gap, image, others)
        if chip is not None and all(
            chip_at(spot, moved, size, gap, image, others) for moved in moved(box, slack)
        ):
            return spot, chip
    return None


def moved(box: Rectangle, slack: int) -> list[Rectangle]:
    """Returns a box moved by the slack up and left, and down and right; nothing without slack."""
    x, y, width, height = box
    return [(x + by, y + by, width, height) for by in (-slack, slack)] if slack else []


def sizes_of(text_px: int) -> list[int]:
    """Returns the heights of capitals to try, in pixels: full, three quarters, and half."""
    return sorted({max(MIN_TEXT_PX, round(share * text_px)) for share in (1, 0.75, 0.5)}, reverse=True)


def chip_at(
    spot: int,
    box: Rectangle,
    size: tuple[int, int],
    gap: int,
    image: np.ndarray,
    others: Sequence[Rectangle],
) -> Rectangle | None:
    """Returns a label's place at a spot, if it is free of `others`.

    Spots 0 to 3 are above and below the box, at its left and at its right edge; 4 and 5 right and left of it;
    6 and 7 inside it, at the upper and the lower edge of what the frame shows of it.
    """
    x, y, box_width, box_height = box
    width, height = size
    frame_height, frame_width = image.shape[:2]
    if spot < 4:
        left = clamp(x if spot < 2 else x + box_width - width, frame_width - width)
        top = y + box_height + gap if spot % 2 else y - gap - height
    elif spot < AROUND:
        left, top = x - gap - width if spot % 2 else x + box_width + gap, y
    else:
        left = clamp(x, frame_width - width)
        highest, lowest = max(0, y + gap), min(frame_height, y + box_height - gap) - height
        if left + width > x + box_width + gap or lowest < highest:
            return None
        top = lowest if spot % 2 else highest
    chip = left, top, width, height
    if spot < AROUND and covers_any(chip, (box,)):
        return None
    return chip if is_free(chip, image, others) else None


def is_free(place: Rectangle, image: np.ndarray, taken: Sequence[Rectangle]) -> bool:
    """Returns whether a place is inside the frame and covers nothing in `taken`."""
    x, y, width, height = place
    inside = x >= 0 and y >= 0 and x + width <= image.shape[1] and y + height <= image.shape[0]
    return inside and not covers_any(place, taken)


def is_far(place: Rectangle, slack: int, taken: Sequence[Rectangle]) -> bool:
    """Returns whether a place is more than `slack` pixels away from all in `taken`."""
    x, y, width, height = place
    return not covers_any((x - slack, y - slack, width + 2 * slack, height + 2 * slack), taken)


def panel_sizes(text_px: int) -> range:
    """Returns the heights of a panel's capitals to try, in pixels, the largest first."""
    return range(max(MIN_TEXT_PX, round(0.8 * text_px)), MIN_TEXT_PX - 1, -1)


def fit_panel(
    image: np.ndarray,
    face: Face,
    text_px: int,
    others: Sequence[Rectangle],
    panel_px: int,
    spot: int,
    slack: int,
) -> Rectangle | None:
    """Returns the place of a panel right (spot 0) or left (1) of the box, if it covers no `others`."""
    frame_height, frame_width = image.shape[:2]
    gap = max(3, text_px // 2)
    width, height = panel_size(face.labels, panel_px)
    if width + 2 * gap > frame_width or height + 2 * gap > frame_height:
        return None
    # At most twice as high as the box, to show whose scores they are.
    if height > 2 * (face.box[3] - slack) and panel_px > MIN_TEXT_PX:
        return None
    panels = []
    for x, y, box_width, _ in (face.box, *moved(face.box, slack)):
        left = x - gap - width if spot else x + box_width + gap
        panel = (left, clamp(y, frame_height - height - gap, gap), width, height)
        if left < gap or left + width + gap > frame_width or covers_any(panel, others):
            return None
        panels.append(panel)
    return panels[0]


def panel_size(labels: Sequence[str], panel_px: int) -> tuple[int, int]:
    """Returns a panel's width and height in pixels, by the height of its capitals."""
    width = names_width(labels, panel_px) + round(11.2 * panel_px)
    return width, len(labels) * round(ROW * panel_px) + 2 * round(0.65 * panel_px)


def names_width(labels: Sequence[str], panel_px: int) -> int:
    """Returns the width of the longest label in a panel, in pixels."""
    return max(text_width(label, panel_px) for label in labels)


def covers_any(place: Rectangle, taken: Sequence[Rectangle]) -> bool:
    """Returns whether a place shares a pixel with a rectangle in `taken`."""
    left, top, width, height = place
    right, bottom = left + width, top + height
    for x, y, other_width, other_height in taken:  # plain comparisons: the most frequent line in a crowd
        if x < right and left < x + other_width and y < bottom and top < y + other_height:
            return True
    return False


def clamp(value: int, largest: int, smallest: int = 0) -> int:
    """Returns the value, or the limit that it exceeds."""
    return max(smallest, min(value, largest))
