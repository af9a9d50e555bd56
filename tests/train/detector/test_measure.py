"""How detectors are scored, by values worked out by hand, and the groups of images they are scored on."""

import numpy as np
import pytest

from train.detector import groups
from train.detector.heads import Patch
from train.detector.measure import main
from train.detector.network import build_detector
from train.detector.teacher import Found, Photo
from train.detector.validation import confidences_of, find_in, score_photos, summary, threshold_for

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


def test_eyes_are_off_in_distances_between_them():
    truth = photo([0, 0, 20, 20], eyes=[[5, 5, 15, 5]])
    faces = score_photos([found([0, 0, 20, 20], confidences=[0.9], eyes=[[6, 5, 18, 5]])], [truth])
    assert faces.eyes_off == pytest.approx([0.2])  # 1 and 3 pixels of 10, in the mean


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


def test_measuring_says_what_is_wrong(tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["a.keras", "--teacher", "b.onnx"])
    assert caught.value.code == 2
    with pytest.raises(SystemExit) as caught:
        main(["a.keras", "--teacher", "b.onnx", "--data", "c", "--backgrounds", "d", "--size", "large"])
    assert caught.value.code == 2
    assert main(["a.keras", "--teacher", str(tmp_path / "b"), "--data", "c", "--backgrounds", "d"]) == 1
    assert "expected YuNet's ONNX file" in capsys.readouterr().err
