"""The comparison of settings: its counts on known boxes."""

import numpy as np
import pytest

from benchmarks.accuracy.detector_settings import (
    CropFigures,
    Frames,
    crop_table,
    make_frames,
    measure,
    measure_crop,
    read_detector_settings,
    render,
    variants_table,
)
from benchmarks.artifacts import ROOT
from benchmarks.scenes import read_portrait

FRAME = np.zeros((480, 640, 3), np.uint8)
SQUARE = np.array([100, 100, 80, 80], np.float32)


def detector_of(*boxes):
    """A detector that finds the same boxes (x, y, width, height, confidence) in every frame."""
    return lambda frame: np.array(boxes, np.float32).reshape(-1, 5)


def frames_of(*kinds):
    return Frames([FRAME] * len(kinds), [SQUARE] * len(kinds), list(kinds))


def test_a_box_over_the_square_is_found_and_every_other_is_false():
    detector = detector_of((100, 100, 80, 80, 0.9), (300, 300, 80, 80, 0.8))
    figures = measure(detector, frames_of("room", "portrait"), [FRAME], name="two boxes")
    assert (figures.found, figures.found_room, figures.found_portrait) == (1, 1, 1)
    assert figures.found_below_100_px == 1
    assert (figures.false_boxes_per_frame, figures.false_boxes_per_empty_frame) == (1, 2)
    assert 0 <= figures.median_ms <= figures.p95_ms
    nothing = measure(detector_of(), frames_of("room", "portrait"), [FRAME], name="no box")
    assert (nothing.found, nothing.false_boxes_per_frame) == (0, 0)
    assert variants_table([nothing]).splitlines()[2].startswith("| no box | 0.0 % | 0.0 % | 0.0 % | 0.0 % |")


def test_the_crop_rule_leads_from_the_box_to_the_square():
    detector = detector_of((108, 92, 64, 64, 0.9))  # the square's centre is 16 px below the box's
    room, portrait, both = measure_crop(detector, frames_of("room", "portrait"), name="above")
    assert room == CropFigures("above", "room", 1, [1.25] * 3, [0.0] * 3, [0.2] * 3)
    assert (portrait.faces, both.faces) == (1, 2)
    assert crop_table([both]).splitlines()[2] == (
        "| above | both | 2 | +1.25 (+1.25 to +1.25) | +0.00 (+0.00 to +0.00) | +0.20 (+0.20 to +0.20) |"
    )


def test_faces_stand_alternately_in_rooms_and_in_the_portrait():
    faces = np.random.default_rng(0).integers(0, 256, (4, 48, 48, 1), dtype=np.uint8)
    frames = make_frames(faces, read_portrait(), count=4, seed=1)
    assert frames.kinds == ["room", "portrait"] * 2
    assert {image.shape for image in frames.images} == {(480, 640, 3)}
    assert all(60 <= box[2] <= 300 for box in frames.boxes)


@pytest.mark.published
def test_the_committed_page_shows_the_committed_figures():
    page = (ROOT / "reports" / "detector_settings.md").read_text(encoding="utf-8")
    assert render(read_detector_settings(ROOT / "results" / "detector_settings.json")) == page
