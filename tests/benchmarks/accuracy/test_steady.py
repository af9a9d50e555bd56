"""The measurement of steadiness: its counts, and how it chooses."""

import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.steady import (
    Scores,
    Trade,
    choose,
    delay_s,
    flips_in_10_s,
    make_sequences,
    noisy_crops,
    row_of,
    threshold_rows,
    trade_of,
)
from benchmarks.accuracy.steady_report import (
    BORDER_PX,
    FACE_PX,
    Steady,
    gain_of,
    read_steady,
    render,
    thresholds_table,
)
from runtime.model import DEFAULT_MODEL, load_model
from runtime.smoothing import CHANGE, MARGIN, TIME_CONSTANT_S

ROOT = Path(__file__).parents[3]
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


def test_the_row_of_a_trade_counts_faces_and_changes():
    flips = np.array([0.0] * 98 + [4.0] * 2)
    defaults = Trade(TIME_CONSTANT_S, MARGIN, CHANGE, flips, np.array([0.1] * 49 + [0.9]))
    row = row_of(defaults, None)
    assert (row.is_default, row.is_chosen, row.restarts) == (True, False, True)
    assert (row.faces, row.steady_faces, row.most_flips) == (100, 98, 4)
    assert (row.changes, row.quick_changes, row.quick) == (50, 49, 0.98)
    none = row_of(Trade(0.1, 0.1, math.inf, flips, np.empty(0)), None)
    assert (none.restarts, none.changes, none.median_delay_s) == (False, 0, None)
    assert math.isnan(none.quick)


@pytest.mark.parametrize(("steady", "is_chance"), [(98, True), (90, False)])
def test_a_gain_within_two_standard_errors_is_chance(steady, is_chance):
    flips = np.array([0.0] * steady + [4.0] * (100 - steady))
    defaults = row_of(Trade(TIME_CONSTANT_S, MARGIN, CHANGE, flips, np.full(50, 0.1)), None)
    best = Trade(2.0, 0.1, CHANGE, np.array([0.0] * 99 + [3.0]), np.full(50, 0.1))
    gain = gain_of(row_of(best, best), defaults)
    assert (gain.points, gain.looked_at) == (pytest.approx(99 - steady), 100)
    assert gain.chance_points == pytest.approx(2.0, abs=0.05)
    assert gain.is_chance is is_chance


def test_chance_depends_on_how_many_were_looked_at_for_the_smaller_share():
    flips = np.array([0.0] * 90 + [4.0] * 10)
    defaults = row_of(Trade(TIME_CONSTANT_S, MARGIN, CHANGE, flips, np.full(50, 0.1)), None)
    late = row_of(Trade(2.0, 0.1, CHANGE, np.zeros(100), np.array([0.1] * 48 + [0.9] * 2)), None)
    gain = gain_of(late, defaults)
    assert (gain.points, gain.looked_at, gain.is_chance) == (pytest.approx(6.0), 50, False)
    assert gain.chance_points == pytest.approx(5.5, abs=0.05)


def test_noisy_crops_are_the_face_but_for_noise_and_jitter():
    face = np.random.default_rng(0).integers(40, 216, (6, 6), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
    crops = noisy_crops(face, 12, np.random.default_rng(1))
    assert (crops.shape, crops.dtype) == ((12, 48, 48, 1), np.uint8)
    assert np.abs(crops.mean(axis=0)[..., 0] - face).mean() < 12
    assert len(np.unique(crops.reshape(12, -1), axis=0)) == 12
    assert FACE_PX + 2 * BORDER_PX == 140


def test_faces_below_the_threshold_are_uncertain():
    scores = np.array([[0.9, 0.1], [0.55, 0.45], [0.2, 0.8]])
    rows = {row.threshold: row for row in threshold_rows(scores, np.array([0, 1, 1]))}
    assert (rows[0.0].uncertain, rows[0.0].accuracy) == (0, pytest.approx(2 / 3))
    assert (rows[0.6].uncertain, rows[0.6].accuracy) == (pytest.approx(1 / 3), 1)
    assert thresholds_table([rows[0.6]]).splitlines()[-1] == "| 0.6 | 33.3 % | 100.0 % |"


def test_a_report_of_a_small_run_holds_a_row_for_each_trade():
    pytest.importorskip("jinja2")
    model = load_model(MODEL, engine="opencv")
    random = np.random.default_rng(0)
    faces, labels = random.integers(0, 256, (8, 48, 48, 1), dtype=np.uint8), np.arange(8) % 7
    sequences = make_sequences(model, faces, labels, count=2, seed=0)
    assert [(len(still), len(changed)) for still, changed in sequences] == [(300, 60)] * 2
    trades = [
        trade_of(sequences, model.labels, time_constant_s=time_constant_s, margin=0.1, change=change)
        for time_constant_s, change in ((1.0, 0.3), (0.5, math.inf))
    ]
    results = Steady(
        model=model.path.name,
        measured="2026-11-22",
        count=2,
        seed=0,
        trades=[row_of(trade, trades[1]) for trade in trades],
        thresholds=threshold_rows(model(faces), labels),
    )
    report = render(results)
    assert "| default | yes | 1 | 0.1 |" in report
    assert "| **chosen** | no | 0.5 | 0.1 |" in report
    assert "tiny_fp32.onnx" in report


@pytest.mark.published
def test_the_committed_page_shows_the_committed_figures_of_the_default_model():
    results = read_steady(ROOT / "results" / "steady.json")
    assert results.model == f"{DEFAULT_MODEL}_int8.tflite"
    assert render(results) == (ROOT / "reports" / "steady.md").read_text(encoding="utf-8")
