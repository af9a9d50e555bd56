"""Measures how steady and how quick the shown label is, and writes reports/steady.md.

    python -m benchmarks steady                 200 faces, about two minutes
    python -m benchmarks steady --faces 40      quickly

Each sequence shows one FER2013 validation face for `STILL_S` seconds and then another for `CHANGED_S`, at 30
frames a second, with a camera's noise and the jitter of the boxes. It needs FER2013.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from dataset.duplicates import blank
from dataset.load import load_dataset
from dataset.locate import DatasetError
from reporting.files import write_atomically
from reporting.machine import describe_device
from reporting.progress import progress
from runtime.card import CardError
from runtime.crop import crop_face
from runtime.engines import EngineError
from runtime.model import DEFAULT_MODEL, Model, ModelError, load_model
from runtime.smoothing import (
    CHANGE,
    HOLD_MARGINS,
    HOLD_S,
    MARGIN,
    SETTLE_S,
    SHORT_TIME_CONSTANT_S,
    THRESHOLD,
    TIME_CONSTANT_S,
    UNCERTAIN,
    Expression,
)

REPORT = Path(__file__).resolve().parents[2] / "reports" / "steady.md"
FRAME_RATE = 30
STILL_S, CHANGED_S = 10, 2
FACE_PX, BORDER_PX = 100, 20
NOISE = 5.0  # gray levels, standard deviation, of each pixel of a face of 100 pixels
# Of the tracker's boxes on a still, noisy portrait of 70 to 200 pixels: 1.2 % and 1.7 % of it at most.
CENTRE_JITTER, SIZE_JITTER = 0.01, 0.015
JITTER_FRAMES = 6  # a box stays wrong in the same way from one detection to the next

TIME_CONSTANTS_S = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0)
MARGINS = (0.0, 0.1, 0.15, 0.2)
CHANGES = (CHANGE, math.inf)  # a mean that starts again at a change of expression, and a plain one
THRESHOLDS = (0.0, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6)

CLEAR = 0.2  # a true change: the new face's scores put one label ahead of all others by as much
MOST_FLIPS = 1.0  # in 10 s
LONGEST_DELAY_S = 0.5
SHARE = 0.95  # of the sequences must keep both limits
MOST_UNCERTAIN = 0.1  # of the validation faces, each in a single look


class Scores(NamedTuple):
    """The model's scores of each frame: float32 (frames, labels), before and after the change."""

    still: np.ndarray
    changed: np.ndarray


class Trade(NamedTuple):
    """What one choice of time constant and margin gives, over all sequences."""

    time_constant_s: float
    margin: float
    change: float
    flips: np.ndarray  # of each sequence, in 10 s
    delays_s: np.ndarray  # of each true change; `CHANGED_S` where its label was never shown

    @property
    def steady(self) -> float:
        """The share of the sequences whose label changes at most once in 10 s."""
        return float((self.flips <= MOST_FLIPS).mean())

    @property
    def quick(self) -> float:
        """The share of the changes that are shown in time."""
        return float((self.delays_s <= LONGEST_DELAY_S).mean()) if len(self.delays_s) else math.nan


def noisy_crops(face: np.ndarray, frames: int, random: np.random.Generator) -> np.ndarray:
    """A still face as a camera and a jittering box show it, cropped by the runtime.

    `face` is uint8 (48, 48) or (48, 48, 1), gray; returns uint8 (frames, 48, 48, 1).
    """
    large = cv2.resize(face.reshape(48, 48), (FACE_PX, FACE_PX), interpolation=cv2.INTER_CUBIC)
    around = np.pad(large, BORDER_PX, mode="edge")
    crops = np.empty((frames, 48, 48, 1), np.uint8)
    for number in range(frames):
        noisy = np.clip(around + random.normal(0, NOISE, around.shape), 0, 255).astype(np.uint8)
        if number % JITTER_FRAMES == 0:
            side = round(FACE_PX * (1 + random.normal(0, SIZE_JITTER)))
            centre_x, centre_y = BORDER_PX + FACE_PX / 2 + random.normal(0, CENTRE_JITTER * FACE_PX, 2)
            box = (round(centre_x - side / 2), round(centre_y - side / 2), side, side)
        crops[number, :, :, 0] = crop_face(cv2.cvtColor(noisy, cv2.COLOR_GRAY2BGR), box)
    return crops


