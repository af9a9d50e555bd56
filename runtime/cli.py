"""The command `ferkit`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np

from . import __version__
from .card import CardError
from .detectors import DetectorError, fetch_detector
from .engines import ENGINES, EngineError
from .model import DEFAULT_MODEL, ModelError, released_models
from .outputs import OutputError, VideoFile, json_lines, picture_targets, text_file, write_picture
from .overlay import draw_faces, draw_status
from .recognizer import Face, Recognizer
from .sources import Sample, Source, SourceError, open_source
from .window import Window, WindowError

OK, FAILURE, INTERRUPTED = 0, 1, 130  # argparse exits with 2 for wrong usage

# What a user can mend: said in one line, without a traceback.
ERRORS = (CardError, DetectorError, EngineError, ModelError, OutputError, SourceError, WindowError)

EPILOG = """\
exit codes: 0 done, 1 failed (in a folder: a picture could not be read), 2 wrong usage, 130 stopped by Ctrl-C
"""
RUN_EPILOG = """\
examples:
  ferkit run photo.jpg                        a line for each face
  ferkit run photos/ --save labelled/         every picture of a folder
  ferkit run clip.mp4 --save labelled.mp4 --json faces.jsonl
  ferkit run 0 --show                         camera 0 in a window; q or Esc ends it
  ferkit run rtsp://camera.local/live --json -

"""

PROGRESS_S = 0.5  # between two updates of the progress line
RATE_FRAMES = 30  # the frames that a shown frame rate is the mean of

Save = Callable[[Sample, np.ndarray], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, or with the process's; returns the exit code."""
    # OpenCV writes several lines to standard error for what is said here in one.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    if "OPENCV_LOG_LEVEL" not in os.environ:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    options = build_parser().parse_args(arguments)
    try:
        code = options.command(options)
        sys.stdout.flush()  # so that a closed pipe is met here and not at exit
        return code
    except ERRORS as error:
        _say(str(error))
        return FAILURE
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read standard output (`| head`) has gone; at exit Python would try it once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE


