"""From a box to a face: the square's rounding, the repeated edge, the gray, the two ways to resize."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.crop import LARGEST_SIDE, crop_face, square_of

coordinates = st.integers(-400, 400) | st.floats(-400, 400, width=32)
sizes = st.integers(1, 300) | st.floats(0.125, 300, width=32)
boxes = st.tuples(coordinates, coordinates, sizes, sizes)
frame_sides = st.integers(1, 60)


def make_frame(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def slow_crop(frame, box, **rule):
    """The same face by the plainest way: every pixel of the square looked up, then gray, then resized."""
    left, top, side = square_of(box, **rule)
    rows = np.clip(np.arange(top, top + side), 0, frame.shape[0] - 1)
    columns = np.clip(np.arange(left, left + side), 0, frame.shape[1] - 1)
    blue, green, red = np.moveaxis(frame[np.ix_(rows, columns)].astype(np.int64), 2, 0)
    gray = ((3735 * blue + 19235 * green + 9798 * red + 16384) >> 15).astype(np.uint8)
    if side == 48:
        return gray
    return cv2.resize(gray, (48, 48), interpolation=cv2.INTER_AREA if side > 48 else cv2.INTER_LINEAR)


@pytest.mark.parametrize(
    ("box", "rule", "square"),
    [
        ((10, 20, 30, 30), {}, (10, 20, 30)),
        ((10, 20, 30, 50), {}, (0, 20, 50)),  # the longer side, around the centre
        ((10, 20, 31, 50), {}, (1, 20, 50)),  # 10 + 15.5 - 25 = 0.5 rounds up
        ((-11, 20, 31, 50), {}, (-20, 20, 50)),  # -20.5 rounds up, too
        ((10, 20, 100, 100), {"scale": 1.1}, (5, 15, 110)),
        ((10, 20, 5, 5), {"scale": 1.1}, (10, 20, 6)),  # 5.5 rounds to 6, and 12.5 - 3 = 9.5 to 10
        ((10, 20, 100, 100), {"shift_x": 0.1, "shift_y": -0.05}, (20, 15, 100)),
        ((10, 20, 0.2, 0.2), {}, (10, 20, 1)),  # never less than a pixel
    ],
)
def test_the_square_of_a_box_is_rounded_as_written(box, rule, square):
    assert square_of(box, **rule) == square


@given(boxes, st.floats(0.5, 2), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_the_square_lies_around_the_moved_centre(box, scale, shift_x, shift_y):
    left, top, side = square_of(box, scale=scale, shift_x=shift_x, shift_y=shift_y)
    x, y, width, height = box
    assert abs(side - max(width, height) * scale) <= 0.5 or side == 1
    assert abs(left + side / 2 - (x + width / 2 + shift_x * side)) <= 0.5 + 1e-9
    assert abs(top + side / 2 - (y + height / 2 + shift_y * side)) <= 0.5 + 1e-9


@settings(max_examples=300, deadline=None)
@given(frame_sides, frame_sides, boxes, st.sampled_from([0.9, 1.0, 1.1, 1.5]), st.integers(0, 99))
def test_a_face_equals_the_plain_lookup_wherever_the_box_lies(height, width, box, scale, seed):
    frame = make_frame(height, width, seed)
    face = crop_face(frame, box, scale=scale, shift_x=0.05, shift_y=-0.1)
    assert face.shape == (48, 48)
    assert face.dtype == np.uint8
    np.testing.assert_array_equal(face, slow_crop(frame, box, scale=scale, shift_x=0.05, shift_y=-0.1))


def test_a_square_of_48_pixels_is_the_gray_frame_itself():
    frame = make_frame(100, 120)
    np.testing.assert_array_equal(
        crop_face(frame, (20, 30, 48, 48)), cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)[30:78, 20:68]
    )


def test_shrinking_takes_the_mean_of_the_area():
    frame = np.zeros((96, 96, 3), np.uint8)
    frame[::2, ::2] = 200  # a quarter of every 2x2 block
    assert (crop_face(frame, (0, 0, 96, 96)) == 50).all()


def test_enlarging_blends_between_pixels():
    frame = np.zeros((24, 24, 3), np.uint8)
    frame[:, 12:] = 200
    row = crop_face(frame, (0, 0, 24, 24))[0]
    assert row[[0, 22, 23, 24, 25, 47]].tolist() == [0, 0, 50, 150, 200, 200]


def test_gray_is_luma_of_blue_green_red():
    frame = np.zeros((48, 48, 3), np.uint8)
    grays = []
    for channel in range(3):
        frame[:] = 0
        frame[..., channel] = 255
        grays.append(int(crop_face(frame, (0, 0, 48, 48))[0, 0]))
    assert grays == [29, 150, 76]


def test_outside_the_frame_the_edge_repeats():
    frame = np.zeros((48, 48, 3), np.uint8)
    frame[:, 0] = 90
    face = crop_face(frame, (-24, 0, 48, 48))
    assert (face[:, :25] == 90).all()
    assert (face[:, 25:] == 0).all()


@pytest.mark.parametrize(("x", "gray"), [(-500, 10), (500, 240)])
def test_a_box_wholly_outside_is_the_nearest_edge(x, gray):
    frame = np.zeros((20, 20, 3), np.uint8)
    frame[:, 0], frame[:, -1] = 10, 240
    assert (crop_face(frame, (x, 5, 60, 60)) == gray).all()


def test_a_frame_of_one_pixel_gives_a_flat_face():
    assert (crop_face(np.full((1, 1, 3), 77, np.uint8), (-3, -2, 100, 80)) == 77).all()


def test_the_frame_is_not_changed_and_the_face_is_its_own():
    frame = make_frame(48, 48)
    before = frame.copy()
    crop_face(frame, (0, 0, 48, 48))[:] = 0
    np.testing.assert_array_equal(frame, before)


def test_a_view_of_a_frame_counts_as_a_frame():
    frame = make_frame(90, 90)
    view = frame[::-1, 5:70]
    np.testing.assert_array_equal(crop_face(view, (3, 3, 50, 50)), crop_face(view.copy(), (3, 3, 50, 50)))


@pytest.mark.parametrize(
    ("frame", "got"),
    [
        (np.zeros((48, 48), np.uint8), r"uint8 \(48, 48\)"),
        (np.zeros((48, 48, 1), np.uint8), r"uint8 \(48, 48, 1\)"),
        (np.zeros((48, 48, 4), np.uint8), r"uint8 \(48, 48, 4\)"),
        (np.zeros((48, 48, 3), np.float32), r"float32 \(48, 48, 3\)"),
        (np.zeros((0, 48, 3), np.uint8), r"uint8 \(0, 48, 3\)"),
        (None, "NoneType"),
    ],
)
def test_another_kind_of_frame_is_refused_with_what_converts_it(frame, got):
    with pytest.raises(
        ValueError, match=r"Expected a frame as a uint8 BGR array .* got " + got + r".*COLOR_GRAY2BGR"
    ):
        crop_face(frame, (0, 0, 10, 10))


@pytest.mark.parametrize(
    "box", [(0, 0, 0, 5), (0, 0, 5, -1), (math.nan, 0, 5, 5), (0, math.inf, 5, 5), (0, 0, math.inf, 5)]
)
def test_a_box_without_a_size_is_refused(box):
    with pytest.raises(ValueError, match="Expected a box"):
        crop_face(make_frame(10, 10), box)


def test_a_box_beyond_all_measure_is_refused():
    assert square_of((0, 0, LARGEST_SIDE, 3))[2] == LARGEST_SIDE
    with pytest.raises(ValueError, match="at most 16384 pixels, got 1e"):
        crop_face(make_frame(10, 10), (0, 0, 1e9, 5))
