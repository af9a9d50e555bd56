"""What a detector did with photos: which faces it found, and what it found that is none."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from .boxes import overlaps
from .teacher import Found, Photo

FOUND = 0.4  # overlap with the true box from which a face counts as found
TOUCHED = 0.1  # overlap with an ignored region from which a box counts neither way


class Faces(NamedTuple):
    """What a detector did with photos: one entry for each true face.

    Attributes:
        confidences: `float32 (faces,)`, of the surest box that found it; 0 where none did.
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


def score_photos(answers: Sequence[Found], photos: Sequence[Photo]) -> Faces:
    """Returns how right a detector's answers on photos are; boxes on ignored regions count neither way."""
    columns: dict[str, list[float]] = {name: [] for name in ("confidences", "overlaps", "eyes_off", "sizes")}
    false: list[float] = []
    for photo, found in zip(photos, answers, strict=True):
        shared = overlaps(photo.boxes, found.boxes)
        for face, (box, eyes) in enumerate(zip(photo.boxes, photo.eyes, strict=True)):
            columns["sizes"].append(float(np.sqrt(box[2] * box[3])))
            (hits,) = np.nonzero(shared[face] >= FOUND)
            hit = hits.size > 0
            best = int(hits[found.confidences[hits].argmax()]) if hit else 0
            columns["confidences"].append(float(found.confidences[best]) if hit else 0.0)
            columns["overlaps"].append(float(shared[face, best]) if hit else 0.0)
            columns["eyes_off"].append(_eyes_off(eyes, found.eyes[best]) if hit else float("nan"))
        false += found.confidences[on_no_face(found.boxes, photo)].tolist()
    return Faces(*(np.array(values, np.float32) for values in (*columns.values(), false)))


def on_no_face(boxes: np.ndarray, photo: Photo) -> np.ndarray:
    """Returns which boxes, `float (n, 4)`, lie on no face of a photo and no ignored region: `bool (n,)`."""
    on_face = np.any(overlaps(photo.boxes, boxes) >= FOUND, axis=0)
    return np.logical_not(on_face | np.any(overlaps(photo.ignored, boxes) > TOUCHED, axis=0))


def confidences_of(answers: Sequence[Found]) -> np.ndarray:
    """Returns the confidences of all faces in a detector's answers: `float32 (faces,)`."""
    return np.concatenate([np.empty(0, np.float32), *(found.confidences for found in answers)])


def _eyes_off(eyes: np.ndarray, found: np.ndarray) -> float:
    apart = float(np.hypot(*(eyes[2:] - eyes[:2])))
    distances = np.hypot(*(eyes - found).reshape(2, 2).T)
    return float(distances.mean() / apart) if apart > 0 else float("nan")
