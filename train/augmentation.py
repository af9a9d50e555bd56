"""Augmentation: faces changed at random. Numpy draws the random numbers, so every backend makes the same."""

from dataclasses import dataclass

import cv2
import numpy as np
from keras import ops

from .recipes import Augmentation

WIDEST_MARGIN = 8  # pixels of a face's repeated edge before the foreign pixels begin
SMALLEST_SIDE = 0.4  # of a degraded face, before it is magnified again, of its own
LARGEST_NOISE = 6.0  # standard deviation, gray levels
LOWEST_QUALITY = 20  # of a degraded face's JPEG, of 100
EVERY = slice(None)


@dataclass(frozen=True)
class Part:
    """The rows of a batch that are made; random numbers are drawn for the whole batch.

    Attributes:
        count: Rows of the whole batch.
        rows: Those that are made.
    """

    count: int
    rows: slice | np.ndarray


def augment(
    faces: np.ndarray,
    random: np.random.Generator,
    settings: Augmentation,
    *,
    rows: slice | np.ndarray = EVERY,
) -> np.ndarray:
    """Returns randomly mirrored, turned, scaled, moved and re-lit copies of a batch of faces.

    The order is: geometry, surroundings, contrast and brightness, cutout. Pixels from outside a face repeat
    its edge. `degrade` comes after it, so that a teacher can see the faces before.

    Args:
        faces: `float32 (n, 48, 48, 1)`, gray, 0-255.
        random: What all random numbers are drawn from.
        settings: How far each change may go.
        rows: Of the batch, those that are returned, as they would be among all.

    Returns:
        A face per row, in the same form.
    """
    part = Part(len(faces), rows)
    transforms = random_transforms(len(faces), faces.shape[1:3], random, settings)
    moved = ops.convert_to_numpy(
        ops.image.affine_transform(
            faces[rows], transforms[rows], fill_mode="nearest", data_format="channels_last"
        )
    )
    if settings.surroundings:
        moved = surround(moved, faces, transforms, random, share=settings.surroundings, rows=rows)
    lit = relight(moved, random, brightness=settings.brightness, contrast=settings.contrast, part=part)
    return cut_out(lit, random, largest=settings.cutout, part=part) if settings.cutout else lit


def random_transforms(
    count: int, size: tuple[int, int], random: np.random.Generator, settings: Augmentation
) -> np.ndarray:
    """Returns affine transforms that mirror, turn, scale and move, `float32 (count, 8)`, as Keras has them.

    An output pixel (x, y), seen from the centre, is read at A (x, y) + offset.

    Args:
        count: How many.
        size: Height and width of a face, in pixels.
        random: What all random numbers are drawn from.
        settings: How far each change may go.
    """
    height, width = size
    angle = np.deg2rad(random.uniform(-settings.rotation, settings.rotation, count))
    scale = settings.scale
    smallest, largest = (1 - scale, 1 + scale) if isinstance(scale, int | float) else scale
    factor = random.uniform(smallest, largest, count)
    mirror = random.choice([-1.0, 1.0], count)
    offset = random.uniform(-settings.shift, settings.shift, (2, count)) * [[height], [width]]
    a, b = mirror * np.cos(angle) / factor, -mirror * np.sin(angle) / factor
    d, e = np.sin(angle) / factor, np.cos(angle) / factor
    centre_y, centre_x = (height - 1) / 2, (width - 1) / 2
    c = centre_x - a * centre_x - b * centre_y + offset[1]
    f = centre_y - d * centre_x - e * centre_y + offset[0]
    zero = np.zeros(count)
    return np.stack([a, b, c, d, e, f, zero, zero], axis=1).astype("float32")


def surround(
    moved: np.ndarray,
    faces: np.ndarray,
    transforms: np.ndarray,
    random: np.random.Generator,
    *,
    share: float,
    rows: slice | np.ndarray = EVERY,
) -> np.ndarray:
    """Returns moved faces; around a `share` of them, far pixels come from another image, as in a photo.

    The other image is the batch's previous face, magnified up to three times beyond recognition. Up to
    `WIDEST_MARGIN` pixels of repeated edge lie between the two.

    Args:
        moved: The rows of the batch after `transforms`, `float32 (rows, height, width, 1)`.
        faces: The whole batch before them, `float32 (n, height, width, 1)`.
        transforms: As `random_transforms` gives them, `float32 (n, 8)`.
        random: What all random numbers are drawn from.
        share: Of the faces, 0 to 1.
        rows: Of the batch, those that are returned.
    """
    count, height, width, _ = faces.shape
    chosen = random.uniform(size=(count, 1, 1)) < share
    margin = random.uniform(0, WIDEST_MARGIN, (count, 1, 1))
    y, x = np.mgrid[:height, :width]
    a, b, c, d, e, f = (transforms[rows, column, None, None] for column in range(6))
    beyond_x = np.abs(a * x + b * y + c - (width - 1) / 2) - width / 2
    beyond_y = np.abs(d * x + e * y + f - (height - 1) / 2) - height / 2
    foreign = chosen[rows] & (np.maximum(beyond_x, beyond_y) > margin[rows])

    step = random.uniform(1 / 3, 2 / 3, count)
    corner = random.uniform(0, 1 - step, (2, count)) * [[width], [height]]
    zero = np.zeros(count)
    magnify = np.stack([step, zero, corner[0], zero, step, corner[1], zero, zero], axis=1).astype("float32")
    previous = np.roll(faces, 1, axis=0)[rows]
    others = ops.image.affine_transform(previous, magnify[rows], data_format="channels_last")
    return np.where(foreign[..., None], ops.convert_to_numpy(others), moved)


