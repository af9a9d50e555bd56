"""Steady labels: a face's scores averaged over time, and a label that changes only for a reason.

A mean over a long time is steady but late; over a short time it is quick but restless. Both are kept. The
long mean is the result. Where the short mean departs from it, the expression has changed, and the long mean
starts again from the short one. After a label has changed, the next change needs a larger lead for a while,
unless the expression has changed.

Times are arguments, in seconds, so that a video gives the same labels on a fast and on a slow machine. The
defaults were chosen with `python -m benchmarks steady`, which wrote reports/steady.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

TIME_CONSTANT_S = 1.0  # of the long mean: after so long a frame's weight has fallen to 1/e
SHORT_TIME_CONSTANT_S = 0.1
CHANGE = 0.3  # the expression has changed once so much probability has moved to other labels
MARGIN = 0.1  # by how much another label's probability must lead to be shown instead
HOLD_S = 10.0  # for so long after a change of label the margin is larger ...
HOLD_MARGINS = 2.0  # ... by this factor
SETTLE_S = 0.5  # for so long after a change of expression the margin is the plain one
THRESHOLD = 0.4  # the probability that a label needs to be shown
LONGEST_STEP_BACK_S = 1.0  # a larger step means that a clock was set back, or that a video begins again
UNCERTAIN = "uncertain"


class Mean(NamedTuple):
    """A weighted mean of scores: their weighted sum, `float64` `(labels,)`, and the sum of the weights.

    The first frames give their plain mean. Frames at uneven times have equal weights when they are new.
    """

    sum: np.ndarray | float = 0.0
    weight: float = 0.0

    def add(self, scores: np.ndarray, kept: float) -> Mean:
        """Returns the mean with one more frame; `kept`, 0 to 1, is left of each older frame's weight."""
        return Mean(kept * self.sum + scores.astype(np.float64), kept * self.weight + 1)

    @property
    def value(self) -> np.ndarray:
        """The mean, `float64` `(labels,)`."""
        return np.asarray(self.sum / self.weight)


@dataclass(eq=False)
class Smoother:
    """The mean of a face's scores over time, which starts again where the expression changes.

    Attributes:
        time_constant_s: Of the long mean; 0 gives the scores as they are.
        change: The distance of the two means (half the sum of the absolute differences) above which the
            short one replaces the long one.
        restarted_s: When the mean last started again, as the times given.
    """

    time_constant_s: float = TIME_CONSTANT_S
    change: float = CHANGE
    _long: Mean = field(default=Mean(), init=False)
    _short: Mean = field(default=Mean(), init=False)
    _time_s: float = field(default=-math.inf, init=False)
    restarted_s: float = field(default=-math.inf, init=False)

    def __call__(self, scores: np.ndarray, time_s: float) -> np.ndarray:
        """Takes in a frame's scores and returns the mean, both `float32` `(labels,)`.

        A time before the last one counts as the last one. After a step back of more than
        `LONGEST_STEP_BACK_S`, time goes on from there, and the mean is kept.
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
    """Returns what is left of a weight of 1: `exp(-elapsed / time constant)`, 1 for a time below 0."""
    if time_constant_s <= 0:
        return 0.0
    return math.exp(-max(0.0, elapsed_s) / time_constant_s)


def choose_label(
    scores: np.ndarray,
    shown: int | None = None,
    *,
    margin: float = MARGIN,
    threshold: float = THRESHOLD,
) -> int:
    """Returns the index of the label to show, `len(scores)` for "uncertain".

    "Uncertain" is one more candidate, whose probability is always `threshold`. The likeliest candidate is
    chosen first. It stays until another leads it by more than `margin`, or until it falls below `threshold`.
    Above a high threshold no label could lead "uncertain" by the margin: there two thirds of what is left to
    1 are enough.

    Args:
        scores: The smoothed probabilities, `(labels,)`.
        shown: The index that was chosen last; None at first.
        margin: By how much another candidate must lead.
        threshold: The probability that a label needs to be shown.
    """
    candidates = [*scores.tolist(), threshold]
    best = max(range(len(candidates)), key=candidates.__getitem__)
    if shown == len(scores):
        margin = min(margin, 2 / 3 * (1 - threshold))
    if shown is None or candidates[best] - candidates[shown] > margin:
        return best
    return shown if candidates[shown] >= threshold else len(scores)


@dataclass(eq=False)
class Expression:
    """What one face shows over time: its smoothed scores and its steady label.

    Attributes:
        labels: The names of the scores.
        time_constant_s: Of the long mean, in seconds.
        margin: By how much another label must lead to be shown instead.
        threshold: The probability that a label needs to be shown.
        change: The distance of the short mean at which the expression has changed.
    """

    labels: tuple[str, ...]
    time_constant_s: float = TIME_CONSTANT_S
    margin: float = MARGIN
    threshold: float = THRESHOLD
    change: float = CHANGE

    def __post_init__(self) -> None:
        """Starts without a label."""
        self._smooth = Smoother(self.time_constant_s, self.change)
        self._shown: int | None = None
        self._changed_s = -math.inf  # when the label last changed while the expression didn't

    def update(self, scores: np.ndarray, time_s: float) -> tuple[np.ndarray, str]:
        """Takes in a frame's scores `(labels,)`; returns the smoothed ones and the label to show."""
        smoothed = self._smooth(scores, time_s)
        settling = 0 <= time_s - self._smooth.restarted_s <= SETTLE_S
        held = not settling and 0 <= time_s - self._changed_s < HOLD_S
        margin = self.margin * (HOLD_MARGINS if held else 1)
        shown = choose_label(smoothed, self._shown, margin=margin, threshold=self.threshold)
        if settling:
            self._changed_s = -math.inf
        elif self._shown is not None and shown != self._shown:
            self._changed_s = time_s
        self._shown = shown
        return smoothed, (*self.labels, UNCERTAIN)[self._shown]
