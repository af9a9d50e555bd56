"""Measure `ferkit label`, and write reports/archive.md.

    python -m benchmarks archive                       proof, start, speed, memory, object store
    python -m benchmarks archive --only speed          one of them; the others stay as they were measured
    python -m benchmarks archive --quick               a small run, to benchmarks/out
    python -m benchmarks archive --table               only write the report

Needs `pip install -r requirements/ray.txt` and Linux. The results are saved after each section.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.scenes import read_portrait
from benchmarks.speed.archive_effort import FULL, QUICK
from benchmarks.speed.archive_memory import measure_memory
from benchmarks.speed.archive_proof import measure_proof
from benchmarks.speed.archive_report import TABLES, read_archive, render
from benchmarks.speed.archive_speed import measure_speed, measure_start
from benchmarks.speed.archive_store import measure_store
from benchmarks.speed.sections import Section, measure_sections
from reporting.files import page_of, place_of_results, write_atomically
from reporting.machine import describe_device
from runtime.label.store import check_installed
from runtime.model import DEFAULT_MODEL

STOPPED = "Stopped. The sections that were finished are in the results."


def sections_of(
    options: argparse.Namespace, names: Sequence[str], command: str
) -> dict[str, Callable[[], Section]]:
    """Returns what measures each of the sections that the command line names."""
    effort, model, portrait = QUICK if options.quick else FULL, options.model, read_portrait()
    rows_of: dict[str, Callable[[], list]] = {
        "proof": lambda: measure_proof(model, effort, portrait),
        "start": lambda: measure_start(model, effort),
        "speed": lambda: measure_speed(model, effort, portrait),
        "memory": lambda: measure_memory(model, effort, portrait),
        "store": lambda: measure_store(model, effort, portrait),
    }

    def measure(name: str) -> Section:
        device = describe_device()  # before the work, for the load of other programs
        device["engines"] |= {package: importlib.metadata.version(package) for package in ("ray", "pyarrow")}
        return Section(device=device, clock="wall", model=model, command=command, rows=rows_of[name]())

    return {name: lambda name=name: measure(name) for name in names}  # type: ignore[misc]


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks archive", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", nargs="+", choices=list(TABLES), help="measure these, keep the others")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="released model (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="fewer files and turns")
    parser.add_argument("--results", type=Path, help="the figures (default: results/archive.json)")
    parser.add_argument("--out", type=Path, help="the report (default: beside the figures, or in reports/)")
    parser.add_argument("--table", action="store_true", help="measure nothing: write the report")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = build_parser().parse_args(given)
    results = options.results or place_of_results("results/archive.json", whole=not options.quick)
    report = options.out or page_of(results)
    if not options.table:
        check_installed()
        names = options.only or list(TABLES)
        command = " ".join(["python -m benchmarks archive", *given])
        measure_sections(
            sections_of(options, names, command),
            results,
            finished=lambda name, section: print(f"{name}\n\n{TABLES[name](section.rows)}\n", flush=True),
        )
    write_atomically(report, render(read_archive(results)))
    print(f"Results: {results}; report: {report}")
    return 0
