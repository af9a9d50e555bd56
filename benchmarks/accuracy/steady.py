"""Measure how steady and how quick the shown label is.

    python -m benchmarks steady                 200 faces, about two minutes
    python -m benchmarks steady --faces 40      quickly

Each sequence shows one FER2013 validation face for `STILL_S` seconds and then another for `CHANGED_S`, at 30
frames a second, with a camera's noise and the jitter of the boxes. It needs FER2013. Writes
results/steady.json and reports/steady.md.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.accuracy.steady_report import (
    BORDER_PX,
    CENTRE_JITTER,
    CHANGED_S,
    CLEAR,
    FACE_PX,
    FRAME_RATE,
    JITTER_FRAMES,
    LONGEST_DELAY_S,
    MOST_FLIPS,
    NOISE,
    SHARE,
    SIZE_JITTER,
    STILL_S,
    Steady,
    ThresholdRow,
    TradeRow,
    read_steady,
    render,
    trades_table,
)
from benchmarks.artifacts import ROOT
from benchmarks.scoring import check_labels
from dataset.duplicates import blank
from dataset.load import load_dataset
from reporting.command import at_least
from reporting.files import page_of, write_atomically, write_json
from reporting.progress import progress
from runtime.crop import crop_face
from runtime.model import DEFAULT_MODEL, Model, load_model
from runtime.smoothing import CHANGE, MARGIN, THRESHOLD, TIME_CONSTANT_S, UNCERTAIN, Expression

RESULTS = ROOT / "results" / "steady.json"
TIME_CONSTANTS_S = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0)
MARGINS = (0.0, 0.1, 0.15, 0.2)
CHANGES = (CHANGE, math.inf)  # a mean that starts again at a change of expression, and a plain one
THRESHOLDS = (0.0, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6)


class Scores(NamedTuple):
    """The model's scores of each frame: float32 (frames, labels), before and after the change."""

    still: np.ndarray
    changed: np.ndarray


class Trade(NamedTuple):
    """The flips and delays of all sequences for one choice of time constant and margin."""

    time_constant_s: float
    margin: float
    change: float
    flips: np.ndarray  # of each sequence, in 10 s
    delays_s: np.ndarray  # of each true change; `CHANGED_S` where its label was never shown

    @property
    def steady(self) -> float:
        """The share of the sequences whose label changes at most MOST_FLIPS times in 10 s."""
        return float((self.flips <= MOST_FLIPS).mean())

    @property
    def quick(self) -> float:
        """The share of the changes that are shown in time; nan without changes."""
        return float((self.delays_s <= LONGEST_DELAY_S).mean()) if len(self.delays_s) else math.nan


def noisy_crops(face: np.ndarray, frames: int, random: np.random.Generator) -> np.ndarray:
    """Returns a still face as a camera and a jittering box show it, cropped by the runtime.

    Args:
        face: uint8 (48, 48) or (48, 48, 1), gray.
        frames: How many.
        random: Of noise and jitter.

    Returns:
        uint8 (frames, 48, 48, 1).
    """
    large = cv2.resize(face.reshape(48, 48), (FACE_PX, FACE_PX), interpolation=cv2.INTER_CUBIC)
    return seen_by_a_camera(itertools.repeat(large, frames), random)


def seen_by_a_camera(faces: Iterable[np.ndarray], random: np.random.Generator) -> np.ndarray:
    """Returns faces with a camera's noise in a jittering box, cropped by the runtime.

    Args:
        faces: uint8 (FACE_PX, FACE_PX) each, gray: one a frame.
        random: Of noise and jitter.

    Returns:
        uint8 (frames, 48, 48, 1).
    """
    crops = []
    for number, face in enumerate(faces):
        around = np.pad(face, BORDER_PX, mode="edge")
        noisy = np.clip(around + random.normal(0, NOISE, around.shape), 0, 255).astype(np.uint8)
        if number % JITTER_FRAMES == 0:
            side = round(FACE_PX * (1 + random.normal(0, SIZE_JITTER)))
            centre_x, centre_y = BORDER_PX + FACE_PX / 2 + random.normal(0, CENTRE_JITTER * FACE_PX, 2)
            box = (round(centre_x - side / 2), round(centre_y - side / 2), side, side)
        crops.append(crop_face(cv2.cvtColor(noisy, cv2.COLOR_GRAY2BGR), box))
    return np.stack(crops)[..., None]


