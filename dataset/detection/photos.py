"""From files to photos with their faces, and to images without a face: one split of one source."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .annotations import Annotations, find_annotations
from .images import DataError, ImageStore, store_of_images
from .splits import split_names, tenth
from .teacher import Found, Photo, Teacher, adopt, matches, stretch_of

MOST_HELD_OUT_PHOTOS = 100
MOST_HELD_OUT_BACKGROUNDS = 300
NOBODY = Found(np.empty((0, 4), np.float32), np.empty((0, 4), np.float32), np.empty(0, np.float32))
Progress = Callable[[Iterable[Any], str], Iterable[Any]]


def load_photos(
    path: Path, teacher: Teacher | None, *, split: str, progress: Progress = lambda items, _: items
) -> list[Photo]:
    """Returns the photos of a split, as `held_out` divides them.

    Args:
        path: a folder or zip archive of images, with or without annotations.
        teacher: labels images without annotations and settles the boxes' height; None to do without.
        split: "train", "validation" or "test".
        progress: wraps an iterable and shows how far it is.

    Raises:
        DataError: there are neither annotations nor a teacher, or a file is damaged.
    """
    store = store_of_images(path)
    annotations = find_annotations(store)
    if annotations is None and teacher is None:
        raise DataError(
            f"{path}: expected annotations (CSV, WIDER FACE, COCO or VOC) or a teacher, got neither; "
            "give --teacher YUNET.onnx.",
            path,
        )
    images, annotated, found = [], [], []
    for name in progress(names_of_photos(store, annotations)[split], f"{path.name}, {split}"):
        image, scale = store.read(name)
        images.append(image)
        scales = np.array([scale] * 4 + [1], np.float32)
        annotated.append(None if annotations is None else annotations[name] * scales)
        found.append(teacher(image) if teacher else NOBODY)
    pairs = [
        (boxes[row, :4], faces.boxes[column])
        for boxes, faces in zip(annotated, found, strict=True)
        if boxes is not None
        for row, column in matches(boxes[:, :4], faces)
    ]
    stretch = stretch_of(pairs)
    return [adopt(*each, stretch) for each in zip(images, annotated, found, strict=True)]


def names_of_photos(store: ImageStore, annotations: Annotations | None) -> dict[str, list[str]]:
    """Returns a source's images by split: a tenth of those with annotations each is held out, at most 100.

    Args:
        store: the source.
        annotations: those of its images; None where there are none, then all images count.

    Raises:
        DataError: there are too few images.
    """
    names = store.images if annotations is None else sorted(annotations)
    return _split(names, store.path, most=MOST_HELD_OUT_PHOTOS)


def load_backgrounds(
    path: Path, *, split: str, progress: Progress = lambda items, _: items
) -> list[np.ndarray]:
    """Returns the images without a face of a split, `uint8 (height, width)` each."""
    store = store_of_images(path)
    names = _split(store.images, path, most=MOST_HELD_OUT_BACKGROUNDS)[split]
    return [store.read(name)[0] for name in progress(names, f"{path.name}, {split}")]


def _split(names: Sequence[str], path: Path, *, most: int) -> dict[str, list[str]]:
    """Returns a source's splits: a tenth each is held out, at most `most`."""
    try:
        return split_names(names, held_out=min(tenth(names), most))
    except ValueError as error:
        raise DataError(f"{path}: {error}", path) from error
