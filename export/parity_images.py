"""Images with faces that any machine has: the portrait in `demo/`, turned, moved and relit."""

import cv2
import numpy as np

from .parity_faces import PORTRAIT_BOX, portrait, relit

SMALLEST, LARGEST = 24.0, 200.0  # of the faces, in pixels of the image


def parity_images(count: int, *, height: int, width: int, seed: int = 1) -> np.ndarray:
    """Returns images, uint8 (count, height, width, 1), gray 0-255, with one face or more in each.

    The portrait is scaled until its face is `SMALLEST` to `LARGEST` pixels wide, turned by up to 25 degrees,
    and mirrored beyond its edges, so that small portraits fill the image with faces, half of them upside
    down. All differ in brightness, contrast and noise.

    Args:
        count: How many images.
        height: Of each, in pixels.
        width: Of each, in pixels.
        seed: The same seed gives the same images.
    """
    random = np.random.default_rng(seed)
    gray = cv2.cvtColor(portrait(), cv2.COLOR_BGR2GRAY)
    return np.stack([image_of(gray, height, width, random) for _ in range(count)])[..., np.newaxis]


def image_of(gray: np.ndarray, height: int, width: int, random: np.random.Generator) -> np.ndarray:
    """Returns one image, uint8 (height, width), of the portrait, uint8 (rows, columns)."""
    x, y, box_width, box_height = PORTRAIT_BOX
    scale = SMALLEST * (LARGEST / SMALLEST) ** random.random() / box_width
    middle = (x + box_width / 2, y + box_height / 2)
    turn = cv2.getRotationMatrix2D(middle, random.uniform(-25, 25), scale)
    place = np.array([width, height]) * random.uniform(0.3, 0.7, 2)  # where the face's middle comes to lie
    turn[:, 2] = turn[:, 2] + place - middle
    smooth = cv2.GaussianBlur(gray, (0, 0), max(0.1, 0.4 / scale))  # else small portraits are grainy
    image = cv2.warpAffine(smooth, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    return relit(image[:, ::-1] if random.random() < 0.5 else image, random)
