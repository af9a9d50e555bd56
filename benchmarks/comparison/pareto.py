"""The Pareto front of accuracy against a cost (latency, bytes), as indices and as a plot."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from benchmarks.comparison.contestants import Contestant
from benchmarks.speed.plot import Rectangle, place
from reporting.plots import COLOURS, figure, plain_style, png, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKER_POINTS = 9.0  # diameter


def front(costs: Sequence[float], accuracies: Sequence[float]) -> list[int]:
    """Returns the indices that nothing beats, by rising cost: what costs no more is less accurate.

    Of two that are equal in both the first is kept.
    """
    kept: list[int] = []
    for index in sorted(range(len(costs)), key=lambda index: (costs[index], -accuracies[index])):
        if not kept or accuracies[index] > accuracies[kept[-1]]:
            kept.append(index)
    return kept


@plain_style()
def draw_front(contestants: Sequence[Contestant], kind: Literal["ratio", "bytes"], words: str) -> bytes:
    """Returns a PNG: accuracy against cost (logarithmic), named points, the front as a line of steps.

    What lacks accuracy or cost is left out.

    Args:
        contestants: The points.
        kind: Of the cost.
        words: The name of its axis.

    Raises:
        ValueError: Nothing is left.
    """
    shown = [one for one in contestants if one.accuracy and not np.isnan(one.cost(kind))]
    if not shown:
        raise ValueError(f"None of the models has both accuracy and {kind}: nothing to draw.")
    costs = [one.cost(kind) for one in shown]
    accuracies = [100 * float(np.mean(one.accuracy)) for one in shown]
    drawing = figure(9.0, 5.6)
    axes = drawing.add_subplot()
    best = front(costs, accuracies)
    lines = []
    for left, right in pairwise(best):
        lines.append(([costs[left], costs[right]], [accuracies[left]] * 2))
        lines.append(([costs[right]] * 2, [accuracies[left], accuracies[right]]))
    for across, up in lines:
        axes.plot(across, up, color="0.7", linewidth=1.2, zorder=1, solid_capstyle="projecting")
    for one, cost, accuracy in zip(shown, costs, accuracies, strict=True):
        ranges = [([cost] * 2, [100 * one.accuracy[0], 100 * one.accuracy[-1]])]
        if kind == "ratio":
            ranges.append(([one.ratio[0], one.ratio[-1]], [accuracy] * 2))
        for across, up in ranges:
            axes.plot(across, up, color=_colour(one), linewidth=1.2, zorder=2)
        lines += ranges
        axes.plot(
            cost,
            accuracy,
            marker=_marker(one),
            markersize=MARKER_POINTS,
            color=_colour(one),
            markerfacecolor=_fill(one),
            markeredgewidth=1.4,
            zorder=3,
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: _bytes(value) if kind == "bytes" else f"{value:g}")
    axes.xaxis.set_minor_formatter(lambda value, _: "")
    axes.margins(x=0.12, y=0.12)
    axes.set_xlabel(f"{words} (logarithmic)")
    axes.set_ylabel("accuracy, %")
    tidy(axes)
    _draw_legend(axes, shown)
    drawing.draw_without_rendering()  # the layout must stand before the names look for room
    drawing.set_layout_engine("none")
    _write_names(axes, shown, costs, accuracies, lines)
    return png(drawing)


def _colour(one: Contestant) -> str:
    return COLOURS[0] if one.ours else COLOURS[1] if one.source == "measured here" else "0.4"


def _marker(one: Contestant) -> str:
    return "o" if one.averaged == 1 else "D"


def _fill(one: Contestant) -> str:
    return "white" if one.source != "measured here" else _colour(one)


def _draw_legend(axes: Axes, shown: Sequence[Contestant]) -> None:
    from matplotlib.lines import Line2D

    groups = {
        "ours, measured here": [one for one in shown if one.ours],
        "theirs, measured here": [one for one in shown if not one.ours and one.source == "measured here"],
        "theirs, measured elsewhere or published": [
            one for one in shown if one.source != "measured here" and one.averaged == 1
        ],
        "published, with test-time augmentation": [one for one in shown if one.averaged > 1],
    }
    handles = [
        Line2D(
            [],
            [],
            marker=_marker(members[0]),
            linestyle="",
            markersize=7,
            color=_colour(members[0]),
            markerfacecolor=_fill(members[0]),
            label=label,
        )
        for label, members in groups.items()
        if members
    ]
    axes.figure.legend(handles=handles, loc="outside upper left", ncols=2, frameon=False)


def _write_names(
    axes: Axes,
    shown: Sequence[Contestant],
    costs: Sequence[float],
    accuracies: Sequence[float],
    lines: Sequence[tuple[Sequence[float], Sequence[float]]],
) -> None:
    """Writes each name beside its point, where it covers no point, no other name and no line.

    lines: each the costs and the accuracies of its two ends.
    """
    pixel = axes.figure.dpi / 72  # pixels in a point
    radius = MARKER_POINTS / 2 * pixel
    centres = axes.transData.transform(list(zip(costs, accuracies, strict=True)))
    taken: list[Rectangle] = [(x - radius, y - radius, x + radius, y + radius) for x, y in centres]
    for across, up in lines:
        (left, bottom), (right, top) = axes.transData.transform(list(zip(across, up, strict=True)))
        taken.append((left - pixel, bottom - pixel, right + pixel, top + pixel))
    for one, (x, y), cost, accuracy in zip(shown, centres, costs, accuracies, strict=True):
        style: dict[str, Any] = {
            "fontsize": 8.5,
            "color": _colour(one),
            "fontweight": "bold" if one.ours else "normal",
        }
        name = one.name.partition(",")[0]  # what follows is for the table
        text = axes.text(0, 0, name, transform=None, **style)
        box = text.get_window_extent()
        text.remove()
        air = 2 * pixel
        left, bottom, gap = place(x, y, radius, box.width, box.height, taken, limits=axes.bbox.extents)
        taken.append((left - air, bottom - air, left + box.width + air, bottom + box.height + air))
        axes.annotate(
            name,
            xy=(cost, accuracy),
            xytext=((left + box.width / 2 - x) / pixel, (bottom + box.height / 2 - y) / pixel),
            textcoords="offset points",
            ha="center",
            va="center",
            arrowprops={"arrowstyle": "-", "color": "0.6", "linewidth": 0.6} if gap > 8 * pixel else None,
            **style,
        )


def _bytes(value: float) -> str:
    for unit, word in ((1e9, "GB"), (1e6, "MB")):
        if value >= unit:
            return f"{value / unit:g} {word}"
    return f"{value / 1e3:g} KB"
