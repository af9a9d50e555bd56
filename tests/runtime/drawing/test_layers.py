"""Layers, boxes and panels that are kept look like what is drawn plainly."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.drawing.box import Outline, draw_box, lay_box, stroke_box
from runtime.drawing.colours import COLOURS
from runtime.drawing.layers import INK, WHITE, blend, rounded_mask, text_mask
from runtime.drawing.overlay import draw_faces
from runtime.drawing.panel import bars_of, pane
from runtime.drawing.places import panel_size
from runtime.recognizer import Face
from tests.support.drawings import GROUND, LABELS, STATUS, grid, make_face, make_frame, noise


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
    x, y, bar_width, bar_px = bars_of(LABELS, panel_px)
    for number in range(len(LABELS)):
        bar = rounded_mask(bar_width, bar_px, bar_px // 2)
        blend_plainly(expected, bar, WHITE, x, y + number * round(1.9 * panel_px), 0.2)
    through, shade = pane(LABELS, panel_px)
    np.testing.assert_allclose(image * (through / 255) + shade, expected, atol=2)


@pytest.mark.parametrize(
    "box", [(-40, 30, 90, 80), (150, 30, 90, 80), (60, -50, 90, 80), (60, 110, 90, 80), (-30, -20, 190, 170)]
)
def test_a_box_that_leaves_the_frame_is_drawn_as_far_as_it_goes(box):
    larger, image = make_frame(400, 500), make_frame(150, 200)
    draw_box(larger, (box[0] + 100, box[1] + 100, *box[2:]), COLOURS["sad"], 12)
    draw_box(image, box, COLOURS["sad"], 12)
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
    for draw, image in zip((lay_box, stroke_box), images, strict=True):
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
    for array in (text_mask("happy", 12), rounded_mask(30, 20, 6), *pane(LABELS, 10)):
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
