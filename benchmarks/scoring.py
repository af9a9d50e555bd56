"""A model's scores of a dataset's faces: what every measurement of accuracy shares."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.errors import BenchmarkError, MissingPackageError
from dataset.classes import classes_of_weights
from dataset.fer2013 import LABELS, OFFICIAL_SHA256, Dataset
from dataset.load import load_dataset_if_any
from reporting.progress import progress
from runtime.card import read_card
from runtime.model import load_model

KERAS_BATCH = 256


class ScoredFileError(BenchmarkError):
    """A file can't be scored.

    Attributes:
        path: The file.
    """

    def __init__(self, path: str | Path, expected: str, got: str) -> None:
        """Keeps the file."""
        self.path = Path(path)
        super().__init__(f"{path}: expected {expected}, {got}")


def check_file(path: str | Path) -> None:
    """Raises ScoredFileError where a file to score is missing."""
    if not Path(path).is_file():
        raise ScoredFileError(path, "a .keras file or an artifact", "found no file.")


def labels_of_file(path: str | Path) -> tuple[str, ...]:
    """Returns the labels of a file's scores: an artifact's card has them, a `.keras` file's record.

    Raises:
        ScoredFileError: The file is missing.
        CardError: The card is missing or wrong.
        DatasetError: The record is none, or is of other weights.
    """
    check_file(path)
    return (
        classes_of_weights(Path(path)) if Path(path).suffix == ".keras" else tuple(read_card(path)["labels"])
    )


def check_labels(path: str | Path, labels: Sequence[str], classes: Sequence[str]) -> None:
    """Raises ScoredFileError where a file's labels are not the classes of the dataset, in this order."""
    if tuple(labels) != tuple(classes):
        named = "FER2013's labels" if tuple(classes) == LABELS else "the dataset's classes"
        raise ScoredFileError(
            path,
            f"{named} {', '.join(classes)}",
            f"got {', '.join(labels)}. Score this model on its own data.",
        )


def scores_of_file(
    path: str | Path, faces: np.ndarray, threads: int = 1, *, classes: Sequence[str] = LABELS
) -> np.ndarray:
    """Returns the scores of a `.keras` file or an artifact, float32 `(n, classes)`.

    Args:
        path: A `.keras` file, which needs Keras, or an artifact, which needs its engine and card.
        faces: uint8 `(n, 48, 48, 1)`, gray 0-255.
        threads: Of the engine.
        classes: Of the faces' dataset, in order.

    Raises:
        ScoredFileError: The file is missing or damaged, or its labels are not the dataset's classes.
        DatasetError: The record beside a `.keras` file is none, or is of other weights.
        MissingPackageError: Keras is missing.
        CardError, EngineError, ModelError: The artifact can't be opened.
    """
    path = Path(path)
    check_file(path)
    check_labels(path, labels_of_file(path), classes)
    if path.suffix == ".keras":
        scores = scores_in_batches(_keras_model(path), faces, path.name, at_once=KERAS_BATCH)
        if scores.shape[1] != len(classes):
            raise ScoredFileError(
                path,
                f"{len(classes)} scores per face",
                f"got {scores.shape[1]}. Put its training record, {path.stem}.json, beside it.",
            )
        return scores
    return scores_in_batches(load_model(path, threads=threads), faces, path.name)


def _keras_model(path: Path) -> Callable[[np.ndarray], np.ndarray]:
    if not zipfile.is_zipfile(
        path
    ):  # said before TensorFlow is imported, which takes seconds and prints lines
        raise ScoredFileError(path, "a whole .keras file", "got something else: Keras 3 writes zip archives")
    try:
        import keras
    except ImportError as error:
        raise MissingPackageError(f"Scoring {path}", "keras", "keras tensorflow") from error
    try:
        network = keras.saving.load_model(path, compile=False)
    except Exception as error:  # a damaged file raises a dozen kinds
        raise ScoredFileError(path, "a whole .keras file", f"Keras can't read it: {error}") from error
    return lambda some: keras.ops.convert_to_numpy(network(some.astype(np.float32), training=False))


def scores_in_batches(
    answer: Callable[[np.ndarray], np.ndarray], faces: np.ndarray, description: str, *, at_once: int = 1
) -> np.ndarray:
    """Returns what `answer` gives for faces, `(n, classes)`.

    Artifacts get one face at a time, as they do on a device: a file with dynamic-range quantization takes the
    range of its whole batch.

    Args:
        answer: A model.
        faces: uint8 `(n, 48, 48, 1)`, gray 0-255.
        description: What the progress bar says.
        at_once: Faces in a batch.
    """
    starts = range(0, len(faces), at_once)
    return np.concatenate([answer(faces[start : start + at_once]) for start in progress(starts, description)])


def dataset_name(dataset: Dataset) -> str:
    """Returns "FER2013" for the official file, however packed, else the name of the file or folder.

    With the labels of FER+'s majority it is "FERPlus".
    """
    if dataset.votes is not None:
        return "FERPlus"
    if dataset.sha256 == OFFICIAL_SHA256:
        return "FER2013"
    return dataset.path.absolute().name  # '.' has no name of its own


def dataset_or_none(path: str | None) -> Dataset | None:
    """Returns FER2013, or None, with a line on stderr, where none was named and none is found.

    Raises:
        DatasetError: The dataset that was named, here or by the variable FER2013, or found is wrong.
    """
    dataset = load_dataset_if_any(path)
    if dataset is None:
        say("FER2013 was not found: no accuracy (--data or the variable FER2013 names its place).")
    return dataset


def say(line: str) -> None:
    """Prints a line on stderr: what is being done, or left out."""
    print(line, file=sys.stderr, flush=True)
