"""Targets: what the network is to answer for each face, from labels, FER+'s votes and teachers."""

from collections.abc import Sequence

import numpy as np

from dataset.fer2013 import LABELS, Dataset
from dataset.ferplus import expected_labels, shares_of_votes, votes_of

from .distillation import Teacher, scores_of_plain_faces
from .recipes import Recipe

Targets = np.ndarray | dict[str, np.ndarray]
"""`float32 (n, classes)`; with a second head a dict of "scores", the same, and "votes", `float32 (n, 10)`."""


def training_targets(
    dataset: Dataset, recipe: Recipe, rows: np.ndarray, teacher: Teacher | None, *, show_progress: bool
) -> Targets:
    """Returns the targets of the training samples, but for what a teacher scores batch by batch.

    Args:
        dataset: With the labels, and for a recipe that uses them FER+'s votes beside it.
        recipe: Says what the targets are mixed from.
        rows: Row numbers of the training samples, int64 (n,).
        teacher: Scores each face once where the recipe's `teacher_input` is "plain".
        show_progress: Whether a bar is shown while it does.

    Raises:
        DatasetError: FER+'s votes are needed and can't be read.
    """
    targets = one_hot(dataset.labels[rows], len(dataset.classes))
    if recipe.vote_share:
        share = recipe.vote_share
        targets = (1 - share) * targets + share * labels_expected_from_votes(dataset, rows)
    if teacher is not None and recipe.teacher_input == "plain":
        scores = scores_of_plain_faces(teacher, dataset.faces[rows], show_progress=show_progress)
        targets = (1 - recipe.teacher_share) * targets + recipe.teacher_share * scores
    return with_votes(targets, dataset, recipe, rows)


def validation_targets(dataset: Dataset, recipe: Recipe) -> Targets:
    """Returns the targets of the validation split: its labels and, for a second head, FER+'s votes."""
    rows = dataset.rows("validation")
    return with_votes(one_hot(dataset.labels[rows], len(dataset.classes)), dataset, recipe, rows)


def with_votes(targets: np.ndarray, dataset: Dataset, recipe: Recipe, rows: np.ndarray) -> Targets:
    """Returns the targets, `float32 (n, classes)`, with those of the second head where the recipe has one."""
    if not recipe.vote_head_weight:
        return targets
    shares = shares_of_votes(votes_of(dataset))
    return {"scores": targets, "votes": shares[rows]}


def labels_expected_from_votes(dataset: Dataset, rows: np.ndarray) -> np.ndarray:
    """Returns the label to expect of training samples given FER+'s votes: `float32 (n, classes)`.

    Args:
        dataset: With FER+'s votes beside it.
        rows: Row numbers of the training samples, int64 (n,); the expectation is fitted on them alone.

    Raises:
        DatasetError: FER+'s votes can't be read.
    """
    train = np.zeros(len(dataset.labels), bool)
    train[rows] = True
    return expected_labels(votes_of(dataset), dataset.labels, train, classes=len(dataset.classes))[rows]


def one_hot(labels: np.ndarray | Sequence[int], classes: int = len(LABELS)) -> np.ndarray:
    """Returns `float32 (n, classes)` targets for `int (n,)` labels."""
    return np.eye(classes, dtype="float32")[labels]


def class_weights(labels: np.ndarray, classes: int = len(LABELS)) -> np.ndarray:
    """Returns weights, `float32 (classes,)`, that make the classes count alike.

    They are 1 on average over the samples.
    """
    counts = np.bincount(labels, minlength=classes)
    return (len(labels) / (classes * counts.clip(1))).astype("float32")
