"""The plots of one classifier on one split: its confusion matrix and its ROC curves, as PNG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reporting.plots import figure, line_of, literal, plain_style, png, tidy

INK_TURNS_WHITE = 0.72  # the share from which white stands out more than black on matplotlib's "Blues"
USUAL_CLASSES = 8  # that the usual size holds; of more the matrix grows
MOST_WITH_FIGURES = 28  # classes: with more the cells are too small for figures, and the curves for a legend
WIDEST_INCHES = 20.0
LONGEST_NAMES = 70  # letters of all classes that fit beside each other


@plain_style()
def draw_confusion(counts: Sequence[Sequence[int]], labels: Sequence[str], *, title: str) -> bytes:
    """Returns a PNG of a confusion matrix: each cell's share of its true class, and its count beneath.

    Args:
        counts: Samples, true class down, predicted class across: (classes, classes).
        labels: The name of each class.
        title: The line above.
    """
    table = np.array(counts)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    count, names = len(labels), [literal(label) for label in labels]
    side = min(6.8 + 0.5 * max(0, count - USUAL_CLASSES), WIDEST_INCHES)
    drawing = figure(side, side - 0.2)
    axes = drawing.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)  # one hue, light to dark: reads the same to every eye
    for row, column in np.ndindex(*table.shape) if count <= MOST_WITH_FIGURES else ():
        ink = "white" if shares[row, column] > INK_TURNS_WHITE else "black"
        where: dict[str, Any] = {"ha": "center", "color": ink}
        axes.text(column, row - 0.06, f"{100 * shares[row, column]:.0f} %", va="bottom", fontsize=10, **where)
        axes.text(column, row + 0.1, f"{table[row, column]:,}", va="top", fontsize=7.5, **where)
    ticks, totals = np.arange(count), zip(names, table.sum(axis=1), strict=True)
    between = "\n" if count <= MOST_WITH_FIGURES else ", "
    axes.set_xticks(ticks, names, rotation=90 if len("".join(labels)) > LONGEST_NAMES else 0)
    axes.set_yticks(ticks, [f"{name}{between}{total:,}" for name, total in totals])
    axes.set_xlabel("predicted")
    axes.set_ylabel("true class, faces")
    axes.set_title(literal(title), loc="left", fontsize=11)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xticks(ticks[:-1] + 0.5, minor=True)
    axes.set_yticks(ticks[:-1] + 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="minor", length=0)
    return png(drawing)


@plain_style()
def draw_roc(scores: np.ndarray, truth: np.ndarray, areas: Mapping[str, float], *, title: str) -> bytes:
    """Returns a PNG of the ROC curve of each class against the rest. Needs scikit-learn.

    Args:
        scores: Probabilities, float (n, classes).
        truth: The class of each sample, int (n,).
        areas: By label, in the order of the classes, the area under its curve, 0 to 1. A class whose area
            is nan has no curve.
        title: The line above.
    """
    from sklearn.metrics import roc_curve

    drawing = figure(6.6, 6.2)
    axes = drawing.add_subplot()
    axes.plot([0, 1], [0, 1], color="0.75", linewidth=1, linestyle=(0, (2, 3)))
    index_of = {label: index for index, label in enumerate(areas)}
    for label, area in sorted(areas.items(), key=lambda item: -np.nan_to_num(item[1])):
        if np.isnan(area):
            continue
        index = index_of[label]
        false_share, true_share, _ = roc_curve(truth == index, scores[:, index])
        axes.plot(
            false_share,
            true_share,
            **line_of(index),  # type: ignore[arg-type]
            linewidth=1.8,
            label=f"{area:.3f}  {literal(label)}",
        )
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    axes.set_xlabel("share of the other classes' faces taken for the class")
    axes.set_ylabel("share of the class's faces found")
    tidy(axes)
    axes.set_title(literal(title), loc="left", fontsize=11)
    if not np.isnan(list(areas.values())).all() and len(areas) <= MOST_WITH_FIGURES:
        axes.legend(loc="lower right", frameon=False, title="area under the curve", alignment="left")
    return png(drawing)
