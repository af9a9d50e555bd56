"""A dataset in memory: its splits, origins and distinct images."""

import numpy as np
import pytest

from dataset.fer2013 import image_numbers
from dataset.load import load_dataset
from dataset.locate import DatasetError
from tests.support.dataset_files import (
    csv_lines,
    numbered_faces,
    write_csv,
)
from tests.support.duplicates import WITH_DUPLICATES


def test_split_gives_the_rows_of_one_split_in_the_order_of_the_file(tmp_path):
    dataset = load_dataset(write_csv(tmp_path / "fer2013.csv", csv_lines(6)))
    faces, labels = dataset.split("validation")
    np.testing.assert_array_equal(faces, numbered_faces(6)[[1, 4]])
    assert labels.tolist() == [1, 4]
    assert dataset.rows("validation").tolist() == [1, 4]


def test_an_unknown_split_is_named(tmp_path):
    dataset = load_dataset(write_csv(tmp_path / "fer2013.csv", csv_lines()))
    with pytest.raises(DatasetError, match="Expected a split out of train, validation, test, got 'Training'"):
        dataset.split("Training")


def test_a_row_of_a_csv_is_named_by_its_line_where_the_header_is_line_1(tmp_path):
    dataset = load_dataset(write_csv(tmp_path / "fer2013.csv", csv_lines()))
    assert [dataset.origin(row) for row in range(3)] == ["fer2013.csv:2", "fer2013.csv:3", "fer2013.csv:4"]


def test_images_are_numbered_by_the_first_row_that_holds_them():
    assert image_numbers(WITH_DUPLICATES.faces).tolist() == [0, 1, 1, 3, 4, 4, 3, 7, 8, 8, 10, 11, 11]
