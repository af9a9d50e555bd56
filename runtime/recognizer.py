"""From a frame to its faces with their expressions: detector, crop, model. A stream follows the faces."""

from __future__ import annotations

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
from .detectors import Detector, Tiled, load_detector
from .images import read_image
from .model import DEFAULT_MODEL, Model, load_model
from .smoothing import MARGIN, THRESHOLD, TIME_CONSTANT_S, UNCERTAIN, Expression
from .tracking import Track, Tracker

Box = tuple[int, int, int, int]  # x, y, width, height in whole pixels

# A stream scores at most so many known faces per frame, in rotation; the others keep what they showed. Ten
# faces at 30 frames/s are then scored 12 times a second each, at the cost of four.
FACES_PER_FRAME = 4


@dataclass(frozen=True, eq=False)
class Face:
    """A face that was found and labelled.

    Attributes:
        box: `(x, y, width, height)` in whole pixels of the frame; it may reach beyond the frame.
        label: The likeliest label. In a stream that smooths: the steady label, or "uncertain".
        scores: Probabilities, `float32` `(labels,)`, 0 to 1, in the order of `labels`. In a stream that
            smooths: their mean over time.
        confidence: How sure the detector is that this is a face, 0 to 1.
        labels: The model's labels.
        id: The face's number in its stream, 1 or more, the same in every frame. None outside of a stream.
        frame_scores: The model's scores before smoothing, of the last frame in which this face was scored:
            in a frame with many faces they are scored in rotation. None without smoothing.
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
        """The probability of `label`, 0 to 1; where that is "uncertain", of the likeliest label."""
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

    It prints nothing, but LiteRT writes a line about XNNPACK to standard error once per process. Threads may
    share a recognizer; their calls wait for one another. For speed give each thread its own. It may be used
    as a context manager.

    Examples:
        >>> from ferkit import Recognizer
        >>> with Recognizer(offline=True) as recognize:
        ...     for face in recognize("demo/astronaut.jpg"):
        ...         print(face.label, face.score > 0.5)
        happy True

        A frame may be an array. Frames need not belong together:

        >>> import cv2
        >>> recognize = Recognizer(offline=True)
        >>> frame = cv2.imread("demo/astronaut.jpg")
        >>> (face,) = recognize(frame)
        >>> len(face.scores) == len(face.labels)
        True
        >>> recognize(frame[300:, :100])  # nobody there
        []
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = DEFAULT_MODEL,
        detector: str | os.PathLike[str] | None = None,
        threads: int = 1,
        *,
        engine: str | None = None,
        small_faces: bool = False,
        offline: bool = False,
        announce: Callable[[str], None] | None = None,
    ) -> None:
        """Opens a model and a face detector.

        Args:
            model: A released model's name, or the path of a model file.
            detector: "ferkit", "yunet", "haar" or the path of a detector's file. None: YuNet where its file
                is, else ferkit's own.
            threads: The engine's threads.
            engine: A key of `ENGINES`. None: the first that fits the model and is installed.
            small_faces: Whether parts of each frame are searched, too: smaller faces are found, in about five
                times the time.
            offline: Never download YuNet's file.
            announce: Gets each line that the user should read: a download. None: the
                lines are warnings of the logger "ferkit".

        Raises:
            ModelError: There is no such model.
            CardError: The card is missing or wrong, or belongs to another file.
            EngineError: No installed engine runs the model.
            DetectorError: The detector is missing.
        """
        announce = announce or _warn
        self.model: Model = load_model(model, engine=engine, threads=threads)
        found = load_detector(
            detector, engine=self.model.engine, threads=threads, offline=offline, announce=announce
        )
        self.detector: Detector = Tiled(found) if small_faces else found
        rules = self.model.card["input"]["crop"]
        crop = rules.get(self.detector.name, rules["yunet"])  # boxes of ferkit are like YuNet's
        self._crop: dict[str, float] = {field: crop[field] for field in CROP_FIELDS}
        self._lock = threading.Lock()
        self._open = True

    def recognize(self, frame: np.ndarray | str | os.PathLike[str]) -> list[Face]:
        """Returns the faces of a frame, the surest first.

        Args:
            frame: `uint8` BGR `(height, width, 3)`, which is not changed; or the path of an image file.

        Raises:
            ValueError: The array is no such frame.
            SourceError: The file is no image.
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
        threshold: float = THRESHOLD,
    ) -> Stream:
        """Returns a stream: it takes the frames of one video or camera, in order, and follows their faces.

        Args:
            detect_every: Frames from one detection to the next; in between the faces are followed. 1 detects
                in every frame. None: by the detector's measured time (see `Tracker`).
            smooth: Whether scores are averaged over time. False gives each frame's own scores and their
                likeliest label.
            time_constant_s: The time constant of the mean, in seconds.
            margin: By how much another label's probability must lead to be shown instead, 0 to 1.
            threshold: The probability below which "uncertain" is shown, 0 to 1.

        Raises:
            ValueError: A setting is outside its range.

        Examples:
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
        """
        for name, value, most in (
            ("time_constant_s", time_constant_s, math.inf),
            ("margin", margin, 1.0),
            ("threshold", threshold, 1.0),
        ):
            if not 0 <= value <= most or not math.isfinite(value):
                limit = "0 or more" if most > 1 else "0 to 1"
                raise ValueError(f"Expected {name} of {limit}, got {value!r}.")
        express = (
            (lambda: Expression(self.model.labels, time_constant_s, margin, threshold)) if smooth else None
        )
        return Stream(self, Tracker(self.detector, detect_every=detect_every), express)

    def crop(self, frame: np.ndarray, box: Box) -> np.ndarray:
        """Returns the face in a box as the model gets it, `uint8` `(48, 48)`, gray 0-255."""
        return crop_face(frame, box, **self._crop)

    def close(self) -> None:
        """Ends the use of this recognizer; later calls of it or its streams raise `ValueError`."""
        self._open = False

    def _frame_of(self, frame: np.ndarray | str | os.PathLike[str]) -> np.ndarray:
        if not self._open:
            raise ValueError("This Recognizer was closed: make a new one.")
        if isinstance(frame, str | os.PathLike):
            frame = read_image(Path(frame))
        check_frame(frame)
        return frame

    def _scores_of(self, frame: np.ndarray, boxes: Sequence[Box]) -> np.ndarray:
        """Returns the scores of the faces in these boxes, `float32` `(boxes, labels)`, in one batch."""
        faces = np.empty((len(boxes), 48, 48, 1), np.uint8)
        for number, box in enumerate(boxes):
            faces[number, :, :, 0] = self.crop(frame, box)
        with self._lock:
            return self.model(faces)

    def __enter__(self) -> Recognizer:
        """Returns the recognizer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends the use of this recognizer."""
        self.close()


