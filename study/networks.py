"""The study's further architectures, what a network costs in multiply-adds, and which units it uses.

As in `train.architectures` every network takes gray pixels `float32 (n, 48, 48, 1)`, 0-255, and gives
probabilities `float32 (n, 7)` in the order of `dataset.fer2013.LABELS`.
"""

import math
from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import layers, ops

from train.architectures import CLASSES, FACE_SHAPE, build_cnn, build_cnn_lstm, convolve


def build_row_reader(
    *, convolutions: Sequence[int] = (), units: int = 128, recurrent: bool, order_seed: int | None = None
) -> keras.Model:
    """Returns a relative of the study's CNN-LSTM with another front end, without its recurrence, or both.

    As in the study, a dense layer of 64 units reads each row first.

    Args:
        convolutions: Filters of the 3x3 convolutions, each with 2x2 max-pooling, before the rows are read.
            None reads the pixels, as the study does. (32, 64) are the first two of its best CNN, and leave 12
            rows of 12 positions with 64 channels.
        units: Of the LSTM; without recurrence, of a dense layer with ReLU on all rows side by side.
        recurrent: Whether an LSTM reads the rows.
        order_seed: Of the random order, the same for every face, in which the rows are read; None reads them
            from top to bottom.
    """
    faces = keras.Input(FACE_SHAPE, name="faces")
    x = layers.Rescaling(1 / 255)(faces)
    for count in convolutions:
        x = layers.Conv2D(count, 3, padding="same", activation="relu", kernel_initializer="he_normal")(x)
        x = layers.MaxPooling2D()(x)
    rows, columns, channels = x.shape[1:]
    x = layers.Reshape((rows, columns * channels))(x)
    if order_seed is not None:
        x = ops.take(x, np.random.default_rng(order_seed).permutation(rows).tolist(), axis=1)
    x = layers.Dense(64, activation="relu")(x)  # (n, rows, 64)
    if not recurrent:
        x = layers.Flatten()(x)
    x = (layers.LSTM(units) if recurrent else layers.Dense(units, activation="relu"))(x)  # (n, units)
    scores = layers.Dense(CLASSES, activation="softmax", name="scores")(x)
    return keras.Model(faces, scores, name="row_reader")


def build_block_cnn(
    *,
    block: str,
    filters: Sequence[int] = (32, 64, 128, 256),
    dense: Sequence[int] = (256, 512),
    dropout: float = 0.5,
    normalise_dense: bool = True,
) -> keras.Model:
    """Returns `build_cnn(filters=..., dense=..., dropout=...)` with something added to each convolution.

    Args:
        block: "batch_normalisation" before the ReLU (Ioffe & Szegedy 2015, arXiv 1502.03167), or after it
            "squeeze_excite" or "cbam".
        filters: Of each convolution.
        dense: Units of each dense layer but the last.
        dropout: After each of these.
        normalise_dense: With batch normalization, in the dense layers too, all but the last.
    """
    faces = keras.Input(FACE_SHAPE, name="faces")
    x = layers.Rescaling(1 / 255)(faces)
    for count in filters:
        if block == "batch_normalisation":
            x = convolve(x, count)
        else:
            x = layers.Conv2D(count, 3, padding="same", activation="relu", kernel_initializer="he_normal")(x)
            x = {"squeeze_excite": squeeze_excite, "cbam": cbam}[block](x)
        x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    for units in dense:
        if block == "batch_normalisation" and normalise_dense:
            x = layers.Dense(units, use_bias=False, kernel_initializer="he_normal")(x)
            x = layers.BatchNormalization()(x)
            x = layers.ReLU()(x)
        else:
            x = layers.Dense(units, activation="relu", kernel_initializer="he_normal")(x)
        x = layers.Dropout(dropout)(x)
    scores = layers.Dense(CLASSES, activation="softmax", name="scores")(x)
    return keras.Model(faces, scores, name=f"cnn_{block}")


