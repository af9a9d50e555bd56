"""Batch normalisation drawn into the convolution before it, as every device would compute it.

The converters fold too, but after `rounding`, which must see the kernel and bias that the file will hold.
"""

import keras
import numpy as np

FOLDABLE = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)


def with_folded_normalisation(model: keras.Model) -> keras.Model:
    """Returns the same function with each convolution's batch normalisation in its kernel and bias.

    A normalisation folds where it is the only reader of a 2-D convolution, depthwise or not, without
    activation; others stay. A model in which nothing folds is returned as it is.
    """
    pairs = foldable(model)
    if not pairs:
        return model
    normalisations = set(pairs.values())

    def copy(layer: keras.layers.Layer) -> keras.layers.Layer:
        configuration = layer.get_config()
        if layer.name in normalisations:
            return keras.layers.Identity(name=layer.name)
        return layer.from_config(configuration | {"use_bias": True} if layer.name in pairs else configuration)

    def call(layer: keras.layers.Layer, inputs: keras.KerasTensor, **keywords: object) -> keras.KerasTensor:
        return layer(inputs) if layer.name in normalisations else layer(inputs, **keywords)  # no mask

    folded = keras.models.clone_model(model, clone_function=copy, call_function=call)
    for layer in model.layers:
        if layer.name in pairs:
            folded.get_layer(layer.name).set_weights(fold(layer, model.get_layer(pairs[layer.name])))
        elif layer.weights and layer.name not in normalisations:
            folded.get_layer(layer.name).set_weights(layer.get_weights())
    return folded


def foldable(model: keras.Model) -> dict[str, str]:
    """Returns the names of the convolutions that fold, each with its normalisation's."""
    pairs = {}
    for layer in model.layers:
        if type(layer) not in FOLDABLE or layer.activation is not keras.activations.linear:
            continue
        readers = [node.operation for node in layer._outbound_nodes]
        alone = len(readers) == 1 and isinstance(readers[0], keras.layers.BatchNormalization)
        if alone and readers[0].axis in (-1, 3):
            pairs[layer.name] = readers[0].name
    return pairs


def fold(convolution: keras.layers.Layer, normalisation: keras.layers.BatchNormalization) -> list[np.ndarray]:
    """Returns the kernel and the bias of the two layers as one, float32.

    convolution: one of `FOLDABLE`; a depthwise kernel has its outputs along its last two axes.
    """
    kernel, *bias = (weights.astype(np.float64) for weights in convolution.get_weights())
    mean = normalisation.moving_mean.numpy().astype(np.float64)
    gain = 1 / np.sqrt(normalisation.moving_variance.numpy().astype(np.float64) + normalisation.epsilon)
    if normalisation.scale:
        gain = gain * normalisation.gamma.numpy()
    shift = normalisation.beta.numpy() if normalisation.center else 0.0
    depthwise = isinstance(convolution, keras.layers.DepthwiseConv2D)
    gain_of_kernel = gain.reshape(kernel.shape[2:]) if depthwise else gain
    return [
        (kernel * gain_of_kernel).astype(np.float32),
        (((bias[0] if bias else 0.0) - mean) * gain + shift).astype(np.float32),
    ]
