"""The study's plots as PNG bytes, the same whenever they are drawn from the same results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dataset.fer2013 import LABELS
from reporting.plots import COLOURS, LINES, figure, plain_style, png, tidy

from .results import Result
from .statistics import Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OF_SERIES = {"training": COLOURS[0], "validation": COLOURS[1], "test": COLOURS[2]}

CHANCE_AND_MORE = 28.0
"""Percent, where the overview begins: an experiment left of it learns next to nothing, as the commonest label
alone makes 25.8 % of the study's test faces."""

CHOSEN, PRINTED, PRINTED_TRAIN, OURS, OF_A_SEED, LOWER = (
    "the chosen epoch",
    "test accuracy as printed",
    "training accuracy as printed",
    "ours, with its 95 % interval for other test faces",
    "each seed, where there are several",
    "ours, below where the axis begins",
)


class Tested(NamedTuple):
    """Test accuracies of an experiment, percent: of each seed, their mean's interval, the printed one."""

    title: str
    tests: list[float]
    interval: tuple[float, float]
    printed: float | None


class Trained(NamedTuple):
    """The training of an experiment, and the accuracies in training and in the test that are printed."""

    title: str
    result: Result
    printed: tuple[float, float] | None


class Gap(NamedTuple):
    """Accuracies of an experiment's chosen weights, percent, and the panel that it belongs to."""

    title: str
    group: str
    train: float
    test: float


