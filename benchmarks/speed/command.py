"""Measure artifacts on this device: `python -m benchmarks measure [FILE ...]`.

Writes `results/<device>.json` and a image beside it. `--table` also puts the table into the
README; `python -m benchmarks measure --table results/<device>.json` does that from stored results.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.speed.measure import (
    FULL,
    QUICK,
    BenchmarkError,
    dataset_or_none,
    find_artifacts,
    measure,
    say,
)
from benchmarks.speed.plot import draw_results
from benchmarks.speed.table import render_readme, render_table
from dataset.locate import DatasetError
from reporting.files import write_atomically, write_json
from reporting.markdown import BlockError, rewrite_block
from runtime.card import CardError
from runtime.engines import EngineError
from runtime.model import ModelError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status: 0, or 1 with one message on stderr."""
    options = build_parser().parse_args(arguments)
    try:
        if len(options.files) == 1 and options.files[0].endswith(".json"):
            out = Path(options.files[0])
            results = read_results(out)
        else:
            paths = find_artifacts(options.files or ["artifacts"])
            dataset = None if options.no_accuracy else dataset_or_none(options.data)
            results = measure(
                paths,
                device=options.device,
                threads=options.threads,
                dataset=dataset,
                effort=QUICK if options.quick else FULL,
                offline=options.offline,
            )
            out = Path(options.out or f"results/{results['device']['name']}.json")
            write_json(out, results)
        write_plot(results, out.with_suffix(".png"))
        if options.table:
            rewrite_block(options.readme, render_readme(results), name="benchmark")
    except (BenchmarkError, BlockError, DatasetError, CardError, EngineError, ModelError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    print(render_table(results))
    print(f"\nResults: {out}" + (f"; table: {options.readme}" if options.table else ""))
    return 0


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks measure", description=__doc__.splitlines()[0])
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="artifacts, or folders of them (default: artifacts/); or one results JSON, to draw it again",
    )
    parser.add_argument("--out", help="results JSON (default: results/<device>.json)")
    parser.add_argument(
        "--device", help="the device's name in the results (default: made of the processor's)"
    )
    parser.add_argument(
        "--threads",
        type=int,
        choices=range(1, 257),
        metavar="N",
        default=1,
        help="threads of engine and detector (default: 1)",
    )
    parser.add_argument(
        "--data", help="FER2013: the CSV, or a folder of images (default: where it is looked for)"
    )
    parser.add_argument("--no-accuracy", action="store_true", help="leave accuracy out even where FER2013 is")
    parser.add_argument("--quick", action="store_true", help="30 calls each instead of 500")
    parser.add_argument("--offline", action="store_true", help="never download YuNet's file")
    parser.add_argument(
        "--table", action="store_true", help="put the table into the README, between its markers"
    )
    parser.add_argument("--readme", default="README.md", help="where --table puts it (default: %(default)s)")
    return parser


def read_results(path: Path) -> dict:
    """Return results that were measured before; raises BenchmarkError where the file holds none."""
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
        version = results["results_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BenchmarkError(
            f"{path}: expected results that `python -m benchmarks measure` wrote, "
            f"got something else ({error!r})."
        ) from error
    if version != 1:
        raise BenchmarkError(f"{path}: expected results_version 1, got {version}. Measure again.")
    return results


def write_plot(results: dict, path: Path) -> None:
    """Write the image; where it can't be drawn, say why in one line."""
    if all(row["accuracy"] is None for row in results["rows"]):
        say("No image: it shows accuracy against latency, and accuracy was left out.")
        return
    try:
        image = draw_results(results)
    except ImportError:
        say(f"No image: pip install matplotlib, then python -m benchmarks {path.with_suffix('.json')}")
        return
    write_atomically(path, image)


if __name__ == "__main__":
    sys.exit(main())
