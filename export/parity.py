"""Parity: whether a file computes what Keras computes from the same weights, within stated limits."""

from dataclasses import dataclass

import numpy as np

LARGEST_GAP = {"fp32": 1e-4, "fp16": 1e-2}  # between two probabilities, over all faces
SMALLEST_AGREEMENT = 0.98  # of the quantized files' labels with Keras'
LARGEST_DROP = 0.005  # of a quantized file's accuracy on the validation split, against Keras'
FEWEST_FACES = 500  # for the two above: among fewer, one or two faces decide


@dataclass(frozen=True)
class Parity:
    """How close a file's scores are to Keras' on the same faces.

    Attributes:
        faces: The number of faces.
        largest_gap: The largest difference between two probabilities of one label of one face, 0 to 1.
        label_agreement: The share of faces to which both give the same label, 0 to 1.
    """

    faces: int
    largest_gap: float
    label_agreement: float


def compare(scores: np.ndarray, reference: np.ndarray) -> Parity:
    """Compares scores with Keras' scores, both float32 (n, labels)."""
    agreement = (scores.argmax(axis=1) == reference.argmax(axis=1)).mean()
    # A score that is not a number counts as the largest gap that there can be.
    gap = float(np.nan_to_num(np.abs(scores.astype(np.float64) - reference), nan=1.0).max())
    return Parity(len(reference), gap, float(agreement))


def faults(precision: str, parity: Parity, drop: float | None = None) -> list[str]:
    """Returns the limits that a file misses, each with the figure; an empty list if it passes.

    Args:
        precision: One of `runtime.card.PRECISIONS`.
        parity: The file's. Fewer than `FEWEST_FACES` faces are too few to refuse a quantized file.
        drop: Keras' accuracy less the file's on the validation split; None without a dataset. The test split
            decides nothing.
    """
    found = []
    if precision in LARGEST_GAP:
        limit = LARGEST_GAP[precision]
        if parity.largest_gap > limit:
            found.append(f"largest gap to Keras {parity.largest_gap:.2g}, limit {limit:g}")
    elif parity.faces >= FEWEST_FACES:
        if parity.label_agreement < SMALLEST_AGREEMENT:
            found.append(
                f"label agreement with Keras {parity.label_agreement:.2%}, limit {SMALLEST_AGREEMENT:.0%}"
            )
        if drop is not None and drop > LARGEST_DROP:
            found.append(f"accuracy {100 * drop:.2f} points below Keras, limit {100 * LARGEST_DROP:g}")
    return found
