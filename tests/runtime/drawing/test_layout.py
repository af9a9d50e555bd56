"""The places in a stream of frames: nothing flickers, and nothing covers a face or a text."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.drawing.layout import Arranger
from runtime.drawing.overlay import Overlay, draw_faces
from tests.support.drawings import LABELS, STATUS, grid, make_face, make_frame


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


def test_the_first_frame_of_a_stream_looks_like_a_single_one():
    faces = grid(3, 4, 110, 130)
    np.testing.assert_array_equal(
        Overlay()(make_frame(), faces, STATUS), draw_faces(make_frame(), faces, STATUS)
    )


def test_faces_without_ids_are_drawn_without_memory():
    overlay = Overlay()
    for faces in trembling(scattered(6, 90, 3), 20):
        unknown = [replace(face, id=None) for face in faces]
        np.testing.assert_array_equal(overlay(make_frame(), unknown), draw_faces(make_frame(), unknown))


def followed(number, *box):
    return replace(make_face(box), id=number)


def test_a_label_leaves_a_place_that_another_face_takes_for_good():
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


def test_a_frame_of_another_size_starts_without_memory():
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
