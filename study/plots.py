"""The study's images as PNG bytes, the same whenever they are drawn from the same results."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from dataset.fer2013 import LABELS

from .statistics import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito 2008, "Color Universal Design", without the yellow that white paper swallows.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")

STYLES = ("-", "--", "-", "--", "-", "-.", ":")  # of the seven labels: neighbouring colours differ by more
OF_SERIES = {"training": COLOURS[0], "validation": COLOURS[1], "test": COLOURS[2]}

CHANCE_AND_MORE = 28.0
"""Percent, where the overview begins: a row left of it learns next to nothing, as the commonest label alone
makes 25.8 % of the study's test faces."""

CHOSEN, PRINTED, PRINTED_TRAIN, OURS, OF_A_SEED, LOWER = (
    "the chosen epoch",
    "test accuracy as printed",
    "training accuracy as printed",
    "ours, with its 95 % interval for other test faces",
    "each seed, where there are several",
    "ours, below where the axis begins",
)

Overview = dict[str, list[tuple[str, list[float], tuple[float, float], float | None]]]
Curves = list[tuple[np.ndarray, np.ndarray, float] | None]


@contextmanager
def plain_style() -> Iterator[None]:
    """Has matplotlib's own defaults for what is drawn within, whatever the user's matplotlibrc says."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield


def figure(width: float, height: float) -> Figure:
    """Returns an empty figure of `width` x `height` inches that opens no window."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(drawing)
    return drawing


def png(drawing: Figure) -> bytes:
    """Returns the figure as a PNG of 256 colours, a third as large, without matplotlib's version in it."""
    image, small = io.BytesIO(), io.BytesIO()
    drawing.savefig(image, format="png", metadata={"Software": None})
    colours = Image.open(image).convert("RGB").quantize(method=Image.Quantize.MEDIANCUT)
    colours.save(small, format="PNG", optimize=True)
    return small.getvalue()


def tidy(axes: Axes, title: str) -> None:
    """Gives a panel its title on the left, a light grid, and no frame above and to the right."""
    axes.set_title(title, loc="left", fontsize=10)
    axes.grid(color="0.92")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


