"""Every detector on the NASA portrait and on frames of any size."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from runtime.detectors import load_yunet

PORTRAIT_FACE = (179, 63, 90, 112)  # of Eileen Collins, 512x512, as YuNet and the eye see it


def overlap(box: np.ndarray, other: tuple[float, ...]) -> float:
    """Intersection over union of two boxes."""
    corner = np.maximum(box[:2], other[:2])
    far_corner = np.minimum(box[:2] + box[2:4], np.add(other[:2], other[2:4]))
    shared = np.prod(np.maximum(far_corner - corner, 0))
    return float(shared / (box[2] * box[3] + other[2] * other[3] - shared))


def test_the_portrait_has_one_face_and_it_is_found(detector, portrait):
    boxes = detector(portrait)
    assert boxes.shape == (1, 5)
    assert boxes.dtype == np.float32
    assert overlap(boxes[0], PORTRAIT_FACE) > 0.6
    assert 0.5 < boxes[0, 4] <= 1


def test_two_faces_come_with_the_surer_first(detector, portrait):
    blurred = cv2.GaussianBlur(portrait, (0, 0), 2)
    boxes = detector(np.hstack([blurred, portrait]))
    assert len(boxes) == 2
    assert boxes[0, 4] >= boxes[1, 4]
    assert sorted(int(x // 512) for x in boxes[:, 0]) == [0, 1]


def test_a_frame_without_a_face_gives_no_box(detector):
    boxes = detector(np.full((480, 640, 3), 127, np.uint8))
    assert boxes.shape == (0, 5)
    assert boxes.dtype == np.float32


@pytest.mark.parametrize("scale", [0.4, 1, 3])
def test_boxes_are_in_pixels_of_the_frame_whatever_its_size(detector, portrait, scale):
    frame = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    boxes = detector(frame)
    assert len(boxes) == 1
    assert overlap(boxes[0] / [scale, scale, scale, scale, 1], PORTRAIT_FACE) > 0.6


def test_the_frames_size_may_change_between_calls(detector, portrait):
    alone = detector(portrait)
    detector(portrait[:300, 100:400])
    detector(np.zeros((90, 1000, 3), np.uint8))
    assert np.array_equal(detector(portrait), alone)


def test_the_frame_is_left_as_it_was(detector, portrait):
    frame = portrait.copy()
    detector(frame)
    assert np.array_equal(frame, portrait)


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (700, 1), (3, 5), (47, 31), (30, 300), (300, 30)])
def test_a_tiny_or_narrow_frame_gives_no_box_and_no_error(detector, size):
    noise = np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8)
    assert detector(noise).shape == (0, 5)


def test_a_frame_cut_tightly_around_the_face_still_gives_it(detector, portrait):
    x, y, width, height = PORTRAIT_FACE
    tight = portrait[y - 10 : y + height, x - 12 : x + width + 12]
    boxes = detector(tight)
    assert len(boxes) == 1
    assert overlap(boxes[0], (12, 10, width, height)) > 0.6


def test_a_face_image_of_48_pixels_is_found(detector, portrait):
    x, y = PORTRAIT_FACE[:2]
    face = cv2.resize(portrait[y - 6 : y + 118, x - 17 : x + 107], (48, 48), interpolation=cv2.INTER_AREA)
    boxes = detector(face)
    assert len(boxes) == 1
    assert overlap(boxes[0], (6, 3, 36, 42)) > 0.5


def test_a_face_in_a_panorama_is_found(yunet_file, portrait):
    panorama = np.full((300, 2400, 3), 120, np.uint8)
    panorama[:, 1000:1512] = portrait[:300]
    boxes = load_yunet(yunet_file)(panorama)
    assert len(boxes) == 1
    assert overlap(boxes[0] - [1000, 0, 0, 0, 0], PORTRAIT_FACE) > 0.6


@pytest.mark.parametrize("shape", [(40, 40000, 3), (40000, 40, 3)])
def test_a_strip_of_any_length_is_searched(detector, shape):
    assert detector(np.full(shape, 120, np.uint8)).shape == (0, 5)


def test_a_view_that_is_not_contiguous_gives_the_boxes_of_its_copy(detector, portrait):
    view = portrait[::2, ::2]
    assert np.array_equal(detector(view), detector(view.copy()))


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((48, 48), np.uint8),
        np.zeros((48, 48, 4), np.uint8),
        np.zeros((48, 48, 3), np.float32),
        np.zeros((0, 48, 3), np.uint8),
    ],
)
def test_what_is_not_a_colour_frame_is_refused_with_its_shape_and_type(detector, frame):
    with pytest.raises(ValueError, match=r"expected a frame of uint8 BGR \(height, width, 3\)") as caught:
        detector(frame)
    assert str(frame.shape) in str(caught.value)
    assert str(frame.dtype) in str(caught.value)


def test_threads_that_share_a_detector_get_the_boxes_of_their_own_frames(detector, portrait):
    frames = [portrait[:300, 100:400], portrait[40:240, 150:300], np.zeros((200, 300, 3), np.uint8)] * 4
    alone = [detector(frame) for frame in frames]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(detector, frames))
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


def test_the_number_of_opencv_threads_is_left_as_it_was(detector, portrait):
    before = cv2.getNumThreads()
    detector(portrait)
    assert cv2.getNumThreads() == before
