"""Damaged images, videos and models against the runtime: does anything crash, hang, or end in a traceback?

    python -m benchmarks fuzz --images 10000 --videos 1000 --models 1000 --seed 0

Each case takes a whole file, damages it in one to three ways - bits flipped, numbers in the header at their
limits, the end cut off or zeroed, blocks removed, repeated or taken from another file - and hands it to the
runtime in a process of its own: a image and a video are read and their faces labelled, a video with every
output that `ferkit run` has, and a model is opened and run. Well is what gives a result or an error of
ferkit's own kinds; a process that ends by a signal is a crash, one that takes longer than the limit hangs,
and any other exception would be a traceback. A case is decided by the seed, its kind and its number alone:
`--only images:17` runs that one again.

Model files are damaged in three ways, in turn: the file beside its true card, which sha256 must meet; the
file beside a card forged to fit it, where only the engine itself is between the damage and the process; and
the card beside its true file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing.connection import Connection
from pathlib import Path

import cv2
import numpy as np

from reporting.files import write_atomically
from reporting.machine import describe_device
from reporting.progress import progress
from runtime.card import CardError, card_path
from runtime.command.lines import csv_header, csv_lines, json_lines
from runtime.command.open_source import open_source
from runtime.command.outputs import LinesFile, OutputError
from runtime.command.sources import Source
from runtime.command.summary import Summary
from runtime.command.summary_files import summary_text, write_summary
from runtime.command.video_file import VideoFile
from runtime.drawing.overlay import Overlay
from runtime.engines import ENGINES_OF_SUFFIX, EngineError, is_installed
from runtime.images import SourceError, read_image
from runtime.model import RELEASED, ModelError, load_model
from runtime.recognizer import Recognizer

ROOT = Path(__file__).resolve().parents[1]
PORTRAIT = ROOT / "demo" / "astronaut.jpg"
REPORT = ROOT / "reports" / "fuzz.md"
KINDS = ("images", "videos", "models")
OWN_ERRORS = (SourceError, OutputError, ModelError, CardError, EngineError)
TIME_LIMIT_S = 30.0
MEMORY_BYTES = 8 * 2**30  # of addresses, a worker; a header may ask for more pixels than there is memory
VIDEO_FRAMES = 24

Data = bytes
Mutation = Callable[[Data, np.random.Generator], Data]
Case = tuple[str, int]  # kind, number


@dataclass(frozen=True)
class Result:
    """How a case ended: "good", "refused", "crash", "hang" or "traceback", and what was said."""

    case: Case
    outcome: str
    said: str
    seconds: float


def flip_bits(data: Data, random: np.random.Generator) -> Data:
    """Flip 1 to 32 bits anywhere."""
    changed = bytearray(data)
    for place in random.integers(len(data), size=random.integers(1, 33)):
        changed[place] ^= 1 << random.integers(8)
    return bytes(changed)


def set_header(data: Data, random: np.random.Generator) -> Data:
    """Set 1 to 4 numbers of 1, 2 or 4 bytes among the first 512 bytes to a limit or to anything."""
    changed = bytearray(data)
    for _ in range(random.integers(1, 5)):
        width = int(random.choice([1, 2, 4]))
        place = int(random.integers(max(1, min(512, len(data) - width))))
        limits = (bytes(width), b"\xff" * width, b"\x7f" + b"\xff" * (width - 1), b"\x80" + bytes(width - 1))
        value = limits[random.integers(4)] if random.random() < 0.7 else random.bytes(width)
        changed[place : place + width] = value
    return bytes(changed)


def cut(data: Data, random: np.random.Generator) -> Data:
    """Leave out the end."""
    return data[: random.integers(len(data))]


def zero_end(data: Data, random: np.random.Generator) -> Data:
    """Put zeros in place of the end, as a download that broke off leaves them."""
    place = random.integers(len(data))
    return data[:place] + bytes(len(data) - place)


def remove_block(data: Data, random: np.random.Generator) -> Data:
    """Leave out a block from within."""
    start, end = sorted(random.integers(len(data) + 1, size=2))
    return data[:start] + data[end:]


def repeat_block(data: Data, random: np.random.Generator) -> Data:
    """Write a block of up to 4096 bytes over another place."""
    size = int(random.integers(1, min(4096, len(data)) + 1))
    source, target = random.integers(len(data) - size + 1, size=2)
    return data[:target] + data[source : source + size] + data[target + size :]


def insert_noise(data: Data, random: np.random.Generator) -> Data:
    """Put up to 256 random bytes in between."""
    place = random.integers(len(data) + 1)
    return data[:place] + random.bytes(int(random.integers(1, 257))) + data[place:]


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits,
    set_header,
    cut,
    zero_end,
    remove_block,
    repeat_block,
    insert_noise,
)


def mutate(data: Data, random: np.random.Generator, others: Sequence[Data] = ()) -> Data:
    """Damage a file's bytes in one to three ways; sometimes its end is that of another file."""
    changed = data
    if others and random.random() < 0.1:
        other = others[int(random.integers(len(others)))]
        changed = data[: random.integers(len(data))] + other[random.integers(len(other)) :]
    for _ in range(random.integers(1, 4)):
        if changed:
            changed = MUTATIONS[random.integers(len(MUTATIONS))](changed, random)
    return changed if changed != data else data[:-1]


