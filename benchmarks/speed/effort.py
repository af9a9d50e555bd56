"""How much the realtime benchmark measures: two efforts differ in their cases and in their figures' noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

SIZES = ((320, 240), (640, 480), (1280, 720), (1920, 1080))
COUNTS = (0, 1, 4, 10)
DETECTORS = ("ferkit", "yunet", "haar")
THREADS = (1, 2)


class RealtimeEffort(NamedTuple):
    """The cases and how long each is measured."""

    sizes: Sequence[tuple[int, int]]  # width and height in pixels
    counts: Sequence[int]  # faces
    threads: Sequence[int]
    frames: int  # of a case's stream
    live_s: float  # of a live stream
    processes: int  # started for each detector


FULL = RealtimeEffort(SIZES, COUNTS, THREADS, frames=480, live_s=20, processes=5)
QUICK = RealtimeEffort(SIZES[1:2], (1, 10), (1,), frames=96, live_s=3, processes=1)
