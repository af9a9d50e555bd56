"""Sources of frames: images and videos, and what every source has in common.

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

USUAL_FRAME_RATE = 25.0  # frames per second, where none can be measured


@dataclass(frozen=True, eq=False)
class SourceFrame:
    """One frame of a source.

    Attributes:
        name: The source's name, or the image's path.
        index: The frame's number in the source from 0; dropped frames count.
        time_s: Seconds since the start of the video, or since the camera was asked for its first frame; 0 for
            images.
        pixels: `uint8` BGR `(height, width, 3)`.
    """

    name: str
    index: int
    time_s: float
    pixels: np.ndarray


class Source:
    """An opened source: iterate over its frames inside a `with`, which closes it.

    Attributes:
        kind: "image", "images", "video" or "live".
        name: How it is called in lines for people.
        frame_rate: Frames per second; None where the source doesn't say.
        frame_count: The number of its frames; None where the source doesn't say.
        dropped: The frames of a live source that nobody took.
        paths: The files behind it.
        failures: A line for each thing that could not be read while the rest went on.
    """

    kind: str
    frame_rate: float | None = None
    frame_count: int | None = None
    dropped: int = 0
    paths: Sequence[Path] = ()

    def __init__(self, name: str, announce: Callable[[str], None] | None = None) -> None:
        """Takes the name, and what gets each line for the user at once."""
        self.name = name
        self.failures: list[str] = []
        self._announce = announce

    @property
    def is_still(self) -> bool:
        """Whether its frames are images, which have no time."""
        return self.kind in ("image", "images")

    def __iter__(self) -> Iterator[SourceFrame]:
        """Yields the frames, once."""
        raise NotImplementedError

    def close(self) -> None:
        """Gives back what the source holds."""

    def __enter__(self) -> Source:
        """Returns the source."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes the source."""
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
        """Takes the paths; `kind` is "image" or "images"."""
        super().__init__(name, announce)
        self.paths = paths
        self.kind = kind
        self.frame_count = len(paths)

    def __iter__(self) -> Iterator[SourceFrame]:
        """Yields a frame per image; of several images one that can't be read becomes a line in `failures`."""
        for index, path in enumerate(self.paths):
            try:
                frame = read_image(path)
            except SourceError as error:
                if self.kind == "image":
                    raise
                self._fail(str(error))
                continue
            yield SourceFrame(str(path), index, 0.0, frame)


class ImageList(Source):
    """Images whose paths come one per line; each is read as soon as its line has come."""

    kind = "images"

    def __init__(self, lines: Iterable[bytes], *, announce: Callable[[str], None] | None = None) -> None:
        """Takes the lines, whose bytes need not be UTF-8."""
        super().__init__("standard input", announce)
        self._lines = lines

    def __iter__(self) -> Iterator[SourceFrame]:
        """Yields a frame per line that isn't empty."""
        index = 0
        for line in self._lines:
            text = os.fsdecode(line.rstrip(b"\r\n"))
            if not text:
                continue
            try:
                yield SourceFrame(text, index, 0.0, read_image(Path(text)))
            except SourceError as error:
                self._fail(str(error))
            index += 1
        if index == 0:
            raise SourceError("expected the path of an image in each line, got none.", path=self.name)


class Video(Source):
    """A video of known length. `capture` is opened, and released by `close`.

    Attributes:
        frames: The number of frames that were read so far, with those that were left out.
        end_s: The time of the last one, in seconds.
    """

    kind = "video"

    def __init__(
        self,
        name: str,
        capture: cv2.VideoCapture,
        *,
        paths: Sequence[Path] = (),
        frame_rate: float | None = None,
        every_s: float = 0.0,
        announce: Callable[[str], None] | None = None,
    ) -> None:
        """Takes an opened video.

        Args:
            name: How it is called.
            capture: The opened video.
            paths: The file.
            frame_rate: Frames per second, where the file's own is no use.
            every_s: Yields the first frame of each so many seconds; 0: every frame.
            announce: Gets each line for the user.
        """
        super().__init__(name, announce)
        self.paths = paths
        self.frames, self.end_s = 0, 0.0
        self._capture = capture
        self._every_s = every_s
        self.frame_rate = frame_rate or positive(capture.get(cv2.CAP_PROP_FPS))
        count = positive(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.frame_count = None if count is None else round(count)

    def __iter__(self) -> Iterator[SourceFrame]:
        """Yields the frames; a video that ends too early becomes a line in `failures`."""
        due_s = 0.0
        while (time_s := self._advance()) is not None:
            if time_s >= due_s:
                pixels = self._decode()
                if pixels is None:
                    break
                yield SourceFrame(self.name, self.frames, time_s, pixels)
                if self._every_s:
                    due_s = (math.floor(time_s / self._every_s + 1e-6) + 1) * self._every_s
            self.frames += 1
            self.end_s = time_s
        if self.frames == 0:
            # A file with its index at the end is read in parts, which not every server gives.
            advice = (
                "It is damaged, or its server gives no parts of files: download it, and give the file's path."
                if "://" in self.name
                else "It is damaged or cut short: copy it again."
            )
            raise SourceError(f"expected a video, got no frame that can be read. {advice}", path=self.name)
        if self._breaks_off():
            self._fail(
                f"{self.name}: breaks off after frame {self.frames - 1} at {self.end_s:.2f} s: expected "
                f"{self.frame_count} frames as the file says, got {self.frames}. It is cut short or damaged; "
                "what came before is kept."
            )

    def _advance(self) -> float | None:
        """Goes to the next frame and returns its time in seconds; None where there is none."""
        try:
            if not self._capture.grab():
                return None
        except cv2.error:  # damage that fails an assertion of the decoder
            return None
        time_s = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
        if not 0 < time_s < math.inf:  # some containers hold no times
            time_s = self.frames / self.frame_rate if self.frame_rate else 0.0
        return time_s

    def _decode(self) -> np.ndarray | None:
        """Returns the pixels of the frame; None where it is damaged."""
        try:
            read, pixels = self._capture.retrieve()
        except cv2.error:
            return None
        return pixels if read and pixels is not None and pixels.size else None

    def _breaks_off(self) -> bool:
        """Returns whether frames are missing at the end, by the file's count of frames and by its times.

        The count alone won't do: that of a file with a varying frame rate is often computed from its length.
        A last frame without an image is usual.
        """
        if self.frame_count is None or self.frame_rate is None or self.frames + 1 >= self.frame_count:
            return False
        return (self.end_s + 0.001) * self.frame_rate + 2 < self.frame_count

    def close(self) -> None:
        """Closes the video."""
        self._capture.release()


def positive(value: float) -> float | None:
    """Returns a number that is finite and above 0, None in place of any other."""
    return value if math.isfinite(value) and value > 0 else None
