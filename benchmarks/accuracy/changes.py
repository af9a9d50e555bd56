"""Faces as they are with shifted boxes, other light and worse images: what `robustness` scores models on.

A box is changed in eight ways: its side times 0.9, 1.1, 1.2 and 1.3, its place by 10 % of its side to the
left, the right, up and down. A larger or shifted box needs surroundings, which FER2013's tight crops don't
have. There are two kinds, each with its own unchanged box to compare with:

- `border`: the face is the frame, and its edge is repeated outside its 48x48 pixels. Only the box differs
  from the dataset, but no camera sees such surroundings.
- `scene`: the face stands 96 px wide in a frame of `benchmarks/scenes.py`, with a camera's noise and JPEG.
  Even faces are in a made-up room, odd ones in the head of a real portrait. The frame itself costs accuracy,
  in the unchanged box too.

Both are cut by the runtime's own crop (`runtime/crop.py`), which takes whole pixels. In `border` 10 % of the
side are 5 of 48 pixels, and 0.9, 1.1, 1.2, 1.3 times the side are 43, 53, 58 and 62.

The third kind, `pixels`, keeps the box and changes the face: resolution, JPEG, brightness, gamma, motion.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from benchmarks.scenes import portrait_scene, scene
from reporting.progress import progress
from runtime.crop import FACE_SIDE, crop_face, square_of

SCENE_FACE_PX = 96  # two pixels for each of the face's: more would only be blurred more
SCENE_PX = 3 * SCENE_FACE_PX  # side of the frame
JPEG_QUALITY = 30
MOTION_PX = 3  # of the face's 48: what moves so far while the shutter is open
UNCHANGED = "unchanged"

# A change's name: the keywords of `runtime.crop.crop_face`. Left is where x is small, up where y is.
BOXES: dict[str, dict[str, float]] = {
    UNCHANGED: {},
    "box x0.9": {"scale": 0.9},
    "box x1.1": {"scale": 1.1},
    "box x1.2": {"scale": 1.2},
    "box x1.3": {"scale": 1.3},
    "box 10 % left": {"shift_x": -0.1},
    "box 10 % right": {"shift_x": 0.1},
    "box 10 % up": {"shift_y": -0.1},
    "box 10 % down": {"shift_y": 0.1},
}
BOX_WAYS = ("border", "scene")
WAYS = (*BOX_WAYS, "pixels")

Changed = dict[str, dict[str, np.ndarray]]  # way: change: faces, uint8 (n, 48, 48, 1)


def halve(face: np.ndarray) -> np.ndarray:
    """Returns a face, uint8 (48, 48), shrunk to 24x24 by area and enlarged again bilinearly."""
    small = cv2.resize(face, (FACE_SIDE // 2, FACE_SIDE // 2), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_LINEAR)


def compress(face: np.ndarray) -> np.ndarray:
    """Returns a face, uint8 (48, 48), as a gray JPEG of quality 30 shows it."""
    _, coded = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))


def brighten(face: np.ndarray, factor: float) -> np.ndarray:
    """Returns a face, uint8, its gray levels times `factor`, rounded and at most 255."""
    return np.clip(np.rint(face * factor), 0, 255).astype(np.uint8)


def curve(face: np.ndarray, gamma: float) -> np.ndarray:
    """Returns a face, uint8, its gray levels, 0 to 1, to the power of `gamma`: 0.5 brightens, 2 darkens."""
    return np.rint(255 * (face / 255.0) ** gamma).astype(np.uint8)


def smear(face: np.ndarray, *, down: bool) -> np.ndarray:
    """Returns a face, uint8 (48, 48), each pixel the mean of `MOTION_PX` in a row, or in a column: `down`."""
    size = (1, MOTION_PX) if down else (MOTION_PX, 1)  # width, height
    return cv2.blur(face, size, borderType=cv2.BORDER_REPLICATE)


PIXELS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    UNCHANGED: lambda face: face,
    "half resolution": halve,
    f"JPEG quality {JPEG_QUALITY}": compress,
    "brightness x0.5": lambda face: brighten(face, 0.5),
    "brightness x1.5": lambda face: brighten(face, 1.5),
    "gamma 0.5": lambda face: curve(face, 0.5),
    "gamma 2": lambda face: curve(face, 2.0),
    f"motion blur {MOTION_PX} px, sideways": lambda face: smear(face, down=False),
    f"motion blur {MOTION_PX} px, up and down": lambda face: smear(face, down=True),
}


def cut_face(face: np.ndarray, **box: float) -> np.ndarray:
    """Returns a face, uint8 (48, 48), cut out in a changed box; outside its pixels its edge is repeated.

    Args:
        face: uint8 (48, 48), gray.
        **box: `scale`, `shift_x`, `shift_y` of `crop_face`, relative to the face's own square.
    """
    frame = cv2.cvtColor(face.reshape(FACE_SIDE, FACE_SIDE), cv2.COLOR_GRAY2BGR)
    return crop_face(frame, (0, 0, FACE_SIDE, FACE_SIDE), **box)


def surround(
    face: np.ndarray, portrait: np.ndarray | None, *, seed: int
) -> tuple[np.ndarray, tuple[float, ...]]:
    """Returns a frame around a face, uint8 BGR (288, 288, 3), and the face's box (x, y, width, height).

    Frames are made from the seed until one holds the square of every changed box.

    Args:
        face: uint8 (48, 48, 1), gray.
        portrait: uint8 BGR (512, 512, 3), into whose head the face comes; None makes up a room.
        seed: Of places, rooms and noise.
    """
    for draw in range(1000):
        own_seed = seed * 1000 + draw
        if portrait is None:
            frame, box = scene(face, face_px=SCENE_FACE_PX, width=SCENE_PX, height=SCENE_PX, seed=own_seed)
        else:
            frame, box = portrait_scene(
                face, portrait, face_px=SCENE_FACE_PX, width=SCENE_PX, height=SCENE_PX, seed=own_seed
            )
        corner = tuple(float(value) for value in box)
        if all(is_inside(square_of(corner, **change)) for change in BOXES.values()):
            return frame, corner
    raise AssertionError("1,000 places in the frame, and none was in its middle.")


def is_inside(square: tuple[int, int, int]) -> bool:
    """Returns whether a square (left, top, side) lies in a frame of `SCENE_PX`."""
    left, top, side = square
    return min(left, top) >= 0 and max(left, top) + side <= SCENE_PX


def changed_faces(faces: np.ndarray, portrait: np.ndarray, *, seed: int = 0) -> Changed:
    """Returns the faces in every way and change, each uint8 (n, 48, 48, 1).

    Args:
        faces: uint8 (n, 48, 48, 1), gray.
        portrait: uint8 BGR (512, 512, 3), `demo/astronaut.jpg`.
        seed: Of places, rooms and noise.
    """
    changed: Changed = {
        "border": {name: np.empty_like(faces) for name in BOXES},
        "scene": {name: np.empty_like(faces) for name in BOXES},
        "pixels": {name: np.empty_like(faces) for name in PIXELS},
    }
    for row in progress(range(len(faces)), "Changing faces"):
        face = faces[row]
        frame, square = surround(face, portrait if row % 2 else None, seed=seed * 1_000_000 + row)
        for name, box in BOXES.items():
            changed["border"][name][row, :, :, 0] = cut_face(face, **box)
            changed["scene"][name][row, :, :, 0] = crop_face(frame, square, **box)
        for name, change in PIXELS.items():
            changed["pixels"][name][row, :, :, 0] = change(face[:, :, 0])
    return changed
