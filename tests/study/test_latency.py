"""The study's latency: which experiments share a network, and what is timed."""

import json

import pytest

from study.experiments import EXPERIMENTS
from study.latency import CALLS_PER_TURN, main, networks_of


def test_experiments_that_differ_in_training_or_dropout_alone_are_timed_once():
    assert networks_of(["2", "4", "9", "13", "14", "15", "plain", "LSTM", "lstm-minimal"]) == {
        "2": ["2", "plain"],
        "4": ["4", "9", "13"],
        "14": ["14", "15"],
        "LSTM": ["LSTM", "lstm-minimal"],
    }


def test_networks_are_timed_in_litert_with_the_machine_beside_them(tmp_path, capsys):
    pytest.importorskip("tensorflow")
    pytest.importorskip("ai_edge_litert")
    out = tmp_path / "latency.json"
    assert main(["--experiments", "equal-parameters", "LSTM", "--turns", "2", "--out", str(out)]) == 0
    content = json.loads(out.read_text())
    assert list(content["networks"]) == [
        EXPERIMENTS["equal-parameters"].network_key,
        EXPERIMENTS["LSTM"].network_key,
    ]
    networks = content["networks"].values()
    assert [of_network["parameters"] for of_network in networks] == [102_823, 102_855]
    assert all(0 < of_network["median_ms"] <= of_network["p95_ms"] < 1000 for of_network in networks)
    assert (content["threads"], content["calls"]) == (1, 2 * CALLS_PER_TURN)
    assert content["engine"].startswith("LiteRT ")
    assert "LSTM" in capsys.readouterr().out


def test_some_latencies_do_not_take_the_place_of_all(capsys):
    with pytest.raises(SystemExit):
        main(["--experiments", "LSTM"])
    assert "--experiments: expected --out as well" in capsys.readouterr().err
