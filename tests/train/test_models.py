"""The architectures: their signature, their size, and what stands inside them."""

import numpy as np
import pytest

pytest.importorskip("keras")

import keras

from train.architectures import build_cnn_lstm
from train.models import MODELS


@pytest.fixture(autouse=True)
def seeded_weights():
    keras.utils.set_random_seed(0)


def gray_faces(count, seed=0):
    """Pixels 0-255, `float32 (count, 48, 48, 1)`."""
    return np.random.default_rng(seed).integers(0, 256, (count, 48, 48, 1)).astype("float32")


@pytest.mark.parametrize("name", MODELS)
def test_gray_pixels_of_a_batch_of_faces_give_7_probabilities_each(name):
    model = MODELS[name].build()
    assert model.name == name
    assert [tensor.name for tensor in model.inputs] == ["faces"]
    assert model.input_shape == (None, 48, 48, 1)
    for count in (1, 5):
        scores = keras.ops.convert_to_numpy(model(gray_faces(count)))
        assert (scores.shape, scores.dtype) == ((count, 7), np.float32)
        assert scores.min() > 0
        np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-6)


def test_the_cnn_has_the_parameters_of_its_layers():
    # Convolutions, 3 x 3 x channels in x channels out + channels out:
    #   9 * 1 * 32 + 32 = 320;  9 * 32 * 64 + 64 = 18,496;  9 * 64 * 128 + 128 = 73,856;
    #   9 * 128 * 256 + 256 = 295,168.
    # Four halvings leave 3 x 3 of 48 x 48 pixels, 2,304 values of 256 channels. Dense layers:
    #   2,304 * 256 + 256 = 590,080;  256 * 512 + 512 = 131,584;  512 * 7 + 7 = 3,591.
    counts = [layer.count_params() for layer in MODELS["cnn"].build().layers if layer.count_params()]
    assert counts == [320, 18_496, 73_856, 295_168, 590_080, 131_584, 3_591]
    assert MODELS["cnn"].build().count_params() == 1_113_095


def test_the_cnn_lstm_has_the_parameters_of_its_layers():
    # Dense on a row of 48 pixels: 48 * 64 + 64 = 3,136. LSTM, four gates that see 64 inputs and 128 outputs
    # of the step before: 4 * ((64 + 128) * 128 + 128) = 98,816. Dense: 128 * 7 + 7 = 903.
    counts = [layer.count_params() for layer in MODELS["cnn_lstm"].build().layers if layer.count_params()]
    assert counts == [3_136, 98_816, 903]
    assert MODELS["cnn_lstm"].build().count_params() == 102_855


def test_the_edge_net_fits_700_kb_of_int8_weights_and_uses_only_operators_with_fast_int8_kernels():
    model = MODELS["edge"].build()
    weights = sum(int(np.prod(layer.kernel.shape)) for layer in model.layers if hasattr(layer, "kernel"))
    assert weights < 650_000  # a byte each; the rest is for biases, scales and the graph
    assert {type(layer).__name__ for layer in model.layers} == {
        "InputLayer",
        "Rescaling",
        "Conv2D",
        "BatchNormalization",
        "ReLU",
        "AveragePooling2D",
        "Add",
        "GlobalAveragePooling2D",
        "Dropout",
        "Dense",
    }


@pytest.mark.parametrize("name", MODELS)
def test_rescaling_by_255_is_inside_and_nothing_else_touches_the_pixels(name):
    model, faces = MODELS[name].build(), gray_faces(3)
    after_rescaling = keras.Model(model.layers[1].output, model.output)
    np.testing.assert_allclose(after_rescaling(faces / 255), model(faces), atol=1e-6)
    assert np.abs(after_rescaling(faces) - model(faces)).max() > 0.01


def test_dense_on_rows_is_time_distributed_dense_with_the_same_weights():
    model = build_cnn_lstm()
    faces = keras.Input((48, 48, 1))
    x = keras.layers.Rescaling(1 / 255)(faces)
    x = keras.layers.Reshape((48, 48))(x)
    x = keras.layers.TimeDistributed(keras.layers.Dense(64, activation="relu"))(x)
    x = keras.layers.LSTM(128)(x)
    studied = keras.Model(faces, keras.layers.Dense(7, activation="softmax")(x))
    studied.set_weights(model.get_weights())
    np.testing.assert_allclose(studied(gray_faces(8)), model(gray_faces(8)), atol=1e-6)


def test_the_lstm_reads_the_rows_of_a_face_from_top_to_bottom():
    model, faces = build_cnn_lstm(), gray_faces(2)
    rows = keras.Model(model.input, model.layers[2].output)(faces)  # (n, 48 rows, 48 pixels)
    np.testing.assert_allclose(rows, faces[..., 0] / 255, atol=1e-6)


def test_dropout_is_off_outside_of_training():
    model, faces = MODELS["cnn"].build(), gray_faces(2)
    np.testing.assert_array_equal(model(faces), model(faces))
    assert np.abs(model(faces, training=True) - model(faces, training=True)).max() > 0
