"""Smoothing: a mean with a time constant in seconds, and a label that does not flicker."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.smoothing import UNCERTAIN, Expression, Smoother, choose_label, decay

LABELS = ("angry", "happy", "sad")


def scores_of(*values):
    return np.array(values, np.float32)


def test_a_weight_falls_to_a_third_in_one_time_constant():
    assert decay(0.3, 0.3) == pytest.approx(1 / math.e)
    assert decay(0.6, 0.3) == pytest.approx(1 / math.e**2)


def test_equal_or_falling_times_lose_nothing():
    assert decay(0, 0.3) == decay(-5, 0.3) == 1


def test_without_a_time_constant_nothing_is_kept():
    smooth = Smoother(0)
    smooth(scores_of(1, 0, 0), 0.0)
    np.testing.assert_array_equal(smooth(scores_of(0, 1, 0), 0.1), [0, 1, 0])


def test_the_first_frame_gives_its_own_scores():
    smoothed = Smoother(0.3)(scores_of(0.2, 0.7, 0.1), 17.0)
    np.testing.assert_allclose(smoothed, [0.2, 0.7, 0.1], atol=1e-7)
    assert smoothed.dtype == np.float32


def test_frames_of_the_same_time_give_their_plain_mean():
    smooth = Smoother(0.3)
    for number, scores in enumerate([(1, 0, 0), (0, 1, 0), (0, 1, 0)]):
        smoothed = smooth(scores_of(*scores), 2.0)
        assert number < 2 or smoothed == pytest.approx([1 / 3, 2 / 3, 0])


def test_the_mean_weighs_each_frame_by_its_age():
    smooth = Smoother(0.5)
    smooth(scores_of(1, 0, 0), 0.0)
    smoothed = smooth(scores_of(0, 1, 0), 0.5)
    assert smoothed == pytest.approx([1 / (1 + math.e), math.e / (1 + math.e), 0])


@pytest.mark.parametrize("frame_rate", [10, 30, 120])
def test_a_small_change_takes_its_time_constant_at_every_frame_rate(frame_rate):
    smooth = Smoother(0.5)
    times = np.arange(-8 * frame_rate, 4 * frame_rate) / frame_rate
    halfway = next(
        time_s
        for time_s in times
        if smooth(scores_of(0.4, 0.6, 0) if time_s >= 0 else scores_of(0.5, 0.5, 0), time_s)[1] >= 0.55
    )
    assert halfway == pytest.approx(0.5 * math.log(2), abs=1.01 / frame_rate)


@pytest.mark.parametrize("frame_rate", [10, 30, 120])
def test_a_large_change_is_followed_within_a_fifth_of_a_second_at_every_frame_rate(frame_rate):
    smooth = Smoother(1.0)
    for number in range(5 * frame_rate):
        smooth(scores_of(0.9, 0.1, 0), number / frame_rate)
    for number in range(-(-frame_rate // 5)):
        smoothed = smooth(scores_of(0.1, 0.9, 0), 5 + number / frame_rate)
    assert smoothed[1] > 0.6


def test_without_a_limit_a_large_change_takes_the_time_constant():
    smooth = Smoother(1.0, change=math.inf)
    for number in range(300):
        smoothed = smooth(scores_of(1, 0, 0) if number < 150 else scores_of(0, 1, 0), number / 30)
        if number == 150 + 14:  # the 15th of the new ones
            assert smoothed[1] == pytest.approx(1 - math.exp(-0.5), abs=0.02)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(-10, 10)), min_size=1, max_size=30))
def test_smoothed_scores_are_probabilities_whatever_the_times(frames):
    smooth = Smoother(0.3)
    for share, time_s in frames:
        smoothed = smooth(scores_of(share, 1 - share, 0), time_s)
        assert smoothed.sum() == pytest.approx(1, abs=1e-5)
        assert (smoothed >= 0).all()


def test_a_small_step_back_counts_as_the_last_time():
    smooth, steady = Smoother(0.5, change=math.inf), Smoother(0.5, change=math.inf)
    for time_s, steady_s in ((9.0, 9.0), (8.0, 9.0), (9.5, 9.5)):
        scores = scores_of(1, 0, 0) if time_s < 9.5 else scores_of(0, 1, 0)
        smoothed, expected = smooth(scores, time_s), steady(scores, steady_s)
    np.testing.assert_array_equal(smoothed, expected)


def test_a_clock_that_was_set_back_delays_no_small_change():
    smooth = Smoother(0.5)
    for number in range(240):
        smooth(scores_of(0.5, 0.5, 0), 3600 + number / 30)
    halfway = next(
        number / 30 for number in range(300) if smooth(scores_of(0.4, 0.6, 0), number / 30)[1] >= 0.55
    )
    assert halfway == pytest.approx(0.5 * math.log(2), abs=1.01 / 30)


def test_a_pause_forgets_what_was_before():
    smooth = Smoother(0.3)
    for number in range(30):
        smooth(scores_of(1, 0, 0), number / 30)
    assert smooth(scores_of(0, 1, 0), 60.0) == pytest.approx([0, 1, 0], abs=1e-6)


def test_at_first_the_likeliest_label_is_shown():
    assert choose_label(scores_of(0.3, 0.6, 0.1), threshold=0.35) == 1


def test_another_label_is_shown_once_it_leads_by_the_margin():
    assert choose_label(scores_of(0.45, 0.55, 0), 0, margin=0.2, threshold=0.3) == 0
    assert choose_label(scores_of(0.39, 0.61, 0), 0, margin=0.2, threshold=0.3) == 1


def test_below_the_threshold_it_is_uncertain():
    assert choose_label(scores_of(0.34, 0.33, 0.33), threshold=0.4) == 3


def test_a_label_goes_below_the_threshold_and_comes_back_above_the_margin():
    rule = {"margin": 0.1, "threshold": 0.4}
    assert choose_label(scores_of(0.41, 0.33, 0.26), 0, **rule) == 0
    assert choose_label(scores_of(0.39, 0.33, 0.28), 0, **rule) == 3
    assert choose_label(scores_of(0.39, 0.45, 0.16), 0, **rule) == 3  # another is ahead by too little
    assert choose_label(scores_of(0.39, 0.50, 0.11), 0, **rule) == 1
    assert choose_label(scores_of(0.45, 0.30, 0.25), 3, **rule) == 3  # 0.05 above: still uncertain
    assert choose_label(scores_of(0.55, 0.25, 0.20), 3, **rule) == 0


@pytest.mark.parametrize("threshold", [0.4, 0.8, 0.95])
def test_a_clear_label_is_shown_again_after_a_dip_below_any_threshold(threshold):
    expression = Expression(LABELS, threshold=threshold)
    high, low = (0.99, 0.01, 0), (threshold - 0.05, 0.55 - threshold / 2, 0.5 - threshold / 2)
    shown = [
        expression.update(scores_of(*(low if 60 <= number < 180 else high)), number / 30)[1]
        for number in range(300)
    ]
    assert (shown[59], shown[179]) == ("angry", UNCERTAIN)
    assert "angry" in shown[180 : 180 + 4 * 30]


def test_scores_that_swing_about_the_middle_never_change_the_label():
    expression = Expression(LABELS, threshold=0.3)
    shown = set()
    for number in range(300):
        share = 0.56 if number % 2 else 0.42
        shown.add(expression.update(scores_of(share, 1 - share, 0), number / 30)[1])
    assert len(shown) == 1


def test_a_change_of_expression_is_shown_within_half_a_second():
    expression = Expression(LABELS, threshold=0.3)
    for number in range(60):
        _, label = expression.update(scores_of(0.8, 0.1, 0.1), number / 30)
    assert label == "angry"
    delays = [
        number / 30
        for number in range(60)
        if expression.update(scores_of(0.1, 0.8, 0.1), 2 + number / 30)[1] == "happy"
    ]
    assert 0.05 < delays[0] < 0.3
    assert len(delays) == 60 - round(30 * delays[0])  # and stays


def test_what_is_uncertain_is_called_so():
    assert Expression(LABELS, threshold=0.5).update(scores_of(0.4, 0.3, 0.3), 0.0)[1] == UNCERTAIN


def test_after_a_change_the_next_one_needs_twice_the_margin_for_ten_seconds():
    def shown(*updates):
        expression = Expression(LABELS, time_constant_s=0.0, margin=0.1)
        return [LABELS.index(expression.update(scores_of(*scores), time_s)[1]) for time_s, scores in updates]

    changed = (0.0, (0.5, 0.4, 0.1)), (1.0, (0.4, 0.55, 0.05))
    back, clearly_back = (0.56, 0.41, 0.03), (0.63, 0.4, 0.07)  # ahead by 0.15, by 0.23
    assert shown(*changed, (2.0, back), (10.9, back), (11.1, back)) == [0, 1, 1, 1, 0]
    assert shown(*changed, (2.0, clearly_back)) == [0, 1, 0]


def test_an_expression_that_changes_and_changes_back_is_followed_each_time():
    expression = Expression(LABELS)
    shown = []
    for number in range(180):
        scores = (
            scores_of(0.1, 0.8, 0.1) if 60 <= number < 75 or 90 <= number < 105 else scores_of(0.8, 0.1, 0.1)
        )
        shown.append(LABELS.index(expression.update(scores, number / 30)[1]))
    changes = [number for number in range(1, 180) if shown[number] != shown[number - 1]]
    assert len(changes) == 4
    assert all(0 < late <= 15 for late in np.subtract(changes, [60, 75, 90, 105]))
