"""FER+'s votes: ten people's labels for each of FER2013's images (Barsoum et al. 2016, arXiv 1608.01041).

FER2013 has one label a image, and many are wrong: the majority of FER+'s votes agrees with it on 62 % of
the rows. The votes tell how sure people are of a image; training on both is training with targets that
are soft where the image is ambiguous.
"""

import csv
import hashlib
import os
from pathlib import Path

import numpy as np

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
# FER2013's name of each vote; contempt, "unknown" and "no face" have none.
LABEL_OF_VOTE = {
    "anger": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprise": "surprise",
    "neutral": "neutral",
}


def find_votes(dataset: Dataset) -> Path:
    """Returns FER+'s CSV: where FERPLUS points, or `fer2013new.csv` beside the dataset.

    Raises DatasetError where there is none.
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
    """Returns the votes, int64 (rows, 10), columns as in `VOTES`; row i belongs to row i of the dataset.

    FER+'s file holds no images and its column "Image name" does not number the rows: the order alone
    joins the two files, so the split of every row is compared.

    Raises DatasetError, naming file and line, for another header, another number of rows than the dataset's,
    a row of another split, or a vote that is no number; and for a file that is no UTF-8 text.
    """
    try:
        return parse_votes(path, dataset)
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(
            f"{path}: expected FER+'s fer2013new.csv, a text file, got none ({error})."
        ) from None


def parse_votes(path: Path, dataset: Dataset) -> np.ndarray:
    """Does what `read_votes` says of a file of text."""
    usages = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        header = [name.strip() for name in next(reader, [])]
        expected = ["Usage", "Image name", *VOTES]
        if header != expected:
            raise DatasetError(
                f"{path}:1: expected the columns {', '.join(expected)}, got {', '.join(header)}."
            )
        votes = np.zeros((len(dataset.labels), len(VOTES)), "int64")
        row = -1
        for row, fields in enumerate(reader):
            if row >= len(votes):
                break
            usage = usages[dataset.splits[row]]
            if len(fields) != len(expected) or fields[0] != usage:
                got = f"{len(fields)} beginning with {fields[0]}" if fields else "an empty line"
                raise DatasetError(
                    f"{path}:{row + 2}: expected {len(expected)} fields beginning with {usage}, as the "
                    f"dataset has in this row, got {got}."
                )
            try:
                votes[row] = [int(field) for field in fields[2:]]
            except ValueError as error:
                raise DatasetError(f"{path}:{row + 2}: expected whole numbers as votes ({error}).") from None
    if row + 1 != len(votes):
        more = "more" if row >= len(votes) else f"{row + 1}"
        raise DatasetError(f"{path}: expected {len(votes)} rows as in {dataset.path.name}, got {more}.")
    return votes


def votes_sha256(path: Path) -> str:
    """Returns the sha256 of FER+'s file, for the record of a training."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def shares_of_votes(votes: np.ndarray) -> np.ndarray:
    """Returns each vote's share of a image's votes, float32 (rows, 10), columns as in `VOTES`."""
    return (votes / votes.sum(axis=1, keepdims=True).clip(1)).astype("float32")


def majority_labels(votes: np.ndarray) -> np.ndarray:
    """Returns the label most people voted for, int64 (rows,): -1 for contempt, unknown, no face and ties."""
    names = [LABEL_OF_VOTE.get(name) for name in VOTES]
    index = np.array([LABELS.index(name) if name else -1 for name in names])
    tied = (votes == votes.max(axis=1, keepdims=True)).sum(axis=1) > 1
    return np.where(tied, -1, index[votes.argmax(axis=1)])


def expected_labels(votes: np.ndarray, labels: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Returns what FER2013's label is expected to be, given the votes: probabilities, float32 (rows, 7).

    The two label sets disagree in a systematic way (FER2013 says fear or sad where people vote neutral), so
    the votes are not used as they are: a multinomial logistic regression from their shares to FER2013's
    labels, fitted on the rows that `train`, bool (rows,), marks, translates one into the other.
    """
    from sklearn.linear_model import LogisticRegression

    shares = shares_of_votes(votes)
    regression = LogisticRegression(max_iter=1000).fit(shares[train], labels[train])
    probabilities = np.zeros((len(votes), len(LABELS)), "float32")
    probabilities[:, regression.classes_] = regression.predict_proba(shares)
    return probabilities
