"""The demo: what it writes, also without YuNet's file."""

import json

import cv2
import pytest

from demo.__main__ import main
from tests.support.command import (
    RUN,
    frames_of,
)


def test_without_yunet_the_demo_finds_the_face_and_says_nothing(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("FERKIT_YUNET", raising=False)
    assert main(["--out", str(tmp_path / "out")]) == 0
    assert "etector" not in capfd.readouterr().err
    lines = (tmp_path / "out" / "astronaut.jsonl").read_text().splitlines()
    faces = [json.loads(line) for line in lines]
    assert [(face["frame"], face["id"], face["label"]) for face in faces] == [
        (frame, 1, "happy") for frame in range(100)
    ]
    for name in ("astronaut.png", "astronaut.mp4", "walk.mp4"):
        assert (tmp_path / "out" / name).stat().st_size > 10_000


def test_the_demo_animates_the_labelled_video(tmp_path, capsys):
    image = pytest.importorskip("PIL.Image")
    wanted = tmp_path / "labelled.webp"
    assert main(["--out", str(tmp_path), "--seconds", "0.4", "--animation", str(wanted), *RUN]) == 0
    with image.open(wanted) as animation:
        assert (animation.format, animation.n_frames, animation.size) == ("WEBP", 5, (480, 360))
    assert not list(tmp_path.glob(".part-*"))
    missing = tmp_path / "no folder" / "labelled.webp"
    assert main(["--out", str(tmp_path), "--seconds", "0.2", "--animation", str(missing), *RUN]) == 6
    assert f"{missing}: expected a file that can be written" in capsys.readouterr().err


def test_the_demo_leaves_image_video_and_lines_and_ends_with_a_table(tmp_path, capsys):
    assert main(["--out", str(tmp_path), "--seconds", "0.2", *RUN]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "astronaut.jsonl", "astronaut.mp4", "astronaut.png", "walk.mp4"
    ]  # fmt: skip
    assert cv2.imread(str(tmp_path / "astronaut.png")).shape == (512, 512, 3)
    assert len(frames_of(tmp_path / "astronaut.mp4")[0]) == 5
    records = [json.loads(line) for line in (tmp_path / "astronaut.jsonl").read_text().splitlines()]
    assert [record["frame"] for record in records] == [0, 1, 2, 3, 4]
    out = capsys.readouterr().out
    assert "5 faces, in 5 of 5 frames" in out
    assert f"labels in the video: {records[0]['label']} " in out
