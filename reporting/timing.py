"""Interleaved times of several models in one run (A B A B).

A machine that slows down half-way, by heat or another program, slows all of them, and the ratios stay true.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from reporting.progress import progress

Answer = Callable[[Any], object]


def time_interleaved(
    answers: Sequence[Answer],
    inputs: Sequence[Any],
    *,
    turns: int,
    calls_per_turn: int,
    description: str = "Timing",
    now: Callable[[], int] = time.perf_counter_ns,
) -> np.ndarray:
    """Times each of several functions in every turn, in an order that changes from turn to turn.

    A turn calls each function once untimed, which brings its weights back into the cache, and then
    `calls_per_turn` times.

    Args:
        answers: The functions, such as models.
        inputs: What they are given, one a call, from the first again after the last.
        turns: How many.
        calls_per_turn: Timed calls of a function in a turn.
        description: What the progress bar says.
        now: A clock in nanoseconds.

    Returns:
        How long each call took: milliseconds, float64 `(answers, turns * calls_per_turn)`.
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
    """Returns the median and the 95th percentile of one function's times, in milliseconds."""
    return float(np.median(milliseconds)), float(np.percentile(milliseconds, 95))
