"""The temperature: found from scores and labels, and folded into a model's last layer."""

import numpy as np
import pytest

pytest.importorskip("keras")

import keras

from train.temperature import adjust_logits, fit_temperature, fold_temperature


def drawn_scores(count=20_000, seed=0):
    """Probabilities, and labels drawn from them: by construction they mean what they say."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (count, 7))
    scores = softmax(logits)
    labels = (random.random((count, 1)) > scores.cumsum(axis=1)).sum(axis=1).clip(max=6)
    return logits, scores, labels


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def test_scores_that_mean_what_they_say_have_temperature_1():
    _, scores, labels = drawn_scores()
    assert fit_temperature(scores, labels) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("sharpness", [0.5, 3.0])
def test_too_sure_and_too_unsure_scores_are_brought_back(sharpness):
    logits, _, labels = drawn_scores()
    assert fit_temperature(softmax(sharpness * logits), labels) == pytest.approx(sharpness, rel=0.03)


def test_a_score_of_zero_is_no_obstacle():
    scores = np.eye(7)[[0, 1, 2, 3] * 10]
    labels = np.array([0, 1, 2, 4] * 10)
    assert 1 < fit_temperature(scores, labels) <= 10


def test_folding_divides_the_logits_and_leaves_every_label():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(7, activation="softmax")])
    model.set_weights([3 * weights + 0.1 for weights in model.get_weights()])
    inputs = np.random.default_rng(0).normal(size=(50, 5)).astype("float32")
    before = keras.ops.convert_to_numpy(model(inputs))
    fold_temperature(model, 2.5)
    after = keras.ops.convert_to_numpy(model(inputs))
    np.testing.assert_allclose(after, softmax(np.log(before) / 2.5), atol=1e-6)
    np.testing.assert_array_equal(after.argmax(axis=1), before.argmax(axis=1))


def test_a_model_without_a_dense_softmax_at_its_end_is_refused():
    model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(7)])
    with pytest.raises(ValueError, match="Expected a dense layer with softmax at the end"):
        fold_temperature(model, 2.0)


def test_logit_adjustment_takes_each_classs_log_share_off_its_logit():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, activation="softmax")])
    inputs = np.array([[1.0, -2.0]], "float32")
    before = np.log(keras.ops.convert_to_numpy(model(inputs)))
    adjust_logits(model, np.array([0] * 6 + [1] * 3 + [2]), 0.5)
    moved = np.log(keras.ops.convert_to_numpy(model(inputs))) - before
    expected = -0.5 * np.log([0.6, 0.3, 0.1])
    # Logits are known but for a constant.
    np.testing.assert_allclose(moved - moved[:, :1], [expected - expected[0]], atol=1e-5)
