"""The study's latency: which rows share a network, and what is timed."""

import itertools
import json

import pytest

from study.experiments import ROWS, network_of
from study.latency import CALLS_IN_A_TURN, main, networks_of, time_interleaved


def test_rows_that_differ_in_training_or_dropout_alone_are_timed_once():
    assert networks_of(["2", "4", "9", "13", "14", "15", "plain", "LSTM", "lstm-minimal"]) == {
        "2": ["2", "plain"],
        "4": ["4", "9", "13"],
        "14": ["14", "15"],
        "LSTM": ["LSTM", "lstm-minimal"],
    }


def test_every_network_is_called_once_untimed_in_each_turn_and_then_timed():
    called = []
    ticks = itertools.count(step=500_000)  # nanoseconds: each call takes half a millisecond
    calls = [lambda: called.append("a"), lambda: called.append("b")]
    times = time_interleaved(calls, turns=3, now=lambda: next(ticks))
    assert times.shape == (2, 3 * CALLS_IN_A_TURN)
    assert (times == 0.5).all()
    assert called.count("a") == called.count("b") == 3 * (CALLS_IN_A_TURN + 1)


def test_rows_are_timed_in_litert_with_the_machine_beside_them(tmp_path, capsys):
    pytest.importorskip("tensorflow")
    pytest.importorskip("ai_edge_litert")
    out = tmp_path / "latency.json"
    assert main(["--rows", "equal-parameters", "LSTM", "--turns", "2", "--out", str(out)]) == 0
    content = json.loads(out.read_text())
    assert list(content["networks"]) == [network_of(ROWS["equal-parameters"]), network_of(ROWS["LSTM"])]
    networks = content["networks"].values()
    assert [of_network["parameters"] for of_network in networks] == [102_823, 102_855]
    assert all(0 < of_network["median_ms"] <= of_network["p95_ms"] < 1000 for of_network in networks)
    assert (content["threads"], content["calls"]) == (1, 2 * CALLS_IN_A_TURN)
    assert content["engine"].startswith("LiteRT ")
    assert "LSTM" in capsys.readouterr().out


def test_some_rows_latencies_do_not_take_the_place_of_all(capsys):
    with pytest.raises(SystemExit):
        main(["--rows", "LSTM"])
    assert "--rows: expected --out as well" in capsys.readouterr().err
