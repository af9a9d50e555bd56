"""What is seen of each image of a collection: its largest face, cut as models take it, and its smile."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.accuracy.grouped_images import Collection, Listed
from benchmarks.accuracy.smile import REST, SMILE, mouth_width, smile_strength
from reporting.progress import progress
from runtime.card import CROP_FIELDS
from runtime.crop import crop_face
from runtime.detectors import Detector
from runtime.model import Model, ModelError

Rule = tuple[float, ...]  # a card's values of `CROP_FIELDS` for the detector


@dataclass(frozen=True)
class Seen:
    """What was seen of each image.

    Attributes:
        listed: The images.
        boxes: Of the largest face, float (images, 4), in pixels of the padded image; zeros where there is
            none.
        found: Whether one was found, bool (images,).
        faces: By crop rule, uint8 (images, 48, 48, 1); black where none was found.
        pad: How far the edge of each image was repeated on every side, in its longer sides.
        strength: Of each smile (`benchmarks.accuracy.smile`), float (images,); nan where it is unknown.
    """

    listed: list[Listed]
    boxes: np.ndarray
    found: np.ndarray
    faces: dict[Rule, np.ndarray]
    pad: float
    strength: np.ndarray


def look(
    collection: Collection,
    rules: set[Rule],
    *,
    detector: Detector,
    pad: float = 0.0,
    yunet: Path | None = None,
) -> Seen:
    """Finds and cuts the largest face of each image.

    Args:
        collection: The images.
        rules: By which faces are cut.
        detector: Finds the faces.
        pad: How far the edge of each image is repeated on every side, in its longer sides.
        yunet: YuNet's file, whose landmarks measure how strongly people smile; None: not measured.
    """
    listed = collection.listed
    boxes = np.zeros((len(listed), 4), np.float32)
    found = np.zeros(len(listed), bool)
    faces = {rule: np.zeros((len(listed), 48, 48, 1), np.uint8) for rule in rules}
    widths: list[float | None] = []
    for number in progress(range(len(listed)), "Finding faces"):
        image = listed[number]
        frame = padded(collection.frame(image.file), pad)
        answer = detector(frame)
        if len(answer):
            boxes[number] = answer[(answer[:, 2] * answer[:, 3]).argmax(), :4]
            found[number] = True
        for rule in rules if found[number] else ():
            crop = dict(zip(CROP_FIELDS, rule, strict=True))
            faces[rule][number, :, :, 0] = crop_face(frame, boxes[number], **crop)
        smiles = image.person is not None and image.label in (SMILE, REST)
        widths.append(mouth_width(frame, yunet) if smiles and yunet else None)
    return Seen(listed, boxes, found, faces, pad, smile_strength(listed, widths))


def padded(frame: np.ndarray, pad: float) -> np.ndarray:
    """Returns an image with its edge repeated on every side; `pad` in its longer sides."""
    margin = round(pad * max(frame.shape[:2]))
    return cv2.copyMakeBorder(frame, margin, margin, margin, margin, cv2.BORDER_REPLICATE)


def rule_of(model: Model, detector: Detector) -> Rule:
    """Returns by which rule a model's faces are cut; raises ModelError where its card has none for it."""
    crop = model.card["input"]["crop"].get(detector.name)
    if crop is None:
        raise ModelError(
            f"expected a card with a crop rule for {detector.name}, got none. Take another --detector.",
            path=model.path,
        )
    return tuple(float(crop[field]) for field in CROP_FIELDS)
