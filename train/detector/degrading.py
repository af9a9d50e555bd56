"""What cameras and files do to an image: light, blur, motion, noise, JPEG. Needs numpy and OpenCV only.

No function here moves anything: boxes stay right.
"""

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Degrading:
    """How often an image gets each of these, 0 to 1.

    Attributes:
        light: another contrast and brightness.
        dark: little light, down to a fifth.
        backlight: one side or the middle darker than the rest.
        blur: out of focus.
        motion: moved while the shutter was open.
        coarse: magnified from fewer pixels.
        noise: of the sensor.
        jpeg: compressed, quality 15 to 90.
    """

    light: float = 0.6
    dark: float = 0.1
    backlight: float = 0.1
    blur: float = 0.1
    motion: float = 0.05
    coarse: float = 0.08
    noise: float = 0.2
    jpeg: float = 0.2


def degrade(image: np.ndarray, random: np.random.Generator, options: Degrading) -> np.ndarray:
    """Returns an image, `uint8 (height, width)`, as a camera might have delivered it: the same shape."""
    if random.uniform() < options.coarse:
        image = coarse(image, random.uniform(0.4, 0.8))
    if random.uniform() < options.blur:
        image = cv2.GaussianBlur(image, (0, 0), random.uniform(0.5, 2.2))
    if random.uniform() < options.motion:
        image = moved(image, length=int(random.integers(3, 10)), angle=random.uniform(0, 180))
    if random.uniform() < options.light:
        image = lit(image, gain=random.uniform(0.55, 1.4), lift=random.uniform(-35, 35))
    if random.uniform() < options.backlight:
        image = shaded(image, random)
    if random.uniform() < options.dark:
        image = lit(image, gain=random.uniform(0.18, 0.6), lift=0.0, around=0.0)
    if random.uniform() < options.noise:
        image = noisy(image, random, deviation=random.uniform(1, 10))
    if random.uniform() < options.jpeg:
        _, file = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(15, 91))])
        image = np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE))
    return image


def lit(image: np.ndarray, *, gain: float, lift: float, around: float = 128.0) -> np.ndarray:
    """Returns an image with its contrast times `gain` around a gray level, then `lift` levels brighter."""
    levels = np.clip((np.arange(256) - around) * gain + around + lift, 0, 255).astype(np.uint8)
    return cv2.LUT(image, levels)


def coarse(image: np.ndarray, scale: float) -> np.ndarray:
    """Returns an image as `scale` times its pixels a side show it."""
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, image.shape[::-1], interpolation=cv2.INTER_LINEAR)


def moved(image: np.ndarray, *, length: int, angle: float) -> np.ndarray:
    """Returns an image smeared over `length` pixels at an angle in degrees."""
    kernel: np.ndarray = np.zeros((length, length), np.float32)
    kernel[length // 2] = 1
    centre = ((length - 1) / 2, (length - 1) / 2)
    kernel = cv2.warpAffine(kernel, cv2.getRotationMatrix2D(centre, angle, 1), (length, length))
    kernel = (kernel / max(float(kernel.sum()), 1e-6)).astype(np.float32)
    return cv2.filter2D(image, -1, kernel)


def shaded(image: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Returns an image of which a random smooth part is darker, down to a third."""
    rough = random.uniform(0.3, 1.1, (3, 3)).astype(np.float32)
    shade = cv2.resize(rough, image.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.clip(image * shade, 0, 255).astype(np.uint8)


def noisy(image: np.ndarray, random: np.random.Generator, *, deviation: float) -> np.ndarray:
    """Returns an image with Gaussian noise of a standard deviation in gray levels."""
    noise = random.standard_normal(image.shape, np.float32) * np.float32(deviation)
    return np.clip(image + noise + 0.5, 0, 255).astype(np.uint8)
