"""Give damaged images, videos and models to the runtime: does anything crash, hang, or end in a traceback?

    python -m benchmarks fuzz --images 10000 --videos 1000 --models 1000 --detectors 1000 --seed 0

Each case damages a whole file in one to three ways and gives it to the runtime in a process of its own.
Images and videos are read and their faces labelled, videos with every output that `ferkit run` has; models
are opened and run. A result or an error of ferkit's own kinds is well. A process that ends by a signal is a
crash, one that takes longer than the limit hangs, and any other exception would be a traceback. Seed, kind
and number alone decide a case: `--only images:17` runs that one again.

Files of classifiers ("models") and of our detector are damaged in three ways, in rotation: the file beside
its true card, whose sha256 it must meet; the file beside a card forged to fit it, where only the engine is
between the damage and the process; the card beside its true file.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.artifacts import ROOT
from benchmarks.fuzz_cases import KINDS, MODEL_CASES, OWN_ERRORS, Case, recognizer, run_case, whole_detectors
from benchmarks.schemas import read_as
from reporting.command import at_least
from reporting.files import page_of, write_atomically, write_json
from reporting.machine import Device, describe_device
from reporting.markdown import table
from reporting.progress import progress
from reporting.templates import render_template

RESULTS = ROOT / "results" / "fuzz.json"
TEMPLATE = Path(__file__).with_name("fuzz.md.j2")
OUTCOMES = ("good", "refused", "crash", "hang", "traceback")
BAD = OUTCOMES[2:]
TIME_LIMIT_S = 30.0
MEMORY_BYTES = 8 * 2**30  # of addresses, a worker; a header may ask for more pixels than there is memory


@dataclass(frozen=True)
class Result:
    """How a case ended; `outcome` is one of OUTCOMES."""

    case: Case
    outcome: str
    said: str
    seconds: float


@dataclass(frozen=True)
class Group:
    """The cases of one kind, models by what was damaged: how many ended how."""

    name: str
    cases: int
    good: int
    refused: int
    crash: int
    hang: int
    traceback: int
    slowest_s: float
    slowest: str  # such as "images:17"


@dataclass(frozen=True)
class Fuzz:
    """What the JSON holds; `found` are the cases that ended badly."""

    command: str
    device: Device
    detector: str
    groups: list[Group]
    found: list[Result]


def work(connection: Connection, run: Callable[[Case], str]) -> None:
    """Runs each case that comes and sends `(outcome, said)` back, until None comes: the worker's process."""
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)  # libraries write about what is damaged
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    connection.send("ready")
    while (case := connection.recv()) is not None:
        try:
            answer = "good", run(case)
        except OWN_ERRORS as error:
            answer = "refused", f"{type(error).__name__}: {error}"
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            answer = (
                "traceback",
                f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})",
            )
        connection.send(answer)


def watch(cases: Sequence[Case], run: Callable[[Case], str], *, limit_s: float) -> Iterator[Result]:
    """Runs cases in a worker, a new one after a crash or a hang; yields how each ended."""
    context = multiprocessing.get_context("spawn")
    process = connection = None
    for case in cases:
        if process is None or connection is None:
            connection, other = context.Pipe()
            process = context.Process(target=work, args=(other, run), daemon=True)
            process.start()
            other.close()
            connection.recv()  # it has imported what it needs, which is no part of a case's time
        start = time.monotonic()
        connection.send(case)
        try:
            outcome, said = connection.recv() if connection.poll(limit_s) else ("hang", f"over {limit_s:g} s")
        except EOFError:
            process.join()
            outcome, said = "crash", _ending(process.exitcode)
        yield Result(case, outcome, " ".join(said.split())[:300], time.monotonic() - start)
        if outcome in ("crash", "hang"):
            process.kill()
            process.join()
            process = connection = None
    if process is not None and connection is not None:
        connection.send(None)
        process.join()


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


class Run:
    """`run_case` with its seed, folder and detector, in a form that reaches another process."""

    def __init__(self, seed: int, folder: Path, detector: str | None) -> None:
        """Takes the seed of all cases, a folder for their files, and what finds the faces."""
        self.seed = seed
        self.folder = folder
        self.detector = detector

    def __call__(self, case: Case) -> str:
        """Runs a case."""
        return run_case(case, seed=self.seed, folder=self.folder, detector=self.detector)


