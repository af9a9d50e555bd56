"""Parity: the limits, and the faces on which it is measured."""

import numpy as np
import pytest

from export.parity import Parity, compare, faults
from export.parity_faces import parity_faces


@pytest.mark.parametrize(
    ("precision", "parity", "drop", "expected"),
    [
        ("fp32", Parity(600, 1e-4, 0.5), None, []),
        ("fp32", Parity(600, 1.01e-4, 1.0), None, ["largest gap to Keras 0.0001, limit 0.0001"]),
        ("fp16", Parity(600, 1e-2, 0.5), None, []),
        ("fp16", Parity(600, 0.0111, 1.0), None, ["largest gap to Keras 0.011, limit 0.01"]),
        ("dynamic", Parity(600, 1.0, 0.98), None, []),
        ("int8", Parity(600, 1.0, 0.98), 0.005, []),
        ("int8", Parity(600, 0.0, 0.9799), 0.0, ["label agreement with Keras 97.99%, limit 98%"]),
        ("int8_io", Parity(600, 0.0, 1.0), 0.0051, ["accuracy 0.51 points below Keras, limit 0.5"]),
        ("int8", Parity(600, 0.0, 1.0), -0.1, []),
        # 35 faces of somebody's own: one flipped label would be 97 %, and one face lost 3 points.
        ("int8", Parity(35, 1.0, 0.9), 0.1, []),
        ("fp32", Parity(35, 0.1, 1.0), None, ["largest gap to Keras 0.1, limit 0.0001"]),
    ],
)
def test_a_file_passes_up_to_its_limit_and_fails_beyond(precision, parity, drop, expected):
    assert faults(precision, parity, drop) == expected


def test_two_limits_missed_are_two_faults():
    assert len(faults("int8", Parity(600, 1.0, 0.5), 0.2)) == 2


def test_the_gap_is_the_largest_between_two_probabilities():
    reference = np.array([[0.7, 0.3], [0.4, 0.6]], np.float32)
    scores = np.array([[0.65, 0.35], [0.625, 0.375]], np.float32)
    parity = compare(scores, reference)
    assert parity == Parity(2, pytest.approx(0.225), 0.5)


def test_a_score_that_is_no_number_has_the_largest_gap():
    scores = np.array([[np.nan, 0.3]], np.float32)
    assert compare(scores, np.array([[0.7, 0.3]], np.float32)).largest_gap == 1.0


def test_the_faces_are_the_same_every_time_and_all_different():
    faces = parity_faces()
    assert (faces.shape, faces.dtype) == ((600, 48, 48, 1), np.uint8)
    np.testing.assert_array_equal(faces, parity_faces())
    np.testing.assert_array_equal(faces[:10], parity_faces(10))
    assert len(np.unique(faces, axis=0)) == 600
    assert faces.reshape(600, -1).std(axis=1).min() > 5
