"""Compare the released models with what users can have elsewhere: reports/flagship.md and its plots.

    python -m benchmarks flagship                 all released models
    python -m benchmarks flagship cnn --split validation --out build/flagship.md

The accuracy of the models is computed in the run. The rest comes from files: latency beside the peers' from
results/peers.json (`python -m benchmarks peers`), robustness from results/robustness.json
(`python -m benchmarks robustness`), the London set from results/groups/london.json
(`python -m benchmarks groups`), training from models/<name>.json, the loss of quantization from
models/<name>.measured.json, the candidates from results/candidates.json, and the findings about them from
models/flagship_notes.md, which is included as it is. The report names what is missing.

results/candidates.json is a list of objects, one for each net that was trained, in the order of training:

    {"name": "wide", "change": "half as many channels again", "against": "first",
     "validation_accuracy": 0.701, "epochs": 45, "images_seen": 1256985, "seconds": 5400.0,
     "parameters": 590000, "trained_on": "FER2013's own labels", "command": "python -m train ..."}

`against` names an earlier object that differs by this change alone. Only `name` and `change` are needed.
"""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Sequence
from pathlib import Path

from benchmarks.accuracy.group_figures import read_groups
from benchmarks.artifacts import RECORDS, RELEASED, ROOT, find_released
from benchmarks.comparison.contestants import contestants
from benchmarks.comparison.goals import goals
from benchmarks.comparison.inputs import read_candidates, read_peers, read_robustness
from benchmarks.comparison.released import measure
from benchmarks.comparison.report import contestants_table, goals_table, plots, render_report
from benchmarks.errors import BenchmarkError, MissingPackageError
from dataset.fer2013 import OFFICIAL_SHA256, SPLITS, Dataset
from dataset.load import load_dataset
from reporting.files import make_folder, place_of_results, write_atomically


class ReportPlaceError(BenchmarkError):
    """No report can be written there.

    Attributes:
        path: The place.
    """

    def __init__(self, path: Path, expected: str, got: str) -> None:
        """Keeps the place."""
        self.path = path
        super().__init__(f"{path}: expected {expected}, got {got}.")


def place_of_report(options: argparse.Namespace, dataset: Dataset) -> Path:
    """Returns where the report goes; its plots go into the folder of that name without its ending.

    Raises:
        ReportPlaceError: No report and folder can be there.
    """
    defaults = build_parser().parse_args([])
    parts = ("models", "split", "released", "records", "candidates", "peers", "robustness", "london")
    whole = all(getattr(options, name) == getattr(defaults, name) for name in parts)
    whole = whole and dataset.sha256 == OFFICIAL_SHA256
    out: Path = options.out or ROOT / place_of_results("reports/flagship.md", whole=whole)
    if out.is_dir() or out.suffix != ".md":
        got = "a folder" if out.is_dir() else "another ending"
        raise ReportPlaceError(out, "the name of a report, such as flagship.md", got)
    if out.with_suffix("").is_file():
        raise ReportPlaceError(out.with_suffix(""), "a folder for the report's plots", "a file")
    return out


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks flagship", description=(__doc__ or "").partition(": ")[0] + "."
    )
    parser.add_argument("models", nargs="*", metavar="MODEL", help="default: all that are released")
    parser.add_argument("--split", choices=SPLITS, default="test", help="(default: %(default)s)")
    parser.add_argument(
        "--data", help="FER2013: the CSV, or a folder of images (default: where it is looked for)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="PATH",
        help="the report; its plots come into a folder beside it (default: reports/flagship.md for all "
        "models on the test split, else benchmarks/out/flagship.md)",
    )
    places = {
        "--released": (RELEASED, "folder of the released files"),
        "--records": (RECORDS, "folder of training records and notes"),
        "--candidates": (ROOT / "results" / "candidates.json", "the nets that were trained"),
        "--peers": (ROOT / "results" / "peers.json", "what benchmarks peers wrote"),
        "--robustness": (ROOT / "results" / "robustness.json", "what benchmarks robustness wrote"),
        "--london": (ROOT / "results" / "groups" / "london.json", "what benchmarks groups wrote"),
    }
    for flag, (default, words) in places.items():
        shown = default.relative_to(ROOT)
        parser.add_argument(
            flag, type=Path, default=default, metavar="PATH", help=f"{words} (default: {shown})"
        )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    options = build_parser().parse_args(arguments)
    try:
        import jinja2  # noqa: F401
        import matplotlib  # noqa: F401
        import msgspec  # noqa: F401
        import sklearn  # noqa: F401
    except ImportError as error:
        install = "scikit-learn matplotlib jinja2 msgspec"
        raise MissingPackageError("The report", str(error.name), install) from error
    dataset = load_dataset(options.data)
    out = place_of_report(options, dataset)
    make_folder(out.parent)
    candidates = read_candidates(options.candidates)
    notes_path = options.records / "flagship_notes.md"
    notes = notes_path.read_text(encoding="utf-8") if notes_path.is_file() else None
    peers = read_peers(options.peers, dataset)
    ours = measure(
        find_released(options.released, options.models or None),
        dataset,
        options.split,
        records=options.records,
        peers=peers,
        robust=read_robustness(options.robustness, options.split, dataset),
        london=read_groups(options.london) if options.london.is_file() else None,
        today=datetime.date.today().isoformat(),
    )
    _, labels = dataset.split(options.split)
    compared = contestants(ours, peers)
    folder = out.with_suffix("")
    for name, image in plots(ours, compared, labels).items():
        write_atomically(folder / f"{name}.png", image)
    page = render_report(
        ours,
        compared,
        peers=peers,
        candidates=candidates,
        notes=notes,
        labels=labels,
        folder=folder.name,
    )
    write_atomically(out, page)
    print(contestants_table(compared), goals_table(goals(ours)), f"Report: {out}", sep="\n\n")
    return 0
