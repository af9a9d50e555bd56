"""Training: what a seed, a kill, a stop and a class weight do, and what is left on disk."""

import ast
import csv
import dataclasses
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("tensorflow")

import keras

from dataset.duplicates import training_rows
from dataset.fer2013 import LABELS, Dataset
from dataset.ferplus import VOTES
from dataset.load import load_dataset
from export.parity_faces import drawn_face
from train.__main__ import main
from train.batches import FaceBatches
from train.checkpoints import RunError
from train.models import build_cnn_lstm, build_edge
from train.training import RECIPES, balanced_weights, learning_rates, one_hot, recipe_of, train

ROOT = Path(__file__).resolve().parents[2]


class ClosedTestSplit(Dataset):
    """A dataset that hands out no test split."""

    def split(self, name):
        assert name != "test", "the test split was read"
        return super().split(name)


def drawn_faces(count, seed):
    random = np.random.default_rng(seed)
    return np.stack([drawn_face(random) for _ in range(count)])[..., np.newaxis]


def made_dataset(*, test_seed=2):
    """84 faces to train on, 28 for validation, 14 for the test, and 2 that training should leave out."""
    faces = drawn_faces(114, seed=1)
    test_faces = drawn_faces(14, seed=test_seed)
    repeated, blank = drawn_faces(1, seed=3), np.full((1, 48, 48, 1), 9, np.uint8)
    test_labels = np.random.default_rng(test_seed).integers(0, 7, 15)
    splits = ["train"] * 86 + ["validation"] * 28 + ["test"] * 15
    return ClosedTestSplit(
        faces=np.concatenate([faces[:84], repeated, blank, faces[84:112], test_faces, repeated]),
        labels=np.concatenate([np.arange(84) % 7, [0, 1], np.arange(28) % 7, test_labels]),
        splits=np.array(splits),
        origins=range(2, 2 + len(splits)),
        path=Path("made.csv"),
        sha256="5" * 64,
    )


def write_csv(path, dataset):
    usage = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
    rows = [
        f"{label},{' '.join(map(str, face.ravel()))},{usage[split]}"
        for label, face, split in zip(dataset.labels, dataset.faces, dataset.splits, strict=True)
    ]
    path.write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    return path


def train_cnn(folder, **changes):
    """The run that the tests break off and repeat: dropout, augmentation and a falling learning rate."""
    keywords = {
        "model": "cnn",
        "out": folder / "cnn.keras",
        "run_dir": folder / "run",
        "epochs": 3,
        "batch_size": 16,
        "learning_rate": 1e-3,
        "cycle": 2,
        "weight_decay": 0.0,
        "warmup": 0,
        "votes": 0.0,
        "votes_head": 0.0,
        "precision": "float32",
        "balance": 0.0,
        "calibrate": False,
        "seed": 4,
        "augmentation": RECIPES["cnn"]["augmentation"],
        "command": "python -m train --model cnn --seed 4",
        "verbose": 0,
    }
    dataset = changes.pop("dataset", None) or made_dataset()
    return train(dataset, **keywords | changes)


def train_cnn_lstm(folder, dataset, **changes):
    keywords = {
        "model": "cnn_lstm",
        "out": folder / "cnn_lstm.keras",
        "run_dir": folder / "run",
        "epochs": 1,
        "batch_size": 16,
        "learning_rate": 2e-3,
        "tensorboard": False,
        "verbose": 0,
    }
    return train(dataset, **keywords | changes)


def weights_of(path):
    return keras.saving.load_model(path, compile=False).get_weights()


def assert_equal_weights(path, other):
    for one, two in zip(weights_of(path), weights_of(other), strict=True):
        np.testing.assert_array_equal(one, two)


def timeless(history):
    return {name: values for name, values in history.items() if not name.endswith("seconds")}


def cross_entropies(path, faces, labels):
    """What each face costs the model at `path`, `(n,)`."""
    scores = keras.saving.load_model(path, compile=False).predict(faces.astype("float32"), verbose=0)
    return -np.log(scores[np.arange(len(labels)), labels])


