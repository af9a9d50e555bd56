"""The names of a dataset's classes: checked, given on a command line, or recorded beside weights."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from reporting.files import sha256_of

from .fer2013 import LABELS, Dataset
from .locate import DatasetError

FERPLUS = "ferplus"
"""What `--labels` is given for the majority of FER+'s votes instead of FER2013's own labels."""

UNCERTAIN = "uncertain"
"""What `ferkit` shows in place of a class where none is likely."""

FEWEST, MOST = 2, 100
FEW_FACES = 20  # of a class in the train split: with fewer it is hardly learnt

LABELS_HELP = (
    "names of the classes, as in calm,tense: of a CSV in the order of its numbers from 0; "
    f"{FERPLUS}: the majority of FER+'s votes over eight classes"
)


def check_classes(classes: Sequence[str], *, place: str) -> tuple[str, ...]:
    """Returns the names of classes as a card can hold them.

    Args:
        classes: The names.
        place: Where they are from, for the error.

    Raises:
        DatasetError: They are not 2 to 100 different names of printable letters, or one is `UNCERTAIN`.
    """
    if not FEWEST <= len(classes) <= MOST:
        got = ", ".join(classes[:5]) + (", ..." if len(classes) > 5 else "") or "none"
        raise DatasetError(f"{place}: expected {FEWEST} to {MOST} classes, got {len(classes)}: {got}.")
    for name in classes:
        if not name.strip() or not name.isprintable():
            raise DatasetError(f"{place}: expected printable names of classes, got {name!r}. Rename it.")
        if name == UNCERTAIN:
            raise DatasetError(
                f"{place}: expected names of classes other than {name!r}, which is shown where no class is "
                "likely. Rename it."
            )
        if list(classes).count(name) > 1:
            raise DatasetError(f"{place}: expected different classes, got {name!r} twice. Rename one.")
    return tuple(classes)


def labels_argument(text: str) -> str | tuple[str, ...]:
    """Returns what `--labels` says, a `type` for argparse: `FERPLUS`, or the names of the classes."""
    if text == FERPLUS:
        return text
    try:
        return check_classes([name.strip() for name in text.split(",")], place=repr(text))
    except DatasetError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def classes_of_weights(weights: Path) -> tuple[str, ...]:
    """Returns the labels of a `.keras` file's scores, as the record beside it has them.

    Without a record they are FER2013's.

    Raises:
        DatasetError: The record is none, or is of other weights.
    """
    path = weights.with_suffix(".json")
    if not path.is_file():
        return LABELS
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        recorded, labels = record["weights_sha256"], record["labels"]
        classes = check_classes(labels, place=str(path))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        if isinstance(error, DatasetError):
            raise
        raise DatasetError(
            f"{path}: expected a training record with labels and weights_sha256, got something else "
            f"({error!r}). Train again, or move the file away."
        ) from error
    if classes != LABELS and recorded != sha256_of(weights):
        raise DatasetError(
            f"{path}: expected the record of {weights.name}, got that of other weights, whose classes are "
            f"{', '.join(classes)}. Put the record of this file beside it."
        )
    return classes


def rare_classes(dataset: Dataset) -> list[str]:
    """Returns a line for each class with fewer than `FEW_FACES` training faces."""
    counts = np.bincount(dataset.split("train")[1], minlength=len(dataset.classes))
    return [
        f"{dataset.path}: {count} training {'face' if count == 1 else 'faces'} of {name}: with fewer than "
        f"{FEW_FACES} a class is hardly learnt, and its accuracy says little. Add images."
        for name, count in zip(dataset.classes, counts.tolist(), strict=True)
        if count < FEW_FACES
    ]
