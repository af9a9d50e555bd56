"""The golden vectors of the kit's own detector: letterboxes and suppressions, see `make_golden`."""

from __future__ import annotations

import zlib
from typing import Any

import cv2
import numpy as np

from runtime.detectors.ferkit import letterbox, surest

# A name, the frame, then width and height of the detector's input.
LETTERBOXES: list[tuple[str, str, int, int]] = [
    ("a small frame, enlarged to 200 pixels", "noise", 320, 256),
    ("a portrait, enlarged to 200 pixels", "ramps", 320, 256),
    ("a frame of nearly 200 pixels, enlarged a little", "portrait", 320, 256),
    ("a frame of one pixel", "pixel", 320, 256),
    ("shrunk to the height", "portrait", 96, 64),
    ("shrunk to the width", "noise", 64, 64),
    ("shrunk to exactly half", "ramps", 40, 60),
    ("shrunk to exactly a quarter", "portrait", 45, 50),
    ("a height that ends in a half, rounded to even", "ramps", 12, 40),
    ("as it is", "noise", 97, 70),
    ("shrunk to a row of one pixel", "noise", 1, 9),
]
BOX = (10.5, 20.25, 31.0, 44.75)  # of every letterbox, in pixels of the input
SWEEP_FRAME, SWEEP_SIDES = "noise", 128
CROWD = 450  # boxes, more than are compared
OVERLAP = 0.4


def make_letterboxes(frames: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Returns the entries of `letterboxes`, of frames `uint8` BGR `(height, width, 3)` by name."""
    entries = []
    for name, frame, width, height in LETTERBOXES:
        pixels, ratio = letterbox(gray_of(frames[frame]), height=height, width=width)
        on_frame = (np.array(BOX) / ratio).astype(np.float32)
        entry = {"name": name, "frame": frame, "width": width, "height": height}
        entry |= {"crc32": zlib.crc32(pixels.tobytes()), "box": list(BOX), "on_frame": numbers_of(on_frame)}
        entries.append(entry)
    return entries


def make_letterbox_sweep(frames: dict[str, np.ndarray]) -> dict[str, Any]:
    """Returns the checksums of one frame in square inputs of every side."""
    gray = gray_of(frames[SWEEP_FRAME])
    sides = range(1, SWEEP_SIDES + 1)
    inputs = (letterbox(gray, height=side, width=side)[0] for side in sides)
    return {"frame": SWEEP_FRAME, "crc32": [zlib.crc32(pixels.tobytes()) for pixels in inputs]}


def make_suppressions(noise: np.ndarray) -> list[dict[str, Any]]:
    """Returns the entries of `suppressions`; `noise` is `uint8`, of at least 300 numbers."""
    near = [[0, 0, 10, 7], [0, 3, 10, 7]]  # they share 40 of 100 pixels
    chain = [[0, 0, 10, 10], [4, 0, 10, 10], [8, 0, 10, 10]]
    crowd = [[12 * (index % 30), 12 * (index // 30), 9, 9] for index in range(CROWD)]
    rows = noise.reshape(-1)[:300].reshape(60, 5).tolist()
    cases: list[tuple[str, float, list[list[float]], list[float]]] = [
        ("nothing is sure enough", 0.5, near, [0.25, 0.4]),
        ("a box at the threshold counts", 0.4, [near[0], [50, 0, 10, 7]], [0.4, 0.39]),
        ("the surer of two stays", 0.5, [[0, 0, 10, 7], [0, 2, 10, 7]], [0.75, 0.875]),
        ("of two as sure the first stays", 0.5, [[0, 2, 10, 7], [0, 0, 10, 7]], [0.75, 0.75]),
        ("an overlap at the limit stays", 0.5, near, [0.75, 0.875]),
        ("what is dropped drops nothing", 0.5, chain, [0.9, 0.8, 0.7]),
        (
            "beyond the input",
            0.5,
            [[-20, -9.5, 30, 30], [-19, -9, 30, 30], [310, 250, 90, 90]],
            [0.6, 0.7, 0.8],
        ),
        ("one within the other", 0.5, [[0, 0, 40, 40], [5, 5, 30, 30], [15, 15, 10, 10]], [0.9, 0.8, 0.7]),
        (
            "a crowd, of which the surest 400 stay",
            0.25,
            crowd,
            [0.5 + index * 37 % 64 / 128 for index in range(CROWD)],
        ),
        (
            "many around a few places",
            0.3,
            [[x % 40 + 50 * (x % 3), y % 40, 30 + w % 32, 30 + h % 32] for x, y, w, h, _ in rows],
            [row[4] / 256 for row in rows],
        ),
    ]
    return [suppression_of(*case) for case in cases]


def suppression_of(
    name: str, threshold: float, boxes: list[list[float]], confidences: list[float]
) -> dict[str, Any]:
    """Returns an entry of `suppressions`."""
    sure = np.array(confidences, np.float32)
    kept = kept_of(np.array(boxes, np.float32), sure, threshold, OVERLAP)
    entry = {"name": name, "threshold": threshold, "overlap": OVERLAP, "boxes": boxes}
    return entry | {"confidences": numbers_of(sure), "kept": kept}


def kept_of(boxes: np.ndarray, confidences: np.ndarray, threshold: float, overlap: float) -> list[int]:
    """Returns the indices of the boxes that stay, the surest first; no two boxes may be the same."""
    rows = np.column_stack([boxes, confidences]).tolist()
    return [rows.index(face) for face in surest(boxes, confidences, threshold, overlap).tolist()]


def gray_of(frame: np.ndarray) -> np.ndarray:
    """Returns a BGR frame in gray, `uint8` `(height, width)`."""
    return cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)


def numbers_of(row: np.ndarray) -> list[float]:
    """Returns a row of `float32` in the fewest digits that read as the same `float32`."""
    return [float(str(number)) for number in row]
