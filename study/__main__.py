"""`python -m study`: trains every row of the study that has no result yet, and writes the report.

    python -m study --plan                    what there is to do, and about how long it takes
    python -m study --rows 2,LSTM --seeds 0   two rows with one seed each
    python -m study --rows 2,LSTM --epochs 2  a trial, whose results stay out of reports/
    python -m study --report                  reports/study.md anew, from the results

Each training has a process of its own: one that dies takes none of the others with it. A killed study goes
on where it stopped when the same command is given again.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from dataset.fer2013 import OFFICIAL_ROWS, SPLITS
from dataset.load import load_dataset
from dataset.locate import DatasetError, find_dataset

from .experiments import PRINTED_TRAIN_FACES, ROWS, VALIDATION_SHARE, Row, StudyError, settings
from .statistics import check_settings, read_result

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results" / "study"
RUNS = ROOT / "runs" / "study"


@dataclass(frozen=True)
class Training:
    """One row with one seed: where its result and its checkpoints are."""

    row: Row
    seed: int
    split: str
    epochs: int | None
    results: Path
    runs: Path

    @property
    def name(self) -> str:
        return f"{self.split}_{self.row.name}_seed{self.seed}"

    @property
    def result(self) -> Path:
        return self.results / f"{self.name}.json"

    @property
    def run_dir(self) -> Path:
        return self.runs / self.name

    @property
    def most_epochs(self) -> int:
        return self.epochs or self.row.epochs


def trainings_of(options: argparse.Namespace) -> list[Training]:
    """Returns the trainings that the command line asks for: the first seed of every row, then the second."""
    return [
        Training(row, seed, options.split, options.epochs, options.results, options.run_dir)
        for seed in (
            range(max(row.seeds for row in options.rows)) if options.seeds is None else options.seeds
        )
        for row in options.rows
        if options.seeds is not None or seed < row.seeds
    ]


def is_done(training: Training) -> bool:
    """Whether the training has a result; raises StudyError for one of other settings, or a damaged one."""
    if not training.result.exists():
        return False
    asked = settings(training.row, seed=training.seed, epochs=training.epochs)
    check_settings(training.result, read_result(training.result)["settings"], asked)
    return True


# --- running -----------------------------------------------------------------------------------------


class Processes:
    """The trainings that run now; `stop` ends them all."""

    def __init__(self) -> None:
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
    on_progress: Callable[[dict[str, Any]], None],
) -> str | None:
    """Trains in a process of its own; returns None, or why it failed, in one line.

    cores: of the training where several share the machine; None for all. `on_progress` gets what
    `study.worker` says of its progress. What the process writes to stderr is in `log.txt` of its run.
    Raises StudyError where the run's folder or log can't be made.
    """
    if processes.stopped:
        return "stopped"
    log = training.run_dir / "log.txt"
    command = [sys.executable, "-m", "study.worker", training.row.name, "--data", str(data)]
    command += ["--split", training.split, "--seed", str(training.seed)]
    command += ["--result", str(training.result), "--run-dir", str(training.run_dir)]
    command += ["--epochs", str(training.epochs)] if training.epochs else []
    with log_to(log) as errors:
        begin = errors.tell()
        process = processes.start(
            command, cwd=ROOT, env=environment_of(cores), stdout=subprocess.PIPE, stderr=errors, text=True
        )
        if process is None:
            return "stopped"
        failed = ""
        with process:
            for line in process.stdout or ():
                said = said_in(line)
                if "failed" in said:
                    failed = said["failed"]
                elif said:
                    on_progress(said)
    if process.returncode == 0 and training.result.exists():
        return None
    if process.returncode < 0:
        return f"killed by {signal.Signals(-process.returncode).name}; more is in {shown(log)}"
    return failed or f"{last_words(log, begin) or f'exit status {process.returncode}'} (log: {shown(log)})"


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
        raise StudyError(
            f"{error.filename}: expected to write a training's log there, got: {error.strerror}. "
            "Delete it, or name another folder: --run-dir FOLDER"
        ) from error


def said_in(line: str) -> dict[str, Any]:
    """Returns what a line of `study.worker` says; nothing for one that a library wrote."""
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) and ("epochs" in said or "failed" in said) else {}


def last_words(log: Path, begin: int) -> str:
    """Returns a log's last line where a traceback stands after `begin`, which is the error; else ""."""
    text = log.read_bytes()[begin:].decode(errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if "Traceback" in text else ""


def run_all(
    trainings: Sequence[Training], *, data: Path, jobs: int, write_report: Callable[[], Any]
) -> dict[str, str]:
    """Runs the trainings, `jobs` at a time, showing progress; returns why each failed that did.

    `write_report` is called after every result; where it fails, that is said and the trainings go on. Where
    nobody watches a terminal, a line says each epoch.
    """
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    processes = Processes()
    cores = max(1, (os.cpu_count() or 1) // jobs) if jobs > 1 else None
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[state]}"))
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn()) as bars:
        say = partial(bars.console.print, highlight=False, markup=False, soft_wrap=True)
        whole = bars.add_task("all", total=len(trainings), state=f"0 of {len(trainings)}")

        def run(training: Training) -> str | None:
            most = training.most_epochs
            bar = bars.add_task(training.name, total=most, state="starts")
            shown_share = 0.0  # of this training, in the bar of all

            def show(said: dict[str, Any]) -> None:
                nonlocal shown_share
                accuracy = said.get("validation_accuracy")
                if accuracy is not None and not bars.console.is_terminal:
                    say(f"{training.name}: epoch {said['epochs']} of {most}, validation {accuracy:.2%}")
                state = "scores" if "scoring" in said else f"epoch {int(said['epochs']) + 1} of {most}"
                bars.update(bar, completed=said["epochs"], state=state)
                share = said["epochs"] / most
                bars.advance(whole, share - shown_share)
                shown_share = share

            try:
                return run_training(training, data=data, cores=cores, processes=processes, on_progress=show)
            except (StudyError, OSError) as error:
                return str(error)
            finally:
                bars.remove_task(bar)
                bars.advance(whole, 1 - shown_share)

        failures: dict[str, str] = {}
        with ThreadPoolExecutor(jobs) as pool:
            futures = {pool.submit(run, training): training for training in trainings}
            try:
                for number, future in enumerate(as_completed(futures), 1):
                    training = futures[future]
                    bars.update(whole, state=f"{number} of {len(trainings)}")
                    if reason := future.result():
                        failures[training.name] = reason
                        say(f"{training.name}: failed: {reason}")
                    else:
                        try:
                            say(summary(read_result(training.result)))
                            write_report()
                        except (StudyError, OSError) as error:
                            say(str(error))
            except BaseException:
                processes.stop()
                raise
    return failures


