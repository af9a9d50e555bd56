"""The command `ferkit`."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import numpy as np

from .. import __version__, opencv_log
from ..card import CardError
from ..detectors import DetectorError, fetch_detector
from ..drawing.overlay import Overlay, draw_faces
from ..engines import ENGINES, EngineError
from ..images import SourceError
from ..model import DEFAULT_MODEL, MOST_THREADS, ModelError, released_models
from ..recognizer import Face, Recognizer, Stream
from ..signals import terminate_as_interrupt, uninterrupted
from ..smoothing import LEAST_SCORE, TIME_CONSTANT_S
from .lines import csv_header, csv_lines, json_lines
from .live import RETRY_S, Live
from .open_source import open_source
from .outputs import LinesFile, OutputError, image_targets, listed_target, write_image
from .progress import CLEAR_LINE, Progress, terminal_text
from .sources import Sample, Source
from .summary import Summary
from .summary_files import summary_paths, summary_stem, summary_text, write_summary_file
from .verify import FAILED, verify
from .video_file import VideoFile
from .window import Window, WindowError


class UsageError(ValueError):
    """Flags that don't go together, or not with this source."""


OK, IN_PART, FAULT, INTERRUPTED, NO_READER = 0, 1, 70, 130, 141

# What a user can mend, said in one line without a traceback: the exit code for it.
EXIT_CODES: dict[type[Exception], int] = {
    UsageError: 2,  # as argparse has it
    SourceError: 3,
    ModelError: 4,
    CardError: 4,
    EngineError: 4,
    DetectorError: 5,
    OutputError: 6,
    WindowError: 7,
}
ERRORS = tuple(EXIT_CODES)

EPILOG = """\
exit codes:
  0    done
  1    done in part (a image can't be read, a video breaks off, a camera was lost), or a check failed
  2    wrong usage
  3    the source can't be opened or read, or of several images none
  4    the model, its card or its engine can't be used
  5    the face detector can't be had
  6    a file can't be written: no permission, no room; what was written before is whole
  7    no window can be opened
  70   a fault of ferkit itself; please report it
  130  stopped by Ctrl-C, SIGTERM or SIGHUP; what was written before is whole
  141  whoever read standard output, or a pipe that was written, has gone
"""
RUN_EPILOG = """\
examples:
  ferkit run photo.jpg                        a line for each face
  ferkit run photos/ --save labelled/         every image of a folder
  ferkit run clip.mp4 --save labelled.mp4 --json faces.jsonl
  ferkit run 0 --show                         camera 0 in a window; q or Esc ends it
  ferkit run rtsp://camera.local/live --json -
  ferkit run clip.mp4 --csv faces.csv --summary clip   clip.md, clip.json and the timeline clip.png
  find photos -name '*.jpg' | ferkit run -    paths from standard input, one a line

"""

NOWHERE = Path(os.devnull).resolve()
STANDARD_OUTPUT = ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")  # other names of `-`

