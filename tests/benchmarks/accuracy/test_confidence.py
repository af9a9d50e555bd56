"""How far scores can be trusted: intervals, thresholds and images, on examples worked out by hand."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.accuracy.confidence import (
    accuracy_at_coverage,
    coverage_curve,
    draw_coverage,
    draw_reliability,
    reliability,
    render_coverage,
)
from reporting import metrics
from reporting.plots import DOTS_PER_INCH

# Two classes: confidences 0.9, 0.8, 0.8, 0.6, right, right, wrong, wrong.
SCORES = np.array([[0.2, 0.8], [0.9, 0.1], [0.8, 0.2], [0.4, 0.6]])
LABELS = np.array([1, 0, 1, 0])


def random_scores(seed, rows, classes=7):
    random = np.random.default_rng(seed)
    scores = random.dirichlet(np.full(classes, 0.6), rows)
    return np.round(scores, 2), random.integers(0, classes, rows)


def test_reliability_counts_confidence_and_accuracy_of_every_interval():
    rows, confidence, accuracy = reliability(SCORES, LABELS, bins=5)
    # Intervals (a, b]: 0.8 belongs to (0.6, 0.8], 0.6 to (0.4, 0.6].
    assert rows.tolist() == [0, 0, 1, 2, 1]
    assert confidence[2:] == pytest.approx([0.6, 0.8, 0.9])
    assert accuracy[2:] == pytest.approx([0.0, 0.5, 1.0])
    assert np.isnan(confidence[:2]).all() and np.isnan(accuracy[:2]).all()


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 80))
def test_the_gaps_of_the_intervals_weighted_by_rows_are_the_calibration_error(seed, count):
    scores, labels = random_scores(seed, count)
    rows, confidence, accuracy = reliability(scores, labels)
    seen = rows > 0
    assert rows.sum() == count
    error = np.sum(rows[seen] * np.abs(accuracy[seen] - confidence[seen])) / count
    assert error == pytest.approx(metrics.calibration_error(scores, labels))


def test_the_coverage_curve_keeps_rows_of_equal_confidence_together():
    thresholds, kept, accuracy = coverage_curve(SCORES, LABELS)
    assert thresholds.tolist() == [0.9, 0.8, 0.6]
    assert kept.tolist() == [0.25, 0.75, 1.0]
    assert accuracy == pytest.approx([1.0, 2 / 3, 0.5])


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 80))
def test_every_point_of_the_curve_is_what_its_threshold_keeps(seed, count):
    scores, labels = random_scores(seed, count)
    confidence = scores.max(axis=1)
    thresholds, kept, accuracy = coverage_curve(scores, labels)
    assert (np.diff(thresholds) < 0).all()
    assert kept[-1] == 1 and accuracy[-1] == pytest.approx(metrics.accuracy(scores, labels))
    for threshold, share, right in zip(thresholds, kept, accuracy, strict=True):
        above = confidence >= threshold
        assert share == pytest.approx(above.mean())
        assert right == pytest.approx(metrics.accuracy(scores[above], labels[above]))


def test_the_curve_over_no_rows_has_no_points():
    assert [len(part) for part in coverage_curve(np.empty((0, 7)), np.empty(0, int))] == [0, 0, 0]


def test_accuracy_at_a_coverage_takes_the_highest_threshold_that_keeps_enough():
    rows = accuracy_at_coverage(SCORES, LABELS, (1.0, 0.75, 0.5, 0.25))
    assert [row.threshold for row in rows] == [0.6, 0.8, 0.8, 0.9]
    assert [row.kept for row in rows] == [1.0, 0.75, 0.75, 0.25]
    assert [row.accuracy for row in rows] == pytest.approx([0.5, 2 / 3, 2 / 3, 1.0])


def test_seven_of_ten_rows_are_70_percent():
    confidence = np.linspace(0.95, 0.55, 10)
    scores = np.stack([confidence, 1 - confidence], axis=1)
    (row,) = accuracy_at_coverage(scores, np.zeros(10, int), (0.7,))
    assert row.kept == 0.7


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.floats(0.01, 1.0))
def test_what_is_kept_is_never_less_than_asked_for_and_no_higher_threshold_would_do(seed, count, coverage):
    scores, labels = random_scores(seed, count)
    (row,) = accuracy_at_coverage(scores, labels, (coverage,))
    confidence = scores.max(axis=1)
    assert row.kept >= coverage - 1e-9
    assert (confidence > row.threshold).mean() < coverage


@pytest.mark.parametrize("coverage", [0.0, -0.1, 1.01])
def test_a_coverage_outside_0_to_1_is_refused(coverage):
    with pytest.raises(ValueError, match="Expected shares above 0 and at most 1"):
        accuracy_at_coverage(SCORES, LABELS, (coverage,))


def test_a_coverage_of_no_faces_is_refused():
    with pytest.raises(ValueError, match="at least one face"):
        accuracy_at_coverage(np.empty((0, 2)), np.empty(0, int))


def test_the_coverage_table_has_a_line_per_model_and_says_the_thresholds():
    rows = accuracy_at_coverage(SCORES, LABELS, (1.0, 0.5))
    assert render_coverage({"edge": rows}).splitlines() == [
        "| model | 100 % | 50 % |",
        "|---|---:|---:|",
        "| `edge` | 50.00 % (score ≥ 0.60) | 66.67 % (score ≥ 0.80) |",
    ]


def colour_share(image: bytes, bgr) -> float:
    """The share of a PNG's pixels that have this very colour."""
    pixels = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR)
    assert min(pixels.shape[:2]) >= 5 * DOTS_PER_INCH
    return float((pixels == bgr).all(axis=2).mean())


def test_the_reliability_diagram_shows_a_bar_of_rows_where_there_are_some():
    pytest.importorskip("matplotlib")
    gray = (153, 153, 153)  # "0.6"
    all_sure = np.tile([1.0, 0.0], (20, 1))
    labels = np.zeros(20, int)
    one_bar = colour_share(draw_reliability(all_sure, labels, "sure"), gray)
    scores, random_labels = random_scores(4, 500)
    many_bars = colour_share(draw_reliability(scores, random_labels, "spread"), gray)
    assert 0.002 < one_bar < many_bars


def test_the_coverage_image_draws_every_model_in_its_colour():
    pytest.importorskip("matplotlib")
    first, labels = random_scores(1, 300)
    second, _ = random_scores(2, 300)
    blue, vermilion = (178, 114, 0), (0, 94, 213)  # Okabe and Ito's first two, BGR
    image = draw_coverage({"a": first, "b": second}, labels, "two")
    assert colour_share(image, blue) > 0.0005 and colour_share(image, vermilion) > 0.0005
    alone = draw_coverage({"a": first}, labels, "one")
    assert colour_share(alone, vermilion) == 0
