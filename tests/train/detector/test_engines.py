"""Every engine opens the exported detector and says what Keras says."""

import cv2
import keras
import numpy as np
import pytest

from tests.support.detector_conversion import OUTPUTS, to_onnx, to_tflite
from train.detector.network import build_detector

SIZE = (96, 128)


@pytest.fixture(scope="module")
def detector():
    """A detector whose weights are neither trained nor trivial, and whose boxes stay in reach."""
    keras.utils.set_random_seed(1)
    network = build_detector(height=SIZE[0], width=SIZE[1])
    random = np.random.default_rng(2)
    for layer in network.layers:
        if layer.name.endswith("_norm"):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights([gamma, random.normal(0, 0.2, beta.shape), mean, variance])
            layer.momentum **= 101  # one pass is worth so many
    images = random.integers(0, 256, (8, *SIZE)).astype(np.uint8)
    network(images[..., None].astype("float32"), training=True)
    return network


@pytest.fixture(scope="module")
def onnx_file(detector):
    pytest.importorskip("tf2onnx")
    return to_onnx(detector)


@pytest.fixture(scope="module")
def image():
    return np.random.default_rng(3).integers(0, 256, (1, *SIZE, 1)).astype(np.uint8)


def said_by(detector, image):
    outputs = detector(image.astype("float32"), training=False)
    return {name: keras.ops.convert_to_numpy(outputs[name]) for name in OUTPUTS}


def agree(outputs, expected, *, pixels=0.05, probability=1e-3):
    assert outputs["confidences"].reshape(-1) == pytest.approx(expected["confidences"][0], abs=probability)
    for name in ("boxes", "eyes"):
        assert outputs[name].reshape(-1, 4) == pytest.approx(expected[name][0], abs=pixels)


def run_litert(file, pixels):
    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    runner = interpreter.Interpreter(model_content=file, num_threads=1).get_signature_runner()
    return runner(pixels=pixels)


def test_litert_float32(detector, image):
    pytest.importorskip("tensorflow")
    agree(run_litert(to_tflite(detector), image.astype(np.float32)), said_by(detector, image))


def test_litert_int8_takes_gray_minus_128_and_decodes_in_float(detector, image):
    pytest.importorskip("tensorflow")
    images = np.random.default_rng(4).integers(0, 256, (16, *SIZE)).astype(np.uint8)
    file = to_tflite(detector, images)
    assert len(file) < 200_000
    outputs = run_litert(file, (image.astype(int) - 128).astype(np.int8))
    agree(outputs, said_by(detector, image), pixels=8, probability=0.05)


def test_onnx_runtime(detector, onnx_file, image):
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(onnx_file, providers=["CPUExecutionProvider"])
    outputs = session.run(list(OUTPUTS), {"pixels": image.astype(np.float32)})
    agree(dict(zip(OUTPUTS, outputs, strict=True)), said_by(detector, image))


def test_opencv(detector, onnx_file, image):
    net = cv2.dnn.readNetFromONNX(np.frombuffer(onnx_file, np.uint8))
    net.setInput(image.astype(np.float32))
    outputs = net.forward(list(OUTPUTS))
    agree(dict(zip(OUTPUTS, outputs, strict=True)), said_by(detector, image))
