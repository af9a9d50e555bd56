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
from typing import NamedTuple

import numpy as np

from .card import CROP_FIELDS
from .crop import check_frame, crop_face
from .detectors import Detector, load_detector
from .images import read_image
from .model import DEFAULT_MODEL, Model, load_model
from .smoothing import LEAST_SCORE, MARGIN, TIME_CONSTANT_S, UNCERTAIN, Expression
from .tracking import Tracker

Box = tuple[int, int, int, int]  # x, y, width, height in whole pixels

# Of a frame with more faces than this, so many are scored and the others keep what they showed: they take
# turns. Ten faces at 30 frames/s have 12 scores a second each, and cost what four cost.
FACES_PER_FRAME = 4


@dataclass(frozen=True, eq=False)
class Face:
    """A face that was found and labelled.

    `box` is `(x, y, width, height)` in whole pixels of the frame and may stick out of it; `scores` are
    probabilities, `float32` `(labels,)`, in the order of `labels`; `label` is the likeliest;
    `confidence` is the detector's, 0 to 1, and says how sure it is that this is a face at all.

    A face of a `Stream` has an `id`, 1 or more, by which it is known again in the next frame. Where the
    stream smooths, `scores` are the smoothed ones, `label` is the steady label, which may be "uncertain", and
    `frame_scores` are what the model gave for this frame alone, or, in a frame with so many faces that they
    take turns, for the last one in which it was this face's; otherwise `frame_scores` is None.
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

    It prints nothing, but LiteRT writes a line about XNNPACK to standard error once a process. Lines that
    a user should read (a download, the fallback to Haar) go to `announce`, or as warnings to the logger
    "ferkit" where it is None. Threads may share one: their calls wait for one another, so that for speed
    each thread has its own. It may be used as a context manager.

    >>> from ferkit import Recognizer
    >>> with Recognizer(offline=True) as recognize:
    ...     for face in recognize("demo/astronaut.jpg"):
    ...         print(face.label, face.score > 0.5)
    happy True

    Arrays are as good as paths, and images that have nothing to do with one another may follow:

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
        crop = self.model.card["input"]["crop"][self.detector.name]
        self._crop: dict[str, float] = {field: crop[field] for field in CROP_FIELDS}
        self._lock = threading.Lock()
        self._open = True

    def recognize(self, frame: np.ndarray | str | os.PathLike[str]) -> list[Face]:
        """The faces of a frame, the surest first; of an image file where `frame` is a path.

        `frame` is `uint8` BGR `(height, width, 3)` and is not changed. Raises `ValueError` for another
        array and `SourceError` for a file that is no image.
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
            frame = read_image(Path(frame))
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
        self._known: dict[int, _Known] = {}
        self._frames = 0

    def recognize(
        self, frame: np.ndarray | str | os.PathLike[str], time_s: float | None = None
    ) -> list[Face]:
        """The faces of the next frame, the longest known first.

        `frame` is as for `Recognizer`, `time_s` its time in seconds from any start; None is now. Times rise;
        where a clock was set back, time goes on from there. A face that leaves, or hides behind another, and
        is back within `LOST_S` and about its own width of where it was last seen keeps its id; one that comes
        out elsewhere gets a new one. No id is given twice. Where the stream smooths, at most
        `FACES_PER_FRAME` of the known faces are scored: those that have waited longest.

        Raises as `Recognizer.recognize`, and `ValueError` for a time that is not finite.
        """
        frame = self.recognizer._frame_of(frame)
        if time_s is None:
            time_s = time.monotonic()
        if not math.isfinite(time_s):
            raise ValueError(f"Expected time_s as a finite number of seconds, got {time_s!r}.")
        tracks = self.tracker.follow(frame, time_s)
        boxes = [_whole_pixels(track.box) for track in tracks]
        labels = self.recognizer.model.labels
        if self._express is None:
            return [
                Face(box, labels[int(scores.argmax())], scores, track.confidence, labels, track.id)
                for track, box, scores in zip(
                    tracks, boxes, self.recognizer._scores_of(frame, boxes), strict=True
                )
            ]
        due = self._due([track.id for track in tracks])
        scores_of_due = self.recognizer._scores_of(frame, [boxes[index] for index in due])
        for index, scores in zip(due, scores_of_due, strict=True):
            id = tracks[index].id
            expression = self._known[id].expression if id in self._known else self._express()
            smoothed, label = expression.update(scores, time_s)
            self._known[id] = _Known(expression, self._frames, scores, smoothed, label)
        self._frames += 1
        faces = []
        for track, box in zip(tracks, boxes, strict=True):
            known = self._known[track.id]
            faces.append(
                Face(box, known.label, known.smoothed, track.confidence, labels, track.id, known.scores)
            )
        for id in self._known.keys() - {track.id for track in self.tracker.tracks}:
            del self._known[id]
        return faces

    def _due(self, ids: Sequence[int]) -> list[int]:
        """Which of the faces with these ids are scored in this frame, as indices in their order."""
        new = [index for index, id in enumerate(ids) if id not in self._known]
        seen = [index for index, id in enumerate(ids) if id in self._known]
        seen.sort(key=lambda index: self._known[ids[index]].frame)  # the earlier of two equals stays ahead
        return sorted(new + seen[:FACES_PER_FRAME])

    __call__ = recognize


class _Known(NamedTuple):
    """What a stream knows of a face: the frame that it was last scored in, and what came of it."""

    expression: Expression
    frame: int
    scores: np.ndarray
    smoothed: np.ndarray
    label: str


def _whole_pixels(box: Sequence[float] | np.ndarray) -> Box:
    """A box `(x, y, width, height, ...)` rounded to the one that is cropped and shown."""
    x, y, width, height = (math.floor(float(value) + 0.5) for value in box[:4])
    return x, y, max(1, width), max(1, height)
