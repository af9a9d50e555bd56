"""Folders and archives of images, and which images are held out."""

import hashlib
import zipfile

import cv2
import numpy as np
import pytest

from dataset.detection.images import DataError, ImageStore, store_of_images
from dataset.detection.splits import split_names


def encoded(height=40, width=60, gray=128):
    return cv2.imencode(".png", np.full((height, width), gray, np.uint8))[1].tobytes()


def test_a_folder_and_an_archive_read_alike(tmp_path):
    (tmp_path / "folder" / "sub").mkdir(parents=True)
    (tmp_path / "folder" / "sub" / "a.png").write_bytes(encoded())
    (tmp_path / "folder" / "notes.txt").write_text("words")
    with zipfile.ZipFile(tmp_path / "same.zip", "w") as archive:
        archive.writestr("sub/a.png", encoded())
        archive.writestr("notes.txt", "words")
    for path in (tmp_path / "folder", tmp_path / "same.zip"):
        store = ImageStore(path)
        assert store.files == ["notes.txt", "sub/a.png"]
        assert store.images == ["sub/a.png"]
        assert store.text("notes.txt") == "words"
        image, scale = store.read("sub/a.png")
        assert image.shape == (40, 60) and (image == 128).all() and scale == 1


def test_a_large_image_is_reduced(tmp_path):
    (tmp_path / "a.png").write_bytes(encoded(300, 1280))
    image, scale = ImageStore(tmp_path).read("a.png")
    assert image.shape == (150, 640)
    assert scale == 0.5


@pytest.mark.parametrize("content", [b"", b"no image", encoded()[:60]])
def test_a_damaged_image_is_named(tmp_path, content):
    (tmp_path / "bad.png").write_bytes(content)
    with pytest.raises(DataError, match=r"expected an image in bad.png, got \d+ bytes") as caught:
        ImageStore(tmp_path).read("bad.png")
    assert caught.value.path == tmp_path / "bad.png"


def test_nothing_and_damaged_archives_are_refused(tmp_path):
    with pytest.raises(DataError, match="got nothing there; check the path"):
        ImageStore(tmp_path / "none")
    (tmp_path / "bad.zip").write_bytes(b"PK no archive")
    with pytest.raises(DataError, match=r"bad.zip: expected a folder or a zip archive"):
        ImageStore(tmp_path / "bad.zip")
    with zipfile.ZipFile(tmp_path / "cut.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", encoded())
    whole = (tmp_path / "cut.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[:45] + b"\x00" * 8 + whole[53:])
    with pytest.raises(DataError, match=r"expected the file a.png"):
        ImageStore(tmp_path / "cut.zip").read("a.png")


def test_the_held_out_parts_depend_on_nothing_but_the_names():
    names = [f"folder/{number}.jpg" for number in range(50)]
    parts = split_names(names, held_out=10)
    assert {name: len(part) for name, part in parts.items()} == {"train": 30, "validation": 10, "test": 10}
    assert sorted(name for part in parts.values() for name in part) == sorted(names)
    moved = split_names([name.replace("folder", "elsewhere") for name in reversed(names)], held_out=10)
    assert [name.rpartition("/")[2] for name in moved["test"]] == [
        name.rpartition("/")[2] for name in parts["test"]
    ]
    first = min(names, key=lambda name: hashlib.sha256(name.rpartition("/")[2].encode()).hexdigest())
    assert parts["test"][0] == first


def test_a_source_that_is_too_small_to_hold_out_so_many_is_refused():
    with pytest.raises(ValueError, match="expected more than 4 images, got 4"):
        split_names(["a", "b", "c", "d"], held_out=2)
    assert split_names(["a"], held_out=0)["train"] == ["a"]


def test_a_source_without_an_image_is_said(tmp_path):
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(DataError, match=r"expected images .* got none among 1 files"):
        store_of_images(tmp_path)
