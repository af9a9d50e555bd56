"""Measure artifacts on this device: bytes, load time, latency, accuracy, memory and frames/s on every engine.

    python -m benchmarks measure [FILE ...]
    python -m benchmarks measure --table results/speed/<device>.json    from stored results

Writes results/speed/<device>.json, and a plot into reports/speed/. `--table` also puts the tables into
README.md and docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.artifacts import RELEASED, find_artifacts
from benchmarks.errors import BenchmarkError
from benchmarks.scenes import PORTRAIT, PORTRAIT_SQUARE, portrait_scene, read_portrait
from benchmarks.scoring import dataset_name, dataset_or_none, say, scores_in_batches
from benchmarks.speed.effort import DETECTORS
from benchmarks.speed.memory import peak_memory_bytes
from benchmarks.speed.plot import draw_results
from benchmarks.speed.results import ArtifactRow, FrameSetup, Refused, SpeedResults, read_results
from benchmarks.speed.table import artifacts_table, rewrite_tables
from dataset.duplicates import duplicates_of
from dataset.fer2013 import Dataset
from reporting import metrics
from reporting.files import place_of_report, write_atomically, write_json
from reporting.machine import Device, describe_device
from reporting.progress import progress
from reporting.timing import median_and_p95, time_interleaved
from runtime.detectors import DetectorError, load_detector
from runtime.engines import ENGINES_OF_SUFFIX, EngineError, is_installed
from runtime.model import Model, load_model
from runtime.recognizer import Recognizer

BATCH = 32
LOADS = 5
FRAME_WIDTH, FRAME_HEIGHT = 640, 480


@dataclass(frozen=True)
class Effort:
    """How many times things are done; the figures of two efforts differ in their noise alone."""

    turns: int  # rounds over all candidates
    calls_per_turn: int  # timed calls of one candidate in a round
    frames: int  # whole frames, different ones
    frame_turns: int  # rounds over all candidates with those


FULL = Effort(turns=20, calls_per_turn=25, frames=15, frame_turns=4)
QUICK = Effort(turns=3, calls_per_turn=10, frames=5, frame_turns=1)


def measure(
    paths: Sequence[Path],
    *,
    device: str | None = None,
    threads: int = 1,
    dataset: Dataset | None = None,
    effort: Effort = FULL,
    offline: bool = False,
) -> SpeedResults:
    """Measures every artifact on every installed engine that runs it.

    The times of all are interleaved in this process; memory is measured in a process for each.

    Args:
        paths: The artifacts.
        device: Its name in the results; None makes one of the processor's.
        threads: Of engine and detector.
        dataset: FER2013; without one accuracy stays None.
        effort: How often each is called.
        offline: Whether YuNet's file must not be downloaded; without it its frames/s stay None.

    Raises:
        BenchmarkError: No artifact runs here.
        CardError: A card is missing or wrong.
    """
    cv2.setNumThreads(threads)  # the detector and OpenCV's engine count as well
    models, refused = open_all(paths, threads)
    rows = [describe(model) for model in models]
    described = describe_device(device, threads)
    warn_if_busy(described)
    for row, model in zip(progress(rows, "Loading"), models, strict=True):
        row.load_ms = load_ms(model, threads)
    add_latency(rows, models, effort)
    add_throughput(rows, models, effort)
    detectors = add_frames(rows, models, effort, threads, offline)
    for row, model in zip(progress(rows, "Peak memory"), models, strict=True):
        row.peak_memory_bytes = peak_memory_bytes(model.path, model.engine, threads)
    if dataset is not None:
        add_accuracy(rows, models, dataset)
    return SpeedResults(
        results_version=1,
        device=described,
        calls=effort.turns * effort.calls_per_turn,
        frame=FrameSetup(FRAME_WIDTH, FRAME_HEIGHT, faces=1, detectors=detectors),
        dataset=None if dataset is None else dataset_name(dataset),
        dataset_sha256=None if dataset is None else dataset.sha256,
        rows=rows,
        refused=refused,
    )


def open_all(paths: Sequence[Path], threads: int) -> tuple[list[Model], list[Refused]]:
    """Returns each artifact open in each installed engine for its format, and which engine refused which.

    Raises:
        BenchmarkError: No engine opens any.
    """
    models: list[Model] = []
    refused: list[Refused] = []
    for path in paths:
        for engine in filter(is_installed, ENGINES_OF_SUFFIX[path.suffix]):
            try:
                models.append(load_model(path, engine=engine, threads=threads))
            except EngineError as error:
                refused.append(Refused(path.name, engine, str(error)))
    if not models:
        reasons = "\n".join(f"  {one.file} with {one.engine}: {one.reason}" for one in refused)
        raise BenchmarkError(
            f"No artifact runs here.\n{reasons}" if refused else "No engine is installed here."
        )
    return models, refused


def warn_if_busy(device: Device) -> None:
    """Says on stderr where other programs want more than half of the cores."""
    load, cores = device["load_average"], device["cores"]
    if load is not None and cores is not None and load > cores / 2:
        say(f"Other programs are at work (load {load} on {cores} cores): the times will be too long.")


def describe(model: Model) -> ArtifactRow:
    """Returns the row of one artifact on one engine, its measured figures still None."""
    card = model.card
    return ArtifactRow(
        file=card["file"],
        model=card["model"],
        precision=card["precision"],
        engine=model.engine,
        sha256=card["sha256"],
        bytes=card["bytes"],
        label_agreement=card["parity"].get("label_agreement"),
        frames_per_second=dict.fromkeys(DETECTORS),
    )


def load_ms(model: Model, threads: int) -> float:
    """Returns the median time from a path to an open model, in ms; the engine is imported already."""
    times = []
    for _ in range(LOADS):
        start = time.perf_counter()
        load_model(model.path, engine=model.engine, threads=threads)
        times.append(1000 * (time.perf_counter() - start))
    return float(np.median(times))


def add_latency(rows: Sequence[ArtifactRow], models: Sequence[Model], effort: Effort) -> None:
    """Times one face at a time: what a call costs does not depend on what the face shows."""
    faces = np.random.default_rng(0).integers(0, 256, (64, 1, 48, 48, 1), dtype=np.uint8)
    times = time_interleaved(
        models, list(faces), turns=effort.turns, calls_per_turn=effort.calls_per_turn, description="One face"
    )
    for row, milliseconds in zip(rows, times, strict=True):
        row.median_ms, row.p95_ms = median_and_p95(milliseconds)


def add_throughput(rows: Sequence[ArtifactRow], models: Sequence[Model], effort: Effort) -> None:
    """Times batches of 32 where the file takes them in one call: a free batch, in an engine that uses it."""
    free = [
        index
        for index, model in enumerate(models)
        if model.card["input"]["shape"][0] is None and model.engine == "onnxruntime"
    ]
    if not free:
        return
    batch = np.random.default_rng(1).integers(0, 256, (BATCH, 48, 48, 1), dtype=np.uint8)
    times = time_interleaved(
        [models[index] for index in free],
        [batch],
        turns=effort.turns,
        calls_per_turn=2,
        description=f"{BATCH} faces",
    )
    for index, milliseconds in zip(free, times, strict=True):
        rows[index].faces_per_second_batch_32 = 1000 * BATCH / float(np.median(milliseconds))


def add_frames(
    rows: Sequence[ArtifactRow], models: Sequence[Model], effort: Effort, threads: int, offline: bool
) -> dict[str, float]:
    """Times whole frames, from pixels to labelled boxes, with each detector that can be had.

    Returns for each of those the share of the frames in which it found exactly the one face.
    """
    if not PORTRAIT.is_file():
        say(f"{PORTRAIT}: no such image; frames per second are left out.")
        return {}
    frames = portrait_frames(effort.frames)
    found = {}
    for name in DETECTORS:
        try:
            detector = load_detector(name, offline=offline)
        except DetectorError as error:
            say(f"Frames per second with {name} are left out: {error}")
            continue
        found[name] = float(np.mean([len(detector(frame)) == 1 for frame in frames]))
        recognizers = [
            Recognizer(model.path, name, threads, engine=model.engine, offline=offline) for model in models
        ]
        times = time_interleaved(
            recognizers,
            frames,
            turns=effort.frame_turns,
            calls_per_turn=len(frames),
            description=f"Frames with {name}",
        )
        for row, milliseconds in zip(rows, times, strict=True):
            row.frames_per_second[name] = 1000 / float(np.mean(milliseconds))
    return found


def portrait_frames(count: int) -> list[np.ndarray]:
    """Returns frames of the demo's portrait, uint8 BGR (480, 640, 3), its face 80 to 220 pixels wide."""
    portrait = read_portrait()
    left, top, side = map(int, PORTRAIT_SQUARE)
    own = cv2.cvtColor(portrait[top : top + side, left : left + side], cv2.COLOR_BGR2GRAY)
    face = cv2.resize(own, (48, 48), interpolation=cv2.INTER_AREA)
    sizes = np.linspace(80, 220, count).astype(int)
    extent = {"width": FRAME_WIDTH, "height": FRAME_HEIGHT}
    scenes = [
        portrait_scene(face, portrait, face_px=int(size), seed=seed, **extent)
        for seed, size in enumerate(sizes)
    ]
    return [frame for frame, _ in scenes]


