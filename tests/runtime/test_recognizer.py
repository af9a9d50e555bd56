"""The recognizer: boxes in whole pixels, scores of exactly those crops, and a closed one that says so."""

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.scenes import empty_scene, people_scene
from runtime import Face, Recognizer
from runtime.crop import crop_face
from runtime.detectors import DetectorError
from runtime.engines import is_installed
from runtime.images import SourceError
from tests.support.yunet import find_yunet

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "tests" / "data" / "tiny_fp32.onnx"
IMAGE = ROOT / "demo" / "astronaut.jpg"
FACE_BOX = (179, 63, 90, 112)  # as YuNet finds it in the 512x512 image


@pytest.fixture(scope="module")
def image():
    return cv2.imread(str(IMAGE))


@pytest.fixture(scope="module")
def detector():
    """Haar, which needs no file; on OpenCV 5, which has none, YuNet."""
    detector = "haar" if hasattr(cv2, "CascadeClassifier") else find_yunet()
    if detector is None:
        pytest.skip("OpenCV 5 needs YuNet's file, at FERKIT_YUNET or in ../shared/face_detection")
    return detector


@pytest.fixture(scope="module")
def recognize(detector):
    return Recognizer(MODEL, detector, engine="opencv")


def overlap(box, other):
    """Intersection over union of two boxes."""
    left, top = max(box[0], other[0]), max(box[1], other[1])
    right = min(box[0] + box[2], other[0] + other[2])
    bottom = min(box[1] + box[3], other[1] + other[3])
    shared = max(0, right - left) * max(0, bottom - top)
    return shared / (box[2] * box[3] + other[2] * other[3] - shared)


def test_the_face_of_the_image_is_found_and_labelled(recognize, image):
    (face,) = recognize(image)
    assert isinstance(face, Face)
    assert overlap(face.box, FACE_BOX) > 0.6
    assert all(isinstance(value, int) for value in face.box)
    assert face.labels == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    assert face.label == face.labels[int(np.argmax(face.scores))]
    assert (face.scores.dtype, face.scores.shape) == (np.float32, (7,))
    assert face.scores.sum() == pytest.approx(1, abs=1e-5)
    assert face.score == face.scores.max()
    assert 0 < face.confidence <= 1


def test_yunet_finds_the_face_where_it_is(image):
    yunet = find_yunet()
    if yunet is None:
        pytest.skip("YuNet's file is neither at FERKIT_YUNET nor in ../shared/face_detection")
    (face,) = Recognizer(MODEL, yunet, engine="opencv")(image)
    assert overlap(face.box, FACE_BOX) > 0.9
    assert face.confidence > 0.8


def test_the_scores_are_those_of_the_box_that_is_given(recognize, image):
    (face,) = recognize(image)
    rule = recognize.model.card["input"]["crop"][recognize.detector.name]
    crop = crop_face(image, face.box, **rule)
    np.testing.assert_array_equal(recognize.model(crop[None, :, :, None])[0], face.scores)


def test_two_faces_give_two_answers(recognize, image):
    faces = recognize(np.hstack([image, image[:, ::-1]]))
    assert len(faces) == 2
    left, right = sorted(faces, key=lambda face: face.box[0])
    assert overlap(left.box, FACE_BOX) > 0.6
    assert overlap(right.box, (512 + 512 - 179 - 90, 63, 90, 112)) > 0.6


def test_a_frame_without_a_face_gives_an_empty_list(recognize):
    assert recognize(np.full((120, 160, 3), 128, np.uint8)) == []


def test_a_path_is_read_as_a_image(recognize, image):
    assert [face.box for face in recognize(IMAGE)] == [face.box for face in recognize(image)]
    assert [face.box for face in recognize(str(IMAGE))] == [face.box for face in recognize(image)]


def test_a_path_of_nothing_is_named(recognize):
    with pytest.raises(SourceError, match=r"absent\.jpg: no such file"):
        recognize("absent.jpg")


def test_a_frame_of_another_kind_is_refused(recognize):
    with pytest.raises(ValueError, match=r"got uint8 \(10, 10\)"):
        recognize(np.zeros((10, 10), np.uint8))


def test_the_frame_is_not_changed(recognize, image):
    before = image.copy()
    recognize(image)
    np.testing.assert_array_equal(image, before)


def test_leaving_the_with_closes_it(image, detector):
    with Recognizer(MODEL, detector, engine="opencv") as recognizer:
        assert len(recognizer.recognize(image)) == 1
    with pytest.raises(ValueError, match="This Recognizer was closed"):
        recognizer(image)


