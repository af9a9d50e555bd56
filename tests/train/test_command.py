"""`python -m train`: what it accepts, stops, resumes, restarts and refuses."""

import dataclasses
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("tensorflow")

from dataset.load import load_dataset
from tests.support.made_faces import made_dataset, write_dataset
from tests.support.trainings import weights_of
from train.__main__ import main, parse
from train.models import MODELS
from train.recipes import recorded

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def data(tmp_path):
    return write_dataset(tmp_path / "fer2013.csv", made_dataset())


@pytest.fixture
def ctrl_c():
    """Arms a Ctrl-C: once, just before the `number`-th file called `name` takes its place."""
    armed = {}

    def press(event, arguments):
        if event == "os.rename" and Path(arguments[1]).name in armed:
            armed[Path(arguments[1]).name] -= 1
            if not armed[Path(arguments[1]).name]:
                armed.clear()
                signal.raise_signal(signal.SIGINT)

    sys.addaudithook(press)  # there is no way to remove it
    yield lambda name, number: armed.update({name: number})
    armed.clear()


def last_line(text):
    return text.strip().splitlines()[-1]


def test_the_command_stops_at_ctrl_c_resumes_refuses_another_run_and_restarts(
    tmp_path, data, small, capsys, ctrl_c
):
    run, out = tmp_path / "run", tmp_path / "mine.keras"
    arguments = ["--model", "small", "--data", str(data), "--out", str(out), "--run-dir", str(run)]
    arguments += ["--epochs", "2", "--batch-size", "32"]
    ctrl_c("epoch_2.keras", 1)
    assert main(arguments) == 130
    stopped = "Stopped. The same command goes on after the last whole epoch."
    assert last_line(capsys.readouterr().err) == stopped
    interrupted = json.loads((run / "state.json").read_text())
    assert interrupted["epochs_done"] == 1
    assert not out.exists()

    assert main(arguments) == 0
    record = json.loads((tmp_path / "mine.json").read_text())
    accuracy, best = record["scores"]["validation"]["accuracy"], record["best_epoch"]
    said = last_line(capsys.readouterr().out)
    assert said.startswith(f"small: validation accuracy {accuracy:.2%} at epoch {best} of 2, ")
    assert record["history"]["loss"][:1] == interrupted["history"]["loss"]
    assert record["command"] == f"python -m train {' '.join(arguments)}"
    assert record["arguments"]["dataset_sha256"] == hashlib.sha256(data.read_bytes()).hexdigest()
    given = {"epochs": 2, "batch_size": 32}
    assert recorded(small.recipe) | given == {
        name: record["arguments"][name] for name in recorded(small.recipe)
    }
    assert record["samples"]["left_out"] == 2

    arguments[-3] = "1"
    assert main(arguments) == 1
    assert last_line(capsys.readouterr().err) == (
        f"{run / 'state.json'}: expected a run with epochs=1, got one with 2; "
        "add --restart to start over, or name another --run-dir."
    )
    assert json.loads((tmp_path / "mine.json").read_text()) == record

    (run / "notes.txt").write_text("mine")
    assert main([*arguments, "--no-augmentation", "--restart"]) == 0
    record = json.loads((tmp_path / "mine.json").read_text())
    assert (record["arguments"]["augmentation"], record["epochs_trained"]) == (None, 1)
    assert not (run / "epoch_2.keras").exists()
    assert (run / "notes.txt").read_text() == "mine"


def test_fine_tuning_begins_with_the_released_weights_and_learns_from_the_given_labels_alone(tmp_path, data):
    out = tmp_path / "mine.keras"
    arguments = ["--model", "cnn_lstm", "--fine-tune", "--data", str(data), "--out", str(out)]
    assert main([*arguments, "--run-dir", str(tmp_path / "run"), "--epochs", "2", "--degraded", "0.3"]) == 0
    record = json.loads(out.with_suffix(".json").read_text())
    released = ROOT / "models" / "cnn_lstm.keras"
    sums = {released.name: hashlib.sha256(released.read_bytes()).hexdigest()}
    assert record["arguments"]["initial_weights"] == sums
    assert record["arguments"]["learning_rate"] == 3e-4
    assert record["trained_on"] == "fer2013.csv's own labels, from the weights of cnn_lstm on"
    # At so low a rate a few steps move the weights, and not far.
    moves = [np.abs(own - other) for own, other in zip(weights_of(out), weights_of(released), strict=True)]
    assert 0 < max(move.max() for move in moves) < 0.01
    augmentation = dataclasses.asdict(MODELS["cnn_lstm"].recipe.augmentation)
    assert record["arguments"]["augmentation"] == augmentation | {"degraded": 0.3}


