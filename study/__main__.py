"""`python -m study`: trains every experiment of the study that has no result yet, and writes the report.

    python -m study --plan                              what there is to do, and about how long it takes
    python -m study --experiments 2,LSTM --seeds 0      two experiments with one seed each
    python -m study --experiments 2,LSTM --epochs 2     a trial, whose results stay out of results/
    python -m study --report                            write reports/study.md again, from the results

Each training has a process of its own: one that dies takes none of the others with it. A killed study goes
on where it stopped when the same command is given again.
"""

import argparse
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from dataset.fer2013 import SPLITS
from dataset.load import load_dataset
from dataset.locate import DatasetError, find_dataset
from reporting.command import is_number, run_command, whole_numbers
from reporting.files import FolderError, make_folder
from reporting.on_ray import RayError

from .errors import StudyError
from .experiment import Experiment
from .experiments import EXPERIMENTS
from .messages import Failure
from .on_ray import run_on_ray
from .plan import plan
from .processes import ROOT, Training, run_all, shown
from .results import read_result

RESULTS = ROOT / "results" / "study"
RUNS = ROOT / "runs" / "study"
CORES = 2  # of a training on Ray


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Returns the command line's arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m study",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--experiments",
        type=experiments_named,
        default=list(EXPERIMENTS.values()),
        metavar="2,LSTM",
        help=f"of {', '.join(EXPERIMENTS)}",
    )
    parser.add_argument(
        "--seeds", type=whole_numbers, metavar="0,1", help="default: 0, of experiments that train fast 0,1,2"
    )
    parser.add_argument("--split", choices=["paper", "official"], default="paper", help="(default: paper)")
    parser.add_argument("--jobs", type=positive, default=1, help="trainings at a time (default: 1)")
    parser.add_argument(
        "--ray", action="store_true", help="run them as tasks of Ray, on this machine or a cluster"
    )
    parser.add_argument("--address", help="with --ray: of the cluster; auto on one of its machines")
    parser.add_argument(
        "--cores", type=positive, help=f"with --ray: cores of each training (default: {CORES})"
    )
    parser.add_argument(
        "--epochs", type=positive, help="a trial: so many epochs in place of each experiment's"
    )
    parser.add_argument("--data", type=Path, help="fer2013.csv (.gz, .xz, .zip) or a folder of images")
    parser.add_argument(
        "--results",
        type=Path,
        metavar="FOLDER",
        help="of the results; the report is written beside it (default: results/study; of a trial "
        "runs/study/<epochs>_epochs/results)",
    )
    parser.add_argument(
        "--run-dir",
        type=Path,
        metavar="FOLDER",
        help="of checkpoints and logs (default: runs/study; of a trial runs/study/<epochs>_epochs)",
    )
    parser.add_argument("--report", action="store_true", help="only write the report from the results")
    parser.add_argument(
        "--plan", action="store_true", help="only say what there is to train and how long it takes"
    )
    options = parser.parse_args(arguments)
    if options.report and options.plan:
        parser.error("expected --report or --plan, got both.")
    if (options.address or options.cores) and not options.ray:
        parser.error("--address and --cores: expected --ray as well.")
    if options.ray and options.jobs != 1:
        parser.error("expected --jobs, for this machine, or --ray, got both.")
    trial = RUNS / f"{options.epochs}_epochs"
    options.results = (options.results or (trial / "results" if options.epochs else RESULTS)).absolute()
    options.run_dir = (options.run_dir or (trial if options.epochs else RUNS)).absolute()
    return options


