"""Parity of a detector: whether a file finds the faces that Keras finds, within stated limits."""

from dataclasses import dataclass

import numpy as np

from dataset.detection.boxes import overlaps, suppress

from .detector import OVERLAP

LARGEST_GAP = 0.0001  # fp32: between two confidences, over all cells of all images
LARGEST_BOX_GAP = 0.01  # fp32: between two coordinates, over the cells that count as faces, in pixels
SMALLEST_AGREEMENT = 0.97  # int8: of the faces that either finds, the share that both find
SMALLEST_OVERLAP = 0.92  # int8: mean intersection over union of the boxes of these faces
LARGEST_MEAN_GAP = 0.05  # int8: mean difference of the confidences of these faces
SAME_FACE = 0.5  # intersection over union from which two boxes are on one face
# Of a face that one of the two finds surely, the other may be less sure by so much.
LESS_SURE = 0.1


@dataclass(frozen=True)
class Parity:
    """How close a file's answers are to Keras' on the same images.

    Attributes:
        images: The number of images.
        faces: The number of faces that Keras finds in them.
        largest_gap: The largest difference between two confidences of one cell, 0 to 1.
        largest_box_gap: The largest difference between two coordinates of a box that Keras takes for a face,
            in pixels.
        agreement: Of the faces that either finds, the share that both find, 0 to 1.
        mean_overlap: The mean intersection over union of the two boxes of a face, 0 to 1.
        mean_gap: The mean difference between the two confidences of a face, 0 to 1.
    """

    images: int
    faces: int
    largest_gap: float
    largest_box_gap: float
    agreement: float
    mean_overlap: float
    mean_gap: float


def compare(answers: np.ndarray, reference: np.ndarray, threshold: float) -> Parity:
    """Compares a file's answers with Keras', both as `export.detector.joined` gives them.

    Args:
        answers: float32 (images, cells, 9).
        reference: float32 (images, cells, 9).
        threshold: The confidence of a face.
    """
    found, pairs = 0, []
    for own, keras in zip(answers, reference, strict=True):
        for first, second in ((keras, own), (own, keras)):
            faces = faces_in(first, threshold)
            found += len(faces)
            pairs.append(matched(faces, faces_in(second, threshold - LESS_SURE)))
    matches = np.concatenate([np.empty((0, 2)), *pairs])
    # What is not a number counts as the largest gap that there can be.
    gaps = np.nan_to_num(np.abs(answers.astype(np.float64) - reference), nan=np.inf, posinf=np.inf)
    seen = reference[..., 4] >= threshold
    return Parity(
        images=len(reference),
        faces=sum(len(faces_in(keras, threshold)) for keras in reference),
        largest_gap=float(np.minimum(gaps[..., 4], 1).max()),
        largest_box_gap=float(gaps[seen][:, :4].max(initial=0)),
        agreement=len(matches) / found if found else 1.0,
        mean_overlap=float(matches[:, 0].mean()) if len(matches) else 1.0,
        mean_gap=float(matches[:, 1].mean()) if len(matches) else 0.0,
    )


def faces_in(answers: np.ndarray, threshold: float) -> np.ndarray:
    """Returns the cells that non-maximum suppression leaves of an image's: float32 (faces, 9)."""
    sure = answers[answers[:, 4] >= threshold]
    return sure[suppress(sure[:, :4], sure[:, 4], most_overlap=OVERLAP)]


def matched(faces: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Returns the overlap and the gap of confidence of each face that others have too: float64 (faces, 2)."""
    if not len(faces) or not len(others):
        return np.empty((0, 2))
    shared = overlaps(faces[:, :4], others[:, :4])
    best = shared.argmax(axis=1)
    pairs = np.stack([shared.max(axis=1), np.abs(faces[:, 4] - others[best, 4])], axis=1)
    return pairs[pairs[:, 0] >= SAME_FACE]


def faults(precision: str, parity: Parity) -> list[str]:
    """Returns the limits that a file misses, each with the figure; an empty list if it passes.

    Args:
        precision: One of `export.detector.PRECISIONS`.
        parity: The file's.
    """
    if precision == "fp32":
        checks = [
            ("largest gap of a confidence to Keras", parity.largest_gap, LARGEST_GAP),
            ("largest gap of a box to Keras in pixels", parity.largest_box_gap, LARGEST_BOX_GAP),
        ]
        return [f"{name} {value:.2g}, limit {limit:g}" for name, value, limit in checks if value > limit]
    found = [
        f"{name} {value:.1%}, limit {limit:.0%}"
        for name, value, limit in (
            ("faces that Keras finds, too", parity.agreement, SMALLEST_AGREEMENT),
            ("mean overlap with Keras' boxes", parity.mean_overlap, SMALLEST_OVERLAP),
        )
        if value < limit
    ]
    if parity.mean_gap > LARGEST_MEAN_GAP:
        found.append(f"mean gap of confidences to Keras {parity.mean_gap:.2g}, limit {LARGEST_MEAN_GAP:g}")
    return found
