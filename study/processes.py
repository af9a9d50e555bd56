"""Runs trainings, each in a process of its own, several at a time."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from .bars import Bars, progress_bars
from .errors import StudyError
from .experiment import Experiment
from .messages import Failure, Progress, decoded, refused
from .results import Result, check_settings, read_result

ROOT = Path(__file__).resolve().parents[1]
STOPPED = Failure("stopped", "stopped")


@dataclass(frozen=True)
class Training:
    """One experiment with one seed: where its result and its checkpoints are.

    Attributes:
        experiment: What is trained.
        seed: The number of the training, from 0.
        split: "paper" or "official".
        epochs: In place of the experiment's own, for a trial; else None.
        results: The folder of results.
        runs: The folder of the runs' folders.
    """

    experiment: Experiment
    seed: int
    split: str
    epochs: int | None
    results: Path
    runs: Path

    @property
    def name(self) -> str:
        """The name of its result and of its run's folder."""
        return f"{self.split}_{self.experiment.name}_seed{self.seed}"

    @property
    def result(self) -> Path:
        """The file of its result."""
        return self.results / f"{self.name}.json"

    @property
    def run_dir(self) -> Path:
        """The folder of its checkpoints and its log; one of the experiment's former name is gone on with."""
        former = self.runs / f"{self.split}_{self.experiment.former_name}_seed{self.seed}"
        own = self.runs / self.name
        return former if self.experiment.former_name and former.exists() and not own.exists() else own

    @property
    def most_epochs(self) -> int:
        """How many epochs it takes at most."""
        return self.epochs or self.experiment.epochs

    @property
    def is_done(self) -> bool:
        """Whether it has a result; raises StudyError for one of other settings, or a damaged one."""
        if not self.result.exists():
            return False
        asked = self.experiment.settings(seed=self.seed, epochs=self.epochs)
        check_settings(self.result, read_result(self.result).settings, asked)
        return True


class Processes:
    """The trainings that run now; `stop` ends them all."""

    def __init__(self) -> None:
        """Begins with none."""
        self.lock = threading.Lock()
        self.running: set[subprocess.Popen] = set()
        self.stopped = False

    def start(self, command: Sequence[str], **options: Any) -> subprocess.Popen | None:
        """Returns the started process; None once all were stopped."""
        with self.lock:
            if self.stopped:
                return None
            process = subprocess.Popen(command, **options)
            self.running.add(process)
            return process

    def stop(self) -> None:
        """Ends all, and starts no more."""
        with self.lock:
            self.stopped = True
            for process in self.running:
                process.terminate()