@plain_style()
def draw_overview(groups: Overview) -> bytes:
    """Returns a panel for each group of rows: a row's test accuracy, its interval and the printed figure.

    groups: by title, rows as (in words, test accuracy of each seed, interval of their mean, printed or None),
    in percent. A row whose mean is below CHANCE_AND_MORE is marked at the edge, with the mean beside it.
    """
    drawing = figure(8.0, 0.27 * sum(map(len, groups.values())) + 0.5 * len(groups) + 0.9)
    ratios = [len(rows) + 0.6 for rows in groups.values()]
    panels = drawing.subplots(len(groups), 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
    entries = {}
    for axes, (group, rows) in zip(panels, groups.items(), strict=True):
        for height, (_, tests, ends, printed) in enumerate(rows):
            mean = float(np.mean(tests))
            if mean < CHANCE_AND_MORE:
                at = (CHANCE_AND_MORE + 0.6, height)
                entries[LOWER] = axes.plot(*at, "<", color=OF_SERIES["training"], label=LOWER)[0]
                words = {"va": "center", "textcoords": "offset points", "xytext": (8, 0), "fontsize": 9}
                seen = min(tests) < CHANCE_AND_MORE <= max(tests)  # of a seed that is in the image
                least = f", a seed at {min(tests):.1f}" if seen else ""
                axes.annotate(f"{mean:.1f}{least}", at, **words)
            else:
                axes.plot(ends, [height, height], color=OF_SERIES["test"], linewidth=2, zorder=3)
                entries[OURS] = axes.plot(mean, height, "o", color=OF_SERIES["test"], label=OURS, zorder=3)[0]
            if len(tests) > 1:
                marks = axes.plot(tests, [height] * len(tests), "|", color=COLOURS[-1], ms=9, zorder=4)
                entries[OF_A_SEED] = marks[0]
            if printed is not None:
                entries[PRINTED] = axes.plot(printed, height, "D", color="0.3", mfc="none", label=PRINTED)[0]
        axes.set_yticks(range(len(rows)), [row[0] for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        tidy(axes, group)
    panels[-1].set_xlim(left=CHANCE_AND_MORE)  # after the last panel: it ends the fitting to what is drawn
    panels[-1].set_xlabel("test accuracy, %")
    drawing.legend(entries.values(), entries.keys(), loc="outside upper center", ncols=2, frameon=False)
    return png(drawing)


@plain_style()
def draw_learning_curves(
    results: Mapping[str, Result], *, printed: Mapping[str, tuple[float, float]]
) -> bytes:
    """Returns a panel a row: accuracy in training, on validation and on the test split after each epoch.

    results: the first seed of each row, by title. printed: the accuracies in training and on the test split
    that the study prints, in percent.
    """
    columns = 4
    lines = -(-len(results) // columns)
    drawing = figure(3.1 * columns, 2.4 * lines + 0.4)
    panels = drawing.subplots(lines, columns, squeeze=False).ravel()
    for panel in panels[len(results) :]:
        panel.set_axis_off()
    series = (
        ("accuracy", "training", "training, with dropout and augmentation"),
        ("val_accuracy", "validation", "validation"),
        ("test_accuracy", "test", "test"),
    )
    for panel, (name, result) in zip(panels, results.items(), strict=False):
        epochs = np.arange(1, result["epochs_trained"] + 1)
        for key, colour, label in series:
            accuracy = 100 * np.array(result["history"][key])
            panel.plot(epochs, accuracy, color=OF_SERIES[colour], label=label, linewidth=1)
        panel.axvline(result["best_epoch"], color="0.5", linewidth=0.9, linestyle=":", label=CHOSEN)
        if name in printed:
            for height, of, label in zip(
                printed[name], ("training", "test"), (PRINTED_TRAIN, PRINTED), strict=True
            ):
                panel.axhline(height, color=OF_SERIES[of], linewidth=0.8, linestyle="--", label=label)
        panel.set_ylim(0, 101)
        panel.locator_params(axis="x", integer=True)
        tidy(panel, name)
    entries = {
        label: handle
        for panel in panels
        for handle, label in zip(*panel.get_legend_handles_labels(), strict=True)
    }
    drawing.legend(entries.values(), entries.keys(), loc="outside upper center", ncols=3, frameon=False)
    drawing.supxlabel("epoch", fontsize=10)
    drawing.supylabel("accuracy, %", fontsize=10)
    return png(drawing)


@plain_style()
def draw_gaps(rows: Sequence[tuple[str, str, float, float]]) -> bytes:
    """Returns a line a row from its test to its training accuracy, a panel for each group of rows.

    rows: (in words, group, train, test), percent; those of a group one after the other.
    """
    groups = {group: [row for row in rows if row[1] == group] for _, group, _, _ in rows}
    drawing = figure(8.0, 0.3 * len(rows) + 0.5 * len(groups) + 0.9)
    ratios = [len(of_group) + 0.6 for of_group in groups.values()]
    panels = drawing.subplots(len(groups), 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
    for axes, (group, of_group) in zip(panels, groups.items(), strict=True):
        heights = range(len(of_group))
        for height, (_, _, train, test) in enumerate(of_group):
            axes.plot([test, train], [height, height], color="0.75", linewidth=3, zorder=1)
        for place, label in ((3, "test"), (2, "training")):
            at = [row[place] for row in of_group]
            axes.scatter(at, heights, color=OF_SERIES[label], zorder=2, label=label)
        axes.set_yticks(list(heights), [row[0] for row in of_group])
        axes.set_ylim(len(of_group) - 0.4, -0.6)
        tidy(axes, group)
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
def draw_roc(curves: Mapping[str, Curves]) -> bytes:
    """Returns the ROC curves side by side, each class against all others."""
    drawing = figure(4.8 * len(curves), 4.6)
    panels = drawing.subplots(1, len(curves), squeeze=False)[0]
    for panel, (name, of_labels) in zip(panels, curves.items(), strict=True):
        panel.plot([0, 1], [0, 1], color="0.8", linewidth=1)
        for label, curve, colour, style in zip(LABELS, of_labels, COLOURS, STYLES, strict=True):
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
