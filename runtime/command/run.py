"""`ferkit run`: every frame of a source through the recognizer and into the outputs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import numpy as np

from ..drawing.overlay import Overlay, draw_faces
from ..images import SourceError
from ..recognizer import Face, Recognizer
from ..signals import uninterrupted
from .exit_codes import ERRORS, EXIT_CODES, IN_PART, INTERRUPTED, NO_READER, OK, exit_code_of
from .lines import csv_header, csv_lines, json_lines, text_lines
from .live import Live
from .open_source import open_source
from .progress import Progress
from .session import STDOUT, AnnotatedImages, AnnotatedVideo, Lines, Session, SummaryFiles
from .sources import Source, SourceFrame
from .terminal import say
from .usage import check_usage
from .window import Window


def run(options: argparse.Namespace) -> int:
    """Labels every frame of a source; returns the exit code.

    What fails before the first frame was labelled raises one of `ERRORS`. What fails later ends the run, and
    what was written until then is kept.
    """
    with ExitStack() as stack:
        source = stack.enter_context(open_source(options.source, announce=say, retry_s=options.retry))
        check_usage(options, source)
        session = stack.enter_context(Session())
        labelling = _open(options, source, session, stack)
        interrupted = labelling.label_frames(options.limit_frames)
        frames = labelling.progress.frames
        with uninterrupted():
            labelling.progress.end()
            session.close()
            stack.close()
            if not (session.reader_gone or source.is_still):
                say(labelling.progress.summary())
            if frames:
                session.finish()
    for failure in session.failures:
        say(str(failure))
    if session.failures:
        return exit_code_of(session.failures[0])
    if session.reader_gone:
        return NO_READER
    if interrupted:
        return INTERRUPTED
    if source.failures:
        return IN_PART if frames else EXIT_CODES[SourceError]
    return OK


def _open(options: argparse.Namespace, source: Source, session: Session, stack: ExitStack) -> Labelling:
    """Opens the outputs, the window and the recognizer, which `stack` closes."""
    still = source.is_still
    if options.save:
        session.add((AnnotatedImages if still else AnnotatedVideo)(options.save, source))
    if options.json:
        session.add(Lines("json", options.json, json_lines))
    window = stack.enter_context(Window(f"ferkit: {source.name}")) if options.show else None
    recognizer = stack.enter_context(
        Recognizer(
            options.model,
            options.detector,
            options.threads,
            engine=options.engine,
            small_faces=options.small_faces,
            offline=options.offline,
            announce=say,
        )
    )
    faces_of = _faces_of(recognizer, options, still=still)
    if options.csv:
        session.add(Lines("csv", options.csv, csv_lines, csv_header(recognizer.model.labels)))
    on_stdout = STDOUT in (options.json, options.csv)
    if options.summary:
        session.add(SummaryFiles(options.summary, source, table_to_stdout=not on_stdout))
    asked_for = options.save or options.json or options.csv or options.summary or window
    as_text = not on_stdout if still else not asked_for
    if as_text:
        session.add(Lines(None, STDOUT, partial(text_lines, timed=not still)))
    progress = Progress(source, on_terminal=sys.stderr.isatty() and not as_text)
    if window and isinstance(source, Live):
        source.waiting = window.poll
    return Labelling(source, session, window, faces_of, draw_faces if still else Overlay(), progress)


def _faces_of(
    recognizer: Recognizer, options: argparse.Namespace, *, still: bool
) -> Callable[[SourceFrame], list[Face]]:
    """Returns what finds the faces of a frame: of images each for itself, otherwise by a stream."""
    if still:
        return lambda frame: recognizer.recognize(frame.pixels)
    stream = recognizer.stream(
        detect_every=options.detect_every,
        smooth=not options.no_smoothing,
        time_constant_s=options.time_constant,
        threshold=options.threshold,
    )
    return lambda frame: stream.recognize(frame.pixels, frame.time_s)


@dataclass
class Labelling:
    """Takes frames from the source, labels their faces, and hands both to the outputs and the window."""

    source: Source
    session: Session
    window: Window | None
    faces_of: Callable[[SourceFrame], list[Face]]
    draw: Callable[[np.ndarray, list[Face], str], np.ndarray]
    progress: Progress

    def label_frames(self, limit: int | None) -> bool:
        """Labels the frames until the source, the limit or the user ends them.

        Args:
            limit: The number of frames; None for all.

        Returns:
            Whether it was interrupted.
        """
        try:
            for frame in self.source:
                if not self._label(frame) or self.progress.frames == limit:
                    break
        except KeyboardInterrupt:
            return True
        except BrokenPipeError:
            self.session.reader_gone = True
        except ERRORS as error:
            if not self.progress.frames:
                raise
            self.session.failures.append(error)
        return False

    def _label(self, frame: SourceFrame) -> bool:
        """Labels a frame; returns whether to go on."""
        self.session.fill(frame.time_s)  # outside of `uninterrupted`: after a long gap it takes seconds
        faces = self.faces_of(frame)
        self.progress.count(len(faces))
        image = None
        if self.window or self.session.takes_images:
            image = self.draw(frame.pixels, faces, self._status())
        with uninterrupted():
            self.session.write(frame, faces, image)
        return self.window is None or image is None or self._show(self.window, image, frame)

    def _status(self) -> str:
        """Returns the overlay's line: frames per second, and how many a camera's run dropped.

        Images have none, nor has a file that is saved: how quickly it was labelled is no part of it.
        """
        live = self.source.kind == "live"
        if self.source.is_still or (self.session.takes_images and not live):
            return ""
        dropped = f"   {self.source.dropped} dropped" if live else ""
        return f"{self.progress.frame_rate():.0f} frames/s{dropped}"

    def _show(self, window: Window, image: np.ndarray, frame: SourceFrame) -> bool:
        """Shows a frame: a video at its own speed, an image until a key; returns whether to go on."""
        if self.source.is_still:
            return window.show(image, wait_s=None)
        early_s = frame.time_s - self.progress.seconds() if self.source.kind == "video" else 0.0
        return window.show(image, wait_s=max(0.0, early_s))
