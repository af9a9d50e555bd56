"""What decides about the labels of an archive: the same settings give the same rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ..card import CardError
from ..recognizer import Recognizer

DETECT_EVERY = 5  # a fixed number, so that every machine finds the same faces


@dataclass(frozen=True)
class Settings:
    """How files are labelled, on whatever machine.

    Attributes:
        model: A released model's name, or the absolute path of a model file.
        model_sha256: The model file's sha256.
        engine: What runs it.
        labels: The model's labels.
        detector: The detector's name or file.
        small_faces: Whether parts of each frame are searched, too.
        every_s: Of a video, the first frame of each so many seconds is labelled; 0: every frame.
        detect_every: Frames from one detection to the next.
        smooth: Whether scores are averaged over time.
        time_constant_s: Of that mean.
        threshold: The probability below which a label is "uncertain".
        flat: Whether faces have a table of their own.
        time_limit_s: How long one file may take.
        folder: What relative paths are relative to.
        address: The archive's address, whose options (`?endpoint_override=...`) hold for all its files.
    """

    model: str
    model_sha256: str
    engine: str
    labels: tuple[str, ...]
    detector: str
    small_faces: bool
    every_s: float
    detect_every: int
    smooth: bool
    time_constant_s: float
    threshold: float
    flat: bool
    time_limit_s: float
    folder: str
    address: str

    def identity(self) -> dict[str, Any]:
        """Returns what rows of one archive have in common."""
        others = ("model", "engine", "time_limit_s", "folder", "address")
        return {name: value for name, value in asdict(self).items() if name not in others}


def open_recognizer(settings: Settings) -> Recognizer:
    """Opens the recognizer of these settings.

    Raises:
        CardError: This machine has another model of that name.
        ModelError, EngineError, DetectorError: It can't be opened.
    """
    recognizer = Recognizer(
        settings.model, settings.detector, engine=settings.engine, small_faces=settings.small_faces
    )
    found = recognizer.model.card["sha256"]
    if found != settings.model_sha256:
        raise CardError(
            f"expected the model with sha256 {settings.model_sha256[:16]}..., got {found[:16]}...: install "
            "the same ferkit on every machine.",
            path=recognizer.model.path,
        )
    return recognizer