def test_a_held_out_validation_split_stands_in_the_record_and_another_is_another_run(tmp_path, small, capsys):
    made = made_dataset()
    kept = made.splits != "validation"
    two_splits = dataclasses.replace(
        made, faces=made.faces[kept], labels=made.labels[kept], splits=made.splits[kept]
    )
    data = write_dataset(tmp_path / "mine.csv", two_splits)
    arguments = ["--model", "small", "--data", str(data), "--out", str(tmp_path / "mine.keras")]
    arguments += ["--run-dir", str(tmp_path / "run"), "--epochs", "1", "--seed", "3"]
    assert main(arguments) == 1
    assert "got none of validation." in capsys.readouterr().err
    assert main([*arguments, "--validation-share", "0.25"]) == 0
    record = json.loads((tmp_path / "mine.json").read_text())
    expected = load_dataset(data, validation_share=0.25)
    assert record["arguments"]["validation_share"] == 0.25
    assert record["arguments"]["validation_seed"] == 0
    assert record["arguments"]["dataset_sha256"] == expected.sha256
    assert record["samples"]["validation"] == len(expected.rows("validation"))
    assert main([*arguments, "--validation-share", "0.2"]) == 1
    refused = "expected a run with validation_share=0.2, got one with 0.25; add --restart"
    assert refused in capsys.readouterr().err


def test_all_models_are_those_of_the_table_teachers_before_their_students(small):
    models = parse(["--model", "all"]).model
    assert models == list(MODELS)
    assert "small" in models
    for position, model in enumerate(models):
        teachers = {path.stem for path in MODELS[model].recipe.teachers}
        assert teachers <= set(models[:position])


# --- slips -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flag", "value", "expected"),
    [
        ("--epochs", "0", "a number above 0"),
        ("--batch-size", "-1", "a number above 0"),
        ("--learning-rate", "nan", "a number above 0"),
        ("--learning-rate", "inf", "a number above 0"),
        ("--patience", "0", "a number above 0"),
        ("--warm-restart-after", "0", "a number above 0"),
        ("--seed", "-1", "0 to 4294967295"),
        ("--seed", "4294967296", "0 to 4294967295"),
        ("--vote-share", "1.5", "0 to 1"),
        ("--degraded", "2.0", "0 to 1"),
        ("--vote-head-weight", "-1.0", "0 to inf"),
        ("--out", "net.h5", "a file with the ending .keras"),
        ("--run-dir", __file__, "a folder"),
    ],
)
def test_a_value_that_can_not_be_is_refused_at_once(flag, value, expected, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--model", "cnn", flag, value])
    assert caught.value.code == 2
    message = last_line(capsys.readouterr().err)
    assert f"error: {flag}: expected {expected}, got " in message
    assert message.endswith(f"{value}.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cnn", "--no-augmentation", "--degraded", "0.3"], "--degraded is part of the augmentation"),
        (["cnn", "edge", "--out", "mine.keras"], "--out and --run-dir are for one model"),
        (["edge", "--fine-tune"], "--fine-tune: expected --out as well"),
        (["edge", "--processes", "2"], "--processes: expected --distribute as well."),
        (
            ["edge", "--coordinator", "a:1", "--timeout", "3"],
            "--coordinator, --timeout: expected --distribute",
        ),
        (["edge", "cnn", "--distribute"], "--distribute: expected one --model, got several."),
        (
            ["edge", "--distribute", "--coordinator", "node1"],
            "expected HOST:PORT such as node1:8476, got 'node1'",
        ),
        (["edge", "--distribute", "--coordinator", "a:70000"], "expected HOST:PORT such as node1:8476"),
        (
            ["edge", "--distribute", "--processes", "0"],
            "--processes: expected a whole number from 1, got '0'",
        ),
        (["edge", "--distribute", "--process-id", "-1"], "--process-id: expected a whole number from 0"),
    ],
)
def test_options_that_exclude_each_other_are_refused_at_once(arguments, message, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--model", *arguments])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (
            "sys.modules['jax'] = None",
            "--distribute: expected JAX, found none: "
            "pip install -r requirements/distribute.txt -c requirements/constraints.txt\n",
        ),
        (
            "sys.modules['jax'] = sys",
            "Expected --coordinator, --processes, --process-id, found none: give them, or start the command "
            "in a step of Slurm or an indexed Job of Kubernetes.\n",
        ),
    ],
)
def test_without_jax_or_a_place_among_the_processes_the_command_ends_at_once(before, expected):
    code = f"import sys; {before}; from train.__main__ import main; main(['--model', 'edge', '--distribute'])"
    left_out = ("SLURM_", "JOB_COMPLETION_INDEX")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", expected)