@lru_cache(maxsize=1)
def whole_images() -> tuple[tuple[str, Data], ...]:
    """Suffix and bytes of a portrait as every kind of image that this OpenCV writes."""
    image = cv2.resize(read_image(PORTRAIT)[20:220, 120:320], (160, 160), interpolation=cv2.INTER_AREA)
    gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    alpha = cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)
    kinds = [
        (".jpg", image, []),
        (".jpg", image, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_RST_INTERVAL, 4]),
        (".jpg", gray, []),
        (".png", image, []),
        (".png", alpha, []),
        (".png", gray.astype(np.uint16) * 257, []),
        (".bmp", image, []),
        (".webp", image, []),
        (".tiff", image, []),
        (".tiff", gray.astype(np.uint16) * 257, []),
        (".ppm", image, []),
        (".avif", image, []),
    ]
    return tuple(
        (suffix, cv2.imencode(suffix, pixels, flags)[1].tobytes())
        for suffix, pixels, flags in kinds
        if cv2.haveImageWriter(f"x{suffix}")
    )


@lru_cache(maxsize=1)
def whole_videos() -> tuple[tuple[str, Data], ...]:
    """Suffix and bytes of 24 frames of a wandering portrait in the containers that can be written."""
    image = cv2.resize(read_image(PORTRAIT), (256, 256), interpolation=cv2.INTER_AREA)
    frames = [image[2 * n : 2 * n + 160, 3 * n : 3 * n + 160] for n in range(VIDEO_FRAMES)]
    containers = (
        (".mp4", "mp4v"),
        (".avi", "MJPG"),
        (".avi", "XVID"),
        (".mkv", "MJPG"),
        (".webm", "VP80"),
        (".ts", "mp4v"),
    )
    videos = []
    with tempfile.TemporaryDirectory() as folder:
        for number, (suffix, codec) in enumerate(containers):
            path = Path(folder) / f"{number}{suffix}"
            writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 25, (160, 160))
            if not writer.isOpened():
                continue
            for frame in frames:
                writer.write(np.ascontiguousarray(frame))
            writer.release()
            videos.append((suffix, path.read_bytes()))
    return tuple(videos)


@lru_cache(maxsize=1)
def whole_models() -> tuple[Path, ...]:
    """The released models and the tests' tiny ones."""
    folders = (RELEASED, ROOT / "tests" / "data")
    paths = [path for folder in folders for path in sorted(folder.iterdir())]
    return tuple(path for path in paths if path.suffix in ENGINES_OF_SUFFIX)


def random_of(case: Case, seed: int) -> np.random.Generator:
    """The random numbers of a case."""
    kind, number = case
    return np.random.default_rng([seed, KINDS.index(kind), number])


@lru_cache(maxsize=1)
def recognizer() -> Recognizer:
    """The recognizer of this process: the released model, YuNet where its file is at hand."""
    return Recognizer(offline=True, announce=lambda line: None)


