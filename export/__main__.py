"""`python -m export`: every released model and the detector as TFLite and ONNX, checked, with a card each."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from dataset.classes import LABELS_HELP, classes_of_weights, labels_argument
from dataset.fer2013 import LABELS, Dataset
from dataset.load import load_dataset_if_any
from dataset.locate import DatasetError
from reporting.command import run_command
from runtime.signals import terminate_as_interrupt
from train.models import MODELS, RELEASED

from .detector import detector_weights
from .errors import ExportError
from .keras_file import ROOT, is_detector
from .one_detector import detector_file_names, export_detector
from .one_file import Outcome
from .one_model import export_model, file_names
from .release import in_the_wheel, release


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Returns the command line's arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m export", description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        "models",
        nargs="*",
        type=Path,
        help="Keras files; none: the released models and the detector",
        default=[],
    )
    parser.add_argument("--out", type=Path, default=Path("artifacts"), help="folder for the files")
    parser.add_argument(
        "--data", type=Path, help="the faces, to measure accuracy on; default: FER2013, where it is found"
    )
    parser.add_argument(
        "--labels", type=labels_argument, metavar="NAMES", help=f"as of the training: {LABELS_HELP}"
    )
    parser.add_argument(
        "--validation-share",
        type=float,
        metavar="SHARE",
        help="hold out this share of train, as the training did, where there is no validation split",
    )
    parser.add_argument(
        "--images",
        nargs="+",
        type=Path,
        metavar="PATH",
        default=[],
        help="folders or zip archives of images with and without faces: a detector is checked on them, and "
        "its int8 ranges are measured on them where none are stored",
    )
    parser.add_argument("--no-data", action="store_true", help="don't look for FER2013")
    parser.add_argument("--jobs", type=int, default=2, help="conversions at a time")
    parser.add_argument(
        "--record",
        action="store_true",
        help="for a release: score the test split too, and store the accuracies",
    )
    parser.add_argument("--release", action="store_true", help="copy the wheel's files to runtime/models")
    options = parser.parse_args(arguments)
    if options.jobs < 1:
        parser.error(f"--jobs: expected 1 or more, got {options.jobs}.")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit status."""
    options = parse(arguments)
    with terminate_as_interrupt():  # so that a `kill` too leaves no temporary files
        return run_command(
            lambda: export_models(options),
            errors=(DatasetError, ExportError),
            stopped="Stopped. The files that were finished are kept.",
        )


def export_models(options: argparse.Namespace) -> int:
    """Exports every model that the command line names; returns 1 where a file was not kept, else 0."""
    console = Console(stderr=True)
    models = options.models or [*(RELEASED / f"{name}.keras" for name in sorted(MODELS)), detector_weights()]
    if missing := [path for path in models if not path.is_file()]:
        raise ExportError(missing[0], "expected a .keras file, got none. To train one: make train")
    detectors = [model for model in models if is_detector(model)]
    classifiers = [model for model in models if model not in detectors]
    dataset = load(options, classifiers, console) if classifiers and not options.no_data else None
    outcomes: list[Outcome] = []
    count = sum(len(file_names(model)) for model in classifiers)
    count += sum(len(detector_file_names(model)) for model in detectors)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("Exporting", total=count)

        def done(outcome: Outcome) -> None:
            progress.update(task, advance=1, description=outcome.file)
            if not console.is_terminal:
                console.print(f"{'kept' if outcome.card else 'left out'}: {outcome.file}", highlight=False)

        for model in classifiers:
            outcomes += export_model(
                model,
                options.out,
                dataset=dataset,
                record=options.record,
                jobs=options.jobs,
                announce=console.print,
                done=done,
            )
        for model in detectors:
            outcomes += export_detector(
                model,
                options.out,
                images=options.images,
                jobs=options.jobs,
                announce=console.print,
                done=done,
            )
    if options.release:
        release(outcomes, in_the_wheel(), options.out, ROOT / "runtime" / "models")
    Console(width=None if console.is_terminal else 120).print(table_of(outcomes, options.out))
    return report_failures(outcomes, options.out)


def load(options: argparse.Namespace, models: Sequence[Path], console: Console) -> Dataset | None:
    """Returns the dataset, and says whether there is one.

    Where no labels were given its classes are those of the first model.
    """
    classes = classes_of_weights(models[0])
    dataset = load_dataset_if_any(
        options.data,
        labels=options.labels or (None if classes == LABELS else classes),
        validation_share=options.validation_share,
        progress=console.is_terminal,
    )
    if dataset is None:
        console.print("FER2013 was not found: accuracies come from models/*.measured.json.")
    else:
        console.print(f"Accuracy is measured on {dataset.path}.")
    return dataset


def report_failures(outcomes: Sequence[Outcome], out: Path) -> int:
    """Prints why each file was not kept; returns the exit status."""
    failed = [outcome for outcome in outcomes if outcome.card is None]
    for outcome in failed:
        faults = "; ".join(fault.rstrip(".") for fault in outcome.faults)
        print(f"{out / outcome.file}: not kept: {faults}.", file=sys.stderr)
    return 1 if failed else 0


def table_of(outcomes: Sequence[Outcome], out: Path) -> Table:
    """Returns the closing table: a row per file."""
    table = Table(title=f"Artifacts in {out}/, each with its card", title_justify="left")
    table.add_column("file", no_wrap=True)
    for heading in ("KB", "largest gap", "as Keras", "validation", "test"):
        table.add_column(heading, justify="right")
    for outcome in outcomes:
        if outcome.card is None:
            table.add_row(outcome.file, "", "", "", "", "not kept")
            continue
        parity, accuracy = outcome.card["parity"], outcome.card["accuracy"] or {}
        table.add_row(
            outcome.file,
            f"{outcome.card['bytes'] / 1000:,.0f}",
            f"{parity['largest_gap']:.1e}",
            f"{parity['agreement' if 'kind' in outcome.card else 'label_agreement']:.1%}",
            *(f"{accuracy[split]:.2%}" if split in accuracy else "-" for split in ("validation", "test")),
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
