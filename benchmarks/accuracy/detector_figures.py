"""What each detector finds in groups of images, what it takes for a face, and how long it takes.

All detectors see an image before the next one is made.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from benchmarks.accuracy.detector_images import Group
from benchmarks.accuracy.detector_sheets import ContactSheets
from dataset.detection.scores import Faces, confidences_of, score_photos
from dataset.detection.teacher import Found, Photo
from reporting.machine import Device
from reporting.progress import progress
from reporting.timing import median_and_p95, time_interleaved
from runtime.detectors import Detector

THRESHOLDS = tuple(round(0.1 + 0.025 * step, 3) for step in range(36))  # of a curve
CALLS_PER_TURN = 4
NO_BOXES = np.empty((0, 4), np.float32)


@dataclass(frozen=True)
class GroupFigures:
    """A group of images: by detector, the share of its faces that were found, and boxes on no face."""

    name: str
    kind: str
    images: int
    faces: int
    found: dict[str, float]
    false: dict[str, int]


@dataclass(frozen=True)
class Times:
    """Of a detector on a frame of 640x480, one thread, in milliseconds of processor time."""

    median_ms: float
    p95_ms: float


@dataclass(frozen=True)
class CurvePoint:
    """What a detector finds at a confidence: share of the photos' faces, false faces per background."""

    threshold: float
    found: float
    false_per_image: float


@dataclass(frozen=True)
class DetectorFigures:
    """What the JSON holds.

    Attributes:
        device: The machine.
        command: What was called, without the folders of its paths.
        split: "validation" or "test".
        detectors: By name, what the detector is. The first is the one that the goals are for.
        left_out: What was not measured, a sentence each.
        sources: The groups that are photographs as they are: the curves are of them.
        groups: In the table's order.
        backgrounds: How many images without a face.
        false_per_background: By detector: false faces in such an image; None without such images.
        times: By detector.
        curves: By detector: found against false faces as the confidence moves.
    """

    device: Device
    command: str
    split: str
    detectors: dict[str, str]
    left_out: list[str]
    sources: list[str]
    groups: list[GroupFigures]
    backgrounds: int
    false_per_background: dict[str, float] | None
    times: dict[str, Times]
    curves: dict[str, list[CurvePoint]]


def answer(detector: Detector, image: np.ndarray) -> Found:
    """Returns what a detector finds in an image, uint8, gray or BGR, as the scores want it."""
    frame = image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    boxes = detector(frame)
    return Found(boxes[:, :4], np.full((len(boxes), 4), np.nan, np.float32), boxes[:, 4])


def measure_group(
    group: Group, detectors: Mapping[str, Detector], sheets: ContactSheets | None = None
) -> GroupFigures:
    """Returns what each detector finds in a group.

    Args:
        group: The images.
        detectors: By name.
        sheets: Gets what was missed and what was false.
    """
    scores: dict[str, list[Faces]] = {name: [] for name in detectors}
    for photo in progress(group.photos(), group.name, total=group.images):
        for name, detector in detectors.items():
            found = answer(detector, photo.image)
            scores[name].append(score_photos([found], [photo]))
            if sheets is not None:
                sheets.add(name, group.name, photo, found, scores[name][-1].confidences > 0)
    joined = {name: _joined(parts) for name, parts in scores.items()}
    return GroupFigures(
        name=group.name,
        kind=group.kind,
        images=group.images,
        faces=max(len(faces.sizes) for faces in joined.values()),
        found={name: float((faces.confidences > 0).mean()) for name, faces in joined.items()},
        false={name: len(faces.false) for name, faces in joined.items()},
    )


def measure_backgrounds(
    backgrounds: Sequence[np.ndarray], detectors: Mapping[str, Detector], sheets: ContactSheets | None = None
) -> dict[str, float]:
    """Returns how many faces each detector finds in an image without a face.

    Args:
        backgrounds: uint8 (height, width) each, gray; at least one.
        detectors: By name.
        sheets: Gets what was false.
    """
    counts = dict.fromkeys(detectors, 0)
    for image in progress(backgrounds, "backgrounds"):
        for name, detector in detectors.items():
            found = answer(detector, image)
            counts[name] += len(found.boxes)
            if sheets is not None:
                sheets.add(name, "backgrounds", Photo(image, NO_BOXES, NO_BOXES, NO_BOXES), found, None)
    return {name: count / len(backgrounds) for name, count in counts.items()}


def measure_curve(
    detector: Detector, photos: Sequence[Photo], backgrounds: Sequence[np.ndarray], *, name: str
) -> list[CurvePoint]:
    """Returns what a detector finds as the confidence moves.

    Args:
        detector: Leaves out as few boxes as it can.
        photos: With their faces.
        backgrounds: Images without a face; at least one.
        name: For the progress bar.
    """
    images = [*(photo.image for photo in photos), *backgrounds]
    answers = [answer(detector, image) for image in progress(images, f"curve of {name}")]
    faces = score_photos(answers[: len(photos)], photos)
    false = confidences_of(answers[len(photos) :])
    return [
        CurvePoint(
            threshold,
            found=float((faces.confidences >= threshold).mean()) if len(faces.confidences) else float("nan"),
            false_per_image=float((false >= threshold).sum() / len(backgrounds)),
        )
        for threshold in THRESHOLDS
    ]


def measure_times(
    detectors: Mapping[str, Detector], frames: Sequence[np.ndarray], *, turns: int
) -> dict[str, Times]:
    """Returns how long each detector takes, interleaved: processor time of the calling thread."""
    milliseconds = time_interleaved(
        list(detectors.values()),
        frames,
        turns=turns,
        calls_per_turn=CALLS_PER_TURN,
        description="times",
        now=time.thread_time_ns,
    )
    return {name: Times(*median_and_p95(row)) for name, row in zip(detectors, milliseconds, strict=True)}


def _joined(parts: Iterable[Faces]) -> Faces:
    return Faces(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))