def run_training(
    training: Training,
    *,
    data: Path,
    cores: int | None,
    processes: Processes,
    on_progress: Callable[[Progress], None],
) -> Failure | None:
    """Trains in a process of its own; returns why it failed, None where it did not.

    Args:
        training: What is trained.
        data: The dataset.
        cores: Of the training where several share the machine; None for all.
        processes: Starts and stops it.
        on_progress: Is told how far it is.

    Raises:
        StudyError: The run's folder or log can't be made.
    """
    if processes.stopped:
        return STOPPED
    log = training.run_dir / "log.txt"
    with log_to(log) as errors:
        process = processes.start(
            command_of(training, data),
            cwd=ROOT,
            env=environment_of(cores),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        if process is None:
            return STOPPED
        said = listen(process, on_progress)
    if process.returncode == 0 and training.result.exists():
        return None
    return said_or_ended(said, process.returncode, log)


def listen(process: subprocess.Popen, on_progress: Callable[[Progress], None]) -> Failure | None:
    """Waits for the end of a training's process; returns the failure that it said."""
    failure = None
    with process:
        for message in map(decoded, process.stdout or ()):
            if isinstance(message, Failure):
                failure = message
            if isinstance(message, Progress):
                on_progress(message)
    return failure


def said_or_ended(failure: Failure | None, status: int, log: Path) -> Failure:
    """Returns why a process failed, with its log where that says more: what it said, else how it ended."""
    if failure and failure.kind != "crashed":
        return failure
    if failure:
        how = failure.reason
    elif status < 0:
        how = f"killed by {signal.Signals(-status).name}"
    else:
        how = f"exit status {status}"
    return Failure(failure.kind if failure else "ended", f"{how} (log: {shown(log)})", path=str(log))


def command_of(training: Training, data: Path) -> list[str]:
    """Returns the command line of a training's process."""
    command = [sys.executable, "-m", "study.worker", training.experiment.name, "--data", str(data)]
    command += ["--split", training.split, "--seed", str(training.seed)]
    command += ["--result", str(training.result), "--run-dir", str(training.run_dir)]
    return command + (["--epochs", str(training.epochs)] if training.epochs else [])


def environment_of(cores: int | None) -> dict[str, str]:
    """Returns the environment of a training with so many cores, None for all; what the user has set stays."""
    threads = dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS"), str(cores)) if cores else {}
    return {"TF_CPP_MIN_LOG_LEVEL": "2", **threads, **os.environ}


def log_to(path: Path) -> BinaryIO:
    """Returns a log, open at its end: what a training that is at work in the folder has written stays."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("ab")
    except OSError as error:
        place = Path(error.filename or path)
        raise StudyError(
            f"{place}: expected to write a training's log there, got: {error.strerror}. "
            "Delete it, or name another folder: --run-dir FOLDER",
            path=place,
            option="--run-dir",
        ) from error


def run_all(
    trainings: Sequence[Training], *, data: Path, jobs: int, write_report: Callable[[], Any]
) -> dict[str, Failure]:
    """Runs the trainings, `jobs` at a time, showing progress; returns why each failed that did, by name.

    `write_report` is called after every result; where it fails, that is said and the trainings go on.
    """
    processes = Processes()
    cores = max(1, (os.cpu_count() or 1) // jobs) if jobs > 1 else None
    failures: dict[str, Failure] = {}
    with progress_bars(len(trainings)) as bars, ThreadPoolExecutor(jobs) as pool:
        run = partial(run_shown, data=data, cores=cores, processes=processes, bars=bars)
        futures = {pool.submit(run, training): training for training in trainings}
        try:
            for number, future in enumerate(as_completed(futures), 1):
                bars.count(number)
                tell(bars, futures[future], future.result(), failures, write_report)
        except BaseException:
            processes.stop()
            raise
    return failures


def tell(
    bars: Bars,
    training: Training,
    failure: Failure | None,
    failures: dict[str, Failure],
    write_report: Callable[[], Any],
) -> None:
    """Says what became of a training; a failure is kept, a result written into the report."""
    if failure:
        failures[training.name] = failure
        bars.say(f"{training.name}: failed: {failure.reason}")
    else:
        bars.say(said_of(training, write_report))


def said_of(training: Training, write_report: Callable[[], Any]) -> str:
    """Writes the report with a new result; returns the result in one line, and why there is no report."""
    said = []
    try:
        said.append(summary(read_result(training.result)))
        write_report()
    except (StudyError, OSError) as error:
        said.append(str(error))
    return "\n".join(said)


def run_shown(
    training: Training, *, data: Path, cores: int | None, processes: Processes, bars: Bars
) -> Failure | None:
    """Runs a training with a bar of its own."""
    with bars.bar_of(training.name, training.most_epochs) as show:
        return failure_of(training, data=data, cores=cores, processes=processes, on_progress=show)


def failure_of(
    training: Training,
    *,
    data: Path,
    cores: int | None,
    processes: Processes,
    on_progress: Callable[[Progress], None],
) -> Failure | None:
    """Runs a training; returns why it failed. An error of its folder fails it, not the study."""
    try:
        return run_training(training, data=data, cores=cores, processes=processes, on_progress=on_progress)
    except StudyError as error:
        return refused(error)
    except OSError as error:
        return Failure("refused", str(error))


def summary(result: Result) -> str:
    """Returns a result in one line."""
    return (
        f"{result.name}: test {result.test.accuracy:.2%}, validation {result.validation_accuracy:.2%} at "
        f"epoch {result.best_epoch} of {result.epochs_trained}, {result.seconds / 60:.0f} min, "
        f"{result.images_per_second:,.0f} images/s"
    )


def shown(path: Path) -> str:
    """Returns a path as short as this checkout allows."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