def add_accuracy(rows: Sequence[ArtifactRow], models: Sequence[Model], dataset: Dataset) -> None:
    """Scores the test split through the timed callable, where the model's labels are the dataset's classes.

    Agreement is measured too, with the float32 artifact of the same model where one is among those measured
    (its card says how close that is to Keras: 1e-4 at most). Of that artifact itself, and where there is
    none, the card's figure stays.
    """
    pairs = [pair for pair in zip(rows, models, strict=True) if pair[1].labels == dataset.classes]
    faces, labels = dataset.split("test")
    unrepeated = ~duplicates_of(dataset, split="test", of="train")
    reference: dict[str, np.ndarray] = {}
    all_scores = []
    for row, model in pairs:
        scores = scores_in_batches(model, faces, f"{row.file} with {row.engine}")
        row.accuracy = metrics.accuracy(scores, labels)
        row.accuracy_without_duplicates = metrics.accuracy(scores[unrepeated], labels[unrepeated])
        row.macro_recall = metrics.macro_recall(scores, labels)
        all_scores.append(scores)
        if row.precision == "fp32":
            reference.setdefault(row.model, scores)
    for (row, _), scores in zip(pairs, all_scores, strict=True):
        other = reference.get(row.model)
        if other is not None and other is not scores:
            row.label_agreement = metrics.label_agreement(scores, other)
            row.label_agreement_source = "fp32 artifact, test split"