def run_case(case: Case, *, seed: int, folder: Path) -> str:
    """Make the file of a case and hand it to the runtime; returns what came of it, or raises its error."""
    kind, number = case
    random = random_of(case, seed)
    if kind == "models":
        return _run_model(number, random, folder)
    whole = whole_images() if kind == "images" else whole_videos()
    suffix, data = whole[number % len(whole)]
    path = folder / f"{kind}{suffix}"
    path.write_bytes(mutate(data, random, [other for _, other in whole]))
    if kind == "images":
        frame = read_image(path)
        faces = recognizer()(frame)
        return f"{frame.shape[1]}x{frame.shape[0]} pixels, {len(faces)} faces"
    with open_source(path) as source:
        return _run_video(source, folder)


def _run_video(source: Source, folder: Path) -> str:
    """Do with a video what `ferkit run` does with all its outputs."""
    follow = recognizer().stream()
    summary = Summary(source.name, frame_rate=source.frame_rate)
    draw, count = Overlay(), 0
    with (
        VideoFile(folder / "out.avi", frame_rate=source.frame_rate, keep_time=True) as out,
        LinesFile(folder / "out.jsonl") as lines,
        LinesFile(folder / "out.csv", header=csv_header(recognizer().model.labels)) as table,
    ):
        for frame in source:
            count += 1
            if count <= 2 * VIDEO_FRAMES:  # a repeated block may make it long
                faces = follow(frame.pixels, frame.time_s)
                lines.write(json_lines(frame, faces))
                table.write(csv_lines(frame, faces))
                summary.add(frame, faces)
                out.fill(frame.time_s)
                out.write(draw(frame.pixels, faces, f"{count} frames"), frame.time_s)
    if count:
        summary.finish()
        summary_text(summary)
        write_summary(summary, folder / "summary")
    return f"{count} frames" + (", broken off" if source.failures else "")


