"""The study's rows as data, and on which faces each is trained, chosen and tested."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dataset.fer2013 import Dataset
from dataset.ferplus import VOTES
from dataset.locate import DatasetError
from study.experiments import (
    FURTHER_ROWS,
    PRINTED,
    PRINTED_TEST_FACES,
    PRINTED_TRAIN_FACES,
    ROWS,
    TABLE_ROWS,
    StudyError,
    dataset_of,
    faces_of_labels,
    paper_split,
    settings,
)

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
    """A dataset with FER2013's rows of each label, whose faces are one and the same."""
    faces = np.broadcast_to(np.zeros((1, 1, 1, 1), np.uint8), (len(OFFICIAL_LABELS), 1, 1, 1))
    order = np.random.default_rng(3).permutation(len(OFFICIAL_LABELS))
    return dataset_with(OFFICIAL_LABELS[order], np.full(len(order), "train"), faces)


# --- the rows ----------------------------------------------------------------------------------------


def test_every_printed_row_has_a_training_in_the_order_of_the_tables():
    assert list(PRINTED) == [*map(str, range(1, 18)), "LSTM"]
    assert [row.name for row in TABLE_ROWS] == list(PRINTED)
    assert list(ROWS)[:18] == list(PRINTED)
    assert len(ROWS) == 18 + len(FURTHER_ROWS)


def test_the_printed_best_of_both_tables_are_rows_2_and_lstm():
    best = max((printed.test, name) for name, printed in PRINTED.items())
    assert best == (63.25, "2")
    assert PRINTED["LSTM"].test == 46.82
    assert (PRINTED["2"].stopped, PRINTED["LSTM"].stopped) == (37, 46)


def test_no_two_trainings_are_the_same():
    trainings = [settings(row, seed=seed) for row in ROWS.values() for seed in range(row.seeds)]
    assert all(one != other for number, one in enumerate(trainings) for other in trainings[:number])


def test_rows_printed_alike_differ_in_their_seed_and_those_of_blank_epochs_in_these():
    alike = [settings(ROWS[name], seed=0) for name in ("4", "5", "6", "7", "8")]
    assert [training.pop("seed") for training in alike] == [0, 10, 20, 30, 40]
    assert [training.pop("epochs") for training in alike] == [50, 20, 20, 20, 20]
    assert all(training == alike[0] for training in alike)


def test_every_row_gives_its_reason_and_a_further_one_its_name_and_what_it_is_compared_with():
    assert all(row.why.endswith(".") for row in ROWS.values())
    assert all(row.title and row.against in ROWS and row.against != row.name for row in FURTHER_ROWS)


def test_what_follows_up_on_a_row_differs_from_what_it_is_compared_with_in_what_it_is_named_for_alone():
    names = ("2-bfloat16", "bn", "cbam", "se", "ferplus", "unrepeated")
    names += ("equal-latency", "plain", "full", "as-study", "cosine")
    names += ("bn-convolutions-float32", "15-again", "wide-raw-bare")
    differing = {}
    for name in names:
        other = settings(ROWS[ROWS[name].against], seed=0)
        own = settings(ROWS[name], seed=0)
        differing[name] = {key for key, value in own.items() if value != other.get(key)}
    assert differing == {
        "2-bfloat16": {"precision"},
        "bn": {"network", "options"},
        "cbam": {"network", "options"},
        "se": {"network", "options"},
        "ferplus": {"labels"},
        "unrepeated": {"leave_out_duplicates"},
        "equal-latency": {"options"},
        "plain": {"augmentation"},
        "full": {"augmentation"},
        "as-study": {"hold_out"},
        "cosine": {"epochs", "patience", "schedule"},
        "bn-convolutions-float32": {"epochs", "patience", "precision"},
        "15-again": {"seed"},
        "wide-raw-bare": {"epochs", "options"},
    }


def test_a_trial_changes_the_epochs_and_nothing_else():
    whole, trial = settings(ROWS["15"], seed=1), settings(ROWS["15"], seed=1, epochs=2)
    assert {key for key in whole if whole[key] != trial[key]} == {"epochs"}
    assert (whole["epochs"], trial["epochs"], whole["seed"]) == (50, 2, 1)


