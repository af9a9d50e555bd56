"""The goals that were set for the family of released models, and how far they came."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.accuracy.group_figures import EVERYBODY, ModelGroups
from benchmarks.accuracy.robustness import BOX_WAYS, IMAGE_LIMIT_POINTS, LIMIT_POINTS, WAY_NAMES
from benchmarks.comparison.contestants import FERS_FILE
from benchmarks.comparison.released import ReleasedModel


class Goal(NamedTuple):
    """A goal with the figure that it is about; `reached` is None where the figure is missing."""

    model: str
    what: str
    limit: str
    value: str
    reached: bool | None


class Limits(NamedTuple):
    """What one model was to reach.

    Attributes:
        kilobytes: Of its file, at most.
        ratio: Of its latency to that of fer's file, at most.
        accuracy: At least, 0 to 1; several for a goal in steps.
        macro_recall: At least, 0 to 1.
        fear: The recall of fear, at least, 0 to 1.
    """

    kilobytes: float
    ratio: float
    accuracy: tuple[float, ...]
    macro_recall: float
    fear: float


LIMITS = {
    "edge_large": Limits(4000, 10, (0.742,), 0.72, 0.55),
    "edge": Limits(700, 1.8, (0.72, 0.733), 0.71, 0.52),
    "edge_tiny": Limits(100, 0.45, (0.695,), 0.69, 0.47),
}
LOST_POINTS, CALIBRATION_ERROR = 0.3, 0.025
LONDON = ((EVERYBODY, "neutral", 0.97), ("gender: female", "happy", 0.85), ("gender: male", "happy", 0.60))


def goals(ours: Sequence[ReleasedModel]) -> list[Goal]:
    """Returns the goals of those of the models that have any, and whether each is reached."""
    return [
        goal
        for model in ours
        if model.name in LIMITS
        for goal in (*_own(model, LIMITS[model.name]), *_changes(model), *_people(model))
    ]


def _own(model: ReleasedModel, limits: Limits) -> list[Goal]:
    name, figures = model.name, model.figures
    return [
        _at_most(name, "bytes", model.bytes / 1000, limits.kilobytes, "{:,.1f} KB"),
        _at_most(name, f"latency to that of {FERS_FILE}", model.ratio, limits.ratio, "{:.2f}"),
        *(_at_least(name, "accuracy", figures.accuracy, limit) for limit in limits.accuracy),
        _at_least(name, "macro recall", figures.macro_recall, limits.macro_recall),
        _at_least(name, "recall of fear", figures.classes["fear"].recall, limits.fear),
        _at_most(name, "points lost by quantization", model.lost_points, LOST_POINTS, "{:.2f}"),
        _at_most(name, "expected calibration error", figures.calibration_error, CALIBRATION_ERROR, "{:.3f}"),
    ]


def _changes(model: ReleasedModel) -> list[Goal]:
    """Returns the goals about changed boxes and images."""
    boxes = model.robustness.boxes if model.robustness else {}
    lost = [
        row.drop_points
        for row in (model.robustness.rows if model.robustness else ())
        if row.way not in BOX_WAYS
    ]
    return [
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
        _at_most(
            model.name,
            "points lost by the worst changed image",
            max(lost, default=None),
            IMAGE_LIMIT_POINTS,
            "{:.2f}",
        ),
    ]


def _people(model: ReleasedModel) -> list[Goal]:
    """Returns the goals about the people of the London set."""
    return [
        _at_least(
            model.name, f"{label} called so, London, {group}", share_of(model.london, group, label), limit
        )
        for group, label, limit in LONDON
    ]


def share_of(london: ModelGroups | None, group: str, label: str) -> float | None:
    """Returns the share of a group's faces with a label that got it; None where it was not measured."""
    figures = london.groups.get(group) if london else None
    counted = figures.labels.get(label) if figures else None
    return counted.right / counted.count if counted and counted.count else None


def _at_most(model: str, what: str, value: float | None, limit: float, form: str) -> Goal:
    words = f"at most {form.format(limit)}"
    if value is None:
        return Goal(model, what, words, "not measured", None)
    return Goal(model, what, words, form.format(value), value <= limit)


def _at_least(model: str, what: str, share: float | None, limit: float) -> Goal:
    words = f"at least {100 * limit:.1f} %"
    if share is None:
        return Goal(model, what, words, "not measured", None)
    return Goal(model, what, words, f"{100 * share:.2f} %", share >= limit)
