"""Counts the defects of a dataset: `python -m dataset.audit [DATASET] [--report reports/audit.md]`.

FER2013 was collected by image search and holds many images more than once, in more than one split and
under more than one label. Counted here is what training leaves out (`dataset.duplicates.training_rows`) and
what the evaluation sets apart (`dataset.duplicates.duplicates_of`).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .duplicates import blank, duplicates_of, training_rows
from .fer2013 import LABELS, OFFICIAL_SHA256, SPLITS, Dataset
from .load import load_dataset
from .locate import DatasetError

REPORT = Path(__file__).resolve().parents[1] / "reports" / "audit.md"

KNOWN_COUNTS = {
    "rows": 35887,
    "distinct images": 34034,
    "groups of byte-identical images": 1516,
    "redundant rows": 1853,
    "groups that stand in more than one split": 557,
    "validation rows that repeat a training row": 280,
    "test rows that repeat a training row": 288,
    "groups with contradicting labels": 57,
    "blank images": 12,
}
"""The counts of the official file (sha256 OFFICIAL_SHA256), counted apart from this code."""


def duplicate_groups(dataset: Dataset) -> list[np.ndarray]:
    """The groups of two or more rows with byte-identical images: int64 row numbers, by first row."""
    order = np.argsort(dataset.numbers, kind="stable")
    starts = np.flatnonzero(np.diff(dataset.numbers[order])) + 1
    return [group for group in np.split(order, starts) if len(group) > 1]


def differing(groups: Sequence[np.ndarray], values: np.ndarray) -> list[np.ndarray]:
    """The groups whose rows differ in `values` (n,), such as the dataset's splits or labels."""
    return [group for group in groups if len(np.unique(values[group])) > 1]


def find_defects(dataset: Dataset) -> dict[str, list[np.ndarray]]:
    """The places of each defect, under the words of KNOWN_COUNTS: arrays of row numbers.

    One array for each group where groups are counted; one for each row, the row before the training rows
    that it repeats, where rows are.
    """
    groups = duplicate_groups(dataset)
    numbers, train_rows = dataset.numbers, dataset.rows("train")

    def repeats(split: str) -> list[np.ndarray]:
        rows = dataset.rows(split)[duplicates_of(dataset, split=split, of="train")]
        return [np.array([row, *train_rows[numbers[train_rows] == numbers[row]]]) for row in rows]

    return {
        "groups of byte-identical images": groups,
        "redundant rows": [group[[later, 0]] for group in groups for later in range(1, len(group))],
        "groups that stand in more than one split": differing(groups, dataset.splits),
        "validation rows that repeat a training row": repeats("validation"),
        "test rows that repeat a training row": repeats("test"),
        "groups with contradicting labels": differing(groups, dataset.labels),
        "blank images": [np.array([row]) for row in np.flatnonzero(blank(dataset.faces))],
    }


