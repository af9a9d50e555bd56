"""On which samples an experiment is trained, chosen and tested."""

import hashlib
from dataclasses import replace

import numpy as np

from dataset.duplicates import duplicates_of
from dataset.fer2013 import LABELS, SPLITS, Dataset
from dataset.ferplus import find_votes, majority_labels, read_votes
from reporting.files import sha256_of

from .errors import StudyError
from .experiment import Experiment
from .paper import PRINTED_TEST_FACES, PRINTED_TRAIN_FACES

VALIDATION_SHARE = 0.1
"""Of the training part; the study held out none."""

SPLIT_SEED = 0


def paper_split(dataset: Dataset) -> Dataset:
    """Returns all samples split as the study splits them, with a validation part taken from its training.

    Each label's samples are shuffled with SPLIT_SEED. The share of them that the study prints as its test
    part becomes the test split: of FER2013's 35,887 samples exactly PRINTED_TEST_FACES. The study does not
    publish which, nor does it hold out a validation part, for which VALIDATION_SHARE of the rest is taken.
    The sha256 becomes that of the text '<old sha256> split=paper seed=<seed>'.
    """
    generator = np.random.default_rng(SPLIT_SEED)
    splits = np.full(len(dataset.labels), "train", f"U{max(map(len, SPLITS))}")
    for label, (train, test) in enumerate(zip(PRINTED_TRAIN_FACES, PRINTED_TEST_FACES, strict=True)):
        samples = generator.permutation(np.flatnonzero(dataset.labels == label))
        tested = round(len(samples) * test / (train + test))
        held_out = round((len(samples) - tested) * VALIDATION_SHARE)
        splits[samples[:tested]] = "test"
        splits[samples[tested : tested + held_out]] = "validation"
    text = f"{dataset.sha256} split=paper seed={SPLIT_SEED}"
    return replace(dataset, splits=splits, sha256=hashlib.sha256(text.encode()).hexdigest())


def dataset_of(experiment: Experiment, dataset: Dataset, *, split: str) -> Dataset:
    """Returns what the experiment is trained, chosen and tested on; all have the same test split.

    With FER+'s labels, images without a majority for one of the seven are left out of training and
    validation; the test split keeps FER2013's labels. Where nothing is held out the test split stands in
    the place of validation too, after all other samples.

    Args:
        experiment: Decides labels, duplicates and what is held out.
        dataset: As read.
        split: "paper" or "official".

    Raises:
        DatasetError: FER+ is needed and missing.
        StudyError: A split would have no sample.
    """
    divided = paper_split(dataset) if split == "paper" else dataset
    divided = divided if experiment.hold_out else without_validation(divided)
    tested = divided.splits == "test"
    keep = np.ones(len(divided.labels), bool)
    labels = divided.labels
    if experiment.labels == "ferplus":
        majority = majority_labels(read_votes(find_votes(dataset), dataset))
        keep &= tested | (majority >= 0)
        labels = np.where(tested, labels, majority)
    if experiment.leave_out_duplicates:
        keep[divided.rows("train")[duplicates_of(divided, split="train", of="test")]] = False
    for name in SPLITS:
        if not np.any(divided.splits[keep] == name):
            raise StudyError(
                f"{dataset.path}: expected faces for {name} on the {split} split, got none.",
                path=dataset.path,
                experiment=experiment.name,
            )
    if keep.all() and labels is divided.labels:
        return divided
    # The setting's first name stays in the text, so that results keep their sha256.
    text = f"{divided.sha256} labels={experiment.labels} leave_out_repeats={experiment.leave_out_duplicates}"
    if experiment.labels == "ferplus":
        text += f" votes={sha256_of(find_votes(dataset))}"
    return replace(
        divided,
        faces=divided.faces[keep],
        labels=labels[keep],
        splits=divided.splits[keep],
        origins=[divided.origins[number] for number in np.flatnonzero(keep).tolist()],  # type: ignore[arg-type]
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )


def without_validation(dataset: Dataset) -> Dataset:
    """Returns the dataset with validation in training, and its test samples again, at the end, for it."""
    tested = dataset.rows("test")
    again = np.concatenate([np.arange(len(dataset.labels)), tested])
    splits = np.where(dataset.splits == "validation", "train", dataset.splits)[again]
    splits[len(dataset.labels) :] = "validation"
    text = f"{dataset.sha256} validation=test"
    return replace(
        dataset,
        faces=dataset.faces[again],
        labels=dataset.labels[again],
        splits=splits,
        origins=[dataset.origins[number] for number in again.tolist()],
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )


def faces_of_labels(dataset: Dataset, name: str) -> tuple[int, ...]:
    """Returns how many faces of each label a split has, in the order of LABELS."""
    counts = np.bincount(dataset.labels[dataset.rows(name)], minlength=len(LABELS))
    return tuple(int(count) for count in counts)
