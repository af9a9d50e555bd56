"""Intervals, McNemar's test, figures of classes and ROC curves."""

import numpy as np
import pytest

from study.statistics import interval, mcnemar, of_classes, roc_curves
from tests.support.study import made_result


def with_answers(predicted):
    """A result whose faces have one label, 0."""
    return made_result("2", predicted=predicted, labels=(len(predicted), 0, 0, 0, 0, 0, 0))


def test_the_interval_is_that_of_a_share_of_so_many_faces():
    result = with_answers("0" * 4469 + "1" * (7066 - 4469))  # 63.25 %; 1.96 standard errors are 1.124 points
    low, high = interval([result])
    assert low == pytest.approx(0.63247 - 0.01124, abs=0.0005)
    assert high == pytest.approx(0.63247 + 0.01124, abs=0.0005)
    assert interval([result]) == (low, high)


def test_seeds_that_differ_on_other_faces_narrow_the_interval():
    answers = "0" * 3533 + "1" * 3533
    assert interval([with_answers(answers), with_answers(answers[::-1])]) == (0.5, 0.5)  # each face in one
    low, high = interval([with_answers(answers)])
    assert high - low == pytest.approx(4 * 0.5 / 7066**0.5, rel=0.05)


def test_mcnemar_counts_the_faces_on_which_two_results_differ():
    one = with_answers("0" * 10 + "1" * 2 + "0" * 8)
    other = with_answers("1" * 10 + "0" * 2 + "0" * 8)
    only_one, only_other, probability = mcnemar(one, other)
    assert (only_one, only_other) == (10, 2)
    assert probability == pytest.approx(2 * (1 + 12 + 66) / 2**12)  # two-sided binomial
    assert mcnemar(one, one) == (0, 0, 1.0)


def test_precision_recall_and_f1_of_a_class():
    figures = of_classes([[6, 2], [3, 0]])
    assert figures[0] == pytest.approx((6 / 9, 6 / 8, 2 * (6 / 9) * (6 / 8) / (6 / 9 + 6 / 8)))
    assert figures[1] == (0, 0, 0)


def test_a_class_without_a_face_has_no_curve():
    labels = np.array([0, 0, 1, 1])
    scores = np.array([[0.9, 0.1, 0], [0.4, 0.6, 0], [0.5, 0.5, 0], [0.1, 0.9, 0]])
    curves = roc_curves(scores, labels)
    assert curves[0][2] == pytest.approx(0.75)  # three of four pairs stand in order
    assert curves[2] is None
