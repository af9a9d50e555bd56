"""Classifiers in the engines that run them.

An engine is a function `(path, *, threads=1) -> scores_of`. `scores_of` takes faces, `uint8`
`(n, 48, 48, 1)`, gray 0-255, and returns scores, `float32` `(n, labels)`, 0 to 1. It serves one thread at a
time.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Protocol

import numpy as np

from .networks import ENGINES_OF_SUFFIX, NETWORKS, EngineError, Opener, is_installed

__all__ = ["ENGINES", "ENGINES_OF_SUFFIX", "FACE_SHAPE", "Engine", "EngineError", "ScoresOf", "is_installed"]

FACE_SHAPE = (48, 48, 1)

ScoresOf = Callable[[np.ndarray], np.ndarray]


class Engine(Protocol):
    """A function in `ENGINES`."""

    def __call__(self, path: str | os.PathLike[str], *, threads: int = 1) -> ScoresOf:
        """Opens a model file; returns the function from faces to scores.

        Raises:
            EngineError: The engine is missing, or it can't run this file.
        """
        ...


def engine_of(open_network: Opener) -> Engine:
    """Returns the engine that opens a classifier's file by this function of `NETWORKS`.

    With a free batch dimension all faces run in one call, with a batch of 1 one by one.
    """

    def open_classifier(path: str | os.PathLike[str], *, threads: int = 1) -> ScoresOf:
        network = open_network(path, threads=threads)
        if len(network.output_shapes) != 1:
            raise EngineError(
                f"expected one input and one output, got 1 and {len(network.output_shapes)}.", path=path
            )
        batch, *face_shape = network.input_shape
        if tuple(face_shape) != FACE_SHAPE:
            raise EngineError(
                f"expected faces of shape (n, 48, 48, 1), got {network.input_shape}.", path=path
            )
        (shape,) = network.output_shapes
        if len(shape) != 2 or shape[1] is None:
            raise EngineError(f"expected scores of shape (n, labels), got {shape}.", path=path)
        labels, run = shape[1], network.run

        def scores_of(faces: np.ndarray) -> np.ndarray:
            if batch is None and len(faces):
                return run(faces)[0]
            scores = np.empty((len(faces), labels), np.float32)
            for number in range(len(faces)):
                scores[number] = run(faces[number : number + 1])[0][0]
            return scores

        return scores_of

    return open_classifier


ENGINES: dict[str, Engine] = {name: engine_of(open_network) for name, open_network in NETWORKS.items()}
