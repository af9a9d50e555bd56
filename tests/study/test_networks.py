"""The networks of the experiments: shapes, sizes, costs, and the blocks that are added."""

import msgspec
import numpy as np
import pytest

from study.experiments import EXPERIMENTS
from tests.support.study import keras_or_skip


def test_every_network_takes_faces_and_gives_seven_scores(networks):
    assert {network.input_shape for network in networks.values()} == {(None, 48, 48, 1)}
    assert {network.output_shape for network in networks.values()} == {(None, 7)}


def test_networks_have_the_promised_parameters(networks):
    count = {name: network.count_params() for name, network in networks.items()}
    assert count["2"] == 1_113_095
    assert count["4"] == count["9"] == count["16"] == 3_913_223
    assert count["LSTM"] == 48 * 64 + 64 + 4 * ((64 + 128) * 128 + 128) + 128 * 7 + 7 == 102_855
    assert abs(count["equal-parameters"] - count["LSTM"]) < 0.001 * count["LSTM"]
    # The dense layer in the LSTM's place has as many weights as it.
    assert abs(count["rows-dense"] - count["LSTM"]) < 0.02 * count["LSTM"]
    assert abs(count["conv-dense"] - count["conv-lstm"]) < 0.01 * count["conv-lstm"]


def test_batch_normalisation_is_where_its_experiments_say(networks):
    def normalised(name):
        rectified = [layer for layer in networks[name].layers if "re_lu" in layer.name]
        return [type(layer.input._keras_history.operation).__name__ for layer in rectified]

    assert normalised("bn") == ["BatchNormalization"] * 6
    assert normalised("wide-bn") == ["BatchNormalization"] * 5
    assert normalised("bn-convolutions") == ["BatchNormalization"] * 4


@pytest.mark.parametrize(("raw", "rescaled"), [("wide-raw", "4"), ("17-raw", "17"), ("lstm-raw", "LSTM")])
def test_a_raw_experiment_reads_pixels_that_are_not_rescaled(networks, raw, rescaled):
    networks[raw].set_weights(networks[rescaled].get_weights())
    faces = np.random.default_rng(0).integers(0, 256, (2, 48, 48, 1)).astype("float32")
    scores = networks[raw].predict(faces / 255, verbose=0)
    np.testing.assert_allclose(scores, networks[rescaled].predict(faces, verbose=0), atol=1e-6)
    key = EXPERIMENTS[raw].network_key
    assert key == EXPERIMENTS[rescaled].network_key != EXPERIMENTS["wide-bn"].network_key


def test_wide_defaults_is_experiment_4_but_for_kerass_defaults(networks):
    own, other = EXPERIMENTS["wide-defaults"].settings(seed=0), EXPERIMENTS["4"].settings(seed=0)
    assert own.options == other.options | {"initializer": "glorot_uniform", "padding": "valid"}
    assert msgspec.structs.replace(own, options=other.options, epochs=other.epochs) == other
    assert EXPERIMENTS["wide-defaults"].network_key != EXPERIMENTS["4"].network_key
    first, *_ = [layer for layer in networks["wide-defaults"].layers if "conv" in layer.name]
    assert first.output.shape == (None, 46, 46, 64)
    dense = networks["wide-defaults"].get_layer(index=-3)
    # Glorot & Bengio 2010, equation 16; He's reach ten times as far in the first, twice in the dense layer.
    for kernel, units in ((first.kernel, 9 * (1 + 64)), (dense.kernel, 512 + 512)):
        assert 0.99 * np.sqrt(6 / units) < np.abs(np.array(kernel)).max() <= np.sqrt(6 / units)


def test_a_recurrent_reader_of_pixels_is_the_cnn_lstm(networks):
    from study.networks import build_row_reader

    def shapes(network):
        return [weight.shape for weight in network.get_weights()]

    assert shapes(build_row_reader(recurrent=True)) == shapes(networks["LSTM"])


def test_a_shuffled_reader_reads_the_rows_in_its_order(networks):
    shuffled, reader = networks["lstm-shuffled"], networks["LSTM"]
    shuffled.set_weights(reader.get_weights())
    faces = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1)).astype("float32")
    order = np.random.default_rng(0).permutation(48)
    scores = shuffled.predict(faces, verbose=0)
    np.testing.assert_allclose(scores, reader.predict(faces[:, order], verbose=0), atol=1e-6)
    assert np.abs(scores - reader.predict(faces, verbose=0)).max() > 1e-3