def _run_model(number: int, random: np.random.Generator, folder: Path) -> str:
    """A damaged file beside its true card, beside a forged one, or a damaged card, by the number modulo 3."""
    models = whole_models()
    original = models[number // 3 % len(models)]
    data, card = original.read_bytes(), card_path(original).read_bytes()
    what = MODEL_CASES[number % 3]
    if what == "damaged card":
        card = mutate(card, random)
    else:
        data = mutate(data, random, [model.read_bytes() for model in models])
    if what == "forged card":
        facts = json.loads(card)
        card = json.dumps({**facts, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}).encode()
    path = folder / original.name
    path.write_bytes(data)
    card_path(path).write_bytes(card)
    engines = [engine for engine in ENGINES_OF_SUFFIX[path.suffix] if is_installed(engine)]
    said = []
    for engine in engines:
        try:
            model = load_model(path, engine=engine)
            scores = model(random.integers(0, 256, (3, 48, 48, 1), np.uint8))
            said.append(f"{engine} gave {scores.shape}")
        except OWN_ERRORS as error:
            if what == "damaged file" and not isinstance(error, CardError):
                raise AssertionError(f"the card let a damaged file pass: {error}") from error
            if engine == engines[-1] and not said:
                raise
    if what == "damaged file" and said:
        raise AssertionError("the card let a damaged file pass")
    return f"{what}: {', '.join(said)}"


MODEL_CASES = ("damaged file", "forged card", "damaged card")


def work(connection: Connection, run: Callable[[Case], str]) -> None:
    """The worker: run each case that comes, and send `(outcome, said)` back; ends at None."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)  # libraries write about what is damaged
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    connection.send("ready")
    while (case := connection.recv()) is not None:
        try:
            answer = "good", run(case)
        except OWN_ERRORS as error:
            answer = "refused", f"{type(error).__name__}: {error}"
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            answer = (
                "traceback",
                f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})",
            )
        connection.send(answer)


def watch(cases: Sequence[Case], run: Callable[[Case], str], *, limit_s: float) -> Iterator[Result]:
    """Run cases in a process that is started anew after a crash or a hang, and yield how each ended."""
    context = multiprocessing.get_context("spawn")
    process = connection = None
    for case in cases:
        if process is None or connection is None:
            connection, other = context.Pipe()
            process = context.Process(target=work, args=(other, run), daemon=True)
            process.start()
            other.close()
            connection.recv()  # it has imported what it needs, which is no part of a case's time
        start = time.monotonic()
        connection.send(case)
        try:
            outcome, said = connection.recv() if connection.poll(limit_s) else ("hang", f"over {limit_s:g} s")
        except EOFError:
            process.join()
            outcome, said = "crash", _ending(process.exitcode)
        yield Result(case, outcome, " ".join(said.split())[:300], time.monotonic() - start)
        if outcome in ("crash", "hang"):
            process.kill()
            process.join()
            process = connection = None
    if process is not None and connection is not None:
        connection.send(None)
        process.join()


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


class Run:
    """`run_case` with its seed and folder, in a form that reaches another process."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed = seed
        self.folder = folder

    def __call__(self, case: Case) -> str:
        return run_case(case, seed=self.seed, folder=self.folder)


def table(results: Sequence[Result]) -> list[str]:
    """A row of Markdown per kind of case, models by what was damaged."""
    groups: dict[str, list[Result]] = {}
    for result in results:
        kind, number = result.case
        name = f"models, {MODEL_CASES[number % 3]}" if kind == "models" else kind
        groups.setdefault(name, []).append(result)
    lines = [
        "| what | cases | gave a result | refused in a line | crashes | hangs | tracebacks | slowest s |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, group in groups.items():
        count = Counter(result.outcome for result in group)
        cells = [count[outcome] for outcome in ("good", "refused", "crash", "hang", "traceback")]
        slowest = max(group, key=lambda result: result.seconds)
        counts = " | ".join(f"{cell:,}" for cell in cells)
        time_s = f"{slowest.seconds:.1f} (`{slowest.case[0]}:{slowest.case[1]}`)"
        lines.append(f"| {name} | {len(group):,} | {counts} | {time_s} |")
    return lines


def report(results: Sequence[Result], command: str) -> str:
    """The Markdown page."""
    device = describe_device()
    engines = ", ".join(f"{engine} {version}" for engine, version in device["engines"].items())
    found = [result for result in results if result.outcome in ("crash", "hang", "traceback")]
    lines = [
        "# Damaged files against the runtime",
        "",
        f"`{command}`, {device['measured']}, {device['system']}, {device['processor']}, "
        f"Python {device['python']}, {engines}; faces found by {recognizer().detector.name}.",
        "",
        (__doc__ or "").split("\n\n")[2].replace("\n", " "),
        "",
        *table(results),
        "",
        "A model beside a forged card is no accident: whoever can forge the card can also write a model. "
        "There the engine alone is between the file and the process.",
        "",
        "## Crashes, hangs, tracebacks" if found else "Nothing crashed, hung or ended in a traceback.",
    ]
    for result in found:
        lines.append(f"- `--only {result.case[0]}:{result.case[1]}`: {result.outcome}: {result.said}")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases, print the table, write the report; the exit code is 1 where anything was found."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks fuzz", description=(__doc__ or "").split("\n")[0]
    )
    for kind, count in zip(KINDS, (10_000, 1_000, 1_000), strict=True):
        parser.add_argument(
            f"--{kind}", type=int, default=count, metavar="N", help="cases (default: %(default)s)"
        )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--time-limit", type=float, default=TIME_LIMIT_S, metavar="SECONDS")
    parser.add_argument("--only", metavar="KIND:NUMBER", help="run a single case, and write no report")
    parser.add_argument("--out", type=Path, default=REPORT, help="(default: reports/fuzz.md)")
    options = parser.parse_args(arguments)
    cases = [(kind, number) for kind in KINDS for number in range(getattr(options, kind))]
    if options.only:
        kind, _, number = options.only.partition(":")
        if kind not in KINDS or not number.isdecimal():
            parser.error(f"--only: expected such as images:17, got {options.only!r}")
        cases = [(kind, int(number))]
    with tempfile.TemporaryDirectory() as folder:
        ended = watch(cases, Run(options.seed, Path(folder)), limit_s=options.time_limit)
        results = [next(ended) for _ in progress(cases, "damaged files")]
        next(ended, None)  # lets the worker end
    if options.only:
        print(*results, sep="\n")
    else:
        flags = [f"--{kind} {getattr(options, kind)}" for kind in KINDS] + [f"--seed {options.seed}"]
        page = report(results, f"python -m benchmarks fuzz {' '.join(flags)}")
        write_atomically(options.out, page)
        print(page)
    return int(any(result.outcome in ("crash", "hang", "traceback") for result in results))
