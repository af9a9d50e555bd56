"""Steady labels: a face's scores averaged over time, and a label that changes only for a reason.

Times are seconds and arguments, so that a video gives the same labels at every speed of the machine. The
defaults were chosen by `python -m benchmarks.steady`, which wrote reports/steady.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

TIME_CONSTANT_S = 0.3  # after it a frame weighs 1/e of what it did
MARGIN = 0.1  # what another label must be ahead by, in probability
LEAST_SCORE = 0.35  # what a label must have to be shown
UNCERTAIN = "uncertain"


@dataclass(eq=False)
class Smoother:
    """The mean of a face's scores, in which a frame's weight falls to 1/e in `time_constant_s` seconds.

    The weights are divided by their sum: the first frames give their plain mean, and frames that come
    unevenly count each for itself. A time constant of 0 gives the scores as they come.
    """

    time_constant_s: float = TIME_CONSTANT_S
    _sum: np.ndarray | float = field(default=0.0, init=False)
    _weight: float = field(default=0.0, init=False)
    _time_s: float = field(default=-math.inf, init=False)

    def __call__(self, scores: np.ndarray, time_s: float) -> np.ndarray:
        """Take in a frame's scores, `float32` `(labels,)`; returns the mean, alike.

        A time before the last one counts as the last one.
        """
        kept = decay(time_s - self._time_s, self.time_constant_s)
        self._sum = kept * self._sum + scores.astype(np.float64)
        self._weight = kept * self._weight + 1
        self._time_s = max(time_s, self._time_s)
        return (self._sum / self._weight).astype(np.float32)


def decay(elapsed_s: float, time_constant_s: float) -> float:
    """What is left of a weight of 1 after a time: `exp(-elapsed / time constant)`, 1 for a time below 0."""
    if time_constant_s <= 0:
        return 0.0
    return math.exp(-max(0.0, elapsed_s) / time_constant_s)


def choose_label(
    scores: np.ndarray,
    shown: int | None = None,
    *,
    margin: float = MARGIN,
    least_score: float = LEAST_SCORE,
) -> int:
    """The index of the label to show, `len(scores)` for "uncertain".

    `scores` are the smoothed probabilities `(labels,)`, `shown` the index that was chosen last, None at
    first. "Uncertain" stands as one more candidate whose probability is always `least_score`. The likeliest
    candidate is chosen at first; afterwards the shown one stays until another is ahead of it by more than
    `margin`.
    """
    candidates = [*scores.tolist(), least_score]
    best = max(range(len(candidates)), key=candidates.__getitem__)
    if shown is not None and candidates[best] - candidates[shown] <= margin:
        return shown
    return best


@dataclass(eq=False)
class Expression:
    """What one face shows over time: its smoothed scores and its steady label."""

    labels: tuple[str, ...]
    time_constant_s: float = TIME_CONSTANT_S
    margin: float = MARGIN
    least_score: float = LEAST_SCORE

    def __post_init__(self) -> None:
        self._smooth = Smoother(self.time_constant_s)
        self._shown: int | None = None

    def update(self, scores: np.ndarray, time_s: float) -> tuple[np.ndarray, str]:
        """Take in a frame's scores `(labels,)`; returns the smoothed ones and the label to show."""
        smoothed = self._smooth(scores, time_s)
        self._shown = choose_label(smoothed, self._shown, margin=self.margin, least_score=self.least_score)
        return smoothed, (*self.labels, UNCERTAIN)[self._shown]
