"""Rounding the first kernel so that quantized weights see what float32 weights see.

The first convolution reads gray pixels, which are all positive and alike among neighbours: nine rounding
errors that don't cancel shift every output alike. Int8 then changes more labels and float16 leaves a
larger gap to Keras than `export.parity` allows. So the kernel is put on its grid here, by the errors' effect
on faces.
"""

import functools
import itertools

import keras
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .parity_faces import parity_faces


def with_rounded_kernel(model: keras.Model, grid: str = "int8") -> keras.Model:
    """Returns a copy of the model whose first 3x3 kernel lies on a grid of `GRIDS`; other models as they are.

    Of the 512 ways to round a filter's nine weights up or down, the one is taken whose errors vary least
    over the patches of `parity_faces`; what they add on average is taken from the bias. A quantizer
    finds exactly these weights again.
    """
    convolution = next((layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)), None)
    if convolution is None or convolution.kernel.shape[:3] != (3, 3, 1) or not convolution.use_bias:
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
    """Returns nine weights on the grid, and what was added to each."""
    weights = weights.astype(np.float64)
    below, above = GRIDS[grid](weights)
    ways = np.where(list(itertools.product([False, True], repeat=len(weights))), above, below)
    errors = ways - weights
    best = np.einsum("wi,ij,wj->w", errors, covariance, errors).argmin()
    return ways[best], errors[best]


def int8_neighbours(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the multiples of the largest weight's 127th part below and above each weight."""
    scale = np.abs(weights).max() / 127
    if scale == 0:
        return weights, weights
    steps = weights / scale
    whole = np.isclose(steps, np.round(steps), atol=1e-6)  # the largest weight, which sets the scale, stays
    below = np.where(whole, np.round(steps), np.floor(steps))
    return below * scale, np.where(whole, below, below + 1) * scale


def float16_neighbours(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns what float16 holds below and above each weight once the converter has drawn in 1/255."""
    folded = weights / 255
    near = folded.astype(np.float16)
    below = np.where(near <= folded, near, np.nextafter(near, np.float16(-np.inf)))
    above = np.where(near >= folded, near, np.nextafter(near, np.float16(np.inf)))
    return below.astype(np.float64) * 255, above.astype(np.float64) * 255


GRIDS = {"int8": int8_neighbours, "float16": float16_neighbours}


@functools.cache
def patches() -> tuple[np.ndarray, np.ndarray]:
    """Returns mean `(9,)` and covariance `(9, 9)` of the faces' 3x3 patches, pixels 0-1."""
    faces = parity_faces(200, seed=0)[..., 0] / 255  # not those that judge the result
    rows = sliding_window_view(faces, (3, 3), axis=(1, 2)).reshape(-1, 9)
    return rows.mean(axis=0), np.cov(rows.T)
