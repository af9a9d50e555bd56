"""From files to what the sampler draws from: photos, backgrounds, faces and heads of one split."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from dataset.detection.heads import Patch, head_on_plain_ground, tight_face
from dataset.detection.images import DataError, store_of_images
from dataset.detection.photos import Progress, load_backgrounds, load_photos
from dataset.detection.teacher import Teacher
from dataset.duplicates import training_samples
from dataset.load import load_dataset
from dataset.locate import DatasetError

from .sampler import Pool


class Sources(NamedTuple):
    """Where training data lies: folders or zip archives.

    Attributes:
        data: images of faces, with annotations beside them or, with a teacher, without.
        backgrounds: images without a face.
        faces: tightly cut faces, as `load_faces` reads them.
        heads: heads on plain ground.
        textures: images without a face that are for training only.
    """

    data: Sequence[Path] = ()
    backgrounds: Sequence[Path] = ()
    faces: Sequence[Path] = ()
    heads: Sequence[Path] = ()
    textures: Sequence[Path] = ()


def load_textures(
    path: Path, teacher: Teacher | None, *, progress: Progress = lambda items, _: items
) -> list[np.ndarray]:
    """Returns all images of a folder in which the teacher finds no face at all; small and damaged ones go.

    Raises:
        DataError: there is no teacher, or no image.
    """
    if teacher is None:
        raise DataError(
            f"{path}: expected a teacher for textures, got none; give --teacher YUNET.onnx.", path
        )
    store = store_of_images(path)
    kept = []
    for name in progress(store.images, path.name):
        try:
            image, _ = store.read(name)
        except DataError:  # packages ship damaged images on purpose, to test with
            continue
        if min(image.shape) >= 64 and not len(teacher(image).boxes):
            kept.append(image)
    return kept


def load_faces(
    path: Path, teacher: Teacher | None, *, progress: Progress = lambda items, _: items
) -> list[Patch]:
    """Returns tightly cut faces to train on.

    Args:
        path: a folder or zip archive of images, of which the folder `train` is taken where there is one; or
            FER2013's CSV, of which the training split is, without what also stands in another split.
        teacher: finds each face's box; None for the usual one.
        progress: wraps an iterable and shows how far it is.

    Raises:
        DataError: it is missing or damaged.
    """
    if path.name.lower().endswith((".csv", ".csv.xz")):
        try:
            dataset = load_dataset(path)
            faces = dataset.split("train")[0][training_samples(dataset)][..., 0]
        except DatasetError as error:
            raise DataError(str(error), path) from error
        return [tight_face(face, teacher) for face in progress(faces, path.name)]
    store = store_of_images(path)
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
    store = store_of_images(path)
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
