"""Face detectors: a frame in, boxes out.

YuNet (Wu, Peng and Yu 2023, "YuNet: A Tiny Millisecond-level Face Detector") is the default. Where its file
is missing, the Haar cascade of OpenCV 4 takes its place. Both work on a reduced frame. The numbers in this
module were chosen by `python -m benchmarks detectors`, which wrote reports/detectors.md.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from . import opencv_log
from .yunet_file import DetectorError, cache_folder, cached_detector, fetch_detector, say

__all__ = [
    "DETECTORS",
    "Detector",
    "DetectorError",
    "fetch_detector",
    "load_detector",
    "load_haar",
    "load_yunet",
]


# Where pip's OpenCV and Debian's (package opencv-data) keep the cascades.
CASCADE_FOLDERS = (Path(cv2.__file__).parent / "data", Path("/usr/share/opencv4/haarcascades"))
# YuNet found 150 frames that are faces of 48x48 pixels: 81 % as they are, 97 % at 96 and 320 px, 99 % at 200.
SMALLEST_PX = 200
# In strips up to 32 pixels high or wide OpenCV 4.8 to 4.14 finds boxes made of uninitialised memory.
NARROWEST_PX = 64
MOST_PX = 16384  # OpenCV turns no image that, with its borders, is longer than 32767


class Detector(Protocol):
    """A loaded face detector, which threads may share."""

    name: str  # "yunet" or "haar": the key of the crop rule in a model's card

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Returns the boxes of the faces in a frame.

        Args:
            frame: `uint8` BGR `(height, width, 3)`.

        Returns:
            `float32` `(faces, 5)`: x, y, width, height in pixels of the frame (a box may reach beyond it),
            and a confidence from 0 to 1; the surest first.
        """
        ...


class _YuNet:
    name = "yunet"

    def __init__(self, file: Path, *, size_px: int, min_confidence: float) -> None:
        self._size_px = size_px
        self._lock = threading.Lock()
        self._net = _open_yunet(file, min_confidence)

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        reduced, ratio = _resized(_checked(frame), self._size_px)
        lacking = [max(0, NARROWEST_PX - extent) for extent in reduced.shape[:2]]
        if any(lacking):
            reduced = cv2.copyMakeBorder(reduced, 0, lacking[0], 0, lacking[1], cv2.BORDER_REPLICATE)
        with self._lock:
            self._net.setInputSize((reduced.shape[1], reduced.shape[0]))
            found = self._net.detect(reduced)[1]
        if found is None:
            return np.empty((0, 5), np.float32)
        boxes = found[:, [0, 1, 2, 3, 14]]  # 4-13 are the eyes, the nose and the corners of the mouth
        boxes[:, :4] *= ratio
        return _best_first(boxes)


class _Haar:
    name = "haar"

    def __init__(
        self,
        *,
        size_px: int,
        cascade: str,
        border: float,
        angles: Sequence[float],
        step: float,
        min_votes: int,
        min_face_px: int,
    ) -> None:
        self._size_px = size_px
        self._border = border
        self._angles = angles
        self._step = step
        self._min_votes = min_votes
        self._min_face_px = min_face_px
        self._lock = threading.Lock()
        self._cascade = _open_cascade(cascade)

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        reduced, ratio = _resized(_checked(frame), self._size_px)
        gray = cv2.cvtColor(reduced, cv2.COLOR_BGR2GRAY)
        raw = np.vstack([self._raw_boxes(gray, angle) for angle in self._angles])
        boxes = _voted(raw, self._min_votes)
        centres = boxes[:, :2] + boxes[:, 2:4] / 2
        inside = np.all((centres >= 0) & (centres < gray.shape[::-1]), axis=1)
        boxes = boxes[inside]  # in the border is a repeated edge, no face
        boxes[:, :4] *= ratio
        return _best_first(boxes)

    def _raw_boxes(self, gray: np.ndarray, angle: float) -> np.ndarray:
        """Returns the windows accepted on the turned image, `float32` `(windows, 4)` in pixels before it."""
        height, width = gray.shape
        border = round(self._border * max(height, width))
        turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1)
        turn[:, 2] += border
        size = width + 2 * border, height + 2 * border
        turned = cv2.warpAffine(gray, turn, size, borderMode=cv2.BORDER_REPLICATE)
        with self._lock:
            windows = self._cascade.detectMultiScale(
                turned,
                scaleFactor=self._step,
                minNeighbors=0,  # no grouping yet
                minSize=(self._min_face_px, self._min_face_px),
            )
        boxes = np.array(windows, np.float32).reshape(-1, 4)
        half = (boxes[:, 2:] - 1) / 2
        back = cv2.invertAffineTransform(turn)
        boxes[:, :2] = (boxes[:, :2] + half) @ back[:, :2].T + back[:, 2] - half
        return boxes


