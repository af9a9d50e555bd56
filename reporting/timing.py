"""Times of several models in one run: each gets its turn again and again, so that a machine that slows down
half-way (heat, another program) slows them all, and the ratios stay true."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from reporting.progress import progress

Answer = Callable[[np.ndarray], object]


def time_interleaved(
    answers: Sequence[Answer],
    inputs: Sequence[np.ndarray],
    *,
    turns: int,
    calls_per_turn: int,
    description: str = "Timing",
    now: Callable[[], int] = time.perf_counter_ns,
) -> np.ndarray:
    """Return how long each call took: milliseconds, float64 `(answers, turns * calls_per_turn)`.

    In every turn each of `answers` is called once untimed (its weights come back into the cache, which the
    others emptied) and then `calls_per_turn` times, on the next of `inputs`. The order changes from turn to
    turn. `now` is a clock in nanoseconds.
    """
    milliseconds = np.empty((len(answers), turns * calls_per_turn))
    order = np.random.default_rng(0)
    for turn in progress(range(turns), description):
        for index in order.permutation(len(answers)):
            answer = answers[index]
            answer(inputs[turn % len(inputs)])
            for call in range(turn * calls_per_turn, (turn + 1) * calls_per_turn):
                given = inputs[call % len(inputs)]
                start = now()
                answer(given)
                milliseconds[index, call] = (now() - start) / 1e6
    return milliseconds


def median_and_p95(milliseconds: np.ndarray) -> tuple[float, float]:
    """Return the median and the 95th percentile of the times of one candidate, in milliseconds."""
    return float(np.median(milliseconds)), float(np.percentile(milliseconds, 95))
