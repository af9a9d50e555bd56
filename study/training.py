"""Trains one experiment with one seed, scores it and writes its result."""

import io
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np

from dataset.duplicates import duplicates_of
from dataset.fer2013 import LABELS, OFFICIAL_SHA256, Dataset
from dataset.ferplus import find_votes, majority_labels, read_votes
from dataset.locate import DatasetError
from reporting.files import write_atomically
from train.checkpoints import forget
from train.recipes import Augmentation, Recipe
from train.record import Record
from train.training import train

from .experiment import Experiment, Settings
from .experiments import CURVES
from .messages import Progress
from .networks import NETWORKS, active_units, multiply_adds
from .results import (
    Faces,
    History,
    Machine,
    OnTest,
    OnVotes,
    Result,
    RightOf,
    confusion_of,
    write,
)
from .split import dataset_of

Report = Callable[[Progress], None]


class AccuracyOnTest(keras.callbacks.Callback):
    """Adds the accuracy on the test split to every epoch's logs; no choice is made by it."""

    def __init__(self, faces: np.ndarray, labels: np.ndarray) -> None:
        """Takes the test split.

        Args:
            faces: Uint8 (n, 48, 48, 1).
            labels: Int64 (n,).
        """
        super().__init__()
        self.faces, self.labels = faces.astype("float32"), labels

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Scores the test split."""
        scores = self.model.predict(self.faces, batch_size=256, verbose=0)
        if logs is not None:
            logs["test_accuracy"] = float(np.mean(scores.argmax(axis=1) == self.labels))


class Reporter(keras.callbacks.Callback):
    """Says about once a second how many epochs are done, parts of one included."""

    def __init__(self, report: Report, *, steps: int) -> None:
        """Takes whom to tell, and the steps of an epoch."""
        super().__init__()
        self.report, self.steps, self.epoch, self.said = report, steps, 0, 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Says how many whole epochs are done."""
        self.epoch = epoch
        self.report(Progress(epoch))

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Says the part of an epoch that is done."""
        if time.monotonic() - self.said >= 1:
            self.said = time.monotonic()
            # Eight steps are run at a time, of which the last may lie beyond the epoch.
            self.report(Progress(self.epoch + min(1, (batch + 1) / self.steps)))

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Says the epoch's validation accuracy."""
        self.report(Progress(epoch + 1, validation_accuracy=(logs or {}).get("val_accuracy")))


def run_experiment(
    experiment: Experiment,
    dataset: Dataset,
    *,
    split: str,
    seed: int,
    result: Path,
    run_dir: Path,
    epochs: int | None = None,
    report: Report = lambda progress: None,
) -> Result:
    """Trains an experiment, scores it and writes its result.

    The weights are those of the epoch with the best validation accuracy. Experiments without a hold-out
    choose the epoch on the test split. For all others the accuracy on the test split chooses nothing. It is
    stored after each epoch for a column of the report.

    Args:
        experiment: What is trained, and how.
        dataset: As read; `split` decides which of it is trained on.
        split: "paper" or "official".
        seed: The number of the training, from 0.
        result: The JSON to write; for the first seed of CURVES the scores stand beside it.
        run_dir: Holds checkpoints, from which a killed training goes on. They are deleted once the result is
            written; the chosen weights, `weights.keras`, stay.
        epochs: In place of the experiment's own.
        report: Is told how far the training is.
    """
    majority = majority_if_any(dataset)  # before hours of training: what is wrong with FER+ is said at once
    divided = dataset_of(experiment, dataset, split=split)
    record = trained(experiment, divided, seed=seed, run_dir=run_dir, epochs=epochs, report=report)
    report(Progress(record["epochs_trained"], scoring=True))
    network = keras.saving.load_model(run_dir / "weights.keras", compile=False)
    # Every experiment is scored on the same faces and labels, whatever it was trained on.
    as_read = replace(experiment, labels="fer2013", leave_out_duplicates=False)
    whole = dataset_of(as_read, dataset, split=split)
    scores = scores_of(network, whole.split("test")[0])
    content = Result(
        experiment=experiment.name,
        split=split,
        seed=seed,
        settings=experiment.settings(seed=seed, epochs=epochs),
        source_sha256=dataset.sha256,
        dataset_sha256=divided.sha256,
        faces=Faces(*(len(divided.rows(name)) for name in ("train", "validation", "test"))),
        parameters=network.count_params(),
        multiply_adds=multiply_adds(network),
        train_accuracy=accuracy_on(network, *divided.split("train")),
        test=scored(scores, whole, duplicates_of(whole)),
        ferplus=None if majority is None else scored_on_votes(scores, majority[whole.rows("test")]),
        active_units=active_units(network, whole.split("test")[0].astype("float32")),
        **recorded(record),
    )
    if experiment.name in CURVES and seed == 0:
        write_scores(result.with_suffix(".npz"), scores[in_order_of_labels(whole)])
    write(result, content)
    forget(run_dir)
    return content


