"""The files behind the flagship report are read as what they are, or refused by name and field."""

import json
from dataclasses import asdict, replace

import pytest

from benchmarks.accuracy.robustness import BoxVerdict, FileRobustness, Robustness
from benchmarks.comparison.inputs import Candidate, points_lost, read_candidates, read_peers, read_robustness
from benchmarks.comparison.peers import Peers
from benchmarks.comparison.report import candidates_table
from benchmarks.errors import ResultsError
from dataset.load import load_dataset
from reporting.machine import describe_device
from tests.support.flagship import peer_row, write_dataset

pytest.importorskip("msgspec")

CANDIDATE = {
    "name": "first",
    "change": "none",
    "against": None,
    "validation_accuracy": 0.68,
    "epochs": 30,
    "images_seen": 837990,
    "seconds": 1800.0,
    "parameters": 590000,
    "trained_on": "FER2013's own labels",
    "command": "python -m train --model edge",
}


def test_points_are_lost_only_by_the_very_file_that_was_recorded(tmp_path):
    path = tmp_path / "edge.measured.json"
    assert points_lost(path, "aa", "test") is None
    path.write_text(json.dumps({"keras": {"test": 0.72}, "files": {"aa": {"test": 0.7175}}}))
    assert points_lost(path, "aa", "test") == pytest.approx(0.25)
    assert points_lost(path, "bb", "test") is None
    assert points_lost(path, "aa", "validation") is None


def test_figures_of_another_dataset_or_split_are_not_taken(tmp_path):
    dataset = load_dataset(write_dataset(tmp_path))
    path = tmp_path / "stored.json"
    assert read_peers(path, dataset) is None
    peers = Peers(1, describe_device(), 30, "FER2013", "f" * 64, 3589, [], [peer_row("fer 25.10.3")])
    path.write_text(json.dumps(asdict(peers)))
    with pytest.raises(ResultsError, match=r"stored\.json: expected figures on faces\.csv"):
        read_peers(path, dataset)
    path.write_text(json.dumps(asdict(replace(peers, dataset_sha256=None))))
    assert read_peers(path, dataset).rows == peers.rows
    file = FileRobustness("a.tflite", "a", [], {"border": BoxVerdict(1.0, 2.5, "box x1.3", 2.0, False)})
    stored = Robustness(1, "faces.csv", dataset.sha256, "test", 28, "2026-11-22", "4.14.0", [file])
    path.write_text(json.dumps(asdict(stored)))
    assert read_robustness(path, "test", dataset) == [file]
    assert read_robustness(path, "validation", dataset) == []
    path.write_text(json.dumps(asdict(replace(stored, dataset_sha256="f" * 64))))
    assert read_robustness(path, "test", dataset) == []


def test_a_candidate_is_worth_what_it_gains_on_the_one_it_changes():
    wide = {"name": "wide", "change": "twice the channels | all", "against": "first"}
    rows = [
        Candidate(**CANDIDATE),
        Candidate(**{**CANDIDATE, **wide, "validation_accuracy": 0.6925}),
        Candidate(name="broken", change="no end", against="wide"),
    ]
    lines = candidates_table(rows).splitlines()
    assert len(lines) == 2 + 3
    assert lines[2] == (
        "| first | none | FER2013's own labels | `python -m train --model edge` | 68.00 % | - | 30 | 837,990 "
        "| 0.5 | 590,000 |"
    )
    assert lines[3].startswith("| wide | twice the channels \\| all |")
    assert "| **69.25 %** | +1.25 against first | 30 |" in lines[3]
    assert lines[4] == "| broken | no end | - | - | - | - | - | - | - | - |"


def test_no_candidates_are_said_to_be_none(tmp_path):
    assert read_candidates(tmp_path / "candidates.json") == []
    assert candidates_table([]) == "No candidate is recorded in results/candidates.json."


def test_a_field_that_may_be_left_out_is_read_as_null(tmp_path):
    path = tmp_path / "candidates.json"
    path.write_text('[{"name": "a", "change": "b"}]')
    assert read_candidates(path) == [Candidate(name="a", change="b")]


@pytest.mark.parametrize(
    "content, message",
    [
        ({}, "Expected `array`, got `object`"),
        ([1], "Expected `object`, got `int` - at `$[0]`"),
        ([{"name": "a"}], "missing required field `change` - at `$[0]`"),
        ([CANDIDATE, {**CANDIDATE, "name": "b", "epochs": "ten"}], "at `$[1].epochs`"),
        ([{**CANDIDATE, "epochs": True}], "got `bool` - at `$[0].epochs`"),
        (
            [{**CANDIDATE, "validation_accuracy": 68.0}],
            "validation_accuracy 68, which is no share",
        ),
        ([{**CANDIDATE, "accuracy": 0.5}], "the unknown field accuracy - at `$[0]`"),
        ([{**CANDIDATE, "against": "later"}], "against 'later', which is no earlier candidate"),
        ([CANDIDATE, CANDIDATE], "the name 'first' again - at `$[1]`"),
    ],
)
def test_candidates_of_another_format_are_refused_by_number_and_field(tmp_path, content, message):
    path = tmp_path / "candidates.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ResultsError) as caught:
        read_candidates(path)
    assert caught.value.path == path
    assert message in str(caught.value)
