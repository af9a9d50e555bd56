"""Every artifact in every engine that runs it: bytes, load time, latency, accuracy, memory, frames/s."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.accuracy.evaluate import dataset_name, scores_in_batches
from benchmarks.scenes import PORTRAIT_SQUARE, portrait_scene
from benchmarks.speed.memory import peak_memory_bytes
from dataset.duplicates import duplicates_of
from dataset.fer2013 import Dataset
from dataset.load import load_dataset_if_any
from reporting import metrics
from reporting.machine import describe_device
from reporting.progress import progress
from reporting.timing import median_and_p95, time_interleaved
from runtime.detectors import DetectorError, load_detector
from runtime.engines import ENGINES_OF_SUFFIX, EngineError, is_installed
from runtime.model import Model, load_model
from runtime.recognizer import Recognizer

RESULTS_VERSION = 1
BATCH = 32
LOADS = 5
FRAME_WIDTH, FRAME_HEIGHT = 640, 480
DETECTORS = ("yunet", "haar")
PORTRAIT = Path(__file__).resolve().parents[2] / "demo" / "astronaut.jpg"


class BenchmarkError(Exception):
    """Nothing can be measured: the message says what was expected, what was found and what to do."""


@dataclass(frozen=True)
class Effort:
    """How many times things are done; the figures of two efforts differ in their noise alone."""

    turns: int  # rounds over all candidates
    calls_per_turn: int  # timed calls of one candidate in a round
    frames: int  # whole frames, different ones
    frame_turns: int  # rounds over all candidates with those


FULL = Effort(turns=20, calls_per_turn=25, frames=15, frame_turns=4)
QUICK = Effort(turns=3, calls_per_turn=10, frames=5, frame_turns=1)


def find_artifacts(places: Sequence[str | Path]) -> list[Path]:
    """Return the model files among `places`, files and folders, in the order given, folders by name.

    Raises BenchmarkError for a place that is missing, a folder without model files, a file of another kind.
    """
    found: list[Path] = []
    for place in map(Path, places):
        if place.is_dir():
            inside = sorted(path for path in place.iterdir() if path.suffix in ENGINES_OF_SUFFIX)
            if not inside:
                raise BenchmarkError(
                    f"{place}: expected .tflite or .onnx files, found none. `make export` writes artifacts/."
                )
            found += inside
        elif not place.is_file():
            raise BenchmarkError(
                f"{place}: expected an artifact or a folder of artifacts, found nothing. "
                "`make export` writes artifacts/."
            )
        elif place.suffix not in ENGINES_OF_SUFFIX:
            raise BenchmarkError(f"{place}: expected a .tflite or .onnx file.")
        else:
            found.append(place)
    return list(dict.fromkeys(found))


def measure(
    paths: Sequence[Path],
    *,
    device: str | None = None,
    threads: int = 1,
    dataset: Dataset | None = None,
    effort: Effort = FULL,
    offline: bool = False,
) -> dict:
    """Measure every artifact in every installed engine that runs it; return the results that JSON holds.

    Milliseconds, bytes, shares of 0 to 1; None where a figure was not to be had. The times of all are taken
    in turn in this process, memory each in a process of its own. Without a dataset accuracy stays None;
    `offline` forbids the download of YuNet's file, without which its frames/s stay None.

    Raises BenchmarkError where no artifact runs; CardError for a card that is missing or wrong.
    """
    cv2.setNumThreads(threads)  # the detector and OpenCV's engine count as well
    models, refused = open_all(paths, threads)
    if not models:
        reasons = "\n".join(f"  {row['file']} with {row['engine']}: {row['reason']}" for row in refused)
        raise BenchmarkError(
            f"No artifact runs here.\n{reasons}" if refused else "No engine is installed here."
        )
    rows = [describe(model) for model in models]
    described = describe_device(device, threads)
    busy, cores = described["load_average"], described["cores"]
    if busy is not None and cores is not None and busy > cores / 2:
        say(f"Other programs are at work (load {busy} on {cores} cores): the times will be too long.")

    for row, model in zip(progress(rows, "Loading"), models, strict=True):
        row["load_ms"] = load_ms(model, threads)
    add_latency(rows, models, effort)
    add_throughput(rows, models, effort)
    detectors = add_frames(rows, models, effort, threads, offline)
    for row, model in zip(progress(rows, "Peak memory"), models, strict=True):
        row["peak_memory_bytes"] = peak_memory_bytes(model.path, model.engine, threads)
    if dataset is not None:
        add_accuracy(rows, models, dataset)
    return {
        "results_version": RESULTS_VERSION,
        "device": described,
        "calls": effort.turns * effort.calls_per_turn,
        "frame": {"width": FRAME_WIDTH, "height": FRAME_HEIGHT, "faces": 1, "detectors": detectors},
        "dataset": None if dataset is None else dataset_name(dataset),
        "dataset_sha256": None if dataset is None else dataset.sha256,
        "rows": rows,
        "refused": refused,
    }


def open_all(paths: Sequence[Path], threads: int) -> tuple[list[Model], list[dict]]:
    """Open each artifact in each installed engine for its format; also return who refused which, and why."""
    models: list[Model] = []
    refused: list[dict] = []
    for path in paths:
        for engine in filter(is_installed, ENGINES_OF_SUFFIX[path.suffix]):
            try:
                models.append(load_model(path, engine=engine, threads=threads))
            except EngineError as error:
                refused.append({"file": path.name, "engine": engine, "reason": str(error)})
    return models, refused


def describe(model: Model) -> dict:
    """Return the row of one artifact in one engine, its measured figures still None."""
    card = model.card
    return {
        "file": card["file"],
        "model": card["model"],
        "precision": card["precision"],
        "engine": model.engine,
        "sha256": card["sha256"],
        "bytes": card["bytes"],
        "load_ms": None,
        "median_ms": None,
        "p95_ms": None,
        "faces_per_second_batch_32": None,
        "accuracy": None,
        "accuracy_without_duplicates": None,
        "macro_recall": None,
        "label_agreement": card["parity"].get("label_agreement"),
        "label_agreement_source": "card",
        "peak_memory_bytes": None,
        "frames_per_second": dict.fromkeys(DETECTORS),
    }


def load_ms(model: Model, threads: int) -> float:
    """Return the median time from a path to a model that has answered once, in ms; the engine is imported."""
    times = []
    for _ in range(LOADS):
        start = time.perf_counter()
        load_model(model.path, engine=model.engine, threads=threads)
        times.append(1000 * (time.perf_counter() - start))
    return float(np.median(times))


def add_latency(rows: Sequence[dict], models: Sequence[Model], effort: Effort) -> None:
    """Time one face at a time: what a call costs does not depend on what the face shows."""
    faces = np.random.default_rng(0).integers(0, 256, (64, 1, 48, 48, 1), dtype=np.uint8)
    times = time_interleaved(
        models, list(faces), turns=effort.turns, calls_per_turn=effort.calls_per_turn, description="One face"
    )
    for row, milliseconds in zip(rows, times, strict=True):
        row["median_ms"], row["p95_ms"] = median_and_p95(milliseconds)


def add_throughput(rows: Sequence[dict], models: Sequence[Model], effort: Effort) -> None:
    """Time batches of 32 where the file takes them in one call: a free batch, in an engine that uses it."""
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
        rows[index]["faces_per_second_batch_32"] = 1000 * BATCH / float(np.median(milliseconds))


def add_frames(
    rows: Sequence[dict], models: Sequence[Model], effort: Effort, threads: int, offline: bool
) -> dict:
    """Time whole frames, from pixels to labelled boxes, with each detector that can be had.

    Returns for each of those the share of the frames in which it found exactly the one face.
    """
    if not PORTRAIT.is_file():
        say(f"{PORTRAIT.name}: no such image in demo/; frames per second are left out.")
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
            row["frames_per_second"][name] = 1000 / float(np.mean(milliseconds))
    return found


def portrait_frames(count: int) -> list[np.ndarray]:
    """Return frames of the demo's portrait, uint8 BGR (480, 640, 3), its face 80 to 220 pixels wide."""
    portrait = cv2.imread(str(PORTRAIT))
    if portrait is None:
        raise BenchmarkError(f"{PORTRAIT}: expected a image, got a file that OpenCV can't read.")
    left, top, side = map(int, PORTRAIT_SQUARE)
    own = cv2.cvtColor(portrait[top : top + side, left : left + side], cv2.COLOR_BGR2GRAY)
    face = cv2.resize(own, (48, 48), interpolation=cv2.INTER_AREA)
    sizes = np.linspace(80, 220, count).astype(int)
    return [
        portrait_scene(face, portrait, face_px=int(size), width=FRAME_WIDTH, height=FRAME_HEIGHT, seed=seed)[
            0
        ]
        for seed, size in enumerate(sizes)
    ]


