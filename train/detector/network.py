"""The detector's network: gray pixels in; boxes, confidences and eye points out.

A small convolutional network with features at strides 8, 16 and 32, and a short way back down by which the
finer levels learn of the coarser ones. Each cell of each level says whether the centre of a face lies there,
and where its box and eyes are (anchor-free, as YuNet: Wu, Peng and Yu 2023). It uses nothing that is slow or
inexact in int8: convolutions, batch normalization, ReLU, additions, nearest resizing.

There is no rescaling layer: the batch normalization after the first convolution rescales, so that an int8
file takes `gray - 128` as it comes.
"""

from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers


class Level(NamedTuple):
    """A grid of cells and the faces it answers for.

    Attributes:
        stride: side of a cell, in pixels of the input.
        base: the size of a face for which the network answers 0, in pixels.
        smallest: of the faces' sizes, the square root of width times height, in pixels.
        largest: of the faces' sizes, in pixels.
    """

    stride: int
    base: float
    smallest: float
    largest: float


# The ranges overlap, so that a face between two levels is found by either.
LEVELS = (Level(8, 24.0, 0.0, 44.0), Level(16, 64.0, 36.0, 110.0), Level(32, 180.0, 90.0, np.inf))
COARSEST = LEVELS[-1].stride
INPUT_SIZE = (256, 320)  # height, width: a frame of 640x480 pixels is halved, which is fast, and fits
COLUMNS = 9  # of a raw answer: confidence's logit, box (4), eyes (4)
HEAD_CHANNELS = 48
LEAST_PROBABILITY = 0.01  # of a face in any cell, before training: else the first steps learn only that


def build_network() -> keras.Model:
    """Returns the network as it is trained: images of any size in, raw answers out.

    Input: `float32 (n, height, width, 1)`, gray 0-255, sides divisible by 32. Output: `float32 (n, cells, 9)`
    in the order of `cells_of`, to be read by `train.detector.loss.decode`.
    """
    pixels = keras.Input((None, None, 1), name="pixels")
    raw = [
        layers.Reshape((-1, COLUMNS))(layers.Concatenate()([*answers]))
        for answers in _answers(_features(pixels))
    ]
    return keras.Model(pixels, layers.Concatenate(axis=1)(raw), name="detector")


def build_detector(height: int = INPUT_SIZE[0], width: int = INPUT_SIZE[1]) -> keras.Model:
    """Returns the network as it is exported: the decoding is inside, for one size of images.

    Its weights are those of `build_network`; `copy_weights` brings them over.

    Args:
        height: of the images in pixels, divisible by 32.
        width: of the images in pixels, divisible by 32.

    Returns:
        A model from `float32 (n, height, width, 1)`, gray 0-255, to a dict: `boxes`, `float32 (n, cells, 4)`,
        x, y, width, height in pixels of the input; `confidences`, `float32 (n, cells)`, 0 to 1; `eyes`,
        `float32 (n, cells, 4)`, two points x, y in pixels. Non-maximum suppression is left to the caller.

    Raises:
        ValueError: a side is not divisible by 32.
    """
    check_size(height, width)
    pixels = keras.Input((height, width, 1), name="pixels")
    boxes, confidences, eyes = [], [], []
    for level, (logit, box, points) in zip(LEVELS, _answers(_features(pixels)), strict=True):
        rows, columns = height // level.stride, width // level.stride
        box, points = _decoded(box, points, level, rows=rows, columns=columns)
        confidences.append(layers.Reshape((rows * columns,))(layers.Activation("sigmoid")(logit)))
        boxes.append(layers.Reshape((rows * columns, 4))(box))
        eyes.append(layers.Reshape((rows * columns, 4))(points))
    outputs = {
        "boxes": layers.Concatenate(axis=1, name="boxes")(boxes),
        "confidences": layers.Concatenate(axis=1, name="confidences")(confidences),
        "eyes": layers.Concatenate(axis=1, name="eyes")(eyes),
    }
    return keras.Model(pixels, outputs, name="detector")


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Gives a network the weights of another of this module, whatever the two are built for.

    Raises:
        ValueError: the source lacks a layer of the target, or has another shape of it.
    """
    own = {layer.name for layer in source.layers}
    for layer in target.layers:
        if not layer.weights:
            continue
        if layer.name not in own:
            raise ValueError(f"expected a detector with a layer {layer.name}, got one without.")
        layer.set_weights(source.get_layer(layer.name).get_weights())


def check_size(height: int, width: int) -> None:
    """Raises ValueError where images of this size in pixels don't fit the network."""
    if height <= 0 or width <= 0 or height % COARSEST or width % COARSEST:
        raise ValueError(
            f"input size: expected a height and a width divisible by {COARSEST}, got {height}x{width}; "
            f"take {max(1, round(height / COARSEST)) * COARSEST}x"
            f"{max(1, round(width / COARSEST)) * COARSEST}."
        )


def grid(rows: int, columns: int, stride: int) -> np.ndarray:
    """Returns the centres of a level's cells, row by row: `float32 (rows * columns, 2)`, x, y in pixels."""
    y, x = np.mgrid[:rows, :columns]
    return ((np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) * stride).astype(np.float32)