def groups_of(results: Sequence[Result]) -> list[Group]:
    """Returns the results counted by kind, models by what was damaged."""
    members: dict[str, list[Result]] = {}
    for result in results:
        kind, number = result.case
        name = f"{kind}, {MODEL_CASES[number % 3]}" if kind in ("models", "detectors") else kind
        members.setdefault(name, []).append(result)
    groups = []
    for name, group in members.items():
        counts = Counter(result.outcome for result in group)
        slowest = max(group, key=lambda result: result.seconds)
        groups.append(
            Group(
                name=name,
                cases=len(group),
                good=counts["good"],
                refused=counts["refused"],
                crash=counts["crash"],
                hang=counts["hang"],
                traceback=counts["traceback"],
                slowest_s=slowest.seconds,
                slowest=f"{slowest.case[0]}:{slowest.case[1]}",
            )
        )
    return groups


def groups_table(groups: Sequence[Group]) -> str:
    """Returns a row for each group."""
    heads = (
        "files",
        "cases",
        "gave a result",
        "refused in a line",
        "crashes",
        "hangs",
        "tracebacks",
        "slowest s",
    )
    rows = [
        (
            group.name,
            f"{group.cases:,}",
            f"{group.good:,}",
            f"{group.refused:,}",
            f"{group.crash:,}",
            f"{group.hang:,}",
            f"{group.traceback:,}",
            f"{group.slowest_s:.1f} (`{group.slowest}`)",
        )
        for group in groups
    ]
    return table(heads, rows)


def render(results: Fuzz) -> str:
    """Returns the page as Markdown."""
    engines = ", ".join(f"{engine} {version}" for engine, version in results.device["engines"].items())
    data = {"results": results, "table": groups_table(results.groups), "engines": engines}
    return render_template(TEMPLATE, data)


def read_fuzz(path: Path) -> Fuzz:
    """Returns what this benchmark wrote; raises ResultsError for anything else."""
    return read_as(
        Fuzz,
        path,
        expected="what `python -m benchmarks fuzz` wrote",
        advice="Run `python -m benchmarks fuzz` again.",
    )


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks fuzz", description=(__doc__ or "").splitlines()[0]
    )
    for kind, count in zip(KINDS, (10_000, 1_000, 1_000, 1_000), strict=True):
        parser.add_argument(
            f"--{kind}", type=at_least(0), default=count, metavar="N", help="cases (default: %(default)s)"
        )
    parser.add_argument(
        "--seed", type=at_least(0), default=0, help="decides the cases (default: %(default)s)"
    )
    parser.add_argument(
        "--detector", help="what finds the faces, as `ferkit run` takes it (default: its own)"
    )
    parser.add_argument("--time-limit", type=float, default=TIME_LIMIT_S, metavar="SECONDS")
    parser.add_argument("--only", metavar="KIND:NUMBER", help="run a single case, and write nothing")
    parser.add_argument(
        "--out",
        type=Path,
        default=RESULTS,
        help="the results; reports/ gets their page (default: results/fuzz.json)",
    )
    parser.add_argument(
        "--report", action="store_true", help="run nothing: write the page of the results at --out"
    )
    return parser


def cases_of(parser: argparse.ArgumentParser, options: argparse.Namespace) -> list[Case]:
    """Returns the cases that the command line asks for."""
    if options.detectors and not options.only:
        whole_detectors()  # raises where there are none to damage
    if not options.only:
        return [(kind, number) for kind in KINDS for number in range(getattr(options, kind))]
    kind, _, number = options.only.partition(":")
    if kind not in KINDS or not number.isdecimal():
        parser.error(f"--only: expected such as images:17, got {options.only!r}")
    return [(kind, int(number))]


def run_cases(cases: Sequence[Case], *, seed: int, detector: str | None, limit_s: float) -> list[Result]:
    """Returns how each case ended, with a progress bar; limit_s: of a case."""
    with tempfile.TemporaryDirectory() as folder:
        ended = watch(cases, Run(seed, Path(folder), detector), limit_s=limit_s)
        results = [next(ended) for _ in progress(cases, "damaged files")]
        next(ended, None)  # lets the worker end
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns 1 where a case ended badly, else 0."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.report:
        results = read_fuzz(options.out)
    else:
        ended = run_cases(
            cases_of(parser, options),
            seed=options.seed,
            detector=options.detector,
            limit_s=options.time_limit,
        )
        found = [result for result in ended if result.outcome in BAD]
        if options.only:
            print(*ended, sep="\n")
            return int(bool(found))
        flags = [f"--{kind} {getattr(options, kind)}" for kind in KINDS] + [f"--seed {options.seed}"]
        flags += [f"--detector {options.detector}"] if options.detector else []
        results = Fuzz(
            command=f"python -m benchmarks fuzz {' '.join(flags)}",
            device=describe_device(),
            detector=recognizer(options.detector).detector.name,
            groups=groups_of(ended),
            found=found,
        )
        write_json(options.out, asdict(results))
    page = render(results)
    write_atomically(page_of(options.out), page)
    print(page)
    return int(bool(results.found))
