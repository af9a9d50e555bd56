"""Measure the runtime as a user meets it, and write reports/realtime.md.

    python -m benchmarks realtime                      stages, latency and whole processes: about 20 minutes
    python -m benchmarks realtime --only latency       one of them; the others stay as they were measured
    python -m benchmarks realtime --only soak --soak 100000
    python -m benchmarks realtime --quick --clock cpu  on a busy machine: processor time of this process
    python -m benchmarks realtime --table              only write the report and docs/benchmarks.md

The frames show the head of the NASA portrait, moving, once or up to ten times, in a made-up room. A reader
that gives 30 or 60 frames/s through the live path stands for a camera. The results are saved after each
section.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.artifacts import ROOT
from benchmarks.errors import MissingPackageError, ResultsError
from benchmarks.scenes import read_portrait
from benchmarks.scoring import say
from benchmarks.speed.effort import FULL, QUICK
from benchmarks.speed.live import measure_latency
from benchmarks.speed.processes import measure_processes
from benchmarks.speed.realtime_report import TABLES, read_realtime, render, summary_table
from benchmarks.speed.sections import Section, measure_sections
from benchmarks.speed.soak import measure_soak
from benchmarks.speed.stages import CLOCKS, measure_stages
from reporting.files import write_atomically
from reporting.machine import describe_device
from reporting.markdown import rewrite_block
from reporting.templates import TemplateEngineError
from runtime.model import DEFAULT_MODEL

REPORT = ROOT / "reports" / "realtime.md"
RESULTS = ROOT / "results" / "realtime.json"
STOPPED = "Stopped. The sections that were finished are in the results."


def sections_of(
    options: argparse.Namespace, names: Sequence[str], command: str
) -> dict[str, Callable[[], Section]]:
    """Returns what measures each of the sections that the command line names."""
    effort = QUICK if options.quick else FULL
    portrait, model, offline = read_portrait(), options.model, options.offline
    rows_of: dict[str, Callable[[], list]] = {
        "stages": lambda: measure_stages(model, effort, portrait, clock=options.clock, offline=offline),
        "latency": lambda: measure_latency(model, effort, portrait, offline=offline),
        "processes": lambda: measure_processes(model, effort),
        "soak": lambda: measure_soak(model, portrait, frames=options.soak, offline=offline),
    }

    def measure(name: str) -> Section:
        device = describe_device()  # before the work, for the load of other programs
        clock = options.clock if name == "stages" else "wall"
        return Section(device=device, clock=clock, model=model, command=command, rows=rows_of[name]())

    return {name: lambda name=name: measure(name) for name in names}  # type: ignore[misc]


def write_pages(options: argparse.Namespace) -> None:
    """Writes the report and the block of docs/benchmarks.md from the results.

    Raises:
        ResultsError: The results are missing, or lack a section of the block.
        BlockError: The page has no place for the block.
    """
    results = read_realtime(options.results)
    if not (results.stages and results.latency and results.processes):
        raise ResultsError(
            options.results,
            "what `python -m benchmarks realtime` measured",
            "not all of stages, latency and processes",
            "Run it without --table.",
        )
    block = summary_table(results.stages, results.latency, results.processes)
    rewrite_block(options.page, block, name="realtime")
    write_atomically(options.out, render(results))
    print(f"Wrote {options.out} and {options.page}.")


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks realtime", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", nargs="+", choices=list(TABLES), help="measure these, keep the others")
    parser.add_argument(
        "--model", default=DEFAULT_MODEL, help="released model or file (default: %(default)s)"
    )
    parser.add_argument("--quick", action="store_true", help="fewer cases and frames")
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall", help="of the stages")
    parser.add_argument("--soak", type=int, default=0, metavar="N", help="frames of the long run")
    parser.add_argument("--offline", action="store_true", help="never download YuNet's file")
    parser.add_argument(
        "--results", type=Path, default=RESULTS, help="the figures (default: results/realtime.json)"
    )
    parser.add_argument("--out", type=Path, default=REPORT, help="the report (default: reports/realtime.md)")
    parser.add_argument(
        "--table", action="store_true", help="measure nothing: write report and table from the results"
    )
    parser.add_argument(
        "--page", type=Path, default=Path("docs/benchmarks.md"), help="where --table puts its table"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = build_parser()
    options = parser.parse_args(given)
    if options.table:
        write_pages(options)
        return 0
    names = options.only or [name for name in TABLES if name != "soak" or options.soak]
    if "soak" in names and options.soak < 1:
        parser.error("--only soak needs --soak N, the number of frames")
    command = " ".join(["python -m benchmarks realtime", *given])
    measure_sections(
        sections_of(options, names, command),
        options.results,
        finished=lambda name, section: print(f"{name}\n\n{TABLES[name](section.rows)}\n", flush=True),
    )
    try:
        write_atomically(options.out, render(read_realtime(options.results)))
    except (MissingPackageError, TemplateEngineError) as error:  # a board measures without them
        say(f"No report: {error}")
        print(f"Results: {options.results}")
        return 0
    print(f"Results: {options.results}; report: {options.out}")
    return 0
