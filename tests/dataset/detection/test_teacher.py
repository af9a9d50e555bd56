"""How annotated and found boxes become one kind, and what is held out of training."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from dataset.detection.heads import USUAL_BOX, head_on_plain_ground, tight_face
from dataset.detection.images import DataError
from dataset.detection.photos import load_backgrounds, load_photos
from dataset.detection.teacher import (
    Found,
    RememberingTeacher,
    adopt,
    load_teacher,
    matches,
    stretch_of,
    stretched,
)

SHARED = Path(__file__).resolve().parents[4] / "shared"
YUNET = SHARED / "face_detection" / "face_detection_yunet_2023mar.onnx"
PORTRAIT = Path(__file__).resolve().parents[3] / "demo" / "astronaut.jpg"
NO_STRETCH = np.array([0, 0, 1, 1])
IMAGE = np.zeros((100, 100), np.uint8)


def found(*boxes, confidences):
    boxes = np.float32(boxes).reshape(-1, 4)
    return Found(boxes, np.tile(boxes[:, :2], 2), np.float32(confidences))


def teacher(image):
    """A teacher that finds a face in the upper left quarter of every image."""
    height, width = image.shape
    return found([0, 0, width / 2, height / 2], confidences=[0.95])


def blind(image):
    return found(confidences=[])


def test_a_found_box_replaces_the_annotated_one_and_brings_eyes():
    photo = adopt(
        IMAGE, np.float32([[10, 20, 20, 20, 0]]), found([10, 15, 20, 25], confidences=[0.9]), NO_STRETCH
    )
    assert photo.boxes.tolist() == [[10, 15, 20, 25]]
    assert np.isfinite(photo.eyes).all()


def test_an_annotated_face_that_is_not_found_is_stretched():
    photo = adopt(IMAGE, np.float32([[10, 20, 20, 20, 0]]), blind(IMAGE), np.array([0.0, -0.25, 1.0, 1.5]))
    assert photo.boxes.tolist() == [[10, 15, 20, 30]]
    assert np.isnan(photo.eyes).all()


def test_found_faces_that_nobody_annotated_count_where_the_teacher_is_sure():
    photo = adopt(IMAGE, None, found([0, 0, 20, 20], [50, 50, 20, 20], confidences=[0.9, 0.4]), NO_STRETCH)
    assert photo.boxes.tolist() == [[0, 0, 20, 20]]
    assert photo.ignored.tolist() == [[50, 50, 20, 20]]


def test_what_annotators_left_out_is_ignored():
    photo = adopt(IMAGE, np.float32([[10, 20, 20, 20, 1]]), blind(IMAGE), NO_STRETCH)
    assert photo.boxes.shape == (0, 4)
    assert photo.ignored.tolist() == [[10, 20, 20, 20]]


def test_each_face_is_matched_once_the_best_first():
    annotated = np.float32([[0, 0, 20, 20], [4, 0, 20, 20]])
    assert matches(annotated, found([3, 0, 20, 20], confidences=[0.9])) == [(1, 0)]
    assert matches(np.empty((0, 4)), found([3, 0, 20, 20], confidences=[0.9])) == []


def test_the_stretch_is_the_median_of_those_found():
    pairs = [(np.float32([10, 20, 20, 20]), np.float32([12, 16, 22, 26]))] * 40
    assert stretch_of(pairs) == pytest.approx([0.1, -0.2, 1.1, 1.3])
    assert stretch_of(pairs[:5]).tolist() == [0, 0, 1, 1]
    assert stretched(np.float32([[0, 0, 10, 10]]), stretch_of(pairs))[0] == pytest.approx([1, -2, 11, 13])


def test_a_tight_face_that_is_not_found_has_the_usual_box():
    for unsure in (None, blind):
        patch = tight_face(np.zeros((100, 200), np.uint8), unsure)
        assert patch.box == pytest.approx(np.multiply(USUAL_BOX, (200, 100, 200, 100)))
        assert np.isnan(patch.eyes).all()
    # The stand-in finds the upper left quarter of an image with a border of half a side: x from -50 to 50.
    assert tight_face(np.zeros((100, 100), np.uint8), teacher).box.tolist() == [-50, -50, 100, 100]


def test_a_head_is_cut_out_of_its_ground():
    image = np.full((200, 200), 230, np.uint8)
    cv2.ellipse(image, (100, 110), (45, 60), 0, 0, 360, 90, -1)
    cv2.rectangle(image, (40, 165), (160, 200), 60, -1)
    head = head_on_plain_ground(image, lambda _: found([60, 60, 80, 100], confidences=[0.9]))
    assert head.mask[110, 100] == 255 and head.mask[190, 100] > 200
    assert head.mask[10, 10] == 0 and head.mask[60, 30] == 0
    assert head_on_plain_ground(image, blind) is None


def write_images(folder, count, gray=100):
    folder.mkdir(parents=True)
    for number in range(count):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((80, 100), gray, np.uint8))


def test_the_splits_share_no_image(tmp_path):
    write_images(tmp_path / "photos", 30)
    sizes = {
        s: len(load_photos(tmp_path / "photos", teacher, split=s)) for s in ("train", "validation", "test")
    }
    assert sizes == {"train": 24, "validation": 3, "test": 3}
    assert len(load_backgrounds(tmp_path / "photos", split="test")) == 3


def test_what_the_teacher_said_is_kept_and_read_again(tmp_path):
    images = [np.full((40, 50), gray, np.uint8) for gray in (1, 2, 3)]

    def choosy(image):
        return blind(image) if image[0, 0] == 2 else teacher(image)

    first = RememberingTeacher(choosy, tmp_path / "a.npz")
    answers = [first(image) for image in images]
    first.save()
    again = RememberingTeacher(None, tmp_path / "a.npz")  # nobody is left to ask
    for image, answer in zip(images, answers, strict=True):
        assert all(np.array_equal(one, other) for one, other in zip(answer, again(image), strict=True))
    assert len(again(images[1]).boxes) == 0 and len(again(images[0]).boxes) == 1


def test_a_file_that_is_no_yunet_is_refused(tmp_path):
    with pytest.raises(DataError, match="expected YuNet's ONNX file"):
        load_teacher(tmp_path / "none.onnx")
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    with pytest.raises(DataError, match=r"bad.onnx: expected YuNet's ONNX file"):
        load_teacher(tmp_path / "bad.onnx")


def test_yunet_finds_the_portrait_s_face_with_the_left_eye_first():
    if not YUNET.exists():
        pytest.skip("needs YuNet's file in ../shared/face_detection")
    answer = load_teacher(YUNET)(cv2.imread(str(PORTRAIT), cv2.IMREAD_GRAYSCALE))
    best = int(answer.confidences.argmax())
    x, y, width, height = answer.boxes[best]
    assert 170 < x < 210 and 60 < y < 100 and 60 < width < 110 and 80 < height < 150
    assert answer.eyes[best][0] < answer.eyes[best][2]
