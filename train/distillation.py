"""Knowledge distillation: a network learns from the scores of others, its teachers (arXiv 1503.02531)."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from threading import Lock

import keras
import numpy as np

from dataset.classes import classes_of_weights
from dataset.fer2013 import LABELS
from reporting.progress import progress

from .architectures import FACE_SHAPE
from .errors import WeightsError
from .precision import in_bfloat16
from .weights import TEACHER, read_network

Teacher = Callable[[np.ndarray], np.ndarray]
"""From faces, `float32 (n, 48, 48, 1)`, to scores, `float32 (n, classes)`. Threads may call it."""


def read_teachers(
    paths: Sequence[Path], *, precision: str, temperature: float = 1.0, classes: tuple[str, ...] = LABELS
) -> Teacher:
    """Returns a function that gives the mean of the teachers' scores.

    Args:
        paths: `.keras` files.
        precision: What their convolutions compute in, "float32" or "bfloat16".
        temperature: Above 0. Above 1 it softens this mean, below 1 it sharpens it.
        classes: The names of the scores that they must give.

    Raises:
        WeightsError: A file is missing, or no network that gives these scores for a gray face.
        DatasetError: The record beside a file is none, or is of other weights.
    """
    networks = [read_network(path, TEACHER) for path in paths]
    for path, network in zip(paths, networks, strict=True):
        check_scores(network, path, classes)
    if precision == "bfloat16":
        networks = [in_bfloat16(network) for network in networks]

    # On JAX a prediction takes the weights out of the network for its time (Keras 3.15).
    alone = Lock() if keras.backend.backend() == "jax" else nullcontext()

    def teacher(faces: np.ndarray) -> np.ndarray:
        with alone:
            scores = [network.predict_on_batch(faces) for network in networks]
        return softened(np.mean(scores, axis=0, dtype="float32"), temperature)

    teacher(np.zeros((1, *FACE_SHAPE), "float32"))  # built here, before threads would build it twice
    return teacher


def softened(scores: np.ndarray, temperature: float) -> np.ndarray:
    """Returns scores whose logarithms were divided by a temperature, `float32 (n, classes)`; sums stay 1.

    Args:
        scores: `float32 (n, classes)`, each row with a sum of 1.
        temperature: Above 0.
    """
    if temperature == 1:
        return scores
    logits = np.log(np.maximum(scores, np.finfo("float32").tiny)) / np.float32(temperature)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def check_scores(network: keras.Model, path: Path, classes: tuple[str, ...]) -> None:
    """Raises WeightsError where the network at `path` does not give a score per class for a gray face."""
    shapes = [tensor.shape for tensor in (*network.inputs, *network.outputs)]
    if shapes != [(None, *FACE_SHAPE), (None, len(classes))]:
        raise WeightsError(
            path,
            f"expected a teacher that gives {len(classes)} scores for a gray face of 48x48 pixels, got one "
            f"with inputs and outputs {', '.join(map(str, shapes))}",
        )
    if (found := classes_of_weights(path)) != classes:
        raise WeightsError(
            path, f"expected a teacher of the classes {', '.join(classes)}, got one of {', '.join(found)}"
        )


def scores_of_plain_faces(teacher: Teacher, faces: np.ndarray, *, show_progress: bool) -> np.ndarray:
    """Returns the mean of a teacher's scores for each face and its mirror image, `float32 (n, classes)`.

    Args:
        teacher: As `read_teachers` gives it.
        faces: `uint8 (n, 48, 48, 1)`, not augmented.
        show_progress: Whether a bar is shown.
    """
    starts = range(0, len(faces), 256)
    scores = []
    for start in progress(starts, "Scoring with the teachers") if show_progress else starts:
        batch = faces[start : start + 256].astype("float32")
        scores.append((teacher(batch) + teacher(batch[:, :, ::-1])) / 2)
    return np.concatenate(scores)
