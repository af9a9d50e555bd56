"""What an exported file takes and gives, by name: of a classifier and of a detector."""

from collections.abc import Callable
from typing import Any

import keras


def signature_of(model: keras.Model) -> tuple[str, Callable[[Any], dict[str, Any]]]:
    """Returns the name of a file's input, and the function from the input to the outputs by name.

    A classifier takes `faces` and gives `scores`. A detector's network names its own: it gives a dict.
    """
    if isinstance(model.output, dict):
        return model.input.name, lambda pixels: model(pixels, training=False)
    return "faces", lambda faces: {"scores": model(faces, training=False)}
