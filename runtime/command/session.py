"""The outputs of a run: opened, written frame by frame, and finished; removed where no frame was read."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType

import numpy as np

from ..recognizer import Face
from .outputs import LinesFile, OutputError, image_targets, listed_target, write_image
from .sources import Source, SourceFrame
from .summary import Summary
from .summary_files import summary_paths, summary_stem, summary_text, write_summary_file
from .terminal import print_text, say
from .video_file import VideoFile

STDOUT = "-"


class Output:
    """Something that a run writes. Inside a `with` it is open.

    Attributes:
        option: The option that asked for it, such as "json"; None for lines that nobody asked for.
        takes_images: Whether it takes annotated frames.
        failed: Whether a part of it could not be written, or nobody reads it any more.
    """

    takes_images = False

    def __init__(self, option: str | None, target: str) -> None:
        """Takes the option and what it named: a path, or `-` for standard output."""
        self.option = option
        self.failed = False
        self._target = target
        self._files = ExitStack()

    def open(self) -> None:
        """Opens what needs to be open from the first frame to the last."""

    def fill(self, time_s: float) -> None:
        """Writes what is due before a frame of this time; a Ctrl-C may cut it short."""

    def write(self, frame: SourceFrame, faces: Sequence[Face], image: np.ndarray | None) -> None:
        """Writes a frame: its faces, or the annotated image, which is None where no output takes one."""
        raise NotImplementedError

    def close(self) -> None:
        """Finishes the file: it appears under its name, if a frame was written."""
        self._files.close()

    def finish(self) -> list[OutputError]:
        """Writes what is made of all frames, after every output was closed; returns what failed."""
        return []

    def names(self) -> list[str]:
        """Returns the names of the files that are whole."""
        return [] if self.failed or self._target == STDOUT else [self._target]

    def __enter__(self) -> Output:
        """Opens the output."""
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes the output; after an error, a file without a frame is removed."""
        self._files.__exit__(kind, error, traceback)


class Lines(Output):
    """Lines for the faces of each frame, in a file or on standard output."""

    def __init__(
        self,
        option: str | None,
        target: str,
        lines_of: Callable[[SourceFrame, Sequence[Face]], str],
        header: str = "",
    ) -> None:
        """Takes what makes the lines of a frame, and the line above all."""
        super().__init__(option, target)
        self._lines_of = lines_of
        self._header = header
        self._write: Callable[[str], None] = print_text

    def open(self) -> None:
        """Opens the file, or prints the header at once."""
        if self._target == STDOUT:
            print_text(self._header)
        else:
            self._write = self._files.enter_context(LinesFile(Path(self._target), header=self._header)).write

    def write(self, frame: SourceFrame, faces: Sequence[Face], image: np.ndarray | None) -> None:
        """Writes a frame's lines."""
        self._write(self._lines_of(frame, faces))


class AnnotatedImages(Output):
    """The annotated version of each image."""

    takes_images = True

    def __init__(self, target: str, source: Source) -> None:
        """Takes what `--save` named, and the source of the frames."""
        super().__init__("save", target)
        self._source = source
        self._targets: dict[Path, Path] = {}

    def open(self) -> None:
        """Chooses where each image goes, where the images are known beforehand."""
        if self._source.paths:
            single = self._source.kind == "image"
            self._targets = image_targets(self._target, self._source.paths, single=single)

    def write(self, frame: SourceFrame, faces: Sequence[Face], image: np.ndarray | None) -> None:
        """Writes an annotated image."""
        if image is None:
            return
        path = Path(frame.name)
        target = self._targets[path] if self._source.paths else listed_target(self._target, path)
        write_image(target, image)


class AnnotatedVideo(Output):
    """The annotated version of a video or a camera's frames."""

    takes_images = True

    def __init__(self, target: str, source: Source) -> None:
        """Takes what `--save` named, and the source of the frames."""
        super().__init__("save", target)
        self._source = source
        self._video: VideoFile | None = None

    def open(self) -> None:
        """Opens the video; its file is begun with the first frame."""
        path = Path(self._target)
        if path.resolve() in [read.resolve() for read in self._source.paths]:
            raise OutputError("would be overwritten by its own annotated version. Save elsewhere.", path=path)
        live = self._source.kind == "live"
        video = VideoFile(path, frame_rate=self._source.frame_rate, keep_time=True, live=live)
        self._video = self._files.enter_context(video)

    def fill(self, time_s: float) -> None:
        """Repeats the last frame until just before this time, which takes seconds after a long gap."""
        if self._video:
            self._video.fill(time_s)

    def write(self, frame: SourceFrame, faces: Sequence[Face], image: np.ndarray | None) -> None:
        """Writes an annotated frame."""
        if self._video and image is not None:
            self._video.write(image, frame.time_s)


