"""Speed: `ferkit label` on one core and on two against a plain loop on one, interleaved; and its start."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from benchmarks.artifacts import ROOT
from benchmarks.errors import BenchmarkError
from benchmarks.scenes import PORTRAIT
from benchmarks.speed.archive_effort import ArchiveEffort
from benchmarks.speed.archive_files import make_archive
from benchmarks.speed.archive_runs import DETECTOR, label, on_cores, parts_in, steady_files_per_s
from benchmarks.speed.clips import CLIP_RATE, make_clip, write_clip
from reporting.progress import progress

CORES = (1, 2)
SIZE = (640, 480)
CLIP_S = 10
KINDS = ("small images", "images", "videos", "videos, one frame a second")


@dataclass(frozen=True)
class SpeedRow:
    """Files/s of one kind of files on so many cores, turn by turn.

    Attributes:
        kind: Of `KINDS`.
        cores: Of `ferkit label`; the loop has one.
        files: The number labelled in a turn.
        file_bytes: The size of one, in the mean.
        file_s: The length of a video in seconds; 0 for images.
        loop: Files/s of the plain loop.
        steady: Files/s of `ferkit label`, after each actor's first part.
        whole_s: Seconds of the whole command.
    """

    kind: str
    cores: int
    files: int
    file_bytes: int
    file_s: float
    loop: list[float] = field(default_factory=list)
    steady: list[float] = field(default_factory=list)
    whole_s: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """`ferkit label` to the loop of the same turn, the median of all turns."""
        return float(np.median(np.divide(self.steady, self.loop)))


@dataclass(frozen=True)
class StartRow:
    """Seconds of whole commands that label one image, turn by turn."""

    command: str
    seconds: list[float]


def measure_speed(model: str, effort: ArchiveEffort, portrait: np.ndarray) -> list[SpeedRow]:
    """Returns a row for each kind of files on one core and on two."""
    rows = []
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            paths = make_files(kind, Path(folder, "in"), effort, portrait)
            rows += _measure(kind, paths, Path(folder), model, effort.turns)
    return rows


def make_files(kind: str, folder: Path, effort: ArchiveEffort, portrait: np.ndarray) -> list[Path]:
    """Writes the files of one kind; but for the small images they are links to a few."""
    if kind == KINDS[0]:
        return make_archive(folder, portrait, images=effort.timed_images, damaged=0)
    folder.mkdir()
    width, height = SIZE
    clip = make_clip(portrait, width=width, height=height, faces=1)
    if kind == KINDS[1]:
        first = [folder / f"{number:06}.jpg" for number in range(len(clip))]
        for path, frame in zip(first, clip, strict=True):
            cv2.imwrite(str(path), frame)
        return _linked(first, effort.timed_images)
    path = folder / "000000.mp4"
    write_clip(path, (clip[number % len(clip)] for number in range(CLIP_S * CLIP_RATE)))
    return _linked([path], effort.timed_videos if kind == KINDS[2] else effort.timed_sampled)


def _linked(first: Sequence[Path], count: int) -> list[Path]:
    paths = list(first[:count])
    for number in range(len(paths), count):
        original = first[number % len(first)]
        paths.append(original.with_name(f"{number:06}{original.suffix}"))
        paths[-1].hardlink_to(original)
    return paths


def _measure(kind: str, paths: Sequence[Path], folder: Path, model: str, turns: int) -> list[SpeedRow]:
    is_video = kind in KINDS[2:]
    every_s = 1.0 if kind == KINDS[3] else 0.0
    (folder / "paths.txt").write_text("".join(f"{path}\n" for path in paths), encoding="utf-8")
    size = sum(path.stat().st_size for path in paths) // len(paths)
    rows = [SpeedRow(kind, cores, len(paths), size, CLIP_S if is_video else 0.0) for cores in CORES]
    options = ("--every", str(every_s)) if every_s else ()
    for turn in progress(range(turns), f"Speed, {kind}"):
        for row in rows:
            row.loop.append(loop_files_per_s(folder / "paths.txt", model, every_s))
            out = folder / f"out-{turn}-{row.cores}"
            with on_cores(row.cores):
                row.whole_s.append(
                    label(folder / "paths.txt", out, model, "--jobs", str(row.cores), *options)
                )
            row.steady.append(steady_files_per_s(parts_in(out), row.cores))
    return rows


def loop_files_per_s(list_file: Path, model: str, every_s: float) -> float:
    """Returns the files/s of a plain loop on one core, in a process of its own.

    Raises:
        BenchmarkError: It fails.
    """
    command = [sys.executable, "-m", "benchmarks.speed.archive_loop", str(list_file), model, DETECTOR]
    with on_cores(1):
        done = subprocess.run([*command, str(every_s)], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise BenchmarkError(f"The plain loop failed: {done.stderr.strip().splitlines()[-1]}")
    answer = json.loads(done.stdout.splitlines()[-1])
    return answer["files"] / answer["seconds"]


def measure_start(model: str, effort: ArchiveEffort) -> list[StartRow]:
    """Returns the seconds of `ferkit run` and `ferkit label` with one image, interleaved."""
    rows = [StartRow("ferkit run", []), StartRow("ferkit label", [])]
    with tempfile.TemporaryDirectory() as folder:
        commands: list[Callable[[int], float]] = [
            lambda turn: _run(model),
            lambda turn: label(PORTRAIT, Path(folder, str(turn)), model),
        ]
        for turn in progress(range(-1, effort.turns), "Start"):
            for row, command in zip(rows, commands, strict=True):
                seconds = command(turn)
                if turn >= 0:  # the first brings the files into the system's cache
                    row.seconds.append(seconds)
    return rows


def _run(model: str) -> float:
    command = [sys.executable, "-m", "runtime", "run", str(PORTRAIT), "--model", model, "--offline"]
    start = time.perf_counter()
    subprocess.run([*command, "--detector", DETECTOR], cwd=ROOT, capture_output=True, check=True)
    return time.perf_counter() - start
