"""One network, trained by several processes together: the command `python -m train --distribute`."""

from functools import partial
from pathlib import Path

from dataset.fer2013 import Dataset

from .cluster import Place
from .distribution import joined
from .models import MODELS
from .recipes import Recipe
from .record import Record, arguments_of
from .training import release, train_run


def train_together(
    place: Place,
    dataset: Dataset,
    *,
    model: str,
    recipe: Recipe,
    out: Path,
    run_dir: Path,
    restart: bool = False,
    command: str = "",
    timeout: float,
    verbose: str | int = "auto",
) -> Record | None:
    """Trains as `train.training.train` does, as one process of several; process 0 alone writes.

    Args:
        place: Which process this is.
        dataset: The same in all.
        model: A name of `MODELS`.
        recipe: The settings.
        out: The `.keras` file that process 0 writes; the record has the ending .json.
        run_dir: The folder of checkpoints and logs of process 0. The number of processes may have been
            another one before.
        restart: Whether to delete what an earlier run left there.
        command: The command line, for the record.
        timeout: How long to wait for the other processes, in seconds.
        verbose: As Keras's `fit` takes it; of process 0.

    Returns:
        The record; None in the other processes.

    Raises:
        DatasetError: As of `train`.
        TrainingError: As of `train`; a `ClusterError` where processes do not come together or one is lost.
    """
    arguments = arguments_of(model, recipe, dataset)
    with joined(place, arguments, run_dir, restart=restart, timeout=timeout) as group:
        run, data = train_run(
            group.folder,
            arguments,
            dataset,
            recipe,
            build=partial(MODELS[model].build, classes=len(dataset.classes)),
            restart=restart,
            verbose=0 if place.process else verbose,
            group=group,
        )
    return None if place.process else release(run, dataset, recipe, data, out=out, command=command)