def add_accuracy(rows: Sequence[dict], models: Sequence[Model], dataset: Dataset) -> None:
    """Score the test split through the timed callable.

    Agreement is measured too, with the float32 artifact of the same model where one is among those measured
    (its card says how close that is to Keras: 1e-4 at most). Of that artifact itself, and where there is
    none, the card's figure stays.
    """
    faces, labels = dataset.split("test")
    unrepeated = ~duplicates_of(dataset, split="test", of="train")
    reference: dict[str, np.ndarray] = {}
    all_scores = []
    for row, model in zip(rows, models, strict=True):
        scores = scores_in_batches(model, faces, f"{row['file']} with {row['engine']}")
        row["accuracy"] = metrics.accuracy(scores, labels)
        row["accuracy_without_duplicates"] = metrics.accuracy(scores[unrepeated], labels[unrepeated])
        row["macro_recall"] = metrics.macro_recall(scores, labels)
        all_scores.append(scores)
        if row["precision"] == "fp32":
            reference.setdefault(row["model"], scores)
    for row, scores in zip(rows, all_scores, strict=True):
        other = reference.get(row["model"])
        if other is not None and other is not scores:
            row["label_agreement"] = metrics.label_agreement(scores, other)
            row["label_agreement_source"] = "fp32 artifact, test split"


def dataset_or_none(path: str | None) -> Dataset | None:
    """Return FER2013, or None, said in one line, where none was named and none is found.

    Raises DatasetError for a dataset that was named (here or by the variable FER2013) or found and is wrong.
    """
    dataset = load_dataset_if_any(path)
    if dataset is None:
        say("FER2013 is not at hand: no accuracy (--data or the variable FER2013 names its place).")
    return dataset


def say(line: str) -> None:
    print(line, file=sys.stderr)
