"""How strongly a person smiles: the mouth of one image against the mouth of the same person's neutral one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks.accuracy.grouped_images import Listed

SMILE, REST = "happy", "neutral"  # the labels of a person's two images
RIGHT_EYE, LEFT_EYE, RIGHT_CORNER, LEFT_CORNER = 4, 6, 10, 12  # columns of YuNet's answer, x and y each
LEAST_CONFIDENCE = 0.6
BINS = 4  # of equal counts, over all smiles


def mouth_width(frame: np.ndarray, yunet: Path) -> float | None:
    """Returns the distance of the mouth's corners in distances of the eyes; None where no face is found.

    Args:
        frame: uint8 BGR (height, width, 3).
        yunet: YuNet's file.
    """
    height, width = frame.shape[:2]
    net = cv2.FaceDetectorYN.create(str(yunet), "", (width, height), score_threshold=LEAST_CONFIDENCE)
    found = net.detect(frame)[1]
    if found is None:
        return None
    face = found[found[:, -1].argmax()]

    def distance(one: int, other: int) -> float:
        return float(np.hypot(*(face[one : one + 2] - face[other : other + 2])))

    eyes = distance(RIGHT_EYE, LEFT_EYE)
    return distance(RIGHT_CORNER, LEFT_CORNER) / eyes if eyes > 0 else None


def smile_strength(listed: Sequence[Listed], widths: Sequence[float | None]) -> np.ndarray:
    """Returns how much wider each smile's mouth is than the same person's neutral one; nan elsewhere.

    Args:
        listed: The images.
        widths: The mouth's width in each image (`mouth_width`); None where it is unknown.

    Returns:
        float (images,): 0.2 for a mouth that is 20 % wider.
    """
    rest = {
        image.person: width
        for image, width in zip(listed, widths, strict=True)
        if image.label == REST and width is not None
    }
    return np.array(
        [
            width / rest[image.person] - 1
            if image.label == SMILE and width is not None and image.person in rest
            else np.nan
            for image, width in zip(listed, widths, strict=True)
        ]
    )


def recall_at_equal_strength(
    strength: np.ndarray, found: np.ndarray, groups: Sequence[str]
) -> Mapping[str, float | None]:
    """Returns each group's recall if all groups smiled alike.

    The smiles of all groups are divided into `BINS` of equal counts by strength. A group's recall in each
    bin is weighted by the bin's share of all smiles (direct standardization).

    Args:
        strength: float (n,).
        found: Whether the smile was called happy, bool (n,).
        groups: Of each smile, (n,).

    Returns:
        The recall of each group, 0 to 1. None for one without a smile in some bin.
    """
    edges = np.quantile(strength, np.linspace(0, 1, BINS + 1)[1:-1])
    bins = np.searchsorted(edges, strength, side="right")
    shares = np.bincount(bins, minlength=BINS) / len(bins)
    names = np.array(groups)
    recalls: dict[str, float | None] = {}
    for group in sorted(set(groups)):
        own = [found[(names == group) & (bins == number)] for number in range(BINS)]
        whole = all(len(part) for part, share in zip(own, shares, strict=True) if share)
        means = [part.mean() if len(part) else 0.0 for part in own]
        recalls[group] = float(np.dot(shares, means)) if whole else None
    return recalls
