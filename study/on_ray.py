"""Runs trainings on a Ray cluster, each in a process of its own there."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from reporting.on_ray import RayError, as_they_end, cluster

from .bars import progress_bars
from .messages import Failure, Progress
from .processes import Processes, Training, failure_of, tell

HANDED_ON = ("FERPLUS",)  # variables that say where data lie; those of the dataset are an option


def run_on_ray(
    trainings: Sequence[Training],
    *,
    data: Path,
    address: str | None,
    cores: int,
    write_report: Callable[[], Any],
) -> dict[str, Failure]:
    """Runs the trainings, as many at a time as there is room for; returns why each failed that did, by name.

    Args:
        trainings: What is trained. Results, runs and data are at the same paths on every machine.
        data: The dataset.
        address: Of the cluster; None: one of this machine.
        cores: Of each training.
        write_report: Is called after every result; where it fails, that is said and the trainings go on.

    Raises:
        RayError: There is no cluster, or no room for a training.
    """
    failures: dict[str, Failure] = {}
    environment = {name: str(Path(os.environ[name]).absolute()) for name in HANDED_ON if os.environ.get(name)}
    calls = [(training, data, cores) for training in trainings]
    with progress_bars(len(trainings)) as bars, cluster(address):
        ended = as_they_end(run_here, calls, cores=cores, environment=environment)
        for done, (number, outcome) in enumerate(ended, 1):
            if isinstance(outcome, RayError):
                outcome = Failure("ended", str(outcome))
            tell(bars, trainings[number], outcome, failures, write_report)
            bars.count(done)
            bars.advance()
    return failures


def run_here(training: Training, data: Path, cores: int) -> Failure | None:
    """Runs a training on the machine on which Ray calls this; returns why it failed."""

    def unheard(progress: Progress) -> None:
        """Nobody listens."""

    return failure_of(training, data=data, cores=cores, processes=Processes(), on_progress=unheard)
