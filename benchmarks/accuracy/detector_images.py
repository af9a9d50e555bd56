"""The images that `python -m benchmarks detectors` measures on, by groups, all held out of training.

Groups are made one image after another: all of them at once would fill a small board's memory.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.accuracy.detector_settings import LARGEST_FACE_PX, SMALLEST_FACE_PX, make_frame
from dataset.detection import groups
from dataset.detection.heads import tight_face
from dataset.detection.images import DataError, ImageStore
from dataset.detection.photos import load_backgrounds, load_photos
from dataset.detection.teacher import Photo, Teacher

LISTED = "val.csv"  # of tight faces: file and race of each, as FairFace has them
PASTED = "pasted faces: "  # begins the name of each of their groups
NO_BOXES = np.empty((0, 4), np.float32)

# What a group's figure has to reach: see `benchmarks.accuracy.detector_table`.
FRAMES, SMALL, ALIKE = "frames", "small", "alike"


class Group(NamedTuple):
    """A group of images.

    Attributes:
        name: For the table.
        kind: `FRAMES`, `SMALL` or `ALIKE`: which goal is the group's.
        images: How many.
        photos: Makes the images one after another: gray or BGR, with the faces that count.
    """

    name: str
    kind: str
    images: int
    photos: Callable[[], Iterable[Photo]]


class Held(NamedTuple):
    """What is held out of a training: photos by source, and images without a face."""

    photos: dict[str, list[Photo]]
    backgrounds: list[np.ndarray]


def read_held_out(
    images: Sequence[Path], backgrounds: Sequence[Path], teacher: Teacher | None, *, split: str
) -> Held:
    """Returns what a split holds of the sources.

    Args:
        images: Folders and zip archives of images with boxes.
        backgrounds: The same, of images without a face.
        teacher: YuNet: settles how tall a box is, and knows where the eyes are. None: the boxes are as
            annotated, and nobody knows which faces are turned.
        split: "validation" or "test".

    Raises:
        DataError: A source is missing, damaged or too small.
    """
    return Held(
        {
            path.stem: [
                groups.of_some_size(groups.framed(photo)) for photo in load_photos(path, teacher, split=split)
            ]
            for path in images
        },
        [image for path in backgrounds for image in load_backgrounds(path, split=split)],
    )


def groups_of_photos(held: Held) -> list[Group]:
    """Returns the groups that are made of photos: each source, turned, dark, blurred, small."""
    made = [_listed(name, ALIKE, photos) for name, photos in held.photos.items()]
    photos = [photo for part in held.photos.values() for photo in part]
    turned = [photo for photo in map(groups.turned, photos) if len(photo.boxes)]
    made += [
        _listed("turned to a side", ALIKE, turned),
        Group("dark (x0.3)", ALIKE, len(photos), lambda: map(groups.dark, photos)),
        Group("blurred", ALIKE, len(photos), lambda: map(groups.blurred, photos)),
    ]
    if held.backgrounds:
        made.append(_listed("30-60 px", SMALL, groups.small_faces(photos, held.backgrounds)))
    return [group for group in made if group.images]


def groups_of_pasted_faces(
    path: Path, held: Held, teacher: Teacher | None, *, split: str, count: int
) -> list[Group]:
    """Returns a group for each race that FairFace's annotators named: its faces pasted on backgrounds.

    Args:
        path: A folder or zip archive of tightly cut faces with `LISTED`.
        held: The backgrounds.
        teacher: YuNet: finds each face's box; None for the usual one.
        split: Validation takes the first faces of a group, test the next.
        count: Faces a group.

    Raises:
        DataError: The faces or their list are missing, or too few.
    """
    store = ImageStore(path)
    if LISTED not in store.files:
        raise DataError(f"{path}: expected {LISTED} with the columns file, race, got none.", path)
    files: dict[str, list[str]] = {}
    for row in csv.DictReader(io.StringIO(store.text(LISTED))):
        if not row.get("file") or not row.get("race"):
            raise DataError(f"{path}: {LISTED}: expected the columns file, race, got {list(row)}.", path)
        files.setdefault(row["race"], []).append(row["file"])
    first = count if split == "test" else 0

    def pasted(names: Sequence[str]) -> Iterator[Photo]:
        for number, name in enumerate(names):
            face = tight_face(store.read(name)[0], teacher)
            ground = held.backgrounds[number % len(held.backgrounds)]
            yield from groups.pasted_faces([face], [ground], seed=number)

    made = []
    for race, names in sorted(files.items()):
        chosen = names[first : first + count]
        if not chosen:
            raise DataError(f"{path}: expected more than {first} faces of {race}, got {len(names)}.", path)
        made.append(Group(PASTED + race, ALIKE, len(chosen), lambda chosen=chosen: pasted(chosen)))  # type: ignore[misc]
    return made


def group_of_frames(faces: np.ndarray, portrait: np.ndarray, *, count: int, seed: int) -> Group:
    """Returns FER2013's faces in frames of 640x480, half of them in made-up rooms, half in the portrait.

    Args:
        faces: uint8 (n, 48, 48, 1), gray.
        portrait: uint8 BGR (512, 512, 3), `demo/astronaut.jpg`.
        count: How many are drawn.
        seed: Of faces, sizes, places and rooms.
    """
    count = min(count, len(faces))

    def frames() -> Iterator[Photo]:
        random = np.random.default_rng(seed)
        for number, row in enumerate(random.choice(len(faces), count, replace=False)):
            frame, box, _ = make_frame(faces[row], portrait, number=number, random=random, seed=seed)
            yield Photo(frame, box[None], np.full((1, 4), np.nan, np.float32), NO_BOXES)

    name = f"FER2013 in made-up frames, {SMALLEST_FACE_PX}-{LARGEST_FACE_PX} px"
    return Group(name, FRAMES, count, frames)


def _listed(name: str, kind: str, photos: Sequence[Photo]) -> Group:
    return Group(name, kind, len(photos), lambda: photos)
