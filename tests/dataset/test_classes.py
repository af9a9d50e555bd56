"""Classes of one's own: from folders, from a CSV, from FER+'s votes, and from the record beside weights."""

import argparse
import json

import cv2
import numpy as np
import pytest

from dataset.classes import classes_of_weights, labels_argument, rare_classes
from dataset.fer2013 import LABELS, SPLITS
from dataset.ferplus import CLASSES, VOTES
from dataset.load import load_dataset
from dataset.locate import DatasetError
from reporting.files import sha256_of
from tests.support.dataset_files import (
    USAGES,
    csv_lines,
    error_of,
    numbered_faces,
    pixel_field,
    write_csv,
    write_images,
)


@pytest.mark.parametrize(
    "classes",
    [
        ("calm", "tense"),
        ("Angry", "calm", "scared"),
        tuple(sorted(["contempt", *LABELS])),
        tuple(f"{number:02}" for number in range(100)),
    ],
    ids=len,
)
def test_folders_name_the_classes_and_are_sorted(tmp_path, classes):
    dataset = load_dataset(write_images(tmp_path, classes=classes))
    assert dataset.classes == classes
    assert dataset.labels.tolist() == [*range(len(classes))] * 3
    assert dataset.faces[: len(classes), 0, 0, 0].tolist() == [*range(len(classes))]


def test_some_of_fer2013s_classes_keep_its_names_and_order(tmp_path):
    folders = ("surprised", "Angry", "happiness")
    dataset = load_dataset(write_images(tmp_path, classes=folders))
    assert dataset.classes == ("angry", "happy", "surprise")
    assert dataset.faces[:3, 0, 0, 0].tolist() == [1, 2, 0]


def test_a_test_split_alone_with_fer2013s_spellings_stands_for_all_seven(tmp_path):
    dataset = load_dataset(
        write_images(tmp_path, splits=("test",), classes=("sad", "happy")), splits=["test"]
    )
    assert dataset.classes == LABELS
    assert dataset.labels.tolist() == [3, 4]


def test_given_labels_decide_the_order_and_what_a_folder_may_be(tmp_path):
    write_images(tmp_path, splits=("test",), classes=("scared", "calm"))
    dataset = load_dataset(tmp_path, labels=("tense", "scared", "calm"), splits=["test"])
    assert dataset.labels.tolist() == [1, 2]
    error = error_of(tmp_path, labels=("tense", "calm"), splits=["test"])
    assert "scared: expected a folder named tense, calm, got 'scared'." in error


def test_given_labels_that_are_fer2013s_take_its_spellings(tmp_path):
    write_images(tmp_path, splits=("test",), classes=("Happiness",))
    assert load_dataset(tmp_path, labels=("sad", "happy"), splits=["test"]).labels.tolist() == [1]


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        (("one",), "expected 2 to 100 classes, got 1: one."),
        (tuple(map(str, range(101))), "expected 2 to 100 classes, got 101: 0, 1, 10, 100, 11, ..."),
        (("a\tb", "c"), "expected printable names of classes, got 'a\\tb'."),
        (("calm", "uncertain"), "expected names of classes other than 'uncertain', which is shown where"),
    ],
)
def test_what_can_be_no_classes_is_said(tmp_path, classes, said):
    assert said in error_of(write_images(tmp_path, classes=classes))


# --- folders without splits --------------------------------------------------------------------------


def write_classes(folder, counts):
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for number, face in enumerate(numbered_faces(count, seed=len(name))):
            cv2.imwrite(str(folder / name / f"{number}.png"), face)
    return folder


def test_a_folder_without_splits_is_dealt_out(tmp_path):
    dataset = load_dataset(write_classes(tmp_path, {"calm": 40, "tense": 5}))
    counts = {split: np.bincount(dataset.split(split)[1]).tolist() for split in SPLITS}
    assert counts == {"train": [32, 3], "validation": [4, 1], "test": [4, 1]}
    assert dataset.origin(0).startswith("calm/")
    again = load_dataset(tmp_path)
    assert again.sha256 == dataset.sha256
    np.testing.assert_array_equal(again.splits, dataset.splits)


def test_a_class_too_small_to_be_dealt_out_is_named(tmp_path):
    write_classes(tmp_path, {"calm": 4, "tense": 2})
    assert error_of(tmp_path).startswith(f"{tmp_path / 'tense'}: expected 3 images or more of a class")


def test_classes_of_few_faces_are_named(tmp_path):
    dataset = load_dataset(write_classes(tmp_path, {"calm": 40, "tense": 5}))
    (line,) = rare_classes(dataset)
    assert line.startswith(f"{tmp_path}: 3 training faces of tense: with fewer than 20")