def test_votes_without_ferplus_are_refused_in_one_line(tmp_path, data, capsys, monkeypatch):
    monkeypatch.delenv("FERPLUS", raising=False)
    arguments = ["--model", "cnn", "--vote-share", "0.5", "--data", str(data)]
    assert main([*arguments, "--run-dir", str(tmp_path / "run"), "--out", str(tmp_path / "mine.keras")]) == 1
    message = last_line(capsys.readouterr().err)
    assert message.startswith(f"Expected FER+'s votes at {tmp_path / 'fer2013new.csv'}, found no such file.")


def test_missing_votes_are_said_before_the_first_of_several_models_is_trained(
    tmp_path, data, capsys, monkeypatch
):
    monkeypatch.delenv("FERPLUS", raising=False)
    monkeypatch.chdir(tmp_path)
    assert main(["--model", "cnn_lstm", "edge", "--data", str(data), "--epochs", "3"]) == 1
    assert last_line(capsys.readouterr().err).startswith("Expected FER+'s votes at ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fer2013.csv"]


def test_settings_that_cannot_be_are_said_before_the_first_of_several_models_is_trained(
    tmp_path, data, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    arguments = ["--model", "cnn_lstm", "edge_tiny", "--vote-share", "0", "--vote-head-weight", "0"]
    assert main([*arguments, "--data", str(data), "--epochs", "3", "--class-weight"]) == 1
    assert last_line(capsys.readouterr().err) == (
        "edge_tiny: Expected class weights or teachers, got both: a teacher's scores have no one class. "
        "Leave out --class-weight, or give --teacher-share 0."
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fer2013.csv"]


# --- no dataset --------------------------------------------------------------------------------------


def run_in(folder, **environment):
    cleared = {name: value for name, value in os.environ.items() if name not in ("FER2013", "PYTHONPATH")}
    return subprocess.run(
        [sys.executable, "-m", "train", "--model", "cnn"],
        cwd=folder,
        env=cleared | environment,
        capture_output=True,
        text=True,
    )


def test_without_a_dataset_the_command_says_where_it_is_to_be_had(tmp_path):
    for folder in ("dataset", "reporting", "train"):
        shutil.copytree(ROOT / folder, tmp_path / "checkout" / folder)
    done = run_in(tmp_path / "checkout")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "No dataset was given. FER2013 is on Kaggle as 'Challenges in Representation "
    )
    advice = "Give the path of the file, or of a folder of images, or set the environment variable"
    assert advice in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_dataset_that_is_not_there_is_named_without_a_traceback(tmp_path):
    done = run_in(ROOT, FER2013=str(tmp_path / "nowhere.csv"))
    assert (done.returncode, done.stdout) == (1, "")
    place = f"{tmp_path / 'nowhere.csv'} (from the environment variable FER2013)"
    assert done.stderr.startswith(f"{place}: no such file or folder. FER2013 is on Kaggle as ")
    assert done.stderr.count("\n") == 1
