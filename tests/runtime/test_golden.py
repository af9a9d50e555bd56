"""The golden vectors: what other languages are tested against is what this runtime computes."""

import hashlib
import itertools
import zlib

import numpy as np
import pytest

from runtime import smoothing as smoothing_module
from runtime.crop import FACE_SIDE, crop_face, square_of
from runtime.engines import ENGINES_OF_SUFFIX, is_installed
from runtime.model import load_model
from runtime.smoothing import Expression
from tests.data import make_golden
from tests.support.golden import FRAMES, GOLDEN, face_of

CROPS = pytest.mark.parametrize("crop", GOLDEN["crops"], ids=lambda crop: crop["name"])
MODELS = pytest.mark.parametrize("model", GOLDEN["models"], ids=lambda model: model["file"])


def rule_of(crop):
    return {name: crop[name] for name in ("scale", "shift_x", "shift_y")}


@CROPS
def test_the_runtime_gives_the_square_and_the_face_exactly(crop):
    assert list(square_of(crop["box"], **rule_of(crop))) == crop["square"]
    face = crop_face(FRAMES[crop["frame"]], crop["box"], **rule_of(crop))
    np.testing.assert_array_equal(face, face_of(crop))


def test_the_runtime_gives_the_face_exactly_at_every_size_of_the_square():
    sweep = GOLDEN["sweep"]
    sides = range(1, len(sweep["crc32"]) + 1)
    faces = [crop_face(FRAMES[sweep["frame"]], (sweep["left"], sweep["top"], side, side)) for side in sides]
    differing = [
        side for side, face, crc in zip(sides, faces, sweep["crc32"], strict=True) if zlib.crc32(face) != crc
    ]
    assert differing == []
    assert len(faces) == 256


def test_the_crops_cover_what_goes_wrong_elsewhere():
    found = set()
    for crop in GOLDEN["crops"]:
        left, top, side = crop["square"]
        height, width = FRAMES[crop["frame"]].shape[:2]
        right, bottom = left + side, top + side
        cases = {
            "over the left edge": left < 0 < right,
            "over the upper edge": top < 0 < bottom,
            "over the right edge": left < width < right,
            "over the lower edge": top < height < bottom,
            "wholly outside": right <= 0 or left >= width,
            "inside": left >= 0 and top >= 0 and right <= width and bottom <= height,
            "enlarged": side < FACE_SIDE,
            "as it is": side == FACE_SIDE,
            "shrunk by a whole number": side > FACE_SIDE and side % FACE_SIDE == 0,
            "shrunk from an odd size": side > FACE_SIDE and side % 2 == 1,
            "one pixel": side == 1,
        }
        found |= {case for case, holds in cases.items() if holds}
    assert found == set(cases)


def test_the_frames_and_faces_are_those_that_the_script_makes():
    frames = make_golden.make_frames()
    assert {name: frame.shape for name, (_, frame) in frames.items()} == {
        name: frame.shape for name, frame in FRAMES.items()
    }
    for name, (_, frame) in frames.items():
        np.testing.assert_array_equal(frame, FRAMES[name])
    assert make_golden.make_crops(frames) == GOLDEN["crops"]
    assert make_golden.make_sweep(frames[GOLDEN["sweep"]["frame"]][1]) == GOLDEN["sweep"]["crc32"]


def smoothed_with(**settings):
    """The smoothed scores and the label at each frame of the golden face, with settings beside its own."""
    smoothing = GOLDEN["smoothing"]
    names = ("time_constant_s", "margin", "threshold", "change")
    expression = Expression(
        tuple(smoothing["labels"]), **{name: smoothing[name] for name in names} | settings
    )
    return [
        expression.update(np.array(frame["scores"], np.float32), frame["time_s"])
        for frame in smoothing["frames"]
    ]


def test_the_runtime_gives_the_smoothed_scores_and_labels():
    smoothing = GOLDEN["smoothing"]
    for frame, (smoothed, label) in zip(smoothing["frames"], smoothed_with(), strict=True):
        np.testing.assert_allclose(smoothed, np.array(frame["smoothed"], np.float32), rtol=0, atol=1e-7)
        assert label == frame["label"]
    assert make_golden.make_smoothing() == smoothing


@pytest.mark.parametrize(
    "setting",
    [{"change": 1}, {"change": 0.2}, {"margin": 0}, {"threshold": 0}, {"time_constant_s": 0.5}],
    ids=str,
)
def test_every_setting_decides_some_label_of_the_golden_face(setting):
    assert [label for _, label in smoothed_with(**setting)] != [label for _, label in smoothed_with()]


def test_the_golden_face_would_change_more_often_if_nothing_were_held(monkeypatch):
    held = [label for _, label in smoothed_with()]
    monkeypatch.setattr(smoothing_module, "HOLD_S", 0.0)
    restless = [label for _, label in smoothed_with()]
    assert sum(a != b for a, b in itertools.pairwise(held)) == 5
    assert sum(a != b for a, b in itertools.pairwise(restless)) > 5


def test_the_golden_face_becomes_uncertain_and_clear_again_at_irregular_times():
    frames = GOLDEN["smoothing"]["frames"]
    labels = [frame["label"] for frame in frames]
    changes = [pair for pair in itertools.pairwise(labels) if len(set(pair)) == 2]
    assert changes == [
        ("happy", "neutral"),
        ("neutral", "uncertain"),
        ("uncertain", "sad"),
        ("sad", "surprise"),
        ("surprise", "uncertain"),
    ]
    steps_s = np.diff([frame["time_s"] for frame in frames])
    assert steps_s.min() < 0 and 0 in steps_s and steps_s.max() > 0.7


def test_the_text_is_laid_out_as_the_script_writes_it():
    assert make_golden.json_of(GOLDEN) == make_golden.PATH.read_text(encoding="utf-8")


def test_verify_scores_eight_of_the_crops():
    names = {crop["name"] for crop in GOLDEN["crops"] if crop["verify"]}
    assert names == set(make_golden.VERIFIED)
    assert len(names) == 8


def test_every_released_file_has_its_scores():
    files = {
        path.relative_to(make_golden.ROOT).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in make_golden.model_paths()
    }
    assert {model["file"]: model["sha256"] for model in GOLDEN["models"]} == files, (
        "after a release: python -m tests.data.make_golden"
    )


@MODELS
def test_a_model_gives_its_scores_within_the_gap_that_its_card_states(model):
    path = make_golden.ROOT / model["file"]
    if not any(is_installed(engine) for engine in ENGINES_OF_SUFFIX[path.suffix] if engine != "opencv"):
        pytest.skip(f"needs an engine for {path.suffix} files")
    opened = load_model(path)
    golden = np.array(model["scores"], np.float32)
    faces = np.stack([face_of(crop) for crop in GOLDEN["crops"]])[..., np.newaxis]
    scores = np.concatenate([opened(face[np.newaxis]) for face in faces])
    assert golden.shape == (len(GOLDEN["crops"]), len(opened.labels))
    np.testing.assert_allclose(golden.sum(axis=1), 1, atol=0.02)  # int8 output comes in steps of 1/256
    limit = opened.card["parity"]["largest_gap"]
    assert np.abs(scores - golden).max() <= limit
    second, first = np.sort(golden, axis=1)[:, -2:].T
    clear = first - second > 2 * limit
    assert clear.sum() >= 8
    np.testing.assert_array_equal(scores.argmax(axis=1)[clear], golden.argmax(axis=1)[clear])