def load_detector(
    detector: str | os.PathLike[str] | None = None,
    *,
    offline: bool = False,
    announce: Callable[[str], None] | None = None,
) -> Detector:
    """Loads a face detector: by name, by its file, or the best that is available.

    Args:
        detector: "yunet", "haar" or the path of a YuNet `.onnx` file. None: YuNet if its file is available,
            else Haar, with a line to `announce`.
        offline: Never download YuNet's file.
        announce: Gets each line that the user should read. None: standard error.

    Raises:
        DetectorError: The detector isn't available; the message says what to do.
    """
    if detector is None:
        try:
            return load_yunet(offline=offline, announce=announce)
        except DetectorError as reason:
            if os.environ.get("FERKIT_YUNET"):
                raise  # the user named a file: another detector in its place would be a guess
            try:
                haar = load_haar()
            except DetectorError as error:
                raise DetectorError(f"{reason} Haar can't take its place: {error}") from reason
            why = reason.reason
        (announce or say)(
            f"YuNet is not available ({why}). OpenCV's Haar cascade looks for faces in its place: it finds "
            "86 % of them where YuNet finds 99 %, in 14 times the time, and as few as 55-68 % in hard "
            "photographs. `ferkit fetch-detector` fetches YuNet."
        )
        return haar
    name = os.fspath(detector)
    if name == "haar":
        return load_haar()
    if name == "yunet":
        return load_yunet(offline=offline, announce=announce)
    if name.lower().endswith(".onnx"):
        return load_yunet(name)
    raise DetectorError(
        f"Expected a detector {', '.join(DETECTORS)} or the path of a YuNet .onnx file, got '{name}'."
    )


def load_yunet(
    path: str | os.PathLike[str] | None = None,
    *,
    size_px: int = 320,
    min_confidence: float = 0.6,
    offline: bool = False,
    announce: Callable[[str], None] | None = None,
) -> Detector:
    """Loads YuNet.

    Args:
        path: Its `.onnx` file; another YuNet than the pinned one serves as well if OpenCV runs it. None: the
            environment variable FERKIT_YUNET, else the file in the user's cache, else a download there.
        size_px: Longer side of the reduced frame that the net gets; a smaller frame is not enlarged.
        min_confidence: Boxes below it are left out.
        offline: Never download.
        announce: Gets a line before a download. None: standard error.

    Raises:
        DetectorError: There is no file, or OpenCV doesn't run it as YuNet.
    """
    named = path if path is not None else os.environ.get("FERKIT_YUNET")
    file = Path(named) if named else _kept_yunet(offline=offline, announce=announce)
    try:
        with file.open("rb"):
            pass
    except OSError as error:
        origin = "" if path is not None else " (from the environment variable FERKIT_YUNET)"
        raise DetectorError(
            f"{file}{origin}: expected YuNet's file, got {error.strerror or error}. Name the file that is "
            "there, or leave the name out to have it downloaded."
        ) from error
    try:
        detector = _YuNet(file, size_px=size_px, min_confidence=min_confidence)
        detector(np.zeros((64, 64, 3), np.uint8))
    except cv2.error as error:
        raise DetectorError(
            f"{file}: expected a YuNet model that OpenCV {cv2.__version__} runs, got one that it does not "
            f"({str(error).strip().splitlines()[0]}). `ferkit fetch-detector` downloads the right file."
        ) from error
    return detector


def load_haar(
    *,
    size_px: int = 320,
    cascade: str = "alt2",
    border: float = 0.05,
    angles: Sequence[float] = (0, -20, 20),
    step: float = 1.15,
    min_votes: int = 4,
    min_face_px: int = 24,
) -> Detector:
    """Loads OpenCV's Haar cascade (Viola and Jones 2001), which needs no file beside OpenCV 4.

    The cascade knows upright faces only. So the image is searched upright and turned to both sides, and the
    windows accepted in all passes vote together. At the same number of false boxes that finds more faces than
    any setting of the upright pass. The confidence is votes / (votes + min_votes), from 0.5.

    Args:
        size_px: Longer side of the reduced frame that is searched.
        cascade: "default", "alt", "alt2" or "alt_tree", as in OpenCV's file names.
        border: Width of the repeated edge around the image, in longer sides: the cascade looks for
            surroundings, which a face at the edge has not.
        angles: Turns of the passes, in degrees.
        step: Ratio of one search size to the next.
        min_votes: The number of accepted windows in one place that make a box.
        min_face_px: The smallest face that is searched, in pixels of the reduced frame.

    Raises:
        DetectorError: This OpenCV has no cascade, as OpenCV 5, or no file of that name.
    """
    if not hasattr(cv2, "CascadeClassifier"):
        raise DetectorError(
            f"OpenCV {cv2.__version__} has no Haar cascade (OpenCV 5 dropped it). For the better detector "
            "run `ferkit fetch-detector` once with a network, or: pip install 'opencv-python<5'"
        )
    return _Haar(
        size_px=size_px,
        cascade=cascade,
        border=border,
        angles=angles,
        step=step,
        min_votes=min_votes,
        min_face_px=min_face_px,
    )