def test_an_unknown_detector_is_refused():
    with pytest.raises(DetectorError, match="mtcnn"):
        Recognizer(MODEL, "mtcnn", engine="opencv")


def test_without_yunets_file_our_own_detector_is_loaded_and_nothing_is_said(monkeypatch, tmp_path, caplog):
    monkeypatch.delenv("FERKIT_YUNET", raising=False)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    lines = []
    with caplog.at_level(logging.WARNING, "ferkit"):
        assert Recognizer(MODEL, engine="opencv", announce=lines.append).detector.name == "ferkit"
        assert Recognizer(MODEL, engine="opencv").detector.name == "ferkit"
    assert lines == []
    assert caplog.text == ""


def test_the_engine_that_is_installed_is_taken(detector):
    if not is_installed("onnxruntime"):
        pytest.skip("onnxruntime is not installed")
    assert Recognizer(MODEL, detector).model.engine == "onnxruntime"


@pytest.fixture(scope="module")
def walk(image):
    """Twelve frames of 320x240 in which a head moves to the right, at 30 a second."""
    room = empty_scene(width=320, height=240, seed=1)
    return [people_scene(image, [(60 + 8 * number, 60, 90)], room=room) for number in range(12)]


def test_a_face_of_a_single_frame_has_no_id_and_is_not_smoothed(recognize, image):
    (face,) = recognize(image)
    assert (face.id, face.frame_scores, face.smoothed, face.uncertain) == (None, None, False, False)


def test_a_stream_follows_a_face_and_keeps_its_id(recognize, walk):
    follow = recognize.stream(detect_every=6)
    for number, frame in enumerate(walk):
        (face,) = follow(frame, number / 30)
        assert face.id == 1
        assert overlap(face.box, (60 + 8 * number, 60, 90, 90)) > 0.55
    assert follow.tracker.detections == 2


def test_the_frame_scores_of_a_stream_are_those_of_the_box_that_is_given(recognize, walk):
    follow = recognize.stream(detect_every=6)
    rule = recognize.model.card["input"]["crop"][recognize.detector.name]
    for number, frame in enumerate(walk[:4]):
        (face,) = follow(frame, number / 30)
        crop = crop_face(frame, face.box, **rule)
        np.testing.assert_array_equal(recognize.model(crop[None, :, :, None])[0], face.frame_scores)


def test_the_scores_of_a_stream_are_the_mean_of_those_of_its_frames(recognize, walk):
    follow = recognize.stream(detect_every=6, time_constant_s=0.2)
    of_frames = []
    for number, frame in enumerate(walk[:5]):
        (face,) = follow(frame, number / 30)
        of_frames.append(face.frame_scores)
    weights = np.exp(-np.arange(4, -1, -1) / 30 / 0.2)
    expected = (weights[:, None] * of_frames).sum(axis=0) / weights.sum()
    np.testing.assert_allclose(face.scores, expected, atol=1e-6)
    assert face.smoothed
    assert face.label == face.labels[int(expected.argmax())] or face.uncertain


def test_without_smoothing_a_stream_gives_each_frames_own_scores(recognize, walk):
    follow, smoothed = (recognize.stream(detect_every=6, smooth=smooth) for smooth in (False, True))
    for number, frame in enumerate(walk[:4]):
        (face,), (other,) = follow(frame, number / 30), smoothed(frame, number / 30)
        np.testing.assert_array_equal(face.scores, other.frame_scores)
        assert face.label == face.labels[int(face.scores.argmax())]
        assert (face.id, face.smoothed) == (1, False)


def test_an_uncertain_face_has_the_score_of_its_likeliest_label(recognize, walk):
    (face,) = recognize.stream(threshold=1.0)(walk[0], 0.0)
    assert (face.label, face.uncertain) == ("uncertain", True)
    assert face.score == face.scores.max()


def test_two_streams_of_a_recognizer_know_nothing_of_each_other(recognize, walk):
    one, other = recognize.stream(), recognize.stream()
    assert [face.id for face in one(walk[0], 0.0)] == [1]
    assert other(np.full((240, 320, 3), 128, np.uint8), 0.0) == []
    assert [face.id for face in other(walk[0], 1.0)] in ([1], [])


def test_a_stream_forgets_the_faces_that_are_gone(recognize, walk):
    follow = recognize.stream(detect_every=1)
    follow(walk[0], 0.0)
    nobody = np.full_like(walk[0], 128)
    assert follow(nobody, 0.1) == []
    assert follow(nobody, 5.0) == []
    assert (follow.tracker.tracks, follow._known) == ([], {})
    assert [face.id for face in follow(walk[0], 5.1)] == [2]


