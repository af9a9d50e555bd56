"""The command on a video: faces keep their ids, and the flags of steady labels do what they say."""

import json
from pathlib import Path

import cv2
import pytest

from benchmarks.scenes import empty_scene, people_scene
from runtime.command.cli import main
from runtime.command.video_file import VideoFile

ROOT = Path(__file__).parents[3]
IMAGE = ROOT / "demo" / "astronaut.jpg"
RUN = ["--model", str(ROOT / "tests" / "data" / "tiny_fp32.onnx"), "--engine", "opencv", "--detector", "haar"]

pytestmark = pytest.mark.skipif(not hasattr(cv2, "CascadeClassifier"), reason="OpenCV 5 has no Haar cascade")


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Nine frames of a head that moves to the right, at 30 a second."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    portrait, room = cv2.imread(str(IMAGE)), empty_scene(width=320, height=240, seed=1)
    with VideoFile(path, frame_rate=30) as video:
        for number in range(9):
            video.write(people_scene(portrait, [(60 + 8 * number, 60, 90)], room=room), number / 30)
    return path


@pytest.fixture
def lines_of(tmp_path, clip):
    def run(*flags, source=clip):
        path = tmp_path / "faces.jsonl"
        assert main(["run", str(source), "--json", str(path), *RUN, *flags]) == 0
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    return run


def test_a_face_of_a_video_keeps_its_id_and_is_smoothed(lines_of):
    lines = lines_of("--detect-every", "4")
    assert [(line["frame"], line["id"], line["smoothed"]) for line in lines] == [
        (number, 1, True) for number in range(9)
    ]
    lefts = [line["box"][0] for line in lines]
    assert lefts[-1] - lefts[0] == pytest.approx(64, abs=12)


def test_smoothing_can_be_switched_off(lines_of):
    smoothed, plain = lines_of("--detect-every", "4"), lines_of("--detect-every", "4", "--no-smoothing")
    assert {line["smoothed"] for line in plain} == {False}
    assert smoothed[0]["scores"] == plain[0]["scores"]
    assert smoothed[-1]["scores"] != plain[-1]["scores"]
    assert all(line["label"] == max(line["scores"], key=line["scores"].get) for line in plain)


def test_a_time_constant_of_0_gives_the_scores_as_they_come(lines_of):
    raw = lines_of("--detect-every", "4", "--no-smoothing")
    instant = lines_of("--detect-every", "4", "--time-constant", "0")
    assert [line["scores"] for line in raw] == [line["scores"] for line in instant]


def test_below_the_threshold_a_label_is_uncertain(lines_of):
    assert {line["label"] for line in lines_of("--threshold", "1")} == {"uncertain"}
    assert "uncertain" not in {line["label"] for line in lines_of("--threshold", "0")}


def test_a_image_is_labelled_for_itself(lines_of):
    (line,) = lines_of("--threshold", "1", source=IMAGE)
    assert (line["id"], line["smoothed"]) == (None, False)
    assert line["label"] != "uncertain"


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (["--threshold", "1.5"], "expected a probability from 0 to 1, got '1.5'"),
        (["--time-constant", "-1"], "expected seconds, 0 or more, got '-1'"),
        (["--detect-every", "0"], "expected a whole number of 1 or more, got '0'"),
    ],
)
def test_a_flag_out_of_its_range_is_wrong_usage(clip, flags, line, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["run", str(clip), *flags])
    assert ended.value.code == 2
    assert line in capsys.readouterr().err
