"""The overlay: on a copy, at any size, readable, and never over another face."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.drawing.layers import INK, WHITE, blend, rounded_mask, text_mask
from runtime.drawing.layout import Arranger
from runtime.drawing.overlay import (
    COLOURS,
    OTHER_COLOURS,
    UNCERTAIN_COLOUR,
    Outline,
    Overlay,
    _bars,
    _draw_box,
    _lay_box,
    _pane,
    _stroke_box,
    colour_of,
    draw_faces,
)
from runtime.drawing.places import panel_size
from runtime.recognizer import Face

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
GROUND = 120


def make_face(box, label="happy", score=0.9):
    scores = np.full(7, (1 - score) / 6, np.float32)
    scores[LABELS.index(label)] = score
    return Face(box, label, scores, 0.9, LABELS)


def make_frame(height=480, width=640):
    return np.full((height, width, 3), GROUND, np.uint8)


def changed(image):
    """Where something was drawn on the plain ground: the enclosing x, y, right, bottom."""
    rows, columns = np.nonzero((image != GROUND).any(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def count_of(image, colour):
    return int((np.abs(image.astype(int) - colour) <= 3).all(axis=2).sum())


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


def test_the_scores_stand_right_of_the_box_where_there_is_room():
    image = draw_faces(make_frame(), [make_face((100, 100, 120, 140))])
    left, _, right, _ = changed(image)
    assert left >= 95
    assert 340 < right < 440


def test_the_scores_stand_left_of_the_box_where_the_frame_ends_at_the_right():
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


def test_more_labels_than_colours_begin_them_anew():
    labels = tuple(f"label {number}" for number in range(9))
    assert [colour_of(label, labels) for label in labels] == [*OTHER_COLOURS, OTHER_COLOURS[0]]


def test_any_two_colours_can_be_told_apart():
    colours = np.array([*COLOURS.values(), *OTHER_COLOURS, UNCERTAIN_COLOUR], np.uint8)
    lab = cv2.cvtColor(colours[np.newaxis].astype(np.float32) / 255, cv2.COLOR_BGR2Lab)[0]
    gaps = np.linalg.norm(lab[:, np.newaxis] - lab, axis=2)[np.triu_indices(len(lab), 1)]
    assert gaps.min() > 13  # that of gray and neutral; 2 is just seen


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


STATUS = "30 frames/s   2 dropped"


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
    image = draw_faces(make_frame(), faces, STATUS)
    for face in faces:
        x, y, _, _ = face.box
        assert (image[y + height // 2 : y + height - 9, x + 9 : x + width - 9] == GROUND).all()
    chips = Arranger().lay_out(make_frame(), faces).chips
    assert [chip.face.id for chip in chips] == [face.id for face in faces]
    assert len({chip.place[3] for chip in chips}) == 1  # all letters are alike


def test_a_label_that_fits_nowhere_else_stands_inside_its_own_box():
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
    frame = cv2.imread(str(Path(__file__).parents[2] / "demo" / "astronaut.jpg"))
    faces = [make_face((179, 63, 90, 112))]
    np.testing.assert_array_equal(draw_faces(frame, faces), draw_faces(frame, faces))


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def blend_plainly(image, mask, colour, x, y, opacity=1.0):
    """What `blend` is to do, `float64`, for masks inside the image."""
    region = image[y : y + mask.shape[0], x : x + mask.shape[1]]
    region += (np.array(colour) - region) * (mask[:, :, np.newaxis] / 255 * opacity)


@pytest.mark.parametrize("opacity", [1.0, 0.78, 0.72, 0.2])
@pytest.mark.parametrize("colour", [WHITE, INK, *COLOURS.values()])
def test_a_colour_is_blended_as_by_plain_arithmetic(colour, opacity):
    image, mask = noise(70, 90), noise(50, 60, 1)[:, :, 0]
    expected = image.astype(np.float64)
    blend_plainly(expected, mask, colour, 20, 10, opacity)
    blend(image, mask, colour, 20, 10, opacity)
    np.testing.assert_allclose(image, expected, atol=1.51)


@pytest.mark.parametrize(("x", "y"), [(-9, 12), (70, 12), (12, -9), (12, 50), (-5, -5), (-200, 0), (0, 300)])
def test_what_leaves_the_image_is_cut_off(x, y):
    image, mask = noise(60, 80), rounded_mask(30, 20, 6)
    larger = np.zeros((1060, 1080, 3), np.uint8)
    larger[500:560, 500:580] = image
    blend(image, mask, INK, x, y, 0.7)
    blend(larger, mask, INK, 500 + x, 500 + y, 0.7)
    np.testing.assert_array_equal(image, larger[500:560, 500:580])


@pytest.mark.parametrize("panel_px", [7, 10, 22, 43])
def test_a_pane_that_is_kept_looks_like_its_parts_blended_one_by_one(panel_px):
    width, height = panel_size(LABELS, panel_px)
    image = noise(height, width)
    expected = image.astype(np.float64)
    blend_plainly(expected, rounded_mask(width, height, panel_px), INK, 0, 0, 0.72)
    x, y, bar_width, bar_px = _bars(LABELS, panel_px)
    for number in range(len(LABELS)):
        bar = rounded_mask(bar_width, bar_px, bar_px // 2)
        blend_plainly(expected, bar, WHITE, x, y + number * round(1.9 * panel_px), 0.2)
    through, shade = _pane(LABELS, panel_px)
    np.testing.assert_allclose(image * (through / 255) + shade, expected, atol=2)


@pytest.mark.parametrize(
    "box", [(-40, 30, 90, 80), (150, 30, 90, 80), (60, -50, 90, 80), (60, 110, 90, 80), (-30, -20, 190, 170)]
)
def test_a_box_that_leaves_the_frame_is_drawn_as_far_as_it_goes(box):
    larger, image = make_frame(400, 500), make_frame(150, 200)
    _draw_box(larger, (box[0] + 100, box[1] + 100, *box[2:]), COLOURS["sad"], 12)
    _draw_box(image, box, COLOURS["sad"], 12)
    np.testing.assert_array_equal(image, larger[100:250, 100:300])
    assert (image != GROUND).any()


@settings(max_examples=60, deadline=None)
@given(
    st.integers(30, 200),
    st.integers(30, 200),
    st.integers(-50, 250),
    st.integers(-50, 250),
    st.integers(7, 30),
)
def test_a_box_of_layers_looks_like_one_of_strokes(width, height, x, y, text_px):
    outline = Outline(
        max(1, text_px // 10), max(2, min(text_px // 4, min(width, height) // 18)), COLOURS["happy"]
    )
    radius = max(outline.margin, min(text_px, min(width, height) // 6))
    arm = max(radius, min(width, height) // 4)
    images = [np.full((300, 300, 3), 255, np.uint8) for _ in range(2)]
    for draw, image in zip((_lay_box, _stroke_box), images, strict=True):
        draw(image, (x, y, width, height), radius, arm, outline)
    # A curve's points may be rounded to the next pixel.
    layers, strokes = (cv2.blur(image, (5, 5)).astype(int) for image in images)
    assert np.abs(layers - strokes).max() < 50


def test_a_box_far_larger_than_the_frame_is_drawn():
    box = (-(10**4), 20, 2 * 10**4, 100)
    image = draw_faces(make_frame(), [make_face(box)])
    assert (image[20] != GROUND).any(axis=1).all()


def test_several_threads_draw_the_same_images_as_one():
    frame, crowds = noise(240, 320), [grid(2, 3, side, side, 240, 320) for side in range(20, 60)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda faces: draw_faces(frame, faces, STATUS), crowds))
    for faces, image in zip(crowds, together, strict=True):
        np.testing.assert_array_equal(draw_faces(frame, faces, STATUS), image)


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


def trembling(boxes, frames, seed=0):
    """The faces of a stream's frames whose boxes move by a pixel at random, numbered from 1."""
    random = np.random.default_rng(seed)
    for _ in range(frames):
        faces = []
        for number, box in enumerate(boxes):
            moved = tuple(int(value) for value in np.array(box) + random.integers(-1, 2, 4))
            faces.append(replace(make_face(moved, LABELS[number % 7]), id=number + 1))
        yield faces


