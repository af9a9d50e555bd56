import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reporting import metrics
from runtime.tracking import iou

sklearn_metrics = pytest.importorskip("sklearn.metrics")


def random_scores(seed, rows, classes):
    random = np.random.default_rng(seed)
    scores = random.dirichlet(np.full(classes, 0.6), rows)
    return scores, random.integers(0, classes, rows)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 80), st.integers(2, 7))
def test_accuracy_macro_recall_and_likelihood_equal_those_of_scikit_learn(seed, rows, classes):
    scores, labels = random_scores(seed, rows, classes)
    predicted = scores.argmax(axis=1)
    present = sorted(set(labels.tolist()))
    assert metrics.accuracy(scores, labels) == pytest.approx(
        sklearn_metrics.accuracy_score(labels, predicted)
    )
    assert metrics.macro_recall(scores, labels) == pytest.approx(
        sklearn_metrics.recall_score(labels, predicted, labels=present, average="macro")
    )
    clipped = np.clip(scores, metrics.SMALLEST_PROBABILITY, 1)
    expected = -np.log(clipped[np.arange(rows), labels]).mean()
    assert metrics.negative_log_likelihood(scores, labels) == pytest.approx(expected)
    if (scores > metrics.SMALLEST_PROBABILITY).all():
        by_sklearn = sklearn_metrics.log_loss(labels, scores, labels=list(range(classes)))
        assert metrics.negative_log_likelihood(scores, labels) == pytest.approx(by_sklearn)


def test_the_calibration_error_of_a_model_that_says_0_8_and_is_right_half_the_time_is_0_3():
    scores = np.tile([0.8, 0.2], (10, 1))
    assert metrics.calibration_error(scores, np.array([0, 1] * 5)) == pytest.approx(0.3)


def test_the_calibration_error_weighs_each_interval_by_its_rows():
    scores = np.array([[0.95, 0.05]] * 3 + [[0.6, 0.4]])  # three right of three, none right of one
    expected = (3 * abs(1 - 0.95) + 1 * abs(0 - 0.6)) / 4
    assert metrics.calibration_error(scores, np.array([0, 0, 0, 1])) == pytest.approx(expected)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_the_calibration_error_lies_between_0_and_1_and_is_0_for_a_model_that_is_sure_and_right(seed, rows):
    scores, labels = random_scores(seed, rows, 7)
    assert 0 <= metrics.calibration_error(scores, labels) <= 1
    assert metrics.calibration_error(np.eye(7)[labels], labels) == 0


def test_figures_over_no_rows_are_not_numbers():
    none, labels = np.empty((0, 7)), np.empty(0, int)
    assert all(
        math.isnan(figure(none, labels))
        for figure in (
            metrics.accuracy,
            metrics.macro_recall,
            metrics.negative_log_likelihood,
            metrics.calibration_error,
        )
    )


def test_intersection_over_union_is_worked_out_for_every_pair():
    boxes = np.array([[0, 0, 10, 10, 0.9], [20, 0, 10, 10, 0.8]])
    others = np.array([[0, 0, 10, 10], [5, 0, 10, 10], [100, 100, 1, 1]])
    expected = [[1, 50 / 150, 0], [0, 0, 0]]
    assert metrics.intersection_over_union(boxes, others) == pytest.approx(np.array(expected))


BOX = st.tuples(*[st.floats(0, 100)] * 2, *[st.floats(1, 50)] * 2)


@given(st.lists(BOX, min_size=1, max_size=4), st.lists(BOX, min_size=1, max_size=4))
def test_the_runtimes_own_intersection_over_union_is_the_same(boxes, others):
    boxes, others = np.array(boxes), np.array(others)
    assert (metrics.intersection_over_union(boxes, others) == iou(boxes, others)).all()
