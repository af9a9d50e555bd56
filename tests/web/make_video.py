"""Makes `web/tests/data/portrait.webm`: `python -m tests.web.make_video`.

The demo portrait moves to the right for 1.8 s: a video that every browser plays. Chromium's own recorder
drops most frames on a busy machine, so the tests don't record one.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).parent.parent.parent
PATH = ROOT / "web" / "tests" / "data" / "portrait.webm"
WIDTH, HEIGHT, FRAMES, FRAME_RATE = 320, 240, 45, 25.0


def make_video() -> None:
    """Write the video."""
    portrait = cv2.imread(str(ROOT / "demo" / "astronaut.jpg"))
    portrait = cv2.resize(portrait, (HEIGHT, HEIGHT), interpolation=cv2.INTER_AREA)
    writer = cv2.VideoWriter(str(PATH), cv2.VideoWriter.fourcc(*"VP80"), FRAME_RATE, (WIDTH, HEIGHT))
    for number in range(FRAMES):
        frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        frame[:, number : number + HEIGHT] = portrait
        writer.write(frame)
    writer.release()


if __name__ == "__main__":
    make_video()
    print(f"{PATH.name}: {PATH.stat().st_size} bytes")
