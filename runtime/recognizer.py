"""Every face of a frame with its expression: detector, crop, model."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np

from .detectors import Detector, load_detector
from .faces import check_frame, crop_face
from .model import DEFAULT_MODEL, Model, load_model
from .sources import read_picture


@dataclass(frozen=True, eq=False)
class Face:
    """A face that was found and labelled.

    `box` is `(x, y, width, height)` in whole pixels of the frame and may stick out of it; `scores` are
    probabilities, `float32` `(labels,)`, in the order of `labels`; `label` is the likeliest;
    `confidence` is the detector's, 0 to 1, and says how sure it is that this is a face at all.
    """

    box: tuple[int, int, int, int]
    label: str
    scores: np.ndarray
    confidence: float
    labels: tuple[str, ...]

    @property
    def score(self) -> float:
        """The probability of `label`."""
        return float(self.scores[self.labels.index(self.label)])


class Recognizer:
    """Finds and labels faces: `for face in Recognizer()(frame): face.box, face.label, face.scores`.

    `model` is a released name or the path of a model file, `detector` None (YuNet, or Haar where
    YuNet's file can't be had), "yunet", "haar" or the path of a YuNet `.onnx` file. `engine` is a key of
    `ENGINES`, None takes the first that fits and is installed. `offline` forbids the download of YuNet.

    It prints nothing. Lines that a user should read (a download, the fallback to Haar) go to
    `announce`, or as warnings to the logger "ferkit" where it is None. It serves one thread at a time;
    it may be used as a context manager.

    Raises `ModelError`, `CardError`, `EngineError` or `DetectorError`, all `ValueError` or `OSError`.
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
        self._open = True

    def recognize(self, frame: np.ndarray | str | os.PathLike[str]) -> list[Face]:
        """The faces of a frame, the surest first; of a picture file where `frame` is a path.

        `frame` is `uint8` BGR `(height, width, 3)` and is not changed. Raises `ValueError` for another
        array and `SourceError` for a file that is no picture.
        """
        if not self._open:
            raise ValueError("This Recognizer was closed: make a new one.")
        if isinstance(frame, str | os.PathLike):
            frame = read_picture(Path(frame))
        check_frame(frame)
        detections = self.detector(frame)
        boxes = [_whole_pixels(detection) for detection in detections]
        crops = [crop_face(frame, box, **self._crop) for box in boxes]
        faces = np.array(crops, np.uint8).reshape(-1, 48, 48, 1)
        labels = self.model.labels
        return [
            Face(box, labels[int(scores.argmax())], scores, float(detection[4]), labels)
            for box, scores, detection in zip(boxes, self.model(faces), detections, strict=True)
        ]

    __call__ = recognize

    def close(self) -> None:
        """End the use of this recognizer; calling it afterwards raises `ValueError`."""
        self._open = False

    def __enter__(self) -> Recognizer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _whole_pixels(detection: np.ndarray) -> tuple[int, int, int, int]:
    """A detection `(x, y, width, height, confidence)` rounded to the box that is cropped and shown."""
    x, y, width, height = (math.floor(float(value) + 0.5) for value in detection[:4])
    return x, y, max(1, width), max(1, height)