def count_defects(dataset: Dataset) -> dict[str, int]:
    """The counts that KNOWN_COUNTS holds for the official file, of this dataset."""
    places = {defect: len(found) for defect, found in find_defects(dataset).items()}
    rows = len(dataset.labels)
    return {"rows": rows, "distinct images": rows - places["redundant rows"], **places}


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table, padded so that it reads as a table in a terminal too; numbers stand right."""
    cells = [[f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row] for row in rows]
    right = [all(isinstance(row[column], int) for row in rows) for column in range(len(header))]
    widths = [max(3, *(len(row[column]) for row in [list(header), *cells])) for column in range(len(header))]

    def line(fields: Sequence[str]) -> str:
        padded = [
            field.rjust(width) if numeric else field.ljust(width)
            for field, width, numeric in zip(fields, widths, right, strict=True)
        ]
        return f"| {' | '.join(padded)} |"

    rule = [
        "-" * (width - 1) + (":" if numeric else "-") for width, numeric in zip(widths, right, strict=True)
    ]
    return "\n".join([line(header), line(rule), *(line(row) for row in cells)])


def split_table(dataset: Dataset) -> str:
    """Rows for each label and split."""
    counts = [np.bincount(dataset.labels[dataset.rows(split)], minlength=len(LABELS)) for split in SPLITS]
    columns = [*counts, np.sum(counts, axis=0)]
    rows = [[label, *(int(column[index]) for column in columns)] for index, label in enumerate(LABELS)]
    return markdown_table(["", *SPLITS, "all"], [*rows, ["all", *(int(column.sum()) for column in columns)]])


def defect_table(dataset: Dataset) -> str:
    """The count of each defect; for the official file beside the count that is known."""
    counts = count_defects(dataset)
    if dataset.sha256 != OFFICIAL_SHA256:
        return markdown_table(["", "counted"], list(counts.items()))
    return markdown_table(
        ["", "counted", "known"], [[name, n, KNOWN_COUNTS[name]] for name, n in counts.items()]
    )


def example_table(dataset: Dataset, *, examples: int = 3) -> str:
    """The first places of each defect, with their labels: '8 fear = 12 sad', never a image."""

    def name(rows: np.ndarray) -> str:
        shown = [f"{dataset.origins[row]} {LABELS[dataset.labels[row]]}" for row in rows[:3]]
        return " = ".join(shown) + (f" = {len(rows) - 3} more" if len(rows) > 3 else "")

    return markdown_table(
        [
            "",
            "line (the header is 1) and label" if isinstance(dataset.origins[0], int) else "image and label",
        ],
        [
            [defect, "; ".join(map(name, places[:examples]))]
            for defect, places in find_defects(dataset).items()
        ],
    )


def training_table(dataset: Dataset) -> str:
    """How many training rows each rule of `training_rows` leaves out on its own, and all together."""
    rules = {
        "drop_duplicates": "its image also stands in validation or test",
        "drop_contradictions": "its image has another label elsewhere in train",
        "drop_blank": "one gray level throughout",
    }

    def left_out(*given: str) -> int:
        return int((~training_rows(dataset, **{rule: rule in given for rule in rules})).sum())

    rows: list[list[object]] = [[f"`{rule}`: {why}", left_out(rule)] for rule, why in rules.items()]
    rows.append(["all three (a row may fall under more than one)", left_out(*rules)])
    rows.append(["**trained on**", int(training_rows(dataset).sum())])
    return markdown_table(["", "train rows"], rows)


def remembered(dataset: Dataset, split: str) -> int:
    """How many rows of a split get their own label if each is answered with its first twin in train."""
    repeats = find_defects(dataset)[f"{split} rows that repeat a training row"]
    return sum(bool(dataset.labels[rows[0]] == dataset.labels[rows[1]]) for rows in repeats)


def write_report(dataset: Dataset) -> str:
    """The report as Markdown: counts, places, what training leaves out. The same whatever the packing."""
    official = dataset.sha256 == OFFICIAL_SHA256
    name = "FER2013" if official else dataset.path.absolute().name
    test_rows = len(dataset.rows("test"))
    repeated = int(duplicates_of(dataset, split="test", of="train").sum())
    right = remembered(dataset, "test")
    return f"""# Audit of {name}

Made by `python -m dataset.audit`. sha256 of {"the official fer2013.csv" if official else "the content"}:
`{dataset.sha256}`.

## Rows

{split_table(dataset)}

## Defects

Images are compared byte for byte. *Redundant* is every row of a group but its first.

{defect_table(dataset)}

Where the first of them are; a row that repeats another one stands before its twins:

{example_table(dataset)}

## What training leaves out

`dataset.duplicates.training_rows` leaves out a train row for these reasons:

{training_table(dataset)}

Rows that repeat a training row under the same label stay: their image weighs more in training, in no score.

## What the evaluation sets apart

- {repeated:,} of {test_rows:,} test rows ({100 * repeated / test_rows:.1f} %) repeat a train row.
- Answering each of these with the label of its twin in train, by memory alone, is right {right:,} times.
- So the evaluation reports two scores: on all {test_rows:,} test rows, the customary one, and on the
  {test_rows - repeated:,} test rows that no train row repeats (`test_without_duplicates`).
"""


def write_atomically(path: Path, text: str) -> None:
    """Writes a text file so that nobody ever sees half of it; makes its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: prints the counts and writes the report; 1 where the dataset can't be read."""
    parser = argparse.ArgumentParser(prog="python -m dataset.audit", description=__doc__.partition("\n\n")[0])
    parser.add_argument(
        "dataset", nargs="?", help="FER2013's CSV or a folder (default: $FER2013, else ../shared/fer2013)"
    )
    parser.add_argument(
        "--report", type=Path, default=REPORT, help="where to write it (default: %(default)s)"
    )
    parser.add_argument(
        "--validation-share",
        type=float,
        help="hold out this share of train where there is no validation split",
    )
    options = parser.parse_args(arguments)
    try:
        dataset = load_dataset(
            options.dataset, validation_share=options.validation_share, progress=sys.stderr.isatty()
        )
        write_atomically(options.report, write_report(dataset))
    except (DatasetError, OSError) as error:
        print(f"audit: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    print(f"{dataset.path}\n\n{split_table(dataset)}\n\n{defect_table(dataset)}\n\n{training_table(dataset)}")
    print(f"\nWrote {options.report}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
