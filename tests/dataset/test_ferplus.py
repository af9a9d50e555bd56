"""FER+'s votes: how they are read, joined to FER2013's rows, and turned into targets."""

from pathlib import Path

import numpy as np
import pytest

from dataset.fer2013 import Dataset
from dataset.ferplus import (
    VOTES,
    MajorityAccuracy,
    expected_labels,
    find_votes,
    majority_accuracy,
    majority_labels,
    majority_of_split,
    read_votes,
)
from dataset.load import load_dataset
from dataset.locate import DatasetError

HEADER = "Usage,Image name," + ",".join(VOTES)


def dataset_of(splits, labels=None, path=Path("fer2013.csv")):
    count = len(splits)
    return Dataset(
        faces=np.zeros((count, 48, 48, 1), np.uint8),
        labels=np.array(labels if labels is not None else [0] * count),
        splits=np.array(splits),
        origins=range(2, count + 2),
        path=path,
        sha256="0" * 64,
    )


def votes_file(folder, *rows):
    path = folder / "fer2013new.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def test_a_row_of_votes_belongs_to_the_same_row_of_the_dataset_whatever_its_name(tmp_path):
    path = votes_file(
        tmp_path, "Training,fer0000009.png,4,0,0,1,3,2,0,0,0,0", "PrivateTest,,0,10,0,0,0,0,0,0,0,0"
    )
    votes = read_votes(path, dataset_of(["train", "test"]))
    assert votes.tolist() == [[4, 0, 0, 1, 3, 2, 0, 0, 0, 0], [0, 10, 0, 0, 0, 0, 0, 0, 0, 0]]


@pytest.mark.parametrize(
    "rows, message",
    [
        (["Training,a,1,0,0,0,0,0,0,0,0,0"], "fer2013new.csv: expected 2 rows as in fer2013.csv, got 1."),
        (
            ["Training,a,1,0,0,0,0,0,0,0,0,0"] * 2,
            "fer2013new.csv:3: expected 12 fields beginning with PrivateTest",
        ),
        (["Training,a,1,0,0,0,0,0,0,0,0"] * 2, "fer2013new.csv:2: expected 12 fields"),
        (["Training,a,one,0,0,0,0,0,0,0,0,0"] * 2, "fer2013new.csv:2: expected whole numbers"),
        (
            ["Training,a,1,0,0,0,0,0,0,0,0,0", *["PrivateTest,b,1,0,0,0,0,0,0,0,0,0"] * 2],
            "expected 2 rows as in fer2013.csv, got more.",
        ),
    ],
)
def test_votes_that_do_not_fit_the_dataset_are_named_by_file_and_line(tmp_path, rows, message):
    with pytest.raises(DatasetError, match=message):
        read_votes(votes_file(tmp_path, *rows), dataset_of(["train", "test"]))


def test_another_header_is_refused(tmp_path):
    path = tmp_path / "fer2013new.csv"
    path.write_text("emotion,pixels,Usage\n")
    with pytest.raises(
        DatasetError, match=r"fer2013new\.csv:1: expected the columns Usage, Image name, neutral"
    ):
        read_votes(path, dataset_of(["train"]))


@pytest.mark.parametrize("content", [b"\xff\xfe" + "Usage".encode("utf-16-le"), b"\x89PNG\r\n"])
def test_a_file_that_is_no_text_is_named(tmp_path, content):
    path = tmp_path / "fer2013new.csv"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="a text file, got none"):
        read_votes(path, dataset_of(["train"]))


def test_votes_are_looked_for_beside_the_dataset_and_where_the_variable_points(tmp_path, monkeypatch):
    monkeypatch.delenv("FERPLUS", raising=False)
    dataset = dataset_of(["train"], path=tmp_path / "fer2013.csv")
    with pytest.raises(DatasetError, match=r"found no such file.*FERPLUS=path/to/fer2013new.csv"):
        find_votes(dataset)
    assert find_votes(dataset_of(["train"], path=votes_file(tmp_path))) == tmp_path / "fer2013new.csv"
    (tmp_path / "mine.csv").write_text(HEADER)
    monkeypatch.setenv("FERPLUS", str(tmp_path / "mine.csv"))
    assert find_votes(dataset) == tmp_path / "mine.csv"


