"""Memory over a long run: what `ferkit run --save --json --summary` does, by its own parts."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from benchmarks.speed.clips import CLIP_RATE, make_visits, write_clip
from reporting.progress import progress
from runtime.command.lines import json_lines
from runtime.command.open_source import open_source
from runtime.command.outputs import LinesFile
from runtime.command.sources import SourceFrame
from runtime.command.summary import Summary
from runtime.command.summary_files import write_summary
from runtime.command.video_file import VideoFile
from runtime.drawing.overlay import Overlay
from runtime.recognizer import Recognizer, Stream

PART_FRAMES = 3000  # of the outputs: then the next ones take their place, or they fill the disk
PAGE_BYTES = 4096  # of Linux's memory
OUTPUTS = ("labelled.mp4", "faces.jsonl")


@dataclass(frozen=True)
class SoakRow:
    """A long run: memory in bytes, medians of its first and last tenth; `faces` that were told apart.

    `written_bytes` is the size of the largest part of the outputs.
    """

    frames: int
    parts: int
    faces: int
    written_bytes: int
    seconds: float
    first_bytes: float
    last_bytes: float
    growth_bytes: float
    most_bytes: float


def resident_bytes() -> int:
    """Returns the memory that this process holds now; only Linux tells."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * PAGE_BYTES


def over_and_over(path: Path) -> Generator[SourceFrame, None, None]:
    """Yields the frames of a video file over and over; their numbers and times go on."""
    index, start_s = 0, 0.0
    while True:
        with open_source(path) as source:
            time_s = 0.0
            for frame in source:
                time_s = frame.time_s
                yield replace(frame, index=index, time_s=start_s + time_s)
                index += 1
        start_s += time_s + 1 / CLIP_RATE


def write_part(
    frames: Iterable[tuple[int, SourceFrame]], follow: Stream, summary: Summary, folder: Path
) -> Iterator[int]:
    """Labels numbered frames, writes them as one part of the outputs, and yields the number of each."""
    video, lines = (folder / name for name in OUTPUTS)
    overlay = Overlay()
    with VideoFile(video, frame_rate=CLIP_RATE, keep_time=True) as save, LinesFile(lines) as file:
        for number, frame in frames:
            faces = follow(frame.pixels, frame.time_s)
            file.write(json_lines(frame, faces))
            summary.add(frame, faces)
            save.write(overlay(frame.pixels, faces), frame.time_s)
            yield number


def soak(
    recognizer: Recognizer,
    video: Path,
    *,
    frames: int,
    folder: Path,
    part_frames: int = PART_FRAMES,
    resident: Callable[[], int] = resident_bytes,
) -> SoakRow:
    """Does with many frames what `ferkit run` does, and compares the memory of the first and last tenth.

    The frames of the video, over and over, are one stream with one summary. The annotated video and the JSON
    lines end after `part_frames` frames and the next ones take their place.

    Args:
        recognizer: With detector and model.
        video: The file, shown over and over.
        frames: How many.
        folder: For the outputs.
        part_frames: Of a part of the outputs.
        resident: Returns the memory that this process holds, in bytes.
    """
    follow = recognizer.stream()
    summary = Summary(str(video), frame_rate=CLIP_RATE)
    every = max(1, frames // 1000)
    held: list[int] = []
    written_bytes = 0
    numbers = progress(range(frames), "Soak")
    start = time.perf_counter()
    parts = [min(part_frames, frames - first) for first in range(0, frames, part_frames)]
    with closing(over_and_over(video)) as endless:
        for part in parts:
            numbered = zip(islice(numbers, part), endless, strict=False)
            done = write_part(numbered, follow, summary, folder)
            held += [resident() for number in done if number % every == 0]
            written_bytes = max(written_bytes, sum((folder / name).stat().st_size for name in OUTPUTS))
    summary.finish()
    write_summary(summary, folder / "summary")
    tenth = max(1, len(held) // 10)
    first, last = float(np.median(held[:tenth])), float(np.median(held[-tenth:]))
    return SoakRow(
        frames=frames,
        parts=len(parts),
        faces=len(summary.faces()),
        written_bytes=written_bytes,
        seconds=time.perf_counter() - start,
        first_bytes=first,
        last_bytes=last,
        growth_bytes=last - first,
        most_bytes=max(held),
    )


def measure_soak(
    model: str, portrait: np.ndarray, *, frames: int, offline: bool, detector: str | None = None
) -> list[SoakRow]:
    """Returns the row of one long run on one thread; portrait: uint8 BGR (512, 512, 3)."""
    cv2.setNumThreads(1)
    recognizer = Recognizer(model, detector, 1, offline=offline)
    with tempfile.TemporaryDirectory() as folder:
        video, out = Path(folder) / "visits.mp4", Path(folder) / "out"
        write_clip(video, make_visits(portrait, width=640, height=480))
        return [soak(recognizer, video, frames=frames, folder=out)]
