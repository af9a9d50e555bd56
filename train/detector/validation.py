"""How good a detector is on images that it was not trained on."""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np

from .boxes import letterbox, overlaps, suppress
from .teacher import Found, Photo

FOUND = 0.4  # overlap with the true box from which a face counts as found
THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
LEAST_CONFIDENCE = 0.1  # of what is kept before a threshold is chosen
BATCH = 16  # images at a time


class Faces(NamedTuple):
    """What a detector did with photos: one entry for each true face.

    Attributes:
        confidences: `float32 (faces,)`, of the box that found it; 0 where none did.
        overlaps: `float32 (faces,)`, of that box; 0 where none did.
        eyes_off: `float32 (faces,)`, mean distance of the eyes in distances between them; NaN where unknown.
        sizes: `float32 (faces,)`, in pixels of the photo.
        false: `float32 (boxes,)`, the confidences of boxes on no face, all photos'.
    """

    confidences: np.ndarray
    overlaps: np.ndarray
    eyes_off: np.ndarray
    sizes: np.ndarray
    false: np.ndarray


def find_in(
    network: keras.Model, images: Sequence[np.ndarray], *, least_confidence: float = LEAST_CONFIDENCE
) -> list[Found]:
    """Returns the faces that a network finds in each image.

    Args:
        network: from `train.detector.network.build_detector`.
        images: `uint8 (height, width)` each, of any size.
        least_confidence: of a face.
    """
    _, height, width, _ = network.input_shape
    found = []
    for first in range(0, len(images), BATCH):
        canvases, scales = zip(
            *(letterbox(image, height=height, width=width) for image in images[first : first + BATCH]),
            strict=True,
        )
        pixels = np.stack(canvases)[..., None].astype(np.float32)
        outputs = network.predict_on_batch(pixels)
        columns = (outputs[name] for name in ("boxes", "confidences", "eyes"))
        for boxes, confidences, eyes, scale in zip(*columns, scales, strict=True):
            rows = np.flatnonzero(confidences >= least_confidence)
            rows = rows[suppress(boxes[rows], confidences[rows])]
            found.append(Found(boxes[rows] / scale, eyes[rows] / scale, confidences[rows]))
    return found


def score_photos(answers: Sequence[Found], photos: Sequence[Photo]) -> Faces:
    """Returns how right a detector's answers on photos are; boxes on ignored regions count neither way."""
    columns: dict[str, list[float]] = {name: [] for name in ("confidences", "overlaps", "eyes_off", "sizes")}
    false: list[float] = []
    for photo, found in zip(photos, answers, strict=True):
        shared = overlaps(photo.boxes, found.boxes)
        taken = np.zeros(len(found.boxes), bool)
        for face, (box, eyes) in enumerate(zip(photo.boxes, photo.eyes, strict=True)):
            columns["sizes"].append(float(np.sqrt(box[2] * box[3])))
            best = int(shared[face].argmax()) if len(taken) else 0
            hit = bool(len(taken)) and shared[face, best] >= FOUND
            taken |= shared[face] >= FOUND
            columns["confidences"].append(float(found.confidences[best]) if hit else 0.0)
            columns["overlaps"].append(float(shared[face, best]) if hit else 0.0)
            columns["eyes_off"].append(_eyes_off(eyes, found.eyes[best]) if hit else float("nan"))
        if len(photo.ignored) and len(taken):
            taken |= overlaps(photo.ignored, found.boxes).max(axis=0) > 0.1
        false += found.confidences[~taken].tolist()
    return Faces(*(np.array(values, np.float32) for values in (*columns.values(), false)))


def confidences_of(answers: Sequence[Found]) -> np.ndarray:
    """Returns the confidences of all faces in a detector's answers: `float32 (faces,)`."""
    return np.concatenate([np.empty(0, np.float32), *(found.confidences for found in answers)])


def summary(faces: Faces, false: np.ndarray, backgrounds: int, threshold: float) -> dict[str, float]:
    """Returns a detector's figures at a threshold.

    Args:
        faces: as `score_photos` returns them.
        false: as `confidences_of` returns them, in images without a face.
        backgrounds: how many images that were.
        threshold: of the confidence.

    Returns:
        Shares of faces found, of those of at least 20 pixels, mean overlap of those found, median distance of
        the eyes, and false faces per image without a face.
    """
    hit = faces.confidences >= threshold
    large = faces.sizes >= 20
    seen = hit & np.isfinite(faces.eyes_off)
    return {
        "threshold": threshold,
        "found": _mean(hit),
        "found_from_20_px": _mean(hit[large]),
        "overlap": _mean(faces.overlaps[hit]),
        "eyes_off": float(np.median(faces.eyes_off[seen])) if seen.any() else 1.0,
        "false_per_background": float((false >= threshold).sum() / max(backgrounds, 1)),
        "false_in_photos": float((faces.false >= threshold).sum()),
    }


def threshold_for(false: np.ndarray, backgrounds: int, *, most_false: float) -> float:
    """Returns the lowest of `THRESHOLDS` with so few false faces per background, else the highest."""
    for threshold in THRESHOLDS:
        if (false >= threshold).sum() <= most_false * backgrounds:
            return threshold
    return THRESHOLDS[-1]


def _eyes_off(eyes: np.ndarray, found: np.ndarray) -> float:
    apart = float(np.hypot(*(eyes[2:] - eyes[:2])))
    distances = np.hypot(*(eyes - found).reshape(2, 2).T)
    return float(distances.mean() / apart) if apart > 0 else float("nan")


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0
