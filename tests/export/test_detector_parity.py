"""How a detector's file is compared with Keras, and which limits it may miss."""

from pathlib import Path

import numpy as np
import pytest

from export import detector_parity as limits
from export.detector_parity import compare, faults
from export.parity_images import parity_images


def answers(*faces):
    """One image's answers: a row per face, x, y, width, height, confidence, and eyes at 0."""
    rows = np.zeros((1, len(faces), 9), np.float32)
    rows[0, :, :5] = faces
    return rows


TWO = answers((10, 10, 40, 40, 0.9), (200, 50, 60, 60, 0.8), (100, 100, 20, 20, 0.1))


def test_the_same_answers_have_no_gap():
    parity = compare(TWO, TWO, 0.5)
    assert (parity.images, parity.faces, parity.largest_gap, parity.largest_box_gap) == (1, 2, 0, 0)
    assert (parity.agreement, parity.mean_overlap, parity.mean_gap) == (1, pytest.approx(1), 0)
    assert faults("fp32", parity) == faults("int8", parity) == []


def test_a_moved_face_is_the_same_face_with_less_overlap():
    moved = TWO.copy()
    moved[0, 0, 0] += 4
    parity = compare(moved, TWO, 0.5)
    assert (parity.agreement, parity.largest_box_gap) == (1, 4)
    assert parity.mean_overlap == pytest.approx((36 / 44 + 1) / 2)
    assert faults("fp32", parity) == ["largest gap of a box to Keras in pixels 4, limit 0.01"]
    assert faults("int8", parity) == ["mean overlap with Keras' boxes 90.9%, limit 92%"]


def test_a_lost_face_and_an_invented_one_count():
    for own, keras in ((TWO[:, :1], TWO[:, :2]), (TWO[:, :2], TWO[:, :1])):
        padded = [np.pad(part, ((0, 0), (0, 2 - part.shape[1]), (0, 0))) for part in (own, keras)]
        parity = compare(*padded, 0.5)
        assert parity.agreement == pytest.approx(2 / 3)
        assert faults("int8", parity) == ["faces that Keras finds, too 66.7%, limit 97%"]


def test_a_face_at_the_threshold_may_be_a_little_less_sure():
    less_sure = TWO.copy()
    less_sure[0, 1, 4] = 0.72
    parity = compare(less_sure, TWO, 0.75)
    assert (parity.agreement, parity.largest_gap) == (1, pytest.approx(0.08, abs=1e-6))
    less_sure[0, 1, 4] = 0.6
    assert compare(less_sure, TWO, 0.75).agreement == pytest.approx(2 / 3)


def test_two_boxes_on_one_face_are_one():
    twice = answers((10, 10, 40, 40, 0.9), (12, 10, 40, 40, 0.8), (100, 100, 20, 20, 0.1))
    assert compare(twice, twice, 0.5).faces == 1


@pytest.mark.parametrize("column", [0, 4])
def test_what_is_no_number_misses_a_limit(column):
    broken = TWO.copy()
    broken[0, 0, column] = np.nan
    assert faults("fp32", compare(broken, TWO, 0.5)) != []


def test_the_images_are_the_same_on_every_machine_and_differ():
    images = parity_images(6, height=64, width=96)
    assert (images.shape, images.dtype) == ((6, 64, 96, 1), np.uint8)
    np.testing.assert_array_equal(images, parity_images(6, height=64, width=96))
    assert len({image.tobytes() for image in images}) == 6


@pytest.mark.published
def test_the_documentation_has_the_limits():
    page = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
    shares = (limits.SMALLEST_OVERLAP, limits.SMALLEST_AGREEMENT)
    overlap, agreement = (f"{100 * share:.0f} %" for share in shares)
    for line in (
        f"| {limits.LARGEST_GAP}, any cell | {limits.LARGEST_MEAN_GAP}, mean of the faces |",
        f"| {limits.LARGEST_BOX_GAP} pixels | mean overlap of at least {overlap} |",
        f"| - | at least {agreement} |",
    ):
        assert line in page