def scattered(count, side, seed=0):
    """Boxes somewhere in a frame of 640x480 that don't overlap."""
    random, boxes = np.random.default_rng(seed), []
    while len(boxes) < count:
        x, y = int(random.integers(0, 640 - side)), int(random.integers(0, 480 - int(1.2 * side)))
        if all(abs(x - other[0]) > 1.15 * side or abs(y - other[1]) > 1.35 * side for other in boxes):
            boxes.append((x, y, side, int(1.2 * side)))
    return boxes


def looks_of(layout):
    """Where labels and panels stand by their faces, and how large and full they are."""
    chips = {
        chip.face.id: (chip.spot, chip.place[3], len(chip.text.split()), chip.place[0] > chip.face.box[0])
        for chip in layout.chips
    }
    panels = {face.id: (place[0] > face.box[0], panel_px) for face, place, panel_px in layout.panels}
    return chips, panels


def changes(layouts):
    """How many labels and panels have come, gone, moved or changed their size from one to the next."""
    count, looks = 0, [looks_of(layout) for layout in layouts]
    for before, after in pairwise(looks):
        for old, new in zip(before, after, strict=True):
            count += sum(old.get(id) != new.get(id) for id in {*old, *new})
    return count


@pytest.mark.parametrize(
    ("count", "side", "seed", "alone"),
    [(2, 120, 43, 80), (6, 90, 3, 300), (10, 70, 6, 250), (20, 45, 7, 1000)],
)
def test_labels_and_panels_of_trembling_faces_stay_where_they_are(count, side, seed, alone):
    frames = list(trembling(scattered(count, side, seed), 100))
    arranger = Arranger()
    assert changes([Arranger().lay_out(make_frame(), faces, STATUS) for faces in frames]) > alone
    # All may become smaller once, each panel may go.
    assert changes([arranger.lay_out(make_frame(), faces, STATUS) for faces in frames]) <= 2 * count


