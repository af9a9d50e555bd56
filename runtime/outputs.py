"""What a run writes: annotated pictures, annotated videos, JSON lines. Files appear whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import cv2
import numpy as np

from .recognizer import Face
from .sources import Sample

# A video file's suffix: a codec that OpenCV's own packages write without a further one.
VIDEO_CODECS = {".mp4": "mp4v", ".avi": "MJPG"}
USUAL_FRAME_RATE = 25.0


class OutputError(ValueError):
    """A file can't be written."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path in the same folder, which becomes `path` at the end; an exception removes it."""
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    with _writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield part
        if part.exists():  # a run without a frame writes nothing
            with _writing(path):
                part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Say for a failure of the file system which file was being written."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path}: can't be written: {error.strerror or error}.") from error


@contextmanager
def text_file(path: Path) -> Iterator[TextIO]:
    """A UTF-8 text file that is open for writing inside a `with`, and whole at its end."""
    with whole_file(path) as part:
        with _writing(path):
            file = part.open("w", encoding="utf-8", newline="\n")
        with file:
            yield file


def write_picture(path: Path, picture: np.ndarray) -> None:
    """Write a frame, `uint8` BGR, as a picture of the kind that the path's suffix says."""
    try:
        encoded = cv2.imencode(path.suffix, picture)[1]
    except cv2.error as error:
        raise OutputError(
            f"{path}: expected a suffix that OpenCV writes, such as .png or .jpg, got {path.suffix!r}."
        ) from error
    with whole_file(path) as part, _writing(path):
        part.write_bytes(encoded.tobytes())


def picture_targets(target: str, paths: Sequence[Path], *, single: bool) -> dict[Path, Path]:
    """Where the annotated version of each picture goes.

    A single picture goes to `target` itself, unless that is a folder or ends in a slash. Otherwise
    `target` is a folder, in which the pictures keep their names and the folders below their common one; a
    kind that OpenCV reads and doesn't write becomes `.png`. Raises `OutputError` where a picture would
    take the place of one that is read.
    """
    folder = Path(target)
    if single and not folder.is_dir() and not target.endswith(("/", os.sep)):
        if not folder.suffix or not cv2.haveImageWriter(folder.name):
            raise OutputError(f"{target}: expected a picture file such as .png or .jpg, or a folder.")
        targets = {paths[0]: folder}
    else:
        if folder.is_file():
            raise OutputError(f"{target}: expected a folder for several pictures, got a file.")
        common = Path(os.path.commonpath([path.parent for path in paths]))
        targets = {path: folder / _writable(path.relative_to(common)) for path in paths}
    sources = {path.resolve() for path in paths}
    for path in targets.values():
        if path.resolve() in sources:
            raise OutputError(f"{path}: would be overwritten by its own annotated version. Save elsewhere.")
    return targets


def _writable(path: Path) -> Path:
    return path if cv2.haveImageWriter(path.name) else path.with_name(path.name + ".png")


class VideoFile:
    """A video file that is written frame by frame inside a `with`.

    `frame_rate` is in frames per second. Where `keep_time` is set, a frame is repeated until the next
    one's time, so that a camera whose frames come unevenly plays at its true speed. All frames take the
    size of the first, less a last odd row or column, which MPEG-4 doesn't have.
    """

    def __init__(self, path: Path, *, frame_rate: float | None, keep_time: bool = False) -> None:
        if path.suffix.lower() not in VIDEO_CODECS:
            raise OutputError(f"{path}: expected a video file ending in {' or '.join(VIDEO_CODECS)}.")
        self.path = path
        self.frames = 0
        self._frame_rate = frame_rate or USUAL_FRAME_RATE
        self._keep_time = keep_time
        self._first_s: float | None = None
        self._writer: cv2.VideoWriter | None = None
        self._first_shape: tuple[int, ...] = ()
        self._size = (0, 0)
        self._whole = whole_file(path)

    def __enter__(self) -> VideoFile:
        self._part = self._whole.__enter__()
        return self

    def write(self, picture: np.ndarray, time_s: float) -> None:
        """Add a frame, `uint8` BGR, of a time in seconds."""
        if self._writer is None:
            self._open(picture)
            self._first_s = time_s
        if picture.shape == self._first_shape:
            picture = picture[: self._size[1], : self._size[0]]
        if (picture.shape[1], picture.shape[0]) != self._size:
            picture = cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA)
        assert self._writer is not None and self._first_s is not None
        due = round((time_s - self._first_s) * self._frame_rate) + 1 if self._keep_time else self.frames + 1
        while self.frames < due:
            self._writer.write(np.ascontiguousarray(picture))
            self.frames += 1

    def _open(self, picture: np.ndarray) -> None:
        self._first_shape = picture.shape
        height, width = picture.shape[:2]
        self._size = (max(2, width & ~1), max(2, height & ~1))
        codec = cv2.VideoWriter.fourcc(*VIDEO_CODECS[self.path.suffix.lower()])
        self._writer = cv2.VideoWriter(str(self._part), codec, self._frame_rate, self._size)
        if not self._writer.isOpened():
            raise OutputError(
                f"{self.path}: the video can't be written. Is the folder writable, and is {width}x{height} "
                f"at {self._frame_rate:g} frames/s a size that {self.path.suffix} takes?"
            )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._writer is not None:
            self._writer.release()
        self._whole.__exit__(kind, error, traceback)


def face_record(sample: Sample, number: int, face: Face) -> dict[str, Any]:
    """The JSON line of one face of one frame; `number` counts a frame's faces from 0, the surest first."""
    scores = {label: round(float(score), 6) for label, score in zip(face.labels, face.scores, strict=True)}
    return {
        "source": sample.name,
        "frame": sample.index,
        "time_s": round(sample.time_s, 3),
        "face": number,
        "box": list(face.box),
        "label": face.label,
        "scores": scores,
        "confidence": round(face.confidence, 6),
    }


def json_lines(sample: Sample, faces: Sequence[Face]) -> str:
    """A line of JSON for each face of a frame."""
    records = (face_record(sample, number, face) for number, face in enumerate(faces))
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)
