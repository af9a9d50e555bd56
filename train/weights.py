"""`.keras` files: written whole or not at all, read with an error that says what was expected."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np

from reporting.files import replacing

from .errors import WeightsError
from .widening import can_widen, widened

INITIAL_WEIGHTS = "weights to begin with, a .keras file of this kit"
TEACHER = "a teacher, a .keras file of this kit"


def save_network(network: keras.Model, path: Path) -> None:
    """Writes a `.keras` file atomically."""
    with (
        replacing(path, keep_suffix=True) as temporary,
        undistributed(),
    ):  # Keras insists on the ending .keras
        network.save(temporary)


@contextmanager
def undistributed() -> Iterator[None]:
    """Makes variables inside the `with` those of this process alone.

    Keras 3.15 makes some as it saves; distributed ones would wait for the processes that do not save.
    """
    distribution = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(distribution)


def read_network(path: Path, expected: str, *, compile: bool = False) -> keras.Model:
    """Returns the network of a `.keras` file.

    Args:
        path: The file.
        expected: What it should be, for the error, such as `TEACHER`.
        compile: Whether its optimizer and loss are restored too.

    Raises:
        WeightsError: The file is missing, damaged or something else.
    """
    try:
        return keras.saving.load_model(path, compile=compile)
    except Exception as error:  # Keras, h5py and zipfile raise a dozen kinds
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise WeightsError(path, f"expected {expected} ({reason})") from error


def read_initial_weights(path: Path) -> keras.Model:
    """Returns the network with whose weights a training is to begin.

    Raises:
        WeightsError: The file is missing, damaged or something else.
    """
    return read_network(path, INITIAL_WEIGHTS)


def take_weights(network: keras.Model, path: Path, *, new_head: bool = False, seed: int = 0) -> None:
    """Gives the network the weights of a `.keras` file; those of a narrower network are widened.

    Args:
        network: Gets them.
        path: The file.
        new_head: Whether the last layer keeps its own weights, because its classes are others.
        seed: Of the random numbers of `train.widening`.

    Raises:
        WeightsError: They are those of another network.
    """
    given = read_initial_weights(path)
    pairs = list(zip(given.layers, network.layers, strict=False))
    pairs = pairs[:-1] if new_head else pairs
    if len(given.layers) != len(network.layers) or not can_widen(pairs):
        raise WeightsError(
            path,
            f"expected the weights of a network such as {network.name}, or of a narrower one, got those of "
            "another",
        )
    random = np.random.default_rng(seed)
    for other, own in pairs:
        own.set_weights(widened(other, own, random))
