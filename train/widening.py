"""A wider network that begins with the weights of a narrower one.

It is Net2WiderNet (Chen et al. 2016, arXiv 1511.05641). Channels are repeated until there are enough.
What reads a repeated channel shares its weights among the repetitions, in random parts: the wider network
gives the same scores, and its repetitions learn apart. Networks with `Flatten` are refused, because it mixes
channels and positions.
"""

from collections.abc import Iterable
from itertools import zip_longest

import numpy as np
from keras import layers

WIDENED = (layers.Conv2D, layers.Dense, layers.BatchNormalization)
LEAST_PART, LARGEST_PART = 0.5, 1.5  # of a repetition, before the parts of a channel are made to sum to 1


def can_widen(pairs: Iterable[tuple[layers.Layer, layers.Layer]]) -> bool:
    """Returns whether each pair's second layer is the first, with as many or more channels."""
    pairs = list(pairs)
    unlike = [pair for pair in pairs if shapes_of(pair[0]) != shapes_of(pair[1])]
    flattens = any(isinstance(wide, layers.Flatten) for _, wide in pairs)
    return not unlike or (not flattens and all(fits(*pair) for pair in unlike))


def fits(narrow: layers.Layer, wide: layers.Layer) -> bool:
    """Returns whether `widened` can make the weights of the second layer from the first's."""
    shapes = list(zip_longest(shapes_of(narrow), shapes_of(wide), fillvalue=()))
    return (
        type(narrow) is type(wide)
        and isinstance(wide, WIDENED)
        and all(len(one) == len(other) and one[:-2] == other[:-2] for one, other in shapes)
        and all(np.all(np.less_equal(one, other)) for one, other in shapes)
    )


def shapes_of(layer: layers.Layer) -> list[tuple[int, ...]]:
    """Returns the shapes of a layer's weights."""
    return [array.shape for array in layer.get_weights()]


def widened(narrow: layers.Layer, wide: layers.Layer, random: np.random.Generator) -> list[np.ndarray]:
    """Returns the weights of a layer for another that `fits`.

    Args:
        narrow: Has the weights. Of each array the last axis is the output channel, and the one before it, if
            there is one, the input channel.
        wide: Has the shapes.
        random: Decides how repetitions share.
    """
    found = []
    for array, shape in zip(narrow.get_weights(), shapes_of(wide), strict=True):
        if array.shape != shape:
            array = array[..., repeated(array.shape[-1], shape[-1])]
            array = shared(array, shape[-2], random) if array.ndim > 1 else array
        found.append(array)
    return found


def repeated(narrow: int, wide: int) -> np.ndarray:
    """Returns which channel each of `wide` repeats, `int64 (wide,)`: every one, again and again."""
    return np.arange(wide) % narrow


def shared(kernel: np.ndarray, wide: int, random: np.random.Generator) -> np.ndarray:
    """Returns a kernel, `(..., inputs, outputs)`, that reads `wide` inputs and gives the same outputs."""
    inputs, outputs = kernel.shape[-2:]
    origin = repeated(inputs, wide)
    parts = random.uniform(LEAST_PART, LARGEST_PART, (wide, outputs))
    sums = np.zeros((inputs, outputs))
    np.add.at(sums, origin, parts)
    return (kernel[..., origin, :] * (parts / sums[origin])).astype(kernel.dtype)
