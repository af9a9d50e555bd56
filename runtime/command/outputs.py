"""Files that a run writes: lines of text and annotated images.

Files appear under their names when they are whole. A run may end early, by a fault or by Ctrl-C. What was
written until then is whole too: lines are complete, and a video can be played.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from ..errors import PathError

# Names of standard error: they lead nowhere while a run keeps the libraries' lines off it.
STANDARD_ERROR = ("/dev/stderr", "/dev/fd/2", "/proc/self/fd/2")


class OutputError(PathError):
    """A file can't be written.

    Attributes:
        option: The option of `ferkit run` that named the output, such as "save"; None where none did.
    """

    option: str | None = None


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yields a temporary path in the same folder, which is renamed to `path` at the end.

    An exception removes the temporary file. Where it can't be renamed, it is kept and the error names it.
    What is no plain file, such as /dev/null or a pipe, is given itself. A link stays; its target is written.

    Raises:
        OutputError: It can't be written.
    """
    with writing(path):
        target = part = path
        if str(path) in STANDARD_ERROR:
            raise OutputError(
                "expected a file or a pipe of its own: ferkit's own lines go to standard error. "
                "Name a file, or - for standard output.",
                path=path,
            )
        if path.is_dir():
            raise OutputError("expected the name of a file, got a folder.", path=path)
        if path.is_file() or not path.exists():  # a pipe, such as /dev/stdout, has no real path
            target = Path(os.path.realpath(path))
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f".{target.stem}.{os.getpid()}.part{target.suffix}")
    unfinished = part != target
    try:
        yield part
        if unfinished and part.exists():  # a run without a frame writes nothing
            unfinished = False
            with writing(path, kept=f" What was written is in {part}."):
                part.replace(target)
    finally:
        if unfinished:
            with suppress(OSError):
                part.unlink(missing_ok=True)


@contextmanager
def writing(path: Path, *, kept: str = "") -> Iterator[None]:
    """Makes an `OSError` inside the `with` an `OutputError` that names the file and says what to do."""
    try:
        yield
    except BrokenPipeError as error:  # no fault: the reader has enough
        error.filename = str(path)
        raise
    except OSError as error:
        raise OutputError(
            f"can't be written: {error.strerror or error}. Free some room there, or name a place "
            f"where this user may write.{kept}",
            path=path,
        ) from error


def removed(path: Path) -> OutputError:
    """Returns the error of an output that somebody removed while it was written."""
    return OutputError("was removed while it was written, or its folder was, and is lost.", path=path)


class LinesFile:
    """A UTF-8 text file that is written line by line inside a `with`; its lines are whole however that ends.

    Where nothing was written, not even an empty text for a frame without a face, no file is left, and an
    older one stays.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, *, header: str = "") -> None:
        """Takes the path, and the line above the first one."""
        self.path = path
        self._header = header
        self._written = False
        self._whole_bytes = 0
        self._whole = atomic_file(path)

    def __enter__(self) -> LinesFile:
        """Opens the file under a temporary name.

        Raises:
            OutputError: It can't be written.
        """
        self._part = self._whole.__enter__()
        with writing(self.path):
            # Unbuffered: a killed process has written every line, and a full disk is noticed at once.
            self._file = self._part.open("wb", buffering=0)
        return self

    def write(self, lines: str) -> None:
        """Adds whole lines, each with its end.

        Raises:
            OutputError: They can't be written; the file ends before them.
        """
        # A file's name need not be text; JSON has `\\udcff` for its byte FF.
        data = memoryview((self._take_header() + lines).encode(errors="backslashreplace"))
        with writing(self.path):
            done = 0
            while done < len(data):
                done += self._file.write(data[done:]) or 0
        self._whole_bytes += done
        self._written = True

    def _take_header(self) -> str:
        header, self._header = self._header, ""
        return header

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes the file and gives it its name.

        Raises:
            OutputError: It was removed, or can't be renamed.
        """
        with suppress(OSError):  # a pipe has no length
            self._file.truncate(self._whole_bytes)
        self._file.close()
        if not self._written and self._part != self.path:
            with suppress(OSError):
                self._part.unlink(missing_ok=True)
        gone = self._part != self.path and self._written and not self._part.exists()
        if self._whole_bytes:
            kind = error = traceback = None
        self._whole.__exit__(kind, error, traceback)
        if gone:
            raise removed(self.path)


def write_image(path: Path, image: np.ndarray) -> None:
    """Writes a frame, `uint8` BGR `(height, width, 3)`, as an image of the kind in the path's suffix.

    Raises:
        OutputError: OpenCV doesn't write this kind, or the file can't be written.
    """
    try:
        encoded = cv2.imencode(path.suffix.encode(errors="replace").decode(), image)[1]
    except cv2.error as error:
        raise OutputError(
            f"expected a suffix that OpenCV writes, such as .png or .jpg, got {path.suffix!r}.", path=path
        ) from error
    with atomic_file(path) as part, writing(path):
        part.write_bytes(encoded.tobytes())


def image_targets(target: str, paths: Sequence[Path], *, single: bool) -> dict[Path, Path]:
    """Returns where the annotated version of each image goes.

    A single image goes to `target` itself, unless that is a folder or ends in a slash. Otherwise `target` is
    a folder, in which the images keep their names and the folders below their common one. A kind that OpenCV
    reads but doesn't write becomes `.png`.

    Args:
        target: What `--save` named.
        paths: The images.
        single: Whether the source is a single image.

    Raises:
        OutputError: `target` doesn't fit, or an image would overwrite one that is read.
    """
    folder = Path(target)
    if single and not folder.is_dir() and not target.endswith(("/", os.sep)):
        if not folder.suffix or not _is_writable(folder):
            raise OutputError("expected an image file such as .png or .jpg, or a folder.", path=target)
        targets = {paths[0]: folder}
    else:
        _check_folder(folder)
        common = Path(os.path.commonpath([path.absolute().parent for path in paths]))
        targets = {path: folder / _writable(path.absolute().relative_to(common)) for path in paths}
    sources = {path.resolve() for path in paths}
    for path in targets.values():
        if path.resolve() in sources:
            raise OutputError("would be overwritten by its own annotated version. Save elsewhere.", path=path)
    return targets


def listed_target(target: str, path: Path) -> Path:
    """Returns where the annotated version of an image goes whose path came from standard input.

    `target` is a folder. In it the image keeps its folders as listed, without a root, a drive and `..`.

    Raises:
        OutputError: `target` is no folder, or the image would overwrite itself.
    """
    folder = Path(target)
    _check_folder(folder)
    parts = [part for part in path.parts if part not in ("..", path.anchor)]
    place = folder / _writable(Path(*parts))
    if place.resolve() == path.resolve():
        raise OutputError("would be overwritten by its own annotated version. Save elsewhere.", path=place)
    return place


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise OutputError("expected a folder for several images, got a file.", path=folder)


def _writable(path: Path) -> Path:
    return path if _is_writable(path) else path.with_name(path.name + ".png")


def _is_writable(path: Path) -> bool:
    """Returns whether OpenCV writes this kind of image; by its suffix alone, as a name need not be UTF-8."""
    return cv2.haveImageWriter(f"x{path.suffix}".encode(errors="replace").decode())