def write_plot(results: SpeedResults, path: Path) -> None:
    """Writes the plot as PNG; where it can't be drawn, says why in a line on stderr."""
    if all(row.accuracy is None for row in results.rows):
        say("No plot: it shows accuracy against latency, and accuracy was left out.")
        return
    try:
        image = draw_results(results)
    except ImportError:
        say("No plot: pip install matplotlib, then name the results' JSON to draw it.")
        return
    write_atomically(path, image)


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks measure", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="artifacts, or folders of them (default: artifacts/); or one results JSON, to draw it again",
    )
    parser.add_argument("--out", type=Path, help="results JSON (default: results/speed/<device>.json)")
    parser.add_argument(
        "--device", help="the device's name in the results (default: made of the processor's)"
    )
    parser.add_argument(
        "--threads",
        type=int,
        choices=range(1, 257),
        metavar="N",
        default=1,
        help="threads of engine and detector (default: 1)",
    )
    parser.add_argument(
        "--data", help="FER2013: the CSV, or a folder of images (default: where it is looked for)"
    )
    parser.add_argument("--no-accuracy", action="store_true", help="leave accuracy out even where FER2013 is")
    parser.add_argument("--quick", action="store_true", help="30 calls each instead of 500")
    parser.add_argument("--offline", action="store_true", help="never download YuNet's file")
    parser.add_argument("--table", action="store_true", help="put the tables into README and page")
    parser.add_argument(
        "--readme",
        type=Path,
        default=Path("README.md"),
        help="where --table puts the models (default: %(default)s)",
    )
    parser.add_argument(
        "--page",
        type=Path,
        default=Path("docs/benchmarks.md"),
        help="where --table puts the artifacts (default: %(default)s)",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    options = build_parser().parse_args(arguments)
    if len(options.files) == 1 and options.files[0].endswith(".json"):
        out = Path(options.files[0])
        results = read_results(out)
    else:
        results = measure(
            find_artifacts(options.files or ["artifacts"]),
            device=options.device,
            threads=options.threads,
            dataset=None if options.no_accuracy else dataset_or_none(options.data),
            effort=QUICK if options.quick else FULL,
            offline=options.offline,
        )
        out = options.out or Path("results", "speed", f"{results.device['name']}.json")
        write_json(out, asdict(results))
    write_plot(results, place_of_report(out).with_suffix(".png"))
    if options.table:
        rewrite_tables(results, readme=options.readme, page=options.page, released=RELEASED)
    print(artifacts_table(results))
    print(f"\nResults: {out}" + (f"; tables: {options.readme}, {options.page}" if options.table else ""))
    return 0
