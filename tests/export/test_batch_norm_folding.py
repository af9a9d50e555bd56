"""Batch normalization folded into convolutions: the same function with fewer layers."""

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras
from keras import layers

from export.batch_norm_folding import FOLDABLE, foldable, with_folded_normalization
from train.architectures import build_cnn, build_edge


def lively(model, seed=0):
    """The model with statistics, gains and shifts that a training could have left."""
    random = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            shapes = [weights.shape for weights in layer.get_weights()]
            layer.set_weights([random.uniform(0.3, 1.5, shape) for shape in shapes])
    return model


def answers(model, seed=1):
    faces = np.random.default_rng(seed).integers(0, 256, (16, *model.input_shape[1:])).astype("float32")
    return keras.ops.convert_to_numpy(model(faces, training=False))


def test_the_edge_net_answers_the_same_without_its_normalizations():
    keras.utils.set_random_seed(0)
    model = lively(build_edge(widths=(8, 16), depths=(2, 1), separable=1, stem=8))
    folded = with_folded_normalization(model)
    assert sum(isinstance(layer, layers.DepthwiseConv2D) for layer in folded.layers) == 2
    assert not any(isinstance(layer, layers.BatchNormalization) for layer in folded.layers)
    convolutions = [layer for layer in folded.layers if isinstance(layer, FOLDABLE)]
    assert all(layer.use_bias for layer in convolutions)
    np.testing.assert_allclose(answers(folded), answers(model), atol=1e-6)


@pytest.mark.parametrize("keywords", [{"scale": False}, {"center": False}, {"epsilon": 0.1}])
def test_each_part_of_a_normalization_is_folded(keywords):
    keras.utils.set_random_seed(0)
    faces = keras.Input((6, 6, 1))
    x = layers.Conv2D(4, 3, bias_initializer="ones")(faces)
    model = lively(keras.Model(faces, layers.BatchNormalization(**keywords)(x)))
    folded = with_folded_normalization(model)
    assert len(foldable(model)) == 1
    np.testing.assert_allclose(answers(folded), answers(model), rtol=1e-4, atol=1e-4)


def test_a_depthwise_convolution_with_a_depth_multiplier_is_folded():
    keras.utils.set_random_seed(0)
    faces = keras.Input((6, 6, 3))
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, bias_initializer="ones")(faces)
    model = lively(keras.Model(faces, layers.BatchNormalization()(x)))
    assert len(foldable(model)) == 1
    np.testing.assert_allclose(
        answers(with_folded_normalization(model)), answers(model), rtol=1e-4, atol=1e-4
    )


def test_what_cannot_fold_stays():
    faces = keras.Input((6, 6, 1))
    read_twice = layers.Conv2D(4, 3, padding="same")(faces)
    activated = layers.Conv2D(4, 3, padding="same", activation="relu")(faces)
    x = layers.Add()([layers.BatchNormalization()(read_twice), read_twice])
    x = layers.Add()([x, layers.BatchNormalization()(activated)])
    model = lively(keras.Model(faces, x))
    assert foldable(model) == {}
    assert with_folded_normalization(model) is model


def test_a_net_without_normalization_is_returned_as_it_is():
    model = build_cnn()
    assert with_folded_normalization(model) is model