def test_the_majority_is_minus_1_for_ties_and_for_votes_that_are_none_of_the_7_labels():
    row = dict.fromkeys(VOTES, 0)
    rows = [
        row | {"anger": 6, "neutral": 4},
        row | {"neutral": 9, "NF": 1},
        row | {"happiness": 5, "sadness": 5},
        row | {"contempt": 8, "neutral": 2},
    ]
    votes = np.array([[row[name] for name in VOTES] for row in rows])
    assert majority_labels(votes).tolist() == [0, 6, -1, -1]


def test_expected_labels_learn_from_the_train_rows_alone_what_a_label_is_where_people_vote_so():
    # FER2013 of this test says sad (4) in two of three faces that people find neutral, and fear (2) in one.
    neutral, happy = np.eye(10, dtype=int)[[0, 1]] * 10
    votes = np.array([neutral] * 300 + [happy] * 300 + [neutral] * 300)
    labels = np.array([4, 4, 2] * 100 + [3] * 300 + [0] * 300)  # the last are no train rows
    train = np.arange(900) < 600
    expected = expected_labels(votes, labels, train)
    assert (expected.shape, expected.dtype) == ((900, 7), np.float32)
    np.testing.assert_allclose(expected.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(expected[700, [4, 2]], [2 / 3, 1 / 3], atol=0.02)
    assert expected[400, 3] > 0.95


def test_the_votes_agree_with_the_labels_on_as_many_rows_as_is_known(fer2013):
    try:
        votes = read_votes(find_votes(fer2013), fer2013)
    except DatasetError as error:
        pytest.skip(str(error))
    assert votes.shape == (35_887, 10)
    decided = votes.argmax(axis=1)  # ties go to the first, as in the count of 62.3 %
    names = ["neutral", "happy", "surprise", "sad", "angry", "disgust", "fear"]
    from dataset.fer2013 import LABELS

    agreeing = np.array(
        [decided[i] < 7 and LABELS[label] == names[decided[i]] for i, label in enumerate(fer2013.labels)]
    )
    assert round(100 * agreeing.mean(), 1) == 62.3


def test_rows_without_a_majority_are_left_out_of_the_accuracy_and_counted():
    scores = np.eye(7)[[0, 3, 5, 6, 6]]
    result = majority_accuracy(scores, np.array([0, 3, 1, -1, -1]))
    assert result == MajorityAccuracy(accuracy=pytest.approx(2 / 3), faces=3, left_out=2)


def test_the_majority_of_a_split_is_read_from_the_file_beside_the_dataset(tmp_path, monkeypatch):
    monkeypatch.delenv("FERPLUS", raising=False)
    usages = ("Training", "PublicTest", "PrivateTest", "PrivateTest", "PrivateTest")
    face = " ".join(["7"] * 2304)
    (tmp_path / "faces.csv").write_text(
        "\n".join(["emotion,pixels,Usage", *(f"0,{face},{usage}" for usage in usages)]) + "\n"
    )
    votes = [f"{usage},,9,1,0,0,0,0,0,0,0,0" for usage in usages[:2]]
    votes += [
        "PrivateTest,,1,8,0,0,0,0,0,1,0,0",
        "PrivateTest,,0,0,0,0,0,2,0,8,0,0",
        "PrivateTest,,5,5,0,0,0,0,0,0,0,0",
    ]
    (tmp_path / "fer2013new.csv").write_text(
        "\n".join(["Usage,Image name," + ",".join(VOTES), *votes]) + "\n"
    )
    dataset = load_dataset(tmp_path / "faces.csv")
    assert majority_of_split(dataset, "test").tolist() == [3, -1, -1]  # happy; contempt; a tie
    assert majority_of_split(dataset, "validation").tolist() == [6]  # neutral
    (tmp_path / "fer2013new.csv").unlink()
    with pytest.raises(DatasetError, match=r"fer2013new\.csv, found no such file"):
        majority_of_split(dataset, "test")


def test_on_fer2013_itself_the_majority_agrees_with_its_own_labels_on_most_test_rows(fer2013):
    try:
        majority = majority_of_split(fer2013, "test")
    except DatasetError:
        pytest.skip("needs FER+'s fer2013new.csv beside FER2013")
    _, labels = fer2013.split("test")
    known = majority >= 0
    agreement = majority_accuracy(np.eye(7)[labels], majority)
    assert agreement == MajorityAccuracy(
        accuracy=pytest.approx((labels[known] == majority[known]).mean()),
        faces=int(known.sum()),
        left_out=3589 - int(known.sum()),
    )
    assert 0.6 < agreement.accuracy < 0.75
