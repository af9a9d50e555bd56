"""Counts the defects of a dataset: `python -m dataset.audit [DATASET] [--report reports/audit.md]`.

FER2013 was collected by image search. It holds many images more than once, in more than one split and under
more than one label. The audit counts what training leaves out (`dataset.duplicates.training_samples`) and
what the evaluation sets apart (`dataset.duplicates.duplicates_of`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from reporting.command import run_command
from reporting.files import write_atomically
from reporting.markdown import table
from reporting.templates import render_template

from .duplicates import blank, duplicates_of, training_samples
from .fer2013 import OFFICIAL_SHA256, SPLITS, Dataset
from .load import load_dataset
from .locate import DatasetError

REPORT = Path(__file__).resolve().parents[1] / "reports" / "audit.md"
TEMPLATE = Path(__file__).with_name("audit.md.j2")

KNOWN_COUNTS = {
    "samples": 35887,
    "distinct images": 34034,
    "groups of byte-identical images": 1516,
    "redundant samples": 1853,
    "groups that stand in more than one split": 557,
    "validation duplicates of a training sample": 280,
    "test duplicates of a training sample": 288,
    "groups with contradicting labels": 57,
    "blank images": 12,
}
"""The counts of the official file (sha256 OFFICIAL_SHA256), counted by other means than this code."""

RULES = {
    "drop_duplicates": "its image also stands in validation or test",
    "drop_contradictions": "its image has another label elsewhere in train",
    "drop_blank": "one gray level throughout",
}
"""The rules of `training_samples`, each with its reason."""


def duplicate_groups(dataset: Dataset) -> list[np.ndarray]:
    """Returns the groups of samples with byte-identical images: int64 row numbers, by first row."""
    order = np.argsort(dataset.numbers, kind="stable")
    starts = np.flatnonzero(np.diff(dataset.numbers[order])) + 1
    return [group for group in np.split(order, starts) if len(group) > 1]


def differing(groups: Sequence[np.ndarray], values: np.ndarray) -> list[np.ndarray]:
    """Returns the groups whose samples differ in `values` (n,), such as the dataset's splits or labels."""
    return [group for group in groups if len(np.unique(values[group])) > 1]


def find_defects(dataset: Dataset) -> dict[str, list[np.ndarray]]:
    """Returns the places of each defect, under the words of KNOWN_COUNTS: arrays of row numbers.

    Where groups are counted, an array holds a group. Where samples are counted, it holds the sample before
    the training samples that it duplicates.
    """
    groups = duplicate_groups(dataset)
    numbers, train_rows = dataset.numbers, dataset.rows("train")

    def duplicates(split: str) -> list[np.ndarray]:
        rows = dataset.rows(split)[duplicates_of(dataset, split=split, of="train")]
        return [np.array([row, *train_rows[numbers[train_rows] == numbers[row]]]) for row in rows]

    return {
        "groups of byte-identical images": groups,
        "redundant samples": [group[[later, 0]] for group in groups for later in range(1, len(group))],
        "groups that stand in more than one split": differing(groups, dataset.splits),
        "validation duplicates of a training sample": duplicates("validation"),
        "test duplicates of a training sample": duplicates("test"),
        "groups with contradicting labels": differing(groups, dataset.labels),
        "blank images": [np.array([row]) for row in np.flatnonzero(blank(dataset.faces))],
    }


def count_defects(dataset: Dataset, defects: Mapping[str, Sequence[np.ndarray]]) -> dict[str, int]:
    """Returns the counts that KNOWN_COUNTS holds for the official file, of this dataset.

    Args:
        dataset: The dataset.
        defects: Its defects, as `find_defects` gives them.
    """
    counts = {defect: len(found) for defect, found in defects.items()}
    samples = len(dataset.labels)
    return {"samples": samples, "distinct images": samples - counts["redundant samples"], **counts}


def table_of_splits(dataset: Dataset) -> str:
    """Returns the samples of each label and split as a table."""
    counts = [
        np.bincount(dataset.labels[dataset.rows(split)], minlength=len(dataset.classes)) for split in SPLITS
    ]
    columns = [*counts, np.sum(counts, axis=0)]
    rows = [
        [label, *(f"{column[index]:,}" for column in columns)] for index, label in enumerate(dataset.classes)
    ]
    rows.append(["all", *(f"{column.sum():,}" for column in columns)])
    return table(["", *SPLITS, "all"], rows, padded=True)


