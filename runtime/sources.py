"""Where frames come from: pictures, videos, cameras, streams.

A file gives every frame, in order. A camera or a stream gives the newest: a thread reads it into one
slot, which the next frame replaces, and what was never taken out counts as dropped.
"""

from __future__ import annotations

import glob
import math
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

PICTURE_SUFFIXES = frozenset(
    (".avif", ".bmp", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
)
STREAM_TIMEOUT_MS = 10_000


class SourceError(ValueError):
    """A picture, video, camera or stream can't be read."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One frame of a source.

    `name` is the source's, or the picture's path; `index` counts from 0 the frames of the source,
    dropped ones included; `time_s` is the time in the video, or since a camera was opened, and 0 for a
    picture; `frame` is `uint8` BGR `(height, width, 3)`.
    """

    name: str
    index: int
    time_s: float
    frame: np.ndarray


class Source:
    """An opened source: iterate over its samples inside a `with`, which closes it.

    `kind` is "picture", "pictures", "video" or "live". `frame_rate` (per second) and `frame_count` are None
    where the source doesn't say. `paths` are the files behind it. `dropped` counts the frames of a live
    source that nobody took. `failures` are the lines about what could not be read while the rest went on.
    """

    kind: str
    frame_rate: float | None = None
    frame_count: int | None = None
    dropped: int = 0
    paths: Sequence[Path] = ()

    def __init__(self, name: str, announce: Callable[[str], None] | None = None) -> None:
        self.name = name
        self.failures: list[str] = []
        self._announce = announce

    def __iter__(self) -> Iterator[Sample]:
        raise NotImplementedError

    def close(self) -> None:
        """Give back what the source holds."""

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _fail(self, line: str) -> None:
        self.failures.append(line)
        if self._announce:
            self._announce(line)


def open_source(
    source: str | int | os.PathLike[str], *, announce: Callable[[str], None] | None = None
) -> Source:
    """Open a picture file, a folder or glob of pictures, a video file, a stream's address or a camera.

    A number is a camera (a file of that name is `./0`), and so is `/dev/video0`; what has `://` in it
    is a stream; a folder gives its pictures by name, without those of its folders (the glob
    `folder/**/*.jpg` does). In a folder or glob a picture that can't be read becomes a line in `failures`,
    given to `announce` at once, and the rest go on.

    Raises `SourceError`, naming the source.
    """
    text = os.fspath(source) if isinstance(source, os.PathLike) else str(source)
    if re.fullmatch(r"\d+|/dev/video\d+", text):
        return _open_camera(text, announce)
    if "://" in text:
        return _open_stream(text, announce)
    path = Path(text)
    if path.is_dir():
        return _open_folder(path, announce)
    if path.is_file():
        if _is_picture(path):
            return Pictures([path], text, kind="picture", announce=announce)
        return Video(path, announce=announce)
    if glob.has_magic(text):
        # Not Path.glob, which takes no absolute pattern and no `..`.
        paths = sorted(Path(path) for path in glob.glob(text, recursive=True))  # noqa: PTH207
        paths = [path for path in paths if path.is_file()]
        if not paths:
            raise SourceError(f"{text}: no file matches.")
        return Pictures(paths, text, kind="pictures", announce=announce)
    raise SourceError(
        f"{text}: no such file or folder. A source is a picture, a folder, a glob in quotes, a video, "
        "a stream's address or a camera's number."
    )


def read_picture(path: Path) -> np.ndarray:
    """Read a picture file as a frame, `uint8` BGR `(height, width, 3)`, turned as its EXIF says.

    Gray becomes BGR, 16 bits become 8 (the upper ones), an alpha channel is left out. Raises
    `SourceError`, naming the file.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file.") from None
    except OSError as error:
        raise SourceError(f"{path}: can't be read: {error.strerror or error}.") from error
    if not data:
        raise SourceError(f"{path}: expected a picture, got an empty file.")
    try:
        frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise SourceError(f"{path}: the picture can't be read: {error.err}.") from error
    if frame is None:
        raise SourceError(
            f"{path}: expected a picture that OpenCV reads, got something else or a damaged one."
        )
    return frame


class Pictures(Source):
    """Picture files, one frame each."""

    def __init__(
        self, paths: list[Path], name: str, *, kind: str, announce: Callable[[str], None] | None = None
    ) -> None:
        super().__init__(name, announce)
        self.paths = paths
        self.kind = kind
        self.frame_count = len(paths)

    def __iter__(self) -> Iterator[Sample]:
        for index, path in enumerate(self.paths):
            try:
                frame = read_picture(path)
            except SourceError as error:
                if self.kind == "picture":
                    raise
                self._fail(str(error))
                continue
            yield Sample(str(path), index, 0.0, frame)


class Video(Source):
    """A video file, every frame."""

    kind = "video"

    def __init__(self, path: Path, *, announce: Callable[[str], None] | None = None) -> None:
        super().__init__(str(path), announce)
        self.paths = [path]
        self._capture = cv2.VideoCapture(str(path))
        if not self._capture.isOpened():
            raise SourceError(f"{path}: expected a picture or a video that OpenCV reads, got something else.")
        self.frame_rate = _positive(self._capture.get(cv2.CAP_PROP_FPS))
        count = _positive(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.frame_count = None if count is None else round(count)

    def __iter__(self) -> Iterator[Sample]:
        index = 0
        while True:
            read, frame = self._capture.read()
            if not read:
                break
            time_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if time_s <= 0 and self.frame_rate:  # some containers hold no times
                time_s = index / self.frame_rate
            yield Sample(self.name, index, max(0.0, time_s), frame)
            index += 1
        if index == 0:
            raise SourceError(f"{self.name}: expected a video, got no frame that can be read.")

    def close(self) -> None:
        self._capture.release()


class Live(Source):
    """A camera or a stream: the newest frame, the ones before it dropped.

    `read` blocks until the next frame and gives `(True, frame)`, or `(False, None)` once there are no more;
    it runs in a thread from the start of the iteration to `close`, which waits for it and then calls
    `release`.
    """

    kind = "live"

    def __init__(
        self,
        name: str,
        read: Callable[[], tuple[bool, np.ndarray | None]],
        *,
        release: Callable[[], None] | None = None,
        frame_rate: float | None = None,
        announce: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(name, announce)
        self.frame_rate = frame_rate
        self._read = read
        self._release = release
        self._clock = clock
        self._changed = threading.Condition()
        self._slot: Sample | None = None
        self._error: BaseException | None = None
        self._ended = self._closing = False
        self._thread = threading.Thread(target=self._fill, name=f"ferkit reads {name}", daemon=True)

    def __iter__(self) -> Iterator[Sample]:
        taken = 0
        self._thread.start()
        while True:
            with self._changed:
                # In short waits, because a wait without an end can't be interrupted on Windows.
                while not self._changed.wait_for(lambda: self._slot is not None or self._ended, 0.2):
                    pass
                sample, self._slot = self._slot, None
            if sample is None:
                break
            taken += 1
            yield sample
        if self._error:
            raise SourceError(f"{self.name}: can't be read: {self._error}.") from self._error
        if self._closing:
            return
        if taken == 0:
            raise SourceError(f"{self.name}: opened, but no frame came.")
        self._fail(f"{self.name}: no more frames came after {taken + self.dropped}.")

    def close(self) -> None:
        with self._changed:
            self._closing = self._ended = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join()
        if self._release:
            self._release()

    def _fill(self) -> None:
        start = self._clock()
        index = 0
        while not self._closing:
            try:
                read, frame = self._read()
            except BaseException as error:  # handed on to the thread that iterates
                self._error, read, frame = error, False, None
            with self._changed:
                if not read or frame is None:
                    self._ended = True
                else:
                    if self._slot is not None:
                        self.dropped += 1
                    self._slot = Sample(self.name, index, self._clock() - start, frame)
                self._changed.notify_all()
                if self._ended:
                    return
            index += 1


def _open_camera(text: str, announce: Callable[[str], None] | None) -> Source:
    if text.isdigit():
        name, capture = f"camera {int(text)}", cv2.VideoCapture(int(text))
    else:
        name, capture = text, cv2.VideoCapture(text, cv2.CAP_V4L2)
    if not capture.isOpened():
        raise SourceError(
            f"{name}: can't be opened. Is it plugged in, not in use by another program, and is this user "
            "allowed to read it (on Linux the group `video`)?"
        )
    return _live(name, capture, announce)


def _open_stream(address: str, announce: Callable[[str], None] | None) -> Source:
    name = re.sub(r"//[^/@]*@", "//", address)  # names appear on screens and in files: no password in them
    timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, STREAM_TIMEOUT_MS]
    timeouts += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, STREAM_TIMEOUT_MS]
    capture = cv2.VideoCapture(address, cv2.CAP_FFMPEG, timeouts)
    if not capture.isOpened():
        raise SourceError(
            f"{name}: the stream can't be opened within {STREAM_TIMEOUT_MS // 1000} s. Check the address, "
            "the user and the password, and that the sender runs."
        )
    return _live(name, capture, announce)


def _live(name: str, capture: cv2.VideoCapture, announce: Callable[[str], None] | None) -> Source:
    frame_rate = _positive(capture.get(cv2.CAP_PROP_FPS))
    return Live(name, capture.read, release=capture.release, frame_rate=frame_rate, announce=announce)


def _open_folder(folder: Path, announce: Callable[[str], None] | None) -> Source:
    paths = sorted(path for path in folder.iterdir() if path.is_file() and _has_picture_suffix(path))
    if not paths:
        raise SourceError(
            f"{folder}: expected pictures in the folder ({', '.join(sorted(PICTURE_SUFFIXES))}), got none."
        )
    return Pictures(paths, str(folder), kind="pictures", announce=announce)


def _is_picture(path: Path) -> bool:
    """By suffix, else by content; a GIF is taken for a video, as it may be one."""
    if _has_picture_suffix(path):
        return True
    return path.suffix.lower() != ".gif" and cv2.haveImageReader(str(path))


def _has_picture_suffix(path: Path) -> bool:
    return path.suffix.lower() in PICTURE_SUFFIXES


def _positive(value: float) -> float | None:
    return value if math.isfinite(value) and value > 0 else None
