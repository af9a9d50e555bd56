"""Measures the runtime as a user meets it, and writes reports/realtime.md.

    python -m benchmarks realtime                      stages, latency and whole processes: about 20 minutes
    python -m benchmarks realtime --only latency       one of them; the others stay as they were measured
    python -m benchmarks realtime --only soak --soak 100000
    python -m benchmarks realtime --quick --clock cpu  on a busy machine: processor time of this process
    python -m benchmarks realtime --table              only write the report and docs/benchmarks.md

The frames show the head of the NASA portrait, moving, once or up to ten times, in a made-up room. A camera is
not at hand: its part is taken by a reader that gives 30 or 60 frames a second through the live path.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from benchmarks.scenes import PORTRAIT, empty_scene, people_scene, read_portrait
from benchmarks.speed.table import DETECTOR_NAMES
from reporting.files import write_atomically, write_json
from reporting.machine import describe_device
from reporting.markdown import BlockError, rewrite_block
from reporting.progress import progress
from reporting.timing import median_and_p95
from runtime.card import CardError
from runtime.command.lines import json_lines
from runtime.command.live import Live
from runtime.command.open_source import open_source
from runtime.command.outputs import LinesFile
from runtime.command.sources import Sample
from runtime.command.summary import Summary
from runtime.command.summary_files import write_summary
from runtime.command.video_file import VideoFile
from runtime.detectors import DetectorError
from runtime.drawing.overlay import Overlay
from runtime.engines import EngineError
from runtime.model import DEFAULT_MODEL, ModelError
from runtime.recognizer import FACES_PER_FRAME, Recognizer, Stream

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "reports" / "realtime.md"
RESULTS = ROOT / "results" / "realtime.json"

SIZES = ((320, 240), (640, 480), (1280, 720), (1920, 1080))
COUNTS = (0, 1, 4, 10)
DETECTORS = ("yunet", "haar")
THREADS = (1, 2)
RATES = (30, 60)
STAGES = ("read", "detect", "track", "crop", "classify", "draw")
# What one core is to reach at 640x480: detector, faces, frames/s without reading and drawing.
GOALS = (("yunet", 1, 400), ("haar", 1, 60), ("yunet", 10, 150))

CLIP_FRAMES = 48  # a walk of the faces that ends where it began
CLIP_RATE = 30  # frames/s
VISITORS, VISITS_FRAMES = 5, 300  # of the long run's video: each face comes once in 10 s
PART_FRAMES = 3000  # of the long run's outputs: then they are closed and begun anew, or they fill the disk
WARM_UP_FRAMES = 24
NOISE = 3  # gray levels, standard deviation
CLOCKS: dict[str, Callable[[], float]] = {"wall": time.perf_counter, "cpu": time.process_time}


class Effort(NamedTuple):
    """How long things are done; two efforts differ in their figures' noise alone."""

    sizes: Sequence[tuple[int, int]]
    counts: Sequence[int]
    threads: Sequence[int]
    frames: int
    live_s: float
    processes: int


FULL = Effort(SIZES, COUNTS, THREADS, frames=480, live_s=20, processes=5)
QUICK = Effort(SIZES[1:2], (1, 10), (1,), frames=96, live_s=3, processes=1)


class Timed:
    """A callable, and everything else that it is, with the seconds that its calls took."""

    def __init__(self, call: Any, clock: Callable[[], float]) -> None:
        self._call = call
        self._clock = clock
        self.seconds = 0.0

    def __call__(self, *given: Any, **named: Any) -> Any:
        start = self._clock()
        try:
            return self._call(*given, **named)
        finally:
            self.seconds += self._clock() - start

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)


def make_clip(
    portrait: np.ndarray, *, width: int, height: int, faces: int, frames: int = CLIP_FRAMES, seed: int = 0
) -> list[np.ndarray]:
    """Frames, uint8 BGR (height, width, 3), of a room with so many heads, each moving around its place.

    A face is a ninth of the frame's width, and moves by up to a tenth of its own a frame. The last frame is
    one step before the first.
    """
    random = np.random.default_rng(seed)
    room = empty_scene(width=width, height=height, seed=seed)
    side = 0.115 * width
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
    """Frames, uint8 BGR (height, width, 3), of a room into which `VISITORS` heads come, one after the other.

    Each rises from below the frame to its place and sinks again, and is away for half of the time; the last
    frame is one step before the first.
    """
    room = empty_scene(width=width, height=height, seed=seed)
    random = np.random.default_rng(seed)
    side = 0.115 * width
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
    """Write frames, uint8 BGR, as a video of `CLIP_RATE`."""
    with VideoFile(path, frame_rate=CLIP_RATE) as video:
        for number, frame in enumerate(frames):
            video.write(frame, number / CLIP_RATE)


