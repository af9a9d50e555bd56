"""The input pipeline: shuffled, augmented batches that depend on nothing but seed and epoch."""

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import keras
import numpy as np
from keras import ops


def augment(
    faces: np.ndarray,
    random: np.random.Generator,
    *,
    rotation: float,
    scale: float | Sequence[float],
    shift: float,
    brightness: float,
    contrast: float,
    cutout: float = 0.0,
    surroundings: float = 0.0,
    degraded: float = 0.0,
) -> np.ndarray:
    """Returns randomly mirrored, turned, scaled, moved and re-lit copies of a batch of faces.

    faces: `float32 (n, 48, 48, 1)`, 0-255; the result is the same. Each face gets a mirror image with
    probability 1/2; a rotation of up to `rotation` degrees; a scale of 1 +- `scale`, or between the two that
    `scale` holds; a shift of up to `shift` of its side; then contrast 1 +- `contrast` around its mean and an
    offset of up to `brightness` of the full range; last a rectangle in its mean gray, with sides of up to
    `cutout` of its own (DeVries & Taylor 2017, arXiv 1708.04552). Pixels from outside repeat the
    edge; with probability `surroundings` only the nearest do, and those beyond are foreign ones, as around
    the face in a camera's image (`surround`). With probability `degraded` a face is as small, noisy and
    compressed as cameras and files make it (`degrade`). Random numbers come from numpy and the pixels are
    moved by Keras operations and OpenCV, so every backend makes the same batch.
    """
    count, height, width, _ = faces.shape
    angle = np.deg2rad(random.uniform(-rotation, rotation, count))
    smallest, largest = (1 - scale, 1 + scale) if isinstance(scale, int | float) else scale
    factor = random.uniform(smallest, largest, count)
    mirror = random.choice([-1.0, 1.0], count)
    offset = random.uniform(-shift, shift, (2, count)) * [[height], [width]]
    # An output pixel (x, y), seen from the centre, is read at A (x, y) + offset.
    a, b = mirror * np.cos(angle) / factor, -mirror * np.sin(angle) / factor
    d, e = np.sin(angle) / factor, np.cos(angle) / factor
    centre_y, centre_x = (height - 1) / 2, (width - 1) / 2
    c = centre_x - a * centre_x - b * centre_y + offset[1]
    f = centre_y - d * centre_x - e * centre_y + offset[0]
    zero = np.zeros(count)
    transforms = np.stack([a, b, c, d, e, f, zero, zero], axis=1).astype("float32")  # (n, 8)
    moved = ops.convert_to_numpy(
        ops.image.affine_transform(faces, transforms, fill_mode="nearest", data_format="channels_last")
    )
    if surroundings:
        moved = surround(moved, faces, transforms, random, share=surroundings)
    gain = random.uniform(1 - contrast, 1 + contrast, (count, 1, 1, 1))
    lift = random.uniform(-brightness, brightness, (count, 1, 1, 1)) * 255
    mean = moved.mean(axis=(1, 2, 3), keepdims=True)
    lit = np.clip((moved - mean) * gain + mean + lift, 0, 255).astype("float32")
    if degraded:
        lit = degrade(lit, random, share=degraded)
    return cut_out(lit, random, largest=cutout) if cutout else lit


WIDEST_MARGIN = 8  # pixels of a face's repeated edge before the foreign pixels begin


def surround(
    moved: np.ndarray,
    faces: np.ndarray,
    transforms: np.ndarray,
    random: np.random.Generator,
    *,
    share: float,
) -> np.ndarray:
    """Returns moved faces, for a `share` of which the pixels far outside come from another image.

    moved, faces: `float32 (n, height, width, 1)`, a batch after and before `transforms`, float32 (n, 8), as
    `augment` makes them. The other image is the batch's previous face, magnified up to three times beyond
    recognition; up to `WIDEST_MARGIN` pixels of repeated edge lie between the two.
    """
    count, height, width, _ = faces.shape
    chosen = random.uniform(size=(count, 1, 1)) < share
    margin = random.uniform(0, WIDEST_MARGIN, (count, 1, 1))
    y, x = np.mgrid[:height, :width]
    a, b, c, d, e, f = (transforms[:, column, None, None] for column in range(6))
    beyond_x = np.abs(a * x + b * y + c - (width - 1) / 2) - width / 2
    beyond_y = np.abs(d * x + e * y + f - (height - 1) / 2) - height / 2
    foreign = chosen & (np.maximum(beyond_x, beyond_y) > margin)

    step = random.uniform(1 / 3, 2 / 3, count)
    corner = random.uniform(0, 1 - step, (2, count)) * [[width], [height]]
    zero = np.zeros(count)
    magnify = np.stack([step, zero, corner[0], zero, step, corner[1], zero, zero], axis=1).astype("float32")
    others = ops.image.affine_transform(np.roll(faces, 1, axis=0), magnify, data_format="channels_last")
    return np.where(foreign[..., None], ops.convert_to_numpy(others), moved)