def test_the_first_frame_of_a_stream_looks_as_if_it_were_the_only_one():
    faces = grid(3, 4, 110, 130)
    np.testing.assert_array_equal(
        Overlay()(make_frame(), faces, STATUS), draw_faces(make_frame(), faces, STATUS)
    )


def test_faces_that_are_not_followed_are_drawn_as_if_each_frame_were_the_only_one():
    overlay = Overlay()
    for faces in trembling(scattered(6, 90, 3), 20):
        unknown = [replace(face, id=None) for face in faces]
        np.testing.assert_array_equal(overlay(make_frame(), unknown), draw_faces(make_frame(), unknown))


def followed(number, *box):
    return replace(make_face(box), id=number)


def test_a_label_leaves_a_place_that_another_face_takes_and_stays_where_it_went():
    arranger, face = Arranger(), followed(1, 300, 200, 100, 120)
    above = followed(2, 290, 60, 120, 125)

    def spot(*faces):
        return arranger.lay_out(make_frame(), faces).chips[0].spot

    assert spot(face) == 0
    assert spot(face, above) == 1
    assert [spot(face) for _ in range(60)] == [1] * 60
    assert Arranger().lay_out(make_frame(), [face]).chips[0].spot == 0


def test_labels_become_smaller_at_once_and_larger_after_25_frames_with_room():
    arranger, alone, crowd = Arranger(), grid(1, 1, 50, 60), grid(5, 10, 50, 60)
    heights = [
        arranger.lay_out(make_frame(), faces).chips[0].place[3]
        for faces in [alone, alone, crowd, crowd, *[alone] * 40]
    ]
    assert heights[:4] == [25, 25, 15, 15]
    larger = heights.index(25, 4) - 4  # frames with room before it
    assert 25 <= larger <= 30
    assert heights[4:] == [15] * larger + [25] * (40 - larger)


def test_room_that_does_not_last_changes_no_label():
    arranger, crowd = Arranger(), grid(5, 10, 50, 60)
    heights = set()
    for number in range(120):
        faces = crowd if number % 20 == 0 else crowd[:1]
        heights.add(arranger.lay_out(make_frame(), faces).chips[0].place[3])
    assert heights == {15}


