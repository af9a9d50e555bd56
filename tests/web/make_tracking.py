"""Makes `web/tests/data/tracking.json`: `python -m tests.web.make_tracking`.

What Python's tracker does with faces that move, grow, leave and come back, for the tracker in web/ to repeat.
The frames are put together of the golden portrait by whole numbers alone, so that both sides make them.

    width, height   of every frame; the ground has gray (x * 7 + y * 3) % 64
    detect_every    as of `Tracker`
    frames          faces: left, top, size_percent of each portrait in the frame, nearest neighbours;
                    boxes: what the detector finds, x, y, width, height, confidence;
                    tracks: id, box of those shown
    detections      how often the detector was asked
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from runtime.tracking import Tracker
from tests.data.make_golden import make_frames

PATH = Path(__file__).parent.parent.parent / "web" / "tests" / "data" / "tracking.json"
WIDTH, HEIGHT = 400, 300
DETECT_EVERY = 4
FACE = (51, 33, 89, 112)  # in the portrait, as YuNet boxes it


class Scripted:
    """A detector that finds the boxes it is given."""

    name = "scripted"

    def __init__(self) -> None:
        self.boxes: list[list[float]] = []

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        return np.array(self.boxes, np.float32).reshape(-1, 5)


def ground() -> np.ndarray:
    """The frame without faces, `uint8` BGR `(HEIGHT, WIDTH, 3)`."""
    row, column = np.arange(HEIGHT)[:, np.newaxis], np.arange(WIDTH)
    gray = ((column * 7 + row * 3) % 64).astype(np.uint8)
    return np.repeat(gray[:, :, np.newaxis], 3, axis=2)


def paste(frame: np.ndarray, portrait: np.ndarray, left: int, top: int, percent: int) -> None:
    """Put the portrait into the frame, `percent` of its size, by nearest neighbours."""
    height, width = (side * percent // 100 for side in portrait.shape[:2])
    rows, columns = np.arange(height) * 100 // percent, np.arange(width) * 100 // percent
    image = portrait[rows][:, columns]
    above, before = max(0, -top), max(0, -left)
    part = image[above : max(above, HEIGHT - top), before : max(before, WIDTH - left)]
    frame[top + above : top + above + part.shape[0], left + before : left + before + part.shape[1]] = part


def box_of(left: int, top: int, percent: int, confidence: float) -> list[float]:
    """Where the face in a portrait is."""
    x, y, width, height = (side * percent / 100 for side in FACE)
    return [left + x, top + y, width, height, confidence]


def script() -> list[list[list[int]]]:
    """The portraits of each frame: left, top, size in percent."""
    frames = [[[10 + 4 * number, 20 + number, 80]] for number in range(12)]  # moves
    frames += [[[60, 30, 80 + number]] for number in range(10)]  # grows
    frames += [[[60 + 9 * number, 30, 90], [220 - 2 * number, 100, 70]] for number in range(10)]  # a second
    frames += [[[220 - 5 * number, 100, 70]] for number in range(12)]  # the first is gone
    frames += [[] for _ in range(20)]  # nobody
    frames += [[[160, 100 + 3 * number, 70]] for number in range(6)]
    frames += [[[-40 - 6 * number, 150 + 5 * number, 100]] for number in range(8)]  # leaves
    return frames


def make_tracking() -> dict[str, Any]:
    """All that the file holds."""
    portrait = make_frames()["portrait"][1]
    detector = Scripted()
    tracker = Tracker(detector, detect_every=DETECT_EVERY)
    frames = []
    for number, faces in enumerate(script()):
        frame = ground()
        for face in faces:
            paste(frame, portrait, *face)
        # The newest face is not sure: it is shown once a second detection has found it.
        detector.boxes = [box_of(*face, 0.9 if place == 0 else 0.55) for place, face in enumerate(faces)]
        tracks = tracker.follow(frame, number / 25)
        shown = [{"id": track.id, "box": [round(side, 4) for side in track.box]} for track in tracks]
        frames.append({"faces": faces, "boxes": detector.boxes, "tracks": shown})
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "detect_every": DETECT_EVERY,
        "frames": frames,
        "detections": tracker.detections,
    }


def json_of(tracking: dict[str, Any]) -> str:
    """JSON with a line for each frame."""
    lines = ",\n".join(f"  {json.dumps(frame)}" for frame in tracking["frames"])
    rest = json.dumps({name: value for name, value in tracking.items() if name != "frames"})
    return f'{{\n "frames": [\n{lines}\n ],\n {rest[1:-1]}\n}}\n'


if __name__ == "__main__":
    PATH.write_text(json_of(make_tracking()), encoding="utf-8", newline="\n")
    print(f"{PATH.name}: {PATH.stat().st_size} bytes")
