"""Folds batch normalization into the convolution before it.

The converters fold too, but `export.kernel_rounding` comes before them and needs the kernel and bias that the
file will hold.
"""

import keras
import numpy as np

FOLDABLE = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)


def with_folded_normalization(model: keras.Model) -> keras.Model:
    """Returns a model that computes the same with fewer layers.

    A batch normalization is folded where it alone reads a 2-D convolution, depthwise or not, without
    activation. Others stay. A model without such a pair is returned as it is.
    """
    pairs = foldable(model)
    if not pairs:
        return model
    normalizations = set(pairs.values())

    def copy(layer: keras.layers.Layer) -> keras.layers.Layer:
        configuration = layer.get_config()
        if layer.name in normalizations:
            return keras.layers.Identity(name=layer.name)
        return layer.from_config(configuration | {"use_bias": True} if layer.name in pairs else configuration)

    def call(layer: keras.layers.Layer, *inputs: object, **keywords: object) -> keras.KerasTensor:
        return layer(*inputs) if layer.name in normalizations else layer(*inputs, **keywords)  # no mask

    folded = keras.models.clone_model(model, clone_function=copy, call_function=call)
    for layer in model.layers:
        if layer.name in pairs:
            folded.get_layer(layer.name).set_weights(fold(layer, model.get_layer(pairs[layer.name])))
        elif layer.weights and layer.name not in normalizations:
            folded.get_layer(layer.name).set_weights(layer.get_weights())
    return folded


def foldable(model: keras.Model) -> dict[str, str]:
    """Returns the names of the convolutions that fold, each with the name of its normalization."""
    pairs = {}
    for layer in model.layers:
        if type(layer) not in FOLDABLE or layer.activation is not keras.activations.linear:
            continue
        readers = [node.operation for node in layer._outbound_nodes]
        alone = len(readers) == 1 and isinstance(readers[0], keras.layers.BatchNormalization)
        if alone and readers[0].axis in (-1, 3):
            pairs[layer.name] = readers[0].name
    return pairs


def fold(convolution: keras.layers.Layer, normalization: keras.layers.BatchNormalization) -> list[np.ndarray]:
    """Returns the kernel and the bias of the two layers as one, float32.

    Args:
        convolution: One of `FOLDABLE`. The last axis of its kernel is that of the outputs, of a depthwise one
            the last two.
        normalization: Of these outputs.
    """
    kernel, *bias = (weights.astype(np.float64) for weights in convolution.get_weights())
    mean = normalization.moving_mean.numpy().astype(np.float64)
    gain = 1 / np.sqrt(normalization.moving_variance.numpy().astype(np.float64) + normalization.epsilon)
    if normalization.scale:
        gain = gain * normalization.gamma.numpy()
    shift = normalization.beta.numpy() if normalization.center else 0.0
    depthwise = isinstance(convolution, keras.layers.DepthwiseConv2D)
    gain_of_kernel = gain.reshape(kernel.shape[2:]) if depthwise else gain
    return [
        (kernel * gain_of_kernel).astype(np.float32),
        (((bias[0] if bias else 0.0) - mean) * gain + shift).astype(np.float32),
    ]
