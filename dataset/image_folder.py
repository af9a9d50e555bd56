"""A folder of images, `[train|validation|test/]<class>/*.png|jpg|jpeg`, as a dataset."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from reporting.progress import progress as with_progress_bar

from .classes import check_classes
from .fer2013 import FACE_SIZE_PX, LABELS, SPLITS, Dataset
from .locate import IMAGE_SUFFIXES, SPLIT_OF_SPELLING, DatasetError, folders_of, images_in, visible

LABEL_OF_SPELLING = {
    "angry": "angry",
    "anger": "angry",
    "disgust": "disgust",
    "disgusted": "disgust",
    "fear": "fear",
    "fearful": "fear",
    "scared": "fear",
    "happy": "happy",
    "happiness": "happy",
    "sad": "sad",
    "sadness": "sad",
    "surprise": "surprise",
    "surprised": "surprise",
    "neutral": "neutral",
}

SHARE_HELD_OUT = 0.1  # of each class, for validation and for the test, where a folder has no splits

Image = tuple[str, str, Path]  # split, label, file


def read_folder(
    path: Path,
    *,
    labels: tuple[str, ...] | None = None,
    all_classes: bool = True,
    progress: bool = False,
) -> Dataset:
    """Reads a folder `train|validation|test/<class>/*.png|jpg|jpeg`, or `<class>/*.png|jpg|jpeg`.

    Without splits each class is dealt out, 8 : 1 : 1, in the order of its images' sha256. The sha256 of the
    dataset is that of a text with one line for each image, '<sha256 of the file>  <split>/<label>/<file
    name>', in the order of the samples: the same whatever the spelling of the folders.

    Args:
        path: The folder. Splits are spelt as in SPLIT_OF_SPELLING, in upper or lower case.
        labels: The names of the classes. None: those of the folders, sorted. Folders that are all spelt as in
            LABEL_OF_SPELLING have FER2013's names and order.
        all_classes: Whether each split must have a folder for each class. If not, folders spelt as FER2013's
            stand for all seven.
        progress: Shows a progress bar.

    Raises:
        DatasetError: A folder is unknown, a class folder is missing, empty or holds anything but images
            (hidden files and Thumbs.db aside), or an image can't be read.
    """
    classes, images = images_by_class(path, labels, all_classes=all_classes)
    rows = with_progress_bar(images, f"Reading {path.name}", unit=" images") if progress else images
    faces = np.empty((len(images), FACE_SIZE_PX, FACE_SIZE_PX, 1), np.uint8)
    digest = hashlib.sha256()
    for row, (split, label, image) in enumerate(rows):
        try:
            content = image.read_bytes()
        except OSError as error:
            raise DatasetError(f"{image}: expected a readable image, got: {error.strerror}.") from error
        digest.update(f"{hashlib.sha256(content).hexdigest()}  {split}/{label}/".encode())
        digest.update(os.fsencode(image.name) + b"\n")
        faces[row, :, :, 0] = decode_face(content, place=str(image))
    return Dataset(
        faces=faces,
        labels=np.array([classes.index(label) for _, label, _ in images], np.int64),
        splits=np.array([split for split, _, _ in images], str),
        origins=tuple(image.relative_to(path).as_posix() for _, _, image in images),
        path=path,
        sha256=digest.hexdigest(),
        classes=classes,
    )


def images_by_class(
    path: Path, labels: tuple[str, ...] | None, *, all_classes: bool
) -> tuple[tuple[str, ...], list[Image]]:
    """Returns the classes and every image, in the order of the samples; arguments as `read_folder`."""
    has_splits = any(folder.name.lower() in SPLIT_OF_SPELLING for folder in folders_of(path))
    splits = named_folders(path, split_of, SPLITS, required=False) if has_splits else [("", path)]
    folders = [folder for _, split in splits for folder in folders_of(split)]
    classes = labels or classes_of(folders, place=str(path), all_classes=all_classes)

    def class_of(name: str) -> str | None:
        spelt = LABEL_OF_SPELLING.get(name.lower())
        return name if name in classes else spelt if spelt in classes else None

    images = [
        (split, label, image)
        for split, split_folder in splits
        for label, label_folder in named_folders(split_folder, class_of, classes, required=all_classes)
        for image in images_of(label_folder)
    ]
    return classes, images if has_splits else dealt_out(images, classes)


def split_of(name: str) -> str | None:
    """Returns the split that a folder's name stands for, if any."""
    return SPLIT_OF_SPELLING.get(name.lower())


def classes_of(folders: Sequence[Path], *, place: str, all_classes: bool) -> tuple[str, ...]:
    """Returns the classes that folders name; arguments as `read_folder`.

    Raises:
        DatasetError: They are not 2 to 100 printable names.
    """
    names = sorted({folder.name for folder in folders})
    spelt = [LABEL_OF_SPELLING.get(name.lower()) for name in names]
    if None in spelt:
        return check_classes(names, place=place)
    found = [label for label in LABELS if label in spelt]
    return check_classes(found, place=place) if all_classes else LABELS