def relight(
    faces: np.ndarray, random: np.random.Generator, *, brightness: float, contrast: float, part: Part
) -> np.ndarray:
    """Returns faces with another contrast about their mean and another brightness, clipped to 0-255.

    Args:
        faces: `float32 (n, height, width, 1)`, 0-255.
        random: What all random numbers are drawn from.
        brightness: Largest offset, of the full range.
        contrast: Largest change of the contrast, of 1.
        part: Which rows of a batch the faces are.
    """
    shape = (part.count, 1, 1, 1)
    gain = random.uniform(1 - contrast, 1 + contrast, shape)[part.rows]
    lift = random.uniform(-brightness, brightness, shape)[part.rows] * 255
    mean = faces.mean(axis=(1, 2, 3), keepdims=True)
    return np.clip((faces - mean) * gain + mean + lift, 0, 255).astype("float32")


def degrade(
    faces: np.ndarray, random: np.random.Generator, *, share: float, part: Part | None = None
) -> np.ndarray:
    """Returns faces, a `share` of which look as in a small, noisy image of a JPEG file.

    Such a face is shrunk by area to between `SMALLEST_SIDE` and all of its side and magnified again. It gets
    Gaussian noise and becomes a JPEG of a quality between `LOWEST_QUALITY` and 100. Each is drawn evenly.

    Args:
        faces: `float32 (n, height, width, 1)`, 0-255; they stay as they are.
        random: What all random numbers are drawn from.
        share: Of the faces, 0 to 1.
        part: Which rows of a batch the faces are; None: they are the batch.
    """
    part = part or Part(len(faces), EVERY)
    _, height, width, _ = faces.shape
    places = np.arange(part.count)[part.rows]  # in the batch
    degraded = faces.copy()
    for place in np.flatnonzero(random.uniform(size=part.count) < share):
        smaller = random.uniform(SMALLEST_SIDE, 1)
        noise = random.normal(size=(height, width)) * random.uniform(0, LARGEST_NOISE)
        quality = int(random.integers(LOWEST_QUALITY, 101))
        for index in np.flatnonzero(places == place):
            size = (round(width * smaller), round(height * smaller))
            face = cv2.resize(faces[index], size, interpolation=cv2.INTER_AREA)
            face = cv2.resize(face, (width, height), interpolation=cv2.INTER_LINEAR) + noise
            pixels = np.clip(np.rint(face), 0, 255).astype("uint8")
            _, file = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
            degraded[index, ..., 0] = cv2.imdecode(file, cv2.IMREAD_GRAYSCALE)
    return degraded


def cut_out(
    faces: np.ndarray, random: np.random.Generator, *, largest: float, part: Part | None = None
) -> np.ndarray:
    """Returns faces with a rectangle each painted over in the face's mean (cutout, arXiv 1708.04552).

    Args:
        faces: `float32 (n, height, width, 1)`.
        random: What all random numbers are drawn from.
        largest: Side of the rectangle at most, of the face's; its centre lies anywhere on the face.
        part: Which rows of a batch the faces are; None: they are the batch.
    """
    part = part or Part(len(faces), EVERY)
    _, height, width, _ = faces.shape
    inside = np.ones(faces.shape, bool)
    for axis, length in ((1, height), (2, width)):
        shape = [part.count, 1, 1, 1]
        half = random.uniform(0, largest / 2, shape)[part.rows] * length
        centre = random.uniform(0, length, shape)[part.rows]
        shape[0], shape[axis] = 1, length
        places = np.arange(length).reshape(shape) + 0.5
        inside &= np.abs(places - centre) < half
    return np.where(inside, faces.mean(axis=(1, 2, 3), keepdims=True), faces)
