"""The schemas of results: what is written is read again, and what contradicts itself is named."""

import json

import msgspec
import pytest

from study.errors import StudyError
from study.experiments import EXPERIMENTS
from study.processes import Training
from study.results import Result, read_latency, read_result, read_results, write
from tests.support.study import made_content, made_latency, made_result, write_content, write_results


def test_a_written_result_is_read_again(tmp_path):
    write(tmp_path / "result.json", made_result("2"))
    assert json.loads((tmp_path / "result.json").read_text()) == made_content("2")
    assert read_result(tmp_path / "result.json") == made_result("2")


def test_an_older_result_without_active_units_is_read(tmp_path):
    content = made_content("2")
    del content["active_units"]
    assert read_result(write_content(tmp_path, content)).active_units == {}


def test_settings_that_came_later_stand_only_where_they_differ():
    def written(name):
        return msgspec.to_builtins(EXPERIMENTS[name].settings(seed=0))

    assert not {"schedule", "hold_out"} & written("2").keys()
    assert (written("cosine")["schedule"], written("as-study")["hold_out"]) == ("cosine", False)


def test_a_result_of_other_settings_is_not_taken_for_the_experiments(tmp_path):
    training = Training(EXPERIMENTS["2"], 0, "paper", None, tmp_path, tmp_path)
    assert not training.is_done
    content = made_content("2")
    write_content(tmp_path, content)
    assert training.is_done
    content["settings"]["learning_rate"] = 0.01
    write_content(tmp_path, content)
    with pytest.raises(StudyError, match=r"learning_rate=0\.001, as asked for, got 0\.01\.") as caught:
        training.is_done  # noqa: B018
    assert (caught.value.path, caught.value.option) == (training.result, "--results")


def test_results_are_read_by_experiment_and_seed(tmp_path):
    write_results(tmp_path / "study", "LSTM", "2")
    write_content(tmp_path / "study", made_content("2", seed=1))
    results = read_results(tmp_path / "study", "paper")
    assert [(name, [result.seed for result in of]) for name, of in results.items()] == [
        ("2", [0, 1]),
        ("LSTM", [0]),
    ]
    assert read_results(tmp_path / "study", "official") == {}


@pytest.mark.parametrize("content", ["{", "[]", "{}", "[" * 100_000, "\xff"])
def test_a_damaged_result_is_named(tmp_path, content):
    path = tmp_path / "paper_2_seed0.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(StudyError, match="expected the JSON of a result, got") as caught:
        read_result(path)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("keys", "value", "got"),
    [
        (("experiment",), "2b", "experiment '2b', which does not exist"),
        (("split",), "other", r"\$\.split"),
        (("test",), [], r"\$\.test"),
        (("test", "predicted"), "01", "2 predictions for 22 faces"),
        (("test", "predicted"), "x" * 22, r"\$\.test\.predicted"),
        (("test", "labels"), [22], r"\$\.test\.labels"),
        (("test", "accuracy"), 0.9, "an accuracy other than that of the predictions"),
        (("test", "accuracy"), float("nan"), "another content"),
        (("test", "confusion", 0, 0), 9, "a confusion matrix other than that of the predictions"),
        (("test", "without_duplicates", "right"), 21, "21 right answers on 20 faces"),
        (("history", "test_accuracy"), [0.5], "a history of test_accuracy that is not 3 numbers"),
        (("history", "accuracy", 1), float("nan"), "another content"),
        (("history", "accuracy", 1), None, r"\$\.history\.accuracy"),
        (("best_epoch",), 4, "a best epoch of 4 out of 3"),
        (("best_epoch",), 0, r"\$\.best_epoch"),
        (("train_accuracy",), None, r"\$\.train_accuracy"),
        (("train_accuracy",), 1.5, r"\$\.train_accuracy"),
        (("processor_seconds",), 0, r"\$\.processor_seconds"),
        (("seconds",), 10**400, "another content"),
        (("faces", "train"), 0, r"\$\.faces\.train"),
        (("settings",), "x", r"\$\.settings"),
        (("settings",), {}, r"\$\.settings"),
        (("settings", "epochs"), "x", r"\$\.settings\.epochs"),
        (("settings", "epochs"), 0, r"\$\.settings\.epochs"),
        (("settings", "unknown"), 1, "unknown"),
        (("seed",), None, r"\$\.seed"),
        (("source_sha256",), None, r"\$\.source_sha256"),
        (("active_units", "dense"), 1.5, r"\$\.active_units"),
        (("active_units", "dense"), -0.1, r"\$\.active_units"),
        (("active_units", "dense"), float("nan"), "another content"),
        (("active_units", "dense"), True, r"\$\.active_units"),
        (("active_units",), None, r"\$\.active_units"),
        (("ferplus",), {"faces": 0, "right": 0, "confusion": [[0] * 7] * 7}, r"\$\.ferplus\.faces"),
        (("ferplus", "confusion"), [], r"\$\.ferplus\.confusion"),
        (("ferplus", "confusion"), None, r"\$\.ferplus\.confusion"),
        (("ferplus", "confusion", 0, 0), 9, "other than of 12 right of 16 faces"),
        (("ferplus", "confusion", 0, 0), -9, r"\$\.ferplus\.confusion"),
        (("ferplus", "right"), 11, "other than of 11 right of 16 faces"),
    ],
)
def test_a_result_that_contradicts_itself_is_named(tmp_path, keys, value, got):
    content = made_content("2")
    part = content
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    path = tmp_path / "paper_2_seed0.json"
    path.write_text(json.dumps(content))
    with pytest.raises(StudyError, match=got) as caught:
        read_result(path)
    assert caught.value.path == path


def test_every_part_of_a_result_but_the_later_ones_is_needed(tmp_path):
    path = tmp_path / "paper_2_seed0.json"
    for name in set(Result.__struct_fields__) - {"active_units"}:
        content = made_content("2")
        del content[name]
        path.write_text(json.dumps(content))
        with pytest.raises(StudyError, match=f"`{name}`"):
            read_result(path)


def test_latencies_are_read_where_they_were_measured(tmp_path):
    assert read_latency(tmp_path) is None
    (tmp_path / "latency.json").write_text(json.dumps(made_latency("2")))
    assert read_latency(tmp_path).networks[EXPERIMENTS["2"].network_key].median_ms == 0.3126
