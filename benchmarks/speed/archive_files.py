"""Archives of made-up images and videos, a share of them damaged, for `python -m benchmarks archive`."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from runtime.command.video_file import VideoFile

PORTRAIT_PART = np.s_[20:220, 120:320]  # the face of the portrait with its surroundings
DAMAGE = ("cut", "empty", "noise", "text")
FILES_PER_FOLDER = 1000


def make_archive(
    folder: Path,
    portrait: np.ndarray,
    *,
    images: int,
    videos: int = 0,
    frames: int = 20,
    size_px: int = 160,
    damaged: float = 0.05,
    seed: int = 0,
) -> list[Path]:
    """Writes images and videos of a face, some without one, some damaged; returns their paths.

    Args:
        folder: Where; it is made.
        portrait: `uint8` BGR `(512, 512, 3)`, the NASA portrait.
        images: How many JPEG files.
        videos: How many MP4 files.
        frames: Of each video, at 10 frames/s.
        size_px: The side of the frames.
        damaged: The share of damaged files, 0 to 1: cut short, empty, noise, or a text.
        seed: The same seed gives the same archive.
    """
    random = np.random.default_rng(seed)
    face = cv2.resize(portrait[PORTRAIT_PART], (size_px, size_px), interpolation=cv2.INTER_AREA)
    paths = []
    for number in range(images + videos):
        is_video = number >= images
        name = f"{number // FILES_PER_FOLDER:03}/{number:06}.{'mp4' if is_video else 'jpg'}"
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if is_video:
            _write_video(path, face, frames, random)
        else:
            cv2.imwrite(str(path), _varied(face, random))
        if random.random() < damaged:
            _damage(path, DAMAGE[number % len(DAMAGE)], random)
        paths.append(path)
    return paths


def _varied(face: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Returns the face turned, mirrored, brighter or darker; one in ten shows nobody."""
    if random.random() < 0.1:
        return np.full_like(face, random.integers(40, 200))
    size = face.shape[0]
    turn = cv2.getRotationMatrix2D((size / 2, size / 2), random.uniform(-12, 12), random.uniform(0.9, 1.1))
    varied = cv2.warpAffine(face, turn, (size, size), borderMode=cv2.BORDER_REPLICATE)
    varied = cv2.convertScaleAbs(varied, alpha=random.uniform(0.7, 1.2), beta=random.uniform(-10, 20))
    return varied[:, ::-1].copy() if random.random() < 0.5 else varied


def _write_video(path: Path, face: np.ndarray, frames: int, random: np.random.Generator) -> None:
    still = _varied(face, random)
    with VideoFile(path, frame_rate=10) as video:
        for number in range(frames):
            shifted = np.roll(still, (number % 8, number % 5), axis=(0, 1))
            video.write(shifted if number < frames - 3 else np.full_like(face, 90), number / 10)


def _damage(path: Path, kind: str, random: np.random.Generator) -> None:
    data = path.read_bytes()
    path.write_bytes(
        {
            "cut": data[: len(data) // 2],
            "empty": b"",
            "noise": random.bytes(len(data)),
            "text": b"not an image, and not a video\n",
        }[kind]
    )
