"""The recognizer: boxes in whole pixels, scores of exactly those crops, and a closed one that says so."""

import logging
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from runtime import Face, Recognizer
from runtime.detectors import DetectorError
from runtime.engines import is_installed
from runtime.faces import crop_face
from runtime.sources import SourceError

ROOT = Path(__file__).parent.parent
MODEL = ROOT / "tests" / "data" / "tiny_fp32.onnx"
PICTURE = ROOT / "demo" / "astronaut.jpg"
FACE_BOX = (179, 63, 90, 112)  # as YuNet finds it in the 512x512 picture


def find_yunet():
    """YuNet's file: where FERKIT_YUNET says, else beside the checkout; None where neither holds it."""
    places = [
        os.environ.get("FERKIT_YUNET"),
        *(ROOT.parent / "shared" / "face_detection").glob("*yunet*.onnx"),
    ]
    return next((Path(place) for place in places if place and Path(place).is_file()), None)


@pytest.fixture(scope="module")
def picture():
    return cv2.imread(str(PICTURE))


@pytest.fixture(scope="module")
def recognize():
    return Recognizer(MODEL, "haar", engine="opencv")


def overlap(box, other):
    """Intersection over union of two boxes."""
    left, top = max(box[0], other[0]), max(box[1], other[1])
    right = min(box[0] + box[2], other[0] + other[2])
    bottom = min(box[1] + box[3], other[1] + other[3])
    shared = max(0, right - left) * max(0, bottom - top)
    return shared / (box[2] * box[3] + other[2] * other[3] - shared)


def test_the_face_of_the_picture_is_found_and_labelled(recognize, picture):
    (face,) = recognize(picture)
    assert isinstance(face, Face)
    assert overlap(face.box, FACE_BOX) > 0.6
    assert all(isinstance(value, int) for value in face.box)
    assert face.labels == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    assert face.label == face.labels[int(np.argmax(face.scores))]
    assert (face.scores.dtype, face.scores.shape) == (np.float32, (7,))
    assert face.scores.sum() == pytest.approx(1, abs=1e-5)
    assert face.score == face.scores.max()
    assert 0 < face.confidence <= 1


def test_yunet_finds_the_face_where_it_is(picture):
    yunet = find_yunet()
    if yunet is None:
        pytest.skip("YuNet's file is neither at FERKIT_YUNET nor in ../shared/face_detection")
    (face,) = Recognizer(MODEL, yunet, engine="opencv")(picture)
    assert overlap(face.box, FACE_BOX) > 0.9
    assert face.confidence > 0.8


def test_the_scores_are_those_of_the_box_that_is_given(recognize, picture):
    (face,) = recognize(picture)
    rule = recognize.model.card["input"]["crop"]["haar"]
    crop = crop_face(picture, face.box, **rule)
    np.testing.assert_array_equal(recognize.model(crop[None, :, :, None])[0], face.scores)


def test_two_faces_give_two_answers(recognize, picture):
    faces = recognize(np.hstack([picture, picture[:, ::-1]]))
    assert len(faces) == 2
    left, right = sorted(faces, key=lambda face: face.box[0])
    assert overlap(left.box, FACE_BOX) > 0.6
    assert overlap(right.box, (512 + 512 - 179 - 90, 63, 90, 112)) > 0.6


def test_a_frame_without_a_face_gives_an_empty_list(recognize):
    assert recognize(np.full((120, 160, 3), 128, np.uint8)) == []


def test_a_path_is_read_as_a_picture(recognize, picture):
    assert [face.box for face in recognize(PICTURE)] == [face.box for face in recognize(picture)]
    assert [face.box for face in recognize(str(PICTURE))] == [face.box for face in recognize(picture)]


def test_a_path_of_nothing_is_named(recognize):
    with pytest.raises(SourceError, match=r"absent\.jpg: no such file"):
        recognize("absent.jpg")


def test_a_frame_of_another_kind_is_refused(recognize):
    with pytest.raises(ValueError, match=r"got uint8 \(10, 10\)"):
        recognize(np.zeros((10, 10), np.uint8))


def test_the_frame_is_not_changed(recognize, picture):
    before = picture.copy()
    recognize(picture)
    np.testing.assert_array_equal(picture, before)


def test_leaving_the_with_closes_it(picture):
    with Recognizer(MODEL, "haar", engine="opencv") as recognizer:
        assert len(recognizer.recognize(picture)) == 1
    with pytest.raises(ValueError, match="This Recognizer was closed"):
        recognizer(picture)


def test_an_unknown_detector_is_refused():
    with pytest.raises(DetectorError, match="mtcnn"):
        Recognizer(MODEL, "mtcnn", engine="opencv")


@pytest.fixture
def no_yunet(monkeypatch, tmp_path):
    """A machine without YuNet's file: nothing in the environment, an empty cache."""
    monkeypatch.delenv("FERKIT_YUNET", raising=False)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))


def test_the_fallback_to_haar_is_announced_to_the_caller(no_yunet, capfd):
    lines = []
    recognizer = Recognizer(MODEL, engine="opencv", offline=True, announce=lines.append)
    assert recognizer.detector.name == "haar"
    assert len(lines) == 1
    assert "Haar" in lines[0]
    assert "Haar" not in "".join(capfd.readouterr())


def test_without_a_listener_the_fallback_is_a_logged_warning(no_yunet, caplog):
    with caplog.at_level(logging.WARNING, "ferkit"):
        Recognizer(MODEL, engine="opencv", offline=True)
    assert [record.name for record in caplog.records] == ["ferkit"]
    assert "Haar" in caplog.text


def test_the_engine_that_is_installed_is_taken(picture):
    if not is_installed("onnxruntime"):
        pytest.skip("onnxruntime is not installed")
    assert Recognizer(MODEL, "haar").model.engine == "onnxruntime"
