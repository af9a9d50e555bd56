"""The record beside the weights: what it holds, and that the released models' records are such."""

import hashlib
import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("tensorflow")

import keras

from dataset.fer2013 import LABELS
from tests.support.made_faces import made_dataset
from tests.support.trainings import BROKEN_OFF, cross_entropies, scores_of, small_network
from train.models import MODELS
from train.recipes import completed, recorded
from train.record import Record

RELEASED = Path(__file__).resolve().parents[2] / "models"


def test_the_record_says_how_the_weights_came_about(unbroken):
    folder, record = unbroken
    assert json.loads((folder / "small.json").read_text()) == record
    assert record["command"] == "python -m train --model cnn --seed 4"
    assert record["arguments"] == {
        "model": "small",
        "epochs": 3,
        "batch_size": 16,
        "learning_rate": 1e-3,
        "schedule": "cosine",
        "warm_restart_after": 2,
        "weight_decay": 0.0,
        "warmup": 0,
        "vote_share": 0.0,
        "vote_head_weight": 0.0,
        "teachers": {},
        "teacher_share": 0.0,
        "teacher_temperature": 1.0,
        "teacher_input": "augmented",
        "initial_weights": None,
        "frozen_epochs": 0,
        "precision": "float32",
        "logit_adjustment": 0.0,
        "temperature_scaling": False,
        "seed": 4,
        "augmentation": {
            "rotation": 10,
            "scale": 0.1,
            "shift": 0.08,
            "brightness": 0.08,
            "contrast": 0.15,
            "cutout": 0.0,
            "surroundings": 0.0,
            "degraded": 0.0,
        },
        "class_weight": False,
        "best_by": "accuracy",
        "patience": 20,
        "keep_duplicates": False,
        "validation_share": None,
        "validation_seed": None,
        "dataset_sha256": "5" * 64,
        "votes_sha256": None,
    }
    weights = (folder / "small.keras").read_bytes()
    assert record["weights_sha256"] == hashlib.sha256(weights).hexdigest()
    assert record["parameters"] == small_network().count_params()
    assert record["labels"] == list(LABELS)
    faces = dict.fromkeys(LABELS, 12)
    assert record["samples"] == {"train": 84, "train_by_class": faces, "left_out": 2, "validation": 28}
    assert record["versions"]["keras"] == keras.__version__
    assert record["versions"]["backend"] == keras.backend.backend()
    assert record["versions"][keras.backend.backend()][0].isdigit()
    assert record["versions"]["numpy"] == np.__version__


def test_the_record_holds_the_history_and_its_best_epoch(unbroken):
    _, record = unbroken
    history = record["history"]
    assert record["epochs_trained"] == BROKEN_OFF["epochs"] == 3
    assert set(history) == {"accuracy", "loss", "val_accuracy", "val_loss", "seconds", "processor_seconds"}
    assert [len(values) for values in history.values()] == [3] * 6
    assert all(seconds > 0 for seconds in history["processor_seconds"])
    assert record["best_epoch"] == 1 + int(np.argmax(history["val_accuracy"]))
    assert record["scores"] == {"validation": {"accuracy": max(history["val_accuracy"])}}
    assert record["seconds"] == pytest.approx(sum(history["seconds"]), abs=0.06)
    assert record["images_per_second"] == pytest.approx(84 * 3 / sum(history["seconds"]), rel=0.05)


def test_the_recorded_score_is_that_of_the_written_weights_on_validation(unbroken):
    folder, record = unbroken
    faces, labels = made_dataset().split("validation")
    costs = cross_entropies(folder / "small.keras", faces, labels)
    assert costs.mean() == pytest.approx(record["history"]["val_loss"][record["best_epoch"] - 1], abs=1e-4)
    accuracy = (scores_of(folder / "small.keras", faces).argmax(axis=1) == labels).mean()
    assert accuracy == pytest.approx(record["scores"]["validation"]["accuracy"])


# --- the released models -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_a_released_record_is_one_and_names_its_weights(name):
    record = json.loads((RELEASED / f"{name}.json").read_text())
    msgspec.convert(record, Record)
    assert record.keys() <= Record.__annotations__.keys()
    weights = (RELEASED / f"{name}.keras").read_bytes()
    assert record["weights_sha256"] == hashlib.sha256(weights).hexdigest()
    assert record["model"] == name


@pytest.mark.parametrize("name", MODELS)
def test_a_released_record_has_the_settings_of_todays_recipe(name):
    arguments = json.loads((RELEASED / f"{name}.json").read_text())["arguments"]
    recipe = json.loads(json.dumps(recorded(MODELS[name].recipe)))
    assert {key: value for key, value in completed(arguments).items() if key in recipe} == recipe
    assert set(arguments) <= set(completed(arguments))  # no name of before is left
