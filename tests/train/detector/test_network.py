"""The network with and without decoding, and what the decoding says."""

import keras
import numpy as np
import pytest

from train.detector.loss import decode
from train.detector.network import LEVELS, build_detector, build_network, cells_of, copy_weights

SIZE = (64, 96)


@pytest.fixture(scope="module")
def pair():
    """A network with weights that are not trivial, and the same with decoding."""
    keras.utils.set_random_seed(3)
    network = build_network()
    random = np.random.default_rng(4)
    network.set_weights(
        [
            w + 0.05 * random.standard_normal(w.shape).astype("float32") * (w.ndim > 1)
            for w in network.get_weights()
        ]
    )
    detector = build_detector(height=SIZE[0], width=SIZE[1])
    copy_weights(network, detector)
    return network, detector


def images(count=2):
    return np.random.default_rng(5).integers(0, 256, (count, *SIZE, 1)).astype("float32")


def test_both_networks_say_the_same(pair):
    network, detector = pair
    raw, outputs = network.predict(images(), verbose=0), detector.predict(images(), verbose=0)
    boxes, eyes = (keras.ops.convert_to_numpy(part) for part in decode(raw, cells_of(*SIZE)))
    assert raw.shape == (2, len(cells_of(*SIZE)), 9)
    assert outputs["boxes"] == pytest.approx(boxes, rel=1e-4, abs=1e-2)
    assert outputs["eyes"] == pytest.approx(eyes, rel=1e-4, abs=1e-2)
    assert outputs["confidences"] == pytest.approx(1 / (1 + np.exp(-raw[..., 0])), abs=1e-5)


def test_encoding_a_box_and_decoding_it_gives_the_box():
    cells = cells_of(*SIZE)
    box, eyes = np.float32([30, 10, 24, 32]), np.float32([36, 20, 48, 21])
    raw = np.zeros((len(cells), 9), np.float32)
    raw[:, 1:3] = (box[:2] + box[2:] / 2 - cells[:, :2]) / cells[:, 2:3]
    raw[:, 3:5] = np.log(box[2:] / cells[:, 3:4])
    raw[:, 5:9] = (eyes - np.tile(box[:2] + box[2:] / 2, 2)) / cells[:, 3:4]
    decoded, points = (keras.ops.convert_to_numpy(part) for part in decode(raw, cells))
    assert decoded == pytest.approx(np.tile(box, (len(cells), 1)), abs=1e-3)
    assert points == pytest.approx(np.tile(eyes, (len(cells), 1)), abs=1e-3)


def test_the_file_holds_the_decoding(pair, tmp_path):
    _, detector = pair
    detector.save(tmp_path / "detector.keras")
    read = keras.saving.load_model(tmp_path / "detector.keras", compile=False)
    outputs, again = detector.predict(images(), verbose=0), read.predict(images(), verbose=0)
    assert all(np.array_equal(outputs[name], again[name]) for name in outputs)


def test_it_is_small_enough_and_an_untrained_one_finds_nothing():
    network = build_network()
    assert network.count_params() < 100_000
    raw = network.predict(images(), verbose=0)
    assert (1 / (1 + np.exp(-raw[..., 0]))).max() < 0.2


def test_every_size_of_face_has_a_level():
    for size in (9, 20, 40, 44, 100, 110, 500):
        assert any(level.smallest <= size <= level.largest for level in LEVELS)


@pytest.mark.parametrize("size", [(240, 320), (0, 32), (100, 100)])
def test_a_size_that_does_not_fit_is_refused_with_the_next_that_does(size):
    with pytest.raises(ValueError, match=r"expected .* divisible by 32, got .*; take \d+x\d+"):
        build_detector(height=size[0], width=size[1])


def test_weights_of_another_network_are_refused():
    pixels = keras.Input((32, 32, 1))
    other = keras.Model(pixels, keras.layers.Conv2D(1, 1)(pixels))
    with pytest.raises(ValueError, match="expected a detector"):
        copy_weights(other, build_network())
