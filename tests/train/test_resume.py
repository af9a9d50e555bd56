"""Runs that were cut off: what is left of them, what goes on from it, and what is refused."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("keras")
pytest.importorskip("tensorflow")

from tests.support.trainings import (
    assert_equal_weights,
    logged,
    small_network,
    timeless,
    train_broken_off,
)
from train.errors import RunError

ROOT = Path(__file__).resolve().parents[2]
ADVICE = "; add --restart to start over, or name another --run-dir."

# Dies just before the `number`-th file called `name` takes its place: an old file stays beside new ones.
KILLED_RUN = """
import os, signal, sys
from pathlib import Path
from tests.support.trainings import train_broken_off

name, left = sys.argv[2], int(sys.argv[3])

def kill(event, arguments):
    global left
    if event == "os.rename" and Path(arguments[1]).name == name:
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(kill)
train_broken_off(Path(sys.argv[1]))
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
        assert not (tmp_path / "small.keras").exists()

    resumed = train_broken_off(tmp_path)

    assert_equal_weights(tmp_path / "small.keras", folder / "small.keras")
    assert timeless(resumed["history"]) == timeless(record["history"])
    assert len(resumed["history"]["seconds"]) == 3
    assert resumed["best_epoch"] == record["best_epoch"]
    assert resumed["arguments"] == record["arguments"]
    assert logged(tmp_path) == logged(folder)


# As the code wrote them before the settings were renamed and all of them were stored.
EARLIER_ARGUMENTS = {
    "model": "small",
    "epochs": 3,
    "batch_size": 16,
    "learning_rate": 0.001,
    "cycle": 2,
    "weight_decay": 0.0,
    "warmup": 0,
    "votes": 0.0,
    "votes_head": 0.0,
    "precision": "float32",
    "balance": 0.0,
    "calibrate": False,
    "seed": 4,
    "augmentation": {"rotation": 10, "scale": 0.1, "shift": 0.08, "brightness": 0.08, "contrast": 0.15},
    "class_weight": False,
    "patience": 20,
    "keep_repeats": False,
    "validation_share": None,
    "validation_seed": None,
    "dataset_sha256": "5" * 64,
}


def with_arguments(interrupted, folder, arguments):
    """A copy of the interrupted run in `folder`, whose state holds these arguments."""
    shutil.copytree(interrupted, folder, dirs_exist_ok=True)
    path = folder / "run" / "state.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"arguments": arguments}))


def test_a_run_begun_before_settings_were_renamed_goes_on_to_the_weights_of_the_unbroken_run(
    unbroken, interrupted, tmp_path
):
    folder, record = unbroken
    with_arguments(interrupted, tmp_path, EARLIER_ARGUMENTS)
    resumed = train_broken_off(tmp_path)
    assert_equal_weights(tmp_path / "small.keras", folder / "small.keras")
    assert timeless(resumed["history"]) == timeless(record["history"])
    assert resumed["arguments"] == record["arguments"]


@pytest.mark.parametrize(
    ("earlier", "difference"),
    [
        ({"keep_repeats": True}, "keep_duplicates=False, got one with True"),
        ({"balance": 0.5}, "logit_adjustment=0.0, got one with 0.5"),
        ({"start": {"edge.keras": "5" * 64}}, "initial_weights=None, got one with {'edge.keras': "),
        ({"teachers": {"edge.keras": "5" * 64}}, "teachers={}, got one with {'edge.keras': "),
        ({"schedule": "constant"}, "schedule='cosine', got one with 'constant'"),
        ({"votes_sha256": "5" * 64}, "votes_sha256=None, got one with '555"),
        ({"augmentation": None}, "augmentation={'rotation': 10"),
    ],
)
def test_a_run_of_before_with_another_setting_is_not_resumed(interrupted, tmp_path, earlier, difference):
    with_arguments(interrupted, tmp_path, EARLIER_ARGUMENTS | earlier)
    with pytest.raises(RunError) as caught:
        train_broken_off(tmp_path)
    assert caught.value.reason.startswith(f"expected a run with {difference}")


def test_a_finished_run_is_not_trained_again(unbroken, tmp_path):
    folder, record = unbroken
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    again = train_broken_off(tmp_path)
    assert again["history"] == record["history"]
    assert again["seconds"] == record["seconds"]
    assert_equal_weights(tmp_path / "small.keras", folder / "small.keras")


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"seed": 5}, "seed=5, got one with 4"),
        ({"warm_restart_after": 3}, "warm_restart_after=3, got one with 2"),
        ({"epochs": 4}, "epochs=4, got one with 3"),
        ({"augmentation": None}, "augmentation=None, got one with {'rotation': 10"),
        ({"class_weight": True}, "class_weight=True, got one with False"),
    ],
)
def test_a_run_with_another_setting_is_not_resumed_and_the_error_says_what_to_do(
    unbroken, changes, difference
):
    folder, _ = unbroken
    with pytest.raises(RunError) as caught:
        train_broken_off(folder, **changes)
    assert caught.value.path == folder / "run" / "state.json"
    message = str(caught.value)
    assert message.startswith(f"{caught.value.path}: expected a run with {difference}")
    assert message.endswith(ADVICE)


def test_a_run_of_a_network_that_is_built_otherwise_now_is_not_resumed(unbroken, tmp_path):
    shutil.copytree(unbroken[0], tmp_path, dirs_exist_ok=True)
    with pytest.raises(RunError) as caught:
        train_broken_off(tmp_path, build=lambda: small_network(units=4))
    assert caught.value.path == tmp_path / "run" / "epoch_3.keras"
    assert caught.value.reason.startswith("expected the 7 layers of small as it is built now, ")
    assert str(caught.value).endswith(ADVICE)


def damage_state(run):
    (run / "state.json").write_text('{"arguments": {"mo')


def strip_state(run):
    state = json.loads((run / "state.json").read_text())
    del state["history"]
    (run / "state.json").write_text(json.dumps(state))


def retype_state(run):
    state = json.loads((run / "state.json").read_text()) | {"epochs_done": "three"}
    (run / "state.json").write_text(json.dumps(state))


STATE = "expected the state of a run, got something else"
CHECKPOINT = "expected a whole .keras file of this run"


@pytest.mark.parametrize(
    ("spoil", "named", "found"),
    [
        (damage_state, "state.json", f"{STATE} (Unterminated string"),
        (strip_state, "state.json", f"{STATE} (Object missing required field `history`"),
        (retype_state, "state.json", f"{STATE} (Expected `int`, got `str` - at `$.epochs_done`"),
        (lambda run: (run / "epoch_3.keras").unlink(), "epoch_3.keras", CHECKPOINT),
        (lambda run: (run / "epoch_3.keras").write_bytes(b"PK"), "epoch_3.keras", CHECKPOINT),
        (lambda run: (run / "best.keras").unlink(), "best.keras", "expected the best weights of this run"),
        (lambda run: (run / "best.keras").write_bytes(b"PK"), "best.keras", CHECKPOINT),
    ],
)
def test_a_run_with_a_missing_or_damaged_file_is_refused_by_its_name(unbroken, tmp_path, spoil, named, found):
    shutil.copytree(unbroken[0], tmp_path / "copy")
    run = tmp_path / "copy" / "run"
    spoil(run)
    with pytest.raises(RunError) as caught:
        train_broken_off(tmp_path / "copy")
    assert str(caught.value).startswith(f"{run / named}: {found}")
    assert str(caught.value).endswith(ADVICE)


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