def test_multiply_adds_are_counted_by_layer(networks):
    from study.networks import multiply_adds

    of_2 = 48 * 48 * 9 * 32 + 24 * 24 * 9 * 32 * 64 + 12 * 12 * 9 * 64 * 128 + 6 * 6 * 9 * 128 * 256
    assert multiply_adds(networks["2"]) == of_2 + 2304 * 256 + 256 * 512 + 512 * 7
    assert multiply_adds(networks["LSTM"]) == 48 * (48 * 64 + 4 * 128 * (64 + 128)) + 128 * 7
    # Squeeze-and-excitation adds two small dense layers to each convolution; CBAM calls them twice.
    squeezed = sum(2 * count * (count // 8) for count in (32, 64, 128, 256))
    assert multiply_adds(networks["se"]) == multiply_adds(networks["2"]) + squeezed
    positions = 7 * 7 * 2 * (48**2 + 24**2 + 12**2 + 6**2)
    assert multiply_adds(networks["cbam"]) == multiply_adds(networks["2"]) + 2 * squeezed + positions


def test_active_units_are_a_share_of_units_and_faces():
    keras_or_skip()
    from study.networks import active_units, build_block_cnn, build_row_reader
    from train.architectures import build_cnn

    faces = np.full((4, 48, 48, 1), 255, "float32")
    faces[0] = 0
    network = build_cnn(filters=(1,), dense=(4, 5), dropout=0.5)
    for weight in network.weights:
        weight.assign(np.ones(weight.shape) if weight.path.endswith("kernel") else np.zeros(weight.shape))
    first, second = (layer for layer in network.layers if layer.name.startswith("dense"))
    first.bias.assign([0, 1, 0, -1e9])  # on the black face one of four is above 0, else three
    second.bias.assign([0, 0, -1e9, -1e9, -1e9])
    assert list(active_units(network, faces).values()) == [(1 + 3 * 3) / 16, 2 / 5]

    assert len(active_units(build_cnn(filters=(1,), dense=(4,), dropout=0.5), faces)) == 1
    normalised = build_block_cnn(block="batch_normalisation", filters=(1, 1), dense=(3, 2))
    assert len(active_units(normalised, faces)) == 2  # there the ReLU is a layer of its own
    assert active_units(build_row_reader(recurrent=True), faces) == {}  # its dense layer reads one row


@pytest.mark.parametrize(("name", "like"), [("se", "2"), ("cbam", "2"), ("bn", "2"), ("wide-bn", "4")])
def test_blocks_change_nothing_else_of_a_network(networks, name, like):
    def built(network, kind):
        return [layer for layer in network.layers if type(layer).__name__ == kind]

    for network in (networks[name], networks[like]):
        assert [layer.scale for layer in built(network, "Rescaling")] == [1 / 255]
        rates = [layer.rate for layer in built(network, "Dropout")]
        assert rates == [EXPERIMENTS[like].options["dropout"]] * len(EXPERIMENTS[like].options["dense"])
        kernels = [layer.kernel for layer in built(network, "Conv2D") if layer.kernel.shape[:2] == (3, 3)]
        assert [kernel.shape[3] for kernel in kernels] == list(EXPERIMENTS[like].options["filters"])
        for kernel in kernels:  # He et al. 2015, arXiv 1502.01852, equation 10
            assert np.std(kernel) == pytest.approx((2 / np.prod(kernel.shape[:3])) ** 0.5, rel=0.2)


def filled(block, shape):
    """A network of one block with drawn weights, what it gives for drawn values, and these two."""
    keras = keras_or_skip()
    draw = np.random.default_rng(2)
    inputs = keras.Input(shape)
    network = keras.Model(inputs, block(inputs))
    network.set_weights([draw.normal(size=weight.shape) for weight in network.get_weights()])
    values = draw.normal(size=(3, *shape)).astype("float32")
    return network.get_weights(), values, network.predict(values, verbose=0)


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def test_squeeze_and_excitation_weighs_channels_by_their_averages():
    keras_or_skip()
    from study.networks import squeeze_excite

    (squeeze, its_bias, excite, bias), values, given = filled(squeeze_excite, (4, 5, 16))
    assert squeeze.shape == (16, 2)
    squeezed = np.maximum(values.mean(axis=(1, 2)) @ squeeze + its_bias, 0)
    weights = sigmoid(squeezed @ excite + bias)
    np.testing.assert_allclose(given, values * weights[:, None, None], rtol=1e-4, atol=1e-5)


def test_cbam_weighs_channels_then_positions_by_averages_and_maxima():
    keras_or_skip()
    from study.networks import cbam

    (squeeze, its_bias, excite, bias, kernel), values, given = filled(cbam, (5, 6, 16))

    def excited(channels):
        return np.maximum(channels @ squeeze + its_bias, 0) @ excite + bias

    weights = sigmoid(excited(values.mean(axis=(1, 2))) + excited(values.max(axis=(1, 2))))
    weighed = values * weights[:, None, None]
    maps = np.stack([weighed.mean(axis=-1), weighed.max(axis=-1)], axis=-1)
    padded = np.pad(maps, ((0, 0), (3, 3), (3, 3), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (7, 7), axis=(1, 2))  # (n, 5, 6, 2, 7, 7)
    positions = sigmoid(np.einsum("nhwcij,ijco->nhwo", windows, kernel))
    np.testing.assert_allclose(given, weighed * positions, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["se", "cbam", "bn", "conv-lstm", "rows-dense", "conv-lstm-shuffled"])
def test_a_saved_network_answers_the_same(networks, name, tmp_path):
    keras = keras_or_skip()
    faces = np.random.default_rng(0).integers(0, 256, (3, 48, 48, 1)).astype("float32")
    networks[name].save(tmp_path / "network.keras")
    read = keras.saving.load_model(tmp_path / "network.keras")
    np.testing.assert_array_equal(read(faces), networks[name](faces))