def shown_labels(
    scores: np.ndarray, expression: Expression, *, start_s: float = 0.0, frame_rate: float = FRAME_RATE
) -> list[str]:
    """The label shown in each frame, whose scores are float32 (frames, labels)."""
    return [expression.update(row, start_s + number / frame_rate)[1] for number, row in enumerate(scores)]


def flips_in_10_s(shown: Sequence[str], *, frame_rate: float = FRAME_RATE) -> float:
    """How often the shown label changes, for 10 s of it."""
    changes = sum(before != after for before, after in itertools.pairwise(shown))
    return changes * 10 * frame_rate / len(shown)


def delay_s(shown: Sequence[str], wanted: str, *, frame_rate: float = FRAME_RATE) -> float:
    """Seconds from the first frame that shows the new face to the first whose label is the wanted one.

    The frame itself takes its time: a label that is right at once came after one frame's duration. All the
    frames' duration where the label never comes.
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
    """Flips and delays of all sequences for one choice.

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
    """The trade that keeps both limits in the most sequences, then the one with the fewest flips.

    None where the best keeps one of them in less than `SHARE`.
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
    """Sequences of pairs of faces with different labels, drawn at random, with the model's scores."""
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


def uncertain_rows(scores: np.ndarray, labels: np.ndarray) -> list[tuple[float, float, float]]:
    """For each of `THRESHOLDS`: the share of faces below it, and the accuracy on the others."""
    likeliest, right = scores.max(axis=1), scores.argmax(axis=1) == labels
    return [
        (least, float((likeliest < least).mean()), float(right[likeliest >= least].mean()))
        for least in THRESHOLDS
    ]


def render(
    trades: Sequence[Trade],
    uncertain: Sequence[tuple[float, float, float]],
    *,
    model: Model,
    count: int,
    seed: int,
) -> str:
    """The report as Markdown."""
    device = describe_device()
    chosen, tolerated = choose(trades), max(row for row in uncertain if row[1] <= MOST_UNCERTAIN)
    lines = f"""\
# Steady labels, measured

Written by `python -m benchmarks steady --faces {count} --seed {seed}` on {device["measured"]}
with `{model.path.name}`.

{count} sequences, each of a FER2013 validation face for {STILL_S} s and another, of another label,
for {CHANGED_S} s, at {FRAME_RATE} frames a second. Each frame has a camera's noise ({NOISE:g} gray levels,
standard deviation, at {FACE_PX} pixels) and a box whose centre jitters by {CENTRE_JITTER:.1%} of its
width and whose size by {SIZE_JITTER:.1%}, as the tracker's do, and is cropped by the runtime. Noise
is new in every frame, jitter in every {JITTER_FRAMES}th. What a person does with a face that is meant to be
still is not in it.

*Flips* are changes of the shown label in 10 s of the still face; *steady* is the share of faces with
at most {MOST_FLIPS:g}. A change is true where the new face's mean scores put one label ahead of all
others by {CLEAR:g}, and that is not the shown one: in {len(trades[0].delays_s)} of the sequences.
*Delay* is from the new face's first frame until that label is shown, the frame's own duration
included; *quick* is the share within {LONGEST_DELAY_S} s. "Uncertain", below {THRESHOLD}, counts as a
label. *Restarts* says whether the mean starts again where the short one, of {SHORT_TIME_CONSTANT_S:g} s,
has moved by {CHANGE:g} of probability. For {HOLD_S:g} s after a change of label the margin is
{HOLD_MARGINS:g} times as large, but for the first {SETTLE_S:g} s after a restart.

| restarts | time constant, s | margin | flips in 10 s | worst face | steady | median delay, s | p95 | quick |
|---|---:|---:|---:|---:|---:|---:|---:|---:|
""".splitlines()
    for trade in trades:
        restarts = "no" if math.isinf(trade.change) else "yes"
        mark = " **chosen**" if trade is chosen else ""
        median, p95 = np.percentile(trade.delays_s, [50, 95]) if len(trade.delays_s) else (math.nan, math.nan)
        lines.append(
            f"| {restarts}{mark} | {trade.time_constant_s:g} | {trade.margin:g} | {trade.flips.mean():.2f} | "
            f"{trade.flips.max():.0f} | {trade.steady:.1%} | {median:.2f} | {p95:.2f} | {trade.quick:.1%} |"
        )
    lines += ["", "## What was chosen", ""]
    if chosen is None:
        lines.append(f"No choice is steady and quick in {SHARE:.0%} of the sequences.")
    else:
        lines += [
            "The choice that is steady and quick in the most sequences, then that with the fewest flips: a",
            f"time constant of {chosen.time_constant_s:g} s and a margin of {chosen.margin:g}, "
            f"{'without' if math.isinf(chosen.change) else 'with'} restarts.",
        ]
    lines += [
        f"The defaults in `runtime/smoothing.py` are {TIME_CONSTANT_S:g} s, {MARGIN:g} and, for",
        f'"uncertain", {THRESHOLD:g}.',
        "",
        *defaults_lines(trades, chosen),
        "",
        '## "Uncertain"',
        "",
        f"Validation faces as they are, one look each. Of these thresholds {tolerated[0]:g} is the largest",
        f"that leaves at most {MOST_UNCERTAIN:.0%} of them uncertain.",
        "",
        "| threshold | uncertain | accuracy on the others |",
        "|---:|---:|---:|",
        *(f"| {least:g} | {share:.1%} | {accuracy:.1%} |" for least, share, accuracy in uncertain),
        "",
    ]
    return "\n".join(lines)


