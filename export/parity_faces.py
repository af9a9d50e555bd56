"""Faces that any machine has: crops of the portrait in `demo/` and drawn faces.

They show whether a file computes what Keras computes. Only FER2013 shows how often it is right.
"""

from pathlib import Path

import cv2
import numpy as np

from runtime.crop import crop_face

PORTRAIT = Path(__file__).parent.parent / "demo" / "astronaut.jpg"
PORTRAIT_BOX = (179.0, 63.0, 89.0, 112.0)  # x, y, width, height in pixels, as YuNet finds the face


def parity_faces(count: int = 600, *, seed: int = 1) -> np.ndarray:
    """Returns faces, uint8 (count, 48, 48, 1), gray 0-255: portrait crops and drawn faces, alternating.

    The crops are scaled by 0.8 to 1.5, moved by up to 15 % of their side, mirrored and turned by up to 20
    degrees. The drawn faces differ in every feature. All differ in brightness, contrast and noise.

    Args:
        count: How many faces.
        seed: The same seed gives the same faces.
    """
    random = np.random.default_rng(seed)
    image = portrait()
    makers = [lambda: portrait_face(image, random), lambda: drawn_face(random)]
    return np.stack([relit(makers[number % 2](), random) for number in range(count)])[..., np.newaxis]


def portrait() -> np.ndarray:
    """Returns the demo's portrait, uint8 (512, 512, 3), BGR."""
    image = cv2.imread(str(PORTRAIT))
    if image is None:
        raise FileNotFoundError(f"{PORTRAIT}: expected the demo portrait, got no readable image.")
    return image


def portrait_face(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Returns a crop of the portrait turned, and every second time mirrored, uint8 (48, 48).

    Args:
        image: The portrait, uint8 (height, width, 3), BGR.
        random: Draws the angle, the size and the place.
    """
    x, y, width, height = PORTRAIT_BOX
    turn = cv2.getRotationMatrix2D((x + width / 2, y + height / 2), random.uniform(-20, 20), 1.0)
    turned = cv2.warpAffine(image, turn, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    face = crop_face(
        turned,
        PORTRAIT_BOX,
        scale=random.uniform(0.8, 1.5),
        shift_x=random.uniform(-0.15, 0.15),
        shift_y=random.uniform(-0.15, 0.15),
    )
    return face[:, ::-1] if random.random() < 0.5 else face


def drawn_face(random: np.random.Generator) -> np.ndarray:
    """Returns a drawn face with hair, brows, eyes, nose and an open or shut mouth, uint8 (48, 48)."""
    size = 192  # drawn four times as large, so that the lines become soft
    skin, ink = int(random.integers(120, 240)), int(random.integers(0, 70))
    face = np.full((size, size), int(random.integers(0, 256)), np.uint8)
    middle = int(size * random.uniform(0.45, 0.55))
    head = (int(size * random.uniform(0.33, 0.45)), int(size * random.uniform(0.44, 0.55)))
    cv2.ellipse(face, (middle, size // 2 - 6), (head[0] + 8, head[1] + 8), 0, 180, 360, ink, -1)
    cv2.ellipse(face, (middle, size // 2 + 6), head, 0, 0, 360, skin, -1)
    eye_y, apart = int(size * random.uniform(0.36, 0.44)), int(size * random.uniform(0.14, 0.2))
    open_eye, brow_tilt = int(random.uniform(3, 14)), int(random.uniform(-12, 12))
    brow_y = eye_y - int(random.uniform(16, 32))
    for side in (-1, 1):
        eye = (middle + side * apart, eye_y)
        cv2.ellipse(face, eye, (15, open_eye), 0, 0, 360, 250, -1)
        cv2.circle(face, eye, min(8, open_eye + 1), ink, -1)
        inner, outer = (eye[0] - side * 16, brow_y + brow_tilt), (eye[0] + side * 18, brow_y - brow_tilt // 2)
        cv2.line(face, inner, outer, ink, 6)
    cv2.line(face, (middle, eye_y + 16), (middle - 5, int(size * 0.6)), max(skin - 50, 0), 4)
    mouth = (middle, int(size * random.uniform(0.7, 0.78)))
    width, bend = int(random.uniform(14, 40)), random.uniform(-24, 24)
    if random.random() < 0.4:
        cv2.ellipse(face, mouth, (width, int(random.uniform(8, 26))), 0, 0, 360, ink, -1)
    else:
        start = (0, 180) if bend > 0 else (180, 360)
        cv2.ellipse(face, mouth, (width, int(abs(bend)) + 1), 0, *start, ink, 6)
    return cv2.resize(face, (48, 48), interpolation=cv2.INTER_AREA)


def relit(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Returns an image, uint8 (height, width), with another contrast and brightness and a little noise."""
    pixels = (image.astype(np.float64) - 128) * random.uniform(0.5, 1.2) + 128 + random.uniform(-40, 40)
    return np.clip(pixels + random.normal(0, random.uniform(0, 8), image.shape), 0, 255).astype(np.uint8)
