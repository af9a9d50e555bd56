"""The groups of images that detectors are measured on."""

import numpy as np
import pytest

from dataset.detection import groups
from dataset.detection.heads import Patch
from dataset.detection.teacher import Photo

NONE = np.empty((0, 4), np.float32)
UNKNOWN = np.full((1, 4), np.nan, np.float32)


def photo(*boxes, eyes=None):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    eyes = np.full((len(boxes), 4), np.nan, np.float32) if eyes is None else np.array(eyes, np.float32)
    return Photo(np.zeros((100, 100), np.uint8), boxes, eyes, NONE)


def test_small_faces_are_small_and_where_their_boxes_say():
    image = np.zeros((200, 200), np.uint8)
    image[50:150, 60:140] = 255
    source = Photo(image, np.array([[60, 50, 80, 100]], np.float32), UNKNOWN, NONE)
    made = groups.small_faces([source] * 5, [np.zeros((90, 120), np.uint8)])
    assert len(made) == 5
    for small in made:
        assert small.image.shape == groups.FRAME
        for x, y, width, height in small.boxes:
            assert 29 <= (width * height) ** 0.5 <= 61
            y_seen, x_seen = np.nonzero(small.image > 127)
            assert [x_seen.min(), y_seen.min()] == pytest.approx([max(x, 0), max(y, 0)], abs=1.5)


def test_only_turned_faces_count_among_the_turned():
    frontal, profile = [30, 40, 70, 40], [10, 40, 40, 40]
    boxes = [[0, 0, 100, 100]] * 2
    kept = groups.turned(photo(*boxes, eyes=[frontal, profile]))
    assert kept.eyes.tolist() == [profile]
    assert len(kept.ignored) == 1


def test_dark_and_blurred_images_keep_their_boxes():
    bright = Photo(np.full((100, 100), 200, np.uint8), np.array([[1, 2, 3, 4]], np.float32), UNKNOWN, NONE)
    assert groups.dark(bright).image.max() == 60
    assert groups.blurred(bright).boxes is bright.boxes
    assert groups.framed(bright).boxes[0] == pytest.approx([4.8, 9.6, 14.4, 19.2])
    assert len(groups.of_some_size(bright).boxes) == 0


def test_pasted_faces_lie_in_their_boxes():
    face = Patch(np.full((88, 88), 255, np.uint8), None, np.array([10, -3, 66, 85], np.float32), UNKNOWN[0])
    for made in groups.pasted_faces([face] * 3, [np.zeros((90, 120), np.uint8)]):
        x, y, width, height = made.boxes[0].astype(int)
        assert made.image.shape == groups.FRAME
        assert made.image[y + height // 2, x + width // 2] > 150