class Stream:
    """The frames of one video or camera, in which faces keep their ids; made by `Recognizer.stream`.

    It belongs to one thread. Several streams may share a recognizer.
    """

    def __init__(
        self, recognizer: Recognizer, tracker: Tracker, express: Callable[[], Expression] | None
    ) -> None:
        """Takes what a stream works with.

        Args:
            recognizer: Scores the faces.
            tracker: Finds and follows the faces.
            express: Makes the smoothing of a new face. None: no smoothing.
        """
        self.recognizer = recognizer
        self.tracker = tracker
        self._express = express
        self._known: dict[int, _Known] = {}
        self._frames = 0

    def recognize(
        self, frame: np.ndarray | str | os.PathLike[str], time_s: float | None = None
    ) -> list[Face]:
        """Returns the faces of the next frame, the longest known first.

        A face that leaves, or is hidden, keeps its id if it comes back within `LOST_S`, at most about its own
        width from its last place. Otherwise it gets a new id. No id is given twice. With smoothing, at most
        `FACES_PER_FRAME` known faces are scored in a frame: those that have waited longest.

        Args:
            frame: `uint8` BGR `(height, width, 3)`, which is not changed; or the path of an image file.
            time_s: The frame's time in seconds from any start; None: now. Times rise. Where a clock was set
                back, time goes on from there.

        Raises:
            ValueError: The array is no such frame, or the time is not finite.
            SourceError: The file is no image.
        """
        frame = self.recognizer._frame_of(frame)
        if time_s is None:
            time_s = time.monotonic()
        if not math.isfinite(time_s):
            raise ValueError(f"Expected time_s as a finite number of seconds, got {time_s!r}.")
        tracks = self.tracker.follow(frame, time_s)
        boxes = [_whole_pixels(track.box) for track in tracks]
        if self._express is None:
            return self._faces_of_frame(frame, tracks, boxes)
        self._score_due(frame, time_s, tracks, boxes, self._express)
        self._frames += 1
        labels = self.recognizer.model.labels
        faces = []
        for track, box in zip(tracks, boxes, strict=True):
            known = self._known[track.id]
            faces.append(
                Face(box, known.label, known.smoothed, track.confidence, labels, track.id, known.scores)
            )
        for id in self._known.keys() - {track.id for track in self.tracker.tracks}:
            del self._known[id]
        return faces

    __call__ = recognize

    def _faces_of_frame(self, frame: np.ndarray, tracks: Sequence[Track], boxes: Sequence[Box]) -> list[Face]:
        """Returns the faces with the scores of this frame alone."""
        labels = self.recognizer.model.labels
        scores_of_boxes = self.recognizer._scores_of(frame, boxes)
        return [
            Face(box, labels[int(scores.argmax())], scores, track.confidence, labels, track.id)
            for track, box, scores in zip(tracks, boxes, scores_of_boxes, strict=True)
        ]

    def _score_due(
        self,
        frame: np.ndarray,
        time_s: float,
        tracks: Sequence[Track],
        boxes: Sequence[Box],
        express: Callable[[], Expression],
    ) -> None:
        """Scores the faces that are due, and updates what is known of them."""
        due = self._due([track.id for track in tracks])
        scores_of_due = self.recognizer._scores_of(frame, [boxes[index] for index in due])
        for index, scores in zip(due, scores_of_due, strict=True):
            id = tracks[index].id
            expression = self._known[id].expression if id in self._known else express()
            smoothed, label = expression.update(scores, time_s)
            self._known[id] = _Known(expression, self._frames, scores, smoothed, label)

    def _due(self, ids: Sequence[int]) -> list[int]:
        """Returns which of the faces with these ids are scored in this frame, as indices in their order."""
        new = [index for index, id in enumerate(ids) if id not in self._known]
        seen = [index for index, id in enumerate(ids) if id in self._known]
        seen.sort(key=lambda index: self._known[ids[index]].frame)  # the earlier of two equals stays ahead
        return sorted(new + seen[:FACES_PER_FRAME])


class _Known(NamedTuple):
    """What a stream knows of a face: the frame in which it was last scored, and the results."""

    expression: Expression
    frame: int
    scores: np.ndarray
    smoothed: np.ndarray
    label: str


def _warn(line: str) -> None:
    import logging  # here, because most runs have nothing to say, and it takes time to import

    logging.getLogger("ferkit").warning(line)


def _whole_pixels(box: Sequence[float] | np.ndarray) -> Box:
    """Rounds a box `(x, y, width, height, ...)` to the one that is cropped and shown."""
    x, y, width, height = (math.floor(float(value) + 0.5) for value in box[:4])
    return x, y, max(1, width), max(1, height)
