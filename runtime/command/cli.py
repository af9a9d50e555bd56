"""The command `ferkit`: its arguments, and the function of each command."""

from __future__ import annotations

import argparse
import math
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

from .. import __version__, opencv_log
from ..detectors import DETECTORS, fetch_detector
from ..engines import ENGINES
from ..label.command import label
from ..label.settings import DETECT_EVERY
from ..model import DEFAULT_MODEL, MOST_THREADS
from ..signals import terminate_as_interrupt
from ..smoothing import THRESHOLD, TIME_CONSTANT_S
from .crop import crop
from .exit_codes import ERRORS, FAULT, INTERRUPTED, NO_READER, OK, TABLE, exit_code_of
from .live import RETRY_S
from .models import list_models
from .run import run
from .session import STDOUT
from .terminal import give_up_stdout, print_text, quiet_libraries, say
from .verify import print_checks

RUN_EXAMPLES = """\
examples:
  ferkit run photo.jpg                        a line for each face
  ferkit run photos/ --save labelled/         every image of a folder
  ferkit run clip.mp4 --save labelled.mp4 --json faces.jsonl
  ferkit run 0 --show                         camera 0 in a window; q or Esc ends it
  ferkit run rtsp://camera.local/live --json -
  ferkit run clip.mp4 --csv faces.csv --summary clip   clip.md, clip.json and the timeline clip.png
  find photos -name '*.jpg' | ferkit run -    paths from standard input, one a line

"""

LABEL_EXAMPLES = """\
examples:
  ferkit label archive/ --out labels/                     every image and video of a folder and its folders
  ferkit label videos.csv --out labels/ --every 1         the files of a manifest, one frame a second
  ferkit label s3://bucket/videos --out s3://bucket/labels --address auto
  ferkit label archive/ --out labels/                     the same again: only what has no row yet

"""