def defaults_lines(trades: Sequence[Trade], chosen: Trade | None) -> Iterator[str]:
    """What the defaults reach of both limits, and whether the chosen trade is better by more than chance."""
    defaults = TIME_CONSTANT_S, MARGIN, CHANGE
    for trade in trades:
        if (trade.time_constant_s, trade.margin, trade.change) != defaults:
            continue
        count = len(trade.flips)
        steady = int((trade.flips <= MOST_FLIPS).sum())
        yield f"With the defaults {steady} of the {count} still faces change their label at most"
        yield f"{MOST_FLIPS:g} time in 10 s, and the most restless one {trade.flips.max():.0f} times; of the"
        yield f"true changes {trade.quick:.1%} are shown within {LONGEST_DELAY_S:g} s."
        if chosen is not None and trade is not chosen:
            share, looked_at = min((chosen.steady, count), (chosen.quick, len(chosen.delays_s)))
            better = 100 * (share - min(trade.steady, trade.quick))
            chance = 100 * 2 * math.sqrt(share * (1 - share) / looked_at)
            yield f"The choice is better by {better:.1f} points, {'within' if better <= chance else 'beyond'}"
            yield f"the {chance:.1f} that are chance among {looked_at} (two standard errors)."


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks steady", description=__doc__.split("\n")[0])
    parser.add_argument(
        "--model", default=DEFAULT_MODEL, help="released model or file (default: %(default)s)"
    )
    parser.add_argument("--data", type=Path, help="FER2013 (default: as training)")
    parser.add_argument("--faces", type=int, default=200, help="sequences (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--out", type=Path, default=REPORT, help="the report (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        model = load_model(options.model)
        dataset = load_dataset(options.data)
    except (CardError, DatasetError, EngineError, ModelError) as error:
        print(error, file=sys.stderr)
        return 1
    faces, labels = dataset.split("validation")
    seen = ~blank(faces)
    faces, labels = faces[seen], labels[seen]
    uncertain = uncertain_rows(model(faces), labels)
    sequences = make_sequences(model, faces, labels, count=options.faces, seed=options.seed)
    trades = [
        trade_of(sequences, model.labels, time_constant_s=time_constant_s, margin=margin, change=change)
        for change in CHANGES
        for time_constant_s in progress(TIME_CONSTANTS_S, "Smoothing")
        for margin in MARGINS
        if time_constant_s or not math.isinf(change)  # a mean of nothing has nothing to restart
    ]
    report = render(trades, uncertain, model=model, count=options.faces, seed=options.seed)
    write_atomically(options.out, report)
    print(report)
    return 0
