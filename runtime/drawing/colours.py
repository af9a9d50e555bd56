"""The colours of labels."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

from ..smoothing import UNCERTAIN
from .layers import Colour

COLOURS: dict[str, Colour] = {
    "angry": (72, 72, 240),
    "disgust": (96, 176, 64),
    "fear": (226, 92, 150),
    "happy": (48, 200, 250),
    "sad": (240, 146, 70),
    "surprise": (44, 128, 250),
    "neutral": (196, 186, 176),
}
# For the labels of other models, in their order; after the last one `further_colour` makes others.
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
GOLDEN_ANGLE = 0.381966  # of a turn: no two of many hues come close
UNCERTAIN_COLOUR: Colour = (150, 150, 150)


def colour_of(label: str, labels: Sequence[str] = ()) -> Colour:
    """Returns a label's colour, BGR; one that is not in `COLOURS` has its own among the model's labels."""
    if label in COLOURS:
        return COLOURS[label]
    if label == UNCERTAIN:
        return UNCERTAIN_COLOUR
    others = [other for other in labels if other not in COLOURS]
    number = others.index(label) if label in others else 0
    return OTHER_COLOURS[number] if number < len(OTHER_COLOURS) else further_colour(number)


def further_colour(number: int) -> Colour:
    """Returns a colour, BGR, for each number: hues a golden angle apart, in three brightnesses."""
    red, green, blue = colorsys.hsv_to_rgb(number * GOLDEN_ANGLE % 1, 0.8, (0.45, 1, 0.7)[number % 3])
    return round(255 * blue), round(255 * green), round(255 * red)
