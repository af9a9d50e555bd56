"""The overlay: on a copy, at any size, readable, and never over another face."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.overlay import (
    COLOURS,
    INK,
    UNCERTAIN_COLOUR,
    WHITE,
    Outline,
    _bars,
    _draw_box,
    _lay_box,
    _pane,
    _panel_size,
    _place_chips,
    _stroke_box,
    blend,
    draw_faces,
    rounded_mask,
    text_mask,
)
from runtime.recognizer import Face

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
GROUND = 120


def make_face(box, label="happy", score=0.9):
    scores = np.full(7, (1 - score) / 6, np.float32)
    scores[LABELS.index(label)] = score
    return Face(box, label, scores, 0.9, LABELS)


def make_frame(height=480, width=640):
    return np.full((height, width, 3), GROUND, np.uint8)


def changed(picture):
    """Where something was drawn on the plain ground: the enclosing x, y, right, bottom."""
    rows, columns = np.nonzero((picture != GROUND).any(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def count_of(picture, colour):
    return int((np.abs(picture.astype(int) - colour) <= 3).all(axis=2).sum())


def test_the_frame_itself_is_not_changed():
    frame = make_frame()
    picture = draw_faces(frame, [make_face((100, 100, 120, 140))])
    assert (frame == GROUND).all()
    assert picture.shape == frame.shape
    assert (picture != frame).any()


def test_without_a_face_nothing_is_drawn():
    frame = make_frame()
    picture = draw_faces(frame, [])
    np.testing.assert_array_equal(picture, frame)
    assert picture is not frame


@pytest.mark.parametrize("label", LABELS)
def test_box_and_chip_have_the_colour_of_the_label(label):
    picture = draw_faces(make_frame(), [make_face((100, 100, 120, 140), label)])
    assert count_of(picture[60:100, 100:260], COLOURS[label]) > 300  # the chip, above the box
    assert count_of(picture[100:240, 98:104], COLOURS[label]) > 100  # the left side


def test_the_face_inside_the_box_stays_free():
    picture = draw_faces(make_frame(), [make_face((100, 100, 120, 140))])
    assert (picture[112:228, 112:208] == GROUND).all()


def test_the_scores_stand_right_of_the_box_where_there_is_room():
    picture = draw_faces(make_frame(), [make_face((100, 100, 120, 140))])
    left, _, right, _ = changed(picture)
    assert left >= 95
    assert 340 < right < 440


def test_the_scores_stand_left_of_the_box_where_the_frame_ends_at_the_right():
    picture = draw_faces(make_frame(), [make_face((500, 100, 120, 140))])
    assert 280 < changed(picture)[0] < 400


def test_the_scores_are_left_out_where_there_is_no_room():
    picture = draw_faces(make_frame(200, 200), [make_face((30, 40, 140, 150))])
    left, _, right, bottom = changed(picture)
    assert left >= 25 and right <= 175 and bottom <= 195


def test_a_bar_is_as_long_as_its_score():
    lengths = []
    for score in (0.3, 0.6, 0.9):
        picture = draw_faces(make_frame(), [make_face((100, 100, 120, 140), "happy", score)])
        panel = picture[:, 230:]  # right of box and chip
        covered = (np.abs(panel.astype(int) - COLOURS["happy"]) <= 12).all(axis=2)
        lengths.append(int(covered.sum(axis=1).max()))
    assert lengths[1] == pytest.approx(2 * lengths[0], abs=3)
    assert lengths[2] == pytest.approx(3 * lengths[0], abs=4)


def test_nothing_is_drawn_over_another_face():
    boxes = [(40, 120, 100, 120), (240, 120, 100, 120), (440, 130, 100, 120), (240, 320, 100, 120)]
    picture = draw_faces(make_frame(), [make_face(box) for box in boxes])
    for x, y, width, height in boxes:
        assert (picture[y + 12 : y + height - 12, x + 12 : x + width - 12] == GROUND).all()


def test_a_label_at_the_upper_edge_goes_below_the_box():
    picture = draw_faces(make_frame(), [make_face((100, 2, 120, 140))])
    assert (picture[14:130, 112:208] == GROUND).all()
    assert count_of(picture[142:190, 100:260], COLOURS["happy"]) > 300


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
    picture = draw_faces(frame, [make_face(box) for box in boxes])
    assert (picture.shape, picture.dtype) == ((height, width, 3), np.uint8)
    assert (frame == GROUND).all()


def test_the_drawing_grows_with_the_frame():
    small = draw_faces(make_frame(480, 640), [make_face((100, 100, 120, 140))])
    large = draw_faces(make_frame(1920, 2560), [make_face((400, 400, 480, 560))])
    assert changed(large) == pytest.approx([4 * value for value in changed(small)], abs=40)


def test_a_face_that_is_followed_shows_its_number_before_its_label():
    face = make_face((100, 100, 120, 140))
    plain, numbered = (draw_faces(make_frame(), [replace(face, id=number)]) for number in (None, 12))
    chips = [int((picture[60:98] != GROUND).any(axis=(0, 2)).sum()) for picture in (plain, numbered)]
    assert 12 < chips[1] - chips[0] < 60
    assert (draw_faces(make_frame(), [replace(face, id=13)]) != numbered).any()


def test_an_uncertain_face_is_gray_and_has_no_percentage():
    face = replace(make_face((100, 100, 180, 180)), label="uncertain")
    picture = draw_faces(make_frame(), [face])
    assert count_of(picture[60:100, 100:280], UNCERTAIN_COLOUR) > 300
    likelier = replace(face, scores=face.scores[::-1].copy())
    np.testing.assert_array_equal(draw_faces(make_frame(), [likelier])[:, :282], picture[:, :282])


STATUS = "30 frames/s   2 dropped"


def test_the_status_is_written_into_the_upper_left_corner():
    left, top, right, bottom = changed(draw_faces(make_frame(), [], STATUS))
    assert (left, top) == (6, 6)
    assert 150 < right < 400
    assert bottom < 50


def test_the_status_goes_to_a_corner_where_no_face_is():
    face = make_face((0, 0, 100, 100))
    assert changed(draw_faces(make_frame(), [face]))[2] < 300
    picture = draw_faces(make_frame(), [face], STATUS)
    assert changed(picture[:, 320:])[1:3] == (6, 314)


@pytest.mark.parametrize(
    ("side", "drawn"), [(16, False), (64, False), (110, False), (180, True), (240, True)]
)
def test_the_status_is_left_out_of_a_frame_that_is_too_small_for_it(side, drawn):
    picture = draw_faces(make_frame(side, side), [], STATUS)
    assert (picture != GROUND).any() == drawn
    assert not drawn or changed(picture)[2] < side


def grid(rows, columns, width, height, frame_height=480, frame_width=640):
    """Faces in the middles of equal cells, numbered from 1, with every label in turn."""
    faces = []
    for number in range(rows * columns):
        x = round((number % columns + 0.5) * frame_width / columns - width / 2)
        y = round((number // columns + 0.5) * frame_height / rows - height / 2)
        face = make_face((x, y, width, height), LABELS[number % 7])
        faces.append(replace(face, id=number + 1))
    return faces


@pytest.mark.parametrize(
    ("rows", "columns", "width", "height"), [(2, 5, 90, 120), (3, 4, 110, 130), (5, 10, 50, 60)]
)
def test_in_a_crowd_every_face_has_a_label_and_none_is_covered(rows, columns, width, height):
    faces = grid(rows, columns, width, height)
    picture = draw_faces(make_frame(), faces, STATUS)
    for face in faces:
        x, y, _, _ = face.box
        assert (picture[y + height // 2 : y + height - 9, x + 9 : x + width - 9] == GROUND).all()
    places = _place_chips(make_frame(), faces, 12, [face.box for face in faces])
    assert [face.id for face, _, _ in places] == [face.id for face in faces]
    assert len({chip[3] for _, chip, _ in places}) == 1  # all letters are alike


def test_a_label_that_fits_nowhere_else_stands_inside_its_own_box():
    left, right = make_face((0, 0, 320, 480)), make_face((320, 0, 320, 480), "sad")
    picture = draw_faces(make_frame(), [left, right])
    assert count_of(picture[:60, 8:312], COLOURS["happy"]) > 600
    assert count_of(picture[:60, 328:632], COLOURS["sad"]) > 600
    assert count_of(picture[:, 322:], COLOURS["happy"]) == 0


def test_a_frame_too_small_for_letters_shows_the_box_alone():
    picture = draw_faces(make_frame(16, 16), [make_face((3, 3, 10, 10))], STATUS)
    np.testing.assert_allclose(picture[7:9, 7:9].astype(int), GROUND, atol=4)
    assert (picture != GROUND).any()


def test_the_same_face_gives_the_same_picture():
    frame = cv2.imread(str(Path(__file__).parent.parent / "demo" / "astronaut.jpg"))
    faces = [make_face((179, 63, 90, 112))]
    np.testing.assert_array_equal(draw_faces(frame, faces), draw_faces(frame, faces))


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def blend_plainly(picture, mask, colour, x, y, opacity=1.0):
    """What `blend` is to do, `float64`, for masks inside the picture."""
    region = picture[y : y + mask.shape[0], x : x + mask.shape[1]]
    region += (np.array(colour) - region) * (mask[:, :, np.newaxis] / 255 * opacity)


@pytest.mark.parametrize("opacity", [1.0, 0.78, 0.72, 0.2])
@pytest.mark.parametrize("colour", [WHITE, INK, *COLOURS.values()])
def test_a_colour_is_blended_as_by_plain_arithmetic(colour, opacity):
    picture, mask = noise(70, 90), noise(50, 60, 1)[:, :, 0]
    expected = picture.astype(np.float64)
    blend_plainly(expected, mask, colour, 20, 10, opacity)
    blend(picture, mask, colour, 20, 10, opacity)
    np.testing.assert_allclose(picture, expected, atol=1.51)


@pytest.mark.parametrize(("x", "y"), [(-9, 12), (70, 12), (12, -9), (12, 50), (-5, -5), (-200, 0), (0, 300)])
def test_what_leaves_the_picture_is_cut_off(x, y):
    picture, mask = noise(60, 80), rounded_mask(30, 20, 6)
    larger = np.zeros((1060, 1080, 3), np.uint8)
    larger[500:560, 500:580] = picture
    blend(picture, mask, INK, x, y, 0.7)
    blend(larger, mask, INK, 500 + x, 500 + y, 0.7)
    np.testing.assert_array_equal(picture, larger[500:560, 500:580])


@pytest.mark.parametrize("panel_px", [7, 10, 22, 43])
def test_a_pane_that_is_kept_looks_like_its_parts_blended_one_by_one(panel_px):
    width, height = _panel_size(LABELS, panel_px)
    picture = noise(height, width)
    expected = picture.astype(np.float64)
    blend_plainly(expected, rounded_mask(width, height, panel_px), INK, 0, 0, 0.72)
    x, y, bar_width, bar_px = _bars(LABELS, panel_px)
    for number in range(len(LABELS)):
        bar = rounded_mask(bar_width, bar_px, bar_px // 2)
        blend_plainly(expected, bar, WHITE, x, y + number * round(1.9 * panel_px), 0.2)
    through, shade = _pane(LABELS, panel_px)
    np.testing.assert_allclose(picture * (through / 255) + shade, expected, atol=2)


@pytest.mark.parametrize(
    "box", [(-40, 30, 90, 80), (150, 30, 90, 80), (60, -50, 90, 80), (60, 110, 90, 80), (-30, -20, 190, 170)]
)
def test_a_box_that_leaves_the_frame_is_drawn_as_far_as_it_goes(box):
    larger, picture = make_frame(400, 500), make_frame(150, 200)
    _draw_box(larger, (box[0] + 100, box[1] + 100, *box[2:]), COLOURS["sad"], 12)
    _draw_box(picture, box, COLOURS["sad"], 12)
    np.testing.assert_array_equal(picture, larger[100:250, 100:300])
    assert (picture != GROUND).any()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(30, 200),
    st.integers(30, 200),
    st.integers(-50, 250),
    st.integers(-50, 250),
    st.integers(7, 30),
)
def test_a_box_of_layers_looks_like_one_of_strokes(width, height, x, y, text_px):
    outline = Outline(max(1, text_px // 10), max(2, min(text_px // 4, min(width, height) // 18)), INK)
    radius = max(outline.margin, min(text_px, min(width, height) // 6))
    arm = max(radius, min(width, height) // 4)
    pictures = [np.full((300, 300, 3), 255, np.uint8) for _ in range(2)]
    for draw, picture in zip((_lay_box, _stroke_box), pictures, strict=True):
        draw(picture, (x, y, width, height), radius, arm, outline)
    # A curve's points may be rounded to the next pixel.
    layers, strokes = (cv2.blur(picture, (5, 5)).astype(int) for picture in pictures)
    assert np.abs(layers - strokes).max() < 50


def test_a_box_far_larger_than_the_frame_is_drawn():
    box = (-(10**4), 20, 2 * 10**4, 100)
    picture = draw_faces(make_frame(), [make_face(box)])
    assert (picture[20] != GROUND).any(axis=1).all()


def test_several_threads_draw_the_same_pictures_as_one():
    frame, crowds = noise(240, 320), [grid(2, 3, side, side, 240, 320) for side in range(20, 60)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda faces: draw_faces(frame, faces, STATUS), crowds))
    for faces, picture in zip(crowds, together, strict=True):
        np.testing.assert_array_equal(draw_faces(frame, faces, STATUS), picture)


def test_what_is_kept_between_frames_can_not_be_written_into():
    for array in (text_mask("happy", 12), rounded_mask(30, 20, 6), *_pane(LABELS, 10)):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


@pytest.mark.parametrize(
    ("text", "alike"),
    [("glücklich", "glucklich"), ("désolé", "desole"), ("\udcff", "?"), ("a\0b\n", "a?b?"), ("喜", "?")],
)
def test_labels_of_any_letters_are_drawn_with_the_ones_that_opencv_has(text, alike):
    def drawn(label):
        labels = (label, "neutral")
        scores = np.array([0.75, 0.25], np.float32)
        face = Face((300, 200, 100, 100), label, scores, 0.9, labels)
        return draw_faces(make_frame(), [replace(face, label=label)])

    np.testing.assert_array_equal(drawn(text), drawn(alike))
