"""End to end against the model alone: counted right, on the right faces."""

import cv2
import numpy as np
import pytest

from benchmarks.__main__ import main as benchmark
from benchmarks.accuracy.end_to_end import (
    Outcome,
    Part,
    frames_of,
    measure,
    parts_table,
    read_end_to_end,
    render,
    summarize,
)
from benchmarks.artifacts import ROOT
from benchmarks.scenes import PORTRAIT
from export.parity_faces import drawn_face

OUTCOMES = [
    Outcome(found=True, right=True, right_of_square=True, right_of_face=True, kind="room", face_px=60.0),
    Outcome(found=True, right=False, right_of_square=True, right_of_face=True, kind="portrait", face_px=99.0),
    Outcome(found=True, right=True, right_of_square=False, right_of_face=False, kind="room", face_px=100.0),
    Outcome(
        found=False, right=False, right_of_square=True, right_of_face=True, kind="portrait", face_px=169.0
    ),
]


def test_only_found_faces_count_and_a_lost_one_counts_as_not_found():
    assert summarize("yunet", OUTCOMES).parts["all"] == Part(
        faces=4,
        found=0.75,
        direct_accuracy=pytest.approx(2 / 3),
        square_accuracy=pytest.approx(2 / 3),
        accuracy=pytest.approx(2 / 3),
        loss_points=pytest.approx(0),
    )


def test_the_parts_are_those_of_each_kind_of_frame_and_of_each_size():
    summary = summarize("yunet", OUTCOMES)
    faces = {name: (part.faces, part.found) for name, part in summary.parts.items()}
    assert faces == {
        "all": (4, 0.75),
        "room": (2, 1.0),
        "portrait": (2, 0.5),
        "60-99 px": (2, 1.0),
        "100-169 px": (2, 0.5),
        "170-300 px": (0, None),
    }
    assert summary.parts["portrait"].loss_points == pytest.approx(100)
    assert summary.reached
    assert not summarize("yunet", OUTCOMES[:2]).reached  # one of two answers lost


def test_every_face_stands_in_one_frame_at_the_box_that_is_given():
    faces = np.stack([np.full((48, 48, 1), 20 * number, np.uint8) for number in range(6)])
    frames = list(frames_of(faces, cv2.imread(str(PORTRAIT)), seed=3, doing="Drawing"))
    assert sorted(row for row, *_ in frames) == list(range(6))
    assert [kind for *_, kind in frames] == ["room", "portrait"] * 3
    for row, frame, (x, y, side, _), kind in frames:
        assert 60 <= side <= 300
        middle = frame[int(y + side / 2), int(x + side / 2)].mean()
        if kind == "room":
            assert abs(middle - 20 * row) < 25  # skin's colour and noise


def test_a_model_is_measured_through_the_recognizer():
    faces = np.stack([drawn_face(np.random.default_rng(seed)) for seed in range(4)]).reshape(4, 48, 48, 1)
    (row,) = measure("edge", faces, np.zeros(4, int), cv2.imread(str(PORTRAIT)), seed=0, detectors=["haar"])
    assert (row.detector, row.parts["all"].faces) == ("haar", 4)
    assert row.parts["all"].found > 0
    assert "| Haar | all | 4 |" in parts_table([row])


def test_crop_rules_are_not_chosen_on_the_test_split(capsys):
    with pytest.raises(SystemExit, match="2"):
        benchmark(["end_to_end", "--rules", "--split", "test"])
    assert "the test split is for what has been chosen" in capsys.readouterr().err


@pytest.mark.published
def test_the_committed_page_shows_the_committed_figures():
    page = (ROOT / "reports" / "end_to_end.md").read_text(encoding="utf-8")
    assert render(read_end_to_end(ROOT / "results" / "end_to_end.json")) == page