STDOUT_NAMES = ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")  # they mean `-`


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command with these arguments, or with the process's; returns the exit code."""
    _quiet_opencv()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a file's name may be no text, or no letters of the terminal
            stream.reconfigure(errors="backslashreplace")
    try:
        options = build_parser().parse_args(arguments)
        # Only Qt itself says why it ends the process.
        quiet = quiet_libraries if not getattr(options, "show", False) else ExitStack
        with terminate_as_interrupt(), quiet():
            code = options.command(options)
            print_text("")  # so that a closed pipe fails here and not at exit
            return code
    except ERRORS as error:
        say(str(error))
        return exit_code_of(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        give_up_stdout()
        return NO_READER
    except Exception as error:
        if os.environ.get("FERKIT_VERBOSE"):
            raise
        reason = " ".join(str(error).split())[:300]
        say(
            f"a fault of ferkit itself: {type(error).__name__}: {reason}. FERKIT_VERBOSE=1 shows where; "
            "please report it, with the file if it can be shown."
        )
        return FAULT


def _quiet_opencv() -> None:
    """Keeps OpenCV from writing several lines about what ferkit says in one."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    if "OPENCV_LOG_LEVEL" not in os.environ:
        opencv_log.set_log_level(opencv_log.SILENT)


def build_parser() -> argparse.ArgumentParser:
    """Returns the arguments of every command; `options.command` is the function that carries it out."""
    parser = argparse.ArgumentParser(
        prog="ferkit",
        description="Facial expressions of every face in an image, a video or a camera.",
        epilog=TABLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ferkit {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    run_parser = commands.add_parser(
        "run",
        help="label the faces of a source",
        description="Label every face of an image, a folder, a video, a stream or a camera.",
        epilog=RUN_EXAMPLES + TABLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_outputs(run_parser.add_argument)
    _add_model(run_parser.add_argument)
    _add_settings(run_parser.add_argument)
    _add_stream_settings(
        run_parser.add_argument_group("videos, cameras and streams").add_argument,
        detect_every="by the detector's speed",
    )
    run_parser.set_defaults(command=run)
    _add_label(commands)
    _add_crop(commands)
    fetch_parser = commands.add_parser(
        "fetch-detector",
        help="download YuNet's file beforehand, once",
        epilog=TABLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    fetch_parser.set_defaults(command=_fetch_detector)
    models_parser = commands.add_parser(
        "models",
        help="list the released models with their cards' facts",
        epilog=TABLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    models_parser.set_defaults(command=_list_models)
    verify_parser = commands.add_parser(
        "verify",
        help="check model files that came from elsewhere",
        description="Check model files against their cards, and released ones against recorded scores.",
        epilog=TABLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verify_parser.add_argument("files", metavar="FILE", nargs="+", help="model file, with its card beside it")
    verify_parser.add_argument("--json", action="store_true", help="print each check as a JSON line")
    verify_parser.set_defaults(command=_verify)
    return parser


def _add_label(commands: Any) -> None:
    """Adds `ferkit label` to argparse's commands."""
    label_parser = commands.add_parser(
        "label",
        help="label an archive into Parquet, on one machine or a Ray cluster",
        description="Label every image and video of an archive into Parquet, a row per file. The same "
        "command again labels what has no row yet.",
        epilog=LABEL_EXAMPLES + TABLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_archive(label_parser.add_argument)
    _add_model(label_parser.add_argument)
    _add_stream_settings(
        label_parser.add_argument_group("videos").add_argument, detect_every=str(DETECT_EVERY)
    )
    label_parser.set_defaults(command=label)


def _add_crop(commands: Any) -> None:
    """Adds `ferkit crop` to argparse's commands."""
    crop_parser = commands.add_parser(
        "crop",
        help="cut the faces out of photographs, to train on",
        description="Write the face of each image that shows exactly one, under the same folders: a folder "
        "for each class. Images with none or several are named and left out.",
        epilog=TABLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = crop_parser.add_argument
    add("photos", metavar="PHOTOS", help="folder of images, such as PHOTOS/<class>/*.jpg")
    add("faces", metavar="FACES", help="new folder for the faces, 48x48 gray PNG")
    _add_model(add)
    crop_parser.set_defaults(command=crop)


def _add_outputs(add: Callable[..., argparse.Action]) -> None:
    """Adds the source and the outputs of `ferkit run`."""
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
        help="write the labelled image, images (into a folder) or video (.mp4, .avi)",
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


def _add_archive(add: Callable[..., argparse.Action]) -> None:
    """Adds the source, the output and the cluster of `ferkit label`."""
    add(
        "source",
        metavar="SOURCE",
        help="folder, glob in quotes, manifest (.csv or .parquet with a column `path`, or .txt), or an "
        "address of one, such as s3://bucket/folder",
    )
    add("--out", metavar="FOLDER", required=True, help="folder of the Parquet files, or its address")
    add("--flat", action="store_true", help="write files/, a row per file, and faces/, a row per face")
    add(
        "--every",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="label the first frame of each so many seconds of a video (default: every frame)",
    )
    add("--limit", type=_positive, metavar="N", help="label the first N files that have no row yet")
    add("--dry-run", action="store_true", help="say what would be labelled")
    add(
        "--time-limit",
        type=_time_limit,
        default=3600.0,
        metavar="SECONDS",
        help="how long one file may take; then its row says so (default: %(default)g)",
    )
    add("--address", metavar="ADDRESS", help="of a Ray cluster, such as auto (default: this machine alone)")
    add("--jobs", type=_positive, metavar="N", help="processes (default: one per core)")


def _add_model(add: Callable[..., argparse.Action]) -> None:
    """Adds the model, its engine and the detector."""
    add("--model", default=DEFAULT_MODEL, help="released model or model file (default: %(default)s)")
    add(
        "--detector",
        metavar=f"{'|'.join(DETECTORS)}|PATH",
        help="face detector, or the path of a detector's file (default: yunet if fetched, else ferkit)",
    )
    add("--small-faces", action="store_true", help="find smaller faces, in about five times the time")
    add("--engine", choices=list(ENGINES), help="what runs the model (default: the one that is installed)")
    add("--offline", action="store_true", help="never use the network for YuNet's file")


def _add_settings(add: Callable[..., argparse.Action]) -> None:
    """Adds the rest of `ferkit run`."""
    add("--threads", type=_threads, default=1, metavar="N", help="the engine's threads (default: 1)")
    add("--limit-frames", type=_positive, metavar="N", help="stop after N frames")
    add(
        "--retry",
        type=_seconds,
        default=RETRY_S,
        metavar="SECONDS",
        help="how long a lost camera or stream is opened again (default: %(default)g; 0: not at all)",
    )


def _add_stream_settings(add: Callable[..., argparse.Action], *, detect_every: str) -> None:
    """Adds the settings that images don't have; `detect_every` says what the default is."""
    add(
        "--detect-every",
        type=_positive,
        metavar="N",
        help=f"look for faces in every Nth frame, follow them in between (default: {detect_every})",
    )
    add("--no-smoothing", action="store_true", help="label every frame by itself")
    add(
        "--time-constant",
        type=_seconds,
        default=TIME_CONSTANT_S,
        metavar="SECONDS",
        help="time constant of the mean over time (default: %(default)g)",
    )
    add(
        "--threshold",
        type=_probability,
        default=THRESHOLD,
        metavar="P",
        help="below this probability a label is uncertain (default: %(default)g)",
    )


def _fetch_detector(options: argparse.Namespace) -> int:
    print(fetch_detector(announce=say))
    return OK


def _list_models(options: argparse.Namespace) -> int:
    list_models()
    return OK


def _verify(options: argparse.Namespace) -> int:
    return print_checks(options.files, as_json=options.json)


def _lines_target(text: str) -> str:
    """Returns a path as it is, and `-` for any name of standard output."""
    return STDOUT if text in STDOUT_NAMES else text


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


def _time_limit(text: str) -> float:
    seconds = _seconds(text)
    if not 0 < seconds <= threading.TIMEOUT_MAX:
        raise argparse.ArgumentTypeError(f"expected seconds above 0, got {text!r}")
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
