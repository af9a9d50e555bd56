"""Accuracy against latency of every artifact in every engine, as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.drawing import COLOURS, figure, png
from benchmarks.table import ENGINE_NAMES, order

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARKERS = {"litert": "o", "tflite_runtime": "D", "onnxruntime": "s", "opencv": "^"}
AREA_OF_MB = 260.0  # square points for one million bytes

Rectangle = tuple[float, float, float, float]  # left, bottom, right, top in pixels


def draw_results(results: dict) -> bytes:
    """Return a PNG: a panel per model with its own scale of accuracy, latency across, bytes as area.

    Colour tells the model, the marker's shape the engine, the words beside it the precision. Rows without
    accuracy are left out; raises ValueError where none is left.
    """
    rows = [row for row in sorted(results["rows"], key=order) if row["accuracy"] is not None]
    if not rows:
        raise ValueError("No row has an accuracy: nothing to draw against latency.")
    names = sorted({row["model"] for row in rows})
    drawing = figure(9.0, 1.2 + 3.2 * len(names))
    panels = drawing.subplots(len(names), 1, sharex=True, squeeze=False)[:, 0]
    for panel, name, colour in zip(panels, names, COLOURS, strict=False):
        _draw_panel(panel, [row for row in rows if row["model"] == name], name, colour)
    threads = results["device"]["threads"]
    panels[-1].set_xlabel(f"median ms per face, {threads} thread{'s' if threads > 1 else ''} (logarithmic)")
    drawing.suptitle(
        f"Accuracy on the test split of {results['dataset']}, latency on {results['device']['processor']}",
        x=0.01,
        ha="left",
        fontsize=12,
    )
    _draw_legend(drawing, sorted({row["engine"] for row in rows}, key=list(MARKERS).index))
    drawing.draw_without_rendering()  # the layout must stand before the labels look for room
    drawing.set_layout_engine("none")
    for panel, name in zip(panels, names, strict=True):
        _label(panel, [row for row in rows if row["model"] == name])
    return png(drawing)


def _area(row: dict) -> float:
    return max(AREA_OF_MB * row["bytes"] / 1e6, 12.0)


def _draw_panel(panel: Axes, rows: Sequence[dict], name: str, colour: str) -> None:
    for row in sorted(rows, key=_area, reverse=True):  # the small ones on top
        panel.scatter(
            row["median_ms"],
            100 * row["accuracy"],
            s=_area(row),
            marker=MARKERS[row["engine"]],
            color=colour,
            alpha=0.55,
            edgecolor="white",
            linewidth=0.8,
        )
    panel.set_xscale("log")
    panel.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    panel.xaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "235" else "")
    panel.tick_params(axis="x", which="both", length=3, pad=5)
    middle = 100 * (max(row["accuracy"] for row in rows) + min(row["accuracy"] for row in rows)) / 2
    half = max(
        0.75 * 100 * (max(row["accuracy"] for row in rows) - min(row["accuracy"] for row in rows)), 0.5
    )
    panel.set_ylim(middle - half, middle + half)
    panel.margins(x=0.15)
    panel.set_ylabel("accuracy, %")
    panel.set_title(name, loc="left", color=colour, fontweight="bold", fontsize=11)
    panel.grid(which="both", color="0.93")
    panel.set_axisbelow(True)
    panel.spines[["top", "right"]].set_visible(False)


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


def _label(panel: Axes, rows: Sequence[dict]) -> None:
    """Write each row's precision beside its marker, where it covers no marker and no other label."""
    pixel = panel.figure.dpi / 72  # pixels in a point
    centres = panel.transData.transform([(row["median_ms"], 100 * row["accuracy"]) for row in rows])
    radii = [np.sqrt(_area(row) / np.pi) * pixel for row in rows]
    taken: list[Rectangle] = [
        (x - radius, y - radius, x + radius, y + radius)
        for (x, y), radius in zip(centres, radii, strict=True)
    ]
    for row, (x, y), radius in zip(rows, centres, radii, strict=True):
        text = panel.text(0, 0, row["precision"], transform=None, fontsize=8.5, color="0.2")
        box = text.get_window_extent()
        air = 2 * pixel
        left, bottom, gap = place(x, y, radius, box.width, box.height, taken, limits=panel.bbox.extents)
        taken.append((left - air, bottom - air, left + box.width + air, bottom + box.height + air))
        text.remove()
        panel.annotate(
            row["precision"],
            xy=(row["median_ms"], 100 * row["accuracy"]),
            xytext=((left + box.width / 2 - x) / pixel, (bottom + box.height / 2 - y) / pixel),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=8.5,
            color="0.2",
            arrowprops={"arrowstyle": "-", "color": "0.6", "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0}
            if gap > 8 * pixel
            else None,
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
    """Return where a label of `width` x `height` fits beside a marker: left, bottom, gap between the two.

    Looks around the marker at growing distances for a place inside `limits` (left, bottom, right, top) that
    overlaps nothing `taken`; where there is none, the place that overlaps least. All in pixels.
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
    """Return the area, in square pixels, that two rectangles share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)
