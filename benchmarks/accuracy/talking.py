"""Measure the labels of talking faces: how often one is shown, how often it is right, how often it changes.

    python -m benchmarks talking               200 faces, some minutes
    python -m benchmarks talking --faces 20    quickly

FER2013's validation faces are made to talk (`talking_faces.py`). They are chosen so that the model is right
on 85 % of them as they are: what is lost is lost by talking. The same faces keeping still show what a choice
does to steadiness. It needs FER2013. Writes results/talking.json and reports/talking.md.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.accuracy.steady import flips_in_10_s, noisy_crops, seen_by_a_camera, shown_labels
from benchmarks.accuracy.steady_report import FRAME_RATE, MOST_FLIPS, SHARE
from benchmarks.accuracy.talking_faces import talking_faces
from benchmarks.accuracy.talking_report import (
    RIGHT_FACES,
    RIGHT_GOAL,
    SECONDS,
    SHOWN_GOAL,
    Talking,
    TalkingRow,
    default_of,
    goals_table,
    read_talking,
    render,
)
from benchmarks.artifacts import ROOT
from benchmarks.scoring import check_labels
from dataset.duplicates import blank
from dataset.load import load_dataset
from reporting.command import at_least
from reporting.files import page_of, write_atomically, write_json
from reporting.machine import describe_device
from reporting.progress import progress
from runtime.model import DEFAULT_MODEL, Model, load_model
from runtime.smoothing import MARGIN, THRESHOLD, TIME_CONSTANT_S, UNCERTAIN, Expression

RESULTS = ROOT / "results" / "talking.json"
TIME_CONSTANTS_S = (0.5, 1.0, 2.0)
MARGINS = (0.05, 0.1, 0.15)
THRESHOLDS = (0.25, 0.3, 0.35, 0.4, 0.45)


class Sequences(NamedTuple):
    """The model's scores of faces that talk and that keep still: float32 (faces, frames, labels), and labels.

    Attributes:
        talking: Scores.
        still: Scores.
        labels: The dataset's, int (faces,).
    """

    talking: np.ndarray
    still: np.ndarray
    labels: np.ndarray


def chosen_faces(right: np.ndarray, *, count: int, random: np.random.Generator) -> np.ndarray:
    """Returns row numbers of faces, `RIGHT_FACES` of which the model gets right, int (count,).

    Args:
        right: Whether the model is right, bool (n,).
        count: How many, fewer where the faces don't suffice.
        random: Draws them.
    """
    good, bad = random.permutation(np.flatnonzero(right)), random.permutation(np.flatnonzero(~right))
    first = min(round(RIGHT_FACES * count), len(good))
    return np.sort(np.concatenate([good[:first], bad[: count - first]]))


def make_sequences(model: Model, faces: np.ndarray, labels: np.ndarray, *, seed: int) -> Sequences:
    """Returns the scores of each face talking and keeping still.

    Args:
        model: Scores the crops.
        faces: uint8 (n, 48, 48, 1), gray.
        labels: int (n,).
        seed: Of all movements, noise and jitter.
    """
    frames = SECONDS * FRAME_RATE
    talking, still = [], []
    for number, face in enumerate(progress(faces, "Labelling talking faces")):
        random = np.random.default_rng([seed, number])
        talking.append(model(seen_by_a_camera(talking_faces(face, frames, random), random)))
        still.append(model(noisy_crops(face, frames, random)))
    return Sequences(np.stack(talking), np.stack(still), labels)


def row_of(
    sequences: Sequences,
    labels: tuple[str, ...],
    *,
    time_constant_s: float,
    margin: float,
    threshold: float,
) -> TalkingRow:
    """Returns what one choice gives on all sequences."""

    def shown_of(scores: np.ndarray) -> list[str]:
        return shown_labels(scores, Expression(labels, time_constant_s, margin, threshold))

    talking = [shown_of(scores) for scores in sequences.talking]
    shown = np.array([[label != UNCERTAIN for label in face] for face in talking])
    right = np.array(
        [
            [label == labels[truth] for label in face]
            for face, truth in zip(talking, sequences.labels, strict=True)
        ]
    )
    changes = [sum(one != other for one, other in itertools.pairwise(face)) for face in talking]
    first = np.where(shown.any(axis=1), shown.argmax(axis=1) + 1, shown.shape[1])
    steady = [flips_in_10_s(shown_of(scores)) <= MOST_FLIPS for scores in sequences.still]
    return TalkingRow(
        time_constant_s=time_constant_s,
        margin=margin,
        threshold=threshold,
        shown=float(shown.mean()),
        right=float(right[shown].mean()) if shown.any() else 0.0,
        changes=float(np.mean(changes)) * 60 / SECONDS,
        delay_s=float(np.median(first)) / FRAME_RATE,
        steady=float(np.mean(steady)),
        is_default=(time_constant_s, margin, threshold) == (TIME_CONSTANT_S, MARGIN, THRESHOLD),
        is_chosen=False,
    )


def with_choice(rows: Sequence[TalkingRow]) -> list[TalkingRow]:
    """Returns the rows with the best marked: of those that reach all goals the one that shows most."""
    good = [
        row for row in rows if row.shown >= SHOWN_GOAL and row.right >= RIGHT_GOAL and row.steady >= SHARE
    ]
    best = max(good, key=lambda row: (row.shown, row.right), default=None)
    return [replace(row, is_chosen=row is best) for row in rows]


def measure(options: argparse.Namespace) -> Talking:
    """Measures what the command line asks for."""
    model = load_model(options.model)
    dataset = load_dataset(options.data, splits=["validation"])
    check_labels(model.path, model.labels, dataset.classes)
    faces, labels = dataset.split("validation")
    seen = ~blank(faces)
    faces, labels = faces[seen], labels[seen]
    right = model(faces).argmax(axis=1) == labels
    chosen = chosen_faces(right, count=options.faces, random=np.random.default_rng(options.seed))
    sequences = make_sequences(model, faces[chosen], labels[chosen], seed=options.seed)
    choices = list(itertools.product(TIME_CONSTANTS_S, MARGINS, THRESHOLDS))
    rows = [
        row_of(sequences, model.labels, time_constant_s=seconds, margin=margin, threshold=threshold)
        for seconds, margin, threshold in progress(choices, "Smoothing")
    ]
    return Talking(
        device=describe_device(),
        model=model.path.name,
        count=len(chosen),
        seed=options.seed,
        accuracy_still=float(right[chosen].mean()),
        accuracy_talking=float((sequences.talking.argmax(axis=2) == sequences.labels[:, None]).mean()),
        rows=with_choice(rows),
    )


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks talking", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "--model", default=DEFAULT_MODEL, help="released model or file (default: %(default)s)"
    )
    parser.add_argument("--data", type=Path, help="FER2013 (default: as training)")
    parser.add_argument("--faces", type=at_least(1), default=200, help="(default: %(default)s)")
    parser.add_argument("--seed", type=at_least(0), default=5, help="(default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=RESULTS, help="the figures (default: results/talking.json)"
    )
    parser.add_argument(
        "--report", action="store_true", help="measure nothing: write the page of the figures at --out"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    options = build_parser().parse_args(arguments)
    if options.report:
        results = read_talking(options.out)
    else:
        results = measure(options)
        write_json(options.out, asdict(results))
    page = page_of(options.out)
    write_atomically(page, render(results))
    print(goals_table(default_of(results)), f"Results: {options.out}, {page}", sep="\n\n")
    return 0