def build_parser() -> argparse.ArgumentParser:
    """The arguments of every command; `options.command` is the function that carries it out."""
    parser = argparse.ArgumentParser(
        prog="ferkit",
        description="Facial expressions of every face in a picture, a video or a camera.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ferkit {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    run_parser = commands.add_parser(
        "run",
        help="label the faces of a source",
        description="Label every face of a picture, a folder, a video, a stream or a camera.",
        epilog=RUN_EPILOG + EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = run_parser.add_argument
    add(
        "source",
        metavar="SOURCE",
        help="picture, folder, glob in quotes, video, stream address, or camera number",
    )
    add("--show", action="store_true", help="show the frames in a window; q or Esc ends it")
    add(
        "--save",
        metavar="PATH",
        help="write the annotated picture, pictures (a folder) or video (.mp4, .avi)",
    )
    add("--json", metavar="PATH", help="write a JSON line per face per frame; - is standard output")
    add("--model", default=DEFAULT_MODEL, help="released model or model file (default: %(default)s)")
    add(
        "--detector",
        metavar="haar|yunet|PATH",
        help="face detector, or the path of a YuNet .onnx file (default: YuNet, else Haar)",
    )
    add("--engine", choices=list(ENGINES), help="what runs the model (default: the one that is installed)")
    add("--threads", type=_positive, default=1, metavar="N", help="the engine's threads (default: 1)")
    add("--offline", action="store_true", help="never use the network for YuNet's file")
    add("--limit-frames", type=_positive, metavar="N", help="stop after N frames")
    run_parser.set_defaults(command=run)

    fetch_parser = commands.add_parser(
        "fetch-detector", help="download YuNet's file beforehand, once", epilog=EPILOG
    )
    fetch_parser.set_defaults(command=fetch)
    models_parser = commands.add_parser(
        "models", help="list the released models with their cards' facts", epilog=EPILOG
    )
    models_parser.set_defaults(command=list_models)
    return parser


def run(options: argparse.Namespace) -> int:
    """`ferkit run`: every frame of a source through the recognizer and into what was asked for."""
    interrupted = False
    with ExitStack() as stack:
        source = stack.enter_context(open_source(options.source, announce=_say))
        save = _open_save(stack, options.save, source) if options.save else None
        write = _open_json(stack, options.json) if options.json else None
        window = stack.enter_context(Window(f"ferkit: {source.name}")) if options.show else None
        recognize = stack.enter_context(
            Recognizer(
                options.model,
                options.detector,
                options.threads,
                engine=options.engine,
                offline=options.offline,
                announce=_say,
            )
        )
        still = source.kind in ("picture", "pictures")
        as_text = options.json != "-" if still else not (save or write or window)
        progress = Progress(source, on_terminal=sys.stderr.isatty() and not as_text)
        try:
            for sample in source:
                faces = recognize(sample.frame)
                progress.count(len(faces))
                if as_text:
                    print(text_lines(sample, faces, timed=not still), end="", flush=True)
                if write:
                    write(json_lines(sample, faces))
                if save or window:
                    picture = draw_faces(sample.frame, faces)
                    if save:
                        save(sample, picture)
                    if window and not _show(window, picture, sample, source, progress):
                        break
                if progress.frames == options.limit_frames:
                    break
        except KeyboardInterrupt:
            interrupted = True  # what was written until here is kept, and closed below
        progress.end()
    if not still:
        _say(progress.summary())
    for path in filter(None, (options.save, options.json)):
        if path != "-" and progress.frames:
            _say(f"wrote {path}")
    if interrupted:
        return INTERRUPTED
    return FAILURE if source.failures else OK


def fetch(options: argparse.Namespace) -> int:
    """`ferkit fetch-detector`."""
    print(fetch_detector(announce=_say))
    return OK


def list_models(options: argparse.Namespace) -> int:
    """`ferkit models`: a line per released file: model, file, precision, size, accuracy, what it is."""
    released = released_models()
    if not released:
        _say("this installation holds no released model: give --model the path of a model file.")
        return FAILURE
    rows = [("MODEL", "FILE", "PRECISION", "KB", "FER2013 TEST", "DESCRIPTION")]
    for path, card in released:
        test = (card["accuracy"] or {}).get("test")
        accuracy = "not measured" if test is None else f"{100 * test:.2f} %"
        size = f"{card['bytes'] / 1000:.0f}"
        rows.append((card["model"], path.name, card["precision"], size, accuracy, card["description"]))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return OK


def text_lines(sample: Sample, faces: Sequence[Face], *, timed: bool) -> str:
    """A readable line for each face of a frame: its label, how sure, and its box."""
    where = f"{sample.name} {sample.time_s:.2f} s" if timed else sample.name
    if not faces and not timed:
        return f"{where}: no face found\n"
    lines = []
    for face in faces:
        x, y, width, height = face.box
        lines.append(f"{where}: {face.label} {face.score:.0%}, box {width}x{height} at ({x}, {y})\n")
    return "".join(lines)


class Progress:
    """Counts frames and faces, and keeps one line about them on a terminal."""

    def __init__(
        self, source: Source, *, on_terminal: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.frames = self.faces = 0
        self._source = source
        self._on_terminal = on_terminal
        self._clock = clock
        self._start = self._said = clock()
        self._times: deque[float] = deque(maxlen=RATE_FRAMES + 1)

    def count(self, faces: int) -> None:
        """Count a frame with so many faces."""
        self.frames += 1
        self.faces += faces
        now = self._clock()
        self._times.append(now)
        if self._on_terminal and now - self._said >= PROGRESS_S:
            self._said = now
            print(f"\r\033[K{self.line()}", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Clear the line."""
        if self._on_terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def seconds(self) -> float:
        """Since the first frame was asked for."""
        return self._clock() - self._start

    def frame_rate(self) -> float:
        """Frames per second, the mean of the last ones."""
        if len(self._times) < 2 or self._times[-1] <= self._times[0]:
            return 0.0
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])

    def line(self) -> str:
        """Where the run stands."""
        count = self._source.frame_count
        return (
            f"{self._source.name}: frame {self.frames}{f' of {count}' if count else ''}, "
            f"{self.frame_rate():.1f} frames/s{self._dropped()}"
        )

    def summary(self) -> str:
        """What the whole run was."""
        seconds = self.seconds()
        rate = self.frames / seconds if seconds > 0 else 0.0
        return (
            f"{self._source.name}: {self.frames} frames{self._dropped()}, {self.faces} faces "
            f"in {seconds:.1f} s ({rate:.1f} frames/s)"
        )

    def _dropped(self) -> str:
        return f", {self._source.dropped} dropped" if self._source.kind == "live" else ""


def _open_json(stack: ExitStack, target: str) -> Callable[[str], object]:
    if target == "-":
        return lambda lines: print(lines, end="", flush=True)
    return stack.enter_context(text_file(Path(target))).write


def _open_save(stack: ExitStack, target: str, source: Source) -> Save:
    if source.kind in ("picture", "pictures"):
        targets = picture_targets(target, source.paths, single=source.kind == "picture")
        return lambda sample, picture: write_picture(targets[Path(sample.name)], picture)
    path = Path(target)
    if path.resolve() in [source_path.resolve() for source_path in source.paths]:
        raise OutputError(f"{path}: would be overwritten by its own annotated version. Save elsewhere.")
    keep_time = source.kind == "live"
    video = stack.enter_context(VideoFile(path, frame_rate=source.frame_rate, keep_time=keep_time))
    return lambda sample, picture: video.write(picture, sample.time_s)


def _show(window: Window, picture: np.ndarray, sample: Sample, source: Source, progress: Progress) -> bool:
    """Show a frame: a video at its own speed, a picture until a key; returns whether to go on."""
    if source.kind in ("picture", "pictures"):
        return window.show(picture, wait_s=None)
    status = f"{progress.frame_rate():.0f} frames/s"
    if source.kind == "live":
        status += f"   {source.dropped} dropped"
    draw_status(picture, status)
    early_s = sample.time_s - progress.seconds() if source.kind == "video" else 0.0
    return window.show(picture, wait_s=max(0.0, early_s))


def _say(line: str) -> None:
    print(f"ferkit: {line}", file=sys.stderr, flush=True)


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of 1 or more, got {text!r}")
    return number
