"""Loads a dataset from a CSV or a folder of images, checks its splits, and holds out validation samples."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .csv_file import read_csv
from .fer2013 import LABELS, OFFICIAL_ROWS, SPLITS, Dataset
from .image_folder import read_folder
from .locate import DatasetError, beside_checkout, find_dataset

USAGE_OF_SPLIT = {
    "train": "train (Training)",
    "validation": "validation (PublicTest)",
    "test": "test (PrivateTest)",
}


def load_dataset(
    path: str | os.PathLike[str] | None = None,
    *,
    validation_share: float | None = None,
    seed: int = 0,
    splits: Sequence[str] = SPLITS,
    progress: bool = False,
) -> Dataset:
    """Reads and checks a whole dataset: FER2013's CSV in any packing, or a folder of images.

    path: see `find_dataset`.
    validation_share: for a dataset that has train and test only, the share (above 0, below 1) of each
        label's train rows that becomes the validation split, drawn with `seed`. Many copies of FER2013 on
        Kaggle are such: their test is PublicTest and PrivateTest together, so scores on it are not the
        official ones. Without it such a dataset raises; with it a dataset that has a validation split raises.
    splits: which must have rows, unless a validation share is given: then all must. Where not all must, a
        folder of images may lack class folders.
    progress: shows a progress bar (needs tqdm).

    Says in one line on stderr where it looks like a part of FER2013 (`cut_short`). Raises DatasetError,
    naming file and line, for anything unexpected, a split without rows included.
    """
    place = find_dataset(path)
    needed = SPLITS if validation_share is not None else tuple(splits)
    if place.is_dir():
        dataset = read_folder(place, all_classes=set(needed) == set(SPLITS), progress=progress)
    else:
        dataset = read_csv(place, progress=progress)
    doubt = cut_short(dataset)
    if doubt:
        print(doubt, file=sys.stderr)
    if validation_share is not None:
        dataset = hold_out_validation(dataset, share=validation_share, seed=seed)
    for split in needed:
        if not np.any(dataset.splits == split):
            expected = " and ".join(", ".join(USAGE_OF_SPLIT[name] for name in needed).rsplit(", ", 1))
            hold_out = (
                " To hold out a part of train instead, give --validation-share 0.1 to train, dataset.audit, "
                "export and benchmarks evaluate alike."
                if split == "validation"
                else ""
            )
            raise DatasetError(
                f"{place}: expected rows of {expected}, got none of {split}. Is the file cut short, or a "
                f"folder missing?{hold_out}"
            )
    return dataset


def load_dataset_if_any(
    path: str | os.PathLike[str] | None = None,
    *,
    validation_share: float | None = None,
    progress: bool = False,
) -> Dataset | None:
    """As `load_dataset`, but None where none was named and none stands beside the checkout.

    One that was named, by `path` or by the environment variable FER2013, raises where it is missing.
    """
    if path is None and not os.environ.get("FER2013") and not beside_checkout().exists():
        return None
    return load_dataset(path, validation_share=validation_share, progress=progress)


def cut_short(dataset: Dataset) -> str | None:
    """What is to be said of a dataset that seems to be FER2013 without its last rows, else None.

    A CSV cut exactly at the end of a line has nothing wrong in it but its number of rows. Nobody's own
    faces have just as many training rows as FER2013 has; copies that join validation and test have all rows.
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
    """The dataset with `share` of each label's train rows (rounded, at least one) moved to validation.

    Rows that repeat one image may land on both sides; `training_rows` leaves those out of training.
    The sha256 becomes that of the text '<old sha256> validation_share=<share> seed=<seed>'.
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
    for label in range(len(LABELS)):
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