def summary(result: dict[str, Any]) -> str:
    """Returns a result in one line."""
    return (
        f"{result['split']}_{result['row']}_seed{result['seed']}: test {result['test']['accuracy']:.2%}, "
        f"validation {result['validation_accuracy']:.2%} at epoch {result['best_epoch']} of "
        f"{result['epochs_trained']}, {result['seconds'] / 60:.0f} min, "
        f"{result['images_per_second']:,.0f} images/s"
    )


def shown(path: Path) -> str:
    """Returns a path as short as it can be said in this checkout."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


# --- the plan ----------------------------------------------------------------------------------------

# A step of training takes three passes (forward; backward to the input, to the weights) of a face's
# multiply-adds; measured on two cores of an AMD EPYC with AVX512-BF16: row 2 at 690 faces/s, in float32.
MULTIPLY_ADDS_PER_SECOND = 27e9  # of the forward pass; that of the other two is in it
SECONDS_PER_FACE = 0.0002  # batches, pooling and the rest
BFLOAT16_SPEEDUP = 1.8  # of the multiply-adds alone


def estimated_seconds_per_epoch(row: Row, multiply_adds: int, faces: int) -> float:
    """Returns about how long an epoch of the row takes on two cores.

    multiply_adds: of one face forward. faces: trained on; one that is only scored counts a third.
    """
    rate = MULTIPLY_ADDS_PER_SECOND * (BFLOAT16_SPEEDUP if row.precision == "bfloat16" else 1)
    return faces * (multiply_adds / rate + SECONDS_PER_FACE)


def expected_epochs(row: Row) -> int:
    """Returns the printed epoch of early stopping; for rows not printed that of the row they are like."""
    if row.patience is None:
        return row.epochs
    if row.printed:
        return row.printed.stopped or row.epochs
    return expected_epochs(ROWS[row.against])


def plan(trainings: Sequence[Training]) -> str:
    """Returns what there is to train as a table: parameters, multiply-adds, epochs, and about how long."""
    from .networks import NETWORKS, multiply_adds

    paper = bool(trainings) and trainings[0].split == "paper"
    every = sum(OFFICIAL_ROWS.values())
    trained = sum(PRINTED_TRAIN_FACES) * (1 - VALIDATION_SHARE) if paper else OFFICIAL_ROWS["train"]
    faces = round(trained + (every - trained) / 3)
    head = ("training", "parameters", "multiply-adds", "epochs", "minutes", "")
    lines, minutes_left, first_minutes = [head], 0.0, 0.0
    for training in trainings:
        row = training.row
        network = NETWORKS[row.network](**row.options)
        epochs = min(expected_epochs(row), training.most_epochs)
        minutes = epochs * estimated_seconds_per_epoch(row, multiply_adds(network), faces) / 60
        state = ""
        if is_done(training):
            # Other work of the machine makes a training longer, but takes none of its processor time.
            minutes, state = read_result(training.result)["processor_seconds"] / 2 / 60, "done"
        else:
            minutes_left += minutes
        first_minutes += minutes if training.seed == 0 else 0.0
        at_most = f"{epochs} of {training.most_epochs}" if epochs < training.most_epochs else str(epochs)
        numbers = (f"{network.count_params():,}", f"{multiply_adds(network):,}", at_most, f"{minutes:.0f}")
        lines.append((training.name, *numbers, state))
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    table = [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    left = f"About {minutes_left / 60:.1f} hours are left on two cores"
    if first_minutes:
        left += f"; the first seed of all these rows takes {first_minutes / 60:.1f}"
    return "\n".join([*table, f"\n{left}. Epochs of early stopping: as printed."])


# --- the command -------------------------------------------------------------------------------------


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Returns the command line's arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m study",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--rows", type=rows_named, default=list(ROWS.values()), metavar="2,LSTM", help=f"of {', '.join(ROWS)}"
    )
    parser.add_argument(
        "--seeds", type=seeds_named, metavar="0,1", help="default: 0, of rows that train fast 0,1,2"
    )
    parser.add_argument("--split", choices=["paper", "official"], default="paper", help="(default: paper)")
    parser.add_argument("--jobs", type=positive, default=1, help="trainings at a time (default: 1)")
    parser.add_argument("--epochs", type=positive, help="a trial: so many epochs in the place of each row's")
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
    trial = RUNS / f"{options.epochs}_epochs"
    options.results = (options.results or (trial / "results" if options.epochs else RESULTS)).absolute()
    options.run_dir = (options.run_dir or (trial if options.epochs else RUNS)).absolute()
    return options


def rows_named(text: str) -> list[Row]:
    """Returns the rows of a list such as '2,LSTM'."""
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in ROWS:
            raise argparse.ArgumentTypeError(f"expected rows out of {', '.join(ROWS)}, got {name!r}.")
    return [ROWS[name] for name in dict.fromkeys(names)]


def seeds_named(text: str) -> list[int]:
    """Returns the seeds of a list such as '0,1'."""
    if not all(is_number(seed.strip()) for seed in text.split(",")):
        raise argparse.ArgumentTypeError(f"expected whole numbers below {10**9} such as 0,1, got {text!r}.")
    return list(dict.fromkeys(int(seed) for seed in text.split(",")))


def is_number(text: str) -> bool:
    """Whether a text is digits alone, of the ten that `int` and people expect, and not endlessly many."""
    return text.isascii() and text.isdigit() and len(text) < 10


def positive(text: str) -> int:
    """Returns a whole number from 1 on."""
    if not is_number(text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to 999999999, got {text!r}.")
    return int(text)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status: 1 where a row failed or nothing could be run."""
    options = parse(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        return run(options)
    except (DatasetError, StudyError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. The same command goes on after the last whole epoch.", file=sys.stderr)
        return 130


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
    waiting = [training for training in trainings if not is_done(training)]
    if waiting:
        splits = SPLITS if options.split == "official" else ("train",)
        check_source(options.results, load_dataset(data, splits=splits, progress=sys.stderr.isatty()).sha256)
    missing: list[str] = []
    report_of = partial(write_report, options.results, on_missing=missing.append)
    report_of()  # what keeps it from being written is said before hours of training
    failures = run_all(waiting, data=data.resolve(), jobs=options.jobs, write_report=report_of)
    missing.clear()
    try:
        report = report_of()
        done = len(waiting) - len(failures)
        print(
            f"{done} of {len(waiting)} trained, {len(trainings) - len(waiting)} had a result. {shown(report)}"
        )
        for reason in missing:
            print(f"The report is without its conclusions. {reason}", file=sys.stderr)
    finally:  # also where something beside the results keeps the report from being written
        for name, reason in failures.items():
            print(f"{name}: failed: {reason}", file=sys.stderr)
    return 1 if failures else 0


def check_there_are_results(folder: Path) -> None:
    """Raises StudyError for a folder without results, or one that can't be read."""
    try:
        found = any("_seed" in path.name and path.suffix == ".json" for path in folder.iterdir())
    except FileNotFoundError:
        found = False
    except OSError as error:
        raise StudyError(f"{folder}: expected a folder of results, got: {error.strerror}.") from error
    if not found:
        raise StudyError(f"{folder}: expected a folder of results, found none. `python -m study` makes some.")


def check_place(folder: Path, content: str, option: str) -> None:
    """Makes a folder for `content`, named by `option`; raises StudyError where none can be written into."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StudyError(
            f"{folder}: expected a folder for {content}, got: {error.strerror}. Name another: {option} FOLDER"
        ) from error


def check_source(results: Path, sha256: str) -> None:
    """Raises StudyError where results of another dataset than this one stand in the folder."""
    for path in sorted(results.glob("*_seed*.json")):
        found = read_result(path).get("source_sha256")
        if found != sha256:
            raise StudyError(
                f"{path}: expected a result on this dataset (sha256 {sha256[:16]}...), got one on another "
                f"({str(found)[:16]}...). Name another folder: --results FOLDER"
            )


if __name__ == "__main__":
    sys.exit(main())