FEWEST_PIXELS = 0.4  # of a degraded face's side, before it is magnified again
LARGEST_NOISE = 6.0  # standard deviation, gray levels
LOWEST_QUALITY = 20  # of its JPEG, of 100


def degrade(faces: np.ndarray, random: np.random.Generator, *, share: float) -> np.ndarray:
    """Returns faces, a `share` of which are as a small, noisy image in a JPEG file shows them.

    faces: `float32 (n, height, width, 1)`, 0-255; the result is the same. Such a face is shrunk by area to
    between `FEWEST_PIXELS` and all of its pixels a side and magnified again, gets Gaussian noise and becomes
    a JPEG of a quality between `LOWEST_QUALITY` and 100, each drawn evenly.
    """
    count, height, width, _ = faces.shape
    degraded = faces.copy()
    for index in np.flatnonzero(random.uniform(size=count) < share):
        smaller = random.uniform(FEWEST_PIXELS, 1)
        size = (round(width * smaller), round(height * smaller))
        face = cv2.resize(faces[index], size, interpolation=cv2.INTER_AREA)
        face = cv2.resize(face, (width, height), interpolation=cv2.INTER_LINEAR)
        face = face + random.normal(size=(height, width)) * random.uniform(0, LARGEST_NOISE)
        quality = int(random.integers(LOWEST_QUALITY, 101))
        pixels = np.clip(np.rint(face), 0, 255).astype("uint8")
        _, file = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
        degraded[index, ..., 0] = cv2.imdecode(file, cv2.IMREAD_GRAYSCALE)
    return degraded


def cut_out(faces: np.ndarray, random: np.random.Generator, *, largest: float) -> np.ndarray:
    """Returns faces `float32 (n, height, width, 1)` with a rectangle each painted over in the face's mean.

    The sides are drawn between 0 and `largest` of the face's; the centre lies anywhere on the face.
    """
    count, height, width, _ = faces.shape
    inside = np.ones((count, height, width, 1), bool)
    for axis, length in ((1, height), (2, width)):
        shape = [count, 1, 1, 1]
        half = random.uniform(0, largest / 2, shape) * length
        centre = random.uniform(0, length, shape)
        shape[0], shape[axis] = 1, length
        places = np.arange(length).reshape(shape) + 0.5
        inside &= np.abs(places - centre) < half
    return np.where(inside, faces.mean(axis=(1, 2, 3), keepdims=True), faces)


class FaceBatches(keras.utils.PyDataset):
    """Batches of faces and one-hot labels for `fit`, in an order that only (seed, epoch) decides.

    Neither shuffling nor augmentation keeps a state: epoch 7 of a resumed run sees exactly what
    epoch 7 of an unbroken one sees. The training calls `start(epoch)` before each epoch.
    """

    def __init__(
        self,
        faces: np.ndarray,
        targets: np.ndarray | dict[str, np.ndarray],
        *,
        batch_size: int,
        seed: int,
        augmentation: dict[str, Any] | None,
        teach: Callable[[np.ndarray], np.ndarray] | None = None,
        teacher_share: float = 0.0,
        weights: np.ndarray | None = None,
    ) -> None:
        """faces: `uint8 (n, 48, 48, 1)`; targets: `float32 (n, 7)`, or a dict of arrays, one for each head of
        the net; augmentation: keywords of `augment`, or None for the faces as they are; teach: from a batch
        of faces to what a teacher scores them, `float32 (n, 7)`, which makes up `teacher_share` of the
        targets; weights: of each face in the loss of its scores, `float32 (n,)`, None for all alike."""
        super().__init__(workers=2)  # threads that make the next batches while a step computes
        self.faces, self.targets, self.weights = faces, targets, weights
        self.batch_size, self.seed, self.augmentation = batch_size, seed, augmentation
        self.teach, self.teacher_share = teach, teacher_share
        self.start(0)

    def start(self, epoch: int) -> None:
        """Shuffles for the given epoch (0-based)."""
        self.epoch = epoch
        self.order = np.random.default_rng([self.seed, epoch]).permutation(len(self.faces))

    def __len__(self) -> int:
        return -(-len(self.faces) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        faces = self.faces[rows].astype("float32")
        if self.augmentation is not None:
            random = np.random.default_rng([self.seed, self.epoch, index])
            faces = augment(faces, random, **self.augmentation)
        targets: Any
        weights: Any = None if self.weights is None else self.weights[rows]
        if isinstance(self.targets, dict):
            targets = {head: values[rows] for head, values in self.targets.items()}
            targets["scores"] = self.taught(faces, targets["scores"])
            if weights is not None:
                weights = dict.fromkeys(targets, np.ones_like(weights)) | {"scores": weights}
        else:
            targets = self.taught(faces, self.targets[rows])
        return (faces, targets) if weights is None else (faces, targets, weights)

    def taught(self, faces: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Returns a batch's targets, `float32 (n, 7)`, with the teacher's share in them."""
        if self.teach is None:
            return targets
        return (1 - self.teacher_share) * targets + self.teacher_share * self.teach(faces)
