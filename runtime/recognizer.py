"""Every face of a frame with its expression: detector, crop, model; and faces followed through a video."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np

from .detectors import Detector, load_detector
from .faces import check_frame, crop_face
from .model import DEFAULT_MODEL, Model, load_model
from .smoothing import LEAST_SCORE, MARGIN, TIME_CONSTANT_S, UNCERTAIN, Expression
from .sources import read_picture
from .tracking import Tracker

Box = tuple[int, int, int, int]  # x, y, width, height in whole pixels


@dataclass(frozen=True, eq=False)
class Face:
    """A face that was found and labelled.

    `box` is `(x, y, width, height)` in whole pixels of the frame and may stick out of it; `scores` are
    probabilities, `float32` `(labels,)`, in the order of `labels`; `label` is the likeliest;
    `confidence` is the detector's, 0 to 1, and says how sure it is that this is a face at all.

    A face of a `Stream` has an `id`, 1 or more, by which it is known again in the next frame. Where the
    stream smooths, `scores` are the smoothed ones, `label` is the steady label, which may be "uncertain", and
    `frame_scores` are what the model gave for this frame alone; otherwise `frame_scores` is None.
    """

    box: Box
    label: str
    scores: np.ndarray
    confidence: float
    labels: tuple[str, ...]
    id: int | None = None
    frame_scores: np.ndarray | None = None

    @property
    def score(self) -> float:
        """The probability of `label`; of the likeliest label where it is "uncertain"."""
        return float(self.scores.max() if self.uncertain else self.scores[self.labels.index(self.label)])

    @property
    def smoothed(self) -> bool:
        """Whether `scores` and `label` are smoothed over time."""
        return self.frame_scores is not None

    @property
    def uncertain(self) -> bool:
        """Whether no label was likely enough to be shown."""
        return self.label == UNCERTAIN and UNCERTAIN not in self.labels


class Recognizer:
    """Finds and labels faces: `for face in Recognizer()(frame): face.box, face.label, face.scores`.

    `model` is a released name or the path of a model file, `detector` None (YuNet, or Haar where
    YuNet's file can't be had), "yunet", "haar" or the path of a YuNet `.onnx` file. `engine` is a key of
    `ENGINES`, None takes the first that fits and is installed. `offline` forbids the download of YuNet.

    It prints nothing. Lines that a user should read (a download, the fallback to Haar) go to
    `announce`, or as warnings to the logger "ferkit" where it is None. Threads may share one: their calls
    wait for one another, so that for speed each thread has its own. It may be used as a context manager.

    >>> from ferkit import Recognizer
    >>> with Recognizer(offline=True) as recognize:
    ...     for face in recognize("demo/astronaut.jpg"):
    ...         print(face.label, face.score > 0.5)
    happy True

    Arrays are as good as paths, and pictures that have nothing to do with one another may follow:

    >>> import cv2
    >>> recognize = Recognizer(offline=True)
    >>> frame = cv2.imread("demo/astronaut.jpg")
    >>> (face,) = recognize(frame)
    >>> len(face.scores) == len(face.labels)
    True
    >>> recognize(frame[300:, :100])  # nobody there
    []

    Raises `ModelError`, `CardError`, `EngineError` or `DetectorError`, each saying what to do.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = DEFAULT_MODEL,
        detector: str | os.PathLike[str] | None = None,
        threads: int = 1,
        *,
        engine: str | None = None,
        offline: bool = False,
        announce: Callable[[str], None] | None = None,
    ) -> None:
        announce = announce or logging.getLogger("ferkit").warning
        self.model: Model = load_model(model, engine=engine, threads=threads)
        self.detector: Detector = load_detector(detector, offline=offline, announce=announce)
        self._crop: dict[str, float] = self.model.card["input"]["crop"][self.detector.name]
        self._lock = threading.Lock()
        self._open = True

    def recognize(self, frame: np.ndarray | str | os.PathLike[str]) -> list[Face]:
        """The faces of a frame, the surest first; of a picture file where `frame` is a path.

        `frame` is `uint8` BGR `(height, width, 3)` and is not changed. Raises `ValueError` for another
        array and `SourceError` for a file that is no picture.
        """
        frame = self._frame_of(frame)
        detections = self.detector(frame)
        boxes = [_whole_pixels(detection) for detection in detections]
        labels = self.model.labels
        return [
            Face(box, labels[int(scores.argmax())], scores, float(detection[4]), labels)
            for box, scores, detection in zip(boxes, self._scores_of(frame, boxes), detections, strict=True)
        ]

    __call__ = recognize

    def stream(
        self,
        *,
        detect_every: int | None = None,
        smooth: bool = True,
        time_constant_s: float = TIME_CONSTANT_S,
        margin: float = MARGIN,
        least_score: float = LEAST_SCORE,
    ) -> Stream:
        """Something to hand the frames of one video or camera to, in order: it knows the faces again.

        >>> import cv2
        >>> from ferkit import Recognizer
        >>> follow = Recognizer(offline=True).stream()
        >>> frame = cv2.imread("demo/astronaut.jpg")
        >>> for number in range(3):
        ...     for face in follow(frame, time_s=number / 30):
        ...         print(face.id, face.label, face.smoothed)
        1 happy True
        1 happy True
        1 happy True

        Args:
            detect_every: frames from one detection to the next; in between the faces are followed. None: as
                many as the detector's measured time asks for (see `Tracker`). 1 detects in every frame.
            smooth: False gives each frame's own scores and their likeliest label.
            time_constant_s: of the mean over time, in seconds.
            margin: what another label's probability must be ahead by, to be shown instead.
            least_score: the probability below which "uncertain" is shown.
        """
        for name, value, most in (
            ("time_constant_s", time_constant_s, math.inf),
            ("margin", margin, 1.0),
            ("least_score", least_score, 1.0),
        ):
            if not 0 <= value <= most or not math.isfinite(value):
                limit = "0 or more" if most > 1 else "0 to 1"
                raise ValueError(f"Expected {name} of {limit}, got {value!r}.")
        express = (
            (lambda: Expression(self.model.labels, time_constant_s, margin, least_score)) if smooth else None
        )
        return Stream(self, Tracker(self.detector, detect_every=detect_every), express)

    def close(self) -> None:
        """End the use of this recognizer; calling it or its streams afterwards raises `ValueError`."""
        self._open = False

    def _frame_of(self, frame: np.ndarray | str | os.PathLike[str]) -> np.ndarray:
        if not self._open:
            raise ValueError("This Recognizer was closed: make a new one.")
        if isinstance(frame, str | os.PathLike):
            frame = read_picture(Path(frame))
        check_frame(frame)
        return frame

    def _scores_of(self, frame: np.ndarray, boxes: Sequence[Box]) -> np.ndarray:
        """Scores of the faces in these boxes, `float32` `(boxes, labels)`, in one batch."""
        faces = np.empty((len(boxes), 48, 48, 1), np.uint8)
        for number, box in enumerate(boxes):
            faces[number, :, :, 0] = crop_face(frame, box, **self._crop)
        with self._lock:
            return self.model(faces)

    def __enter__(self) -> Recognizer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Stream:
    """The frames of one video or camera, in which faces keep their ids; made by `Recognizer.stream`.

    It belongs to one thread, while several streams may share a recognizer.
    """

    def __init__(
        self, recognizer: Recognizer, tracker: Tracker, express: Callable[[], Expression] | None
    ) -> None:
        self.recognizer = recognizer
        self.tracker = tracker
        self._express = express
        self._expressions: dict[int, Expression] = {}

    def recognize(
        self, frame: np.ndarray | str | os.PathLike[str], time_s: float | None = None
    ) -> list[Face]:
        """The faces of the next frame, the longest known first.

        `frame` is as for `Recognizer`, `time_s` its time in seconds from any start; None is now. A face
        that leaves and comes back within `LOST_S` keeps its id, and no id is given twice.
        """
        frame = self.recognizer._frame_of(frame)
        if time_s is None:
            time_s = time.monotonic()
        tracks = self.tracker.follow(frame, time_s)
        boxes = [_whole_pixels(track.box) for track in tracks]
        labels = self.recognizer.model.labels
        faces = []
        for track, box, scores in zip(tracks, boxes, self.recognizer._scores_of(frame, boxes), strict=True):
            if self._express is None:
                label = labels[int(scores.argmax())]
                faces.append(Face(box, label, scores, track.confidence, labels, track.id))
                continue
            expression = self._expressions.get(track.id) or self._express()
            self._expressions[track.id] = expression
            smoothed, label = expression.update(scores, time_s)
            faces.append(Face(box, label, smoothed, track.confidence, labels, track.id, scores))
        known = {track.id for track in self.tracker.tracks}
        for id in self._expressions.keys() - known:
            del self._expressions[id]
        return faces

    __call__ = recognize


def _whole_pixels(box: Sequence[float] | np.ndarray) -> Box:
    """A box `(x, y, width, height, ...)` rounded to the one that is cropped and shown."""
    x, y, width, height = (math.floor(float(value) + 0.5) for value in box[:4])
    return x, y, max(1, width), max(1, height)
