"""One experiment with one seed, in a process of its own.

`python -m study` starts it and reads its standard output (`study.messages`).
"""

import argparse
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dataset.locate import DatasetError
from train.errors import DivergedError, RunError, TrainingError

from .errors import StudyError
from .experiments import EXPERIMENTS
from .messages import Failure, Progress, encoded, refused


@contextmanager
def alone_in(run_dir: Path) -> Iterator[None]:
    """Keeps other trainings out of a run's folder inside the `with`; raises StudyError where one is in it."""
    run_dir.mkdir(parents=True, exist_ok=True)
    with (run_dir / "lock").open("w") as file:
        try:
            import fcntl
        except ImportError:  # on Windows
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StudyError(
                f"{run_dir}: expected a folder of this training alone, got one in which another is at work. "
                "Wait for its end, or name another --run-dir.",
                path=run_dir,
                option="--run-dir",
            ) from None
        yield


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Returns the command line that `study` writes."""
    parser = argparse.ArgumentParser(prog="python -m study.worker", description=__doc__.splitlines()[0])
    parser.add_argument("experiment", choices=EXPERIMENTS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", choices=["paper", "official"], required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--result", type=Path, required=True)
    parser.add_argument("--run-dir", type=Path, required=True)
    return parser.parse_args(arguments)


def run(options: argparse.Namespace) -> Failure | None:
    """Trains what the command line asks for, unless it has a result; returns why it could not."""
    from dataset.load import load_dataset

    from .training import run_experiment

    try:
        with alone_in(options.run_dir):
            if options.result.exists():  # another command has made it since this one was asked for
                return None
            run_experiment(
                EXPERIMENTS[options.experiment],
                load_dataset(options.data, splits=("train",)),
                split=options.split,
                seed=options.seed,
                result=options.result,
                run_dir=options.run_dir,
                epochs=options.epochs,
                report=say,
            )
    except DivergedError:
        reason = (
            f"{options.run_dir}: expected finite weights, got others: it diverged. Give experiment "
            f"{options.experiment} a lower learning rate in study/experiments.py, and delete the folder."
        )
        return Failure("diverged", reason, path=str(options.run_dir))
    except RunError as error:
        # Its own message names options that the study does not have.
        why = f"{error.path}: {error.reason}"
        reason = f"{options.run_dir} can't be resumed: delete it to train from the start ({why})."
        return Failure("refused", reason, path=str(options.run_dir))
    except StudyError as error:
        return refused(error)
    except (DatasetError, TrainingError, OSError) as error:
        return Failure("refused", str(error))
    return None


def say(message: Progress | Failure) -> None:
    """Writes a message to standard output at once."""
    print(encoded(message), flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line that `study` writes; returns the exit status, 1 where a failure was said."""
    options = parse(arguments)
    try:
        failure = run(options)
    except BrokenPipeError:  # whoever started this process is gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains at its end
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # a fault of the program: the log gets the traceback, the study the reason
        traceback.print_exc()
        failure = Failure("crashed", " ".join(f"{type(error).__name__}: {error}".split()))
    if failure:
        say(failure)
    return 1 if failure else 0


if __name__ == "__main__":
    sys.exit(main())
