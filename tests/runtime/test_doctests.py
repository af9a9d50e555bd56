"""The examples in the docstrings do what they say."""

import doctest
import sys
from pathlib import Path

import cv2
import pytest

import runtime
from runtime import recognizer
from runtime.engines import is_installed
from tests.support.yunet import find_yunet

ROOT = Path(__file__).parents[2]


@pytest.fixture
def installed(monkeypatch):
    """The package under its installed name, the checkout as folder, and a detector that is available."""
    if not any(map(is_installed, ("litert", "tflite_runtime", "onnxruntime"))):
        pytest.skip("the released models need LiteRT, tflite-runtime or ONNX Runtime")
    yunet = find_yunet()
    if yunet is not None:
        monkeypatch.setenv("FERKIT_YUNET", str(yunet))
    elif not hasattr(cv2, "CascadeClassifier"):
        pytest.skip("needs YuNet's file, or an OpenCV with the Haar cascade")
    monkeypatch.setitem(sys.modules, "ferkit", runtime)
    monkeypatch.chdir(ROOT)


def test_the_examples_of_the_recognizer_run(installed):
    failed, tried = doctest.testmod(recognizer)
    assert failed == 0
    assert tried > 10
