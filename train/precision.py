"""Training in bfloat16: the same network with the same weights, faster on a processor that computes in it.

A twin of the network keeps its weights in float32 and computes its convolutions in bfloat16. The network
itself, with the twin's weights, is released. `python -m train.throughput --model edge` measures the gain on a
machine.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import layers


@keras.saving.register_keras_serializable(package="train")
class FusedBatchNormalization(layers.BatchNormalization):
    """Batch normalization of `(n, height, width, channels)` as TensorFlow's one fused operation.

    Keras 3.15 computes it from a dozen operations, which take much of a small network's time on a CPU.
    Weights, averages and statistics stay float32 whatever the type of the input. On other backends it is
    Keras's own.
    """

    def __init__(self, **options: Any) -> None:
        """Takes the options of Keras's layer."""
        super().__init__(**options, autocast=False)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Returns the normalised input, in its type."""
        if keras.backend.backend() != "tensorflow" or len(inputs.shape) != 4:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        training = bool(training) and self.trainable  # frozen, it keeps its averages, as Keras's own does
        normalised, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=self.gamma,
            offset=self.beta,
            mean=tf.zeros([0]) if training else self.moving_mean,
            variance=tf.zeros([0]) if training else self.moving_variance,
            epsilon=self.epsilon,
            is_training=training,
        )
        if training:
            for average, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
                average.assign(average * self.momentum + new * (1 - self.momentum))
        return normalised


def in_bfloat16(network: keras.Model) -> keras.Model:
    """Returns the network's twin that computes in bfloat16, with the same weights, kept in float32.

    It computes in float32 from the average over all positions on, in depthwise convolutions, and in the
    rescaling of pixels.
    """
    exact = (
        layers.Dense,
        layers.DepthwiseConv2D,  # slower in bfloat16
        layers.Dropout,
        layers.GlobalAveragePooling2D,
        layers.Rescaling,
    )

    def convert(layer: layers.Layer) -> layers.Layer:
        options = layer.get_config()
        if type(layer) is layers.BatchNormalization:
            options["dtype"] = "float32"
            return FusedBatchNormalization(**options)
        options["dtype"] = "float32" if isinstance(layer, exact) else "mixed_bfloat16"
        return type(layer).from_config(options)

    return rebuilt(network, convert)


def in_float32(network: keras.Model) -> keras.Model:
    """Returns the network that `in_bfloat16` was given, with the twin's weights."""

    def convert(layer: layers.Layer) -> layers.Layer:
        options = layer.get_config() | {"dtype": "float32"}
        if isinstance(layer, FusedBatchNormalization):
            return layers.BatchNormalization.from_config(options)
        return type(layer).from_config(options)

    return rebuilt(network, convert)


def rebuilt(network: keras.Model, convert: Callable[[layers.Layer], layers.Layer]) -> keras.Model:
    """Returns the network with every layer replaced by `convert(layer)`, and its weights.

    An operation that is no layer, such as `keras.ops.mean` of a tensor, computes in the type of its input.
    """

    def clone(operation: keras.Operation) -> keras.Operation:
        if isinstance(operation, layers.Layer):
            return convert(operation)
        return type(operation).from_config(operation.get_config())

    twin = keras.models.clone_model(network, clone_function=clone)
    for layer in network.layers:
        twin.get_layer(layer.name).set_weights(layer.get_weights())
    return twin
