"""What a run writes: annotated images, annotated videos, JSON lines, CSV.

Files appear under their names when they are whole. Where a run ends early, by a fault or by Ctrl-C, what was
written until then is whole too: lines end where a line ends, and a video can be played.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np

from ..recognizer import Face
from .sources import USUAL_FRAME_RATE, Sample

if sys.platform != "win32":
    import resource

# A video file's suffix: a codec that OpenCV's own packages write without a further one.
VIDEO_CODECS = {".mp4": "mp4v", ".avi": "MJPG"}
LONGEST_STILL_S = 60.0  # a longer gap between two frames is cut to this

# Encoding must leave a live source's time to the labels: what repeats cost makes the next gap longer.
ENCODING_SHARE = 0.5  # of the time between two frames
MOST_BEHIND_S = 1.0  # what encoding is late by and can still make good; what exceeds it is cut out
TRIAL_S = 0.5  # for finding how long encoding takes: the least counts, as other programs may be at work

# A video's index is written last and needs room: buffers, and less than 64 bytes a frame.
ROOM_BYTES, ROOM_BYTES_PER_FRAME = 2**20, 64

# Names of standard error: while a run keeps the libraries' lines off it, they lead nowhere.
STANDARD_ERROR = ("/dev/stderr", "/dev/fd/2", "/proc/self/fd/2")


class OutputError(ValueError):
    """A file can't be written."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path in the same folder, which becomes `path` at the end; an exception removes it.

    Where it can't become `path`, it is kept and named.

    What is no plain file, such as /dev/null or a pipe, is given itself. A link stays, and where it leads to
    is written.
    """
    with _writing(path):
        target = part = path
        if str(path) in STANDARD_ERROR:
            raise OutputError(
                f"{path}: expected a file or a pipe of its own: ferkit's own lines go to standard error. "
                "Name a file, or - for standard output."
            )
        if path.is_dir():
            raise OutputError(f"{path}: expected the name of a file, got a folder.")
        if path.is_file() or not path.exists():  # not for /dev/stdout: a pipe has no real path
            target = Path(os.path.realpath(path))
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f".{target.stem}.{os.getpid()}.part{target.suffix}")
    unfinished = part != target
    try:
        yield part
        if unfinished and part.exists():  # a run without a frame writes nothing
            unfinished = False
            with _writing(path, kept=f" What was written is in {part}."):
                part.replace(target)
    finally:
        if unfinished:
            with suppress(OSError):
                part.unlink(missing_ok=True)


@contextmanager
def _writing(path: Path, *, kept: str = "") -> Iterator[None]:
    """Say for a failure of the file system which file was being written, and what to do."""
    try:
        yield
    except BrokenPipeError as error:  # no fault: whoever read has enough
        error.filename = str(path)
        raise
    except OSError as error:
        raise OutputError(
            f"{path}: can't be written: {error.strerror or error}. Free some room there, or name a place "
            f"where this user may write.{kept}"
        ) from error


def _gone(path: Path) -> str:
    return f"{path}: was removed while it was written, or its folder was, and is lost."


class LinesFile:
    """A UTF-8 text file that is written line by line inside a `with`, and has whole lines however that ends.

    `header` stands above the first line. Where nothing was ever written, not even an empty text for a frame
    without a face, no file is left, and an older one stays.
    """

    def __init__(self, path: Path, *, header: str = "") -> None:
        self.path = path
        self._header = header
        self._written = False
        self._whole_bytes = 0
        self._whole = whole_file(path)

    def __enter__(self) -> LinesFile:
        self._part = self._whole.__enter__()
        with _writing(self.path):
            # Unbuffered: a killed process has written every line, and a full disk is met at the line it cuts.
            self._file = self._part.open("wb", buffering=0)
        return self

    def write(self, lines: str) -> None:
        """Add whole lines, each with its end. Raises `OutputError`; then the file ends before these lines."""
        # A file's name need not be text; JSON reads `\\udcff` for its byte FF.
        data = memoryview((self._take_header() + lines).encode(errors="backslashreplace"))
        with _writing(self.path):
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
            raise OutputError(_gone(self.path))


def write_image(path: Path, image: np.ndarray) -> None:
    """Write a frame, `uint8` BGR, as a image of the kind that the path's suffix says."""
    try:
        encoded = cv2.imencode(path.suffix.encode(errors="replace").decode(), image)[1]
    except cv2.error as error:
        raise OutputError(
            f"{path}: expected a suffix that OpenCV writes, such as .png or .jpg, got {path.suffix!r}."
        ) from error
    with whole_file(path) as part, _writing(path):
        part.write_bytes(encoded.tobytes())


