"""On which samples each experiment is trained, chosen and tested."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dataset.fer2013 import Dataset
from dataset.ferplus import VOTES
from dataset.locate import DatasetError
from study.errors import StudyError
from study.experiments import EXPERIMENTS
from study.paper import PRINTED_TEST_FACES, PRINTED_TRAIN_FACES
from study.split import dataset_of, faces_of_labels, paper_split

OFFICIAL_LABELS = np.repeat(np.arange(7), np.add(PRINTED_TRAIN_FACES, PRINTED_TEST_FACES))


def dataset_with(labels, splits, faces=None):
    count = len(labels)
    return Dataset(
        faces=np.arange(count, dtype=np.uint8)[:, None, None, None] + np.zeros((1, 48, 48, 1), np.uint8)
        if faces is None
        else faces,
        labels=np.asarray(labels, np.int64),
        splits=np.asarray(splits),
        origins=range(2, count + 2),
        path=Path("made.csv"),
        sha256="6" * 64,
    )


def fer2013_in_numbers():
    """A dataset with FER2013's samples of each label, whose faces are one and the same."""
    faces = np.broadcast_to(np.zeros((1, 1, 1, 1), np.uint8), (len(OFFICIAL_LABELS), 1, 1, 1))
    order = np.random.default_rng(3).permutation(len(OFFICIAL_LABELS))
    return dataset_with(OFFICIAL_LABELS[order], np.full(len(order), "train"), faces)


# --- the study's split -------------------------------------------------------------------------------


def test_the_studys_split_has_the_printed_faces_of_each_label():
    divided = paper_split(fer2013_in_numbers())
    assert faces_of_labels(divided, "test") == PRINTED_TEST_FACES
    held_out = faces_of_labels(divided, "validation")
    assert tuple(np.add(faces_of_labels(divided, "train"), held_out)) == PRINTED_TRAIN_FACES
    assert held_out == (399, 44, 410, 716, 494, 320, 498)  # a tenth of each


def test_the_studys_split_is_the_same_each_time_and_has_a_sha256_of_its_own():
    dataset = fer2013_in_numbers()
    one, two = paper_split(dataset), paper_split(dataset)
    assert (one.splits == two.splits).all()
    assert one.sha256 == two.sha256 != dataset.sha256
    assert one.labels is dataset.labels
    # On any machine, in any release: results of other faces would stand beside those that are committed.
    membership = hashlib.sha256("\n".join(one.splits.tolist()).encode()).hexdigest()
    assert membership == "957d7bc47ab917f79e85e51eace5b0957364ce17ffc61d59f02729d785c0d2d3"


def test_the_official_split_stays_what_it_is():
    dataset = dataset_with([0, 1, 2], ["train", "validation", "test"])
    assert dataset_of(EXPERIMENTS["2"], dataset, split="official") is dataset


def test_a_split_without_a_face_is_refused_by_name():
    dataset = dataset_with([0, 1, 2], ["train", "train", "test"])
    with pytest.raises(StudyError) as caught:
        dataset_of(EXPERIMENTS["2"], dataset, split="official")
    assert str(caught.value) == "made.csv: expected faces for validation on the official split, got none."


# --- other labels, fewer samples ------------------------------------------------------------------------


def write_votes(path, splits, votes):
    usage = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
    lines = [",".join(["Usage", "Image name", *VOTES])]
    for split, vote in zip(splits, votes, strict=True):
        lines.append(",".join([usage[split], "", *("10" if name == vote else "0" for name in VOTES)]))
    path.write_text("\n".join(lines) + "\n")


def test_ferplus_labels_train_and_choose_but_do_not_test(tmp_path, monkeypatch):
    monkeypatch.delenv("FERPLUS", raising=False)
    splits = ["train", "train", "train", "validation", "validation", "test", "test"]
    dataset = replace(dataset_with([0, 0, 0, 0, 0, 0, 6], splits), path=tmp_path / "fer2013.csv")
    votes = ["happiness", "contempt", "anger", "sadness", "NF", "happiness", "unknown"]
    write_votes(tmp_path / "fer2013new.csv", splits, votes)

    divided = dataset_of(EXPERIMENTS["ferplus"], dataset, split="official")

    assert divided.split("train")[1].tolist() == [3, 0]  # happy, angry; contempt is none of the seven
    assert divided.split("validation")[1].tolist() == [4]
    assert divided.split("test")[1].tolist() == [0, 6]
    assert divided.origins == [2, 4, 5, 7, 8]
    assert divided.sha256 != dataset.sha256


def test_without_ferplus_its_experiment_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.delenv("FERPLUS", raising=False)
    dataset = replace(dataset_with([0, 1, 2], ["train", "validation", "test"]), path=tmp_path / "fer2013.csv")
    with pytest.raises(DatasetError, match=r"Expected FER\+'s votes at .*fer2013new.csv, found no such file"):
        dataset_of(EXPERIMENTS["ferplus"], dataset, split="official")


def test_only_training_samples_with_a_duplicate_in_the_test_split_are_left_out():
    splits = ["train", "train", "train", "validation", "test", "test"]
    dataset = dataset_with([0, 1, 2, 1, 0, 5], splits)
    images = dataset.faces.copy()
    images[4] = images[0]  # in training and test
    images[3] = images[1]  # in training and validation
    with_duplicates = replace(dataset, faces=images)

    divided = dataset_of(EXPERIMENTS["without-duplicates"], with_duplicates, split="official")

    assert divided.split("train")[1].tolist() == [1, 2]
    assert divided.split("validation")[1].tolist() == [1]
    assert (divided.split("test")[0] == with_duplicates.split("test")[0]).all()


def test_where_nothing_is_held_out_all_other_faces_are_trained_on_and_the_test_split_chooses():
    splits = ["validation", "test", "train", "test", "train"]
    dataset = dataset_with([4, 0, 1, 2, 3], splits)

    divided = dataset_of(EXPERIMENTS["as-study"], dataset, split="official")

    assert divided.split("train")[1].tolist() == [4, 1, 3]
    for name in ("validation", "test"):
        assert divided.split(name)[1].tolist() == [0, 2]
        assert divided.split(name)[0][:, 0, 0, 0].tolist() == [1, 3]
    assert divided.rows("test").tolist() == dataset.rows("test").tolist()  # as FER+'s votes stand
    assert [divided.origin(row) for row in divided.rows("validation")] == ["made.csv:3", "made.csv:5"]
    assert divided.sha256 != dataset.sha256


def test_on_fer2013_every_experiment_is_tested_on_the_same_7066_faces(fer2013):
    tests = []
    for name in ("2", "without-duplicates", "ferplus", "as-study"):
        try:
            divided = dataset_of(EXPERIMENTS[name], fer2013, split="paper")
        except DatasetError:
            pytest.skip("needs FER+ beside FER2013")
        tests.append(divided)
        assert faces_of_labels(divided, "test") == PRINTED_TEST_FACES
    assert all((divided.split("test")[0] == tests[0].split("test")[0]).all() for divided in tests)
    whole, without_duplicates, ferplus, as_study = (len(divided.rows("train")) for divided in tests)
    assert as_study == sum(PRINTED_TRAIN_FACES)
    assert whole == 25_940
    assert without_duplicates < whole
    assert ferplus < whole
