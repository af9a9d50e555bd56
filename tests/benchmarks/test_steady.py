"""The measurement of steadiness: what it counts, and how it chooses."""

import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.steady import (
    BORDER_PX,
    FACE_PX,
    Scores,
    Trade,
    choose,
    defaults_lines,
    delay_s,
    flips_in_10_s,
    make_sequences,
    noisy_crops,
    render,
    trade_of,
    uncertain_rows,
)
from runtime.model import DEFAULT_MODEL, load_model
from runtime.smoothing import CHANGE, MARGIN, TIME_CONSTANT_S

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "tests" / "data" / "tiny_fp32.onnx"
LABELS = ("angry", "happy", "sad")


def rows(frames, *values):
    return np.tile(np.array(values, np.float32), (frames, 1))


def test_flips_are_counted_for_ten_seconds():
    shown = ["happy", "sad"] * 75  # 150 frames: 5 s
    assert flips_in_10_s(shown) == pytest.approx(2 * 149)
    assert flips_in_10_s(["happy"] * 30) == 0


def test_the_delay_includes_the_frame_that_shows_the_label():
    assert delay_s(["sad", "sad", "happy", "happy"], "happy") == pytest.approx(3 / 30)
    assert delay_s(["happy"], "happy") == pytest.approx(1 / 30)
    assert delay_s(["sad"] * 60, "happy") == pytest.approx(2)


def test_without_smoothing_every_frame_counts():
    still = np.vstack([rows(1, 0.9, 0.1, 0), rows(1, 0.1, 0.9, 0)] * 150)
    trade = trade_of([Scores(still, rows(60, 0, 0, 1))], LABELS, time_constant_s=0.0, margin=0.0)
    assert trade.flips.tolist() == [299]
    assert trade.delays_s.tolist() == pytest.approx([1 / 30])
    assert (trade.steady, trade.quick) == (0, 1)


def test_smoothing_removes_the_flips_and_shows_the_change():
    still = np.vstack([rows(1, 0.6, 0.4, 0), rows(1, 0.4, 0.6, 0)] * 150)
    trade = trade_of([Scores(still, rows(60, 0, 0, 1))], LABELS, time_constant_s=1.0, margin=0.1)
    assert trade.flips.tolist() == [0]
    assert 1 / 30 < trade.delays_s[0] < 0.2


def test_a_change_that_is_not_clear_does_not_count():
    unclear = Scores(rows(300, 0.8, 0.1, 0.1), rows(60, 0.1, 0.5, 0.4))
    trade = trade_of([unclear], LABELS, time_constant_s=1.0, margin=0.1)
    assert len(trade.delays_s) == 0


def test_of_the_trades_that_keep_the_limits_most_often_the_steadiest_is_chosen():
    restless = Trade(0.1, 0.1, 0.3, np.full(100, 3.0), np.full(50, 0.1))
    late = Trade(2.0, 0.1, 0.3, np.zeros(100), np.full(50, 0.9))
    good = Trade(0.5, 0.1, 0.3, np.full(100, 0.5), np.full(50, 0.4))
    better = Trade(1.0, 0.1, 0.3, np.full(100, 0.2), np.full(50, 0.4))
    seldom_late = Trade(1.5, 0.1, 0.3, np.zeros(100), np.array([0.4] * 49 + [0.9]))
    assert choose([restless, late, good, better, seldom_late]) is better
    assert choose([restless, late]) is None


@pytest.mark.parametrize(("steady", "verdict"), [(98, "within"), (90, "beyond")])
def test_the_report_says_what_the_defaults_reach_and_what_the_choice_is_worth(steady, verdict):
    flips = np.array([0.0] * steady + [4.0] * (100 - steady))
    defaults = Trade(TIME_CONSTANT_S, MARGIN, CHANGE, flips, np.full(50, 0.1))
    chosen = Trade(2.0, 0.1, CHANGE, np.array([0.0] * 99 + [3.0]), np.full(50, 0.1))
    text = " ".join(defaults_lines([defaults, chosen], chosen))
    assert f"With the defaults {steady} of the 100 still faces change their label at most 1 time" in text
    assert "the most restless one 4 times; of the true changes 100.0% are shown within 0.5 s." in text
    assert f"better by {99 - steady}.0 points, {verdict} the 2.0 that are chance among 100 (two" in text


def test_what_is_chance_depends_on_how_many_were_looked_at_for_the_smaller_share():
    defaults = Trade(TIME_CONSTANT_S, MARGIN, CHANGE, np.array([0.0] * 90 + [4.0] * 10), np.full(50, 0.1))
    late = Trade(2.0, 0.1, CHANGE, np.zeros(100), np.array([0.1] * 48 + [0.9] * 2))
    text = " ".join(defaults_lines([defaults], late))
    assert "better by 6.0 points, beyond the 5.5 that are chance among 50 (two" in text


def test_noisy_crops_are_the_face_but_for_noise_and_jitter():
    face = np.random.default_rng(0).integers(40, 216, (6, 6), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    crops = noisy_crops(face, 12, np.random.default_rng(1))
    assert (crops.shape, crops.dtype) == ((12, 48, 48, 1), np.uint8)
    assert np.abs(crops.mean(axis=0)[..., 0] - face).mean() < 12
    assert len(np.unique(crops.reshape(12, -1), axis=0)) == 12
    assert FACE_PX + 2 * BORDER_PX == 140


def test_faces_below_the_threshold_are_uncertain():
    scores = np.array([[0.9, 0.1], [0.55, 0.45], [0.2, 0.8]])
    table = {
        least: (share, accuracy) for least, share, accuracy in uncertain_rows(scores, np.array([0, 1, 1]))
    }
    assert table[0.0] == pytest.approx((0, 2 / 3))
    assert table[0.6] == pytest.approx((1 / 3, 1))


def test_a_report_of_a_small_run_holds_a_row_for_each_trade():
    model = load_model(MODEL, engine="opencv")
    random = np.random.default_rng(0)
    faces, labels = random.integers(0, 256, (8, 48, 48, 1), dtype=np.uint8), np.arange(8) % 7
    sequences = make_sequences(model, faces, labels, count=2, seed=0)
    assert [(len(still), len(changed)) for still, changed in sequences] == [(300, 60)] * 2
    trades = [
        trade_of(sequences, model.labels, time_constant_s=time_constant_s, margin=0.1, change=change)
        for time_constant_s, change in ((1.0, 0.3), (0.5, math.inf))
    ]
    report = render(trades, uncertain_rows(model(faces), labels), model=model, count=2, seed=0)
    table = [line for line in report.splitlines() if line.startswith(("| yes", "| no"))]
    assert [line.split("|")[2].strip() for line in table] == ["1", "0.5"]
    assert "tiny_fp32.onnx" in report


def test_the_committed_report_is_of_the_default_model():
    assert f"\nwith `{DEFAULT_MODEL}_int8.tflite`.\n" in (ROOT / "reports" / "steady.md").read_text()
