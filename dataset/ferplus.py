"""FER+'s votes: ten people's labels for each of FER2013's images (Barsoum et al. 2016, arXiv 1608.01041).

FER2013 has one label an image, and many are wrong: the majority of FER+'s votes agrees with it on 62 % of the
samples. The votes tell how sure people are of an image. Training on both gives soft targets where the image
is ambiguous.
"""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from reporting import metrics
from reporting.files import sha256_of

from .fer2013 import LABELS, Dataset
from .locate import DatasetError

VOTES = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
    "unknown",
    "NF",
)
# The class of each vote, by FER2013's names; "unknown" and "no face" have none.
LABEL_OF_VOTE = {
    "anger": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprise": "surprise",
    "neutral": "neutral",
    "contempt": "contempt",
}
CLASSES = (*LABELS, "contempt")
"""FER+'s eight classes: FER2013's seven in their order, and the one that it lacks."""

COLUMNS = ["Usage", "Image name", *VOTES]
USAGE_OF_SPLIT = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}


@dataclass(frozen=True)
class MajorityAccuracy:
    """An accuracy on FER+'s majority labels.

    Attributes:
        accuracy: 0 to 1; not a number without faces.
        faces: How many it is over.
        left_out: How many have no majority label.
    """

    accuracy: float
    faces: int
    left_out: int


def find_votes(dataset: Dataset) -> Path:
    """Returns FER+'s CSV: where FERPLUS points, or `fer2013new.csv` beside the dataset.

    Raises:
        DatasetError: There is none.
    """
    named = os.environ.get("FERPLUS")
    path = Path(named) if named else dataset.path.parent / "fer2013new.csv"
    if path.is_file():
        return path
    raise DatasetError(
        f"Expected FER+'s votes at {path}, found no such file. Get fer2013new.csv from the repository "
        "microsoft/FERPlus on GitHub and put it beside FER2013 or name it: FERPLUS=path/to/fer2013new.csv"
    )


def read_votes(path: Path, dataset: Dataset) -> np.ndarray:
    """Returns the votes of each sample, `int64 (samples, 10)`, columns as in `VOTES`.

    FER+'s file holds no images, and its column "Image name" does not number the rows. Only the order joins
    the two files, so the split of every row is compared.

    Raises:
        DatasetError: The header, the number of rows, or a row's split differ from the dataset's, a vote is no
            number, or the file is no UTF-8 text. The message names file and line.
    """
    try:
        return parse_votes(path, dataset)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(
            f"{path}: expected FER+'s fer2013new.csv, a text file, got none ({error})."
        ) from None


