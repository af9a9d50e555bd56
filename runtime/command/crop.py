"""`ferkit crop`: photographs in folders -> faces in the same folders, cut as the runtime cuts them."""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..images import SourceError, has_image_suffix, read_image
from ..recognizer import Recognizer
from .exit_codes import IN_PART, OK
from .outputs import OutputError, write_image, writing
from .terminal import print_text, say


def crop(options: argparse.Namespace) -> int:
    """Writes the face of every image that shows exactly one; returns the exit code.

    Each image that shows none or several, or can't be read, is a line on standard error. The folder appears
    once it is whole.

    Raises:
        SourceError: The folder can't be read, or no image shows exactly one face.
        DetectorError: The detector is missing.
        ModelError, CardError, EngineError: The model can't be opened.
        OutputError: The folder for the faces holds something, or can't be written.
    """
    photos, faces = Path(options.photos), Path(options.faces)
    paths = images_below(photos)
    check_target(photos, faces)
    recognizer = Recognizer(  # its model's card says how faces are cut
        options.model,
        options.detector,
        engine=options.engine,
        small_faces=options.small_faces,
        offline=options.offline,
        announce=say,
    )
    written = 0
    with whole_folder(faces) as part:
        for path in paths:
            try:
                face = only_face(read_image(path), recognizer)
            except SourceError as error:
                say(str(error))
                continue
            if isinstance(face, str):
                say(f"{path}: {face}")
                continue
            target = part / path.relative_to(photos)
            target.parent.mkdir(parents=True, exist_ok=True)
            write_image(target.with_name(f"{path.name}.png"), face)
            written += 1
        if not written:
            raise SourceError("expected images with one face each, got none.", path=photos)
    print_text(f"{faces}: {written} of {len(paths)} images gave a face of 48x48 pixels\n")
    return OK if written == len(paths) else IN_PART


def images_below(folder: Path) -> list[Path]:
    """Returns the images in a folder and in the folders below it, hidden ones aside, by name.

    Raises:
        SourceError: It is no folder, can't be read, or holds none.
    """
    if not folder.is_dir():
        raise SourceError("expected a folder of images, got none.", path=folder)
    found = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and has_image_suffix(path) and not is_hidden(path.relative_to(folder))
    ]
    if not found:
        raise SourceError("expected images in the folder, or in folders below it, got none.", path=folder)
    return found


def is_hidden(path: Path) -> bool:
    """Returns whether a relative path has a part that begins with a dot."""
    return any(part.startswith(".") for part in path.parts)


def check_target(photos: Path, faces: Path) -> None:
    """Raises OutputError where the folder for the faces holds something, or lies among the photographs."""
    if photos.resolve() in (faces.resolve(), *faces.resolve().parents):
        raise OutputError(f"expected a folder outside {photos}. Write elsewhere.", path=faces)
    if faces.exists() and (not faces.is_dir() or any(faces.iterdir())):
        raise OutputError("expected a new or empty folder. Write elsewhere, or move it away.", path=faces)


def only_face(frame: np.ndarray, recognizer: Recognizer) -> np.ndarray | str:
    """Returns the one face of a frame, `uint8` `(48, 48)`, or what is wrong in words."""
    faces = recognizer(frame)
    if len(faces) != 1:
        return f"{len(faces)} faces, left out" if faces else "no face, left out"
    return recognizer.crop(frame, faces[0].box)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Yields a new folder beside `folder` that takes its place in the end; after an error it is removed."""
    target = Path(os.path.realpath(folder))
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    with writing(folder):
        part.mkdir(parents=True)
    try:
        yield part
        with writing(folder):
            if target.exists():  # and is empty
                target.rmdir()
            part.rename(target)
    finally:
        shutil.rmtree(part, ignore_errors=True)
