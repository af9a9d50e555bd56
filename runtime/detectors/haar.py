"""The Haar cascade (Viola and Jones 2001) of OpenCV 4."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from .detector import Detector, DetectorError, best_first, checked, resized

# Where pip's OpenCV and Debian's (package opencv-data) keep the cascades.
CASCADE_FOLDERS = (Path(cv2.__file__).parent / "data", Path("/usr/share/opencv4/haarcascades"))


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
        reduced, ratio = resized(checked(frame), self._size_px)
        gray = cv2.cvtColor(reduced, cv2.COLOR_BGR2GRAY)
        raw = np.vstack([self._raw_boxes(gray, angle) for angle in self._angles])
        boxes = _voted(raw, self._min_votes)
        centres = boxes[:, :2] + boxes[:, 2:4] / 2
        inside = np.all((centres >= 0) & (centres < gray.shape[::-1]), axis=1)
        boxes = boxes[inside]  # in the border is a repeated edge, no face
        boxes[:, :4] *= ratio
        return best_first(boxes)

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
            f"OpenCV {cv2.__version__} has no Haar cascade (OpenCV 5 dropped it). Take --detector "
            "ferkit, which is in the package and better, or: pip install 'opencv-python<5'"
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
