"""Is a written file the model it was made from? Its scores against Keras', within stated limits."""

from dataclasses import dataclass

import numpy as np

LARGEST_GAP = {"fp32": 1e-4, "fp16": 1e-2}  # between two probabilities, over all faces
SMALLEST_AGREEMENT = 0.98  # of the quantized files' labels with Keras'
LARGEST_DROP = 0.005  # of a quantized file's accuracy on the validation split, against Keras'
FEWEST_FACES = 500  # for the two above: among fewer, one or two faces decide


@dataclass(frozen=True)
class Parity:
    """How close a file's scores are to Keras' on the same faces."""

    faces: int
    largest_gap: float
    label_agreement: float


def compare(scores: np.ndarray, reference: np.ndarray) -> Parity:
    """Compares scores with Keras' scores, both `float32 (n, 7)`."""
    agreement = (scores.argmax(axis=1) == reference.argmax(axis=1)).mean()
    # A score that is not a number is as far off as a score can be.
    gap = float(np.nan_to_num(np.abs(scores.astype(np.float64) - reference), nan=1.0).max())
    return Parity(len(reference), gap, float(agreement))


def faults(precision: str, parity: Parity, drop: float | None = None) -> list[str]:
    """Returns what a file misses, each with figure and limit; an empty list if it passes.

    drop: Keras' accuracy less the file's, on the validation split: the test split decides nothing. None
    where no dataset is at hand. What a quantized file does to fewer than `FEWEST_FACES` faces is no ground
    to refuse it.
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
