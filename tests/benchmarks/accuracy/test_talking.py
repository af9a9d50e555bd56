"""Labels of talking faces: the faces that are made, and what is counted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.steady_report import FACE_PX, FRAME_RATE
from benchmarks.accuracy.talking import Sequences, chosen_faces, row_of, with_choice
from benchmarks.accuracy.talking_faces import MOVED, displacements, mouth_of, talking_faces, warp_basis
from benchmarks.accuracy.talking_report import SECONDS, default_of, read_talking, render
from runtime.smoothing import MARGIN, THRESHOLD, TIME_CONSTANT_S

ROOT = Path(__file__).parents[3]
LABELS = ("angry", "happy", "sad")
FRAMES = SECONDS * FRAME_RATE
DEFAULTS = {"time_constant_s": TIME_CONSTANT_S, "margin": MARGIN, "threshold": THRESHOLD}


def scores_of(*faces):
    """The same scores in every frame of each face: float32 (faces, frames, labels)."""
    return np.stack([np.tile(np.array(face, np.float32), (FRAMES, 1)) for face in faces])


def row(*faces, labels, still=None):
    scores = scores_of(*faces)
    return row_of(Sequences(scores, scores if still is None else still, np.array(labels)), LABELS, **DEFAULTS)


def test_a_moved_point_moves_by_its_displacement_and_the_border_keeps_still():
    moved = (warp_basis(100) @ displacements(1, 0.5, 100)).reshape(100, 100, 2)
    for (x, y), expected in zip(MOVED, displacements(1, 0.5, 100), strict=True):
        assert moved[round(100 * y), round(100 * x)] == pytest.approx(expected, abs=0.1)
    assert np.abs(moved[0, [0, 50]]).max() < 0.01
    assert np.abs(moved[40, 30]).max() < 0.01  # an eye


def test_a_mouth_opens_and_shuts_several_times_a_second_and_pauses():
    mouth = mouth_of(20 * FRAME_RATE, np.random.default_rng(1))
    assert mouth.opening.min() >= 0 and 0.6 < mouth.opening.max() <= 1
    assert np.abs(mouth.widening).max() <= 1
    crossings = np.count_nonzero(np.diff(mouth.opening > 0.3)) / 2 / 20
    assert 1 < crossings < 6
    assert (mouth.opening < 0.01).mean() > 0.1


def test_a_talking_face_moves_at_the_mouth_most():
    face = np.random.default_rng(0).integers(0, 256, (6, 6)).astype(np.uint8).repeat(8, 0).repeat(8, 1)
    frames = np.stack(list(talking_faces(face, 60, np.random.default_rng(2)))).astype(float)
    assert frames.shape == (60, FACE_PX, FACE_PX)
    assert np.abs(np.diff(frames, axis=0)).mean() > 0.5
    again = np.stack(list(talking_faces(face, 60, np.random.default_rng(2))))
    np.testing.assert_array_equal(frames, again)


def test_of_the_chosen_faces_the_model_gets_85_percent_right():
    right = np.arange(1000) % 3 > 0
    rows = chosen_faces(right, count=100, random=np.random.default_rng(0))
    assert len(set(rows.tolist())) == 100
    assert right[rows].mean() == 0.85


def test_shown_and_right_labels_are_counted():
    found = row([0.9, 0.1, 0.0], [0.1, 0.8, 0.1], [0.35, 0.35, 0.3], labels=[0, 0, 2])
    assert found.shown == pytest.approx(2 / 3)
    assert found.right == pytest.approx(1 / 2)
    assert (found.changes, found.steady, found.is_default) == (0, 1, True)
    assert found.delay_s == pytest.approx(1 / FRAME_RATE)


def test_changes_are_counted_for_a_minute_and_restless_still_faces_are_not_steady():
    turns = np.concatenate([scores_of([0.9, 0.1, 0])[:, :150], scores_of([0, 0.1, 0.9])[:, :150]], axis=1)
    restless = np.tile(np.concatenate([turns[:, 100:200]], axis=1), (1, 3, 1))
    found = row_of(Sequences(turns, restless, np.array([0])), LABELS, **DEFAULTS)
    assert found.changes == pytest.approx(60 / SECONDS)
    assert found.steady == 0


def test_the_choice_that_shows_most_is_among_those_that_reach_every_goal():
    one = row([0.9, 0.1, 0.0], labels=[0])
    rows = [replace(one, shown=0.9), replace(one, shown=0.8), replace(one, shown=0.99, steady=0.9)]
    assert [found.is_chosen for found in with_choice(rows)] == [True, False, False]
    assert not any(found.is_chosen for found in with_choice([replace(one, right=0.7)]))


@pytest.mark.published
def test_the_committed_page_shows_the_committed_figures():
    results = read_talking(ROOT / "results" / "talking.json")
    assert render(results) == (ROOT / "reports" / "talking.md").read_text(encoding="utf-8")
    assert default_of(results).is_default