def dealt_out(images: Sequence[Image], classes: Sequence[str]) -> list[Image]:
    """Returns images without splits with one each: of every class 8 : 1 : 1, at least one for each split.

    Raises:
        DatasetError: A class has fewer than three images.
    """
    dealt: list[Image] = []
    for name in classes:
        files = [image for _, label, image in images if label == name]
        if len(files) < len(SPLITS):
            raise DatasetError(
                f"{files[0].parent if files else name}: expected {len(SPLITS)} images or more of a class, "
                f"one for each of {', '.join(SPLITS)}, got {len(files)}. Add some."
            )
        held_out = max(1, round(SHARE_HELD_OUT * len(files)))
        in_order = sorted(files, key=lambda file: (hashlib.sha256(file.read_bytes()).digest(), file.name))
        for place, file in enumerate(in_order):
            split = "test" if place < held_out else "validation" if place < 2 * held_out else "train"
            dealt.append((split, name, file))
    return sorted(dealt, key=lambda image: (SPLITS.index(image[0]), classes.index(image[1]), image[2].name))


def named_folders(
    path: Path, name_of: Callable[[str], str | None], names: Sequence[str], *, required: bool
) -> list[tuple[str, Path]]:
    """Returns the folders in `path` with the name that each stands for, in the order of `names`.

    Raises:
        DatasetError: A folder is unknown, stands twice, or is `required` and missing.
    """
    found: dict[str, Path] = {}
    for folder in folders_of(path):
        name = name_of(folder.name)
        if name is None:
            raise DatasetError(
                f"{folder}: expected a folder named {', '.join(names)}, got {folder.name!r}. "
                "Rename it, or move it elsewhere."
            )
        if name in found:
            other = found[name].name
            raise DatasetError(f"{folder}: expected one folder for {name}, got {other!r} too. Join them.")
        found[name] = folder
    missing = [name for name in names if name not in found]
    if required and missing:
        raise DatasetError(f"{path}: expected folders {', '.join(names)}, got none for {missing[0]}.")
    stray = images_in(path)
    if stray:
        raise DatasetError(f"{stray[0]}: expected images in the folder of a class only. Move it there.")
    return [(name, found[name]) for name in names if name in found]


def images_of(folder: Path) -> list[Path]:
    """Returns the images of a class folder, by name."""
    files = visible(folder)
    for file in files:
        if file.suffix.lower() not in IMAGE_SUFFIXES or not file.is_file():
            raise DatasetError(f"{file}: expected a .png, .jpg or .jpeg image. Convert or move it.")
    if not files:
        raise DatasetError(f"{folder}: expected .png, .jpg or .jpeg images, got an empty folder.")
    return files


def decode_face(content: bytes, *, place: str) -> np.ndarray:
    """Decodes a PNG or JPEG into a face, `uint8 (48, 48)`, gray 0-255.

    Colour becomes gray by BT.601 luma (0.299 R + 0.587 G + 0.114 B), transparency is ignored. An image that
    is not square is padded to one by repeating its edge, as the runtime does where a face leaves the frame.
    Then its size is changed by area averaging.

    Args:
        content: The bytes of the file.
        place: Where they are from, for the error.

    Raises:
        DatasetError: They can't be decoded.
    """
    image = None
    if is_whole(content):
        with contextlib.suppress(cv2.error):  # such as an image of more than 2^30 pixels
            image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise DatasetError(
            f"{place}: expected a PNG or JPEG image, got {len(content)} bytes that can't be decoded. "
            "Copy the image again, or remove it."
        )
    face = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    height, width = face.shape
    if height != width:
        top, left = max(0, width - height) // 2, max(0, height - width) // 2
        bottom, right = max(0, width - height) - top, max(0, height - width) - left
        face = cv2.copyMakeBorder(face, top, bottom, left, right, cv2.BORDER_REPLICATE)
    if face.shape != (FACE_SIZE_PX, FACE_SIZE_PX):
        face = cv2.resize(face, (FACE_SIZE_PX, FACE_SIZE_PX), interpolation=cv2.INTER_AREA)
    return face


def is_whole(content: bytes) -> bool:
    """Returns whether the bytes are a PNG or a JPEG that reaches its end; the decoder checks a PNG's sums.

    OpenCV 4.8 fills up a cut JPEG with gray; damage in its middle is seen only where the decoder gives up.
    """
    if content.startswith(b"\xff\xd8"):
        # The last scan must be followed by an end marker; a thumbnail's own stands before that scan.
        return content.rfind(b"\xff\xd9") > content.rfind(b"\xff\xda") > 0
    return content.startswith(b"\x89PNG") and b"IEND" in content  # OpenCV 5 warns on its own of a cut one
