"""The frames of the realtime benchmark: heads of the NASA portrait that move, or come and go, in a room."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.scenes import empty_scene, people_scene
from runtime.command.video_file import VideoFile

CLIP_FRAMES = 48  # a walk of the faces that ends where it began
CLIP_RATE = 30  # frames/s
VISITORS, VISITS_FRAMES = 5, 300  # of the long run's video: each face comes once in 10 s
FACE_SHARE = 0.115  # of the frame's width
NOISE = 3  # gray levels, standard deviation


def make_clip(
    portrait: np.ndarray, *, width: int, height: int, faces: int, frames: int = CLIP_FRAMES, seed: int = 0
) -> list[np.ndarray]:
    """Returns frames, uint8 BGR (height, width, 3), of a room in which heads move around their places.

    A face is a ninth of the frame's width, and moves by up to a tenth of its own width a frame. The last
    frame is one step before the first.

    Args:
        portrait: uint8 BGR (512, 512, 3), `demo/astronaut.jpg`.
        width: Of the frames in pixels.
        height: Of the frames in pixels.
        faces: How many heads.
        frames: How many frames.
        seed: Of room, places and noise.
    """
    random = np.random.default_rng(seed)
    room = empty_scene(width=width, height=height, seed=seed)
    side = FACE_SHARE * width
    columns = 1 if faces == 1 else 2 if faces <= 4 else 5
    rows = max(1, math.ceil(faces / columns))
    centres = [
        ((number % columns + 0.5) * width / columns, (number // columns + 0.5) * height / rows)
        for number in range(faces)
    ]
    phases, reach = random.uniform(0, 2 * math.pi, (faces, 2)), 0.15 * side if faces > 4 else 0.75 * side
    noise = np.rint(random.normal(0, NOISE, 2 * room.size)).astype(np.int16)
    clip = []
    for number in range(frames):
        angles = 2 * math.pi * number / frames + phases
        squares = [
            (x + reach * math.sin(across) - side / 2, y + reach * math.sin(down) - side / 2, side)
            for (x, y), (across, down) in zip(centres, angles.tolist(), strict=True)
        ]
        frame = people_scene(portrait, squares, room=room)
        start = int(random.integers(noise.size - frame.size))
        noisy = frame + noise[start : start + frame.size].reshape(frame.shape)
        clip.append(np.clip(noisy, 0, 255).astype(np.uint8))
    return clip


def make_visits(
    portrait: np.ndarray, *, width: int, height: int, frames: int = VISITS_FRAMES, seed: int = 0
) -> Iterator[np.ndarray]:
    """Yields frames, uint8 BGR (height, width, 3), of a room into which `VISITORS` heads come one by one.

    Each rises from below the frame to its place and sinks again, and is away for half of the time. The last
    frame is one step before the first.

    Args:
        portrait: uint8 BGR (512, 512, 3), `demo/astronaut.jpg`.
        width: Of the frames in pixels.
        height: Of the frames in pixels.
        frames: How many frames.
        seed: Of room and noise.
    """
    room = empty_scene(width=width, height=height, seed=seed)
    random = np.random.default_rng(seed)
    side = FACE_SHARE * width
    for number in range(frames):
        squares = []
        for visitor in range(VISITORS):
            turn = 2 * math.pi * (number / frames + visitor / VISITORS)
            away = 1 - min(1.0, max(0.0, 2 * math.sin(turn)))  # 0: in its place, 1: below the frame
            x = (visitor + 0.5) * width / VISITORS - side / 2
            squares.append((x, 0.3 * height + away * (0.7 * height + side), side))
        frame = people_scene(portrait, squares, room=room)
        noise = random.normal(0, NOISE, (height, width, 1))
        yield np.clip(np.rint(frame + noise), 0, 255).astype(np.uint8)


def write_clip(path: Path, frames: Iterable[np.ndarray]) -> None:
    """Writes frames, uint8 BGR, as a video of `CLIP_RATE`."""
    with VideoFile(path, frame_rate=CLIP_RATE) as video:
        for number, frame in enumerate(frames):
            video.write(frame, number / CLIP_RATE)
