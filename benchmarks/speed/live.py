"""Latency of a live stream: from a frame of the device to the labels of its faces."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from benchmarks.speed.clips import make_clip
from benchmarks.speed.effort import DETECTORS, RealtimeEffort
from reporting.progress import progress
from reporting.timing import median_and_p95
from runtime.command.live import Live
from runtime.detectors import DetectorError
from runtime.drawing.overlay import Overlay
from runtime.recognizer import Recognizer, Stream

RATES = (30, 60)  # frames/s
FACES = (1, 10)


@dataclass(frozen=True)
class LiveTimes:
    """Frames given, frames dropped for newer ones, and milliseconds from frame to labels."""

    frames: int
    dropped: int
    median_ms: float
    p95_ms: float


@dataclass(frozen=True)
class LatencyRow:
    """The live times of one case; `rate` in frames/s."""

    detector: str
    faces: int
    rate: int
    frames: int
    dropped: int
    median_ms: float
    p95_ms: float


class Paced:
    """Frames at a steady rate, as a camera gives them: `read` waits for the next one's time.

    Attributes:
        given_s: When each frame was given, by the clock of latency.
    """

    def __init__(self, clip: Sequence[np.ndarray], rate: float, seconds: float) -> None:
        """Takes uint8 BGR frames, shown over and over; rate: in frames/s."""
        self._clip, self._rate = clip, rate
        self._count = round(rate * seconds)
        self._start_s: float | None = None
        self.given_s: list[float] = []

    def read(self) -> tuple[bool, np.ndarray | None]:
        """Returns whether there is a frame, and it, as OpenCV's cameras do."""
        number = len(self.given_s)
        if number == self._count:
            return False, None
        now = time.monotonic()
        if self._start_s is None:
            self._start_s = now
        time.sleep(max(0.0, self._start_s + number / self._rate - now))
        self.given_s.append(time.monotonic())
        return True, self._clip[number % len(self._clip)]


def live_latency(
    follow: Stream, clip: Sequence[np.ndarray], *, rate: float, seconds: float, draw: bool = True
) -> LiveTimes:
    """Returns the time from a frame to its faces' labels, over a live stream; rate: frames/s."""
    paced = Paced(clip, rate, seconds)
    overlay, milliseconds = Overlay(), []
    with Live("a paced reader", paced.read, frame_rate=rate) as source:
        for frame in source:
            faces = follow(frame.pixels, frame.time_s)
            milliseconds.append(1000 * (time.monotonic() - paced.given_s[frame.index]))
            if draw:
                overlay(frame.pixels, faces)
    median, p95 = median_and_p95(np.array(milliseconds))
    return LiveTimes(len(paced.given_s), source.dropped, median, p95)


def measure_latency(
    model: str, effort: RealtimeEffort, portrait: np.ndarray, *, offline: bool
) -> list[LatencyRow]:
    """Returns a row for every detector, rate and number of faces, at 640x480 with one thread."""
    cv2.setNumThreads(1)
    rows = []
    for count in FACES:
        clip = make_clip(portrait, width=640, height=480, faces=count)
        for detector in DETECTORS:
            try:
                recognizer = Recognizer(model, detector, 1, offline=offline)
            except DetectorError:
                continue
            for rate in progress(RATES, f"Latency, {detector}, {count} faces"):
                follow = recognizer.stream()
                live_latency(follow, clip, rate=rate, seconds=1)  # warm, and with its cadence
                measured = live_latency(follow, clip, rate=rate, seconds=effort.live_s)
                rows.append(LatencyRow(detector, count, rate, **vars(measured)))
    return rows