def stacked(groups: Mapping[str, Sequence[Any]], *, height: float) -> tuple[Figure, list[Axes]]:
    """Returns a figure with a panel for each group, as high as its experiments need.

    Args:
        groups: Experiments by the title of their panel.
        height: Of an experiment, inches.
    """
    drawing = figure(8.0, height * sum(map(len, groups.values())) + 0.5 * len(groups) + 0.9)
    ratios = [len(experiments) + 0.6 for experiments in groups.values()]
    panels = drawing.subplots(len(groups), 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
    for axes, (group, experiments) in zip(panels, groups.items(), strict=True):
        axes.set_yticks(range(len(experiments)), [experiment.title for experiment in experiments])
        axes.set_ylim(len(experiments) - 0.4, -0.6)
        tidy(axes, group)
    return drawing, list(panels)


@plain_style()
def draw_overview(groups: Mapping[str, Sequence[Tested]]) -> bytes:
    """Returns a panel for each group: an experiment's test accuracy, its interval and the printed figure.

    One whose mean is below CHANCE_AND_MORE is marked at the edge, with the mean beside it.
    """
    drawing, panels = stacked(groups, height=0.27)
    entries: dict[str, Any] = {}
    for axes, experiments in zip(panels, groups.values(), strict=True):
        for height, experiment in enumerate(experiments):
            draw_tested(axes, height, experiment, entries)
    panels[-1].set_xlim(left=CHANCE_AND_MORE)  # after the last panel: it ends the fitting to what is drawn
    panels[-1].set_xlabel("test accuracy, %")
    drawing.legend(entries.values(), entries.keys(), loc="outside upper center", ncols=2, frameon=False)
    return png(drawing)


def draw_tested(axes: Axes, height: int, experiment: Tested, entries: dict[str, Any]) -> None:
    """Draws one experiment of the overview; adds what it draws to the legend's `entries`."""
    tests, mean = experiment.tests, float(np.mean(experiment.tests))
    if mean < CHANCE_AND_MORE:
        at = (CHANCE_AND_MORE + 0.6, height)
        entries[LOWER] = axes.plot(*at, "<", color=OF_SERIES["training"])[0]
        seen = min(tests) < CHANCE_AND_MORE <= max(tests)  # of a seed that is in the plot
        words = f"{mean:.1f}" + (f", a seed at {min(tests):.1f}" if seen else "")
        axes.annotate(words, at, va="center", textcoords="offset points", xytext=(8, 0), fontsize=9)
    else:
        colour = OF_SERIES["test"]
        axes.plot(experiment.interval, [height, height], color=colour, linewidth=2, zorder=3)
        entries[OURS] = axes.plot(mean, height, "o", color=colour, zorder=3)[0]
    if len(tests) > 1:
        marks = axes.plot(tests, [height] * len(tests), "|", color=COLOURS[-1], ms=9, zorder=4)
        entries[OF_A_SEED] = marks[0]
    if experiment.printed is not None:
        entries[PRINTED] = axes.plot(experiment.printed, height, "D", color="0.3", mfc="none")[0]


@plain_style()
def draw_learning_curves(trainings: Sequence[Trained]) -> bytes:
    """Returns a panel for each: accuracy in training, on validation and on the test split by epoch."""
    columns = 4
    lines = -(-len(trainings) // columns)
    drawing = figure(3.1 * columns, 2.4 * lines + 0.4)
    panels = drawing.subplots(lines, columns, squeeze=False).ravel()
    for panel in panels[len(trainings) :]:
        panel.set_axis_off()
    for panel, training in zip(panels, trainings, strict=False):
        draw_training(panel, training)
    entries = {
        label: handle
        for panel in panels
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    drawing.legend(entries.values(), entries.keys(), loc="outside upper center", ncols=3, frameon=False)
    drawing.supxlabel("epoch", fontsize=10)
    drawing.supylabel("accuracy, %", fontsize=10)
    return png(drawing)


def draw_training(panel: Axes, training: Trained) -> None:
    """Draws the learning curves of one training, and what is printed of it."""
    result = training.result
    epochs = np.arange(1, result.epochs_trained + 1)
    for values, colour, label in (
        (result.history.accuracy, "training", "training, with dropout and augmentation"),
        (result.history.val_accuracy, "validation", "validation"),
        (result.history.test_accuracy, "test", "test"),
    ):
        panel.plot(epochs, 100 * np.array(values), color=OF_SERIES[colour], label=label, linewidth=1)
    panel.axvline(result.best_epoch, color="0.5", linewidth=0.9, linestyle=":", label=CHOSEN)
    if training.printed:
        for height, of, label in zip(
            training.printed, ("training", "test"), (PRINTED_TRAIN, PRINTED), strict=True
        ):
            panel.axhline(height, color=OF_SERIES[of], linewidth=0.8, linestyle="--", label=label)
    panel.set_ylim(0, 101)
    panel.locator_params(axis="x", integer=True)
    tidy(panel, training.title)


@plain_style()
def draw_gaps(experiments: Sequence[Gap]) -> bytes:
    """Returns a line from the test to the training accuracy of each, a panel for each group."""
    groups: dict[str, list[Gap]] = {}
    for experiment in experiments:
        groups.setdefault(experiment.group, []).append(experiment)
    drawing, panels = stacked(groups, height=0.3)
    for axes, of_group in zip(panels, groups.values(), strict=True):
        heights = range(len(of_group))
        for height, gap in enumerate(of_group):
            axes.plot([gap.test, gap.train], [height, height], color="0.75", linewidth=3, zorder=1)
        axes.scatter([gap.test for gap in of_group], heights, color=OF_SERIES["test"], zorder=2, label="test")
        axes.scatter(
            [gap.train for gap in of_group], heights, color=OF_SERIES["training"], zorder=2, label="training"
        )
    panels[-1].set_xlabel("accuracy with the chosen weights, %")
    drawing.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False)
    return png(drawing)


@plain_style()
def draw_confusions(confusions: Mapping[str, Sequence[Sequence[int]]]) -> bytes:
    """Returns the confusion matrices side by side: each cell its share of the true class, in percent."""
    drawing = figure(5.2 * len(confusions), 5.0)
    panels = drawing.subplots(1, len(confusions), squeeze=False)[0]
    for panel, (name, counts) in zip(panels, confusions.items(), strict=True):
        table = np.array(counts)
        shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
        panel.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row, column in np.ndindex(*shares.shape):
            ink = "white" if shares[row, column] > 0.72 else "black"
            panel.text(column, row, f"{100 * shares[row, column]:.0f}", ha="center", va="center", color=ink)
        panel.set_xticks(range(len(LABELS)), LABELS, rotation=45, ha="right")
        panel.set_yticks(range(len(LABELS)), LABELS)
        panel.set_xlabel("predicted")
        panel.set_ylabel("true")
        panel.set_title(f"{name}: % of the true class", loc="left", fontsize=10)
    return png(drawing)


@plain_style()
def draw_roc(curves: Mapping[str, Sequence[Curve | None]]) -> bytes:
    """Returns the ROC curves side by side, each class against all others."""
    drawing = figure(4.8 * len(curves), 4.6)
    panels = drawing.subplots(1, len(curves), squeeze=False)[0]
    for panel, (name, of_labels) in zip(panels, curves.items(), strict=True):
        panel.plot([0, 1], [0, 1], color="0.8", linewidth=1)
        for label, curve, colour, style in zip(LABELS, of_labels, COLOURS, LINES, strict=True):
            if curve is not None:
                *rates, area = curve
                words = f"{label} {area:.3f}"
                panel.plot(*rates, color=colour, linestyle=style, label=words, linewidth=1)
        panel.set_xlabel("false positive rate")
        panel.set_ylabel("true positive rate")
        panel.set_aspect("equal")
        tidy(panel, name)
        if any(of_labels):
            panel.legend(loc="lower right", frameon=False, fontsize=8, title="area under it")
    return png(drawing)
