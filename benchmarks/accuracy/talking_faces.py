"""Made videos of talking faces: a still face whose mouth, light, roll and sharpness change over time.

The mouth moves by a thin-plate warp (Bookstein 1989): points of the lips, the corners of the mouth and the
chin are displaced, points of the eyes, the nose and the border are held.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.accuracy.steady_report import FACE_PX, FRAME_RATE

# Places in a face of FER2013, as shares of its side: those that move, then those that are held.
UPPER_LIP, LOWER_LIP, CHIN = (0.5, 0.70), (0.5, 0.82), (0.5, 0.97)
LEFT_CORNER, RIGHT_CORNER = (0.36, 0.75), (0.64, 0.75)
MOVED = (UPPER_LIP, LOWER_LIP, CHIN, LEFT_CORNER, RIGHT_CORNER)
HELD = (
    *((x, 0.0) for x in (0.0, 0.5, 1.0)),
    *((x, y) for y in (0.4, 0.7, 1.0) for x in (0.0, 1.0)),
    *((0.3, 0.4), (0.7, 0.4), (0.5, 0.58)),
)
OPENING = 0.10  # of the side: how far the lower lip goes down at most
WIDENING = 0.03  # of the side: how far a corner of the mouth goes out or in
SYLLABLES_HZ = (3.0, 6.0)
TALKS_S, PAUSES_S = (0.8, 3.0), (0.2, 1.0)
LIGHT, LIGHT_HZ = 0.15, 0.2  # change of brightness, of 1
ROLL_DEGREES, ROLL_HZ = 5.0, 0.3
BLURRED, BLUR_PX = 0.2, 1.5  # share of the frames; the blur's standard deviation at most


class Mouth(NamedTuple):
    """How a mouth moves: one value a frame, float64 (frames,)."""

    opening: np.ndarray  # 0 to 1
    widening: np.ndarray  # -1 to 1


def mouth_of(frames: int, random: np.random.Generator) -> Mouth:
    """Returns the mouth of a person who talks with pauses, at `FRAME_RATE` frames a second."""
    times = np.arange(frames) / FRAME_RATE
    rate = random.uniform(*SYLLABLES_HZ)
    phase = 2 * np.pi * rate * times + 0.8 * wave(times, rate / 4, random)
    talks = np.zeros(frames)
    at = 0
    while at < frames:
        length = round(random.uniform(*TALKS_S) * FRAME_RATE)
        talks[at : at + length] = 1
        at += length + round(random.uniform(*PAUSES_S) * FRAME_RATE)
    talks = np.convolve(talks, np.ones(5) / 5, mode="same")
    loud = 0.65 + 0.35 * wave(times, 0.7, random)
    return Mouth(talks * loud * (1 - np.cos(phase)) / 2, talks * wave(times, rate / 3, random))


def wave(times: np.ndarray, frequency_hz: float, random: np.random.Generator) -> np.ndarray:
    """Returns a smooth curve of -1 to 1: two sines near a frequency, float64 like `times` (seconds)."""
    sines = [
        np.sin(2 * np.pi * (frequency_hz * factor * times + random.uniform()))
        for factor in random.uniform(0.6, 1.4, 2)
    ]
    return sum(sines) / 2


def warp_basis(side: int) -> np.ndarray:
    """Returns how far each pixel moves where one of `MOVED` moves by 1: float64 (side * side, points).

    The thin-plate spline is fitted at the points' places at rest. So the map back, which a warp needs, is
    taken to be the map with its sign turned: exact for small displacements, as these are.

    Args:
        side: Of the image, in pixels.
    """
    points = side * np.array([*MOVED, *HELD])
    count = len(points)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _spline(points, points)
    system[:count, count:] = np.column_stack([np.ones(count), points])
    system[count:, :count] = system[:count, count:].T
    weights = np.linalg.solve(system, np.eye(count + 3)[:, : len(MOVED)])
    rows, columns = np.mgrid[:side, :side]
    pixels = np.column_stack([columns.ravel(), rows.ravel()]).astype(np.float64)
    return np.column_stack([_spline(pixels, points), np.ones(len(pixels)), pixels]) @ weights


def _spline(ones: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns r^2 log r of the distances between points (n, 2) and (m, 2): (n, m)."""
    squared = ((ones[:, None] - others[None]) ** 2).sum(axis=2)
    return 0.5 * squared * np.log(np.maximum(squared, 1e-12))


def displacements(opening: float, widening: float, side: int) -> np.ndarray:
    """Returns how far each of `MOVED` goes, in pixels, float64 (points, 2): x, y."""
    down, out = OPENING * side * opening, WIDENING * side * widening
    return np.array([(0, -0.15 * down), (0, down), (0, 0.7 * down), (-out, 0.3 * down), (out, 0.3 * down)])


def talking_faces(face: np.ndarray, frames: int, random: np.random.Generator) -> Iterator[np.ndarray]:
    """Yields a face that talks.

    Args:
        face: `uint8 (48, 48)` or `(48, 48, 1)`, gray.
        frames: How many, at `FRAME_RATE`.
        random: Of all movements.

    Yields:
        `uint8 (FACE_PX, FACE_PX)` gray.
    """
    large = cv2.resize(face.reshape(48, 48), (FACE_PX, FACE_PX), interpolation=cv2.INTER_CUBIC)
    times = np.arange(frames) / FRAME_RATE
    mouth = mouth_of(frames, random)
    light = 1 + LIGHT * wave(times, LIGHT_HZ, random)
    roll = ROLL_DEGREES * wave(times, ROLL_HZ, random)
    blurred = random.uniform(size=frames) < BLURRED
    basis = warp_basis(FACE_PX)
    rows, columns = np.mgrid[:FACE_PX, :FACE_PX].astype(np.float32)
    for number in range(frames):
        moved = basis @ displacements(mouth.opening[number], mouth.widening[number], FACE_PX)
        x, y = moved.T.reshape(2, FACE_PX, FACE_PX).astype(np.float32)
        image = cv2.remap(large, columns - x, rows - y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        turn = cv2.getRotationMatrix2D((FACE_PX / 2, FACE_PX / 2), roll[number], 1.0)
        image = cv2.warpAffine(image, turn, (FACE_PX, FACE_PX), borderMode=cv2.BORDER_REPLICATE)
        if blurred[number]:
            image = cv2.GaussianBlur(image, (0, 0), random.uniform(0.3, BLUR_PX))
        yield cv2.convertScaleAbs(image, alpha=light[number])
