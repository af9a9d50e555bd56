"""A wider network with a narrower one's weights gives its scores, and its repeated channels learn apart."""

import numpy as np
import pytest

pytest.importorskip("keras")

import keras

from train.architectures import build_cnn, build_edge
from train.errors import WeightsError
from train.weights import save_network, take_weights

FACES = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1)).astype("float32")


def features_of(network):
    return keras.Model(network.input, network.layers[-2].output)(FACES)


def edge(*widths, stem=3, **options):
    return build_edge(stem=stem, widths=widths, depths=(1,) * len(widths), **options)


@pytest.fixture
def narrow(tmp_path):
    """A network with random weights, batch normalization's among them, and its file."""
    keras.utils.set_random_seed(1)
    network, random = edge(4, 5), np.random.default_rng(2)
    network.set_weights([array + random.uniform(-0.1, 0.2, array.shape) for array in network.get_weights()])
    save_network(network, path := tmp_path / "narrow.keras")
    return network, path


@pytest.mark.parametrize("wide", [edge(8, 12, stem=4), edge(4, 5), edge(4, 9)])
def test_a_wider_network_gives_the_same_scores(narrow, wide):
    network, path = narrow
    scores = network(FACES)
    assert np.ptp(scores, axis=0).max() > 1e-3  # the faces differ, and no score is 1
    take_weights(wide, path)
    np.testing.assert_allclose(wide(FACES), scores, atol=1e-5)


def test_a_network_of_other_classes_keeps_its_head(narrow):
    network, path = narrow
    other = edge(8, 9, classes=8)
    head = other.layers[-1].get_weights()
    take_weights(other, path, new_head=True)
    np.testing.assert_array_equal(other.layers[-1].get_weights()[0], head[0])
    np.testing.assert_allclose(features_of(other)[:, :5], features_of(network), rtol=1e-5)


def test_repeated_channels_learn_apart(narrow):
    take_weights(wide := edge(8, 5), narrow[1])
    wide.compile("sgd", "categorical_crossentropy")
    wide.fit(FACES, np.eye(7)[:3], verbose=0)
    kernels = [array for array in wide.get_weights() if array.ndim == 4 and array.shape[-1] == 8]
    for kernel in kernels:
        assert np.abs(kernel[..., :4] - kernel[..., 4:]).max(axis=(0, 1, 2)).min() > 0


@pytest.mark.parametrize("other", [edge(3, 5), edge(4, 5, separable=1), edge(4, 5, 6), build_cnn()])
def test_a_network_that_is_not_wider_is_refused(narrow, other):
    before = other.get_weights()
    with pytest.raises(WeightsError, match="or of a narrower one, got those of another"):
        take_weights(other, narrow[1])
    for one, two in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_network_that_flattens_is_not_widened(tmp_path):
    save_network(build_cnn(filters=(2, 3), dense=(4,)), path := tmp_path / "cnn.keras")
    with pytest.raises(WeightsError, match="narrower"):
        take_weights(build_cnn(filters=(2, 4), dense=(4,)), path)
