"""How far a model's largest score can be trusted: reliability diagram, accuracy-coverage curve, their table.

Everywhere: `scores` is float `(n, classes)`, one probability distribution per face; `labels` is an integer
`(n,)` array of class indices; a face's *confidence* is its largest score. The expected calibration error is
`reporting.metrics.calibration_error`, over the same intervals as here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.formats import percent
from reporting.markdown import table
from reporting.metrics import CALIBRATION_BINS, calibration_error
from reporting.plots import COLOURS, LINES, figure, plain_style, png, tidy

COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.5)


def reliability(
    scores: np.ndarray, labels: np.ndarray, bins: int = CALIBRATION_BINS
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the faces, mean confidence and accuracy of `bins` equally wide intervals (a, b] of confidence.

    Returns:
        int64 (bins,), float64 (bins,), float64 (bins,); both means are nan where an interval has no face.
    """
    confidence = scores.max(axis=1).astype(np.float64)
    right = scores.argmax(axis=1) == labels
    interval = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    faces = np.bincount(interval, minlength=bins)
    with np.errstate(invalid="ignore"):
        mean_confidence = np.bincount(interval, weights=confidence, minlength=bins) / faces
        accuracy = np.bincount(interval, weights=right, minlength=bins) / faces
    return faces, mean_confidence, accuracy


def coverage_curve(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns thresholds, the share of faces with at least that confidence, and their accuracy.

    There is one point per distinct confidence, from the highest to the lowest, which keeps all faces. Faces
    of equal confidence are kept or left out together, as a threshold does.

    Returns:
        float64 (points,) each.
    """
    confidence = scores.max(axis=1).astype(np.float64)
    order = np.argsort(-confidence, kind="stable")
    sorted_confidence = confidence[order]
    right = np.cumsum((scores.argmax(axis=1) == labels)[order])
    last = (
        np.flatnonzero(np.append(np.diff(sorted_confidence) != 0, True)) if len(labels) else np.empty(0, int)
    )
    kept = last + 1
    return sorted_confidence[last], kept / max(len(labels), 1), right[last] / kept


@dataclass(frozen=True)
class CoveragePoint:
    """A threshold of confidence; all 0 to 1. `kept` is more than `coverage`, what was asked for, at ties."""

    coverage: float
    threshold: float
    kept: float
    accuracy: float


def accuracy_at_coverage(
    scores: np.ndarray, labels: np.ndarray, coverages: Sequence[float] = COVERAGES
) -> list[CoveragePoint]:
    """Returns, for each share of faces to keep, the highest threshold that keeps at least that share.

    Raises:
        ValueError: There is no face, or a share is not above 0 and at most 1.
    """
    if not len(labels):
        raise ValueError("Expected at least one face to keep a share of, got none.")
    if not all(0 < coverage <= 1 for coverage in coverages):
        raise ValueError(f"Expected shares above 0 and at most 1, got {tuple(coverages)}.")
    thresholds, kept, accuracy = coverage_curve(scores, labels)
    # A hair less than asked for: 0.7 of 10 faces are 7, whatever the floating point says.
    points = [int(np.argmax(kept >= coverage - 1e-9)) for coverage in coverages]
    return [
        CoveragePoint(coverage, float(thresholds[point]), float(kept[point]), float(accuracy[point]))
        for coverage, point in zip(coverages, points, strict=True)
    ]


def render_coverage(points_of_model: Mapping[str, Sequence[CoveragePoint]]) -> str:
    """Returns the points of each model as a Markdown table: a line per model."""
    first = next(iter(points_of_model.values()))
    heads = ["model", *(f"{100 * point.coverage:.0f} %" for point in first)]
    rows = [
        [f"`{name}`", *(f"{percent(point.accuracy)} (score ≥ {point.threshold:.2f})" for point in points)]
        for name, points in points_of_model.items()
    ]
    return table(heads, rows)


@plain_style()
def draw_reliability(
    scores: np.ndarray, labels: np.ndarray, title: str, bins: int = CALIBRATION_BINS
) -> bytes:
    """Returns a PNG: the accuracy of every interval of confidence beside the diagonal, its faces beneath."""
    faces, confidence, accuracy = reliability(scores, labels, bins)
    seen = faces > 0
    centres = (np.arange(bins) + 0.5) / bins
    drawing = figure(5.6, 6.6)
    upper, lower = drawing.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    upper.bar(
        centres[seen], 100 * accuracy[seen], width=0.94 / bins, color=COLOURS[0], alpha=0.35, label="accuracy"
    )
    upper.plot(
        confidence[seen],
        100 * accuracy[seen],
        color=COLOURS[0],
        marker="o",
        markersize=4.5,
        linewidth=1.4,
        label="accuracy at the mean score",
    )
    upper.plot(
        [0, 1], [0, 100], color="0.35", linewidth=1.2, linestyle=(0, (2, 3)), label="perfectly calibrated"
    )
    upper.set(xlim=(0, 1), ylim=(0, 100))
    upper.set_ylabel("share that is right, %")
    error = calibration_error(scores, labels, bins)
    upper.set_title(
        f"{title}\nexpected calibration error {error:.3f}, {bins} intervals", loc="left", fontsize=11
    )
    upper.legend(loc="upper left", frameon=False)
    lower.bar(centres, 100 * faces / max(faces.sum(), 1), width=0.94 / bins, color="0.6")
    lower.set_ylabel("faces, %")
    lower.set_xlabel("largest score")
    for axes in (upper, lower):
        tidy(axes)
    return png(drawing)


@plain_style()
def draw_coverage(scores_of_model: Mapping[str, np.ndarray], labels: np.ndarray, title: str) -> bytes:
    """Returns a PNG: for each model, the accuracy of the faces that it is surest of against their share."""
    drawing = figure(6.8, 5.0)
    axes = drawing.add_subplot()
    lowest = 100.0
    for index, (name, scores) in enumerate(scores_of_model.items()):
        _, kept, accuracy = coverage_curve(scores, labels)
        shown = kept >= 0.02  # of a handful of faces the share that is right says nothing
        axes.plot(
            100 * kept[shown],
            100 * accuracy[shown],
            color=COLOURS[index % len(COLOURS)],
            linestyle=LINES[index % len(LINES)],
            linewidth=1.8,
            label=f"{name}: {100 * accuracy[-1]:.1f} % of all",
        )
        lowest = min(lowest, 100 * accuracy[shown].min())
    axes.set(xlim=(0, 100), ylim=(5 * np.floor(lowest / 5), 100))
    axes.set_xlabel("faces kept, those of the largest scores, %")
    axes.set_ylabel("of those, share that is right, %")
    tidy(axes)
    axes.set_title(title, loc="left", fontsize=11)
    axes.legend(loc="lower left", frameon=False)
    return png(drawing)
