"""The overlay: on a copy, at any size, readable, and never over another face."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.drawing.colours import COLOURS, OTHER_COLOURS, UNCERTAIN_COLOUR, colour_of
from runtime.drawing.layout import Arranger
from runtime.drawing.overlay import draw_faces
from runtime.recognizer import Face
from tests.support.drawings import GROUND, LABELS, STATUS, changed, count_of, grid, make_face, make_frame


def test_the_frame_itself_is_not_changed():
    frame = make_frame()
    image = draw_faces(frame, [make_face((100, 100, 120, 140))])
    assert (frame == GROUND).all()
    assert image.shape == frame.shape
    assert (image != frame).any()


def test_without_a_face_nothing_is_drawn():
    frame = make_frame()
    image = draw_faces(frame, [])
    np.testing.assert_array_equal(image, frame)
    assert image is not frame


@pytest.mark.parametrize("label", LABELS)
def test_box_and_chip_have_the_colour_of_the_label(label):
    image = draw_faces(make_frame(), [make_face((100, 100, 120, 140), label)])
    assert count_of(image[60:100, 100:260], COLOURS[label]) > 300  # the chip, above the box
    assert count_of(image[100:240, 98:104], COLOURS[label]) > 100  # the left side


def test_the_face_inside_the_box_stays_free():
    image = draw_faces(make_frame(), [make_face((100, 100, 120, 140))])
    assert (image[112:228, 112:208] == GROUND).all()


def test_the_scores_are_right_of_the_box_where_there_is_room():
    image = draw_faces(make_frame(), [make_face((100, 100, 120, 140))])
    left, _, right, _ = changed(image)
    assert left >= 95
    assert 340 < right < 440


def test_the_scores_are_left_of_the_box_where_the_frame_ends_at_the_right():
    image = draw_faces(make_frame(), [make_face((500, 100, 120, 140))])
    assert 280 < changed(image)[0] < 400


def test_the_scores_are_left_out_where_there_is_no_room():
    image = draw_faces(make_frame(200, 200), [make_face((30, 40, 140, 150))])
    left, _, right, bottom = changed(image)
    assert left >= 25 and right <= 175 and bottom <= 195


def test_a_bar_is_as_long_as_its_score():
    lengths = []
    for score in (0.3, 0.6, 0.9):
        image = draw_faces(make_frame(), [make_face((100, 100, 120, 140), "happy", score)])
        panel = image[:, 230:]  # right of box and chip
        covered = (np.abs(panel.astype(int) - COLOURS["happy"]) <= 12).all(axis=2)
        lengths.append(int(covered.sum(axis=1).max()))
    assert lengths[1] == pytest.approx(2 * lengths[0], abs=3)
    assert lengths[2] == pytest.approx(3 * lengths[0], abs=4)


def test_nothing_is_drawn_over_another_face():
    boxes = [(40, 120, 100, 120), (240, 120, 100, 120), (440, 130, 100, 120), (240, 320, 100, 120)]
    image = draw_faces(make_frame(), [make_face(box) for box in boxes])
    for x, y, width, height in boxes:
        assert (image[y + 12 : y + height - 12, x + 12 : x + width - 12] == GROUND).all()


def test_a_label_at_the_upper_edge_goes_below_the_box():
    image = draw_faces(make_frame(), [make_face((100, 2, 120, 140))])
    assert (image[14:130, 112:208] == GROUND).all()
    assert count_of(image[142:190, 100:260], COLOURS["happy"]) > 300


def test_labels_that_the_colours_do_not_know_have_colours_of_their_own():
    labels = ("neutral", "calm", "happy", "contempt", "bored", "uncertain")
    colours = [colour_of(label, labels) for label in labels]
    assert colours[0] == COLOURS["neutral"]
    assert colours[2] == COLOURS["happy"]
    assert colours[5] == UNCERTAIN_COLOUR
    assert [colours[1], colours[3], colours[4]] == list(OTHER_COLOURS[:3])


def test_after_the_last_colour_come_others_of_which_no_two_are_alike():
    labels = tuple(f"label {number}" for number in range(100))
    colours = [colour_of(label, labels) for label in labels]
    assert colours[:8] == list(OTHER_COLOURS)
    assert len({*colours, *COLOURS.values(), UNCERTAIN_COLOUR}) == 108
    assert gaps_between(colours[:16]).min() > 13


def test_any_two_colours_differ_visibly():
    gaps = gaps_between([*COLOURS.values(), *OTHER_COLOURS, UNCERTAIN_COLOUR])
    assert gaps.min() > 13  # that of gray and neutral; 2 is just seen


def gaps_between(colours):
    """The distances of any two colours in CIELAB."""
    lab = cv2.cvtColor(np.array([colours], np.float32) / 255, cv2.COLOR_BGR2Lab)[0]
    return np.linalg.norm(lab[:, np.newaxis] - lab, axis=2)[np.triu_indices(len(lab), 1)]


def test_a_face_and_its_bars_have_the_colours_of_its_models_labels():
    labels = ("calm", "contempt")
    face = Face((100, 100, 120, 140), "contempt", np.array([0.4, 0.6], np.float32), 0.9, labels)
    image = draw_faces(make_frame(), [face])
    assert count_of(image[60:100, 100:260], OTHER_COLOURS[1]) > 300  # the chip, above the box
    assert count_of(image[100:240, 98:104], OTHER_COLOURS[1]) > 100  # the box's left side
    covered = (np.abs(image[:, 230:].astype(int) - OTHER_COLOURS[1]) <= 12).all(axis=2)
    assert covered.sum() > 50  # its bar


def test_a_label_that_the_colours_do_not_know_is_drawn_all_the_same():
    face = Face((100, 100, 120, 140), "contempt", np.array([0.2, 0.8], np.float32), 0.9, ("calm", "contempt"))
    assert (draw_faces(make_frame(), [face]) != GROUND).any()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 300),
    st.integers(1, 300),
    st.lists(
        st.tuples(st.integers(-200, 400), st.integers(-200, 400), st.integers(1, 300), st.integers(1, 300)),
        max_size=4,
    ),
)
def test_every_frame_and_box_can_be_drawn(height, width, boxes):
    frame = make_frame(height, width)
    image = draw_faces(frame, [make_face(box) for box in boxes])
    assert (image.shape, image.dtype) == ((height, width, 3), np.uint8)
    assert (frame == GROUND).all()


def test_the_drawing_grows_with_the_frame():
    small = draw_faces(make_frame(480, 640), [make_face((100, 100, 120, 140))])
    large = draw_faces(make_frame(1920, 2560), [make_face((400, 400, 480, 560))])
    assert changed(large) == pytest.approx([4 * value for value in changed(small)], abs=40)


def test_a_face_that_is_followed_shows_its_number_before_its_label():
    face = make_face((100, 100, 120, 140))
    plain, numbered = (draw_faces(make_frame(), [replace(face, id=number)]) for number in (None, 12))
    chips = [int((image[60:98] != GROUND).any(axis=(0, 2)).sum()) for image in (plain, numbered)]
    assert 12 < chips[1] - chips[0] < 60
    assert (draw_faces(make_frame(), [replace(face, id=13)]) != numbered).any()


def test_an_uncertain_face_is_gray_and_has_no_percentage():
    face = replace(make_face((100, 100, 180, 180)), label="uncertain")
    image = draw_faces(make_frame(), [face])
    assert count_of(image[60:100, 100:280], UNCERTAIN_COLOUR) > 300
    likelier = replace(face, scores=face.scores[::-1].copy())
    np.testing.assert_array_equal(draw_faces(make_frame(), [likelier])[:, :282], image[:, :282])


def test_the_status_is_written_into_the_upper_left_corner():
    left, top, right, bottom = changed(draw_faces(make_frame(), [], STATUS))
    assert (left, top) == (6, 6)
    assert 150 < right < 400
    assert bottom < 50


def test_the_status_goes_to_a_corner_where_no_face_is():
    face = make_face((0, 0, 100, 100))
    assert changed(draw_faces(make_frame(), [face]))[2] < 300
    image = draw_faces(make_frame(), [face], STATUS)
    assert changed(image[:, 320:])[1:3] == (6, 314)


@pytest.mark.parametrize(
    ("side", "drawn"), [(16, False), (64, False), (110, False), (180, True), (240, True)]
)
def test_the_status_is_left_out_of_a_frame_that_is_too_small_for_it(side, drawn):
    image = draw_faces(make_frame(side, side), [], STATUS)
    assert (image != GROUND).any() == drawn
    assert not drawn or changed(image)[2] < side


@pytest.mark.parametrize(
    ("rows", "columns", "width", "height"), [(2, 5, 90, 120), (3, 4, 110, 130), (5, 10, 50, 60)]
)
def test_in_a_crowd_every_face_has_a_label_and_none_is_covered(rows, columns, width, height):
    faces = grid(rows, columns, width, height)
    image = draw_faces(make_frame(), faces, STATUS)
    for face in faces:
        x, y, _, _ = face.box
        assert (image[y + height // 2 : y + height - 9, x + 9 : x + width - 9] == GROUND).all()
    chips = Arranger().lay_out(make_frame(), faces).chips
    assert [chip.face.id for chip in chips] == [face.id for face in faces]
    assert len({chip.place[3] for chip in chips}) == 1  # all letters are alike


def test_a_label_that_fits_nowhere_else_is_inside_its_own_box():
    left, right = make_face((0, 0, 320, 480)), make_face((320, 0, 320, 480), "sad")
    image = draw_faces(make_frame(), [left, right])
    assert count_of(image[:60, 8:312], COLOURS["happy"]) > 600
    assert count_of(image[:60, 328:632], COLOURS["sad"]) > 600
    assert count_of(image[:, 322:], COLOURS["happy"]) == 0


def test_a_frame_too_small_for_letters_shows_the_box_alone():
    image = draw_faces(make_frame(16, 16), [make_face((3, 3, 10, 10))], STATUS)
    np.testing.assert_allclose(image[7:9, 7:9].astype(int), GROUND, atol=4)
    assert (image != GROUND).any()


def test_the_same_face_gives_the_same_image():
    frame = cv2.imread(str(Path(__file__).parents[3] / "demo" / "astronaut.jpg"))
    faces = [make_face((179, 63, 90, 112))]
    np.testing.assert_array_equal(draw_faces(frame, faces), draw_faces(frame, faces))