def trained(
    experiment: Experiment, dataset: Dataset, *, seed: int, run_dir: Path, epochs: int | None, report: Report
) -> Record:
    """Trains an experiment into `weights.keras` of its run's folder; returns the record beside it."""
    settings = experiment.settings(seed=seed, epochs=epochs)
    steps = -(-len(dataset.rows("train")) // settings.batch_size)
    return train(
        dataset,
        model=experiment.network_in_words,
        build=partial(NETWORKS[experiment.network], **experiment.options),
        recipe=recipe_of(settings),
        out=run_dir / "weights.keras",
        run_dir=run_dir,
        tensorboard=False,
        callbacks=[AccuracyOnTest(*dataset.split("test")), Reporter(report, steps=steps)],
        verbose=0,
    )


def recipe_of(settings: Settings) -> Recipe:
    """Returns the recipe of a training."""
    return Recipe(
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        schedule=settings.schedule,
        precision=settings.precision,
        seed=settings.seed,
        augmentation=None if settings.augmentation is None else Augmentation(**settings.augmentation),
        class_weight=settings.class_weight,
        patience=settings.patience or settings.epochs,
        keep_duplicates=True,  # as the study did; experiments that leave some out name them
    )


def recorded(record: Record) -> dict[str, Any]:
    """Returns what a result keeps of the record of its training, by the result's fields."""
    return {
        "epochs_trained": record["epochs_trained"],
        "best_epoch": record["best_epoch"],
        "validation_accuracy": record["scores"]["validation"]["accuracy"],
        "seconds": record["seconds"],
        "processor_seconds": round(sum(record["history"]["processor_seconds"]), 1),
        "images_per_second": record["images_per_second"],
        "finished": record["finished"],
        "machine": Machine(**record["machine"], cores=os.cpu_count()),
        "versions": record["versions"],
        "history": history_of(record["history"]),
    }


def history_of(history: dict[str, list[Any]]) -> History:
    """Returns what a result keeps of a training's history; a loss that is no finite number becomes None."""

    def finite(values: Sequence[float | None]) -> list[float | None]:
        return [value if value is not None and math.isfinite(value) else None for value in values]

    losses = {name: finite(history[name]) for name in ("loss", "val_loss")}
    return msgspec.convert(history | losses, History)


def scores_of(network: keras.Model, faces: np.ndarray) -> np.ndarray:
    """Returns a network's scores, float32 (n, 7), of faces, uint8 (n, 48, 48, 1)."""
    return network.predict(faces.astype("float32"), batch_size=256, verbose=0)


def accuracy_on(network: keras.Model, faces: np.ndarray, labels: np.ndarray) -> float:
    """Returns a network's accuracy, 0 to 1."""
    return float(np.mean(scores_of(network, faces).argmax(axis=1) == labels))


def in_order_of_labels(dataset: Dataset) -> np.ndarray:
    """Returns the order, int64 (n,), of the test split in every result: by label, then by sample.

    With it the labels of all predictions are known from how many faces each label has.
    """
    return np.argsort(dataset.split("test")[1], kind="stable")


def scored(scores: np.ndarray, dataset: Dataset, duplicate: np.ndarray) -> OnTest:
    """Returns what a result holds of the test split.

    Args:
        scores: Float32 (n, 7).
        dataset: Has the test split, in the order of the scores.
        duplicate: Bool (n,), the samples whose image is in the training split too.
    """
    labels = dataset.split("test")[1]
    predicted = scores.argmax(axis=1)
    right = predicted == labels
    return OnTest(
        labels=np.bincount(labels, minlength=len(LABELS)).tolist(),
        accuracy=float(right.mean()),
        without_duplicates=RightOf(int((~duplicate).sum()), int(right[~duplicate].sum())),
        confusion=confusion_of(labels, predicted),
        predicted="".join(map(str, predicted[in_order_of_labels(dataset)])),
    )


def majority_if_any(dataset: Dataset) -> np.ndarray | None:
    """Returns FER+'s majority labels for a dataset as read, int64 (samples,); None where FER+ is missing.

    Nor is there any for another dataset than FER2013, whose images people voted on.
    """
    if dataset.sha256 != OFFICIAL_SHA256:
        return None
    try:
        path = find_votes(dataset)
    except DatasetError:
        return None
    return majority_labels(read_votes(path, dataset))


def scored_on_votes(scores: np.ndarray, majority: np.ndarray) -> OnVotes:
    """Returns the test faces scored on FER+'s majority, int64 (n,); those without one, -1, are left out."""
    known = majority >= 0
    counts = confusion_of(majority[known], scores.argmax(axis=1)[known])
    return OnVotes(int(known.sum()), int(np.trace(counts)), counts)


def write_scores(path: Path, scores: np.ndarray) -> None:
    """Writes scores, float32 (n, 7), atomically, as they are: rounded ones would make ties in a ROC curve."""
    packed = io.BytesIO()
    np.savez_compressed(packed, scores=scores.astype(np.float32))
    write_atomically(path, packed.getvalue())
