"""Opens what a user names: images, a folder, a video, a stream or a camera."""

from __future__ import annotations

import glob
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import cv2

from ..images import IMAGE_SUFFIXES, SourceError, has_image_suffix, is_image, kind_of_file, opencv_name
from .live import RETRY_S, Device, Live
from .sources import USUAL_FRAME_RATE, ImageList, Images, Source, Video, positive

STREAM_TIMEOUT_MS = 10_000
# A rate beyond these is measured: WebM files of browsers say 1000 frames/s, the unit of their clock.
LOWEST_FRAME_RATE, HIGHEST_FRAME_RATE = 0.1, 240.0
MEASURED_FRAMES = 30


def open_source(
    source: str | int | os.PathLike[str] | Sequence[str],
    *,
    announce: Callable[[str], None] | None = None,
    retry_s: float = RETRY_S,
    lines: Iterable[bytes] | None = None,
    every_s: float = 0.0,
) -> Source:
    """Opens images, a folder or glob of them, a video file, a stream's address or a camera.

    | source | what it is |
    |---|---|
    | a number, `/dev/video0` | a camera (a file of that name is `./0`) |
    | `scheme://...` | a stream; a video where the sender says how long it is |
    | a folder | its images by name, without those in its folders |
    | a glob | what matches: `folder/**/*.jpg` has those in folders as well |
    | `-` | the images whose paths come one per line |
    | a list of paths | these images |

    Of several images, one that can't be read becomes a line in `failures`, and the rest go on.

    Args:
        source: What to open.
        announce: Gets each line for the user at once.
        retry_s: For so many seconds a camera or stream without frames is opened again.
        lines: The lines of `-`; None: standard input.
        every_s: Of a video file, the first frame of each so many seconds; 0: every frame.

    Raises:
        SourceError: It can't be opened; the message names it.
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
    try:
        opened = _open_path(text, announce, retry_s, every_s)
    except OSError as error:  # a folder on the way is closed to this user, or the name is too long
        raise SourceError(f"can't be read: {error.strerror or error}.", path=text[:200]) from error
    if opened:
        return opened
    if glob.has_magic(text):
        return _open_glob(text, announce)
    raise SourceError(
        "no such file or folder. A source is an image, a folder, a glob in quotes, a video, "
        "a stream's address, a camera's number, or - for paths from standard input.",
        path=text,
    )


def _open_path(
    text: str, announce: Callable[[str], None] | None, retry_s: float, every_s: float
) -> Source | None:
    """Opens a camera, a folder or a file; None where there is no such thing."""
    path = Path(text)
    if re.fullmatch(r"\d+|/dev/video\d+", text) or path.is_char_device():
        return _open_camera(text, announce, retry_s)
    if path.is_dir():
        return _open_folder(path, announce)
    if not path.is_file():
        return None
    if is_image(path):
        return Images([path], text, kind="image", announce=announce)
    return _open_video(path, announce, every_s)


def _open_glob(text: str, announce: Callable[[str], None] | None) -> Source:
    # Not Path.glob, which takes no absolute pattern and no `..`.
    paths = sorted(Path(path) for path in glob.glob(text, recursive=True))  # noqa: PTH207
    paths = [path for path in paths if path.is_file()]
    if not paths:
        raise SourceError("no file matches.", path=text)
    return Images(paths, text, kind="images", announce=announce)


def _standard_input() -> Iterable[bytes]:
    if sys.stdin is None:  # the caller closed it
        raise SourceError(
            "expected the path of an image in each line, but it is closed. Give the paths "
            "through a pipe or from a file.",
            path="standard input",
        )
    return sys.stdin.buffer


def _open_list(sources: Sequence[str], announce: Callable[[str], None] | None) -> Source:
    """Opens several image files; a missing one is a failure of the iteration."""
    for text in sources:
        path = Path(text)
        if text == "-" or "://" in text or text.isdecimal() or path.is_dir():
            raise SourceError(
                "several sources must be images. Run ferkit once for each other source.", path=text
            )
        if path.is_file() and not is_image(path):
            raise SourceError(
                f"expected an image, as one of several sources, got "
                f"{kind_of_file(path, video_expected=False)}.",
                path=text,
            )
    return Images(
        [Path(text) for text in sources], f"{len(sources)} images", kind="images", announce=announce
    )


def _open_folder(folder: Path, announce: Callable[[str], None] | None) -> Source:
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and has_image_suffix(path))
    except OSError as error:
        raise SourceError(f"can't be read: {error.strerror or error}.", path=folder) from error
    if not paths:
        raise SourceError(
            f"expected images in the folder ({', '.join(sorted(IMAGE_SUFFIXES))}), got none.", path=folder
        )
    return Images(paths, str(folder), kind="images", announce=announce)


def _open_video(path: Path, announce: Callable[[str], None] | None, every_s: float) -> Source:
    with path.open("rb") as file:
        start = file.read(64)
    if not start:
        raise SourceError(
            "expected an image or a video, got an empty file. Copy or record it again.", path=path
        )
    capture = cv2.VideoCapture(opencv_name(path))
    if not capture.isOpened():
        raise SourceError(
            f"expected an image or a video that OpenCV reads, got {kind_of_file(path)}.", path=path
        )
    frame_rate = positive(capture.get(cv2.CAP_PROP_FPS))
    if frame_rate is not None and not LOWEST_FRAME_RATE <= frame_rate <= HIGHEST_FRAME_RATE:
        measured = _measure_frame_rate(capture) or USUAL_FRAME_RATE
        frame_rate = min(max(measured, LOWEST_FRAME_RATE), HIGHEST_FRAME_RATE)
        capture.release()
        capture = cv2.VideoCapture(opencv_name(path))  # again: seeking back is not exact in every container
    return Video(str(path), capture, paths=[path], frame_rate=frame_rate, every_s=every_s, announce=announce)


def _measure_frame_rate(capture: cv2.VideoCapture) -> float | None:
    """Measures frames per second by the times of the first frames, which the capture then lacks."""
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
            raise SourceError(f"can't be opened: {camera_trouble(device)}", path=name)
        return capture

    return _live(name, open_capture, announce, retry_s)


def camera_trouble(device: Path) -> str:
    """Returns why a camera can't be opened, as far as that can be known, and what to do."""
    if not sys.platform.startswith("linux"):
        return "is it plugged in, not in use by another program, and may this program use cameras?"
    if not device.exists():
        others = [path.name.removeprefix("video") for path in device.parent.glob("video*")]
        others = sorted(filter(str.isdecimal, others), key=int)
        there = f"there are the cameras {', '.join(others)}" if others else "and no other camera"
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
                f"the stream can't be opened: expected video within {STREAM_TIMEOUT_MS // 1000} s. "
                "Check the address, the user and the password, that the sender runs, and what it sends.",
                path=name,
            )
        return capture

    return _live(name, open_capture, announce, retry_s)


def _live(
    name: str,
    open_capture: Callable[[], cv2.VideoCapture],
    announce: Callable[[str], None] | None,
    retry_s: float,
) -> Source:
    """Returns a live source; a video where the sender says how many frames it has, as for a server's file."""

    def reopen() -> Device:
        capture = open_capture()
        return Device(capture.read, capture.release)

    capture = open_capture()
    if positive(capture.get(cv2.CAP_PROP_FRAME_COUNT)):
        return Video(name, capture, announce=announce)
    return Live(
        name,
        capture.read,
        release=capture.release,
        reopen=reopen,
        retry_s=retry_s,
        frame_rate=positive(capture.get(cv2.CAP_PROP_FPS)),
        announce=announce,
    )
