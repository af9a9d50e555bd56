"""Which splits a dataset must have, how validation is held out, and cut copies."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

import dataset.load
import dataset.locate
from dataset.fer2013 import LABELS, SPLITS, Dataset
from dataset.load import cut_short, load_dataset, load_dataset_if_any
from dataset.locate import DatasetError
from tests.support.dataset_files import (
    USAGES,
    csv_lines,
    error_of,
    numbered_faces,
    pixel_field,
    write_csv,
    write_images,
)
from tests.support.duplicates import WITH_DUPLICATES


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_split_without_rows_is_named(tmp_path, missing):
    lines = [line for line in csv_lines() if not line.endswith(USAGES[missing])]
    assert f"got none of {SPLITS[missing]}." in error_of(write_csv(tmp_path / "fer2013.csv", lines))


def test_where_none_is_named_a_dataset_may_be_missing_but_not_where_one_is(tmp_path, monkeypatch):
    path = write_csv(tmp_path / "fer2013.csv", csv_lines(6))
    monkeypatch.setattr(dataset.locate, "__file__", str(tmp_path / "checkout" / "dataset" / "locate.py"))
    monkeypatch.delenv("FER2013", raising=False)
    assert load_dataset_if_any() is None
    assert load_dataset_if_any(path).labels.tolist() == [0, 1, 2, 3, 4, 5]
    with pytest.raises(DatasetError, match="nowhere: no such file or folder"):
        load_dataset_if_any(tmp_path / "nowhere")
    monkeypatch.setenv("FER2013", str(tmp_path / "nowhere"))
    with pytest.raises(
        DatasetError, match=r"nowhere \(from the environment variable FER2013\): no such file"
    ):
        load_dataset_if_any()


def test_a_dataset_beside_the_checkout_that_is_wrong_is_not_taken_for_none(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset.locate, "__file__", str(tmp_path / "checkout" / "dataset" / "locate.py"))
    monkeypatch.delenv("FER2013", raising=False)
    (tmp_path / "shared" / "fer2013").mkdir(parents=True)
    with pytest.raises(DatasetError, match="or the folders train, validation, test, got nothing"):
        load_dataset_if_any()


# --- a dataset without validation split --------------------------------------------------------------


def without_validation(tmp_path: Path) -> Path:
    lines = csv_lines(1)[:1]
    faces = numbered_faces(60)
    lines += [f"{row % 3},{pixel_field(face)},Training" for row, face in enumerate(faces[:50])]
    lines += [f"6,{pixel_field(face)},PrivateTest" for face in faces[50:]]
    return write_csv(tmp_path / "fer2013.csv", lines)


def test_a_dataset_without_validation_raises_and_says_how_to_hold_one_out(tmp_path):
    error = error_of(without_validation(tmp_path))
    assert "got none of validation." in error
    assert error.endswith(
        "To hold out a part of train instead, give --validation-share 0.1 to train, dataset.audit, "
        "export and benchmarks evaluate alike."
    )


def test_a_validation_share_is_held_out_of_each_label_of_train_alone(tmp_path):
    dataset = load_dataset(without_validation(tmp_path), validation_share=0.2)
    assert np.bincount(dataset.split("validation")[1]).tolist() == [3, 3, 3]  # 20 % of 17, 17 and 16
    assert np.bincount(dataset.split("train")[1]).tolist() == [14, 14, 13]
    assert len(dataset.rows("test")) == 10
    assert (dataset.validation_share, dataset.validation_seed) == (0.2, 0)
    plain = load_dataset(write_csv(tmp_path / "whole.csv", csv_lines()))
    assert (plain.validation_share, plain.validation_seed) == (None, None)


def test_a_seed_decides_which_rows_are_held_out_and_the_sha256_tells(tmp_path):
    path = without_validation(tmp_path)
    one, same, other = (load_dataset(path, validation_share=0.2, seed=seed) for seed in (1, 1, 2))
    assert one.rows("validation").tolist() == same.rows("validation").tolist()
    assert one.sha256 == same.sha256
    assert one.rows("validation").tolist() != other.rows("validation").tolist()
    assert one.sha256 != other.sha256


def test_a_validation_share_of_a_dataset_that_has_one_raises(tmp_path):
    path = write_csv(tmp_path / "fer2013.csv", csv_lines())
    assert "expected no validation split where a validation share is given" in error_of(
        path, validation_share=0.1
    )


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, float("nan")])
def test_a_validation_share_out_of_range_raises(tmp_path, share):
    error = error_of(without_validation(tmp_path), validation_share=share)
    assert error == f"Expected a validation share above 0 and below 1, got {share}."


# --- a dataset of which only some splits are needed --------------------------------------------------


def test_a_folder_with_one_split_and_some_classes_is_read_where_no_other_split_is_needed(tmp_path):
    write_images(tmp_path, splits=("test",), classes=("happy", "sad"))
    assert "got none of train." in error_of(tmp_path)
    dataset = load_dataset(tmp_path, splits=("test",))
    assert dataset.labels.tolist() == [LABELS.index("happy"), LABELS.index("sad")]
    assert dataset.splits.tolist() == ["test", "test"]


def test_an_empty_class_folder_raises_even_where_a_missing_one_would_not(tmp_path):
    write_images(tmp_path, splits=("test",), classes=("happy", "sad"))
    (tmp_path / "test" / "sad" / "one.png").unlink()
    assert error_of(tmp_path, splits=("test",)) == (
        f"{tmp_path / 'test' / 'sad'}: expected .png, .jpg or .jpeg images, got an empty folder."
    )


@pytest.mark.parametrize("classes", [(), ("happy",)])
def test_the_split_that_is_needed_must_have_rows(tmp_path, classes):
    (tmp_path / "test").mkdir()
    write_images(tmp_path, splits=("train",), classes=classes)
    error = error_of(tmp_path, splits=("test",))
    assert error.startswith(f"{tmp_path}: expected rows of test (PrivateTest), got none of test.")


def test_a_csv_of_test_rows_alone_is_read_where_no_other_split_is_needed(tmp_path):
    lines = [line.replace("Training", "PrivateTest") for line in csv_lines(1)]
    path = write_csv(tmp_path / "mine.csv", lines)
    assert "got none of train." in error_of(path)
    assert load_dataset(path, splits=("test",)).splits.tolist() == ["test"]


def test_a_held_out_validation_split_needs_the_others_whole(tmp_path):
    write_images(tmp_path, splits=("test",))
    assert "got none of train." in error_of(tmp_path, splits=("test",), validation_share=0.1)


# --- a copy of FER2013 that was cut short ------------------------------------------------------------


def counted(**rows: int) -> Dataset:
    """A dataset of so many rows of each split, without their images."""
    return dataclasses.replace(
        WITH_DUPLICATES, splits=np.repeat(list(rows), list(rows.values())), path=Path("fer2013.csv")
    )


@pytest.mark.parametrize(
    "rows",
    [
        {"train": 28709, "validation": 3589, "test": 3589},
        {"train": 28709, "test": 7178},  # validation and test joined, as in many copies
        {"train": 28708, "validation": 10, "test": 10},  # faces of one's own
        {"test": 20},
    ],
)
def test_no_dataset_is_called_cut_but_one_with_the_official_training_samples(rows):
    assert cut_short(counted(**rows)) is None


def test_a_copy_with_all_training_samples_but_too_few_others_is_said_to_be_cut():
    assert cut_short(counted(train=28709, validation=3589, test=3000)) == (
        "fer2013.csv: has FER2013's 28,709 training rows, but 35,298 of its 35,887 rows: the file may be cut "
        "short. Scores on it are not the official ones."
    )


def test_reading_a_cut_copy_says_so_in_one_line_and_goes_on(tmp_path, capsys, monkeypatch):
    # FER2013 with 2 rows in every split, and with all of them.
    monkeypatch.setattr(dataset.load, "OFFICIAL_ROWS", dict.fromkeys(SPLITS, 2))
    lines = csv_lines(6)
    cut, whole = (write_csv(tmp_path / f"{rows}.csv", lines[: rows + 1]) for rows in (5, 6))
    assert len(load_dataset(cut).labels) == 5
    said = capsys.readouterr().err
    assert said.startswith(f"{cut}: has FER2013's 2 training rows, but 5 of its 6 rows:")
    assert said.count("\n") == 1
    load_dataset(whole)
    assert capsys.readouterr().err == ""
