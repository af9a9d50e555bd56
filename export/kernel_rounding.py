"""Rounds the first kernel so that quantized weights give nearly the outputs of float32 weights.

The first convolution reads gray pixels. They are positive, and neighbours are alike: nine rounding errors
that don't cancel shift every output the same way. With them int8 changes more labels, and float16 leaves a
larger gap to Keras than `export.parity` allows. So the weights are rounded here, by what the errors do to
faces.
"""

import functools
import itertools

import keras
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .parity_faces import parity_faces


def with_rounded_kernel(model: keras.Model, grid: str = "int8") -> keras.Model:
    """Returns a copy of the model whose first kernel, 3x3 of one channel, holds numbers of a grid alone.

    A filter's nine weights can be rounded up or down in 512 ways. The errors of the chosen one vary least
    over the patches of `parity_faces`; what they add on average is taken from the bias. A quantizer finds
    exactly these weights again. A model that starts otherwise is returned as it is; so is one that does not
    rescale its pixels, as a detector, where the rounding was tried and changed nothing.

    Args:
        model: Any model.
        grid: A name of `GRIDS`.
    """
    convolution = next((layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)), None)
    if convolution is None or convolution.kernel.shape[:3] != (3, 3, 1) or not convolution.use_bias:
        return model
    if not any(isinstance(layer, keras.layers.Rescaling) for layer in model.layers[:2]):
        return model
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    kernel, bias = convolution.get_weights()
    mean, covariance = patches()
    for number in range(kernel.shape[-1]):
        rounded, error = round_filter(kernel[:, :, 0, number].ravel(), covariance, grid)
        kernel[:, :, 0, number] = rounded.reshape(3, 3)
        bias[number] -= error @ mean
    copy.get_layer(convolution.name).set_weights([kernel, bias])
    return copy


def round_filter(
    weights: np.ndarray, covariance: np.ndarray, grid: str = "int8"
) -> tuple[np.ndarray, np.ndarray]:
    """Returns nine weights rounded to the grid, and what was added to each, both float64 (9,).

    Args:
        weights: float (9,).
        covariance: Of the pixels that they are multiplied by, (9, 9).
        grid: A name of `GRIDS`.
    """
    weights = weights.astype(np.float64)
    below, above = GRIDS[grid](weights)
    ways = np.where(list(itertools.product([False, True], repeat=len(weights))), above, below)
    errors = ways - weights
    best = np.einsum("wi,ij,wj->w", errors, covariance, errors).argmin()
    return ways[best], errors[best]


def int8_neighbours(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the multiples of a 127th of the largest weight below and above each weight."""
    scale = np.abs(weights).max() / 127
    if scale == 0:
        return weights, weights
    steps = weights / scale
    whole = np.isclose(steps, np.round(steps), atol=1e-6)  # the largest weight, which sets the scale, stays
    below = np.where(whole, np.round(steps), np.floor(steps))
    return below * scale, np.where(whole, below, below + 1) * scale


def float16_neighbours(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the numbers of float16 below and above each weight, which the converter multiplies by 1/255."""
    folded = weights / 255
    near = folded.astype(np.float16)
    below = np.where(near <= folded, near, np.nextafter(near, np.float16(-np.inf)))
    above = np.where(near >= folded, near, np.nextafter(near, np.float16(np.inf)))
    return below.astype(np.float64) * 255, above.astype(np.float64) * 255


GRIDS = {"int8": int8_neighbours, "float16": float16_neighbours}


@functools.cache
def patches() -> tuple[np.ndarray, np.ndarray]:
    """Returns the mean, (9,), and the covariance, (9, 9), of 3x3 patches of faces, pixels 0-1."""
    faces = parity_faces(200, seed=0)[..., 0] / 255  # not those that judge the result
    rows = sliding_window_view(faces, (3, 3), axis=(1, 2)).reshape(-1, 9)
    return rows.mean(axis=0), np.cov(rows.T)
