"""How detectors are scored, by values worked out by hand."""

import numpy as np
import pytest

from dataset.detection.scores import score_photos
from dataset.detection.teacher import Found, Photo

NONE = np.empty((0, 4), np.float32)


def photo(*boxes, ignored=NONE, eyes=None):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    eyes = np.full((len(boxes), 4), np.nan, np.float32) if eyes is None else np.array(eyes, np.float32)
    return Photo(np.zeros((100, 100), np.uint8), boxes, eyes, np.array(ignored, np.float32).reshape(-1, 4))


def found(*boxes, confidences, eyes=None):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    eyes = np.zeros((len(boxes), 4), np.float32) if eyes is None else np.array(eyes, np.float32)
    return Found(boxes, eyes, np.array(confidences, np.float32))


def test_found_missed_and_false_faces():
    photos = [photo([0, 0, 20, 20], [50, 50, 40, 40], ignored=[[80, 0, 20, 20]])]
    answers = [found([0, 0, 20, 25], [0, 80, 9, 9], [82, 2, 15, 15], confidences=[0.9, 0.7, 0.6])]
    faces = score_photos(answers, photos)
    assert faces.confidences == pytest.approx([0.9, 0])
    assert faces.overlaps == pytest.approx([0.8, 0])
    assert faces.sizes == pytest.approx([20, 40])
    assert faces.false == pytest.approx([0.7])  # the one on the ignored region counts neither way


def test_a_second_box_on_a_face_is_not_false():
    faces = score_photos(
        [found([0, 0, 20, 20], [2, 0, 20, 20], confidences=[0.9, 0.5])], [photo([0, 0, 20, 20])]
    )
    assert len(faces.false) == 0


def test_of_two_boxes_on_a_face_the_surer_one_found_it():
    answers = [found([0, 0, 20, 20], [0, 0, 20, 25], confidences=[0.3, 0.9])]
    faces = score_photos(answers, [photo([0, 0, 20, 20])])
    assert faces.confidences == pytest.approx([0.9])
    assert faces.overlaps == pytest.approx([0.8])


def test_eyes_are_off_in_distances_between_them():
    truth = photo([0, 0, 20, 20], eyes=[[5, 5, 15, 5]])
    faces = score_photos([found([0, 0, 20, 20], confidences=[0.9], eyes=[[6, 5, 18, 5]])], [truth])
    assert faces.eyes_off == pytest.approx([0.2])  # 1 and 3 pixels of 10, in the mean
