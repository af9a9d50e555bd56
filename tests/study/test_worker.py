"""The process of a training: what it says of its failures, and how the study starts and reads it."""

import json
import os
import sys
from dataclasses import replace

import pytest

from study.errors import StudyError
from study.experiments import EXPERIMENTS
from study.messages import Failure, Progress, decoded, encoded
from study.processes import Processes, Training, environment_of, log_to, run_training, said_or_ended
from study.worker import alone_in, main
from tests.support.study import keras_or_skip, made_content


def command(tmp_path, faces_csv):
    arguments = ["LSTM", "--data", str(faces_csv), "--split", "official", "--seed", "0", "--epochs", "1"]
    result, run_dir = tmp_path / "official_LSTM_seed0.json", tmp_path / "run"
    return [*arguments, "--result", str(result), "--run-dir", str(run_dir)]


@pytest.mark.parametrize(
    "message",
    [
        Progress(1.5),
        Progress(2, validation_accuracy=0.5),
        Progress(2, scoring=True),
        Failure("refused", "Ü: no.", path="/a", option="--data"),
    ],
)
def test_a_message_is_read_as_it_was_said(message):
    line = encoded(message)
    assert "\n" not in line
    assert decoded(line) == message


@pytest.mark.parametrize("line", ["", "Epoch 1/2", "{}", '{"epochs": 1}', "[1]", '{"type": "progress"}'])
def test_what_a_library_prints_is_no_message(line):
    assert decoded(line) is None


def test_two_trainings_do_not_share_a_folder(tmp_path):
    pytest.importorskip("fcntl")
    run_dir = tmp_path / "run"
    with alone_in(run_dir), pytest.raises(StudyError, match="alone") as caught, alone_in(run_dir):
        pass
    assert (caught.value.path, caught.value.option) == (run_dir, "--run-dir")
    with alone_in(run_dir):
        pass


def test_a_result_that_another_command_has_made_is_not_trained_again(faces_csv, tmp_path, capsys):
    keras_or_skip()
    result = tmp_path / "official_LSTM_seed0.json"
    result.write_text(json.dumps(made_content("LSTM")))
    before = result.read_bytes()
    assert main(command(tmp_path, faces_csv)) == 0
    assert result.read_bytes() == before
    assert capsys.readouterr().out == ""


def test_a_training_that_diverges_says_so(faces_csv, tmp_path, monkeypatch, capsys):
    keras_or_skip()
    monkeypatch.setitem(EXPERIMENTS, "LSTM", replace(EXPERIMENTS["LSTM"], learning_rate=1e39))  # no float32
    assert main(command(tmp_path, faces_csv)) == 1
    failure = decoded(capsys.readouterr().out.splitlines()[-1])
    assert (failure.kind, failure.path) == ("diverged", str(tmp_path / "run"))
    assert "Give experiment LSTM a lower learning rate" in failure.reason
    assert not list(tmp_path.glob("*.json"))


def test_a_run_of_other_settings_is_refused_by_its_folder(faces_csv, tmp_path, capsys):
    keras_or_skip()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "state.json").write_text("{}")
    assert main(command(tmp_path, faces_csv)) == 1
    failure = decoded(capsys.readouterr().out.splitlines()[-1])
    assert (failure.kind, failure.path) == ("refused", str(tmp_path / "run"))
    assert failure.reason.startswith(
        f"{tmp_path / 'run'} can't be resumed: delete it to train from the start"
    )
    assert "--restart" not in failure.reason  # which the study does not have


def test_a_fault_of_the_program_is_said_and_its_traceback_logged(faces_csv, tmp_path, monkeypatch, capsys):
    keras_or_skip()
    broken = replace(EXPERIMENTS["LSTM"], network="no such network")
    monkeypatch.setitem(EXPERIMENTS, "LSTM", broken)
    assert main(command(tmp_path, faces_csv)) == 1
    printed = capsys.readouterr()
    assert decoded(printed.out.splitlines()[-1]) == Failure("crashed", "KeyError: 'no such network'")
    assert "Traceback" in printed.err


# --- as the study starts it ----------------------------------------------------------------------------


def test_a_process_that_says_nothing_is_named_by_its_exit_status_and_log(tmp_path, monkeypatch):
    training = Training(EXPERIMENTS["2"], 0, "paper", None, tmp_path / "results", tmp_path / "runs")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    if not os.access(sys.executable, os.X_OK):
        pytest.skip("needs /bin/false")
    failure = run_training(
        training, data=tmp_path, cores=None, processes=Processes(), on_progress=lambda progress: None
    )
    log = tmp_path / "runs" / "paper_2_seed0" / "log.txt"
    assert failure == Failure("ended", f"exit status 1 (log: {log})", path=str(log))


@pytest.mark.parametrize(
    ("said", "status", "kind", "reason"),
    [
        (None, -9, "ended", "killed by SIGKILL (log: {log})"),
        (None, 0, "ended", "exit status 0 (log: {log})"),  # without a result
        (Failure("crashed", "KeyError: 'a'"), 1, "crashed", "KeyError: 'a' (log: {log})"),
        (Failure("refused", "No."), 1, "refused", "No."),
    ],
)
def test_a_failure_names_its_log_where_that_says_more(tmp_path, said, status, kind, reason):
    log = tmp_path / "log.txt"
    failure = said_or_ended(said, status, log)
    assert (failure.kind, failure.reason) == (kind, reason.format(log=log))


def test_a_log_is_gone_on_with(tmp_path):
    log = tmp_path / "run" / "log.txt"
    for words in (b"one\n", b"two\n"):
        with log_to(log) as file:
            file.write(words)
    assert log.read_text() == "one\ntwo\n"


def test_a_run_under_the_former_name_of_an_experiment_is_gone_on_with(tmp_path):
    training = Training(EXPERIMENTS["without-duplicates"], 0, "paper", None, tmp_path, tmp_path)
    assert training.run_dir == tmp_path / "paper_without-duplicates_seed0"
    (tmp_path / "paper_unrepeated_seed0").mkdir()
    assert training.run_dir == tmp_path / "paper_unrepeated_seed0"
    (tmp_path / "paper_without-duplicates_seed0").mkdir()
    assert training.run_dir == tmp_path / "paper_without-duplicates_seed0"
    assert (
        Training(EXPERIMENTS["2"], 1, "paper", None, tmp_path, tmp_path).run_dir == tmp_path / "paper_2_seed1"
    )


def test_trainings_at_a_time_share_the_cores_unless_the_user_shares_them_out(monkeypatch):
    names = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS")
    for name in names:
        monkeypatch.delenv(name, raising=False)
    assert [environment_of(3)[name] for name in names] == ["3", "3"]
    assert not set(names) & set(environment_of(None))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert [environment_of(3)[name] for name in names] == ["3", "1"]
