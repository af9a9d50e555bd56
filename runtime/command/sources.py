"""Where frames come from: what every source has in common, images, and videos.

A file gives every frame, in order. A camera or a stream gives the newest (`live.py`). `open_source.py` opens
what a user names.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

from ..images import SourceError, read_image

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

    @property
    def is_still(self) -> bool:
        """Whether its frames are images, which have no time."""
        return self.kind in ("image", "images")

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
            raise SourceError("expected the path of an image in each line, got none.", path=self.name)


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
        self.frame_rate = frame_rate or positive(capture.get(cv2.CAP_PROP_FPS))
        count = positive(capture.get(cv2.CAP_PROP_FRAME_COUNT))
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
            raise SourceError(f"expected a video, got no frame that can be read. {advice}", path=self.name)
        if self._breaks_off(index, time_s):
            self._fail(
                f"{self.name}: breaks off after frame {index - 1} at {time_s:.2f} s: expected "
                f"{self.frame_count} frames as the file says, got {index}. It is cut short or damaged; what "
                "came before is kept."
            )

    def _breaks_off(self, frames: int, last_s: float) -> bool:
        """Whether frames are missing at the end, by the file's count of frames and by its times.

        By count alone a file of varying frame rate, whose count is often reckoned from its length, would
        seem cut short; a last frame without an image is usual.
        """
        if self.frame_count is None or self.frame_rate is None or frames + 1 >= self.frame_count:
            return False
        return (last_s + 0.001) * self.frame_rate + 2 < self.frame_count

    def close(self) -> None:
        self._capture.release()


def positive(value: float) -> float | None:
    return value if math.isfinite(value) and value > 0 else None
