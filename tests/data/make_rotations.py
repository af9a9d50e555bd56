"""Makes `rotations.json`: what numpy makes of turned, cropped and mirrored frames.

    python -m tests.data.make_rotations

Ports to a phone are tested against it: a camera's image lies on its side, with bytes between its rows, and
its preview is a mirror. Boxes follow no formula here: they are painted, turned and found again.

    upright  width, height; gray: base64 of height x width bytes; box (x, y, width, height in its pixels) and
             face: base64 of the 48 x 48 gray bytes that `crop_face` cuts there; boxes: more of them
    planes   degrees, by which the image must be turned clockwise; plane: base64; row_stride, pixel_stride;
             left, top, width, height of the image in the plane; boxes: the upright ones in its pixels
    views    part (x, y, width, height of the upright frame), view (width, height), fill, mirrored;
             frame_box and view_box: the same place in both
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from runtime.crop import crop_face
from tests.data.make_golden import noise

PATH = Path(__file__).parent / "rotations.json"
HEIGHT, WIDTH = 61, 83
FACE_BOX = (9, -4, 58, 66)
BOXES = [(9, 4, 58, 50), (0, 0, 83, 61), (82, 60, 1, 1), (3, 40, 20, 7)]
PADDING = 0xA7  # what lies between the pixels; no test may see it

# degrees, pixel stride, bytes after a row, then columns and rows of the plane outside the image
PLANES = [(0, 1, 0, 0, 0), (90, 1, 13, 4, 2), (180, 2, 5, 0, 3), (270, 1, 3, 6, 0)]

# part, view, fill, mirrored, a box of the frame
VIEWS = [
    ((0, 0, 480, 640), (1080, 1440), True, False, (100, 200, 150, 180)),
    ((0, 0, 480, 640), (1080, 2220), True, True, (100, 200, 150, 180)),
    ((0, 0, 480, 640), (1080, 2220), False, True, (300, 10, 90, 120.5)),
    ((60, 0, 360, 640), (1440, 900), True, False, (-20, 30.25, 200, 260)),
    ((60, 80, 361, 481), (719, 1280), False, False, (59, 79, 1, 1)),
]


def make_planes(gray: np.ndarray) -> list[dict[str, Any]]:
    """Returns the entries of `planes`: an upright image, `uint8` `(height, width)`, in a camera's planes."""
    entries = []
    for degrees, pixel_stride, padding, left, top in PLANES:
        quarters = degrees // 90
        image = np.rot90(gray, quarters)  # counterclockwise, so that the turn clockwise brings it back
        height, width = image.shape
        row_stride = (left + width) * pixel_stride + padding
        plane = np.full((top + height, row_stride), PADDING, np.uint8)
        plane[top:, left * pixel_stride : (left + width) * pixel_stride : pixel_stride] = image
        used = (
            plane.size - row_stride + (left + width - 1) * pixel_stride + 1
        )  # the last row's end is missing
        entries.append(
            {
                "degrees": degrees,
                "row_stride": row_stride,
                "pixel_stride": pixel_stride,
                "left": left,
                "top": top,
                "width": width,
                "height": height,
                "boxes": [box_of(np.rot90(painted(box), quarters)) for box in BOXES],
                "plane": text_of(plane.reshape(-1)[:used]),
            }
        )
    return entries


def painted(box: tuple[int, int, int, int]) -> np.ndarray:
    """Returns a frame, `bool` `(HEIGHT, WIDTH)`, that is true inside a box."""
    x, y, width, height = box
    frame = np.zeros((HEIGHT, WIDTH), bool)
    frame[y : y + height, x : x + width] = True
    return frame


def box_of(frame: np.ndarray) -> list[int]:
    """Returns the box of what is true in a frame."""
    rows, columns = np.nonzero(frame)
    x, y = int(columns.min()), int(rows.min())
    return [x, y, int(columns.max()) - x + 1, int(rows.max()) - y + 1]


def make_views() -> list[dict[str, Any]]:
    """Returns the entries of `views`: centre to origin, mirror, scale, origin to the view's centre."""
    entries = []
    for part, view, fill, mirrored, box in VIEWS:
        ratios = view[0] / part[2], view[1] / part[3]
        scale = max(ratios) if fill else min(ratios)
        matrix = (
            moved(view[0] / 2, view[1] / 2)
            @ np.diag([-scale if mirrored else scale, scale, 1])
            @ moved(-part[0] - part[2] / 2, -part[1] - part[3] / 2)
        )
        corners = np.array([(box[0], box[1], 1), (box[0] + box[2], box[1] + box[3], 1)]).T
        low, high = np.sort((matrix @ corners)[:2], axis=1).T
        view_box = [*low.tolist(), *(high - low).tolist()]
        entries.append({"part": list(part), "view": list(view), "fill": fill, "mirrored": mirrored})
        entries[-1] |= {"frame_box": list(box), "view_box": view_box}
    return entries


def moved(x: float, y: float) -> np.ndarray:
    """Returns the matrix `(3, 3)` that moves points."""
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]])


def text_of(array: np.ndarray) -> str:
    """Returns bytes as base64."""
    return base64.b64encode(array.tobytes()).decode("ascii")


def make_rotations() -> dict[str, Any]:
    """Returns all that the file holds."""
    frame = noise(HEIGHT, WIDTH)
    gray = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    return {
        "rotations_version": 1,
        "made_by": "python -m tests.data.make_rotations",
        "upright": {
            "width": WIDTH,
            "height": HEIGHT,
            "box": list(FACE_BOX),
            "boxes": [list(box) for box in BOXES],
            "face": text_of(crop_face(frame, FACE_BOX)),
            "gray": text_of(gray),
        },
        "planes": make_planes(gray),
        "views": make_views(),
    }


def json_of(rotations: dict[str, Any]) -> str:
    """Returns JSON with a line for each plane and view."""
    fields = []
    for name, value in rotations.items():
        text = json.dumps(value)
        if isinstance(value, list):
            text = "[\n" + ",\n".join(f"  {json.dumps(entry)}" for entry in value) + "\n ]"
        fields.append(f' "{name}": {text}')
    return "{\n" + ",\n".join(fields) + "\n}\n"


def main() -> None:
    text = json_of(make_rotations())
    part = PATH.with_name(f".{PATH.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.replace(PATH)
    print(f"{PATH.name}: {len(text)} bytes")


if __name__ == "__main__":
    main()