def logged(folder):
    with (folder / "run" / "log.csv").open(newline="") as file:
        return [timeless(row) for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """A folder with a whole run, and its record."""
    folder = tmp_path_factory.mktemp("unbroken")
    return folder, train_cnn(folder)


# --- one seed ----------------------------------------------------------------------------------------


def test_two_runs_with_one_seed_end_with_equal_weights_whatever_the_test_split_holds(unbroken, tmp_path):
    folder, record = unbroken
    again = train_cnn(tmp_path, dataset=made_dataset(test_seed=7))
    assert_equal_weights(tmp_path / "cnn.keras", folder / "cnn.keras")
    assert timeless(again["history"]) == timeless(record["history"])
    assert again["best_epoch"] == record["best_epoch"]


def test_the_weights_move_in_every_layer(unbroken):
    folder, _ = unbroken
    keras.utils.set_random_seed(4)
    from train.models import build_cnn

    for before, after in zip(build_cnn().get_weights(), weights_of(folder / "cnn.keras"), strict=True):
        assert np.abs(after - before).max() > 1e-5


# --- kills -------------------------------------------------------------------------------------------

# Dies just before the `number`-th file called `name` takes its place: an old file stays beside new ones.
KILLED_RUN = """
import os, signal, sys
from pathlib import Path
from tests.train.test_training import train_cnn

name, left = sys.argv[2], int(sys.argv[3])

def kill(event, arguments):
    global left
    if event == "os.rename" and Path(arguments[1]).name == name:
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(kill)
train_cnn(Path(sys.argv[1]))
"""


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGKILL")
def test_a_run_killed_twice_ends_with_the_weights_and_the_history_of_the_unbroken_run(unbroken, tmp_path):
    folder, record = unbroken
    # First after the checkpoint of epoch 2, before the state names it: epoch 2 is trained again. Then after
    # the state of epoch 2, before its log: epoch 3 comes next.
    for name, number, epochs_done in (("state.json", 2, 1), ("log.csv", 1, 2)):
        killed = subprocess.run(
            [sys.executable, "-c", KILLED_RUN, str(tmp_path), name, str(number)],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert killed.returncode == -signal.SIGKILL, killed.stderr
        state = json.loads((tmp_path / "run" / "state.json").read_text())
        assert state["epochs_done"] == epochs_done
        assert not (tmp_path / "cnn.keras").exists()

    resumed = train_cnn(tmp_path)

    assert_equal_weights(tmp_path / "cnn.keras", folder / "cnn.keras")
    assert timeless(resumed["history"]) == timeless(record["history"])
    assert len(resumed["history"]["seconds"]) == 3
    assert resumed["best_epoch"] == record["best_epoch"]
    assert resumed["arguments"] == record["arguments"]
    assert logged(tmp_path) == logged(folder)


def test_a_finished_run_is_not_trained_again(unbroken, tmp_path):
    folder, record = unbroken
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    again = train_cnn(tmp_path)
    assert again["history"] == record["history"]
    assert again["seconds"] == record["seconds"]
    assert_equal_weights(tmp_path / "cnn.keras", folder / "cnn.keras")


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"seed": 5}, "seed=5, got one with 4"),
        ({"cycle": 3}, "cycle=3, got one with 2"),
        ({"epochs": 4}, "epochs=4, got one with 3"),
        ({"augmentation": None}, "augmentation=None, got one with {'rotation': 10"),
        ({"class_weight": True}, "class_weight=True, got one with False"),
    ],
)
def test_a_run_with_another_argument_is_not_resumed_and_the_error_says_what_to_do(
    unbroken, changes, difference
):
    folder, _ = unbroken
    with pytest.raises(RunError) as caught:
        train_cnn(folder, **changes)
    message = str(caught.value)
    assert message.startswith(f"{folder / 'run' / 'state.json'}: expected a run with {difference}")
    assert message.endswith("; add --restart to begin anew, or name another --run-dir.")


def test_a_run_of_a_net_that_is_built_otherwise_now_is_not_resumed(unbroken, tmp_path):
    from train.models import build_cnn

    shutil.copytree(unbroken[0], tmp_path, dirs_exist_ok=True)
    with pytest.raises(RunError) as caught:
        train_cnn(tmp_path, build=lambda: build_cnn(dense=(256,)))
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'run' / 'epoch_3.keras'}: expected the 14 layers of cnn as it is")
    assert message.endswith("; add --restart to begin anew, or name another --run-dir.")


# --- the learning rate -------------------------------------------------------------------------------


def rates_at(steps, **keywords):
    schedule = learning_rates(1.0, 10, **keywords)  # 10 steps an epoch
    return [pytest.approx(float(schedule(step)), abs=0.005) for step in steps]


def test_the_learning_rate_falls_along_a_cosine_over_all_epochs():
    # (1 + cos(pi x)) / 2 at x = 0, 1/4, 1/2, 3/4, 1.
    assert rates_at([0, 20, 40, 60, 80], epochs=8, cycle=None) == [1, 0.8536, 0.5, 0.1464, 0]


def test_after_a_cycle_the_learning_rate_starts_again_over_fewer_epochs_and_lower():
    # 4 epochs from 1; 2.4 epochs from 0.6, so that their middle is at 5.2; 1.44 from 0.36.
    rates = rates_at([0, 20, 39, 40, 52, 63, 64], epochs=8, cycle=4)
    assert rates == [1, 0.5, 0, 0.6, 0.3, 0, 0.36]


def test_more_epochs_than_all_cycles_hold_are_refused(tmp_path):
    assert np.isfinite(float(learning_rates(1.0, 10, epochs=9, cycle=4)(89)))
    with pytest.raises(RunError) as caught:
        train_cnn(tmp_path, epochs=10, cycle=4)
    assert str(caught.value) == (
        "Expected fewer than 10 epochs with a first cycle of 4, got 10: each cycle is shorter than the one "
        "before. Give a longer one: --cycle 10"
    )


# --- early stopping ----------------------------------------------------------------------------------


def test_training_stops_when_patience_runs_out_and_keeps_the_weights_of_the_best_epoch(tmp_path):
    # Validation holds one label, which training never sees: what is learned can only make it worse.
    whole = made_dataset()
    labels = np.where(whole.splits == "validation", 6, whole.labels % 6)
    dataset = Dataset(whole.faces, labels, whole.splits, whole.origins, whole.path, whole.sha256)
    record = train_cnn_lstm(tmp_path, dataset, epochs=10, learning_rate=5e-3, patience=2)
    history = record["history"]
    assert (record["best_epoch"], record["epochs_trained"]) == (1, 3)
    assert max(history["val_accuracy"]) == history["val_accuracy"][0]
    assert [len(values) for values in history.values()] == [3] * len(history)
    loss = cross_entropies(tmp_path / "cnn_lstm.keras", *dataset.split("validation")).mean()
    assert loss == pytest.approx(history["val_loss"][0], abs=1e-4)
    assert history["val_loss"][2] - history["val_loss"][0] > 0.1
    assert record["scores"]["validation"]["accuracy"] == history["val_accuracy"][0]


