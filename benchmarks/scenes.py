"""Frames around dataset faces, to measure detector, crop and model where no photograph may be shared.

FER2013's faces are tight 48x48 crops of photographs that are not in the set. On a flat frame they are harder
to find than in any photograph, so two surroundings are made up: `scene` continues the face into a head,
shoulders and a cluttered room; `portrait_scene` puts it into the head of a real portrait. Both return the
dataset's square to the pixel, which is the truth for detectors and for the crop rule. A frame that shows a
FER2013 face must not be published.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks.errors import BenchmarkError

PORTRAIT = Path(__file__).resolve().parents[1] / "demo" / "astronaut.jpg"
# Where FER2013 would have cut the NASA portrait (512x512): x, y, side in pixels.
PORTRAIT_SQUARE = (167.0, 64.0, 114.0)
_SKIN_BGR = np.array([0.86, 0.96, 1.08], np.float32)


class PortraitError(BenchmarkError):
    """The portrait that faces are set into is missing or damaged; `.path` names it."""

    path = PORTRAIT


def read_portrait() -> np.ndarray:
    """Returns the NASA portrait, uint8 BGR (512, 512, 3).

    Raises:
        PortraitError: The file is missing or can't be read.
    """
    portrait = cv2.imread(str(PORTRAIT)) if PORTRAIT.is_file() else None
    if portrait is None:
        raise PortraitError(f"{PORTRAIT}: expected the portrait that faces are set into, found none.")
    return portrait


def scene(
    face: np.ndarray, *, face_px: int, width: int = 640, height: int = 480, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns a made-up room with one person whose face is the given one.

    Args:
        face: uint8 (48, 48) or (48, 48, 1), gray.
        face_px: Side of the face's square in the frame, at most the frame's shorter side.
        width: Of the frame in pixels.
        height: Of the frame in pixels.
        seed: The same seed gives the same frame.

    Returns:
        The frame, uint8 BGR (height, width, 3), and the square's box, float32 (4,): x, y, width, height.
    """
    random = np.random.default_rng(seed)
    room = _room(random, width=width, height=height)
    x = int(random.integers(0, width - face_px + 1))
    y = int(random.integers(0, height - face_px + 1))
    square = cv2.resize(face.reshape(48, 48), (face_px, face_px), interpolation=cv2.INTER_CUBIC)

    # The head reaches over the square on every side. Its skin and hair repeat the square's edge, smoothed.
    margin = round(0.45 * face_px)
    around = cv2.copyMakeBorder(square, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    smooth = cv2.GaussianBlur(around, (0, 0), face_px / 14)
    inside = cv2.copyMakeBorder(
        np.full((face_px, face_px), 255, np.uint8), margin, margin, margin, margin, cv2.BORDER_CONSTANT
    )
    inside = _soft(inside, face_px / 30)
    head = inside * around + (1 - inside) * smooth
    size = face_px + 2 * margin
    oval = np.zeros((size, size), np.uint8)
    cv2.ellipse(
        oval, (size // 2, size // 2), (round(0.66 * face_px), round(0.8 * face_px)), 0, 0, 360, 255, -1
    )
    oval = np.maximum(_soft(oval, face_px / 20), inside)

    _shoulders(room, random, centre_x=x + face_px // 2, chin_y=y + face_px, face_px=face_px)
    frame = _blend(room, head[..., None] * _SKIN_BGR, oval, x - margin, y - margin)
    return _photographed(frame, random), np.array([x, y, face_px, face_px], np.float32)


def portrait_scene(
    face: np.ndarray, portrait: np.ndarray, *, face_px: int, width: int = 640, height: int = 480, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the NASA portrait with the given face in the place of its own.

    Args:
        face: uint8 (48, 48) or (48, 48, 1), gray.
        portrait: uint8 BGR (512, 512, 3), `cv2.imread("demo/astronaut.jpg")`.
        face_px: Side of the face's square in the frame, at most the frame's shorter side.
        width: Of the frame in pixels.
        height: Of the frame in pixels.
        seed: The same seed gives the same frame.

    Returns:
        The frame, uint8 BGR (height, width, 3), and the square's box, float32 (4,): x, y, width, height.
    """
    random = np.random.default_rng(seed)
    left, top, side = PORTRAIT_SQUARE
    ratio = face_px / side
    x = int(random.integers(0, width - face_px + 1))
    y = int(random.integers(0, height - face_px + 1))
    # Where the portrait does not reach, its edge is repeated: mirrored, it would show a second face.
    move = np.array([[ratio, 0, x - ratio * left], [0, ratio, y - ratio * top]], np.float32)
    photograph = cv2.GaussianBlur(portrait, (0, 0), max(0.4 / ratio, 0.1)) if ratio < 1 else portrait
    frame = cv2.warpAffine(
        photograph, move, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    square = cv2.resize(face.reshape(48, 48), (face_px, face_px), interpolation=cv2.INTER_CUBIC)
    luma = cv2.cvtColor(frame, cv2.COLOR_BGR2YCrCb)
    own = luma[y : y + face_px, x : x + face_px, 0].astype(np.float32)
    oval = np.zeros((face_px, face_px), np.uint8)
    centre = face_px // 2
    cv2.ellipse(oval, (centre, centre), (round(0.43 * face_px), round(0.47 * face_px)), 0, 0, 360, 255, -1)
    oval = _soft(oval, face_px / 25)
    # The portrait keeps its colours and gets the face's light, brought to its own brightness.
    seen = oval > 0.5
    gain = min(max(own[seen].std() / max(square[seen].std(), 1), 0.6), 1.6)
    lit = (square.astype(np.float32) - square[seen].mean()) * gain + own[seen].mean()
    luma[y : y + face_px, x : x + face_px, 0] = np.clip(oval * lit + (1 - oval) * own, 0, 255).astype(
        np.uint8
    )
    frame = cv2.cvtColor(luma, cv2.COLOR_YCrCb2BGR)
    return _photographed(frame, random), np.array([x, y, face_px, face_px], np.float32)


def people_scene(
    portrait: np.ndarray,
    squares: Sequence[Sequence[float]],
    *,
    room: np.ndarray,
) -> np.ndarray:
    """Returns a room with the head of the NASA portrait at every square, which may lie between pixels.

    Args:
        portrait: uint8 BGR (512, 512, 3), `cv2.imread("demo/astronaut.jpg")`.
        squares: x, y, side in pixels of the room: where FER2013 would cut the face.
        room: uint8 BGR (height, width, 3), `empty_scene(...)`; it is not changed.

    Returns:
        The frame, uint8 BGR (height, width, 3).
    """
    frame = room.copy()
    left, top, side = PORTRAIT_SQUARE
    centre = round(left + side / 2), round(top + 0.4 * side)
    inside = np.zeros(portrait.shape[:2], np.uint8)
    cv2.ellipse(inside, centre, (round(0.85 * side), round(1.1 * side)), 0, 0, 360, 255, -1)
    oval = cv2.GaussianBlur(inside, (0, 0), side / 20)
    for x, y, size in squares:
        ratio = size / side
        # The head reaches two sides around the square at most; the rest of the room stays as it is.
        x0, y0 = max(0, int(x - size)), max(0, int(y - size))
        part = frame[y0 : max(y0, int(y + 2 * size)), x0 : max(x0, int(x + 2 * size))]
        if not part.size:
            continue
        move = np.array([[ratio, 0, x - x0 - ratio * left], [0, ratio, y - y0 - ratio * top]], np.float32)
        sharp = cv2.GaussianBlur(portrait, (0, 0), 0.4 / ratio) if ratio < 1 else portrait
        extent = part.shape[1], part.shape[0]
        head = cv2.warpAffine(sharp, move, extent, flags=cv2.INTER_LINEAR)
        weight = (
            cv2.warpAffine(oval, move, extent, flags=cv2.INTER_LINEAR).astype(np.float32)[..., None] / 255
        )
        part[:] = np.rint(weight * head + (1 - weight) * part)
    return frame


def empty_scene(*, width: int = 640, height: int = 480, seed: int) -> np.ndarray:
    """Returns the room of `scene` with nobody in it: uint8 BGR (height, width, 3)."""
    random = np.random.default_rng(seed)
    return _photographed(_room(random, width=width, height=height), random)


def _room(random: np.random.Generator, *, width: int, height: int) -> np.ndarray:
    """Returns clouds of light, furniture and a window: float32 BGR (height, width, 3)."""
    room = np.zeros((height, width, 3), np.float32)
    for cells, strength in ((3, 60), (8, 25), (30, 10)):
        clouds = random.normal(0, strength, (cells, cells, 3)).astype(np.float32)
        clouds = 0.7 * clouds.mean(axis=2, keepdims=True) + 0.3 * clouds
        room += cv2.resize(clouds, (width, height), interpolation=cv2.INTER_CUBIC)
    room += random.uniform(70, 160)
    for _ in range(int(random.integers(4, 14))):
        corner = random.uniform(-0.2, 1.0, 2) * (width, height)
        extent = random.uniform(0.04, 0.5, 2) * (width, height)
        shape = cv2.boxPoints(
            (tuple(corner + extent / 2), tuple(extent), float(random.choice([0, 0, 0, 20, 45])))
        )
        colour = random.uniform(10, 245) + random.normal(0, 18, 3)
        thickness = int(random.choice([-1, -1, 3, 9]))
        points = np.round(shape).astype(np.int32)
        if thickness < 0:
            cv2.fillPoly(room, [points], colour.tolist(), cv2.LINE_AA)
        else:
            cv2.polylines(room, [points], True, colour.tolist(), thickness, cv2.LINE_AA)
    return cv2.GaussianBlur(room, (0, 0), float(random.uniform(0.5, 4)))


def _shoulders(
    room: np.ndarray, random: np.random.Generator, *, centre_x: int, chin_y: int, face_px: int
) -> None:
    colour = (random.uniform(15, 230) + random.normal(0, 20, 3)).tolist()
    centre = (centre_x, chin_y + round(1.1 * face_px))
    cv2.ellipse(
        room, centre, (round(1.15 * face_px), round(0.95 * face_px)), 0, 0, 360, colour, -1, cv2.LINE_AA
    )


def _blend(frame: np.ndarray, patch: np.ndarray, mask: np.ndarray, left: int, top: int) -> np.ndarray:
    """Lays a float patch over a frame by its mask (0-1); the part outside the frame is cut off."""
    height, width = frame.shape[:2]
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + patch.shape[1], width), min(top + patch.shape[0], height)
    part = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    weight = mask[part][..., None]
    frame[y0:y1, x0:x1] = weight * patch[part] + (1 - weight) * frame[y0:y1, x0:x1]
    return frame


def _soft(mask: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(mask, (0, 0), sigma).astype(np.float32) / 255


def _photographed(frame: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A camera's noise and JPEG's, uint8."""
    noisy = frame.astype(np.float32) + random.normal(0, 3, (*frame.shape[:2], 1)).astype(np.float32)
    _, coded = cv2.imencode(".jpg", np.clip(noisy, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 85])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR))
