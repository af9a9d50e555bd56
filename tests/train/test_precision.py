"""Training in bfloat16: the twin, the way back, and the fused batch normalization."""

import keras
import numpy as np
import pytest
from keras import layers

from study.networks import build_block_cnn
from train.architectures import build_edge, with_votes_head, without_votes_head
from train.precision import FusedBatchNormalization, in_bfloat16, in_float32

SMALL = {"stem": 8, "widths": (8,), "depths": (1,)}


def small_edge():
    """A small `edge` whose weights, batch normalization's included, are none of those it starts with."""
    network = build_edge(**SMALL)
    random = np.random.default_rng(0)
    network.set_weights(
        [
            weights + (np.abs(0.1 * random.normal(size=weights.shape)) if weights.ndim == 1 else 0)
            for weights in network.get_weights()
        ]
    )
    return network


def answers(network, inputs):
    """What the network gives, as arrays; without `predict`, which first makes a graph."""
    return keras.tree.map_structure(keras.ops.convert_to_numpy, network(inputs, training=False))


def noise_faces(count):
    return np.random.default_rng(1).integers(0, 256, (count, 48, 48, 1)).astype("float32")


def test_the_twin_answers_nearly_the_same_and_the_way_back_gives_the_net_itself():
    network, faces = with_votes_head(small_edge(), 10), noise_faces(32)
    twin = in_bfloat16(network)
    scores = answers(network, faces)["scores"]
    gap = np.abs(answers(twin, faces)["scores"] - scores).max()
    assert 0 < gap < 0.02  # bfloat16 keeps 8 bits
    back = without_votes_head(in_float32(twin))
    np.testing.assert_array_equal(answers(back, faces), scores)
    assert [type(layer) for layer in back.layers] == [type(layer) for layer in small_edge().layers]
    assert {layer.compute_dtype for layer in back.layers} == {"float32"}


def test_the_twin_computes_convolutions_in_bfloat16_and_keeps_weights_and_scores_in_float32():
    twin = in_bfloat16(small_edge())
    types = {type(layer).__name__: layer.compute_dtype for layer in twin.layers}
    assert types["Conv2D"] == types["ReLU"] == types["Add"] == "bfloat16"
    assert types["Dense"] == types["GlobalAveragePooling2D"] == types["Rescaling"] == "float32"
    assert {weights.dtype for weights in twin.weights if "seed" not in weights.path} == {"float32"}


@pytest.mark.parametrize("block", ["batch_normalisation", "squeeze_excite", "cbam"])
def test_a_net_with_a_block_after_each_convolution_has_a_twin_and_comes_back(block):
    network, faces = build_block_cnn(block=block, filters=(8, 16), dense=(16,)), noise_faces(32)
    twin = in_bfloat16(network)
    assert {layer.compute_dtype for layer in twin.layers if type(layer) is layers.Conv2D} == {"bfloat16"}
    scores = answers(network, faces)
    assert 0 < np.abs(answers(twin, faces) - scores).max() < 0.05
    np.testing.assert_array_equal(answers(in_float32(twin), faces), scores)


def test_the_fused_normalisation_learns_and_answers_as_keras_does():
    random = np.random.default_rng(2)
    images = random.normal(3, 2, (64, 6, 6, 4)).astype("float32")
    targets = random.normal(size=(64, 6, 6, 4)).astype("float32")
    networks = []
    for kind in (layers.BatchNormalization, FusedBatchNormalization):
        pixels = keras.Input((6, 6, 4))
        network = keras.Model(pixels, kind(momentum=0.5)(pixels))
        network.compile(keras.optimizers.SGD(0.5), "mse")
        network.fit(images, targets, batch_size=16, epochs=3, shuffle=False, verbose=0)
        networks.append(network)
    for ours, kerass in zip(networks[1].get_weights(), networks[0].get_weights(), strict=True):
        # The one divides a batch's squares by its 576 values, the other by 575.
        np.testing.assert_allclose(ours, kerass, rtol=5e-3, atol=1e-5)
    kerass, ours = (answers(network, images) for network in networks)
    np.testing.assert_allclose(ours, kerass, rtol=5e-3, atol=5e-3)


def test_a_saved_twin_goes_on_as_it_was(tmp_path):
    twin, faces = in_bfloat16(small_edge()), noise_faces(32)
    twin.compile("adam", "categorical_crossentropy")
    twin.fit(faces, np.eye(7)[np.arange(32) % 7], verbose=0)
    twin.save(tmp_path / "twin.keras")
    again = keras.saving.load_model(tmp_path / "twin.keras")
    np.testing.assert_array_equal(answers(again, faces), answers(twin, faces))
    assert [layer.compute_dtype for layer in again.layers] == [layer.compute_dtype for layer in twin.layers]
