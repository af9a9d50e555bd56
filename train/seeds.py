"""Several seeds of one model: a training each, here or on Ray, and a table of their validation scores."""

import argparse
import os
import statistics
import sys
import traceback
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataset.fer2013 import Dataset
from dataset.load import load_dataset
from dataset.locate import DatasetError, find_dataset
from reporting.command import message_of
from reporting.markdown import table
from reporting.on_ray import RayError, as_they_end, cluster, reason

from .errors import TrainingError
from .options import CORES
from .runs import announce_classes, recipes_for, result_of, train_model

HANDED_ON = ("FERPLUS",)  # variables that say where data lie; those of the dataset are an option


@dataclass(frozen=True)
class Outcome:
    """What became of the training with one seed.

    Attributes:
        seed: Its seed.
        out: The `.keras` file.
        record: Beside it; None where the training failed.
        failure: Why it failed.
    """

    seed: int
    out: Path
    record: Any = None
    failure: str = ""

    @property
    def best_by(self) -> str:
        """The figure by which its best epoch was chosen."""
        return self.record["arguments"]["best_by"]

    @property
    def score(self) -> float:
        """This figure on validation, 0 to 1."""
        return self.record["scores"]["validation"][self.best_by]


def train_seeds(options: argparse.Namespace, dataset: Dataset, command: str) -> int:
    """Trains a model with each seed that the command line names; returns the exit status.

    A training that fails leaves the others as they are.

    Args:
        options: The command line's.
        dataset: What is trained on.
        command: The command line, for the records.

    Raises:
        RayError: There is no cluster, or no room for a training.
        RecipeError: One setting forbids another.
        DatasetError: FER+'s votes are needed, and there are none.
    """
    announce_classes(dataset)
    recipes_for(options, dataset)  # before hours of training
    trainings = [options_of(seed, options) for seed in options.seeds]
    if options.ray:
        outcomes = on_ray(trainings, command)
    else:
        outcomes = (outcome_of(training, dataset, command) for training in trainings)
    ended = {}
    for outcome in outcomes:
        ended[outcome.seed] = outcome
        if outcome.failure:
            print(f"seed {outcome.seed}: failed: {outcome.failure}", file=sys.stderr, flush=True)
        else:
            print(f"seed {outcome.seed}: {result_of(outcome.record)}", flush=True)
    print(summary([ended[seed] for seed in options.seeds]))
    return 1 if any(outcome.failure for outcome in ended.values()) else 0


def options_of(seed: int, options: argparse.Namespace) -> argparse.Namespace:
    """Returns the options of one seed's training, with its own file and its own folder."""
    (model,) = options.model
    out = options.out or Path("runs") / f"{model}.keras"  # models/ holds one file of each model
    run_dir = options.run_dir or Path("runs") / model
    own = copy(options)
    own.seed = seed
    own.out = out.with_stem(f"{out.stem}_seed{seed}")
    own.run_dir = run_dir.with_name(f"{run_dir.name}_seed{seed}")
    return own


def outcome_of(options: argparse.Namespace, dataset: Dataset, command: str) -> Outcome:
    """Trains with one seed; returns what became of it."""
    try:
        ((model, recipe),) = recipes_for(options, dataset).items()
        record = train_model(model, recipe, options, dataset, command)
    except (DatasetError, TrainingError, OSError) as error:
        return Outcome(options.seed, options.out, failure=message_of(error))
    except Exception as error:  # a fault of the program, or of a library
        traceback.print_exc()
        return Outcome(options.seed, options.out, failure=f"{type(error).__name__}: {reason(error)}")
    return Outcome(options.seed, options.out, record)


def on_ray(trainings: Sequence[argparse.Namespace], command: str) -> Iterator[Outcome]:
    """Trains on a Ray cluster; yields what became of each training, as they end."""
    first = trainings[0]
    data = find_dataset(first.data).absolute()
    cores = first.cores or CORES
    environment = {name: str(Path(os.environ[name]).absolute()) for name in HANDED_ON if os.environ.get(name)}
    environment |= {"TF_NUM_INTRAOP_THREADS": str(cores), "TF_CPP_MIN_LOG_LEVEL": "2"}
    calls = [(with_absolute_paths(training), data, command) for training in trainings]
    with cluster(first.address):
        for number, result in as_they_end(outcome_there, calls, cores=cores, environment=environment):
            training = trainings[number]
            if isinstance(result, RayError):
                result = Outcome(training.seed, training.out, failure=str(result))
            yield Outcome(training.seed, training.out, result.record, result.failure)


def with_absolute_paths(options: argparse.Namespace) -> argparse.Namespace:
    """Returns options for a process that runs in another folder."""

    def absolute(value: Any) -> Any:
        if isinstance(value, list):
            return [absolute(item) for item in value]
        return value.absolute() if isinstance(value, Path) else value

    return argparse.Namespace(**{name: absolute(value) for name, value in vars(options).items()})


def outcome_there(options: argparse.Namespace, data: Path, command: str) -> Outcome:
    """Trains with one seed in a process that Ray has started; returns what became of it."""
    try:
        dataset = load_dataset(data, labels=options.labels, validation_share=options.validation_share)
    except (DatasetError, OSError) as error:
        return Outcome(options.seed, options.out, failure=message_of(error))
    return outcome_of(options, dataset, command)


def summary(outcomes: Sequence[Outcome]) -> str:
    """Returns the validation scores as a table, and which one is the best."""
    trained = [outcome for outcome in outcomes if outcome.record is not None]
    rows = [(str(outcome.out), str(outcome.seed), *scores_of(outcome)) for outcome in outcomes]
    figure = trained[0].best_by.replace("_", " ") if trained else "accuracy"
    heads = ("file", "seed", f"validation {figure}", "best epoch", "epochs", "minutes")
    lines = [table(heads, rows, padded=True)]
    if trained:
        best = max(trained, key=lambda outcome: outcome.score)
        lines.append(f"Best on validation: seed {best.seed}, {best.score:.2%}, {best.out}")
    if len(trained) > 1:
        scores = [outcome.score for outcome in trained]
        mean, deviation = statistics.mean(scores), statistics.stdev(scores)
        lines.append(f"Mean {mean:.2%}, standard deviation {100 * deviation:.2f} points.")
    return "\n".join(lines)


def scores_of(outcome: Outcome) -> tuple[str, ...]:
    """Returns the last cells of an outcome's row."""
    record = outcome.record
    if record is None:
        return ("failed", "-", "-", "-")
    return (
        f"{outcome.score:.2%}",
        str(record["best_epoch"]),
        str(record["epochs_trained"]),
        f"{record['seconds'] / 60:.1f}",
    )
