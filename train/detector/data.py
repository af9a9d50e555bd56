"""From files to what the sampler draws from: photos, backgrounds, faces and heads of one split."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from .annotations import find_annotations
from .heads import Patch, head_on_plain_ground, tight_face
from .images import DataError, ImageStore
from .sampler import Pool
from .splits import split_names, tenth
from .teacher import Found, Photo, Teacher, adopt, matches, stretch_of

MOST_HELD_OUT_PHOTOS = 100
MOST_HELD_OUT_BACKGROUNDS = 300
NOBODY = Found(np.empty((0, 4), np.float32), np.empty((0, 4), np.float32), np.empty(0, np.float32))
Progress = Callable[[Iterable[Any], str], Iterable[Any]]


class Sources(NamedTuple):
    """Where training data lies: folders or zip archives.

    Attributes:
        data: images of faces, with annotations beside them or, with a teacher, without.
        backgrounds: images without a face.
        faces: tightly cut faces; only those in a folder `train`, where there is one, are taken.
        heads: heads on plain ground.
        textures: images without a face that are for training only.
    """

    data: Sequence[Path] = ()
    backgrounds: Sequence[Path] = ()
    faces: Sequence[Path] = ()
    heads: Sequence[Path] = ()
    textures: Sequence[Path] = ()


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
    store = ImageStore(path)
    annotations = find_annotations(store)
    if annotations is None and teacher is None:
        raise DataError(
            f"{path}: expected annotations (CSV, WIDER FACE, COCO or VOC) or a teacher, got neither; "
            "give --teacher YUNET.onnx.",
            path,
        )
    names = store.images if annotations is None else sorted(annotations)
    images, annotated, found = [], [], []
    for name in progress(_split(names, path, most=MOST_HELD_OUT_PHOTOS)[split], f"{path.name}, {split}"):
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


def load_backgrounds(
    path: Path, *, split: str, progress: Progress = lambda items, _: items
) -> list[np.ndarray]:
    """Returns the images without a face of a split, `uint8 (height, width)` each."""
    store = ImageStore(path)
    names = _split(store.images, path, most=MOST_HELD_OUT_BACKGROUNDS)[split]
    return [store.read(name)[0] for name in progress(names, f"{path.name}, {split}")]


def load_textures(
    path: Path, teacher: Teacher | None, *, progress: Progress = lambda items, _: items
) -> list[np.ndarray]:
    """Returns all images of a folder in which the teacher finds no face at all; small and damaged ones go."""
    store = ImageStore(path)
    kept = []
    for name in progress(store.images, path.name):
        try:
            image, _ = store.read(name)
        except DataError:  # packages ship damaged images on purpose, to test with
            continue
        if min(image.shape) >= 64 and not (teacher and len(teacher(image).boxes)):
            kept.append(image)
    return kept


def load_faces(
    path: Path, teacher: Teacher | None, *, progress: Progress = lambda items, _: items
) -> list[Patch]:
    """Returns the tightly cut faces of a folder or archive, of its folder `train` where there is one."""
    store = ImageStore(path)
    names = [name for name in store.images if name.startswith("train/")] or store.images
    return [tight_face(store.read(name)[0], teacher) for name in progress(names, path.name)]


def load_heads(
    path: Path, teacher: Teacher | None, *, progress: Progress = lambda items, _: items
) -> list[Patch]:
    """Returns the heads of a folder or archive in which the teacher finds a face.

    Raises:
        DataError: there is no teacher.
    """
    if teacher is None:
        raise DataError(f"{path}: expected a teacher for heads, got none; give --teacher YUNET.onnx.", path)
    store = ImageStore(path)
    cut = (head_on_plain_ground(store.read(name)[0], teacher) for name in progress(store.images, path.name))
    return [head for head in cut if head is not None]


def load_pool(
    sources: Sources,
    teacher: Teacher | None,
    *,
    split: str = "train",
    progress: Progress = lambda items, _: items,
) -> Pool:
    """Returns what the sampler draws from.

    Args:
        sources: where the files lie; faces, heads and textures are for training only.
        teacher: YuNet; None to do without.
        split: "train", "validation" or "test".
        progress: wraps an iterable and shows how far it is.

    Raises:
        DataError: a source is missing, damaged or empty.
    """

    def every(paths: Sequence[Path], load: Callable[..., list[Any]], *given: Any, **options: Any) -> list:
        return [item for path in paths for item in load(path, *given, progress=progress, **options)]

    photos = every(sources.data, load_photos, teacher, split=split)
    backgrounds = every(sources.backgrounds, load_backgrounds, split=split)
    faces, heads = [], []
    if split == "train":
        backgrounds += every(sources.textures, load_textures, teacher)
        faces = every(sources.faces, load_faces, teacher)
        heads = every(sources.heads, load_heads, teacher)
    for name, images in (("photos", photos), ("backgrounds", backgrounds)):
        if not images:
            raise DataError(f"expected {name} to train on, got none; give more in --data, --backgrounds.", "")
    return Pool(photos, backgrounds, faces, heads)


def _split(names: Sequence[str], path: Path, *, most: int) -> dict[str, list[str]]:
    """Returns a source's splits: a tenth each is held out, at most `most`."""
    try:
        return split_names(names, held_out=min(tenth(names), most))
    except ValueError as error:
        raise DataError(f"{path}: {error}", path) from error
