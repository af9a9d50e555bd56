"""Rounding the first kernel so that int8 pixels see what float32 pixels see.

The first convolution reads gray pixels, which are all positive and alike among neighbours: nine rounding
errors that don't cancel shift every output alike, and that shift costs 2 % of the labels. So the kernel
is put on its int8 grid here, by the errors' effect on faces instead of one by one.
"""

import functools
import itertools

import keras
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .faces import parity_faces


def with_rounded_kernel(model: keras.Model) -> keras.Model:
    """Returns a copy of the model whose first 3x3 kernel lies on its int8 grid; other models as they are.

    Of the 512 ways to round a filter's nine weights up or down, the one is taken whose errors vary least
    over the patches of `parity_faces`; what they add on average is taken from the bias. The largest
    weight, which sets the scale, keeps its value, so a quantizer finds exactly these weights again.
    """
    convolution = next((layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)), None)
    if convolution is None or convolution.kernel.shape[:3] != (3, 3, 1) or not convolution.use_bias:
        return model
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    kernel, bias = convolution.get_weights()
    mean, covariance = patches()
    for number in range(kernel.shape[-1]):
        rounded, error = round_filter(kernel[:, :, 0, number].ravel(), covariance)
        kernel[:, :, 0, number] = rounded.reshape(3, 3)
        bias[number] -= error @ mean
    copy.get_layer(convolution.name).set_weights([kernel, bias])
    return copy


def round_filter(weights: np.ndarray, covariance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns nine weights on the int8 grid of their largest one, and what was added to each."""
    weights = weights.astype(np.float64)
    largest = np.abs(weights).argmax()
    scale = np.abs(weights[largest]) / 127
    if scale == 0:
        return weights, np.zeros_like(weights)
    steps = np.floor(weights / scale)
    steps[largest] = np.round(weights[largest] / scale)
    ways = steps + np.array(list(itertools.product([0, 1], repeat=len(weights))))
    ways = ways[(np.abs(ways) <= 127).all(axis=1) & (ways[:, largest] == steps[largest])]
    errors = ways * scale - weights
    best = np.einsum("wi,ij,wj->w", errors, covariance, errors).argmin()
    return ways[best] * scale, errors[best]


@functools.cache
def patches() -> tuple[np.ndarray, np.ndarray]:
    """Returns mean `(9,)` and covariance `(9, 9)` of the faces' 3x3 patches, pixels 0-1."""
    faces = parity_faces(200)[..., 0] / 255
    rows = sliding_window_view(faces, (3, 3), axis=(1, 2)).reshape(-1, 9)
    return rows.mean(axis=0), np.cov(rows.T)
