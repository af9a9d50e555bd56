"""Trainings that take a second: a small network, a few drawn faces. Needs Keras."""

import csv
import dataclasses
import sys
from pathlib import Path

import keras
import numpy as np
from keras import layers

from tests.support.made_faces import made_dataset, voted_dataset
from train.architectures import build_edge
from train.models import MODELS
from train.recipes import Recipe
from train.training import train

SETTINGS = {field.name for field in dataclasses.fields(Recipe)}
# The run that tests break off and repeat: dropout, augmentation, warm restarts.
BROKEN_OFF = {
    "epochs": 3,
    "warm_restart_after": 2,
    "seed": 4,
    "augmentation": MODELS["cnn"].recipe.augmentation,
    "command": "python -m train --model cnn --seed 4",
}


def small_network(*, dropout=0.0, units=8):
    faces = keras.Input((48, 48, 1), name="faces")
    x = layers.Rescaling(1 / 255)(faces)
    x = layers.AveragePooling2D(4)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(units, activation="relu")(x)
    x = layers.Dropout(dropout)(x)
    return keras.Model(faces, layers.Dense(7, activation="softmax", name="scores")(x), name="small")


def small_network_with_dropout():
    return small_network(dropout=0.5)


def train_small(folder, dataset=None, **changes):
    """Trains `small_network` for an epoch at a constant rate of 0.001; `changes` override anything of it."""
    keywords = {
        "epochs": 1,
        "batch_size": 16,
        "learning_rate": 1e-3,
        "model": "small",
        "build": small_network,
        "out": folder / "small.keras",
        "run_dir": folder / "run",
        "tensorboard": False,
        "verbose": 0,
    } | changes
    recipe = Recipe(**{name: keywords.pop(name) for name in SETTINGS & keywords.keys()})
    return train(dataset or made_dataset(), recipe=recipe, **keywords)


def train_broken_off(folder, dataset=None, **changes):
    return train_small(folder, dataset, **{"build": small_network_with_dropout, **BROKEN_OFF, **changes})


def small_edge():
    return build_edge(stem=4, widths=(8,), depths=(1,))


def train_edge(folder, **changes):
    """The flagship's recipe in small: batch normalization, AdamW with warmup, votes, cutout, temperature.

    Rare classes are preferred as well.
    """
    recipe = dataclasses.asdict(MODELS["edge"].recipe) | {"augmentation": MODELS["edge"].recipe.augmentation}
    small = {"build": small_edge, "logit_adjustment": 0.5, "epochs": 2, "batch_size": 28, "warmup": 1}
    return train_small(folder, voted_dataset(folder), **recipe | small | changes)


class Interruption(keras.callbacks.Callback):
    """A Ctrl-C at the beginning of an epoch, counted from 0."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt


def weights_of(path):
    return keras.saving.load_model(path, compile=False).get_weights()


def assert_equal_weights(path, other):
    for one, two in zip(weights_of(path), weights_of(other), strict=True):
        np.testing.assert_array_equal(one, two)


def timeless(history):
    """A history without its times."""
    return {name: values for name, values in history.items() if not name.endswith("seconds")}


def scores_of(path, faces):
    """The scores of the network at `path`, `(n, 7)`; without `predict`, which first makes a graph."""
    network = keras.saving.load_model(path, compile=False)
    return keras.ops.convert_to_numpy(network(faces.astype("float32"), training=False))


def cross_entropies(path, faces, labels):
    """What each face costs the network at `path`, `(n,)`."""
    scores = scores_of(path, faces)
    return -np.log(scores[np.arange(len(labels)), labels])


def logged(folder):
    """The rows of a run's log.csv without their times."""
    with (folder / "run" / "log.csv").open(newline="") as file:
        return [timeless(row) for row in csv.DictReader(file)]


if __name__ == "__main__":  # a run in a process of its own, that a test kills
    train_broken_off(Path(sys.argv[1]))
