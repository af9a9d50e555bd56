"""The golden vectors of `runtime/golden.json`, as arrays."""

import json

from runtime.crop import FACE_SIDE
from tests.data import make_golden

GOLDEN = json.loads(make_golden.PATH.read_text(encoding="utf-8"))
FRAMES = {
    frame["name"]: make_golden.array_of(frame["bgr"], frame["height"], frame["width"], 3)
    for frame in GOLDEN["frames"]
}


def face_of(crop):
    """Returns the face of a crop, `uint8` `(48, 48)`."""
    return make_golden.array_of(crop["face"], FACE_SIDE, FACE_SIDE)