Fill = Callable[[float], None]
Save = Callable[[Sample, np.ndarray], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, or with the process's; returns the exit code."""
    # OpenCV writes several lines to standard error for what is said here in one.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    if "OPENCV_LOG_LEVEL" not in os.environ:
        opencv_log.set_log_level(opencv_log.SILENT)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a file's name need not be text, nor a terminal know its letters
            stream.reconfigure(errors="backslashreplace")
    try:
        options = build_parser().parse_args(arguments)
        # Qt says why it ends the process, and nobody else does.
        quiet = quiet_libraries if not getattr(options, "show", False) else ExitStack
        with terminate_as_interrupt(), quiet():
            code = options.command(options)
            _print("")  # so that a closed pipe is met here and not at exit
            return code
    except ERRORS as error:
        _say(str(error))
        return _exit_code(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _give_up_stdout()
        return NO_READER
    except Exception as error:
        if os.environ.get("FERKIT_VERBOSE"):
            raise
        reason = " ".join(str(error).split())[:300]
        _say(
            f"a fault of ferkit itself: {type(error).__name__}: {reason}. FERKIT_VERBOSE=1 shows where; "
            "please report it, with the file if it can be shown."
        )
        return FAULT


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep the lines that C libraries write (libpng, FFmpeg, engines) off standard error inside the `with`.

    What goes wrong is said by ferkit, once. FERKIT_VERBOSE=1 leaves them in, and so does a standard error
    that is no file.
    """
    terminal = sys.stderr
    try:
        is_file = terminal.fileno() == 2
    except (AttributeError, OSError, ValueError):
        is_file = False
    if not is_file or os.environ.get("FERKIT_VERBOSE"):
        yield
        return
    terminal.flush()
    kept = os.dup(2)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)
    os.close(silence)
    sys.stderr = os.fdopen(
        kept, "w", buffering=1, encoding=terminal.encoding, errors="backslashreplace", closefd=False
    )
    try:
        yield
    finally:
        sys.stderr.flush()
        sys.stderr = terminal
        os.dup2(kept, 2)
        os.close(kept)


def build_parser() -> argparse.ArgumentParser:
    """The arguments of every command; `options.command` is the function that carries it out."""
    parser = argparse.ArgumentParser(
        prog="ferkit",
        description="Facial expressions of every face in a image, a video or a camera.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ferkit {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    run_parser = commands.add_parser(
        "run",
        help="label the faces of a source",
        description="Label every face of a image, a folder, a video, a stream or a camera.",
        epilog=RUN_EPILOG + EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = run_parser.add_argument
    add(
        "source",
        metavar="SOURCE",
        nargs="+",
        help="image, several images, folder, glob in quotes, video, stream address, camera number or "
        "device, or - for the paths of images from standard input",
    )
    add("--show", action="store_true", help="show the frames in a window; q or Esc ends it")
    add(
        "--save",
        metavar="PATH",
        help="write the annotated image, images (a folder) or video (.mp4, .avi)",
    )
    add(
        "--json",
        metavar="PATH",
        type=_lines_target,
        help="write a JSON line per face per frame; - is standard output",
    )
    add(
        "--csv",
        metavar="PATH",
        type=_lines_target,
        help="write a line of CSV per face per frame; - is standard output",
    )
    add(
        "--summary",
        metavar="PATH",
        help="write each face's share of time per label (PATH.md, PATH.json) and a timeline (PATH.png)",
    )
    add("--model", default=DEFAULT_MODEL, help="released model or model file (default: %(default)s)")
    add(
        "--detector",
        metavar="haar|yunet|PATH",
        help="face detector, or the path of a YuNet .onnx file (default: YuNet, else Haar)",
    )
    add("--engine", choices=list(ENGINES), help="what runs the model (default: the one that is installed)")
    add("--threads", type=_threads, default=1, metavar="N", help="the engine's threads (default: 1)")
    add("--offline", action="store_true", help="never use the network for YuNet's file")
    add("--limit-frames", type=_positive, metavar="N", help="stop after N frames")
    add(
        "--retry",
        type=_seconds,
        default=RETRY_S,
        metavar="SECONDS",
        help="how long a camera or stream that vanishes is opened anew (default: %(default)g; 0: not)",
    )
    add = run_parser.add_argument_group("videos, cameras and streams").add_argument
    add(
        "--detect-every",
        type=_positive,
        metavar="N",
        help="look for faces in every Nth frame, follow them in between (default: by the detector's speed)",
    )
    add("--no-smoothing", action="store_true", help="label every frame for itself")
    add(
        "--time-constant",
        type=_seconds,
        default=TIME_CONSTANT_S,
        metavar="SECONDS",
        help="of the mean over time that is shown (default: %(default)g)",
    )
    add(
        "--threshold",
        type=_probability,
        default=LEAST_SCORE,
        metavar="P",
        help="the probability below which a label is uncertain (default: %(default)g)",
    )
    run_parser.set_defaults(command=run)

    fetch_parser = commands.add_parser(
        "fetch-detector",
        help="download YuNet's file beforehand, once",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    fetch_parser.set_defaults(command=fetch)
    models_parser = commands.add_parser(
        "models",
        help="list the released models with their cards' facts",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    models_parser.set_defaults(command=list_models)
    verify_parser = commands.add_parser(
        "verify",
        help="check model files that came from elsewhere",
        description="Check model files against their cards, and released ones against recorded scores.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verify_parser.add_argument("files", metavar="FILE", nargs="+", help="model file, with its card beside it")
    verify_parser.add_argument("--json", action="store_true", help="print each check as a JSON line")
    verify_parser.set_defaults(command=verify_files)
    return parser


def run(options: argparse.Namespace) -> int:
    """`ferkit run`: every frame of a source through the recognizer and into what was asked for."""
    ended = OK  # why the run ended before its time, where nothing failed
    unread = None  # the pipe whose reader has gone
    failures: list[Exception] = []  # what ended the run before its time, and what then could not be written
    with ExitStack() as stack:
        source = stack.enter_context(open_source(options.source, announce=_say, retry_s=options.retry))
        still = source.kind in ("image", "images")
        _check_usage(options, source)
        # Each has a stack of its own: where two files can't be finished, both are said.
        files = [stack.enter_context(ExitStack()) for _ in ("save", "json", "csv")]
        fill, save = _open_save(files[0], options.save, source) if options.save else (None, None)
        writers: list[Callable[[Sample, Sequence[Face]], None]] = []
        if options.json:
            writers.append(_open_lines(files[1], options.json, json_lines))
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
        follow = None if still else _open_stream(recognize, options)
        draw = draw_faces if still else Overlay()
        if options.csv:
            header = csv_header(recognize.model.labels)
            writers.append(_open_lines(files[2], options.csv, csv_lines, header))
        summary = Summary(source.name, frame_rate=source.frame_rate) if options.summary else None
        if summary:
            _try_places(summary_paths(summary_stem(options.summary)))
            writers.append(summary.add)
        on_stdout = "-" in (options.json, options.csv)
        as_text = not on_stdout if still else not (save or writers or window)
        if as_text:
            writers.append(lambda sample, faces: _print(text_lines(sample, faces, timed=not still)))
        progress = Progress(source, on_terminal=sys.stderr.isatty() and not as_text)
        if window and isinstance(source, Live):
            source.waiting = window.poll
        try:
            for sample in source:
                if fill:
                    fill(sample.time_s)  # after a long gap this takes seconds, which no Ctrl-C need wait for
                faces = follow(sample.frame, sample.time_s) if follow else recognize(sample.frame)
                progress.count(len(faces))
                image = None
                if save or window:
                    # How quickly a file was labelled is no part of the saved one.
                    shown = source.kind == "live" or not save
                    status = _status(source, progress) if shown else ""
                    image = draw(sample.frame, faces, status)
                with uninterrupted():
                    for write in writers:
                        write(sample, faces)
                    if save and image is not None:
                        save(sample, image)
                if window and image is not None and not _show(window, image, sample, source, progress):
                    break
                if progress.frames == options.limit_frames:
                    break
        except KeyboardInterrupt:
            ended = INTERRUPTED  # what was written until here is kept, and closed below
        except BrokenPipeError as error:
            ended, unread = NO_READER, error.filename  # likewise
        except ERRORS as error:
            if not progress.frames:
                raise
            failures.append(error)  # likewise
        with uninterrupted():
            progress.end()
            for part in (*files, stack):
                try:
                    part.close()
                except OutputError as error:
                    failures.append(error)
            if ended != NO_READER:
                _say_progress(source, progress)
            _say_written(options, progress, failures, unread=unread)
            if summary and progress.frames:
                try:
                    _finish_summary(options, summary, failures, text_to_stdout=not on_stdout)
                except BrokenPipeError:
                    ended = NO_READER
    for failure in failures:
        _say(str(failure))
    if failures:
        return _exit_code(failures[0])
    if ended:
        return ended
    if source.failures:
        return IN_PART if progress.frames else EXIT_CODES[SourceError]
    return OK


def _open_stream(recognize: Recognizer, options: argparse.Namespace) -> Stream:
    return recognize.stream(
        detect_every=options.detect_every,
        smooth=not options.no_smoothing,
        time_constant_s=options.time_constant,
        least_score=options.threshold,
    )


def _say_progress(source: Source, progress: Progress) -> None:
    if source.kind not in ("image", "images"):
        _say(progress.summary())


def _say_written(
    options: argparse.Namespace,
    progress: Progress,
    failures: Sequence[Exception],
    *,
    unread: str | None,
) -> None:
    """Name the outputs that are whole; `unread` is a pipe's whose reader has gone."""
    if not progress.frames:
        return
    for path in (options.save, options.json, options.csv):
        if not path or path == "-":
            continue
        name = str(Path(path))  # as messages have it
        failed = any(str(failure).startswith((f"{name}:", f"{name}{os.sep}")) for failure in failures)
        if name != unread and not failed:
            _say(f"wrote {path}")


def _finish_summary(
    options: argparse.Namespace, summary: Summary, failures: list[Exception], *, text_to_stdout: bool
) -> None:
    """Print the table and write each file of the summary; what fails is added to `failures`.

    Raises BrokenPipeError, with the files written, where nobody reads the table.
    """
    summary.finish()
    try:
        if text_to_stdout:
            _print(summary_text(summary))
        elif sys.stderr is not None:
            with suppress(OSError):  # its terminal was closed
                print(summary_text(summary), end="", file=sys.stderr, flush=True)
    except OutputError as error:
        failures.append(error)
    finally:
        for path in summary_paths(summary_stem(options.summary)):
            try:
                write_summary_file(summary, path)
            except OutputError as error:
                failures.append(error)
            else:
                _say(f"wrote {path}")


def fetch(options: argparse.Namespace) -> int:
    """`ferkit fetch-detector`."""
    print(fetch_detector(announce=_say))
    return OK


def list_models(options: argparse.Namespace) -> int:
    """`ferkit models`: a line per released file: model, file, precision, size, accuracy, what it is."""
    released = released_models()
    if not released:
        raise ModelError("this installation holds no released model: give --model the path of a model file.")
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


def verify_files(options: argparse.Namespace) -> int:
    """`ferkit verify`: a line per check of each file, as docs/command-line.md describes it."""
    code = OK
    for file in options.files:
        for check in verify(file):
            entry = {"file": file, "check": check.name, "result": check.result, "found": check.found}
            text = terminal_text(f"{file}: {check.name} {check.result}: {check.found}")
            line = json.dumps(entry) if options.json else text
            _print(f"{line}\n")
            if check.result == FAILED:
                code = IN_PART
    return code


def text_lines(sample: Sample, faces: Sequence[Face], *, timed: bool) -> str:
    """A readable line for each face of a frame: its label, how sure, and its box."""
    name = terminal_text(sample.name)
    where = f"{name} {sample.time_s:.2f} s" if timed else name
    if not faces and not timed:
        return f"{where}: no face found\n"
    lines = []
    for face in faces:
        x, y, width, height = face.box
        who = "" if face.id is None else f"face {face.id} "
        lines.append(f"{where}: {who}{face.label} {face.score:.0%}, box {width}x{height} at ({x}, {y})\n")
    return "".join(lines)


def _check_usage(options: argparse.Namespace, source: Source) -> None:
    """Raise for outputs without a name, or that would take the place of one another or of what is read."""
    for flag in ("save", "json", "csv", "summary"):
        if getattr(options, flag) == "":
            raise UsageError(
                f"--{flag}: expected a path, got an empty text: is a variable of the shell empty?"
            )
    still = source.kind in ("image", "images")
    if options.summary and still:
        raise UsageError("--summary shows a time: expected a video, a camera or a stream, got images.")
    targets = [(flag, getattr(options, flag)) for flag in ("save", "json", "csv") if getattr(options, flag)]
    if options.summary:
        targets += [("summary", str(path)) for path in summary_paths(summary_stem(options.summary))]
    read = {path.resolve() for path in source.paths}
    places: dict[Path | str, str] = {}
    for flag, target in targets:
        place = target if target == "-" else Path(target).resolve()
        if place in places and place != NOWHERE:
            raise UsageError(f"--{places[place]} and --{flag} both write to {target}: name two places.")
        places[place] = flag
        if place in read and flag != "save":  # for annotated images and videos it is said below
            raise OutputError(f"{target}: would be overwritten by --{flag}. Write elsewhere.")


def _try_places(paths: Sequence[Path]) -> None:
    """Raise `OutputError` where a file can't be made that is written only at the end of a run."""
    for path in paths:
        with LinesFile(path):
            pass


def _open_lines(
    stack: ExitStack,
    target: str,
    lines_of: Callable[[Sample, Sequence[Face]], str],
    header: str = "",
) -> Callable[[Sample, Sequence[Face]], None]:
    if target == "-":
        _print(header)
        return lambda sample, faces: _print(lines_of(sample, faces))
    file = stack.enter_context(LinesFile(Path(target), header=header))
    return lambda sample, faces: file.write(lines_of(sample, faces))


def _open_save(stack: ExitStack, target: str, source: Source) -> tuple[Fill | None, Save]:
    if source.kind in ("image", "images"):
        if not source.paths:
            return None, lambda sample, image: write_image(listed_target(target, Path(sample.name)), image)
        targets = image_targets(target, source.paths, single=source.kind == "image")
        return None, lambda sample, image: write_image(targets[Path(sample.name)], image)
    path = Path(target)
    if path.resolve() in [source_path.resolve() for source_path in source.paths]:
        raise OutputError(f"{path}: would be overwritten by its own annotated version. Save elsewhere.")
    live = source.kind == "live"
    file = VideoFile(path, frame_rate=source.frame_rate, keep_time=True, live=live)
    video = stack.enter_context(file)
    return video.fill, lambda sample, image: video.write(image, sample.time_s)


def _status(source: Source, progress: Progress) -> str:
    """The overlay's line about a video or camera: frames per second, and what a camera's run dropped."""
    if source.kind in ("image", "images"):
        return ""
    dropped = f"   {source.dropped} dropped" if source.kind == "live" else ""
    return f"{progress.frame_rate():.0f} frames/s{dropped}"


def _show(window: Window, image: np.ndarray, sample: Sample, source: Source, progress: Progress) -> bool:
    """Show a frame: a video at its own speed, a image until a key; returns whether to go on."""
    if source.kind in ("image", "images"):
        return window.show(image, wait_s=None)
    early_s = sample.time_s - progress.seconds() if source.kind == "video" else 0.0
    return window.show(image, wait_s=max(0.0, early_s))


def _print(text: str) -> None:
    """Write text to standard output at once; `OutputError` where that fails."""
    if sys.stdout is None:  # closed by whoever started this
        return
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        _give_up_stdout()
        raise
    except OSError as error:
        _give_up_stdout()
        raise OutputError(
            f"standard output: can't be written: {error.strerror or error}. Free some room there, or write "
            "elsewhere."
        ) from error


def _give_up_stdout() -> None:
    """Lead what is left for standard output nowhere; Python would try to write it at exit once more."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(line: str) -> None:
    if sys.stderr is None:
        return
    with suppress(OSError):  # its terminal was closed
        start = CLEAR_LINE if sys.stderr.isatty() else ""
        print(f"{start}ferkit: {terminal_text(line)}", file=sys.stderr, flush=True)


def _exit_code(error: Exception) -> int:
    return next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))


def _lines_target(text: str) -> str:
    """A path for lines as it is, `-` for standard output by any name: nothing else is printed there then."""
    return "-" if text in STANDARD_OUTPUT else text


def _probability(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"expected a probability from 0 to 1, got {text!r}")
    return value


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"expected seconds, 0 or more, got {text!r}")
    return seconds


def _threads(text: str) -> int:
    number = _positive(text)
    if number > MOST_THREADS:
        raise argparse.ArgumentTypeError(f"expected at most {MOST_THREADS}, got {text}")
    return number


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of 1 or more, got {text!r}")
    return number