# --- class weights and rows --------------------------------------------------------------------------


def test_balanced_weights_let_every_class_count_alike():
    # 14 rows in 7 classes: 2 each would weigh 1. Six weigh 2/6, three 2/3, one 2.
    weights = balanced_weights(np.array([0] * 6 + [1] * 3 + [2, 3, 4, 5, 6]))
    assert weights.tolist() == pytest.approx([1 / 3, 2 / 3, 2, 2, 2, 2, 2])


def test_a_label_without_rows_gets_a_weight_too():
    assert balanced_weights(np.array([0, 0, 1]))[6] == pytest.approx(3 / 7)


def unbalanced_dataset():
    """`made_dataset` with 60 training rows of the first label, and 5 or 4 of each other."""
    whole = made_dataset()
    labels = np.where(whole.splits == "train", np.maximum(np.arange(len(whole.labels)) % 18 - 11, 0), 6)
    return Dataset(whole.faces, labels, whole.splits, whole.origins, whole.path, whole.sha256)


def weights_by_class(labels):
    return (len(labels) / (7 * np.bincount(labels)))[labels]


def test_class_weights_weigh_the_loss_and_repeats_are_kept_when_asked(tmp_path):
    # At a learning rate of 0 the weights stay, so that the epoch's loss can be computed from the outside.
    dataset = unbalanced_dataset()
    record = train_cnn_lstm(tmp_path, dataset, learning_rate=0.0, class_weight=True, keep_duplicates=True)
    assert record["rows"] == {"train": 86, "left_out": 0, "validation": 28}
    faces, labels = dataset.split("train")
    assert np.bincount(labels).tolist() == [60, 5, 5, 4, 4, 4, 4]
    costs = cross_entropies(tmp_path / "cnn_lstm.keras", faces, labels)
    weighed = (weights_by_class(labels) * costs).mean()
    assert record["history"]["loss"] == [pytest.approx(weighed, rel=1e-5)]
    assert abs(weighed - costs.mean()) > 1e-3


def test_class_weights_move_a_net_as_sample_weights_do_in_keras(tmp_path):
    dataset = unbalanced_dataset()
    settings = {"learning_rate": 1e-3, "schedule": "constant", "batch_size": 1000, "keep_duplicates": True}
    train_cnn_lstm(tmp_path, dataset, epochs=3, class_weight=True, **settings)
    moved = keras.saving.load_model(tmp_path / "run" / "epoch_3.keras", compile=False).get_weights()

    faces, labels = dataset.split("train")
    keras.utils.set_random_seed(0)
    network = build_cnn_lstm()
    network.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    for _ in range(3):
        network.train_on_batch(
            faces.astype("float32"), labels, sample_weight=weights_by_class(labels).astype("float32")
        )
    for ours, kerass in zip(moved, network.get_weights(), strict=True):
        np.testing.assert_allclose(ours, kerass, atol=1e-4)


def test_targets_are_one_at_the_label_and_zero_elsewhere():
    targets = one_hot(np.array([6, 0]))
    assert targets.tolist() == [[0, 0, 0, 0, 0, 0, 1], [1, 0, 0, 0, 0, 0, 0]]
    assert targets.dtype == np.float32


# --- what is left on disk ----------------------------------------------------------------------------


def test_the_record_says_how_the_weights_came_about(unbroken):
    folder, record = unbroken
    assert json.loads((folder / "cnn.json").read_text()) == record
    assert record["command"] == "python -m train --model cnn --seed 4"
    assert record["arguments"] == {
        "model": "cnn",
        "epochs": 3,
        "batch_size": 16,
        "learning_rate": 1e-3,
        "cycle": 2,
        "weight_decay": 0.0,
        "warmup": 0,
        "votes": 0.0,
        "votes_head": 0.0,
        "precision": "float32",
        "balance": 0.0,
        "calibrate": False,
        "seed": 4,
        "augmentation": RECIPES["cnn"]["augmentation"],
        "class_weight": False,
        "patience": 20,
        "keep_duplicates": False,
        "validation_share": None,
        "validation_seed": None,
        "dataset_sha256": "5" * 64,
    }
    weights = (folder / "cnn.keras").read_bytes()
    assert record["weights_sha256"] == hashlib.sha256(weights).hexdigest()
    assert record["parameters"] == 1_113_095
    assert record["labels"] == list(LABELS)
    assert record["rows"] == {"train": 84, "left_out": 2, "validation": 28}
    assert record["epochs_trained"] == 3
    history = record["history"]
    assert set(history) == {"accuracy", "loss", "val_accuracy", "val_loss", "seconds", "processor_seconds"}
    assert [len(values) for values in history.values()] == [3] * 6
    assert all(seconds > 0 for seconds in history["processor_seconds"])
    assert record["best_epoch"] == 1 + int(np.argmax(history["val_accuracy"]))
    assert record["scores"] == {"validation": {"accuracy": max(history["val_accuracy"])}}
    assert record["seconds"] == pytest.approx(sum(history["seconds"]), abs=0.06)
    assert record["images_per_second"] == pytest.approx(84 * 3 / sum(history["seconds"]), rel=0.05)
    assert record["versions"]["keras"] == keras.__version__
    assert record["versions"]["backend"] == keras.backend.backend()
    assert record["versions"][keras.backend.backend()][0].isdigit()
    assert record["versions"]["numpy"] == np.__version__


