"""A detector's figures on the validation part, by values worked out by hand."""

import numpy as np

from dataset.detection.scores import confidences_of, score_photos
from dataset.detection.teacher import Found, Photo
from train.detector.network import build_detector
from train.detector.validation import find_in, summary, threshold_for

NONE = np.empty((0, 4), np.float32)
UNKNOWN = np.full((1, 4), np.nan, np.float32)


def photo(*boxes, ignored=NONE, eyes=None):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    eyes = np.full((len(boxes), 4), np.nan, np.float32) if eyes is None else np.array(eyes, np.float32)
    return Photo(np.zeros((100, 100), np.uint8), boxes, eyes, np.array(ignored, np.float32).reshape(-1, 4))


def found(*boxes, confidences, eyes=None):
    boxes = np.array(boxes, np.float32).reshape(-1, 4)
    eyes = np.zeros((len(boxes), 4), np.float32) if eyes is None else np.array(eyes, np.float32)
    return Found(boxes, eyes, np.array(confidences, np.float32))


def test_figures_at_a_threshold():
    photos = [photo([0, 0, 20, 20]), photo([0, 0, 10, 10]), photo()]
    answers = [
        found([0, 0, 20, 20], confidences=[0.7]),
        found(confidences=[]),
        found([5, 5, 9, 9], confidences=[0.6]),
    ]
    figures = summary(score_photos(answers, photos), np.array([0.2, 0.65]), 10, 0.5)
    assert figures["found"] == 0.5 and figures["found_from_20_px"] == 1
    assert figures["false_per_background"] == 0.1 and figures["false_in_photos"] == 1
    assert summary(score_photos([], []), np.empty(0), 0, 0.5)["found"] == 0


def test_the_threshold_is_the_lowest_with_few_enough_false_faces():
    false = np.array([0.32, 0.52, 0.58])
    assert threshold_for(false, 100, most_false=0.01) == 0.55
    assert threshold_for(false, 100, most_false=0.0) == 0.6
    assert threshold_for(np.full(9, 0.99), 3, most_false=0.0) == 0.8
    assert threshold_for(np.empty(0), 3, most_false=0.0) == 0.3
    assert confidences_of([]).shape == (0,)


def test_boxes_come_back_in_pixels_of_the_image():
    detector = build_detector(32, 64)
    answers = find_in(detector, [np.zeros((64, 128), np.uint8)] * 2, least_confidence=0.0)
    assert len(answers) == 2
    assert answers[0].boxes[:, 0].max() > 64  # twice the pixels of the input
    assert answers[0].boxes.shape == answers[0].eyes.shape
