"""Rolled heads: how frames are turned, faces found and cut level, and what is counted."""

import cv2
import numpy as np
import pytest

from benchmarks.accuracy.rolled import (
    AS_IT_IS,
    DEGREES,
    FERKIT,
    TRUE,
    RolledFaces,
    RolledFrames,
    angle_of,
    frames_table,
    gained,
    rolled_faces,
    score_rolled,
    scores_table,
    turned,
)
from benchmarks.scenes import PORTRAIT, PORTRAIT_SQUARE
from runtime.crop import crop_face

LEFT, TOP, SIDE = (round(value) for value in PORTRAIT_SQUARE)


@pytest.fixture(scope="module")
def portrait():
    if not PORTRAIT.is_file():
        pytest.skip("demo/astronaut.jpg is not here")
    return cv2.imread(str(PORTRAIT))


def rolled_of(degrees, found, faces):
    frames = RolledFrames(degrees, len(found), int(sum(found)), {FERKIT: 1.5 if any(found) else None})
    return RolledFaces(frames, np.array(found), faces)


def test_the_angle_of_the_eyes_is_clockwise():
    assert angle_of((10, 20, 30, 20)) == 0
    assert angle_of((10, 20, 30, 40)) == pytest.approx(45)
    assert angle_of((10, 20, 30, 0)) == pytest.approx(-45)


def test_a_frame_turned_clockwise_moves_what_is_right_of_the_box_down():
    frame = np.zeros((101, 101, 3), np.uint8)
    frame[50, 80] = 255
    quarter = turned(frame, (0, 0, 101, 101), 90)
    assert np.argwhere(quarter[:, :, 0]).tolist() == [[80, 50]]


def test_a_frame_turned_there_and_back_shows_the_same_face():
    random = np.random.default_rng(0)
    frame = cv2.resize(random.integers(0, 256, (9, 9, 3), dtype=np.uint8), (200, 200))
    box = (60, 70, 80, 80)
    back = crop_face(turned(turned(frame, box, 20), box, -20), box)
    assert np.abs(back.astype(int) - crop_face(frame, box)).mean() < 3


def test_the_portraits_face_is_found_at_most_angles_and_is_level_again_by_the_true_one(portrait):
    pytest.importorskip("onnxruntime")
    square = portrait[TOP : TOP + SIDE, LEFT : LEFT + SIDE]
    face = cv2.cvtColor(cv2.resize(square, (48, 48), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2GRAY)
    # Of two faces the first comes into a room, the second into the portrait's own head.
    rolled = rolled_faces(np.stack([face, face])[..., None], portrait, yunet=None)
    assert [one.frames.degrees for one in rolled] == list(DEGREES)
    assert sum(one.frames.found for one in rolled) >= len(DEGREES)
    for one in rolled:
        assert list(one.faces) == [AS_IT_IS, FERKIT, TRUE]
        assert {faces.shape for faces in one.faces.values()} == {(one.frames.found, 48, 48, 1)}
    upright = rolled[DEGREES.index(0)]
    assert np.array_equal(upright.faces[AS_IT_IS], upright.faces[TRUE])


def test_a_gain_is_counted_in_pairs():
    before = np.array([True] * 60 + [False] * 40)
    right = np.array([True] * 50 + [False] * 10 + [True] * 20 + [False] * 20)
    gain, low, high = gained(right, before)
    assert gain == pytest.approx(10)
    assert (high - low) / 2 == pytest.approx(1.96 * 100 * np.sqrt((0.3 - 0.1**2) / 100))
    assert gained(before, before) == (0, 0, 0)


def test_only_found_faces_are_scored_and_an_angle_without_any_has_no_line():
    level, crooked = np.full((2, 48, 48, 1), 200, np.uint8), np.full((2, 48, 48, 1), 10, np.uint8)
    nothing = np.empty((0, 48, 48, 1), np.uint8)
    rolled = [
        rolled_of(-30, [False, False, False], {AS_IT_IS: nothing, TRUE: nothing}),
        rolled_of(10, [True, False, True], {AS_IT_IS: crooked, TRUE: level}),
    ]
    bright = np.array([[0, 1]], float)

    def answer(faces):
        return np.concatenate([bright if face.mean() > 100 else bright[:, ::-1] for face in faces])

    scores = score_rolled(answer, rolled, np.array([1, 0, 1]))
    assert [(one.degrees, one.way, one.accuracy, one.gain_points) for one in scores] == [
        (10, AS_IT_IS, 0.0, 0.0),
        (10, TRUE, 1.0, 100.0),
    ]
    assert score_rolled(answer, rolled[:1], np.array([1, 0, 1])) == []
    assert scores_table([("a.tflite", scores)]).splitlines()[2:] == [
        "| `a.tflite` | 10° | 0.00 % | +100.00 (+100.0 to +100.0) |"
    ]
    assert frames_table([one.frames for one in rolled]).splitlines()[2:] == [
        "| -30° | 0.0 % | - |",
        "| 10° | 66.7 % | 1.5 |",
    ]
