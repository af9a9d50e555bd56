"""What the detector's training draws from, and what it leaves out."""

import cv2
import numpy as np
import pytest

from dataset.detection.images import DataError
from dataset.detection.photos import load_photos
from dataset.detection.teacher import Found
from train.detector.data import Sources, load_heads, load_pool, load_textures


def found(*boxes, confidences):
    boxes = np.float32(boxes).reshape(-1, 4)
    return Found(boxes, np.tile(boxes[:, :2], 2), np.float32(confidences))


def teacher(image):
    """A teacher that finds a face in the upper left quarter of every image."""
    height, width = image.shape
    return found([0, 0, width / 2, height / 2], confidences=[0.95])


def blind(image):
    return found(confidences=[])


def write_images(folder, count, gray=100):
    folder.mkdir(parents=True)
    for number in range(count):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((80, 100), gray, np.uint8))


def test_a_pool_needs_photos_and_backgrounds(tmp_path):
    write_images(tmp_path / "photos", 3)
    write_images(tmp_path / "backgrounds", 3)
    with pytest.raises(DataError, match=r"expected annotations .* or a teacher, got neither; give --teacher"):
        load_photos(tmp_path / "photos", None, split="train")
    with pytest.raises(DataError, match="expected backgrounds to train on, got none"):
        load_pool(Sources(data=[tmp_path / "photos"]), teacher)
    with pytest.raises(DataError, match="expected a teacher for heads"):
        load_heads(tmp_path / "photos", None)
    pool = load_pool(Sources([tmp_path / "photos"], [tmp_path / "backgrounds"]), teacher)
    assert len(pool.photos) == len(pool.backgrounds) == 3


def test_faces_and_heads_are_for_training_only(tmp_path):
    write_images(tmp_path / "photos", 12)
    write_images(tmp_path / "backgrounds", 12)
    write_images(tmp_path / "faces" / "train", 2)
    write_images(tmp_path / "faces" / "val", 5)
    sources = Sources(
        [tmp_path / "photos"], [tmp_path / "backgrounds"], [tmp_path / "faces"], [tmp_path / "photos"]
    )
    pool = load_pool(sources, teacher)
    assert (len(pool.photos), len(pool.faces), len(pool.heads)) == (10, 2, 12)
    assert load_pool(sources, teacher, split="validation").faces == []


def test_textures_with_a_face_and_damaged_ones_are_left_out(tmp_path):
    write_images(tmp_path / "textures", 2)
    (tmp_path / "textures" / "bad.png").write_bytes(b"no image")
    assert len(load_textures(tmp_path / "textures", blind)) == 2
    assert load_textures(tmp_path / "textures", teacher) == []
