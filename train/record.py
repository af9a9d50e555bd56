"""The record beside the weights: how they came about, so that the same training can be run again."""

import datetime
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, NotRequired, TypedDict

import keras
import numpy as np

from dataset.fer2013 import LABELS, OFFICIAL_SHA256, Dataset
from dataset.ferplus import find_votes
from reporting.files import sha256_of
from reporting.machine import processor_name

from .checkpoints import State
from .errors import WeightsError
from .recipes import Recipe, recorded
from .weights import INITIAL_WEIGHTS, TEACHER


class Samples(TypedDict):
    """How many samples were trained on, also of each class, left out of training, and validated on."""

    train: int
    train_by_class: NotRequired[dict[str, int]]
    left_out: int
    validation: int


class Record(TypedDict):
    """What `models/<name>.json` holds.

    `python -m benchmarks evaluate` adds scores to it; `note` is written by hand.

    Attributes:
        model: The name of the model.
        command: The command line.
        note: What the other fields can't say.
        arguments: The recipe's settings as `train.recipes.recorded` gives them, the model's name, and the
            sha256 of the dataset and of FER+'s votes.
        weights_sha256: Of the `.keras` file.
        parameters: How many the network has.
        labels: In the order of the scores.
        trained_on: The sources of the targets, in words.
        samples: How many there were.
        epochs_trained: How many.
        best_epoch: The one whose weights were kept, from 1: the best on validation by `arguments.best_by`.
        temperature: By which the logits were divided; 1 for none.
        distribution: Of a network that several processes trained together: how many `processes` in the last
            epoch (the history has those of each), and the faces of a step of all, `global_batch`.
        scores: Metrics by split.
        seconds: Of all epochs.
        images_per_second: Of the training, checkpoints and validation included.
        finished: The date.
        machine: Processor and system.
        versions: Of Python and packages.
        history: A list of values for each metric, one an epoch.
    """

    model: str
    command: str
    note: NotRequired[str]
    arguments: dict[str, Any]
    weights_sha256: str
    parameters: int
    labels: list[str]
    trained_on: str
    samples: Samples
    epochs_trained: int
    best_epoch: int
    temperature: NotRequired[float]
    distribution: NotRequired[dict[str, int]]
    scores: dict[str, dict[str, float]]
    seconds: float
    images_per_second: float
    finished: str
    machine: dict[str, str]
    versions: dict[str, str]
    history: dict[str, list[float]]


def arguments_of(model: str, recipe: Recipe, dataset: Dataset) -> dict[str, Any]:
    """Returns everything that decides a training, as JSON values: a run resumes where they are equal.

    Raises:
        DatasetError: The recipe needs FER+'s votes, and there are none.
        WeightsError: A teacher or the initial weights are missing.
    """
    check_files(recipe)
    own = {} if dataset.classes == LABELS else {"classes": list(dataset.classes)}
    return {
        "model": model,
        **recorded(recipe),
        **own,
        "validation_share": dataset.validation_share,
        "validation_seed": dataset.validation_seed,
        "dataset_sha256": dataset.sha256,
        "votes_sha256": sha256_of(find_votes(dataset)) if recipe.uses_votes else None,
    }


def check_files(recipe: Recipe) -> None:
    """Raises WeightsError where a file of the recipe is missing."""
    wanted = dict.fromkeys(recipe.teachers, TEACHER)
    if recipe.initial_weights is not None:
        wanted[recipe.initial_weights] = INITIAL_WEIGHTS
    for path, expected in wanted.items():
        if not path.is_file():
            raise WeightsError(path, f"expected {expected}, got no file")


def sources_of(recipe: Recipe, dataset: Dataset) -> str:
    """Returns what the targets were made of, in words."""
    official = dataset.sha256 == OFFICIAL_SHA256
    words = f"{'FER2013' if official else dataset.path.name}'s own labels"
    if dataset.votes is not None:
        words = f"the majority of FER+'s votes on {dataset.path.name}"
    if recipe.uses_votes:
        words += " and FER+'s votes"
    if recipe.teachers:
        words += f" and the scores of {', '.join(path.stem for path in recipe.teachers)}"
    if recipe.initial_weights is not None:
        words += f", from the weights of {recipe.initial_weights.stem} on"
    return words


@dataclass(frozen=True)
class FinalScores:
    """What the chosen weights came to.

    Attributes:
        validation: Accuracy on validation, and the figure that chose the epoch, 0 to 1, by their names.
        temperature: By which their logits were divided.
    """

    validation: dict[str, float]
    temperature: float = 1.0


def record_of(
    network: keras.Model,
    out: Path,
    state: State,
    recipe: Recipe,
    dataset: Dataset,
    samples: Samples,
    scores: FinalScores,
    *,
    command: str,
) -> Record:
    """Returns the record of a finished training; `out` is the network's `.keras` file."""
    assert state.best_epoch is not None  # a finished run has one
    backend = keras.backend.backend()
    record: Record = {
        "model": state.arguments["model"],
        "command": command,
        "arguments": state.arguments,
        "weights_sha256": sha256_of(out),
        "parameters": network.count_params(),
        "labels": list(dataset.classes),
        "trained_on": sources_of(recipe, dataset),
        "samples": samples,
        "epochs_trained": state.epochs_done,
        "best_epoch": state.best_epoch,
        "temperature": scores.temperature,
        "scores": {"validation": scores.validation},
        "seconds": round(state.seconds, 1),
        "images_per_second": round(samples["train"] * state.epochs_done / state.seconds, 1),
        "finished": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": {"processor": processor_name(), "system": platform.platform(terse=True)},
        "versions": {
            "python": platform.python_version(),
            "keras": keras.__version__,
            "backend": backend,
            backend: backend_version(),
            "numpy": np.__version__,
        },
        "history": state.history,
    }
    if "processes" in state.history:
        processes = int(state.history["processes"][-1])
        record["distribution"] = {"processes": processes, "global_batch": recipe.batch_size}
    return record


def backend_version() -> str:
    """Returns the version of the package that Keras computes with."""
    backend = keras.backend.backend()
    for package in (backend, f"{backend}-cpu"):
        try:
            return version(package)
        except ModuleNotFoundError:
            continue
    return "unknown"