# --- a CSV -------------------------------------------------------------------------------------------


def csv_of(path, emotions):
    faces = numbered_faces(len(emotions))
    rows = [
        f"{emotion},{pixel_field(face)},{USAGES[row % 3]}"
        for row, (emotion, face) in enumerate(zip(emotions, faces, strict=True))
    ]
    return write_csv(path / "mine.csv", ["emotion,pixels,Usage", *rows])


def test_a_csv_has_numbers_or_names_of_the_given_classes(tmp_path):
    path = csv_of(tmp_path, ["0", "tense", "7", "calm", "1", "h"])
    classes = ("calm", "tense", *"abcdeh")
    dataset = load_dataset(path, labels=classes)
    assert dataset.classes == classes
    assert dataset.labels.tolist() == [0, 1, 7, 0, 1, 7]


def test_a_csv_whose_classes_are_numbers_has_their_names(tmp_path):
    dataset = load_dataset(csv_of(tmp_path, ["2", "1", "2"]), labels=("1", "2"))
    assert dataset.labels.tolist() == [1, 0, 1]


def test_an_unknown_class_of_a_csv_is_named_with_its_line(tmp_path):
    path = csv_of(tmp_path, ["0", "2", "1"])
    assert error_of(path, labels=("calm", "tense")).startswith(
        f"{path}:3: expected one of 0, 1, calm, tense as emotion, got '2'."
    )
    assert f"{path}:2: expected an emotion from 0 (angry) to 6 (neutral), got 'tense'." in error_of(
        csv_of(tmp_path, ["tense"])
    )


# --- FER+ --------------------------------------------------------------------------------------------

NAMES = ("contempt", "anger", "NF", "neutral", "happiness", "contempt")


def with_votes(tmp_path):
    path = write_csv(tmp_path / "fer2013.csv", csv_lines(6))
    rows = [
        [USAGES[row % 3], "", *(9 * (vote == name) + (vote == "unknown") for vote in VOTES)]
        for row, name in enumerate(NAMES)
    ]
    lines = [",".join(map(str, row)) for row in [["Usage", "Image name", *VOTES], *rows]]
    (tmp_path / "fer2013new.csv").write_text("\n".join(lines) + "\n")
    return path


def test_the_majority_of_fer_plus_gives_eight_classes_and_leaves_out_what_has_none(tmp_path):
    path = with_votes(tmp_path)
    plain, dataset = load_dataset(path), load_dataset(path, labels="ferplus")
    assert dataset.classes == (*LABELS, "contempt") == CLASSES
    assert dataset.labels.tolist() == [7, 0, 6, 3, 7]
    assert dataset.splits.tolist() == ["train", "validation", "train", "validation", "test"]
    np.testing.assert_array_equal(dataset.faces, plain.faces[[0, 1, 3, 4, 5]])
    assert dataset.origin(2) == "fer2013.csv:5"
    assert dataset.votes[:, VOTES.index("contempt")].tolist() == [9, 0, 0, 0, 9]
    assert dataset.sha256 != plain.sha256


def test_fer_plus_has_no_votes_of_a_folder(tmp_path):
    assert "expected FER2013's CSV, whose rows FER+'s votes name, got a folder." in error_of(
        write_images(tmp_path), labels="ferplus"
    )


# --- what a command line and a record say ------------------------------------------------------------


def test_labels_are_given_as_names_or_as_fer_plus():
    assert labels_argument("calm,very tense") == ("calm", "very tense")
    assert labels_argument("calm, very tense ") == ("calm", "very tense")
    assert labels_argument("ferplus") == "ferplus"
    for text in ("calm", "calm,calm", "calm,", ""):
        with pytest.raises(argparse.ArgumentTypeError, match="expected"):
            labels_argument(text)


def test_the_record_beside_weights_has_their_labels(tmp_path):
    weights = tmp_path / "mine.keras"
    weights.write_bytes(b"weights")
    assert classes_of_weights(weights) == LABELS
    record = {"labels": ["calm", "tense"], "weights_sha256": sha256_of(weights)}
    weights.with_suffix(".json").write_text(json.dumps(record))
    assert classes_of_weights(weights) == ("calm", "tense")
    weights.write_bytes(b"others")
    with pytest.raises(DatasetError, match=r"mine.json: expected the record of mine.keras, got that"):
        classes_of_weights(weights)
    weights.with_suffix(".json").write_text("[]")
    with pytest.raises(DatasetError, match=r"mine.json: expected a training record"):
        classes_of_weights(weights)