def image_targets(target: str, paths: Sequence[Path], *, single: bool) -> dict[Path, Path]:
    """Where the annotated version of each image goes.

    A single image goes to `target` itself, unless that is a folder or ends in a slash. Otherwise
    `target` is a folder, in which the images keep their names and the folders below their common one; a
    kind that OpenCV reads and doesn't write becomes `.png`. Raises `OutputError` where a image would
    take the place of one that is read.
    """
    folder = Path(target)
    if single and not folder.is_dir() and not target.endswith(("/", os.sep)):
        if not folder.suffix or not _is_writable(folder):
            raise OutputError(f"{target}: expected a image file such as .png or .jpg, or a folder.")
        targets = {paths[0]: folder}
    else:
        _check_folder(folder)
        common = Path(os.path.commonpath([path.absolute().parent for path in paths]))
        targets = {path: folder / _writable(path.absolute().relative_to(common)) for path in paths}
    sources = {path.resolve() for path in paths}
    for path in targets.values():
        if path.resolve() in sources:
            raise OutputError(f"{path}: would be overwritten by its own annotated version. Save elsewhere.")
    return targets


def listed_target(target: str, path: Path) -> Path:
    """Where the annotated version of a image goes whose path came from a list without a known end.

    `target` is a folder, and the image keeps its folders as they were listed, without a root, a drive and
    `..`. Raises `OutputError` where it would take the place of the image itself.
    """
    folder = Path(target)
    _check_folder(folder)
    parts = [part for part in path.parts if part not in ("..", path.anchor)]
    place = folder / _writable(Path(*parts))
    if place.resolve() == path.resolve():
        raise OutputError(f"{place}: would be overwritten by its own annotated version. Save elsewhere.")
    return place


def _check_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder}: expected a folder for several images, got a file.")


def _writable(path: Path) -> Path:
    return path if _is_writable(path) else path.with_name(path.name + ".png")


def _is_writable(path: Path) -> bool:
    """Whether OpenCV writes this kind of image; asked for its suffix alone, as a name need not be UTF-8."""
    return cv2.haveImageWriter(f"x{path.suffix}".encode(errors="replace").decode())