class TenPlaces:
    """A detector that finds a face in each of ten squares, wherever the frame has anything."""

    name = "yunet"

    def __call__(self, frame):
        return np.array(
            [(16 + 60 * (i % 5), 30 + 100 * (i // 5), 48, 48, 0.9) for i in range(10)], np.float32
        )


def noise_frames(count):
    random = np.random.default_rng(0)
    return [random.integers(0, 256, (240, 320, 3), np.uint8) for _ in range(count)]


def ten_faces(recognize, *, smooth):
    stream = recognize.stream(detect_every=1, smooth=smooth)
    stream.tracker.detector = TenPlaces()
    return stream


def test_new_faces_are_scored_at_once_and_known_ones_in_rotation(recognize):
    follow = ten_faces(recognize, smooth=True)
    before = {face.id: face.frame_scores for face in follow(noise_frames(1)[0], 0.0)}
    assert len(before) == 10
    turns = []
    for number, frame in enumerate(noise_frames(6)[1:], 1):
        faces = follow(frame, number / 30)
        assert [face.id for face in faces] == list(range(1, 11))
        turns.append([face.id for face in faces if not np.array_equal(face.frame_scores, before[face.id])])
        before = {face.id: face.frame_scores for face in faces}
    assert turns == [[1, 2, 3, 4], [5, 6, 7, 8], [1, 2, 9, 10], [3, 4, 5, 6], [1, 2, 7, 8]]


def test_a_face_keeps_what_it_showed_while_it_waits(recognize):
    follow = ten_faces(recognize, smooth=True)
    first, second = (follow(frame, number / 30) for number, frame in enumerate(noise_frames(2)))
    for face, earlier in zip(second[4:], first[4:], strict=True):
        assert face.label == earlier.label and face.smoothed
        np.testing.assert_array_equal(face.scores, earlier.scores)


def test_without_smoothing_every_face_of_every_frame_is_scored(recognize):
    follow = ten_faces(recognize, smooth=False)
    for number, frame in enumerate(noise_frames(3)):
        for face in follow(frame, number / 30):
            crop = crop_face(frame, face.box, **recognize._crop)
            np.testing.assert_array_equal(recognize.model(crop[None, :, :, None])[0], face.scores)


def test_a_stream_takes_a_path_and_the_time_of_the_clock(recognize, image):
    follow = recognize.stream()
    assert [face.id for face in follow(IMAGE)] == [face.id for face in follow(str(IMAGE))] == [1]


@pytest.mark.parametrize("time_s", [float("nan"), float("inf"), -float("inf")])
def test_a_time_that_is_no_number_is_refused_and_the_next_frame_goes_on(recognize, walk, time_s):
    follow = recognize.stream(detect_every=1)
    follow(walk[0], 0.0)
    with pytest.raises(ValueError, match=f"Expected time_s as a finite number of seconds, got {time_s}"):
        follow(walk[1], time_s)
    assert [face.id for face in follow(walk[1], 0.1)] == [1]


def test_a_stream_of_a_closed_recognizer_says_so(walk, detector):
    with Recognizer(MODEL, detector, engine="opencv") as recognizer:
        follow = recognizer.stream()
    with pytest.raises(ValueError, match="This Recognizer was closed"):
        follow(walk[0], 0.0)


@pytest.mark.parametrize(
    ("option", "line"),
    [
        ({"time_constant_s": -1}, "Expected time_constant_s of 0 or more, got -1"),
        ({"time_constant_s": float("nan")}, "Expected time_constant_s of 0 or more, got nan"),
        ({"margin": 1.5}, "Expected margin of 0 to 1, got 1.5"),
        ({"threshold": -0.1}, "Expected threshold of 0 to 1, got -0.1"),
        ({"detect_every": 0}, "Expected detect_every as a whole number of 1 or more, got 0"),
    ],
)
def test_an_option_out_of_its_range_is_refused(recognize, option, line):
    with pytest.raises(ValueError, match=line):
        recognize.stream(**option)


def test_threads_may_share_a_recognizer(recognize, image, walk):
    """Three threads at once get what each would get alone."""
    frames = [image[:300, 60:420], walk[0], walk[6]]
    alone = [[(face.box, face.scores.tolist()) for face in recognize(frame)] for frame in frames]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(recognize, frames * 3))
    assert [[(face.box, face.scores.tolist()) for face in faces] for faces in together] == alone * 3


def test_nothing_is_printed(image, walk, detector, capfd):
    with Recognizer(MODEL, detector, engine="opencv") as recognizer:
        recognizer(image)
        recognizer.stream()(walk[0], 0.0)
    assert capfd.readouterr() == ("", "")
