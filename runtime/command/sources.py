"""Where frames come from: images, videos, cameras, streams.

A file gives every frame, in order. A camera or a stream gives the newest: a thread reads it into one
slot, which the next frame replaces, and what was never taken out counts as dropped. Where it gives none
any more it is opened anew, again and again, for a while.
"""

from __future__ import annotations

import glob
import math
import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import cv2
import numpy as np

from ..images import (
    IMAGE_SUFFIXES,
    SourceError,
    has_image_suffix,
    is_image,
    kind_of_file,
    opencv_name,
    read_image,
)

STREAM_TIMEOUT_MS = 10_000

RETRY_S = 60.0  # for so long a camera that gives no frames any more is opened anew
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0  # between two attempts; each is twice the one before
CLOSE_S = 12.0  # a device's read ends within its own 10 s; one that doesn't is left behind

# WebM files of browsers say 1000 frames/s, the unit of their clock: a rate beyond these is measured.
LOWEST_FRAME_RATE, HIGHEST_FRAME_RATE = 0.1, 240.0
MEASURED_FRAMES = 30
USUAL_FRAME_RATE = 25.0  # where none can be measured


@dataclass(frozen=True, eq=False)
class Sample:
    """One frame of a source.

    `name` is the source's, or the image's path; `index` counts from 0 the frames of the source,
    dropped ones included; `time_s` is the time in the video, or since a camera was opened, and 0 for a
    image; `frame` is `uint8` BGR `(height, width, 3)`.
    """

    name: str
    index: int
    time_s: float
    frame: np.ndarray


