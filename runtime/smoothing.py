"""Steady labels: a face's scores averaged over time, and a label that changes only for a reason.

A long mean is steady and late, a short one quick and restless. So there are both: the long one is given
out, and where the short one has gone elsewhere, the expression has changed and the long one starts again
from there. A label that has just changed is left alone: for a while the next change needs a larger lead,
unless the expression has changed.

Times are seconds and arguments, so that a video gives the same labels at every speed of the machine. The
defaults were chosen with `python -m benchmarks steady`, which wrote reports/steady.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

TIME_CONSTANT_S = 1.0  # of the long mean: after it a frame weighs 1/e of what it did
SHORT_TIME_CONSTANT_S = 0.1
CHANGE = 0.3  # the probability that must have moved to other labels for a change of expression
MARGIN = 0.1  # what another label must be ahead by, in probability, to be shown instead
HOLD_S = 10.0  # for so long after a change of label the margin is ...
HOLD_MARGINS = 2.0  # ... so many times as large
SETTLE_S = 0.5  # for so long after a change of expression it is not
LEAST_SCORE = 0.4  # what a label must have to be shown
LONGEST_STEP_BACK_S = 1.0  # by a larger one a clock was set back, or a video begins again
UNCERTAIN = "uncertain"


class Mean(NamedTuple):
    """A weighted mean of scores, as their weighted sum, float64 (labels,), and the sum of the weights.

    The first frames give their plain mean, and frames that come unevenly count each for itself.
    """

    sum: np.ndarray | float = 0.0
    weight: float = 0.0

    def add(self, scores: np.ndarray, kept: float) -> Mean:
        """The mean with one more frame, in which `kept` is left of each older one's weight."""
        return Mean(kept * self.sum + scores.astype(np.float64), kept * self.weight + 1)

    @property
    def value(self) -> np.ndarray:
        """The mean itself."""
        return np.asarray(self.sum / self.weight)


@dataclass(eq=False)
class Smoother:
    """The mean of a face's scores over time, which starts again where the expression changes.

    `time_constant_s` is that of the long mean; 0 gives the scores as they come. `change` is the distance of
    the short mean, half the sum of the absolute differences, above which it takes the long one's place.
    """

    time_constant_s: float = TIME_CONSTANT_S
    change: float = CHANGE
    _long: Mean = field(default=Mean(), init=False)
    _short: Mean = field(default=Mean(), init=False)
    _time_s: float = field(default=-math.inf, init=False)
    restarted_s: float = field(default=-math.inf, init=False)
    """When the mean last started again, as the times given."""

    def __call__(self, scores: np.ndarray, time_s: float) -> np.ndarray:
        """Take in a frame's scores, `float32` `(labels,)`; returns the mean, alike.

        A time before the last one counts as the last one; from more than `LONGEST_STEP_BACK_S` before it
        time goes on from there, and the mean is kept.
        """
        elapsed_s = time_s - self._time_s
        if not -LONGEST_STEP_BACK_S <= elapsed_s < 0:
            self._time_s = time_s
        self._long = self._long.add(scores, decay(elapsed_s, self.time_constant_s))
        self._short = self._short.add(
            scores, decay(elapsed_s, min(SHORT_TIME_CONSTANT_S, self.time_constant_s))
        )
        if np.abs(self._long.value - self._short.value).sum() / 2 > self.change:
            self._long = self._short
            self.restarted_s = time_s
        return self._long.value.astype(np.float32)


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
    `margin`. Of "uncertain" two thirds of what lies above `least_score` are enough, as `margin` could not be
    had above a high one. A label that is less likely than `least_score` gives way to "uncertain" at least.
    """
    candidates = [*scores.tolist(), least_score]
    best = max(range(len(candidates)), key=candidates.__getitem__)
    if shown == len(scores):
        margin = min(margin, 2 / 3 * (1 - least_score))
    if shown is None or candidates[best] - candidates[shown] > margin:
        return best
    return shown if candidates[shown] >= least_score else len(scores)


@dataclass(eq=False)
class Expression:
    """What one face shows over time: its smoothed scores and its steady label."""

    labels: tuple[str, ...]
    time_constant_s: float = TIME_CONSTANT_S
    margin: float = MARGIN
    least_score: float = LEAST_SCORE
    change: float = CHANGE

    def __post_init__(self) -> None:
        self._smooth = Smoother(self.time_constant_s, self.change)
        self._shown: int | None = None
        self._changed_s = -math.inf  # when the label last changed while the expression didn't

    def update(self, scores: np.ndarray, time_s: float) -> tuple[np.ndarray, str]:
        """Take in a frame's scores `(labels,)`; returns the smoothed ones and the label to show."""
        smoothed = self._smooth(scores, time_s)
        settling = 0 <= time_s - self._smooth.restarted_s <= SETTLE_S
        held = not settling and 0 <= time_s - self._changed_s < HOLD_S
        margin = self.margin * (HOLD_MARGINS if held else 1)
        shown = choose_label(smoothed, self._shown, margin=margin, least_score=self.least_score)
        if settling:
            self._changed_s = -math.inf
        elif self._shown is not None and shown != self._shown:
            self._changed_s = time_s
        self._shown = shown
        return smoothed, (*self.labels, UNCERTAIN)[self._shown]
