"""Faces to paste, as they are read."""

import pytest

from dataset.detection.images import DataError
from tests.support.dataset_files import csv_lines, numbered_faces, write_csv
from train.detector.data import load_faces


def test_of_fer2013_the_training_split_is_pasted(tmp_path):
    faces = load_faces(write_csv(tmp_path / "fer2013.csv", csv_lines(6)), teacher=None)
    assert [face.image.tolist() for face in faces] == numbered_faces(6)[[0, 3], :, :, 0].tolist()


def test_a_damaged_csv_is_named(tmp_path):
    with pytest.raises(DataError, match=r"fer2013\.csv"):
        load_faces(write_csv(tmp_path / "fer2013.csv", ["emotion,pixels,Usage", "9,1 2,Training"]), None)