# --- the study's split -------------------------------------------------------------------------------


def test_the_printed_counts_add_up_but_for_the_misprint_of_neutral():
    assert sum(PRINTED_TRAIN_FACES) == 28_821
    assert sum(PRINTED_TRAIN_FACES) - PRINTED_TRAIN_FACES[-1] + 4_932 == 28_771
    assert sum(PRINTED_TEST_FACES) == 7_066
    assert sum(PRINTED_TRAIN_FACES) + sum(PRINTED_TEST_FACES) == 35_887


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
    assert dataset_of(ROWS["2"], dataset, split="official") is dataset


def test_a_split_without_a_face_is_refused_by_name():
    dataset = dataset_with([0, 1, 2], ["train", "train", "test"])
    with pytest.raises(StudyError) as caught:
        dataset_of(ROWS["2"], dataset, split="official")
    assert str(caught.value) == "made.csv: expected faces for validation on the official split, got none."


# --- other labels, fewer rows ------------------------------------------------------------------------


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

    divided = dataset_of(ROWS["ferplus"], dataset, split="official")

    assert divided.split("train")[1].tolist() == [3, 0]  # happy, angry; contempt is none of the seven
    assert divided.split("validation")[1].tolist() == [4]
    assert divided.split("test")[1].tolist() == [0, 6]
    assert divided.origins == [2, 4, 5, 7, 8]
    assert divided.sha256 != dataset.sha256


def test_without_ferplus_its_row_says_what_is_missing(tmp_path, monkeypatch):
    monkeypatch.delenv("FERPLUS", raising=False)
    dataset = replace(dataset_with([0, 1, 2], ["train", "validation", "test"]), path=tmp_path / "fer2013.csv")
    with pytest.raises(DatasetError, match=r"Expected FER\+'s votes at .*fer2013new.csv, found no such file"):
        dataset_of(ROWS["ferplus"], dataset, split="official")


def test_only_training_rows_that_recur_in_the_test_split_are_left_out():
    splits = ["train", "train", "train", "validation", "test", "test"]
    dataset = dataset_with([0, 1, 2, 1, 0, 5], splits)
    images = dataset.faces.copy()
    images[4] = images[0]  # in training and test
    images[3] = images[1]  # in training and validation
    repeated = replace(dataset, faces=images)

    divided = dataset_of(ROWS["unrepeated"], repeated, split="official")

    assert divided.split("train")[1].tolist() == [1, 2]
    assert divided.split("validation")[1].tolist() == [1]
    assert (divided.split("test")[0] == repeated.split("test")[0]).all()


def test_where_nothing_is_held_out_all_other_faces_are_trained_on_and_the_test_split_chooses():
    splits = ["validation", "test", "train", "test", "train"]
    dataset = dataset_with([4, 0, 1, 2, 3], splits)

    divided = dataset_of(ROWS["as-study"], dataset, split="official")

    assert divided.split("train")[1].tolist() == [4, 1, 3]
    for name in ("validation", "test"):
        assert divided.split(name)[1].tolist() == [0, 2]
        assert divided.split(name)[0][:, 0, 0, 0].tolist() == [1, 3]
    assert divided.rows("test").tolist() == dataset.rows("test").tolist()  # as FER+'s votes stand
    assert [divided.origin(row) for row in divided.rows("validation")] == ["made.csv:3", "made.csv:5"]
    assert divided.sha256 != dataset.sha256


def test_on_fer2013_every_row_is_tested_on_the_same_7066_faces(fer2013):
    tests = []
    for name in ("2", "unrepeated", "ferplus", "as-study"):
        try:
            divided = dataset_of(ROWS[name], fer2013, split="paper")
        except DatasetError:
            pytest.skip("needs FER+ beside FER2013")
        tests.append(divided)
        assert faces_of_labels(divided, "test") == PRINTED_TEST_FACES
    assert all((divided.split("test")[0] == tests[0].split("test")[0]).all() for divided in tests)
    whole, unrepeated, ferplus, as_study = (len(divided.rows("train")) for divided in tests)
    assert as_study == sum(PRINTED_TRAIN_FACES)
    assert whole == 25_940
    assert unrepeated < whole
    assert ferplus < whole
