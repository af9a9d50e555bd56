"""`ferkit crop`: which faces are written, and what is left out and named; the folder is whole or absent."""

import cv2
import numpy as np
import pytest

from runtime.card import read_card
from runtime.command.cli import main
from runtime.crop import crop_face
from runtime.model import DEFAULT_MODEL, released_models
from runtime.recognizer import Recognizer
from tests.support.yunet import ROOT, find_yunet

PORTRAIT = ROOT / "demo" / "astronaut.jpg"
needs_yunet = pytest.mark.skipif(find_yunet() is None, reason="needs YuNet's file: FERKIT_YUNET=FILE")


@pytest.fixture(autouse=True)
def yunet(monkeypatch):
    if find_yunet():
        monkeypatch.setenv("FERKIT_YUNET", str(find_yunet()))


@pytest.fixture
def photos(tmp_path):
    """A class of one face, another of none, two and one; a hidden file; an image that is damaged."""
    portrait = cv2.imread(str(PORTRAIT))
    folder = tmp_path / "photos"
    for name, image in {
        "calm/one.jpg": portrait,
        "calm/none.png": np.full((200, 200, 3), 128, np.uint8),
        "tense/two.png": np.hstack([portrait, portrait]),
        "tense/one.png": portrait[:, ::-1],
        "tense/.hidden.png": portrait,
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), image)
    (folder / "calm" / "cut.png").write_bytes((folder / "tense" / "one.png").read_bytes()[:5000])
    return folder


def crop(*arguments):
    return main(["crop", *map(str, arguments), "--offline"])


@needs_yunet
def test_faces_keep_their_folders_and_what_shows_none_or_several_is_named(photos, tmp_path, capsys):
    faces = tmp_path / "faces"
    assert crop(photos, faces) == 1
    written = sorted(path.relative_to(faces).as_posix() for path in faces.rglob("*.png"))
    assert written == ["calm/one.jpg.png", "tense/one.png.png"]
    said = capsys.readouterr()
    assert said.out == f"{faces}: 2 of 5 images gave a face of 48x48 pixels\n"
    lines = [line.removeprefix("ferkit: ") for line in said.err.splitlines()]
    assert f"{photos / 'calm' / 'none.png'}: no face, left out" in lines
    assert f"{photos / 'tense' / 'two.png'}: 2 faces, left out" in lines
    assert any(line.startswith(f"{photos / 'calm' / 'cut.png'}: expected a whole image") for line in lines)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@needs_yunet
def test_a_face_is_cut_as_the_recognizer_cuts_it(photos, tmp_path):
    assert crop(photos, tmp_path / "faces") == 1
    written = cv2.imread(str(tmp_path / "faces" / "tense" / "one.png.png"), cv2.IMREAD_UNCHANGED)
    frame = cv2.imread(str(photos / "tense" / "one.png"))
    recognize = Recognizer(offline=True)
    (face,) = recognize(frame)
    path = next(path for path, card in released_models() if card["model"] == DEFAULT_MODEL)
    rule = read_card(path)["input"]["crop"][recognize.detector.name]
    np.testing.assert_array_equal(written, crop_face(frame, face.box, **rule))
    scores = recognize.model(written[np.newaxis, :, :, np.newaxis])[0]
    np.testing.assert_array_equal(scores, face.scores)


@needs_yunet
def test_photographs_without_a_face_leave_no_folder(photos, tmp_path, capsys):
    (photos / "calm" / "one.jpg").unlink()
    assert crop(photos / "calm", tmp_path / "faces") == 3
    assert "expected images with one face each, got none." in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["photos"]


def test_a_folder_that_holds_something_is_left_as_it_is(photos, tmp_path, capsys):
    (tmp_path / "faces").mkdir()
    (tmp_path / "faces" / "mine.txt").touch()
    assert crop(photos, tmp_path / "faces") == 6
    assert "faces: expected a new or empty folder." in capsys.readouterr().err
    assert crop(photos, photos / "faces") == 6
    assert f"expected a folder outside {photos}." in capsys.readouterr().err
    assert not (photos / "faces").exists()


def test_a_folder_without_images_is_named(tmp_path, capsys):
    assert crop(tmp_path / "none", tmp_path / "faces") == 3
    assert "none: expected a folder of images, got none." in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert crop(tmp_path / "empty", tmp_path / "faces") == 3
    assert "got none." in capsys.readouterr().err
