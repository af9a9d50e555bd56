"""The demo as a machine without YuNet's file runs it."""

import json

import cv2
import pytest

from demo.__main__ import main

needs_haar = pytest.mark.skipif(not hasattr(cv2, "CascadeClassifier"), reason="OpenCV 5 has no Haar cascade")


@needs_haar
def test_without_yunet_the_demo_shows_the_one_face_of_its_portrait_and_says_so_once(
    tmp_path, monkeypatch, capfd
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("FERKIT_YUNET", raising=False)
    assert main(["--out", str(tmp_path / "out"), "--offline"]) == 0
    assert capfd.readouterr().err.count("Haar cascade looks for faces") == 1
    lines = (tmp_path / "out" / "astronaut.jsonl").read_text().splitlines()
    faces = [json.loads(line) for line in lines]
    assert [(face["frame"], face["id"], face["label"]) for face in faces] == [
        (frame, 1, "happy") for frame in range(100)
    ]
    for name in ("astronaut.png", "astronaut.mp4", "walk.mp4"):
        assert (tmp_path / "out" / name).stat().st_size > 10_000