def shown_labels(
    scores: np.ndarray, expression: Expression, *, start_s: float = 0.0, frame_rate: float = FRAME_RATE
) -> list[str]:
    """Returns the label shown in each frame; scores: float32 (frames, labels)."""
    return [expression.update(row, start_s + number / frame_rate)[1] for number, row in enumerate(scores)]


def flips_in_10_s(shown: Sequence[str], *, frame_rate: float = FRAME_RATE) -> float:
    """Returns how often the shown label changes in 10 s."""
    changes = sum(before != after for before, after in itertools.pairwise(shown))
    return changes * 10 * frame_rate / len(shown)


def delay_s(shown: Sequence[str], wanted: str, *, frame_rate: float = FRAME_RATE) -> float:
    """Returns the seconds from the first frame of the new face to the first with the wanted label.

    A frame's own duration counts: a label that is right in the first frame came after one. Where the label
    never comes, it is the duration of all frames.
    """
    frames = shown.index(wanted) + 1 if wanted in shown else len(shown)
    return frames / frame_rate


def trade_of(
    sequences: Sequence[Scores],
    labels: tuple[str, ...],
    *,
    time_constant_s: float,
    margin: float,
    change: float = CHANGE,
    threshold: float = THRESHOLD,
) -> Trade:
    """Returns the flips and delays of all sequences for one choice.

    A sequence counts for delays where the mean of the new face's scores puts one label, "uncertain" included,
    ahead of all others by `CLEAR`, and another label is shown before.
    """
    flips, delays = [], []
    for still, changed in sequences:
        expression = Expression(labels, time_constant_s, margin, threshold, change)
        before = shown_labels(still, expression)
        flips.append(flips_in_10_s(before))
        candidates = np.append(changed.mean(axis=0), threshold)
        second, first = np.sort(candidates)[-2:]
        wanted = (*labels, UNCERTAIN)[int(candidates.argmax())]
        if first - second >= CLEAR and wanted != before[-1]:
            after = shown_labels(changed, expression, start_s=len(still) / FRAME_RATE)
            delays.append(delay_s(after, wanted))
    return Trade(time_constant_s, margin, change, np.array(flips), np.array(delays))


def choose(trades: Sequence[Trade]) -> Trade | None:
    """Returns the trade that keeps both limits in the most sequences, then the one with the fewest flips.

    None where no trade keeps both in at least `SHARE` of the sequences.
    """
    good = [trade for trade in trades if trade.steady >= SHARE and trade.quick >= SHARE]
    return max(
        good,
        key=lambda trade: (min(trade.steady, trade.quick), -trade.flips.mean()),
        default=None,
    )


def make_sequences(
    model: Model, faces: np.ndarray, labels: np.ndarray, *, count: int, seed: int
) -> list[Scores]:
    """Returns the model's scores of sequences of two faces with different labels, drawn at random.

    Args:
        model: Scores the crops.
        faces: uint8 (n, 48, 48, 1), gray.
        labels: int (n,).
        count: Of the sequences.
        seed: Of faces, noise and jitter.
    """
    random = np.random.default_rng(seed)
    sequences: list[Scores] = []
    for _ in progress(range(count), "Labelling sequences"):
        first, second = random.choice(len(faces), 2, replace=False)
        while labels[first] == labels[second]:
            second = random.integers(len(faces))
        still = model(noisy_crops(faces[first], STILL_S * FRAME_RATE, random))
        changed = model(noisy_crops(faces[second], CHANGED_S * FRAME_RATE, random))
        sequences.append(Scores(still, changed))
    return sequences


