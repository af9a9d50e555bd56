"""Duplicates, contradictions and blank images, and what training leaves out of them."""

import numpy as np
import pytest

from dataset.duplicates import blank, duplicates_of, training_samples
from tests.support.duplicates import WITH_DUPLICATES, dataset_of


def test_duplicates_of_marks_the_rows_of_a_split_whose_image_stands_in_the_other():
    assert duplicates_of(WITH_DUPLICATES).tolist() == [True, False, False]
    assert duplicates_of(WITH_DUPLICATES, split="test", of="validation").tolist() == [False, False, True]
    assert duplicates_of(WITH_DUPLICATES, split="validation", of="train").tolist() == [True, False]


def test_an_image_of_one_gray_level_is_blank_and_one_pixel_makes_it_none():
    faces = np.full((3, 48, 48, 1), 255, np.uint8)
    faces[1, 47, 47, 0] = 254
    assert blank(faces).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("rules", "kept_images"),
    [
        ({}, [1, 6, 6]),
        ({"drop_duplicates": False}, [1, 2, 3, 6, 6]),
        ({"drop_contradictions": False}, [1, 4, 4, 6, 6]),
        ({"drop_blank": False}, [1, 6, 6, 0]),
        (
            {"drop_duplicates": False, "drop_contradictions": False, "drop_blank": False},
            [1, 2, 3, 4, 4, 6, 6, 0],
        ),
    ],
)
def test_training_samples_leave_out_duplicates_contradictions_and_blanks_as_told(rules, kept_images):
    faces, _ = WITH_DUPLICATES.split("train")
    keep = training_samples(WITH_DUPLICATES, **rules)
    np.testing.assert_array_equal(faces[keep], dataset_of([("train", "sad", p) for p in kept_images]).faces)
