"""Pastes faces, heads and things that are none into images. Needs numpy and OpenCV only."""

import cv2
import numpy as np

from .geometry import moved_boxes, moved_eyes, warp
from .heads import Patch

OVAL = (0.54, 0.53)  # half axes of the oval under which a tight face is pasted, in sides of its box


def paste(
    canvas: np.ndarray,
    patch: Patch,
    move: np.ndarray,
    random: np.random.Generator,
    *,
    whole: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Pastes a face into an image, which it changes.

    Args:
        canvas: `uint8 (height, width)`.
        patch: the face.
        move: `float (2, 3)`, from the patch's pixels to the canvas's.
        random: draws the edge's softness and the light.
        whole: paste a tight face's whole crop, corners and all, as a photograph on a wall.

    Returns:
        The box, `float32 (4,)`, and the eyes, `float32 (4,)`, in pixels of the canvas.
    """
    box = moved_boxes(patch.box[None], move)[0]
    eyes = moved_eyes(patch.eyes[None], move)[0]
    mask = patch.mask
    if mask is None:
        mask = np.full(patch.image.shape, 255, np.uint8) if whole else oval(patch, random)
    left, top, right, bottom = _extent(patch.image.shape, move, canvas.shape)
    if right > left and bottom > top:
        shifted = move.copy()
        shifted[:, 2] += move[:, :2] @ (0.5, 0.5) - 0.5 - (left, top)
        size = {"height": bottom - top, "width": right - left}
        image = warp(patch.image, shifted, **size, borderMode=cv2.BORDER_REPLICATE)
        weight = warp(mask, shifted, **size, borderMode=cv2.BORDER_CONSTANT)
        image = cv2.convertScaleAbs(image, alpha=random.uniform(0.75, 1.15), beta=random.uniform(0, 15))
        part = canvas[top:bottom, left:right]
        share = weight.astype(np.float32) / 255
        part[:] = (part + share * (image.astype(np.float32) - part) + 0.5).astype(np.uint8)
    return box, eyes


def oval(patch: Patch, random: np.random.Generator) -> np.ndarray:
    """Returns the soft mask of a tight face: `uint8`, the shape of its image."""
    mask = np.zeros(patch.image.shape, np.uint8)
    x, y, width, height = patch.box
    centre = (round(float(x + width / 2)), round(float(y + height / 2)))
    widened = random.uniform(0.95, 1.15)
    axes = (max(1, round(OVAL[0] * width * widened)), max(1, round(OVAL[1] * height * widened)))
    cv2.ellipse(mask, centre, axes, 0, 0, 360, 255, -1)
    return cv2.GaussianBlur(mask, (0, 0), random.uniform(1.0, 5.0))


def add_surroundings(canvas: np.ndarray, box: np.ndarray, random: np.random.Generator) -> None:
    """Draws hair, neck and shoulders where a face will be pasted; changes the canvas.

    Args:
        canvas: `uint8 (height, width)`.
        box: `float (4,)`, of the face to come.
        random: draws shapes and gray levels.
    """
    x, y, width, height = (float(value) for value in box)
    skin, cloth, hair = random.uniform(50, 220), random.uniform(10, 245), random.uniform(5, 160)
    middle, chin = x + width / 2, y + height
    if random.uniform() < 0.8:
        _ellipse(canvas, (middle, chin + 1.0 * height), (1.2 * width, 0.95 * height), cloth)
    _ellipse(canvas, (middle, chin), (0.35 * width, 0.35 * height), skin * 0.85)
    if random.uniform() < 0.8:
        axes = (random.uniform(0.55, 0.8) * width, random.uniform(0.55, 0.8) * height)
        _ellipse(canvas, (middle, y + random.uniform(0.3, 0.45) * height), axes, hair)
    if random.uniform() < 0.7:
        axes = (random.uniform(0.52, 0.62) * width, random.uniform(0.52, 0.6) * height)
        _ellipse(canvas, (middle, y + 0.5 * height), axes, skin)


def decoy(backgrounds: list[np.ndarray], random: np.random.Generator) -> Patch:
    """Returns a piece of a background, to be pasted as faces are: an oval alone is no face."""
    image = backgrounds[int(random.integers(len(backgrounds)))]
    side = int(min(*image.shape, random.integers(40, 140)))
    top = int(random.integers(image.shape[0] - side + 1))
    left = int(random.integers(image.shape[1] - side + 1))
    piece = image[top : top + side, left : left + side]
    box = np.array([0.12 * side, -0.02 * side, 0.76 * side, 0.96 * side], np.float32)
    return Patch(piece, None, box, np.full(4, np.nan, np.float32))


def _ellipse(canvas: np.ndarray, centre: tuple[float, float], axes: tuple[float, float], gray: float) -> None:
    middle = (round(centre[0]), round(centre[1]))
    half = (max(1, round(axes[0])), max(1, round(axes[1])))
    cv2.ellipse(canvas, middle, half, 0, 0, 360, round(gray), -1, cv2.LINE_AA)


def _extent(shape: tuple[int, ...], move: np.ndarray, canvas: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Returns left, top, right, bottom of a moved image within the canvas."""
    height, width = shape[:2]
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ move[:, :2].T + move[:, 2]
    left, top = np.maximum(np.floor(corners.min(axis=0)), 0).astype(int)
    right, bottom = np.minimum(np.ceil(corners.max(axis=0)), (canvas[1], canvas[0])).astype(int)
    return int(left), int(top), int(right), int(bottom)
