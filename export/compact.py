"""The same TFLite file in fewer bytes: equal vectors of numbers are written once, and names are short.

A quantized convolution has a scale and a zero point for each channel of its weights and of its bias. All zero
points are zeros of 8 bytes. The converter writes them for every tensor, under a name that lists every layer
that the tensor went through. A flatbuffer may refer to one vector from many places.
"""

import itertools
from typing import Any

import flatbuffers
import numpy as np

from . import tflite_schema

ALIGNMENT = 16  # bytes; TFLite's schema asks it of every buffer


class SharingBuilder(flatbuffers.Builder):
    """Writes equal vectors of numbers once, and aligns vectors of bytes as TFLite's schema asks."""

    def __init__(self, size: int) -> None:
        """Begins a file.

        Args:
            size: About as many bytes as it will have.
        """
        super().__init__(size)
        self.written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: np.ndarray) -> int:  # noqa: N802 (as flatbuffers calls it)
        """Returns the offset of a vector: of a new one, or of its equal."""
        key = (x.dtype.str, x.tobytes())
        if key not in self.written:
            if x.dtype == np.uint8:
                self.Prep(ALIGNMENT, x.size)
            self.written[key] = super().CreateNumpyVector(x)
        return self.written[key]


def compact(file: bytes) -> bytes:
    """Returns a TFLite file that computes the same in fewer bytes."""
    model = tflite_schema.read(file)
    for graph in model.subgraphs:
        shorten_names(graph.tensors)
    return tflite_schema.write(model, SharingBuilder(len(file)))


def shorten_names(tensors: list[Any]) -> None:
    """Gives each tensor the first layer of its name, with a number where two would be equal.

    'net/relu_1/Relu;net/conv_1/BiasAdd;...' becomes 'relu_1/Relu', without the net's name.

    Args:
        tensors: The `TensorT` of a graph; their names are changed.
    """
    taken: set[str] = set()
    for tensor in tensors:
        first = tensor.name.decode().split(";")[0]
        layer = first.split("/", 1)[1] if first.count("/") > 1 else first
        numbered = (f"{layer}_{number}" for number in itertools.count(2))
        name = next(name for name in itertools.chain([layer], numbered) if name not in taken)
        taken.add(name)
        tensor.name = name.encode()