DETECTORS: dict[str, Callable[..., Detector]] = {"yunet": load_yunet, "haar": load_haar}


def _kept_yunet(*, offline: bool, announce: Callable[[str], None] | None) -> Path:
    if not offline:
        return fetch_detector(announce=announce)
    file = cached_detector()
    if file is None:
        raise DetectorError(
            f"{cache_folder()}: expected YuNet's file, got none, and offline forbids the download. Run "
            "`ferkit fetch-detector` once with a network, or name the file by FERKIT_YUNET."
        )
    return file


def _open_yunet(file: Path, min_confidence: float) -> cv2.FaceDetectorYN:
    # From bytes, because OpenCV on Windows opens no path with letters outside the code page.
    data = np.frombuffer(file.read_bytes(), np.uint8)
    # OpenCV 5 warns on standard error that its new graph engine takes no target, which nobody asked for.
    level = opencv_log.set_log_level(opencv_log.ERROR)
    try:
        return cv2.FaceDetectorYN.create("onnx", data, np.empty(0, np.uint8), (320, 320), min_confidence)
    except TypeError:  # OpenCV 4.8 takes a path only.
        return cv2.FaceDetectorYN.create(str(file), "", (320, 320), min_confidence)
    finally:
        opencv_log.set_log_level(level)


def _open_cascade(cascade: str) -> cv2.CascadeClassifier:
    file = f"haarcascade_frontalface_{cascade}.xml"
    for folder in CASCADE_FOLDERS:
        try:
            text = (folder / file).read_text(encoding="utf-8")
        except OSError:
            continue
        # From text, because OpenCV on Windows opens no path with letters outside the code page.
        opened = cv2.CascadeClassifier()
        storage = cv2.FileStorage(text, cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY)
        opened.read(storage.getFirstTopLevelNode())
        return opened
    raise DetectorError(
        f"Expected {file} in {' or '.join(map(str, CASCADE_FOLDERS))}, got none. Install it by "
        "pip install 'opencv-python<5' or apt install opencv-data, or use YuNet: ferkit fetch-detector"
    )


def _checked(frame: np.ndarray) -> np.ndarray:
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or 0 in frame.shape:
        raise ValueError(
            f"expected a frame of uint8 BGR (height, width, 3), got {frame.dtype} of shape {frame.shape}"
        )
    return frame


def _resized(frame: np.ndarray, size_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the frame in the size for detection, and the ratio of their sizes, `float32` (x, y, x, y)."""
    height, width = frame.shape[:2]
    longer, shorter = max(height, width), min(height, width)
    # A panorama is reduced less, so that its faces aren't lost; an image as small as a dataset's is enlarged.
    goal = min(MOST_PX, max(size_px, size_px / 4 * longer / shorter))
    share = min(1.0, goal / longer) if longer > SMALLEST_PX else SMALLEST_PX / longer
    size = max(1, round(width * share)), max(1, round(height * share))
    if size != (width, height):
        frame = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if share < 1 else cv2.INTER_CUBIC)
    return frame, np.tile([width / size[0], height / size[1]], 2).astype(np.float32)


def _voted(windows: np.ndarray, min_votes: int) -> np.ndarray:
    """Groups windows, `float32` `(windows, 4)`, to boxes with a confidence, `float32` `(boxes, 5)`."""
    if len(windows) == 0:
        return np.empty((0, 5), np.float32)
    # groupRectangles rounds to whole pixels and drops groups of as many windows as its threshold or fewer.
    quarters = np.round(windows * 4).astype(np.int32).tolist()
    groups, votes = cv2.groupRectangles(quarters, min_votes - 1, 0.2)
    if len(groups) == 0:
        return np.empty((0, 5), np.float32)
    counts = np.ravel(votes).astype(np.float32)
    return np.column_stack([np.divide(groups, 4), counts / (counts + min_votes)]).astype(np.float32)


def _best_first(boxes: np.ndarray) -> np.ndarray:
    return boxes[np.argsort(-boxes[:, 4], kind="stable")].astype(np.float32)