def table_of_defects(counts: Mapping[str, int], *, official: bool) -> str:
    """Returns the count of each defect as a table; of the official file beside the known count."""
    known = [KNOWN_COUNTS] if official else []
    rows = [[name, f"{count:,}", *(f"{each[name]:,}" for each in known)] for name, count in counts.items()]
    return table(["", "counted", *(["known"] if official else [])], rows, padded=True)


def table_of_examples(
    dataset: Dataset, defects: Mapping[str, Sequence[np.ndarray]], *, examples: int = 3
) -> str:
    """Returns the first places of each defect, with their labels: '8 fear = 12 sad', never an image."""

    def name(rows: np.ndarray) -> str:
        shown = [f"{dataset.origins[row]} {dataset.classes[dataset.labels[row]]}" for row in rows[:3]]
        return " = ".join(shown) + (f" = {len(rows) - 3} more" if len(rows) > 3 else "")

    place = "line (the header is 1)" if isinstance(dataset.origins[0], int) else "image"
    rows = [[defect, "; ".join(map(name, found[:examples]))] for defect, found in defects.items()]
    return table(["", f"{place} and label"], rows, left=2, padded=True)


def table_of_left_out(dataset: Dataset) -> str:
    """Returns how many training samples each rule leaves out on its own, and all together, as a table."""

    def left_out(*given: str) -> int:
        return int((~training_samples(dataset, **{rule: rule in given for rule in RULES})).sum())

    rows = [[f"`{rule}`: {why}", f"{left_out(rule):,}"] for rule, why in RULES.items()]
    rows.append(["all three (a sample may fall under more than one)", f"{left_out(*RULES):,}"])
    rows.append(["**trained on**", f"{training_samples(dataset).sum():,}"])
    return table(["", "train samples"], rows, padded=True)


def remembered(dataset: Dataset, defects: Mapping[str, Sequence[np.ndarray]]) -> int:
    """Returns how many test duplicates have the label of their first twin in train."""
    places = defects["test duplicates of a training sample"]
    return sum(bool(dataset.labels[rows[0]] == dataset.labels[rows[1]]) for rows in places)


def figures_of(dataset: Dataset) -> dict[str, str]:
    """Returns the tables and figures that the report's template names."""
    official = dataset.sha256 == OFFICIAL_SHA256
    defects = find_defects(dataset)
    counts = count_defects(dataset, defects)
    samples, duplicates = len(dataset.rows("test")), counts["test duplicates of a training sample"]
    return {
        "name": "FER2013" if official else dataset.path.absolute().name,
        "hashed": "the official fer2013.csv" if official else "the content",
        "sha256": dataset.sha256,
        "splits": table_of_splits(dataset),
        "defects": table_of_defects(counts, official=official),
        "examples": table_of_examples(dataset, defects),
        "left_out": table_of_left_out(dataset),
        "duplicates": f"{duplicates:,}",
        "test_samples": f"{samples:,}",
        "duplicate_percent": f"{100 * duplicates / samples:.1f}",
        "remembered": f"{remembered(dataset, defects):,}",
        "without_duplicates": f"{samples - duplicates:,}",
    }


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Returns the command line's arguments."""
    parser = argparse.ArgumentParser(prog="python -m dataset.audit", description=__doc__.partition("\n\n")[0])
    parser.add_argument(
        "dataset", nargs="?", help="FER2013's CSV or a folder (default: $FER2013, else ../shared/fer2013)"
    )
    parser.add_argument(
        "--report", type=Path, default=REPORT, help="where to write it (default: reports/audit.md)"
    )
    parser.add_argument(
        "--validation-share",
        type=float,
        help="hold out this share of train where there is no validation split",
    )
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns its exit status, 1 where the dataset can't be read."""
    options = parse(arguments)

    def audit() -> None:
        dataset = load_dataset(
            options.dataset, validation_share=options.validation_share, progress=sys.stderr.isatty()
        )
        figures = figures_of(dataset)
        write_atomically(options.report, render_template(TEMPLATE, figures))
        print(
            "\n\n".join([str(dataset.path), *(figures[name] for name in ("splits", "defects", "left_out"))])
        )
        print(f"\nWrote {options.report}")

    return run_command(audit, errors=(DatasetError,))


if __name__ == "__main__":
    sys.exit(main())