def stages(
    recognizer: Recognizer,
    clip: Sequence[np.ndarray],
    *,
    frames: int,
    read_s: float = 0.0,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """Milliseconds a frame that each stage takes in the mean, over so many frames of a stream.

    Detection is timed inside the tracker, so that "track" is what the tracker does besides; "crop" is all
    that a stream does besides tracking and the model: crops, smoothing and Python itself. `read_s` is the
    time that reading a frame took.
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
            faces = follow(frame, number / 30)
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
    return {
        "ms": {stage: 1000 * seconds[stage] / frames for stage in STAGES},
        "frames_per_s": frames / total_s,
        "frames_per_s_with_read_and_draw": frames / everything_s,
        "detect_every": frames / max(1, tracker.detections - detections),
        "faces_seen": found / frames,
    }


def read_seconds(clip: Sequence[np.ndarray], clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds that reading a frame of the clip takes from an .mp4 file, in the mean."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "clip.mp4"
        write_clip(path, clip)
        with open_source(path) as source:
            start = clock()
            frames = sum(1 for _ in source)
            return (clock() - start) / frames


def measure_stages(
    model: str, effort: Effort, portrait: np.ndarray, *, clock: str, offline: bool
) -> list[dict[str, Any]]:
    """A row for every detector, size, number of faces and threads."""
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
                what = {"detector": detector, "width": width, "height": height, "faces": count}
                rows.append({**what, "threads": threads, **measured})
    return rows


class Paced:
    """Frames at a steady rate, as a camera gives them: `read` waits for the next one's time.

    `given_s` are the times at which the frames were given, by the clock that latency is measured by.
    """

    def __init__(self, clip: Sequence[np.ndarray], rate: float, seconds: float) -> None:
        self._clip, self._rate = clip, rate
        self._count = round(rate * seconds)
        self._start_s: float | None = None
        self.given_s: list[float] = []

    def read(self) -> tuple[bool, np.ndarray | None]:
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
) -> dict[str, Any]:
    """Milliseconds from the moment a frame is given by the device to its faces' labels, and the drops."""
    paced = Paced(clip, rate, seconds)
    overlay, milliseconds = Overlay(), []
    with Live("a paced reader", paced.read, frame_rate=rate) as source:
        for sample in source:
            faces = follow(sample.frame, sample.time_s)
            milliseconds.append(1000 * (time.monotonic() - paced.given_s[sample.index]))
            if draw:
                overlay(sample.frame, faces)
    median, p95 = median_and_p95(np.array(milliseconds))
    return {"frames": len(paced.given_s), "dropped": source.dropped, "median_ms": median, "p95_ms": p95}


def measure_latency(
    model: str, effort: Effort, portrait: np.ndarray, *, offline: bool
) -> list[dict[str, Any]]:
    """A row for every detector, rate and number of faces, at 640x480 with one thread."""
    cv2.setNumThreads(1)
    rows = []
    for count in (1, 10):
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
                rows.append({"detector": detector, "faces": count, "rate": rate, **measured})
    return rows


START_UP = """
import sys, time
from runtime import Recognizer
from benchmarks.speed.memory import own_peak_bytes
faces = Recognizer(sys.argv[1], sys.argv[2], offline=True)(sys.argv[3])
print(time.time() - float(sys.argv[4]), len(faces), own_peak_bytes())
"""


def measure_processes(model: str, effort: Effort) -> list[dict[str, Any]]:
    """Seconds from the start of a Python process to its first labels, and its peak memory, per detector.

    Files are in the system's cache, as the first of the processes, which isn't counted, leaves them.
    """
    rows = []
    for detector in DETECTORS:
        answers = []
        for _ in progress(range(effort.processes + 1), f"Processes, {detector}"):
            command = [sys.executable, "-c", START_UP, model, detector, str(PORTRAIT), str(time.time())]
            child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            if child.returncode:
                break  # without that detector
            answers.append(child.stdout.split()[-3:])
        if len(answers) > 1:
            seconds = [float(answer[0]) for answer in answers[1:]]
            peaks = [int(answer[2]) for answer in answers[1:] if answer[2] != "None"]
            rows.append(
                {
                    "detector": detector,
                    "seconds": float(np.median(seconds)),
                    "peak_bytes": int(np.median(peaks)) if peaks else None,
                }
            )
    return rows


def resident_bytes() -> int:
    """Memory that this process holds now; only Linux tells."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def over_and_over(path: Path) -> Generator[Sample, None, None]:
    """The samples of a video file without an end: it is opened anew, and numbers and times go on."""
    index, start_s = 0, 0.0
    while True:
        with open_source(path) as source:
            time_s = 0.0
            for sample in source:
                time_s = sample.time_s
                yield replace(sample, index=index, time_s=start_s + time_s)
                index += 1
        start_s += time_s + 1 / CLIP_RATE


def soak(
    recognizer: Recognizer,
    video: Path,
    *,
    frames: int,
    folder: Path,
    part_frames: int = PART_FRAMES,
    resident: Callable[[], int] = resident_bytes,
) -> dict[str, Any]:
    """Do with so many frames what `ferkit run` does; compare the memory of the first and the last tenth.

    The frames of the video file, over and over, are one stream with one summary. The annotated video and the
    JSON lines, in `folder`, end after `part_frames` frames each and give place to the next. Returns, among
    others, the medians of the memory in bytes, how many faces were told apart, and the size of the largest
    part in bytes.
    """
    follow = recognizer.stream()
    overlay, summary = Overlay(), Summary(str(video), frame_rate=CLIP_RATE)
    annotated, lines = folder / "labelled.mp4", folder / "faces.jsonl"
    every = max(1, frames // 1000)
    held, written_bytes = [], 0
    numbers = progress(range(frames), "Soak")
    start = time.perf_counter()
    parts = [min(part_frames, frames - first) for first in range(0, frames, part_frames)]
    with closing(over_and_over(video)) as samples:
        for part in parts:
            with ExitStack() as outputs:
                save = outputs.enter_context(VideoFile(annotated, frame_rate=CLIP_RATE, keep_time=True))
                file = outputs.enter_context(LinesFile(lines))
                for number, sample in zip(islice(numbers, part), samples, strict=False):
                    faces = follow(sample.frame, sample.time_s)
                    file.write(json_lines(sample, faces))
                    summary.add(sample, faces)
                    save.write(overlay(sample.frame, faces), sample.time_s)
                    if number % every == 0:
                        held.append(resident())
            written_bytes = max(written_bytes, sum(path.stat().st_size for path in (annotated, lines)))
    summary.finish()
    write_summary(summary, folder / "summary")
    tenth = max(1, len(held) // 10)
    first, last = float(np.median(held[:tenth])), float(np.median(held[-tenth:]))
    return {
        "frames": frames,
        "parts": len(parts),
        "faces": len(summary.people()),
        "written_bytes": written_bytes,
        "seconds": time.perf_counter() - start,
        "first_bytes": first,
        "last_bytes": last,
        "growth_bytes": last - first,
        "most_bytes": max(held),
    }


def render(results: dict[str, Any]) -> str:
    """The report as Markdown, of the sections that were measured."""
    lines = [
        "# Real time, measured",
        "",
        "Written by `python -m benchmarks realtime`; as JSON: `results/realtime.json`. The frames",
        "show the head of the NASA portrait, moving, once or up to ten times, in a made-up room. A camera is",
        "not at hand: a reader that gives its frames at a steady rate takes its place in the live path.",
    ]
    for section, write in SECTIONS.items():
        if section in results:
            lines += ["", *write(results[section]["rows"]), "", _measured_on(results[section])]
    return "\n".join(lines) + "\n"


def _measured_on(section: dict[str, Any]) -> str:
    device, clock = section["device"], section["clock"]
    if clock == "cpu":
        times = "processor time of the process, not time on the wall, because the machine was busy"
    else:
        times = "time on the wall"
    return (
        f"`{section['command']}`, {device['measured']}: {device['processor']}, {device['cores']} cores, "
        f"load {device['load_average']}, OpenCV {device['opencv']}, model `{section['model']}`; {times}."
    )


def _stages_table(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield from ("## Frames/s and milliseconds a frame", "")
    yield "Frames/s count detection, tracking, crop and model; in brackets with reading from an .mp4 file and"
    yield "drawing. Stages are means over all frames, most of which need no detection (*every*: frames from"
    yield "one detection to the next). Haar and YuNet see a frame reduced to 320 pixels."
    yield ""
    yield f"Of more than {FACES_PER_FRAME} known faces {FACES_PER_FRAME} are scored a frame, in turn, as one"
    yield "batch: a row of ten faces is of ten faces followed and shown, not of ten scored in every frame."
    yield ""
    yield "The goals leave out reading and drawing; beside each stands what is reached with them."
    yield ""
    for detector, faces, goal in GOALS:
        for row in rows:
            case = (row["detector"], row["faces"], row["width"], row["threads"])
            if case == (detector, faces, 640, 1):
                verdict = "reached" if row["frames_per_s"] >= goal else "missed"
                yield (
                    f"- goal at 640x480, one thread, {detector}, {faces} faces: {goal} frames/s, "
                    f"measured {row['frames_per_s']:.0f}: {verdict}; with reading and drawing "
                    f"{row['frames_per_s_with_read_and_draw']:.0f}"
                )
    yield ""
    heads = ("detector", "frame", "faces", "seen", "threads", "every", "frames/s", *STAGES)
    yield f"| {' | '.join(heads)} |"
    yield "|---|---|" + "---:|" * (len(heads) - 2)
    for row in rows:
        cells = [
            row["detector"],
            f"{row['width']}x{row['height']}",
            str(row["faces"]),
            f"{row['faces_seen']:.2f}",
            str(row["threads"]),
            f"{row['detect_every']:.1f}",
            f"{row['frames_per_s']:.0f} ({row['frames_per_s_with_read_and_draw']:.0f})",
            *(f"{row['ms'][stage]:.2f}" for stage in STAGES),
        ]
        yield f"| {' | '.join(cells)} |"


def _latency_table(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield from ("## From frame to label, live", "")
    yield "From the moment the reader gives a frame to its labels, 640x480, one thread, frames drawn as well;"
    yield "the newest frame wins and what came in between is dropped."
    yield ""
    yield "| detector | faces | frames/s given | median ms | p95 ms | dropped |"
    yield "|---|---:|---:|---:|---:|---:|"
    for row in rows:
        yield (
            f"| {row['detector']} | {row['faces']} | {row['rate']} | {row['median_ms']:.1f} | "
            f"{row['p95_ms']:.1f} | {row['dropped']} of {row['frames']} |"
        )


def _processes_table(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield from ("## Whole processes", "")
    yield "From the start of Python to the labels of the first image (512x512), and the most memory held,"
    yield "of a program that uses the library; the command `ferkit run` loads modules of its own besides."
    yield from ("", "| detector | seconds | peak MB |", "|---|---:|---:|")
    for row in rows:
        peak = "not told" if row["peak_bytes"] is None else f"{row['peak_bytes'] / 1e6:.0f}"
        yield f"| {row['detector']} | {row['seconds']:.2f} | {peak} |"


def _soak_lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield from ("## Memory over a long run", "")
    yield "What `ferkit run --save --json --summary` does, by its own parts: frames of 640x480, read from a"
    yield f"video file over and over, in which {VISITORS} faces come and go, labelled as one stream, drawn,"
    yield "and written as video, JSON lines and summary. Video and lines are begun anew now and then, as they"
    yield "would fill the disk; the summary is of the whole, and grows with the faces and changes of label."
    yield ""
    for row in rows:
        yield (
            f"{row['frames']:,} frames in {row['seconds']:.0f} s, {row['faces']:,} faces told apart, files "
            f"begun {row['parts']} times and {row['written_bytes'] / 1e6:.0f} MB at most: "
            f"{row['first_bytes'] / 1e6:.1f} MB held in the first tenth, {row['last_bytes'] / 1e6:.1f} MB in "
            f"the last (medians), {row['most_bytes'] / 1e6:.1f} MB at most."
        )


SECTIONS: dict[str, Callable[[Sequence[dict[str, Any]]], Iterator[str]]] = {
    "stages": _stages_table,
    "latency": _latency_table,
    "processes": _processes_table,
    "soak": _soak_lines,
}


def summary_table(results: dict[str, Any]) -> str:
    """A frame of 640x480 on one thread, start and memory: what the README shows of all that was measured."""
    section = results["stages"]
    live = {
        (row["detector"], row["faces"]): row for row in results["latency"]["rows"] if row["rate"] == RATES[0]
    }
    heads = (
        "detector",
        "faces",
        "frames/s",
        "with reading and drawing",
        "live: median ms",
        "p95 ms",
    )
    lines = [f"| {' | '.join(heads)} |", "|---|" + "---:|" * (len(heads) - 1)]
    for row in sorted(section["rows"], key=lambda row: DETECTORS.index(row["detector"])):
        if (row["width"], row["threads"]) == (640, 1):
            of_live = live.get((row["detector"], row["faces"]))
            cells = [
                DETECTOR_NAMES[row["detector"]],
                str(row["faces"]),
                f"{row['frames_per_s']:.0f}",
                f"{row['frames_per_s_with_read_and_draw']:.0f}",
                *([f"{of_live['median_ms']:.1f}", f"{of_live['p95_ms']:.1f}"] if of_live else ["", ""]),
            ]
            lines.append(f"| {' | '.join(cells)} |")
    device = section["device"]
    started = ", ".join(
        f"{row['seconds']:.2f} s with {DETECTOR_NAMES[row['detector']]}"
        for row in results["processes"]["rows"]
    )
    lines += [
        "",
        f"Measured {device['measured']} on {device['processor']}, one thread, model `{section['model']}`, "
        f"frames of 640x480; live: from a frame to its labels, {RATES[0]} frames/s given. "
        f"Of more than {FACES_PER_FRAME} faces {FACES_PER_FRAME} are scored a frame, in turn. "
        f"From the start of Python to the first labels: {started}.",
    ]
    return "\n".join(lines)


def _write_table(options: argparse.Namespace) -> int:
    try:
        results = json.loads(options.results.read_text(encoding="utf-8"))
        report, table = render(results), summary_table(results)
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        print(
            f"{options.results}: expected what `python -m benchmarks realtime` measured, got {error!r}. "
            "Run it without --table.",
            file=sys.stderr,
        )
        return 1
    try:
        rewrite_block(options.page, table, name="realtime")
        write_atomically(options.out, report)
    except (BlockError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Wrote {options.out} and {options.page}.")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="python -m benchmarks realtime", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), help="measure these, keep the others")
    parser.add_argument(
        "--model", default=DEFAULT_MODEL, help="released model or file (default: %(default)s)"
    )
    parser.add_argument("--quick", action="store_true", help="fewer cases and frames")
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall", help="of the stages")
    parser.add_argument("--soak", type=int, default=0, metavar="N", help="frames of the long run")
    parser.add_argument("--offline", action="store_true", help="never download YuNet's file")
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--out", type=Path, default=REPORT, help="the report (default: %(default)s)")
    parser.add_argument(
        "--table",
        action="store_true",
        help="measure nothing: write the report and the page's table from the results",
    )
    parser.add_argument(
        "--page", type=Path, default=Path("docs/benchmarks.md"), help="where --table puts its table"
    )
    options = parser.parse_args(given)
    if options.table:
        return _write_table(options)
    effort = QUICK if options.quick else FULL
    wanted = options.only or [section for section in SECTIONS if section != "soak" or options.soak]
    if "soak" in wanted and options.soak < 1:
        parser.error("--only soak needs --soak N, the number of frames")
    portrait = read_portrait()
    results = json.loads(options.results.read_text()) if options.results.is_file() else {}
    try:
        for section in wanted:
            about = {
                "device": describe_device(),
                "clock": options.clock if section == "stages" else "wall",
                "model": options.model,
                "command": " ".join(["python -m benchmarks realtime", *given]),
            }
            if section == "stages":
                rows = measure_stages(
                    options.model, effort, portrait, clock=options.clock, offline=options.offline
                )
            elif section == "latency":
                rows = measure_latency(options.model, effort, portrait, offline=options.offline)
            elif section == "processes":
                rows = measure_processes(options.model, effort)
            else:
                cv2.setNumThreads(1)
                recognizer = Recognizer(options.model, None, 1, offline=options.offline)
                with tempfile.TemporaryDirectory() as folder:
                    video = Path(folder) / "visits.mp4"
                    write_clip(video, make_visits(portrait, width=640, height=480))
                    out = Path(folder) / "out"
                    rows = [soak(recognizer, video, frames=options.soak, folder=out)]
            results[section] = {**about, "rows": rows}
    except (CardError, DetectorError, EngineError, ModelError) as error:
        print(error, file=sys.stderr)
        return 1
    write_json(options.results, results)
    report = render(results)
    write_atomically(options.out, report)
    print(report)
    return 0
