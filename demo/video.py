"""Makes a short video from an image: the camera wanders over it and comes closer, with a hand's tremor."""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np

from runtime.command.video_file import VideoFile

FRAME_RATE = 25
SECONDS = 4
SIZE = (640, 480)  # width, height
SEED = 8
TREMOR_PX = 0.6  # standard deviation of a frame's shake, in pixels of the video


def make_frames(
    image: np.ndarray, *, centre: tuple[float, float], seconds: float = SECONDS, seed: int = SEED
) -> list[np.ndarray]:
    """Returns the frames of a walk over an image; the same seed gives the same frames.

    Args:
        image: `uint8` BGR `(height, width, 3)`.
        centre: The point, x and y in pixels of the image, on which the walk closes in: from the whole width
            of the image to half of it.
        seconds: The length of the walk.
        seed: Of the tremor.

    Returns:
        `uint8` BGR `(480, 640, 3)` each.
    """
    width, height = SIZE
    generator = np.random.default_rng(seed)
    count = max(1, round(seconds * FRAME_RATE))
    frames = []
    for number in range(count):
        progress = number / max(1, count - 1)
        eased = (1 - math.cos(math.pi * progress)) / 2
        zoom = width / image.shape[1] * 2**eased
        sway_x, sway_y = 0.06 * math.sin(2 * math.pi * progress), 0.03 * math.sin(4 * math.pi * progress)
        middle_x = (1 - eased) * image.shape[1] / 2 + eased * centre[0] + sway_x * image.shape[1]
        middle_y = (1 - eased) * image.shape[0] * 0.4 + eased * centre[1] + sway_y * image.shape[0]
        tremor_x, tremor_y = generator.normal(0, TREMOR_PX, 2)
        move = np.array(
            [
                [zoom, 0, width / 2 - zoom * middle_x + tremor_x],
                [0, zoom, height / 2 - zoom * middle_y + tremor_y],
            ]
        )
        frames.append(
            cv2.warpAffine(image, move, SIZE, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        )
    return frames


def write_video(
    image: np.ndarray, path: Path, *, centre: tuple[float, float], seconds: float = SECONDS
) -> int:
    """Writes the walk over an image as a video; returns its number of frames."""
    frames = make_frames(image, centre=centre, seconds=seconds)
    with VideoFile(path, frame_rate=FRAME_RATE) as video:
        for number, frame in enumerate(frames):
            video.write(frame, number / FRAME_RATE)
    return len(frames)