def cells_of(height: int, width: int) -> np.ndarray:
    """Returns the cells of all levels, finest first, in the order of the network's answers.

    Args:
        height: of the images in pixels, divisible by 32.
        width: of the images in pixels, divisible by 32.

    Returns:
        `float32 (cells, 4)`: x and y of the centre, stride, base, all in pixels.
    """
    check_size(height, width)
    cells = []
    for level in LEVELS:
        centres = grid(height // level.stride, width // level.stride, level.stride)
        facts = np.broadcast_to(np.array([level.stride, level.base], np.float32), centres.shape)
        cells.append(np.concatenate([centres, facts], axis=1))
    return np.concatenate(cells)


def _decoded(
    box: keras.KerasTensor, points: keras.KerasTensor, level: Level, *, rows: int, columns: int
) -> tuple[keras.KerasTensor, keras.KerasTensor]:
    """Returns boxes and eyes in pixels, both `(n, rows, columns, 4)`, of raw answers of that shape.

    The cells' x and y are added apart, with the subtraction between them: next to each other the converter
    would make them one constant for all cells, of 50 KB and more.
    """
    x, y = ((np.arange(count) + 0.5) * level.stride for count in (columns, rows))
    across = [[[value, 0.0] for value in x.tolist()]]  # (1, columns, 2)
    down = [[[0.0, value]] for value in y.tolist()]  # (rows, 1, 2)
    size = layers.Rescaling(level.base)(layers.Activation("exponential")(box[..., 2:]))
    half = layers.Rescaling(0.5)(size)
    corner = layers.Subtract()([layers.Rescaling(float(level.stride), across)(box[..., :2]), half])
    corner = layers.Rescaling(1.0, down)(corner)
    centre = layers.Add()([corner, half])
    centres = layers.Concatenate()([centre, centre])
    eyes = layers.Add()([layers.Rescaling(level.base)(points), centres])
    return layers.Concatenate()([corner, size]), eyes


def _features(pixels: keras.KerasTensor) -> list[keras.KerasTensor]:
    """Returns the features of each level, finest first: `(n, rows, columns, HEAD_CHANNELS)`."""
    x = _convolution(pixels, 8, "stem_2", stride=2)
    x = _convolution(x, 24, "stem_4", stride=2)
    x = _convolution(x, 48, "down_8", stride=2)
    for number in range(3):
        x = _added(x, _separable(x, 48, f"body_8_{number}", relu=False))
    fine = x
    x = _separable(x, 64, "down_16", stride=2)
    for number in range(3):
        x = _added(x, _separable(x, 64, f"body_16_{number}", relu=False))
    middle = x
    x = _separable(x, 80, "down_32", stride=2)
    for number in range(2):
        x = _added(x, _separable(x, 80, f"body_32_{number}", relu=False))
    coarse = _convolution(x, HEAD_CHANNELS, "side_32", kernel=1)
    middle = _merged(middle, coarse, "16")
    return [_merged(fine, middle, "8"), middle, coarse]


def _merged(finer: keras.KerasTensor, coarser: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Returns a level's features with those of the next coarser level added, `HEAD_CHANNELS` of them."""
    above = layers.UpSampling2D(2, interpolation="nearest")(coarser)
    x = _added(_convolution(finer, HEAD_CHANNELS, f"side_{name}", kernel=1, relu=False), above)
    return _separable(x, HEAD_CHANNELS, f"merged_{name}")


def _answers(
    features: list[keras.KerasTensor],
) -> list[tuple[keras.KerasTensor, keras.KerasTensor, keras.KerasTensor]]:
    """Returns per level the raw answers `(n, rows, columns, 1)`, `(..., 4)` and `(..., 4)`.

    They come from three convolutions, so that in int8 each has a scale of its own.
    """
    answers = []
    rare = keras.initializers.Constant(float(np.log(LEAST_PROBABILITY / (1 - LEAST_PROBABILITY))))
    for level, x in zip(LEVELS, features, strict=True):
        x = _separable(x, HEAD_CHANNELS, f"head_{level.stride}")
        logit = _answer(x, 1, f"logit_{level.stride}", bias_initializer=rare)
        answers.append((logit, _answer(x, 4, f"box_{level.stride}"), _answer(x, 4, f"eyes_{level.stride}")))
    return answers


def _answer(x: keras.KerasTensor, columns: int, name: str, **options: Any) -> keras.KerasTensor:
    """Returns raw answers, a 1x1 convolution of features."""
    small = keras.initializers.RandomNormal(stddev=0.01)
    return layers.Conv2D(columns, 1, kernel_initializer=small, name=name, **options)(x)


def _convolution(
    x: keras.KerasTensor, channels: int, name: str, *, kernel: int = 3, stride: int = 1, relu: bool = True
) -> keras.KerasTensor:
    """Returns a convolution of `x` with batch normalization and, unless told otherwise, ReLU."""
    x = layers.Conv2D(
        channels,
        kernel,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=name,
    )(x)
    x = layers.BatchNormalization(momentum=0.98, name=f"{name}_norm")(x)
    return layers.ReLU()(x) if relu else x


def _separable(
    x: keras.KerasTensor, channels: int, name: str, *, stride: int = 1, relu: bool = True
) -> keras.KerasTensor:
    """Returns a 3x3 depthwise convolution of `x`, then a 1x1 convolution, each with batch normalization."""
    x = layers.DepthwiseConv2D(
        3,
        strides=stride,
        padding="same",
        use_bias=False,
        depthwise_initializer="he_normal",
        name=f"{name}_depthwise",
    )(x)
    x = layers.ReLU()(layers.BatchNormalization(momentum=0.98, name=f"{name}_depthwise_norm")(x))
    return _convolution(x, channels, name, kernel=1, relu=relu)


def _added(x: keras.KerasTensor, y: keras.KerasTensor) -> keras.KerasTensor:
    """Returns the ReLU of a sum."""
    return layers.ReLU()(layers.Add()([x, y]))
