"""Small faces: what is found in the parts of a frame joins what is found in the whole."""

import cv2
import numpy as np
import pytest

from runtime.detectors import Tiled
from runtime.detectors.tiles import MOST_PARTS, InParts, spans


class Bright:
    """Finds each bright spot that is large enough in the view that it gets, reduced to 320 pixels."""

    name = "yunet"

    def __call__(self, frame):
        scale = min(1.0, 320 / max(frame.shape[:2]))
        small = cv2.resize(frame[:, :, 0], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        _, _, stats, _ = cv2.connectedComponentsWithStats((small > 127).astype(np.uint8))
        boxes = stats[1:, :4][stats[1:, 2] >= 10].astype(np.float32) / scale
        return np.column_stack([boxes, np.full(len(boxes), 0.9)]).astype(np.float32)


def frame_with(*boxes):
    frame = np.zeros((480, 640, 3), np.uint8)
    for x, y, width, height in boxes:
        frame[y : y + height, x : x + width] = 255
    return frame


def found(boxes):
    return sorted(np.round(Tiled(Bright())(frame_with(*boxes))[:, :4]).astype(int).tolist())


def test_a_face_too_small_for_the_whole_frame_is_found_in_a_part():
    small = (100, 60, 14, 14)
    assert len(Bright()(frame_with(small))) == 0
    ((x, y, width, height),) = found([small])
    assert np.abs(np.subtract((x, y, width, height), small)).max() <= 2


def test_a_face_found_in_the_whole_frame_and_in_a_part_counts_once():
    assert len(found([(40, 40, 60, 60)])) == 1


def test_a_face_in_what_two_parts_share_counts_once():
    assert len(found([(312, 232, 16, 16)])) == 1


@pytest.mark.parametrize("box", [(200, 150, 250, 200), (0, 0, 640, 480), (230, 100, 40, 40)])
def test_a_face_that_a_part_cuts_comes_whole(box):
    ((x, y, width, height),) = found([box])
    assert np.abs(np.subtract((x, y, width, height), box)).max() <= 3


def test_a_face_at_the_edge_of_the_frame_is_found():
    assert len(found([(0, 0, 14, 14), (626, 466, 14, 14)])) == 2


def test_parts_cover_a_side_and_share_a_fifth():
    (start, end), (other_start, other_end) = spans(640, 384, 2)
    assert (start, other_end) == (0, 640)
    assert end - other_start == 128


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 700, 3), (9, 2000, 3)])
def test_frames_of_any_size_are_searched(detector, shape):
    assert Tiled(detector)(np.full(shape, 99, np.uint8)).shape == (0, 5)


def test_it_has_the_name_of_its_detector_whose_crop_rule_holds(detector):
    assert Tiled(detector).name == detector.name


@pytest.mark.parametrize("place", [(0, 10), (1700, 10), (2310, 20), (3000, 0), (5920, 10)])
@pytest.mark.parametrize("upright", [False, True])
def test_a_face_in_a_long_frame_is_found_once_and_whole(place, upright):
    x, y = place
    frame = np.zeros((100, 6000, 3), np.uint8)
    frame[y : y + 80, x : x + 80] = 255
    boxes = InParts(Bright())(frame.transpose(1, 0, 2) if upright else frame)
    assert len(boxes) == 1
    assert np.abs(boxes[0, :4] - ((y, x, 80, 80) if upright else (x, y, 80, 80))).max() <= 6


def test_a_frame_that_is_not_long_is_searched_as_it_is():
    frame = frame_with((40, 40, 60, 60))
    assert InParts(Bright())(frame).tolist() == Bright()(frame).tolist()


def test_a_line_of_pixels_is_searched_in_few_parts():
    class Counting:
        name = "yunet"
        calls = 0

        def __call__(self, frame):
            Counting.calls += 1
            return np.empty((0, 5), np.float32)

    assert InParts(Counting())(np.zeros((1, 30000, 3), np.uint8)).shape == (0, 5)
    assert Counting.calls == MOST_PARTS
