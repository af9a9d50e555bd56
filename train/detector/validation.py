"""How good a detector is on images that it was not trained on."""

from collections.abc import Sequence

import keras
import numpy as np

from dataset.detection.boxes import letterbox, suppress
from dataset.detection.scores import Faces
from dataset.detection.teacher import Found

THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8)
LEAST_CONFIDENCE = 0.1  # of what is kept before a threshold is chosen
BATCH = 16  # images at a time


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


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else 0.0