class SummaryFiles(Output):
    """The summary of a video or a camera's frames: a printed table and three files, at the end."""

    def __init__(self, target: str, source: Source, *, table_to_stdout: bool) -> None:
        """Takes what `--summary` named; the table goes to standard output or to standard error."""
        super().__init__("summary", target)
        self._summary = Summary(source.name, frame_rate=source.frame_rate)
        self._table_to_stdout = table_to_stdout
        self._written: list[str] = []
        self._paths: list[Path] = []

    def open(self) -> None:
        """Tries to make the files, so that a fault is known before the first frame."""
        self._paths = summary_paths(summary_stem(self._target))
        for path in self._paths:
            with LinesFile(path):
                pass

    def write(self, frame: SourceFrame, faces: Sequence[Face], image: np.ndarray | None) -> None:
        """Takes in a frame's faces."""
        self._summary.add(frame, faces)

    def finish(self) -> list[OutputError]:
        """Prints the table and writes each file, whatever became of the others.

        Raises:
            BrokenPipeError: Nobody reads the table; the files are written.
        """
        self._summary.finish()
        failures: list[OutputError] = []
        try:
            self._print_table()
        except OutputError as error:
            failures.append(error)
        finally:
            for path in self._paths:
                try:
                    write_summary_file(self._summary, path)
                except OutputError as error:
                    failures.append(error)
                else:
                    self._written.append(str(path))
        return failures

    def names(self) -> list[str]:
        """Returns the names of the files that were written."""
        return self._written

    def _print_table(self) -> None:
        if self._table_to_stdout:
            print_text(summary_text(self._summary))
        elif sys.stderr is not None:
            with suppress(OSError):  # its terminal was closed
                print(summary_text(self._summary), end="", file=sys.stderr, flush=True)


class Session:
    """The outputs of one run. Where one of them fails, the others are finished all the same.

    Leaving the `with` closes what is open; an exception before the first frame leaves no file.

    Attributes:
        failures: What ended the run before its time, and what could not be written.
        reader_gone: Whether the reader of standard output, or of a pipe that was written, has gone.
    """

    def __init__(self) -> None:
        """Starts without an output."""
        self.failures: list[Exception] = []
        self.reader_gone = False
        self._outputs: list[Output] = []
        self._stack = ExitStack()

    def add(self, output: Output) -> None:
        """Opens an output.

        Raises:
            OutputError: It can't be written.
        """
        with self._blaming(output):
            self._stack.enter_context(output)
        self._outputs.append(output)

    @property
    def takes_images(self) -> bool:
        """Whether an output takes annotated frames."""
        return any(output.takes_images for output in self._outputs)

    def fill(self, time_s: float) -> None:
        """Writes what is due before a frame of this time; a Ctrl-C may cut it short."""
        for output in self._outputs:
            with self._blaming(output):
                output.fill(time_s)

    def write(self, frame: SourceFrame, faces: Sequence[Face], image: np.ndarray | None) -> None:
        """Writes a frame: lines first, because their reader need not wait until an image is encoded.

        Raises:
            OutputError: An output can't be written; `option` says which.
            BrokenPipeError: Nobody reads an output any more.
        """
        for output in sorted(self._outputs, key=lambda output: output.takes_images):
            with self._blaming(output):
                output.write(frame, faces, image)

    def close(self) -> None:
        """Finishes every output; what can't be finished is one of the `failures`."""
        for output in self._outputs:
            try:
                with self._blaming(output):
                    output.close()
            except OutputError as error:
                self.failures.append(error)

    def finish(self) -> None:
        """Says which files are whole, and writes what is made of all frames."""
        for output in self._outputs:
            try:
                self.failures += output.finish()
            except BrokenPipeError:
                self.reader_gone = True
            for name in output.names():
                say(f"wrote {name}")

    @contextmanager
    def _blaming(self, output: Output) -> Iterator[None]:
        """Notes which output failed, in the error and in the output."""
        try:
            yield
        except BrokenPipeError:
            output.failed = self.reader_gone = True
            raise
        except OutputError as error:
            output.failed = True
            error.option = output.option
            raise

    def __enter__(self) -> Session:
        """Returns the session."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes what is still open."""
        self._stack.__exit__(kind, error, traceback)
