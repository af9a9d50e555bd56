"""The same TFLite file in fewer bytes: numbers that stand in it many times are written once.

A quantized convolution has a scale and a zero point for each channel of its weights and of its bias, and all
those zero points are zeros of 8 bytes; the converter writes them out for every tensor, under names that list
all the layers a tensor went through. A flatbuffer may refer to one vector from many places.
"""

import itertools
from typing import Any

import flatbuffers
import numpy as np

ALIGNMENT = 16  # bytes; TFLite's schema asks it of every buffer


class SharingBuilder(flatbuffers.Builder):
    """Writes equal vectors of numbers once, and aligns those of bytes as TFLite's schema asks of buffers."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: np.ndarray) -> int:  # noqa: N802 (as flatbuffers calls it)
        """Returns where the vector stands: a new one, or its equal."""
        key = (x.dtype.str, x.tobytes())
        if key not in self.written:
            if x.dtype == np.uint8:
                self.Prep(ALIGNMENT, x.size)
            self.written[key] = super().CreateNumpyVector(x)
        return self.written[key]


def compact(file: bytes) -> bytes:
    """Returns a TFLite file that computes the same in fewer bytes, each tensor under one layer's name."""
    from tensorflow.lite.python import schema_py_generated as schema

    content = schema.ModelT.InitFromPackedBuf(file, 0)
    for graph in content.subgraphs:
        shorten_names(graph.tensors)
    builder = SharingBuilder(len(file))
    builder.Finish(content.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def shorten_names(tensors: list[Any]) -> None:
    """Names each tensor by the first of the layers in its name, with a number where two would be equal.

    'net/relu_1/Relu;net/conv_1/BiasAdd;...' becomes 'relu_1/Relu': the net's name goes, too.
    """
    taken: set[str] = set()
    for tensor in tensors:
        first = tensor.name.decode().split(";")[0]
        layer = first.split("/", 1)[1] if first.count("/") > 1 else first
        numbered = (f"{layer}_{number}" for number in itertools.count(2))
        name = next(name for name in itertools.chain([layer], numbered) if name not in taken)
        taken.add(name)
        tensor.name = name.encode()