class Source:
    """An opened source: iterate over its samples inside a `with`, which closes it.

    `kind` is "image", "images", "video" or "live". `frame_rate` (per second) and `frame_count` are None
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
        self._tell(line)

    def _tell(self, line: str) -> None:
        if self._announce:
            self._announce(line)


def open_source(
    source: str | int | os.PathLike[str] | Sequence[str],
    *,
    announce: Callable[[str], None] | None = None,
    retry_s: float = RETRY_S,
    lines: Iterable[bytes] | None = None,
) -> Source:
    """Open images, a folder or glob of them, a video file, a stream's address or a camera.

    A number is a camera (a file of that name is `./0`), and so is a device such as `/dev/video0`; what has
    `://` in it is a stream, or a video where the sender says how long it is; a folder gives its images by
    name, without those of its folders (the glob `folder/**/*.jpg` does); `-` reads the paths of images,
    one a line, from `lines` (None: standard input) as they come; a list of paths are images. Of several
    images, one that can't be read becomes a line in `failures`, given to `announce` at once, and the
    rest go on. A camera or stream that gives no frames any more is opened anew for `retry_s` seconds.

    Raises `SourceError`, naming the source.
    """
    if isinstance(source, list | tuple):
        if len(source) != 1:
            return _open_list(source, announce)
        (source,) = source
    assert isinstance(source, str | int | os.PathLike)
    text = os.fspath(source) if isinstance(source, os.PathLike) else str(source)
    if not text:
        raise SourceError("Expected a source, got an empty text: is a variable of the shell empty?")
    if text == "-":
        return ImageList(_standard_input() if lines is None else lines, announce=announce)
    if "://" in text:
        return _open_stream(text, announce, retry_s)
    path = Path(text)
    try:
        if re.fullmatch(r"\d+|/dev/video\d+", text) or path.is_char_device():
            return _open_camera(text, announce, retry_s)
        if path.is_dir():
            return _open_folder(path, announce)
        if path.is_file():
            if is_image(path):
                return Images([path], text, kind="image", announce=announce)
            return _open_video(path, announce)
    except OSError as error:  # a folder on the way is closed to this user, or the name is too long
        raise SourceError(f"{text[:200]}: can't be read: {error.strerror or error}.") from error
    if glob.has_magic(text):
        # Not Path.glob, which takes no absolute pattern and no `..`.
        paths = sorted(Path(path) for path in glob.glob(text, recursive=True))  # noqa: PTH207
        paths = [path for path in paths if path.is_file()]
        if not paths:
            raise SourceError(f"{text}: no file matches.")
        return Images(paths, text, kind="images", announce=announce)
    raise SourceError(
        f"{text}: no such file or folder. A source is a image, a folder, a glob in quotes, a video, "
        "a stream's address, a camera's number, or - for paths from standard input."
    )


class Images(Source):
    """Image files, one frame each."""

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
                frame = read_image(path)
            except SourceError as error:
                if self.kind == "image":
                    raise
                self._fail(str(error))
                continue
            yield Sample(str(path), index, 0.0, frame)


class ImageList(Source):
    """Images whose paths come one a line, each read as soon as its line has come; empty lines are none."""

    kind = "images"

    def __init__(self, lines: Iterable[bytes], *, announce: Callable[[str], None] | None = None) -> None:
        super().__init__("standard input", announce)
        self._lines = lines

    def __iter__(self) -> Iterator[Sample]:
        index = 0
        for line in self._lines:
            text = os.fsdecode(line.rstrip(b"\r\n"))
            if not text:
                continue
            try:
                yield Sample(text, index, 0.0, read_image(Path(text)))
            except SourceError as error:
                self._fail(str(error))
            index += 1
        if index == 0:
            raise SourceError("standard input: expected the path of a image in each line, got none.")


class Video(Source):
    """A video of known length, every frame. `capture` is opened, and released by `close`."""

    kind = "video"

    def __init__(
        self,
        name: str,
        capture: cv2.VideoCapture,
        *,
        paths: Sequence[Path] = (),
        frame_rate: float | None = None,
        announce: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(name, announce)
        self.paths = paths
        self._capture = capture
        self.frame_rate = frame_rate or _positive(capture.get(cv2.CAP_PROP_FPS))
        count = _positive(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.frame_count = None if count is None else round(count)

    def __iter__(self) -> Iterator[Sample]:
        index, time_s = 0, 0.0
        while True:
            try:
                read, frame = self._capture.read()
            except cv2.error:  # damage that the decoder met by an assertion
                break
            if not read or frame is None or not frame.size:
                break
            time_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if not 0 < time_s < math.inf:  # some containers hold no times
                time_s = index / self.frame_rate if self.frame_rate else 0.0
            yield Sample(self.name, index, time_s, frame)
            index += 1
        if index == 0:
            # Of a file with its index at the end a reader asks for parts, which not every server gives.
            advice = (
                "It is damaged, or its server gives no parts of files: download it, and give the file's path."
                if "://" in self.name
                else "It is damaged or cut short: copy it again."
            )
            raise SourceError(f"{self.name}: expected a video, got no frame that can be read. {advice}")
        if self._breaks_off(index, time_s):
            self._fail(
                f"{self.name}: breaks off after frame {index - 1} at {time_s:.2f} s: expected "
                f"{self.frame_count} frames as the file says, got {index}. It is cut short or damaged; what "
                "came before is kept."
            )

    def _breaks_off(self, frames: int, last_s: float) -> bool:
        """Whether frames are missing at the end, by the file's count of frames and by its times.

        By count alone a file of varying frame rate, whose count is often reckoned from its length, would
        seem cut short; a last frame without a image is usual.
        """
        if self.frame_count is None or self.frame_rate is None or frames + 1 >= self.frame_count:
            return False
        return (last_s + 0.001) * self.frame_rate + 2 < self.frame_count

    def close(self) -> None:
        self._capture.release()


class Device(NamedTuple):
    """An opened camera or stream: `read` is as `Live` takes it, `release` gives it back."""

    read: Callable[[], tuple[bool, np.ndarray | None]]
    release: Callable[[], None]


class Live(Source):
    """A camera or a stream: the newest frame, the ones before it dropped.

    `read` blocks until the next frame and gives `(True, frame)`, or `(False, None)` once there are no more;
    it runs in a thread from the start of the iteration to `close`, which waits for it and then calls
    `release`. A frame is `uint8`, BGR, gray or BGRA; one of another kind ends the iteration.

    Where there are no more frames, `reopen` is asked for the device anew after 0.5, 1, 2, 4, 8, 8 ...
    seconds, until `retry_s` seconds have gone by; each attempt is announced. It raises `SourceError` where
    it can't. None ends the iteration at once. `clock` gives seconds, `pause` lets so many pass (None: waits,
    but for `close`).

    `waiting` may be set to a function that is called about five times a second while no frame comes; where
    it gives False the iteration ends.
    """

    kind = "live"

    def __init__(
        self,
        name: str,
        read: Callable[[], tuple[bool, np.ndarray | None]],
        *,
        release: Callable[[], None] | None = None,
        reopen: Callable[[], Device] | None = None,
        retry_s: float = RETRY_S,
        frame_rate: float | None = None,
        announce: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] | None = None,
    ) -> None:
        super().__init__(name, announce)
        self.frame_rate = frame_rate
        self.waiting: Callable[[], bool] | None = None
        self._read = read
        self._release = release
        self._reopen = reopen
        self._retry_s = retry_s
        self._clock = clock
        self._pause = pause or self._wait
        self._changed = threading.Condition()
        self._slot: Sample | None = None
        self._error: Exception | None = None
        self._ended = self._closing = False
        self._thread = threading.Thread(target=self._fill, name=f"ferkit reads {name}", daemon=True)

    def __iter__(self) -> Iterator[Sample]:
        taken = 0
        self._thread.start()
        while True:
            with self._changed:
                # In short waits, because a wait without an end can't be interrupted on Windows.
                self._changed.wait_for(lambda: self._slot is not None or self._ended, 0.2)
                sample, self._slot = self._slot, None
                if sample is None and self._ended:
                    break
            if sample is not None:
                taken += 1
                yield sample
            elif self.waiting is not None and not self.waiting():
                return
        if self._closing:
            return
        reason = " ".join(str(self._error).split()) if self._error else ""  # OpenCV's have several lines
        if taken:
            self._fail(
                f"{self.name}: no more frames came after {taken + self.dropped}{reason and f': {reason}'}."
            )
        elif reason:
            raise SourceError(f"{self.name}: can't be read: {reason}.") from self._error
        else:
            raise SourceError(f"{self.name}: opened, but no frame came.")

    def close(self) -> None:
        with self._changed:
            self._closing = self._ended = True
            self._changed.notify_all()
        if self._thread.ident is not None:
            self._thread.join(CLOSE_S)
            if self._thread.is_alive():
                return  # a driver that hangs; to release a device while it is read would crash
        if self._release:
            self._release()
            self._release = None

    def _fill(self) -> None:
        start = self._clock()
        index = 0
        while not self._closing:
            try:
                frame = self._in_bgr(self._next_frame())
            except Exception as error:  # a driver's, which raises where none is expected to
                frame, self._error = None, error
            with self._changed:
                if frame is None:
                    self._ended = True
                else:
                    if self._slot is not None:
                        self.dropped += 1
                    self._slot = Sample(self.name, index, self._clock() - start, frame)
                self._changed.notify_all()
                if self._ended:
                    return
            index += 1

    def _next_frame(self) -> np.ndarray | None:
        """The device's next frame, or the first of the device opened anew; None where there are no more."""
        frame = self._read_frame()
        if frame is not None or self._reopen is None or self._retry_s <= 0:
            return frame
        lost_s, pause_s = self._clock(), FIRST_PAUSE_S
        while not self._closing and (left_s := self._retry_s - (self._clock() - lost_s)) > 0:
            pause_s = min(pause_s, left_s)
            self._tell(
                f"{self.name}: no frames come; trying again in {pause_s:.1f} s, for {left_s:.0f} s more."
            )
            if self._release:
                self._release()
                self._release = None
            self._pause(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            if self._closing:
                break
            try:
                self._read, self._release = self._reopen()
            except SourceError:
                continue
            except Exception as error:  # handed on, as that of a read
                self._error = error
                continue
            frame = self._read_frame()
            if frame is not None:
                self._tell(f"{self.name}: back after {self._clock() - lost_s:.1f} s.")
                return frame
        return None

    def _read_frame(self) -> np.ndarray | None:
        """The device's next frame; None, and the error kept, where it gives none."""
        try:
            read, frame = self._read()
        except Exception as error:  # handed on to the thread that iterates
            self._error = error
            return None
        self._error = None
        return frame if read and frame is not None and frame.size else None

    def _in_bgr(self, frame: np.ndarray | None) -> np.ndarray | None:
        """The frame as BGR; None, and the error kept, for one of another kind: its device works as it is."""
        try:
            return None if frame is None else bgr_frame(frame)
        except ValueError as error:
            self._error = error
            return None

    def _wait(self, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing, seconds)


def bgr_frame(frame: np.ndarray) -> np.ndarray:
    """A device's frame as `uint8` BGR `(height, width, 3)`, from BGR, gray or BGRA, whose alpha is left out.

    Gray is `(height, width)` or `(height, width, 1)`. Raises `ValueError` for any other.
    """
    channels = frame.shape[2] if frame.ndim == 3 else 1
    if frame.dtype != np.uint8 or frame.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise ValueError(
            "expected frames of uint8 (height, width) or (height, width, 1, 3 or 4), got "
            f"{frame.dtype} {frame.shape}. Set the device to a format that OpenCV decodes, such as MJPG"
        )
    if channels == 3:
        return frame
    return cv2.cvtColor(frame, cv2.COLOR_GRAY2BGR if channels == 1 else cv2.COLOR_BGRA2BGR)


def _standard_input() -> Iterable[bytes]:
    if sys.stdin is None:  # closed by whoever started this
        raise SourceError(
            "standard input: expected the path of a image in each line, but it is closed. Give the paths "
            "through a pipe or from a file."
        )
    return sys.stdin.buffer


def _open_list(sources: Sequence[str], announce: Callable[[str], None] | None) -> Source:
    """Several sources, which must be image files; absent ones are met when their turn comes."""
    for text in sources:
        path = Path(text)
        if text == "-" or "://" in text or text.isdecimal() or path.is_dir():
            raise SourceError(
                f"{text}: several sources must be images. Run ferkit once for each other source."
            )
        if path.is_file() and not is_image(path):
            raise SourceError(
                f"{text}: expected a image, as one of several sources, got "
                f"{kind_of_file(path, video_expected=False)}."
            )
    return Images(
        [Path(text) for text in sources], f"{len(sources)} images", kind="images", announce=announce
    )


def _open_video(path: Path, announce: Callable[[str], None] | None) -> Source:
    with path.open("rb") as file:
        start = file.read(64)
    if not start:
        raise SourceError(f"{path}: expected a image or a video, got an empty file. Copy or record it again.")
    capture = cv2.VideoCapture(opencv_name(path))
    if not capture.isOpened():
        raise SourceError(f"{path}: expected a image or a video that OpenCV reads, got {kind_of_file(path)}.")
    frame_rate = _positive(capture.get(cv2.CAP_PROP_FPS))
    if frame_rate is not None and not LOWEST_FRAME_RATE <= frame_rate <= HIGHEST_FRAME_RATE:
        measured = _measure_frame_rate(capture) or USUAL_FRAME_RATE
        frame_rate = min(max(measured, LOWEST_FRAME_RATE), HIGHEST_FRAME_RATE)
        capture.release()
        capture = cv2.VideoCapture(opencv_name(path))  # seeking back is not exact in every container
    return Video(str(path), capture, paths=[path], frame_rate=frame_rate, announce=announce)


def _measure_frame_rate(capture: cv2.VideoCapture) -> float | None:
    """Frames per second by the times of the first frames, which are taken out of the capture."""
    times_s: list[float] = []
    while len(times_s) < MEASURED_FRAMES and capture.grab():
        times_s.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    if len(times_s) < 2 or times_s[-1] <= times_s[0]:
        return None
    return (len(times_s) - 1) / (times_s[-1] - times_s[0])


def _open_camera(text: str, announce: Callable[[str], None] | None, retry_s: float) -> Source:
    name = f"camera {int(text)}" if text.isdigit() else text
    device = Path(f"/dev/video{int(text)}") if text.isdigit() else Path(text)

    def open_capture() -> cv2.VideoCapture:
        if text.isdigit():
            capture = cv2.VideoCapture(int(text))
        else:
            capture = cv2.VideoCapture(opencv_name(text), cv2.CAP_V4L2)
        if not capture.isOpened():
            raise SourceError(f"{name}: can't be opened: {_camera_trouble(device)}")
        return capture

    return _live(name, open_capture, announce, retry_s)


def _camera_trouble(device: Path) -> str:
    """What keeps a camera from being opened, as far as it can be found out, and what to do."""
    if not sys.platform.startswith("linux"):
        return "is it plugged in, not in use by another program, and may this program use cameras?"
    if not device.exists():
        others = [path.name.removeprefix("video") for path in device.parent.glob("video*")]
        others = sorted(filter(str.isdecimal, others), key=int)
        there = f"there are the cameras {', '.join(others)}" if others else "nor is there another camera"
        return f"there is no {device}, {there}. Plug it in, or name another."
    if not os.access(device, os.R_OK | os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        return (
            f"this user is not allowed to use {device}. Join its group, sudo usermod -aG video $USER, and "
            "log in again."
        )
    return (
        "another program uses it, or it gives no images: many cameras come as two devices, of which one "
        "does. Close the other program, or try the next number."
    )


def _open_stream(address: str, announce: Callable[[str], None] | None, retry_s: float) -> Source:
    name = re.sub(r"//[^/@]*@", "//", address)  # names appear on screens and in files: no password in them
    timeouts = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, STREAM_TIMEOUT_MS]
    timeouts += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, STREAM_TIMEOUT_MS]

    def open_capture() -> cv2.VideoCapture:
        capture = cv2.VideoCapture(opencv_name(address), cv2.CAP_FFMPEG, timeouts)
        if not capture.isOpened():
            raise SourceError(
                f"{name}: the stream can't be opened: expected video within {STREAM_TIMEOUT_MS // 1000} s. "
                "Check the address, the user and the password, that the sender runs, and what it sends."
            )
        return capture

    return _live(name, open_capture, announce, retry_s)


def _live(
    name: str,
    open_capture: Callable[[], cv2.VideoCapture],
    announce: Callable[[str], None] | None,
    retry_s: float,
) -> Source:
    """A live source, or a video where the sender says how many frames it has, as a web server's file does."""

    def reopen() -> Device:
        capture = open_capture()
        return Device(capture.read, capture.release)

    capture = open_capture()
    if _positive(capture.get(cv2.CAP_PROP_FRAME_COUNT)):
        return Video(name, capture, announce=announce)
    return Live(
        name,
        capture.read,
        release=capture.release,
        reopen=reopen,
        retry_s=retry_s,
        frame_rate=_positive(capture.get(cv2.CAP_PROP_FPS)),
        announce=announce,
    )


def _open_folder(folder: Path, announce: Callable[[str], None] | None) -> Source:
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and has_image_suffix(path))
    except OSError as error:
        raise SourceError(f"{folder}: can't be read: {error.strerror or error}.") from error
    if not paths:
        raise SourceError(
            f"{folder}: expected images in the folder ({', '.join(sorted(IMAGE_SUFFIXES))}), got none."
        )
    return Images(paths, str(folder), kind="images", announce=announce)


def _positive(value: float) -> float | None:
    return value if math.isfinite(value) and value > 0 else None