def parse_votes(path: Path, dataset: Dataset) -> np.ndarray:
    """Does what `read_votes` says of a file of text."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        header = [name.strip() for name in next(reader, [])]
        if header != COLUMNS:
            raise DatasetError(
                f"{path}:1: expected the columns {', '.join(COLUMNS)}, got {', '.join(header)}."
            )
        votes = np.zeros((len(dataset.labels), len(VOTES)), "int64")
        row = -1
        for row, fields in enumerate(reader):
            if row >= len(votes):
                break
            votes[row] = parse_row(fields, split=dataset.splits[row], place=f"{path}:{row + 2}")
    if row + 1 != len(votes):
        more = "more" if row >= len(votes) else f"{row + 1}"
        raise DatasetError(f"{path}: expected {len(votes)} rows as in {dataset.path.name}, got {more}.")
    return votes


def parse_row(fields: list[str], *, split: str, place: str) -> list[int]:
    """Returns the votes of a line of FER+'s file, whose split must be that of the dataset's sample."""
    usage = USAGE_OF_SPLIT[split]
    if len(fields) != len(COLUMNS) or fields[0] != usage:
        got = f"{len(fields)} beginning with {fields[0]}" if fields else "an empty line"
        raise DatasetError(
            f"{place}: expected {len(COLUMNS)} fields beginning with {usage}, as the dataset has in this "
            f"row, got {got}."
        )
    try:
        return [int(field) for field in fields[2:]]
    except ValueError as error:
        raise DatasetError(f"{place}: expected whole numbers as votes ({error}).") from None


def shares_of_votes(votes: np.ndarray) -> np.ndarray:
    """Returns each vote's share of an image's votes, `float32 (samples, 10)`, columns as in `VOTES`."""
    return (votes / votes.sum(axis=1, keepdims=True).clip(1)).astype("float32")


def votes_of(dataset: Dataset) -> np.ndarray:
    """Returns FER+'s votes of a dataset's samples: those that it holds, else those of the file beside it.

    Raises:
        DatasetError: FER+'s file is missing or is not that of this dataset.
    """
    return read_votes(find_votes(dataset), dataset) if dataset.votes is None else dataset.votes


def with_majority_labels(dataset: Dataset) -> Dataset:
    """Returns the samples whose votes have a majority among FER+'s eight `CLASSES`, with it as their label.

    The others, of every split, are left out: ties, and images that most people called unknown or no face. The
    sha256 becomes that of the text '<old sha256> labels=ferplus votes=<sha256 of FER+'s file>'.

    Raises:
        DatasetError: FER+'s file is missing or is not that of this dataset.
    """
    path = find_votes(dataset)
    votes = read_votes(path, dataset)
    labels = majority_labels(votes, CLASSES)
    kept = np.flatnonzero(labels >= 0)
    text = f"{dataset.sha256} labels=ferplus votes={sha256_of(path)}"
    return replace(
        dataset,
        faces=dataset.faces[kept],
        labels=labels[kept],
        splits=dataset.splits[kept],
        origins=np.array(dataset.origins)[kept].tolist(),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        classes=CLASSES,
        votes=votes[kept],
    )


def majority_labels(votes: np.ndarray, classes: Sequence[str] = LABELS) -> np.ndarray:
    """Returns the label most people voted for, `int64 (samples,)`; -1 for a tie or a vote that is no class.

    Args:
        votes: `int (samples, 10)`, columns as in `VOTES`.
        classes: FER2013's seven, or `CLASSES`.
    """
    names = [LABEL_OF_VOTE.get(name) for name in VOTES]
    index = np.array([classes.index(name) if name in classes else -1 for name in names])
    tied = (votes == votes.max(axis=1, keepdims=True)).sum(axis=1) > 1
    return np.where(tied, -1, index[votes.argmax(axis=1)])


def majority_of_split(dataset: Dataset, split: str) -> np.ndarray:
    """Returns FER+'s `majority_labels` of a split: `int64 (samples,)`, -1 for none.

    Raises:
        DatasetError: FER+'s file is missing or is not that of this dataset.
    """
    return majority_labels(read_votes(find_votes(dataset), dataset))[dataset.rows(split)]


def majority_accuracy(scores: np.ndarray, majority: np.ndarray) -> MajorityAccuracy:
    """Returns the accuracy on the majority labels.

    Args:
        scores: float (n, 7).
        majority: int (n,); faces with -1 are left out.
    """
    known = majority >= 0
    return MajorityAccuracy(
        accuracy=metrics.accuracy(scores[known], majority[known]),
        faces=int(known.sum()),
        left_out=int((~known).sum()),
    )


def expected_labels(
    votes: np.ndarray, labels: np.ndarray, train: np.ndarray, *, classes: int = len(LABELS)
) -> np.ndarray:
    """Returns the probabilities of a dataset's labels given the votes, `float32 (samples, classes)`.

    The two label sets disagree in a systematic way: FER2013 says fear or sad where people vote neutral. So a
    multinomial logistic regression translates the votes' shares into FER2013's labels.

    Args:
        votes: `int (samples, 10)`, columns as in `VOTES`.
        labels: The dataset's, `int (samples,)`.
        train: Marks the samples that the regression is fitted on, bool (samples,).
        classes: How many the dataset has.
    """
    from sklearn.linear_model import LogisticRegression

    shares = shares_of_votes(votes)
    regression = LogisticRegression(max_iter=1000).fit(shares[train], labels[train])
    probabilities = np.zeros((len(votes), classes), "float32")
    probabilities[:, regression.classes_] = regression.predict_proba(shares)
    return probabilities
