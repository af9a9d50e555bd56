"""Loads a dataset from a CSV or a folder of images; holds out a validation split where there is none."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .classes import FERPLUS, check_classes
from .csv_file import read_csv
from .fer2013 import LABELS, OFFICIAL_ROWS, SPLITS, Dataset
from .ferplus import with_majority_labels
from .image_folder import read_folder
from .locate import DatasetError, beside_checkout, find_dataset

SPLIT_IN_WORDS = {
    "train": "train (Training)",
    "validation": "validation (PublicTest)",
    "test": "test (PrivateTest)",
}


def load_dataset(
    path: str | os.PathLike[str] | None = None,
    *,
    labels: str | Sequence[str] | None = None,
    validation_share: float | None = None,
    seed: int = 0,
    splits: Sequence[str] = SPLITS,
    progress: bool = False,
) -> Dataset:
    """Reads and checks a whole dataset: FER2013's CSV in any packing, or a folder of images.

    Warns in one line on stderr where the file looks like a part of FER2013 (`cut_short`).

    Args:
        path: See `find_dataset`.
        labels: The names of the classes; `FERPLUS`: the majority of FER+'s votes. None: FER2013's own labels,
            and of a folder the names of its class folders (see `read_folder`).
        validation_share: For a dataset with train and test only: the share of each label's train samples that
            becomes the validation split, above 0 and below 1. Many copies of FER2013 on Kaggle are such:
            their test is PublicTest and PrivateTest together, so scores on it are not the official ones.
        seed: Draws these samples.
        splits: Which must have samples; with a validation share all must. Where not all must, a folder of
            images may lack class folders.
        progress: Shows a progress bar.

    Raises:
        DatasetError: Anything is not as expected; the message names file and line. A split that is needed
            has no samples. A validation share is given for a dataset that has a validation split.
    """
    place = find_dataset(path)
    needed = SPLITS if validation_share is not None else tuple(splits)
    given = None if labels is None or labels == FERPLUS else check_classes(labels, place="labels")
    if labels == FERPLUS and place.is_dir():
        raise DatasetError(f"{place}: expected FER2013's CSV, whose rows FER+'s votes name, got a folder.")
    if place.is_dir():
        every = set(needed) == set(SPLITS)
        dataset = read_folder(place, labels=given, all_classes=every, progress=progress)
    else:
        dataset = read_csv(place, classes=given or LABELS, progress=progress)
    doubt = cut_short(dataset)
    if doubt:
        print(doubt, file=sys.stderr)
    if labels == FERPLUS:
        dataset = with_majority_labels(dataset)
    if validation_share is not None:
        dataset = hold_out_validation(dataset, share=validation_share, seed=seed)
    check_splits(dataset, needed)
    return dataset


def check_splits(dataset: Dataset, needed: Sequence[str]) -> None:
    """Raises DatasetError where a split that is needed has no samples."""
    for split in needed:
        if np.any(dataset.splits == split):
            continue
        expected = " and ".join(", ".join(SPLIT_IN_WORDS[name] for name in needed).rsplit(", ", 1))
        hold_out = (
            " To hold out a part of train instead, give --validation-share 0.1 to train, dataset.audit, "
            "export and benchmarks evaluate alike."
        )
        raise DatasetError(
            f"{dataset.path}: expected rows of {expected}, got none of {split}. Is the file cut short, or a "
            f"folder missing?{hold_out if split == 'validation' else ''}"
        )


def load_dataset_if_any(
    path: str | os.PathLike[str] | None = None,
    *,
    labels: str | Sequence[str] | None = None,
    validation_share: float | None = None,
    progress: bool = False,
) -> Dataset | None:
    """Does what `load_dataset` does; None where no dataset was named and none stands beside the checkout.

    Raises:
        DatasetError: One was named, by `path` or by the environment variable FER2013, and is missing.
    """
    if path is None and not os.environ.get("FER2013") and not beside_checkout().exists():
        return None
    return load_dataset(path, labels=labels, validation_share=validation_share, progress=progress)


def cut_short(dataset: Dataset) -> str | None:
    """Returns a warning for a dataset that looks like FER2013 without its last rows, else None.

    A CSV cut exactly at the end of a line has nothing wrong in it but its number of rows. Nobody's own faces
    have just as many training rows as FER2013 has; copies that join validation and test have all rows.
    """
    rows, official = len(dataset.splits), sum(OFFICIAL_ROWS.values())
    train_rows = int(np.sum(dataset.splits == "train"))
    if train_rows != OFFICIAL_ROWS["train"] or rows >= official:
        return None
    return (
        f"{dataset.path}: has FER2013's {train_rows:,} training rows, but {rows:,} of its {official:,} rows: "
        "the file may be cut short. Scores on it are not the official ones."
    )


def hold_out_validation(dataset: Dataset, *, share: float, seed: int = 0) -> Dataset:
    """Returns the dataset with a share of each label's train samples moved to validation.

    Duplicates of one image may land on both sides; `training_samples` leaves those out of training. The
    sha256 becomes that of the text '<old sha256> validation_share=<share> seed=<seed>'.

    Args:
        dataset: One without a validation split.
        share: Above 0 and below 1; of each label at least one sample.
        seed: Draws the samples.

    Raises:
        DatasetError: The share is out of range, or the dataset has a validation split.
    """
    if not 0 < share < 1:
        raise DatasetError(f"Expected a validation share above 0 and below 1, got {share}.")
    if np.any(dataset.splits == "validation"):
        raise DatasetError(
            f"{dataset.path}: expected no validation split where a validation share is given, got one. "
            "Leave the share out."
        )
    generator = np.random.default_rng(seed)
    splits = dataset.splits.astype(f"U{max(map(len, SPLITS))}")  # a copy with room for 'validation'
    for label in range(len(dataset.classes)):
        rows = np.flatnonzero((splits == "train") & (dataset.labels == label))
        count = min(len(rows), max(1, round(share * len(rows))))
        splits[generator.permutation(rows)[:count]] = "validation"
    text = f"{dataset.sha256} validation_share={share} seed={seed}"
    return replace(
        dataset,
        splits=splits,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        validation_share=share,
        validation_seed=seed,
    )
