"""Accuracy against latency of every artifact on every engine, as one plot."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from benchmarks.artifacts import order
from benchmarks.speed.results import SpeedResults
from benchmarks.speed.table import ENGINE_NAMES
from reporting.plots import COLOURS, figure, plain_style, png, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = {"litert": "o", "tflite_runtime": "D", "onnxruntime": "s", "opencv": "^"}
SAME_MS, SAME_PERCENT = 1.08, 0.3  # two markers closer than this factor and difference cover each other
AREA_OF_MB = 260.0  # square points for one million bytes

Rectangle = tuple[float, float, float, float]  # left, bottom, right, top in pixels


class Point(NamedTuple):
    """A file on an engine that has an accuracy."""

    model: str
    engine: str
    precision: str
    bytes: int
    ms: float
    percent: float  # accuracy

    @property
    def area(self) -> float:
        """The marker's area in square points."""
        return max(AREA_OF_MB * self.bytes / 1e6, 12.0)

    @property
    def radius(self) -> float:
        """The marker's radius in points, as if it were round."""
        return float(np.sqrt(self.area / np.pi))


def points_of(results: SpeedResults) -> list[Point]:
    """Returns the rows that have an accuracy, in the order of the table."""
    rows = sorted(results.rows, key=lambda row: order(vars(row)))
    return [
        Point(row.model, row.engine, row.precision, row.bytes, row.median_ms, 100 * row.accuracy)
        for row in rows
        if row.accuracy is not None
    ]


@plain_style()
def draw_results(results: SpeedResults) -> bytes:
    """Returns a PNG: accuracy against latency, bytes as area.

    Colour tells the model, the marker's shape the engine, the words beside it the precision. Rows without
    accuracy are left out; raises ValueError where none is left.
    """
    points = points_of(results)
    if not points:
        raise ValueError("No point has an accuracy: nothing to draw against latency.")
    colours = dict(zip(sorted({point.model for point in points}), itertools.cycle(COLOURS), strict=False))
    drawing = figure(9.0, 6.4)
    axes = drawing.subplots()
    for point in sorted(points, key=lambda point: point.area, reverse=True):  # the small ones on top
        axes.scatter(
            point.ms,
            point.percent,
            s=point.area,
            marker=MARKERS[point.engine],
            color=colours[point.model],
            alpha=0.55,
            edgecolor="white",
            linewidth=0.8,
        )
    _scale(axes, points)
    threads = results.device["threads"]
    axes.set_xlabel(f"median ms per face, {threads} thread{'s' if threads > 1 else ''} (logarithmic)")
    axes.set_ylabel("accuracy, %")
    drawing.suptitle(
        f"Accuracy on the test split of {results.dataset}, latency on {results.device['processor']}",
        x=0.01,
        ha="left",
        fontsize=12,
    )
    _draw_legend(drawing, sorted({point.engine for point in points}, key=list(MARKERS).index))
    drawing.draw_without_rendering()  # the layout must stand before the labels look for room
    drawing.set_layout_engine("none")
    _label(axes, points, colours)
    return png(drawing)


def _scale(axes: Axes, points: Sequence[Point]) -> None:
    """Gives the axes their scales: at least 4 points of accuracy, so that chance does not look large."""
    accuracies = [point.percent for point in points]
    middle = (max(accuracies) + min(accuracies)) / 2
    half = max(0.62 * (max(accuracies) - min(accuracies)), 2.0)
    axes.set_ylim(middle - half, middle + half)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "235" else "")
    axes.tick_params(axis="x", which="both", length=3, pad=5)
    axes.margins(x=0.15)
    tidy(axes)
    axes.grid(which="both", color="0.92")


