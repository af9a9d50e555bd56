"""The stages of a frame: how long reading, detection, tracking, crop, model and drawing take."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.speed.clips import make_clip, write_clip
from benchmarks.speed.effort import DETECTORS, RealtimeEffort
from reporting.progress import progress
from runtime.command.open_source import open_source
from runtime.detectors import DetectorError
from runtime.drawing.overlay import Overlay
from runtime.recognizer import Recognizer

STAGES = ("read", "detect", "track", "crop", "classify", "draw")
WARM_UP_FRAMES = 24
FRAME_RATE = 30
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}


@dataclass(frozen=True)
class StageTimes:
    """Means over frames of a stream; `ms` by stage, `detect_every`: frames from one detection to the next."""

    ms: dict[str, float]
    frames_per_s: float  # of detection, tracking, crop and model
    frames_per_s_with_read_and_draw: float
    detect_every: float
    faces_seen: float


@dataclass(frozen=True)
class StageRow:
    """The stages of one case."""

    detector: str
    width: int
    height: int
    faces: int
    threads: int
    ms: dict[str, float]
    frames_per_s: float
    frames_per_s_with_read_and_draw: float
    detect_every: float
    faces_seen: float


class Timed:
    """Stands for a callable, attributes included, and adds up the seconds that its calls take."""

    def __init__(self, call: Any, clock: Callable[[], float]) -> None:
        """Begins at 0 seconds; clock: in seconds."""
        self._call = call
        self._clock = clock
        self.seconds = 0.0

    def __call__(self, *given: Any, **named: Any) -> Any:
        """Calls it and adds its time, also where it raises."""
        start = self._clock()
        try:
            return self._call(*given, **named)
        finally:
            self.seconds += self._clock() - start

    def __getattr__(self, name: str) -> Any:
        """Returns the callable's own attribute."""
        return getattr(self._call, name)


def stages(
    recognizer: Recognizer,
    clip: Sequence[np.ndarray],
    *,
    frames: int,
    read_s: float = 0.0,
    clock: Callable[[], float] = time.perf_counter,
) -> StageTimes:
    """Returns how long each stage takes a frame, in the mean over a stream.

    Detection is timed inside the tracker: "track" is the rest of the tracker. "crop" is the rest of a stream
    besides tracking and the model: crops, smoothing and Python itself.

    Args:
        recognizer: With detector and model.
        clip: uint8 BGR frames, shown over and over.
        frames: How many are timed, after `WARM_UP_FRAMES`.
        read_s: Seconds that reading a frame takes.
        clock: In seconds.
    """
    follow = recognizer.stream()
    tracker: Any = follow.tracker
    model: Any = recognizer.model
    tracker.detector = detect = Timed(tracker.detector, clock)
    tracker.follow = tracking = Timed(tracker.follow, clock)
    recognizer.model = classify = Timed(model, clock)  # type: ignore[assignment]
    draw = Timed(Overlay(), clock)
    total_s, found, detections = 0.0, 0, 0
    try:
        for number in range(WARM_UP_FRAMES + frames):
            if number == WARM_UP_FRAMES:
                detect.seconds = tracking.seconds = classify.seconds = draw.seconds = total_s = 0.0
                detections, found = tracker.detections, 0
            frame = clip[number % len(clip)]
            start = clock()
            faces = follow(frame, number / FRAME_RATE)
            total_s += clock() - start
            found += len(faces)
            draw(frame, faces)
    finally:
        recognizer.model = model
    seconds = {
        "read": read_s * frames,
        "detect": detect.seconds,
        "track": tracking.seconds - detect.seconds,
        "crop": total_s - tracking.seconds - classify.seconds,
        "classify": classify.seconds,
        "draw": draw.seconds,
    }
    everything_s = total_s + seconds["read"] + seconds["draw"]
    return StageTimes(
        ms={stage: 1000 * seconds[stage] / frames for stage in STAGES},
        frames_per_s=frames / total_s,
        frames_per_s_with_read_and_draw=frames / everything_s,
        detect_every=frames / max(1, tracker.detections - detections),
        faces_seen=found / frames,
    )


def read_seconds(clip: Sequence[np.ndarray], clock: Callable[[], float] = time.perf_counter) -> float:
    """Returns the mean seconds that reading a frame of the clip takes from an .mp4 file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        write_clip(path, clip)
        with open_source(path) as source:
            start = clock()
            frames = sum(1 for _ in source)
            return (clock() - start) / frames


def measure_stages(
    model: str, effort: RealtimeEffort, portrait: np.ndarray, *, clock: str, offline: bool
) -> list[StageRow]:
    """Returns a row for every detector, size, number of faces and threads; clock: of `CLOCKS`."""
    rows = []
    cases = [(size, count) for size in effort.sizes for count in effort.counts]
    for (width, height), count in progress(cases, "Stages"):
        clip = make_clip(portrait, width=width, height=height, faces=count)
        read_s = read_seconds(clip, CLOCKS[clock])
        for threads in effort.threads:
            cv2.setNumThreads(threads)
            for detector in DETECTORS:
                try:
                    recognizer = Recognizer(model, detector, threads, offline=offline)
                except DetectorError:
                    continue  # OpenCV 5 has no Haar cascade, a machine without YuNet's file no YuNet
                measured = stages(recognizer, clip, frames=effort.frames, read_s=read_s, clock=CLOCKS[clock])
                rows.append(StageRow(detector, width, height, count, threads, **vars(measured)))
    return rows
