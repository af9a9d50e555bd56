"""The architectures: functions that return a network with the kit's one signature.

Every network takes gray pixels `float32 (n, 48, 48, 1)`, 0-255, and gives probabilities
`float32 (n, classes)` in the order of the dataset's classes. Rescaling by 1/255 is the first layer: nobody
outside needs to know of it.
"""

from collections.abc import Sequence

import keras
from keras import layers

FACE_SHAPE = (48, 48, 1)  # height, width, channels
CLASSES = 7  # FER2013's


def build_cnn(
    *,
    filters: Sequence[int] = (32, 64, 128, 256),
    dense: Sequence[int] = (256, 512),
    dropout: float = 0.5,
    scale: float = 1 / 255,
    initializer: str = "he_normal",
    padding: str = "same",
    classes: int = CLASSES,
) -> keras.Model:
    """Returns the study's best CNN (Table 3, row 2); other rows are other arguments.

    The study is Savitri, Permana and Dewi: "Comparison of CNN and CNN-LSTM Performance in Facial Expression
    Classification Based on FER2013 Dataset", AJSTEA, 2026,
    https://ejournal.yasin-alsys.org/AJSTEA/article/view/8252

    Each 3x3 convolution with ReLU is followed by 2x2 max-pooling (48 -> 24 -> 12 -> 6 -> 3 pixels), each
    dense layer with ReLU by dropout. The study prints neither padding nor initialization. Padding "same"
    leaves the dense layers 3x3 positions of 256 channels (1.1 M parameters); He's initialization suits ReLU.

    Args:
        filters: Of each convolution.
        dense: Units of each dense layer before the last.
        dropout: Share of the units that each dropout sets to 0.
        scale: What pixels are multiplied by; 1 leaves them 0-255.
        initializer: Of all layers before the last. Keras's default, which the last one has, is
            "glorot_uniform".
        padding: Of the convolutions. Keras's default is "valid" (48 -> 23 -> 10 -> 4 -> 1 pixels).
        classes: How many scores it gives.
    """
    faces = keras.Input(FACE_SHAPE, name="faces")
    x = layers.Rescaling(scale)(faces)
    for count in filters:
        x = layers.Conv2D(count, 3, padding=padding, activation="relu", kernel_initializer=initializer)(x)
        x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(x)
    for units in dense:
        x = layers.Dense(units, activation="relu", kernel_initializer=initializer)(x)
        x = layers.Dropout(dropout)(x)
    scores = layers.Dense(classes, activation="softmax", name="scores")(x)
    return keras.Model(faces, scores, name="cnn")


def build_cnn_lstm(
    *, dense: int = 64, units: int = 128, scale: float = 1 / 255, classes: int = CLASSES
) -> keras.Model:
    """Returns the study's CNN-LSTM (Table 4): an LSTM that reads the 48 pixel rows as time steps.

    The study is that of `build_cnn` (Savitri et al., AJSTEA, 2026).
    The study names the front end TimeDistributed(Dense(64)). `Dense` on the 3-D tensor is the same function
    with the same weights. It exports as one matrix product, where Keras 3 unrolls `TimeDistributed` into 48
    slices (308 ONNX nodes against 27).

    Args:
        dense: Units of the dense layer on each row.
        units: Of the LSTM.
        scale: As of `build_cnn`.
        classes: How many scores it gives.
    """
    faces = keras.Input(FACE_SHAPE, name="faces")
    x = layers.Rescaling(scale)(faces)
    x = layers.Reshape(FACE_SHAPE[:2])(x)  # (n, 48 rows, 48 pixels)
    x = layers.Dense(dense, activation="relu")(x)  # (n, 48, 64)
    x = layers.LSTM(units)(x)  # (n, 128)
    scores = layers.Dense(classes, activation="softmax", name="scores")(x)
    return keras.Model(faces, scores, name="cnn_lstm")


