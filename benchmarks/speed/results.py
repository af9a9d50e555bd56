"""What `python -m benchmarks measure` stores: a row for each file on each engine."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from benchmarks.schemas import read_as
from reporting.machine import Device


@dataclass
class ArtifactRow:
    """One file on one engine; shares of 0 to 1, None for a figure that could not be measured.

    Attributes:
        file: Its name.
        model: Of its card.
        precision: Of its card.
        engine: That runs it.
        sha256: Of the file.
        bytes: Of the file.
        load_ms: From a path to an open model, median.
        median_ms: Of one face.
        p95_ms: Of one face.
        faces_per_second_batch_32: Where the file takes batches.
        accuracy: On the test split.
        accuracy_without_duplicates: On its faces without a duplicate in training.
        macro_recall: On the test split.
        label_agreement: With Keras, or with the float32 file.
        label_agreement_source: Of that figure.
        peak_memory_bytes: Of a process that answers a few faces.
        frames_per_second: Of whole frames, by detector.
    """

    file: str
    model: str
    precision: str
    engine: str
    sha256: str
    bytes: int
    load_ms: float = math.nan
    median_ms: float = math.nan
    p95_ms: float = math.nan
    faces_per_second_batch_32: float | None = None
    accuracy: float | None = None
    accuracy_without_duplicates: float | None = None
    macro_recall: float | None = None
    label_agreement: float | None = None
    label_agreement_source: str = "card"
    peak_memory_bytes: int | None = None
    frames_per_second: dict[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    """A file that an engine can't run, and why."""

    file: str
    engine: str
    reason: str


@dataclass(frozen=True)
class FrameSetup:
    """The frames that are timed; `detectors`: the share of them in which each finds exactly the one face."""

    width: int
    height: int
    faces: int
    detectors: dict[str, float]


@dataclass(frozen=True)
class SpeedResults:
    """What the JSON holds."""

    results_version: Literal[1]
    device: Device
    calls: int
    frame: FrameSetup
    dataset: str | None
    dataset_sha256: str | None
    rows: list[ArtifactRow]
    refused: list[Refused]


def read_results(path: Path) -> SpeedResults:
    """Returns results that were measured before; raises ResultsError for anything else."""
    return read_as(
        SpeedResults,
        path,
        expected="results that `python -m benchmarks measure` wrote",
        advice="Measure again.",
    )
