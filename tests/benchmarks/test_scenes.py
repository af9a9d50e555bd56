"""The frames that stand in for photographs: the face is where they say it is."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.scenes import empty_scene, portrait_scene, scene

PORTRAIT = Path(__file__).parents[2] / "demo" / "astronaut.jpg"
STRIPES = np.tile(np.repeat(np.array([40, 215], np.uint8), 6), (48, 4))  # dark and bright, 6 pixels each


@pytest.fixture(scope="module")
def portrait() -> np.ndarray:
    if not PORTRAIT.is_file():
        pytest.skip("demo/astronaut.jpg is not here")
    return cv2.imread(str(PORTRAIT))


@pytest.fixture(params=["room", "portrait"])
def make(request):
    if request.param == "room":
        return scene
    portrait = request.getfixturevalue("portrait")
    return lambda face, **keywords: portrait_scene(face, portrait, **keywords)


def cut(frame: np.ndarray, box: np.ndarray) -> np.ndarray:
    x, y, width, height = box.astype(int)
    gray = cv2.cvtColor(frame[y : y + height, x : x + width], cv2.COLOR_BGR2GRAY)
    return cv2.resize(gray, (48, 48), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("face_px", [60, 150, 480])
def test_the_box_holds_the_face(make, face_px):
    frame, box = make(STRIPES, face_px=face_px, seed=3)
    assert (frame.shape, frame.dtype) == ((480, 640, 3), np.uint8)
    assert box.dtype == np.float32
    assert box[2:].tolist() == [face_px, face_px]
    assert box[0] >= 0 and box[1] >= 0 and box[0] + face_px <= 640 and box[1] + face_px <= 480
    middle = (slice(12, 36), slice(12, 36))
    shown = cut(frame, box)[middle].astype(float)
    assert np.corrcoef(shown.ravel(), STRIPES[middle].ravel())[0, 1] > 0.95


def test_the_same_seed_gives_the_same_frame_and_another_seed_another(make):
    frame, box = make(STRIPES, face_px=100, seed=1)
    again, same_box = make(STRIPES[..., None], face_px=100, seed=1)
    other, other_box = make(STRIPES, face_px=100, seed=2)
    assert np.array_equal(frame, again)
    assert np.array_equal(box, same_box)
    assert not np.array_equal(frame, other)
    assert not np.array_equal(box, other_box)


def test_the_frame_has_the_size_asked_for(make):
    frame, _ = make(STRIPES, face_px=90, width=320, height=200, seed=0)
    assert frame.shape == (200, 320, 3)


def test_the_empty_room_has_the_size_asked_for_and_follows_the_seed():
    assert empty_scene(width=320, height=200, seed=0).shape == (200, 320, 3)
    assert np.array_equal(empty_scene(seed=4), empty_scene(seed=4))
    assert not np.array_equal(empty_scene(seed=4), empty_scene(seed=5))