def build_edge(
    *,
    stem: int = 32,
    widths: Sequence[int] = (48, 96, 128),
    depths: Sequence[int] = (2, 2, 1),
    separable: int = 0,
    dropout: float = 0.2,
    name: str = "edge",
    classes: int = CLASSES,
) -> keras.Model:
    """Returns the flagship: a small residual net (He et al. 2016, arXiv 1512.03385) sized to the phone.

    A 3x3 convolution at full resolution, then stages of residual blocks. The first block of a stage halves
    the pixels (48 -> 24 -> 12 -> 6). There is nothing but convolutions, batch normalization, which export
    folds into them, ReLU and averages: all have fast int8 kernels, unlike hard-swish and squeeze-excite. With
    the defaults it has 0.65 M parameters and 0.1 G multiply-adds.

    Args:
        stem: Channels of the first convolution.
        widths: Channels of each stage.
        depths: Blocks of each stage.
        separable: In how many of the last stages a 3x3 convolution is a depthwise one and a 1x1 one.
        dropout: Before the last layer.
        name: Of the network.
        classes: How many scores it gives.
    """
    faces = keras.Input(FACE_SHAPE, name="faces")
    x = layers.Rescaling(1 / 255)(faces)
    x = convolve(x, stem)
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True), start=1):
        for index in range(depth):
            x = residual_block(x, width, halve=index == 0, separable=stage > len(widths) - separable)
    x = layers.GlobalAveragePooling2D()(x)
    x = layers.Dropout(dropout)(x)
    scores = layers.Dense(classes, activation="softmax", name="scores")(x)
    return keras.Model(faces, scores, name=name)


def convolve(
    x: keras.KerasTensor, filters: int, *, size: int = 3, strides: int = 1, relu: bool = True
) -> keras.KerasTensor:
    """Appends a convolution, batch normalization and, unless `relu` is unset, ReLU."""
    x = layers.Conv2D(
        filters, size, strides=strides, padding="same", use_bias=False, kernel_initializer="he_normal"
    )(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU()(x) if relu else x


def convolve_separably(
    x: keras.KerasTensor, filters: int, *, strides: int = 1, relu: bool = True
) -> keras.KerasTensor:
    """Appends a depthwise 3x3 convolution, then a 1x1 one (Chollet 2017, arXiv 1610.02357).

    Batch normalization and ReLU follow each; `relu` says whether ReLU follows the second.
    """
    x = layers.DepthwiseConv2D(
        3, strides=strides, padding="same", use_bias=False, depthwise_initializer="he_normal"
    )(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    return convolve(x, filters, size=1, relu=relu)


def residual_block(
    x: keras.KerasTensor, filters: int, *, halve: bool, separable: bool = False
) -> keras.KerasTensor:
    """Appends two 3x3 convolutions whose output is added to their input.

    Where the shapes differ, 2x2 averages and a 1x1 convolution fit the input. They use all of its pixels,
    unlike a 1x1 convolution with stride 2 (He et al. 2019, arXiv 1812.01187, ResNet-D).

    Args:
        x: The input.
        filters: Channels of the output.
        halve: Whether the output has half as many rows and columns.
        separable: Whether the convolutions are `convolve_separably`.
    """
    passed = layers.AveragePooling2D(2)(x) if halve else x
    if halve or x.shape[-1] != filters:
        passed = convolve(passed, filters, size=1, relu=False)
    convolution = convolve_separably if separable else convolve
    x = convolution(x, filters, strides=2 if halve else 1)
    x = convolution(x, filters, relu=False)
    return layers.ReLU()(layers.Add()([x, passed]))


def with_votes_head(network: keras.Model, votes: int) -> keras.Model:
    """Returns the network with a second head for training: the share of ten people that give each vote.

    The features then learn from FER+'s votes too, while the first head learns from FER2013's labels alone.
    `without_votes_head` takes the second head off again.

    Args:
        network: Its last layer, "scores", reads the features.
        votes: How many kinds of votes there are.

    Returns:
        A network that gives a dict: "scores" as before and "votes", `float32 (n, votes)`.
    """
    features = network.get_layer("scores").input
    heads = {
        "scores": network.output,
        "votes": layers.Dense(votes, activation="softmax", name="votes")(features),
    }
    return keras.Model(network.input, heads, name=network.name)


def without_votes_head(network: keras.Model) -> keras.Model:
    """Returns the network that `with_votes_head` was given, with the weights as they are now."""
    return keras.Model(network.input, network.get_layer("scores").output, name=network.name)
