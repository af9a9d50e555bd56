"""The goals that the flagship models were set when the work began, and how far they came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.accuracy.robustness import BOX_WAYS, LIMIT_POINTS, WAY_NAMES
from benchmarks.comparison.contestants import FERS_FILE
from benchmarks.comparison.released import ReleasedModel


class Goal(NamedTuple):
    """A goal with the figure that it is about; `reached` is None where the figure is missing."""

    model: str
    what: str
    limit: str
    value: str
    reached: bool | None


def goals(ours: Sequence[ReleasedModel]) -> list[Goal]:
    """Returns the goals of `edge` and `edge_tiny`, of those that are there."""
    by_name = {model.name: model for model in ours}
    lines = []
    if edge := by_name.get("edge"):
        fear = edge.figures.classes["fear"].recall
        lines += [
            _at_most("edge", "bytes", edge.bytes / 1000, 700, "{:,.1f} KB"),
            _at_most("edge", f"latency to that of {FERS_FILE}", edge.ratio, 1.8, "{:.2f}"),
            *(_at_least("edge", "accuracy", edge.figures.accuracy, limit) for limit in (0.70, 0.72, 0.733)),
            _at_least("edge", "macro recall", edge.figures.macro_recall, 0.70),
            _at_least("edge", "recall of fear", fear, 0.55),
            *_shared_goals(edge),
        ]
    if tiny := by_name.get("edge_tiny"):
        of_edge = tiny.ratio / edge.ratio if edge and edge.ratio and tiny.ratio else None
        lines += [
            _at_most("edge_tiny", "bytes", tiny.bytes / 1000, 100, "{:,.1f} KB"),
            _at_most("edge_tiny", "latency to that of edge", of_edge, 0.5, "{:.2f}"),
            _above("edge_tiny", "accuracy", tiny.figures.accuracy, 0.68),
            *_shared_goals(tiny),
        ]
    return lines


def _shared_goals(model: ReleasedModel) -> list[Goal]:
    boxes = model.robustness.boxes if model.robustness else {}
    error = model.figures.calibration_error
    return [
        _at_most(model.name, "points lost by quantization", model.lost_points, 0.3, "{:.2f}"),
        _at_most(model.name, "expected calibration error", error, 0.03, "{:.3f}"),
        *(
            _at_most(
                model.name,
                f"points lost by the worst changed box, {WAY_NAMES[way]}",
                boxes[way].worst_drop_points if way in boxes else None,
                LIMIT_POINTS,
                "{:.2f}",
            )
            for way in BOX_WAYS
        ),
    ]


def _at_most(model: str, what: str, value: float | None, limit: float, form: str) -> Goal:
    words = f"at most {form.format(limit)}"
    if value is None:
        return Goal(model, what, words, "not measured", None)
    return Goal(model, what, words, form.format(value), value <= limit)


def _at_least(model: str, what: str, share: float, limit: float) -> Goal:
    return Goal(model, what, f"at least {100 * limit:.1f} %", f"{100 * share:.2f} %", share >= limit)


def _above(model: str, what: str, share: float, limit: float) -> Goal:
    return Goal(model, what, f"above {100 * limit:.1f} %", f"{100 * share:.2f} %", share > limit)
