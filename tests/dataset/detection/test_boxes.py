"""Overlap, suppression and letterboxing, by values worked out by hand."""

import numpy as np
import pytest

from dataset.detection.boxes import covered, letterbox, overlaps, suppress


def test_overlap_of_boxes():
    boxes = np.float32([[0, 0, 10, 10], [100, 100, 10, 10]])
    others = np.float32([[0, 0, 10, 10], [5, 0, 10, 10], [10, 10, 5, 5]])
    assert overlaps(boxes, others) == pytest.approx(np.array([[1, 50 / 150, 0], [0, 0, 0]]))


def test_no_boxes_have_no_overlap():
    assert overlaps(np.empty((0, 4)), np.ones((3, 4))).shape == (0, 3)
    assert overlaps(np.zeros((1, 4)), np.zeros((1, 4))).tolist() == [[0.0]]


def test_the_surest_of_boxes_on_one_face_is_kept():
    boxes = np.float32([[0, 0, 10, 10], [1, 0, 10, 10], [50, 50, 10, 10]])
    assert suppress(boxes, np.float32([0.6, 0.9, 0.7])).tolist() == [1, 2]
    assert suppress(np.empty((0, 4)), np.empty(0)).tolist() == []


def test_share_of_a_box_within_the_image():
    boxes = np.float32([[0, 0, 10, 10], [-5, 0, 10, 10], [95, 45, 10, 10], [200, 0, 5, 5]])
    assert covered(boxes, height=50, width=100) == pytest.approx([1, 0.5, 0.25, 0])


@pytest.mark.parametrize(
    ("rows", "columns", "scale"), [(480, 640, 0.5), (100, 50, 2.4), (1, 1, 240), (10, 9000, 320 / 9000)]
)
def test_letterboxing_keeps_proportions_and_fills_with_black(rows, columns, scale):
    canvas, found = letterbox(np.full((rows, columns), 200, np.uint8), height=240, width=320)
    assert found == pytest.approx(scale)
    assert canvas.shape == (240, 320)
    seen = np.argwhere(canvas == 200).max(axis=0) + 1
    assert abs(seen - np.array([rows, columns]) * scale).max() <= 1
    assert set(np.unique(canvas)) <= {0, 200}
