"""Folders of images: how they are read, and what is said of bad ones."""

import shutil

import cv2
import numpy as np
import pytest

from dataset.load import load_dataset
from tests.support.dataset_files import (
    error_of,
    numbered_faces,
    write_images,
)


def test_a_folder_of_images_is_read_by_split_label_and_name(tmp_path):
    dataset = load_dataset(write_images(tmp_path))
    assert dataset.faces.shape == (21, 48, 48, 1)
    assert dataset.labels.tolist() == [0, 1, 2, 3, 4, 5, 6] * 3
    assert dataset.splits.tolist() == ["train"] * 7 + ["validation"] * 7 + ["test"] * 7
    assert dataset.faces[:, 0, 0, 0].tolist() == [
        10 * split + label for split in range(3) for label in range(7)
    ]
    assert (dataset.faces[:, 5, 7, 0] == 255).all()
    assert dataset.origin(8) == "validation/disgust/one.png"


@pytest.mark.parametrize(
    "classes",
    [
        ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"),
        ("anger", "disgusted", "fearful", "happiness", "sadness", "surprised", "Neutral"),
        ("Angry", "DISGUST", "scared", "Happy", "Sad", "Surprise", "neutral"),
    ],
)
@pytest.mark.parametrize(
    "splits",
    [("train", "validation", "test"), ("Training", "PublicTest", "PrivateTest"), ("TRAIN", "val", "Test")],
)
def test_the_spellings_in_circulation_give_the_same_dataset(tmp_path, splits, classes):
    expected = load_dataset(write_images(tmp_path / "one"))
    dataset = load_dataset(write_images(tmp_path / "other", splits, classes))
    assert dataset.sha256 == expected.sha256
    assert dataset.labels.tolist() == expected.labels.tolist()
    np.testing.assert_array_equal(dataset.faces, expected.faces)


def test_the_sha256_of_a_folder_changes_with_a_pixel_and_with_a_label(tmp_path):
    digests = {load_dataset(write_images(tmp_path)).sha256}
    image = tmp_path / "test" / "sad" / "one.png"
    image.rename(tmp_path / "test" / "happy" / "two.png")
    cv2.imwrite(str(image), np.full((48, 48), 99, np.uint8))
    digests.add(load_dataset(tmp_path).sha256)
    cv2.imwrite(str(image), np.full((48, 48), 98, np.uint8))
    digests.add(load_dataset(tmp_path).sha256)
    assert len(digests) == 3


def test_colour_becomes_gray_by_bt601_luma(tmp_path):
    image = np.zeros((48, 48, 3), np.uint8)
    image[:16], image[16:32], image[32:] = (255, 0, 0), (0, 255, 0), (0, 0, 255)  # blue, green, red
    cv2.imwrite(str(write_images(tmp_path) / "train" / "angry" / "one.png"), image)
    face = load_dataset(tmp_path).faces[0, :, :, 0]
    assert [face[8, 8], face[24, 24], face[40, 40]] == [29, 150, 76]  # 255 x 0.114, 0.587, 0.299


def test_a_larger_image_is_shrunk_by_area_averaging(tmp_path):
    blocks = np.kron(numbered_faces(1)[0, :, :, 0] // 4 * 4, np.ones((2, 2), np.uint8))
    image = blocks.copy()
    image[::2, ::2] += 2  # one of four pixels: the average is 0.5 higher, which rounds to even
    image[1::2, 1::2] += 2  # two of four: 1 higher
    cv2.imwrite(str(write_images(tmp_path) / "train" / "angry" / "one.png"), image)
    np.testing.assert_array_equal(load_dataset(tmp_path).faces[0, :, :, 0], blocks[::2, ::2] + 1)


def test_an_image_that_is_not_square_is_padded_by_repeating_its_edge(tmp_path):
    image = np.full((48, 24), 100, np.uint8)
    image[:, 0], image[:, -1] = 10, 200
    cv2.imwrite(str(write_images(tmp_path) / "train" / "angry" / "one.png"), image)
    face = load_dataset(tmp_path).faces[0, :, :, 0]
    assert face[3].tolist() == [10] * 13 + [100] * 22 + [200] * 13


def test_a_jpeg_is_read(tmp_path):
    folder = write_images(tmp_path) / "train" / "angry"
    (folder / "one.png").unlink()
    cv2.imwrite(str(folder / "one.JPG"), np.full((48, 48), 77, np.uint8))
    dataset = load_dataset(tmp_path)
    assert (dataset.faces[0] == 77).all()
    assert dataset.origin(0) == "train/angry/one.JPG"


def test_an_empty_class_folder_is_named(tmp_path):
    (write_images(tmp_path) / "train" / "sad" / "one.png").unlink()
    (tmp_path / "train" / "sad" / ".DS_Store").touch()
    assert error_of(tmp_path) == (
        f"{tmp_path / 'train' / 'sad'}: expected .png, .jpg or .jpeg images, got an empty folder."
    )


def test_a_missing_class_folder_is_named(tmp_path):
    shutil.rmtree(write_images(tmp_path) / "validation" / "neutral")
    assert f"{tmp_path / 'validation'}: expected folders angry," in error_of(tmp_path)
    assert error_of(tmp_path).endswith("got none for neutral.")


def test_a_class_folder_of_one_split_alone_is_missed_in_the_others(tmp_path):
    (write_images(tmp_path) / "test" / "contempt").mkdir()
    assert error_of(tmp_path) == (
        f"{tmp_path / 'train'}: expected folders angry, contempt, disgust, fear, happy, neutral, sad, "
        "surprise, got none for contempt."
    )


def test_an_unknown_split_folder_is_named(tmp_path):
    (write_images(tmp_path) / "extra").mkdir()
    assert "expected a folder named train, validation, test, got 'extra'." in error_of(tmp_path)


def test_two_folders_of_one_class_are_named(tmp_path):
    (write_images(tmp_path) / "train" / "anger").mkdir()
    assert "angry: expected one folder for angry, got 'anger' too." in error_of(tmp_path)


@pytest.mark.parametrize("name", ["notes.txt", "one.gif", "more.png/"])
def test_anything_but_an_image_in_a_class_folder_is_named(tmp_path, name):
    stray = write_images(tmp_path) / "train" / "fear" / name
    stray.mkdir() if name.endswith("/") else stray.touch()
    assert error_of(tmp_path).startswith(f"{stray}: expected a .png, .jpg or .jpeg image.")


def test_an_image_outside_of_the_class_folders_is_named(tmp_path):
    stray = write_images(tmp_path) / "train" / "one.png"
    stray.touch()
    assert error_of(tmp_path).startswith(f"{stray}: expected images in the folder of a class only.")


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_a_cut_image_is_called_unreadable(tmp_path, suffix, share):
    image = write_images(tmp_path) / "train" / "happy" / f"cut{suffix}"
    content = cv2.imencode(suffix, numbered_faces(1)[0])[1].tobytes()
    image.write_bytes(content[: int(share * len(content))])
    assert error_of(tmp_path).startswith(f"{image}: expected a PNG or JPEG image, got ")


def test_text_under_the_name_of_an_image_is_called_unreadable(tmp_path):
    image = write_images(tmp_path) / "train" / "happy" / "one.png"
    image.write_text("<html>404</html>")
    assert error_of(tmp_path) == (
        f"{image}: expected a PNG or JPEG image, got 16 bytes that can't be decoded. "
        "Copy the image again, or remove it."
    )