class VideoFile:
    """A video file that is written frame by frame inside a `with`, and can be played however that ends.

    `frame_rate` is in frames per second. Where `keep_time` is set, a frame is repeated until the next
    one's time, so that frames that come unevenly play at their true speed, and stands still for 60 s at
    most. All frames take the size of the first, less a last odd row or column, which MPEG-4 doesn't have.

    Every frame is written, but for a source that doesn't wait, `live`. Its time is kept, too; frames that
    come faster than the frame rate are left out. The rate is lowered where encoding would take more than
    half of the time. Where encoding becomes slower later, time is cut out: repeats that take longer than
    the gap that they fill would make the next gap longer, and so on.
    """

    def __init__(
        self,
        path: Path,
        *,
        frame_rate: float | None,
        keep_time: bool = False,
        live: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if path.suffix.lower() not in VIDEO_CODECS:
            raise OutputError(f"{path}: expected a video file ending in {' or '.join(VIDEO_CODECS)}.")
        self.path = path
        self.frames = 0
        self._frame_rate = frame_rate or USUAL_FRAME_RATE
        self._keep_time = keep_time or live
        self._live = live
        self._clock = clock
        self._start_s = self._last_s = 0.0
        self._last_image = np.empty(0, np.uint8)
        self._writer: cv2.VideoWriter | None = None
        self._first_shape: tuple[int, ...] = ()
        self._size = (0, 0)
        self._whole = whole_file(path)

    def __enter__(self) -> VideoFile:
        self._part = self._whole.__enter__()
        try:
            str(self._part).encode()
        except UnicodeEncodeError:  # which would end the process, in OpenCV 4.14
            raise OutputError(f"{self.path}: expected a name in UTF-8. Name another file.") from None
        if self._part.exists() and not self._part.is_file():
            raise OutputError(f"{self.path}: expected the name of a file, as a video needs one.")
        return self

    def write(self, image: np.ndarray, time_s: float) -> None:
        """Add a frame, `uint8` BGR, of a time in seconds, after `fill`.

        Raises `OutputError` while there is still room for what makes the frames so far a video.
        """
        if self._writer is None:
            self._writer = self._open(image)
            self._start_s = self._last_s = time_s
        self.fill(time_s)
        self._last_image = self._fitted(image)
        # A frame that comes before its turn is left out of a live video; it may be what a gap repeats.
        if not self._live or self.frames <= self._number(time_s):
            self._add(self._last_image)

    def fill(self, time_s: float) -> None:
        """Repeat the last frame until just before a time in seconds; nothing before the first frame.

        A Ctrl-C may end this between two repeats: called before `write`, it need not wait for a long gap.
        Raises `OutputError` as `write` does.
        """
        if self._writer is None or not self._keep_time:
            return
        gap_s = time_s - self._last_s
        self._start_s += max(0.0, gap_s - LONGEST_STILL_S)
        self._last_s = time_s
        due = self._number(time_s)
        begin_s = self._clock()
        while self.frames < due:
            if self._live and self._clock() - begin_s >= ENCODING_SHARE * gap_s:
                break
            self._add(self._last_image)
        behind_s = (due - self.frames) / self._frame_rate
        self._start_s += max(0.0, behind_s - MOST_BEHIND_S)

    def _number(self, time_s: float) -> int:
        """Which of the file's frames, from 0, a source's time in seconds falls on."""
        return round((time_s - self._start_s) * self._frame_rate)

    def _add(self, image: np.ndarray) -> None:
        assert self._writer is not None
        self._check_room()
        self._writer.write(image)
        self.frames += 1

    def _fitted(self, image: np.ndarray) -> np.ndarray:
        """A frame in the video's size, which nobody else writes into."""
        if image.shape == self._first_shape:
            image = image[: self._size[1], : self._size[0]]
        if (image.shape[1], image.shape[0]) != self._size:
            image = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA)
        return np.array(image, order="C")

    def _open(self, image: np.ndarray) -> cv2.VideoWriter:
        self._first_shape = image.shape
        height, width = image.shape[:2]
        self._size = (max(2, width & ~1), max(2, height & ~1))
        self._check_room()
        with _writing(self.path), self._part.open("wb"):
            pass  # OpenCV says only that it failed, the file system says why
        if self._live:
            self._frame_rate = self._reachable_rate(self._fitted(image))
        return self._new_writer()

    def _new_writer(self) -> cv2.VideoWriter:
        codec = cv2.VideoWriter.fourcc(*VIDEO_CODECS[self.path.suffix.lower()])
        writer = cv2.VideoWriter(str(self._part), codec, self._frame_rate, self._size)
        if not writer.isOpened():
            if not self._part.exists():  # it was made a moment ago
                raise OutputError(_gone(self.path))
            self._part.unlink()
            width, height = self._size
            raise OutputError(
                f"{self.path}: the video can't be written: {self.path.suffix} doesn't take {width}x{height} "
                f"at {self._frame_rate:g} frames/s. Try {' or '.join(VIDEO_CODECS)}, or a smaller image."
            )
        return writer

    def _reachable_rate(self, image: np.ndarray) -> float:
        """The source's frame rate, or the whole one at which encoding takes its share of the time."""
        writer, encoding_s = self._new_writer(), math.inf
        trial_end_s = self._clock() + TRIAL_S
        while encoding_s * self._frame_rate > ENCODING_SHARE:
            begin_s = self._clock()
            writer.write(image)
            end_s = self._clock()
            encoding_s = min(encoding_s, end_s - begin_s)
            if end_s >= trial_end_s:
                break
        writer.release()  # the file is begun anew, at the rate that was found
        return min(self._frame_rate, max(1.0, ENCODING_SHARE / max(encoding_s, 1e-9) // 1))

    def _check_room(self) -> None:
        # OpenCV's writer says nothing of a full disk, and an .mp4 without its index can't be played.
        needed = ROOM_BYTES + ROOM_BYTES_PER_FRAME * self.frames + 6 * self._size[0] * self._size[1]
        if room_bytes(self._part) < needed:
            raise OutputError(
                f"{self.path}: the disk is full: the video ends after {self.frames} frames. Free some room "
                "there, or save elsewhere."
            )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        trouble = None
        if self._writer is not None:
            self._writer.release()
            trouble = self._trouble()
            if self.frames:
                kind = error = traceback = None
        self._whole.__exit__(kind, error, traceback)
        if trouble:
            raise OutputError(trouble)

    def _trouble(self) -> str | None:
        """What is wrong with the written video, None where nothing is; one that can't be played is removed.

        A disk of which a quota takes the room has shown more of it.
        """
        capture = cv2.VideoCapture(str(self._part))
        whole = capture.isOpened() and capture.get(cv2.CAP_PROP_FRAME_COUNT) >= self.frames
        playable = whole or (capture.isOpened() and capture.grab())
        capture.release()
        if whole or not self.frames:
            return None
        if not self._part.exists():
            return _gone(self.path)
        if playable:
            return (
                f"{self.path}: ends before its {self.frames} frames: is the disk full? Free some room there."
            )
        self._part.unlink(missing_ok=True)
        return (
            f"{self.path}: the video can't be played and is not kept: is the disk full? Free some room there."
        )


def room_bytes(path: Path) -> int:
    """How much may still be written to a file, by the disk and by the limit on the size of files."""
    with suppress(OSError):
        room = shutil.disk_usage(path.parent).free
        if sys.platform != "win32":
            limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
            if limit != resource.RLIM_INFINITY:
                room = min(room, limit - (path.stat().st_size if path.exists() else 0))
        return room
    return sys.maxsize  # a file system that doesn't say


def face_record(sample: Sample, number: int, face: Face) -> dict[str, Any]:
    """The JSON line of one face of one frame, as docs/output.md describes it.

    `number` counts a frame's faces from 0, in the recognizer's order.
    """
    scores = {label: round(float(score), 6) for label, score in zip(face.labels, face.scores, strict=True)}
    return {
        "source": sample.name,
        "frame": sample.index,
        "time_s": round(sample.time_s, 3),
        "face": number,
        "id": face.id,
        "box": list(face.box),
        "label": face.label,
        "scores": scores,
        "smoothed": face.smoothed,
        "confidence": round(face.confidence, 6),
    }


def json_lines(sample: Sample, faces: Sequence[Face]) -> str:
    """A line of JSON for each face of a frame."""
    records = (face_record(sample, number, face) for number, face in enumerate(faces))
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def csv_header(labels: Sequence[str]) -> str:
    """The line above the rows of `csv_lines`, for a model with these labels."""
    columns = ["source", "frame", "time_s", "face", "id", "x", "y", "width", "height", "label"]
    return _csv_line([*columns, *labels, "smoothed", "confidence"])


def csv_lines(sample: Sample, faces: Sequence[Face]) -> str:
    """A line of CSV for each face of a frame, with the values of `face_record`.

    It is RFC 4180 but for the plain line feed at the end. A face without an id has an empty cell; `smoothed`
    is `true` or `false`.
    """
    lines = []
    for number, face in enumerate(faces):
        record = face_record(sample, number, face)
        record["smoothed"] = json.dumps(record["smoothed"])
        cells = [part for value in record.values() for part in _cells(value)]
        lines.append(_csv_line(cells))
    return "".join(lines)


def _cells(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else [value]


def _csv_line(cells: Sequence[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()