def experiments_named(text: str) -> list[Experiment]:
    """Returns the experiments of a list such as '2,LSTM'."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in EXPERIMENTS:
            known = ", ".join(EXPERIMENTS)
            raise argparse.ArgumentTypeError(f"expected experiments out of {known}, got {name!r}.")
    return [EXPERIMENTS[name] for name in dict.fromkeys(names)]


def positive(text: str) -> int:
    """Returns a whole number from 1 on."""
    if not is_number(text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to 999999999, got {text!r}.")
    return int(text)


def trainings_of(options: argparse.Namespace) -> list[Training]:
    """Returns the trainings that are asked for: the first seed of every experiment, then the second."""
    most = max(experiment.seeds for experiment in options.experiments)
    return [
        Training(experiment, seed, options.split, options.epochs, options.results, options.run_dir)
        for seed in (range(most) if options.seeds is None else options.seeds)
        for experiment in options.experiments
        if options.seeds is not None or seed < experiment.seeds
    ]


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status: 1 where one failed or nothing could be run."""
    options = parse(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return run_command(
        partial(run, options),
        errors=(DatasetError, StudyError, FolderError, RayError),
        stopped="Stopped. The same command goes on after the last whole epoch.",
    )


def run(options: argparse.Namespace) -> int:
    """Does what the command line asks for; returns the exit status."""
    from .report import write_report

    if options.report:
        check_there_are_results(options.results)
        print(f"Wrote {shown(write_report(options.results))}")
        return 0
    trainings = trainings_of(options)
    if options.plan:
        print(plan(trainings))
        return 0
    data = find_dataset(options.data)
    check_place(options.results, "results", "--results")
    check_place(options.run_dir, "checkpoints", "--run-dir")
    waiting = [training for training in trainings if not training.is_done]
    if waiting:
        splits = SPLITS if options.split == "official" else ("train",)
        check_source(options.results, load_dataset(data, splits=splits, progress=sys.stderr.isatty()).sha256)
    missing: list[StudyError] = []
    report_of = partial(write_report, options.results, on_missing=missing.append)
    report_of()  # what keeps it from being written is said before hours of training
    failures = run_waiting(waiting, data.resolve(), options, report_of)
    missing.clear()
    done = f"{len(waiting) - len(failures)} of {len(waiting)} trained, "
    done += f"{len(trainings) - len(waiting)} had a result."
    report_at_the_end(report_of, done, missing, failures)
    return 1 if failures else 0


def run_waiting(
    trainings: list[Training], data: Path, options: argparse.Namespace, write_report: Callable[[], Path]
) -> dict[str, Failure]:
    """Runs the trainings on this machine or on Ray; returns why each failed that did, by name."""
    if not options.ray:
        return run_all(trainings, data=data, jobs=options.jobs, write_report=write_report)
    cores = options.cores or CORES
    return run_on_ray(trainings, data=data, address=options.address, cores=cores, write_report=write_report)


def report_at_the_end(
    write_report: Callable[[], Path], done: str, missing: list[StudyError], failures: dict[str, Failure]
) -> None:
    """Writes the report and says what was done; failures are named also where it can't be written."""
    try:
        print(f"{done} {shown(write_report())}")
        for error in missing:
            print(f"The report is without its conclusions. {error}", file=sys.stderr)
    finally:
        for name, failure in failures.items():
            print(f"{name}: failed: {failure.reason}", file=sys.stderr)


def check_there_are_results(folder: Path) -> None:
    """Raises StudyError for a folder without results, or one that can't be read."""
    try:
        found = any("_seed" in path.name and path.suffix == ".json" for path in folder.iterdir())
    except FileNotFoundError:
        found = False
    except OSError as error:
        raise StudyError(
            f"{folder}: expected a folder of results, got: {error.strerror}.", path=folder
        ) from error
    if not found:
        raise StudyError(
            f"{folder}: expected a folder of results, found none. `python -m study` makes some.", path=folder
        )


def check_place(folder: Path, content: str, option: str) -> None:
    """Makes a folder for `content`, named by `option`; raises StudyError where none can be written into."""
    try:
        make_folder(folder)
    except FolderError as error:
        raise StudyError(
            f"{folder}: expected a folder for {content}, got: {error.reason}. Name another: {option} FOLDER",
            path=folder,
            option=option,
        ) from error


def check_source(results: Path, sha256: str) -> None:
    """Raises StudyError where results of another dataset than this one stand in the folder."""
    for path in sorted(results.glob("*_seed*.json")):
        found = read_result(path).source_sha256
        if found != sha256:
            raise StudyError(
                f"{path}: expected a result on this dataset (sha256 {sha256[:16]}...), got one on another "
                f"({found[:16]}...). Name another folder: --results FOLDER",
                path=path,
                option="--results",
            )


if __name__ == "__main__":
    sys.exit(main())
