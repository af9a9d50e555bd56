"""YuNet (Wu, Peng and Yu 2023, "YuNet: A Tiny Millisecond-level Face Detector") in OpenCV."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from .. import opencv_log
from .detector import Detector, DetectorError, best_first, checked, resized
from .yunet_file import cache_folder, cached_detector, fetch_detector

# In strips up to 32 pixels high or wide OpenCV 4.8 to 4.14 finds boxes made of uninitialised memory.
NARROWEST_PX = 64


class _YuNet:
    name = "yunet"

    def __init__(self, file: Path, *, size_px: int, min_confidence: float) -> None:
        self._size_px = size_px
        self._lock = threading.Lock()
        self._net = _open_yunet(file, min_confidence)

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        reduced, ratio = resized(checked(frame), self._size_px)
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
        return best_first(boxes)


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
    origin = " (from the environment variable FERKIT_YUNET)" if path is None and named else ""
    try:
        with file.open("rb"):
            pass
    except OSError as error:
        raise DetectorError(
            f"{file}{origin}: expected YuNet's file, got {error.strerror or error}. Name the file that is "
            "there, or take the detector in the package: --detector ferkit."
        ) from error
    try:
        detector = _YuNet(file, size_px=size_px, min_confidence=min_confidence)
        detector(np.zeros((64, 64, 3), np.uint8))
    except cv2.error as error:
        raise DetectorError(
            f"{file}{origin}: expected a YuNet model that OpenCV {cv2.__version__} runs, got another file. "
            "`ferkit fetch-detector` downloads the right file. A detector of ferkit's kind is named by "
            "--detector, with its card beside it."
        ) from error
    return detector


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