def squeeze_excite(x: keras.KerasTensor, *, reduction: int = 8) -> keras.KerasTensor:
    """Returns channels weighed by a function of their averages (Hu et al. 2018, arXiv 1709.01507).

    Args:
        x: `(n, height, width, channels)`.
        reduction: Channels a hidden unit. The paper has 16 at 64 channels and more; 8 leaves the 32 channels
            of the first convolution four units.
    """
    channels = x.shape[-1]
    weights = layers.GlobalAveragePooling2D(keepdims=True)(x)  # (n, 1, 1, channels)
    weights = layers.Dense(channels // reduction, activation="relu")(weights)
    weights = layers.Dense(channels, activation="sigmoid")(weights)
    return layers.Multiply()([x, weights])


def cbam(x: keras.KerasTensor, *, reduction: int = 8) -> keras.KerasTensor:
    """Returns channels, then positions, weighed by averages and maxima (Woo et al. 2018, arXiv 1807.06521).

    Args:
        x: `(n, height, width, channels)`. A 7x7 convolution weighs the positions, as the paper's best does.
        reduction: Channels a hidden unit.
    """
    channels = x.shape[-1]
    squeeze = layers.Dense(channels // reduction, activation="relu")
    excite = layers.Dense(channels)
    average = excite(squeeze(layers.GlobalAveragePooling2D(keepdims=True)(x)))
    largest = excite(squeeze(layers.GlobalMaxPooling2D(keepdims=True)(x)))
    x = layers.Multiply()([x, layers.Activation("sigmoid")(layers.Add()([average, largest]))])
    map_of_positions = ops.concatenate(
        [ops.mean(x, axis=-1, keepdims=True), ops.max(x, axis=-1, keepdims=True)], axis=-1
    )
    return layers.Multiply()(
        [x, layers.Conv2D(1, 7, padding="same", use_bias=False, activation="sigmoid")(map_of_positions)]
    )


NETWORKS: dict[str, Callable[..., keras.Model]] = {
    "cnn": build_cnn,
    "cnn_lstm": build_cnn_lstm,
    "row_reader": build_row_reader,
    "block_cnn": build_block_cnn,
}


def multiply_adds(network: keras.Model) -> int:
    """Returns the multiplications of one face forward, in convolutions, dense layers and LSTMs.

    Each comes with one addition. Pooling, activations, normalization and the weighing of channels are not
    counted: in these networks they are below 2 % of the rest.
    """
    return sum(
        multiply_adds_of_call(layer, tensor.shape)
        for layer in network.layers
        for node in layer._inbound_nodes  # a layer that is called twice costs twice
        for tensor in node.input_tensors[:1]  # the input layer has none
    )


def multiply_adds_of_call(layer: layers.Layer, shape: tuple) -> int:
    """Returns what one call costs; `shape` is that of its input, batch first."""
    if isinstance(layer, layers.Conv2D):
        height, width = layer.compute_output_shape(shape)[1:3]
        return height * width * math.prod(layer.kernel.shape)
    if isinstance(layer, layers.Dense):
        return math.prod(shape[1:-1]) * math.prod(layer.kernel.shape)
    if isinstance(layer, layers.LSTM):
        return shape[1] * (math.prod(layer.cell.kernel.shape) + math.prod(layer.cell.recurrent_kernel.shape))
    return 0


def active_units(network: keras.Model, faces: np.ndarray) -> dict[str, float]:
    """Returns for each hidden dense layer with ReLU the share of its units above 0, a mean over the faces.

    A layer near 0 tells the next ones nothing of the face, and gets next to no gradient by which it could
    learn to.

    Args:
        network: Any of NETWORKS.
        faces: float32 (n, 48, 48, 1), 0-255.

    Returns:
        The shares by the layers' names, first to last.
    """
    found = [
        layer
        for layer in network.layers
        if (isinstance(layer, layers.ReLU) or getattr(layer, "activation", None) is keras.activations.relu)
        and len(layer.output.shape) == 2
    ]
    if not found:
        return {}
    values = keras.Model(network.inputs, {layer.name: layer.output for layer in found})
    outputs = values.predict(faces, batch_size=256, verbose=0)
    return {layer.name: float((outputs[layer.name] > 0).mean()) for layer in found}