def _draw_legend(drawing: Figure, engines: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    shape: dict[str, Any] = {"color": "0.4", "linestyle": "", "markeredgecolor": "white"}
    handles = [
        Line2D([], [], marker=MARKERS[name], markersize=9, label=ENGINE_NAMES[name], **shape)
        for name in engines
    ]
    handles += [
        Line2D([], [], marker="o", markersize=np.sqrt(AREA_OF_MB * size), label=words, **shape)
        for size, words in ((0.1, "100 KB"), (1.0, "1 MB"), (4.0, "4 MB"))
    ]
    drawing.legend(
        handles=handles,
        loc="outside lower center",
        ncols=len(handles),
        frameon=False,
        handletextpad=0.9,
        borderpad=1.4,  # the largest marker is taller than a line
        columnspacing=2.2,
    )


def _label(axes: Axes, points: Sequence[Point], colours: Mapping[str, str]) -> None:
    """Writes models and precisions beside their markers, where they cover no marker and no other label."""
    pixel = axes.figure.dpi / 72  # pixels in a point
    taken: list[Rectangle] = []
    for point in points:
        (x, y), radius = _centre(axes, point), point.radius * pixel
        taken.append((x - radius, y - radius, x + radius, y + radius))
    for name, colour in colours.items():
        first = min((point for point in points if point.model == name), key=lambda point: point.ms)
        _write(axes, first, name, taken, color=colour, fontweight="bold", fontsize=11)
    for together in marker_clusters(points):
        words = ", ".join(dict.fromkeys(point.precision for point in together))
        _write(axes, max(together, key=lambda point: point.area), words, taken, color="0.2", fontsize=8.5)


def marker_clusters(points: Sequence[Point]) -> list[list[Point]]:
    """Returns the points in groups of one model and engine whose markers cover each other."""
    groups: list[list[Point]] = []
    for point in sorted(points, key=lambda point: (point.model, point.engine, point.ms)):
        last = groups[-1][-1] if groups else None
        if (
            last
            and (last.model, last.engine) == (point.model, point.engine)
            and point.ms < SAME_MS * last.ms
            and abs(point.percent - last.percent) < SAME_PERCENT
        ):
            groups[-1].append(point)
        else:
            groups.append([point])
    return groups


def _centre(axes: Axes, point: Point) -> tuple[float, float]:
    x, y = axes.transData.transform((point.ms, point.percent))
    return float(x), float(y)


def _write(axes: Axes, point: Point, words: str, taken: list[Rectangle], **style: Any) -> None:
    """Writes words beside a point's marker, with a line to it where they are far; `taken` gets their box."""
    pixel = axes.figure.dpi / 72
    text = axes.text(0, 0, words, transform=None, **style)
    box = text.get_window_extent()
    text.remove()
    (x, y), radius, air = _centre(axes, point), point.radius * pixel, 2 * pixel
    left, bottom, gap = place(x, y, radius, box.width, box.height, taken, limits=axes.bbox.extents)
    taken.append((left - air, bottom - air, left + box.width + air, bottom + box.height + air))
    line = {"arrowstyle": "-", "color": "0.6", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0}
    axes.annotate(
        words,
        xy=(point.ms, point.percent),
        xytext=((left + box.width / 2 - x) / pixel, (bottom + box.height / 2 - y) / pixel),
        textcoords="offset points",
        ha="center",
        va="center",
        arrowprops=line if gap > 8 * pixel else None,
        **style,
    )


def place(
    x: float,
    y: float,
    radius: float,
    width: float,
    height: float,
    taken: Sequence[Rectangle],
    limits: Sequence[float],
) -> tuple[float, float, float]:
    """Returns a free place for a label beside a marker; where there is none, the place that overlaps least.

    It looks around the marker at growing distances. All numbers are in pixels.

    Args:
        x: Of the marker's centre.
        y: Of the marker's centre.
        radius: Of the marker.
        width: Of the label.
        height: Of the label.
        taken: Rectangles that a label must not overlap.
        limits: Left, bottom, right, top of the plot.

    Returns:
        Left, bottom, and the gap between marker and label.
    """
    best = (np.inf, x, y, 0.0)
    for gap in map(float, range(3, 120, 6)):
        for angle in np.deg2rad([0, 180, 90, 270, 35, -35, 145, -145, 65, -65, 115, -115]):
            left = x + np.cos(angle) * (radius + gap + width / 2) - width / 2
            bottom = y + np.sin(angle) * (radius + gap + height / 2) - height / 2
            box = (left, bottom, left + width, bottom + height)
            outside = not (
                limits[0] <= box[0] and limits[1] <= box[1] and box[2] <= limits[2] and box[3] <= limits[3]
            )
            covered = sum(overlap(box, other) for other in taken) + outside * width * height
            if covered < best[0]:
                best = (covered, float(left), float(bottom), gap)
            if not covered:
                return best[1:]
    return best[1:]


def overlap(one: Rectangle, other: Rectangle) -> float:
    """Returns the area, in square pixels, that two rectangles share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)