def threshold_rows(scores: np.ndarray, labels: np.ndarray) -> list[ThresholdRow]:
    """Returns a row for each of `THRESHOLDS`; scores: float (n, labels), labels: int (n,)."""
    likeliest, right = scores.max(axis=1), scores.argmax(axis=1) == labels
    return [
        ThresholdRow(
            threshold, float((likeliest < threshold).mean()), float(right[likeliest >= threshold].mean())
        )
        for threshold in THRESHOLDS
    ]


def trades_of(sequences: Sequence[Scores], labels: tuple[str, ...]) -> list[Trade]:
    """Returns the trades of every combination of `CHANGES`, `TIME_CONSTANTS_S` and `MARGINS`."""
    return [
        trade_of(sequences, labels, time_constant_s=time_constant_s, margin=margin, change=change)
        for change in CHANGES
        for time_constant_s in progress(TIME_CONSTANTS_S, "Smoothing")
        for margin in MARGINS
        if time_constant_s or not math.isinf(change)  # a mean of nothing has nothing to restart
    ]


def row_of(trade: Trade, chosen: Trade | None) -> TradeRow:
    """Returns what the JSON holds of a trade."""
    known = len(trade.delays_s) > 0
    median, p95 = np.percentile(trade.delays_s, [50, 95]) if known else (None, None)
    return TradeRow(
        restarts=not math.isinf(trade.change),
        time_constant_s=trade.time_constant_s,
        margin=trade.margin,
        is_chosen=trade is chosen,
        is_default=(trade.time_constant_s, trade.margin, trade.change) == (TIME_CONSTANT_S, MARGIN, CHANGE),
        faces=len(trade.flips),
        steady_faces=int((trade.flips <= MOST_FLIPS).sum()),
        mean_flips=float(trade.flips.mean()),
        most_flips=float(trade.flips.max()),
        changes=len(trade.delays_s),
        quick_changes=int((trade.delays_s <= LONGEST_DELAY_S).sum()),
        median_delay_s=None if median is None else float(median),
        p95_delay_s=None if p95 is None else float(p95),
    )


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks steady", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "--model", default=DEFAULT_MODEL, help="released model or file (default: %(default)s)"
    )
    parser.add_argument("--data", type=Path, help="FER2013 (default: as training)")
    parser.add_argument("--faces", type=at_least(1), default=200, help="sequences (default: %(default)s)")
    parser.add_argument("--seed", type=at_least(0), default=4, help="of the sequences (default: %(default)s)")
    parser.add_argument(
        "--out", type=Path, default=RESULTS, help="the figures (default: results/steady.json)"
    )
    parser.add_argument(
        "--report", action="store_true", help="measure nothing: write the page of the figures at --out"
    )
    return parser


def measure(options: argparse.Namespace) -> Steady:
    """Measures what the command line asks for."""
    model = load_model(options.model)
    dataset = load_dataset(options.data)
    check_labels(model.path, model.labels, dataset.classes)
    faces, labels = dataset.split("validation")
    seen = ~blank(faces)
    faces, labels = faces[seen], labels[seen]
    thresholds = threshold_rows(model(faces), labels)
    sequences = make_sequences(model, faces, labels, count=options.faces, seed=options.seed)
    trades = trades_of(sequences, model.labels)
    chosen = choose(trades)
    return Steady(
        model=model.path.name,
        measured=datetime.date.today().isoformat(),
        count=options.faces,
        seed=options.seed,
        trades=[row_of(trade, chosen) for trade in trades],
        thresholds=thresholds,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    options = build_parser().parse_args(arguments)
    if options.report:
        results = read_steady(options.out)
    else:
        results = measure(options)
        write_json(options.out, asdict(results))
    page = page_of(options.out)
    write_atomically(page, render(results))
    print(trades_table(results.trades), f"Results: {options.out}, {page}", sep="\n\n")
    return 0