def test_a_label_inside_its_box_goes_out_after_25_frames_with_room():
    arranger, face = Arranger(), followed(1, 200, 150, 240, 200)
    around = [
        followed(2, 0, 0, 640, 148),
        followed(3, 0, 352, 640, 128),
        followed(4, 0, 148, 198, 204),
        followed(5, 442, 148, 198, 204),
    ]
    spots = [
        arranger.lay_out(make_frame(), faces).chips[0].spot
        for faces in [[face, *around], [face, *around], *[[face]] * 40]
    ]
    assert spots[:2] == [6, 6]
    out = spots.index(0) - 2
    assert 25 <= out <= 30
    assert spots[2:] == [6] * out + [0] * (40 - out)


def test_a_panel_goes_at_once_and_comes_back_after_25_frames_with_room():
    arranger, face = Arranger(), followed(1, 260, 180, 120, 140)
    beside = [followed(2, 400, 180, 120, 140), followed(3, 120, 180, 120, 140)]
    shown = [
        any(other.id == 1 for other, _, _ in arranger.lay_out(make_frame(), faces).panels)
        for faces in [[face], [face, *beside], *[[face]] * 40]
    ]
    back = shown.index(True, 1) - 2
    assert 25 <= back <= 30
    assert shown == [True, *[False] * (back + 1), *[True] * (40 - back)]


def test_a_panel_stays_on_its_side_when_the_other_becomes_free():
    arranger, face, beside = Arranger(), followed(1, 260, 180, 120, 140), followed(2, 400, 180, 120, 140)
    lefts = [
        arranger.lay_out(make_frame(), faces).panels[0][1][0] for faces in [[face, beside], *[[face]] * 60]
    ]
    assert lefts == [lefts[0]] * 61
    assert lefts[0] < 260


def test_the_status_stays_in_its_corner_while_that_is_free():
    arranger, face = Arranger(), followed(1, 0, 0, 100, 100)
    corners = [
        arranger.lay_out(make_frame(), faces, f"{30 + number % 3} frames/s").status
        for number, faces in enumerate([[], [face], *[[]] * 60])
    ]
    assert corners[0][:2] == (6, 6)
    assert {corner[0] > 320 for corner in corners[1:]} == {True}
    assert {corner[1] for corner in corners} == {6}


def test_a_face_that_was_gone_for_a_frame_is_forgotten():
    arranger, face, above = Arranger(), followed(1, 300, 200, 100, 120), followed(2, 290, 60, 120, 125)
    for faces in ([face, above], [above], [face]):
        layout = arranger.lay_out(make_frame(), faces)
    assert layout.chips[0].spot == 0
    assert (set(arranger._spots), set(arranger._panels)) == ({1}, {1})


def test_frames_of_another_size_begin_anew():
    arranger, face, above = Arranger(), followed(1, 300, 200, 100, 120), followed(2, 290, 60, 120, 125)
    arranger.lay_out(make_frame(), [face, above])
    assert arranger.lay_out(make_frame(), [face]).chips[0].spot == 1
    assert arranger.lay_out(make_frame(960, 1280), [face]).chips[0].spot == 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 12), st.integers(20, 120), st.integers(1, 12))
def test_in_no_frame_of_a_stream_is_a_face_or_a_text_covered(seed, count, side, step):
    random, arranger = np.random.default_rng(seed), Arranger()
    boxes = random.integers(-20, 300, (count, 4))
    boxes[:, 2:] = side + random.integers(0, 20, (count, 2))
    for _ in range(12):
        boxes += random.integers(-step, step + 1, (count, 4))
        boxes[:, 2:] = np.maximum(boxes[:, 2:], 1)
        faces = [followed(number, *box) for number, box in enumerate(boxes.tolist()) if random.random() < 0.9]
        layout = arranger.lay_out(make_frame(240, 320), faces, STATUS)
        texts = [(None, layout.status)] if layout.status else []
        texts += [(chip.face.id, chip.place) for chip in layout.chips]
        texts += [(face.id, place) for face, place, _ in layout.panels]
        for number, (owner, (x, y, width, height)) in enumerate(texts):
            assert x >= 0 and y >= 0 and x + width <= 320 and y + height <= 240
            others = [place for _, place in texts[:number]] + [face.box for face in faces if face.id != owner]
            for left, top, other_width, other_height in others:
                apart = x >= left + other_width or left >= x + width
                assert apart or y >= top + other_height or top >= y + height