def test_the_recorded_score_is_that_of_the_written_weights_on_validation(unbroken):
    folder, record = unbroken
    faces, labels = made_dataset().split("validation")
    costs = cross_entropies(folder / "cnn.keras", faces, labels)
    assert costs.mean() == pytest.approx(record["history"]["val_loss"][record["best_epoch"] - 1], abs=1e-4)
    scores = keras.saving.load_model(folder / "cnn.keras").predict(faces.astype("float32"), verbose=0)
    assert (scores.argmax(axis=1) == labels).mean() == pytest.approx(
        record["scores"]["validation"]["accuracy"]
    )


def test_a_run_leaves_a_log_as_csv_and_for_tensorboard_and_the_newest_checkpoint_alone(unbroken):
    folder, record = unbroken
    with (folder / "run" / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [float(row["val_loss"]) for row in rows] == record["history"]["val_loss"]
    assert sorted(path.name for path in (folder / "run").iterdir()) == [
        "best.keras",
        "epoch_3.keras",
        "log.csv",
        "state.json",
        "tensorboard",
    ]
    for part in ("train", "validation"):
        (events,) = (folder / "run" / "tensorboard" / part).glob("events.out.tfevents.*")
        assert b"epoch_loss" in events.read_bytes()


# --- the command -------------------------------------------------------------------------------------


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


def test_the_command_stops_at_ctrl_c_resumes_refuses_another_run_and_restarts(tmp_path, capsys, ctrl_c):
    data = write_csv(tmp_path / "fer2013.csv", made_dataset())
    run, out = tmp_path / "run", tmp_path / "mine.keras"
    arguments = ["--model", "cnn_lstm", "--data", str(data), "--out", str(out), "--run-dir", str(run)]
    arguments += ["--epochs", "2", "--batch-size", "32"]
    ctrl_c("epoch_2.keras", 1)
    assert main(arguments) == 130
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert message == "Stopped. The same command goes on after the last whole epoch."
    interrupted = json.loads((run / "state.json").read_text())
    assert interrupted["epochs_done"] == 1
    assert not out.exists()

    assert main(arguments) == 0
    record = json.loads((tmp_path / "mine.json").read_text())
    accuracy, best = record["scores"]["validation"]["accuracy"], record["best_epoch"]
    last_line = capsys.readouterr().out.strip().splitlines()[-1]
    assert last_line.startswith(f"cnn_lstm: validation accuracy {accuracy:.2%} at epoch {best} of 2, ")
    assert record["history"]["loss"][:1] == interrupted["history"]["loss"]
    assert record["command"] == f"python -m train {' '.join(arguments)}"
    assert record["arguments"]["dataset_sha256"] == hashlib.sha256(data.read_bytes()).hexdigest()
    assert record["arguments"]["learning_rate"] == RECIPES["cnn_lstm"]["learning_rate"]
    assert record["arguments"]["augmentation"] == RECIPES["cnn_lstm"]["augmentation"]
    assert record["rows"]["left_out"] == 2

    arguments[-3] = "1"
    assert main(arguments) == 1
    assert capsys.readouterr().err.strip().splitlines()[-1] == (
        f"{run / 'state.json'}: expected a run with epochs=1, got one with 2; "
        "add --restart to begin anew, or name another --run-dir."
    )
    assert json.loads((tmp_path / "mine.json").read_text()) == record

    (run / "notes.txt").write_text("mine")
    assert main([*arguments, "--no-augmentation", "--restart"]) == 0
    record = json.loads((tmp_path / "mine.json").read_text())
    assert (record["arguments"]["augmentation"], record["epochs_trained"]) == (None, 1)
    assert not (run / "epoch_2.keras").exists()
    assert (run / "notes.txt").read_text() == "mine"


def test_fine_tuning_begins_with_the_released_weights_and_learns_from_the_given_labels_alone(tmp_path):
    data = write_csv(tmp_path / "fer2013.csv", made_dataset())
    out = tmp_path / "mine.keras"
    arguments = ["--model", "cnn_lstm", "--fine-tune", "--data", str(data), "--out", str(out)]
    assert main([*arguments, "--run-dir", str(tmp_path / "run"), "--epochs", "2", "--degraded", "0.3"]) == 0
    record = json.loads(out.with_suffix(".json").read_text())
    released = ROOT / "models" / "cnn_lstm.keras"
    assert record["arguments"]["start"] == {released.name: hashlib.sha256(released.read_bytes()).hexdigest()}
    assert record["arguments"]["learning_rate"] == 3e-4
    assert record["trained_on"] == "fer2013.csv's own labels, from the weights of cnn_lstm on"
    mine, theirs = (keras.saving.load_model(path).get_weights() for path in (out, released))
    # At so low a rate a few steps move the weights, and not far.
    assert 0 < max(np.abs(own - other).max() for own, other in zip(mine, theirs, strict=True)) < 0.01
    assert record["arguments"]["augmentation"] == RECIPES["cnn_lstm"]["augmentation"] | {"degraded": 0.3}
    assert recipe_of("edge", fine_tune=True)["teachers"] == []


def test_fine_tuning_never_overwrites_the_released_weights(capsys):
    with pytest.raises(SystemExit):
        main(["--model", "edge", "--fine-tune"])
    assert "--fine-tune: expected --out as well" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--epochs", "0"),
        ("--batch-size", "-1"),
        ("--learning-rate", "nan"),
        ("--learning-rate", "inf"),
        ("--patience", "0"),
    ],
)
def test_a_number_that_trains_nothing_is_refused(flag, value, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--model", "cnn", flag, value])
    assert caught.value.code == 2
    assert capsys.readouterr().err.endswith(f"error: {flag}: expected a number above 0, got {value}.\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seed", "-1"], "--seed: expected 0 to 4294967295, got -1."),
        (["--seed", "4294967296"], "--seed: expected 0 to 4294967295, got 4294967296."),
        (["--out", "net.h5"], "--out: expected a file with the ending .keras, got net.h5."),
        (["--run-dir", __file__], f"--run-dir: expected a folder, got the file {__file__}."),
        (["--no-augmentation", "--degraded", "0.3"], "--degraded is part of the augmentation"),
    ],
)
def test_what_could_only_fail_after_hours_or_be_ignored_is_refused_at_once(arguments, message, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--model", "cnn", *arguments])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_a_training_that_diverges_writes_no_model_over_the_one_there_was(tmp_path):
    out = tmp_path / "cnn_lstm.keras"
    out.write_bytes(b"the last one")
    with pytest.raises(
        RunError, match=r"best\.keras: expected finite weights, got others: .* --learning-rate"
    ):
        train_cnn_lstm(tmp_path, made_dataset(), learning_rate=1e38, epochs=2)
    assert out.read_bytes() == b"the last one"
    assert not out.with_suffix(".json").exists()


def damage_state(run):
    (run / "state.json").write_text('{"arguments": {"mo')


def strip_state(run):
    state = json.loads((run / "state.json").read_text())
    del state["history"]
    (run / "state.json").write_text(json.dumps(state))


@pytest.mark.parametrize(
    ("spoil", "named", "found"),
    [
        (damage_state, "state.json", "expected the state of a run, got something else (Unterminated string"),
        (strip_state, "state.json", "expected the state of a run, got one without history; "),
        (
            lambda run: (run / "epoch_3.keras").unlink(),
            "epoch_3.keras",
            "expected a whole .keras file of this",
        ),
        (
            lambda run: (run / "epoch_3.keras").write_bytes(b"PK"),
            "epoch_3.keras",
            "expected a whole .keras file",
        ),
        (lambda run: (run / "best.keras").unlink(), "best.keras", "expected the best weights of this run"),
        (
            lambda run: (run / "best.keras").write_bytes(b"PK"),
            "best.keras",
            "expected a whole .keras file of",
        ),
    ],
)
def test_a_run_with_a_missing_or_damaged_file_is_refused_by_its_name(unbroken, tmp_path, spoil, named, found):
    shutil.copytree(unbroken[0], tmp_path / "copy")
    run = tmp_path / "copy" / "run"
    spoil(run)
    with pytest.raises(RunError) as caught:
        train_cnn(tmp_path / "copy")
    assert str(caught.value).startswith(f"{run / named}: {found}")
    assert str(caught.value).endswith("; add --restart to begin anew, or name another --run-dir.")


def test_a_held_out_validation_split_stands_in_the_record_and_another_is_another_run(tmp_path, capsys):
    made = made_dataset()
    kept = made.splits != "validation"
    two_splits = dataclasses.replace(
        made, faces=made.faces[kept], labels=made.labels[kept], splits=made.splits[kept]
    )
    data = write_csv(tmp_path / "mine.csv", two_splits)
    arguments = ["--model", "cnn_lstm", "--data", str(data), "--out", str(tmp_path / "mine.keras")]
    arguments += ["--run-dir", str(tmp_path / "run"), "--epochs", "1", "--seed", "3"]
    assert main(arguments) == 1
    assert "got none of validation." in capsys.readouterr().err
    assert main([*arguments, "--validation-share", "0.25"]) == 0
    record = json.loads((tmp_path / "mine.json").read_text())
    expected = load_dataset(data, validation_share=0.25)
    assert record["arguments"]["validation_share"] == 0.25
    assert record["arguments"]["validation_seed"] == 0
    assert record["arguments"]["dataset_sha256"] == expected.sha256
    assert record["rows"]["validation"] == len(expected.rows("validation"))
    assert main([*arguments, "--validation-share", "0.2"]) == 1
    assert (
        "expected a run with validation_share=0.2, got one with 0.25; add --restart"
        in capsys.readouterr().err
    )


def test_votes_without_ferplus_are_refused_in_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("FERPLUS", raising=False)
    data = write_csv(tmp_path / "fer2013.csv", made_dataset())
    arguments = ["--model", "cnn", "--votes", "0.5", "--data", str(data), "--run-dir", str(tmp_path / "run")]
    assert main([*arguments, "--out", str(tmp_path / "mine.keras")]) == 1
    message = capsys.readouterr().err.strip().splitlines()[-1]
    assert message.startswith(f"Expected FER+'s votes at {tmp_path / 'fer2013new.csv'}, found no such file.")


def test_missing_votes_are_said_before_the_first_of_several_models_is_trained(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("FERPLUS", raising=False)
    data = write_csv(tmp_path / "fer2013.csv", made_dataset())
    monkeypatch.chdir(tmp_path)
    assert main(["--model", "cnn_lstm", "edge", "--data", str(data), "--epochs", "2"]) == 1
    assert capsys.readouterr().err.strip().splitlines()[-1].startswith("Expected FER+'s votes at ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fer2013.csv"]


def test_settings_that_cannot_be_are_said_before_the_first_of_several_models_is_trained(
    tmp_path, capsys, monkeypatch
):
    data = write_csv(tmp_path / "fer2013.csv", made_dataset())
    monkeypatch.chdir(tmp_path)
    arguments = ["--model", "cnn_lstm", "edge_tiny", "--votes", "0", "--votes-head", "0", "--data", str(data)]
    assert main([*arguments, "--epochs", "2", "--class-weight"]) == 1
    assert capsys.readouterr().err.strip().splitlines()[-1] == (
        "edge_tiny: Expected class weights or teachers, got both: a teacher's scores have no one class. "
        "Leave out --class-weight, or give --teacher-share 0."
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fer2013.csv"]


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
    assert (
        "Give the path of the file, or of a folder of images, or set the environment variable" in done.stderr
    )
    assert done.stderr.count("\n") == 1


def test_a_dataset_that_is_not_there_is_named_without_a_traceback(tmp_path):
    done = run_in(ROOT, FER2013=str(tmp_path / "nowhere.csv"))
    assert (done.returncode, done.stdout) == (1, "")
    place = f"{tmp_path / 'nowhere.csv'} (from the environment variable FER2013)"
    assert done.stderr.startswith(f"{place}: no such file or folder. FER2013 is on Kaggle as ")
    assert done.stderr.count("\n") == 1


def test_training_names_no_backend_but_in_an_operation_for_which_other_backends_have_keras_own():
    for path in sorted((ROOT / "train").glob("*.py")):
        names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
        allowed = {"tf"} if path.name == "precision.py" else set()
        assert names & {"tf", "tensorflow", "torch", "jax", "jnp"} == allowed, path


def test_the_made_up_faces_hold_two_rows_that_training_leaves_out():
    assert np.flatnonzero(~training_rows(made_dataset())).tolist() == [84, 85]


# --- the flagship's recipe ---------------------------------------------------------------------------


def small_edge():
    return build_edge(stem=8, widths=(8, 16), depths=(1, 2))


def train_edge(folder, **changes):
    """Batch normalisation, AdamW with warm-up, votes, cutout and temperature, as the flagship is trained, but
    in small, from the beginning, without teachers and with rare classes preferred."""
    keywords = {
        "model": "edge",
        "build": small_edge,
        "out": folder / "edge.keras",
        "run_dir": folder / "run",
        "tensorboard": False,
        "verbose": 0,
        **RECIPES["edge"],
        "start": None,
        "teachers": [],
        "balance": 0.5,
        "epochs": 3,
        "batch_size": 28,
        "warmup": 1,
    }
    return train(voted_dataset(folder), **keywords | changes)


def voted_dataset(folder):
    """`made_dataset` with FER+'s votes beside it: everybody is sure, and one label off."""
    dataset = made_dataset()
    names = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
    usages = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
    rows = [["Usage", "Image name", *VOTES]]
    for split, label in zip(dataset.splits, (dataset.labels + 1) % 7, strict=True):
        rows.append([usages[split], "", *(10 * (name == names[label]) for name in VOTES)])
    text = "\n".join(",".join(map(str, row)) for row in rows) + "\n"
    (folder / "fer2013new.csv").write_text(text)
    return dataclasses.replace(dataset, path=folder / "made.csv")


def test_a_run_with_batch_normalisation_votes_and_warm_up_goes_on_after_an_interruption(
    tmp_path, monkeypatch
):
    monkeypatch.delenv("FERPLUS", raising=False)
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    record = train_edge(one)

    replace = Path.replace

    def interrupted(self, target):
        if Path(target).name == "epoch_2.keras":
            raise KeyboardInterrupt
        return replace(self, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", interrupted)
        train_edge(two)
    assert json.loads((two / "run" / "state.json").read_text())["epochs_done"] == 1
    resumed = train_edge(two)

    assert_equal_weights(two / "edge.keras", one / "edge.keras")
    assert timeless(resumed["history"]) == timeless(record["history"])
    assert record["trained_on"] == "made.csv's own labels and FER+'s votes"
    # The written weights are the best ones with balance and temperature in the last layer.
    assert 0.1 <= record["temperature"] <= 10 and record["temperature"] != 1
    best, written = (
        keras.saving.load_model(path, compile=False).get_layer("scores").get_weights()
        for path in (one / "run" / "best.keras", one / "edge.keras")
    )
    np.testing.assert_allclose(best[0], written[0] * record["temperature"], rtol=1e-5)
    shares = np.bincount(voted_dataset(one).split("train")[1][:84], minlength=7) / 84
    moved = written[1] * record["temperature"] - best[1]
    np.testing.assert_allclose(moved, -0.5 * np.log(shares), rtol=1e-4, atol=1e-6)
    # What served the training is gone: the head of the votes and the twin that computes in bfloat16.
    network = keras.saving.load_model(one / "edge.keras", compile=False)
    assert [output.shape for output in network.outputs] == [(None, 7)]
    assert {layer.compute_dtype for layer in network.layers} == {"float32"}
    assert [type(layer) for layer in network.layers] == [type(layer) for layer in small_edge().layers]


def cost_of_votes(folder, faces, labels):
    """What the votes of `voted_dataset` cost the second head of the run in `folder`, on average."""
    network = keras.saving.load_model(folder / "run" / "best.keras", compile=False)
    shares = network.predict(faces.astype("float32"), verbose=0)["votes"]
    names = ["anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"]
    votes = [VOTES.index(names[label]) for label in (labels + 1) % 7]
    return -np.log(shares[np.arange(len(votes)), votes]).mean()


def test_the_head_of_the_votes_learns_each_votes_share_and_the_scores_go_by_the_labels(tmp_path, monkeypatch):
    # At a learning rate of 0 the weights stay, so that the epoch's losses can be computed from the outside.
    monkeypatch.delenv("FERPLUS", raising=False)
    dataset = voted_dataset(tmp_path)
    settings = {"learning_rate": 0.0, "batch_size": 1000, "keep_duplicates": True}
    record = train_cnn_lstm(tmp_path, dataset, votes_head=0.5, **settings)
    faces, labels = dataset.split("train")
    costs = cross_entropies(tmp_path / "cnn_lstm.keras", faces, labels)
    of_votes = cost_of_votes(tmp_path, faces, labels)
    history = record["history"]
    assert history["scores_loss"] == [pytest.approx(costs.mean(), rel=1e-5)]
    assert history["votes_loss"] == [pytest.approx(of_votes, rel=1e-5)]
    assert history["loss"] == [pytest.approx(costs.mean() + 0.5 * of_votes, rel=1e-5)]
    assert record["scores"]["validation"]["accuracy"] == history["val_accuracy"][0]
    assert record["trained_on"] == "made.csv's own labels and FER+'s votes"


def test_class_weights_weigh_the_scores_and_not_the_votes(tmp_path, monkeypatch):
    monkeypatch.delenv("FERPLUS", raising=False)
    dataset = voted_dataset(tmp_path)  # 13 rows of two labels, 12 of the others
    settings = {"learning_rate": 0.0, "batch_size": 1000, "keep_duplicates": True}
    record = train_cnn_lstm(tmp_path, dataset, votes_head=0.5, class_weight=True, **settings)
    faces, labels = dataset.split("train")
    costs = weights_by_class(labels) * cross_entropies(tmp_path / "cnn_lstm.keras", faces, labels)
    history = record["history"]
    assert history["scores_loss"] == [pytest.approx(costs.mean(), rel=1e-5)]
    assert history["votes_loss"] == [pytest.approx(cost_of_votes(tmp_path, faces, labels), rel=1e-5)]


def test_votes_make_up_their_share_of_the_targets(tmp_path, monkeypatch):
    # At a learning rate of 0 the weights stay, so that the epoch's loss can be computed from the outside.
    monkeypatch.delenv("FERPLUS", raising=False)
    dataset = voted_dataset(tmp_path)
    record = train_cnn_lstm(tmp_path, dataset, learning_rate=0.0, votes=0.25, keep_duplicates=True)
    faces, labels = dataset.split("train")
    own = cross_entropies(tmp_path / "cnn_lstm.keras", faces, labels).mean()
    # The votes name each label by another one, which the regression undoes: it expects the right label.
    assert record["history"]["loss"] == [pytest.approx(own, rel=0.05)]
    assert record["history"]["loss"] != [pytest.approx(own, rel=1e-6)]


def test_teachers_make_up_their_share_of_the_targets_for_the_faces_as_augmented(tmp_path):
    # At a learning rate of 0 the weights stay, so that the epoch's loss can be computed from the outside.
    dataset = made_dataset()
    teachers = []
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        teachers.append(tmp_path / f"teacher_{seed}.keras")
        build_cnn_lstm().save(teachers[-1])
    augmentation = {"rotation": 0, "scale": 0, "shift": 0, "brightness": 0.2, "contrast": 0}
    record = train_cnn_lstm(
        tmp_path,
        dataset,
        learning_rate=0.0,
        teachers=teachers,
        teacher_share=0.25,
        augmentation=augmentation,
        batch_size=1000,
    )
    keep = training_rows(dataset)
    faces, labels = (part[keep] for part in dataset.split("train"))
    batches = FaceBatches(faces, one_hot(labels), batch_size=1000, seed=0, augmentation=augmentation)
    seen, own = batches[0]
    scores = [keras.saving.load_model(path).predict(seen, verbose=0) for path in teachers]
    targets = 0.75 * own + 0.25 * np.mean(scores, axis=0)
    student = keras.saving.load_model(tmp_path / "cnn_lstm.keras").predict(seen, verbose=0)
    assert record["history"]["loss"] == [pytest.approx(-(targets * np.log(student)).sum(1).mean(), rel=1e-4)]
    assert record["trained_on"] == "made.csv's own labels and the scores of teacher_1, teacher_2"
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in teachers}
    assert (record["arguments"]["teachers"], record["arguments"]["teacher_share"]) == (sums, 0.25)


def test_teachers_that_see_plain_faces_score_each_once_with_its_mirror_image(tmp_path):
    dataset = made_dataset()
    keras.utils.set_random_seed(1)
    build_cnn_lstm().save(tmp_path / "teacher.keras")
    augmentation = {"rotation": 0, "scale": 0, "shift": 0, "brightness": 0.2, "contrast": 0}
    record = train_cnn_lstm(
        tmp_path,
        dataset,
        learning_rate=0.0,
        teachers=[tmp_path / "teacher.keras"],
        teacher_share=0.25,
        teachers_see="plain",
        augmentation=augmentation,
        batch_size=1000,
    )
    keep = training_rows(dataset)
    faces, labels = (part[keep] for part in dataset.split("train"))
    teacher = keras.saving.load_model(tmp_path / "teacher.keras")
    plain, mirrored = (teacher.predict(each, verbose=0) for each in (faces, faces[:, :, ::-1]))
    targets = 0.75 * one_hot(labels) + 0.25 * (plain + mirrored) / 2
    batches = FaceBatches(faces, targets, batch_size=1000, seed=0, augmentation=augmentation)
    seen, wanted = batches[0]
    student = keras.saving.load_model(tmp_path / "cnn_lstm.keras").predict(seen, verbose=0)
    assert record["history"]["loss"] == [pytest.approx(-(wanted * np.log(student)).sum(1).mean(), rel=1e-4)]
    assert record["arguments"]["teachers_see"] == "plain"


def test_a_training_begins_with_the_weights_that_it_is_given(tmp_path):
    keras.utils.set_random_seed(1)
    earlier = build_cnn_lstm()
    earlier.save(tmp_path / "earlier.keras")
    record = train_cnn_lstm(
        tmp_path, made_dataset(), learning_rate=0.0, start=tmp_path / "earlier.keras", augmentation=None
    )
    for found, wanted in zip(
        keras.saving.load_model(tmp_path / "cnn_lstm.keras").get_weights(), earlier.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(found, wanted)
    sha256 = hashlib.sha256((tmp_path / "earlier.keras").read_bytes()).hexdigest()
    assert record["arguments"]["start"] == {"earlier.keras": sha256}


def test_weights_to_start_from_that_are_missing_or_another_nets_are_named(tmp_path):
    with pytest.raises(RunError, match=r"none\.keras: expected weights to start from, a \.keras file"):
        train_cnn_lstm(tmp_path, made_dataset(), start=tmp_path / "none.keras")
    build_cnn_lstm(units=8).save(tmp_path / "other.keras")
    with pytest.raises(RunError, match=r"other\.keras: expected the weights of a net such as cnn_lstm, got"):
        train_cnn_lstm(tmp_path, made_dataset(), start=tmp_path / "other.keras")


@pytest.mark.parametrize(
    "files",
    [None, {"metadata.json": "{}"}, {"config.json": "[]", "metadata.json": "{}"}],
    ids=["cut", "no configuration", "another configuration"],
)
def test_a_teacher_that_is_none_is_named(tmp_path, files):
    teacher = tmp_path / "teacher.keras"
    if files is None:
        teacher.write_bytes(b"PK\x03\x04")
    else:
        with zipfile.ZipFile(teacher, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
    with pytest.raises(RunError, match=f"{teacher}: expected a teacher, a .keras file of this kit"):
        train_cnn_lstm(tmp_path, made_dataset(), teachers=[teacher], teacher_share=0.5)


@pytest.mark.parametrize("channels, classes", [(3, 7), (1, 5)])
def test_a_teacher_of_something_else_is_named(tmp_path, channels, classes):
    faces = keras.Input((48, 48, channels))
    scores = keras.layers.Dense(classes, activation="softmax")(keras.layers.Flatten()(faces))
    keras.Model(faces, scores).save(tmp_path / "teacher.keras")
    with pytest.raises(
        RunError, match=r"teacher\.keras: expected a teacher that gives 7 scores for a gray face"
    ):
        train_cnn_lstm(tmp_path, made_dataset(), teachers=[tmp_path / "teacher.keras"], teacher_share=0.5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"teachers": ["a.keras"]}, "got 1 teachers and a share of 0"),
        ({"teacher_share": 0.5}, "got 0 teachers and a share of 0.5"),
        (
            {"teachers": ["a.keras"], "teacher_share": 0.5, "class_weight": True},
            "weights or teachers, got both",
        ),
        ({"learning_rate": float("inf")}, "a finite learning rate, got inf"),
    ],
)
def test_settings_that_would_be_ignored_or_end_in_nothing_are_refused(tmp_path, changes, message):
    with pytest.raises(RunError, match=message):
        train_cnn_lstm(tmp_path, made_dataset(), **changes)


def test_a_constant_rate_stays_and_excludes_what_would_change_it(tmp_path):
    record = train_cnn_lstm(tmp_path, made_dataset(), schedule="constant", learning_rate=0.0)
    assert record["arguments"]["schedule"] == "constant"
    with pytest.raises(RunError, match="Expected a constant rate or --warmup or --cycle, got two"):
        train_cnn_lstm(tmp_path / "other", made_dataset(), schedule="constant", warmup=1)


def test_a_net_of_ones_own_is_trained_under_its_name_and_callbacks_add_to_the_history(tmp_path):
    def build():
        return build_cnn_lstm(dense=4, units=8)

    class Notes(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["noted"] = 10.0 + epoch

    record = train_cnn_lstm(tmp_path, made_dataset(), model="narrow", build=build, callbacks=[Notes()])
    assert (record["model"], record["parameters"]) == ("narrow", build().count_params())
    assert record["history"]["noted"] == [10.0]


def test_warm_up_raises_the_rate_from_0_and_the_cosine_takes_it_back():
    rates = learning_rates(1.0, 10, epochs=6, cycle=None, warmup=2)
    found = [float(rates(step)) for step in (0, 10, 20, 40, 60)]
    assert found == pytest.approx([0, 0.5, 1, 0.5, 0], abs=1e-6)


def test_a_warm_up_as_long_as_the_training_is_refused(tmp_path):
    with pytest.raises(RunError, match="Expected more epochs than the 1 in which the rate rises, got 1"):
        train_cnn_lstm(tmp_path, made_dataset(), epochs=1, warmup=1)


def test_warm_up_and_cycles_exclude_each_other(tmp_path):
    with pytest.raises(RunError, match="Expected --warmup or --cycle, got both"):
        train_cnn(tmp_path, warmup=1)
