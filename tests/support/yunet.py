"""YuNet's file, where there is one, and a detector that works without a download."""

import os
from pathlib import Path

import cv2
import pytest

ROOT = Path(__file__).parents[2]
HAS_HAAR = hasattr(cv2, "CascadeClassifier")
needs_haar = pytest.mark.skipif(not HAS_HAAR, reason="OpenCV 5 has no Haar cascade")


def find_yunet():
    """Returns the file that FERKIT_YUNET names, else the one beside the checkout, else None."""
    places = [
        os.environ.get("FERKIT_YUNET"),
        *(ROOT.parent / "shared" / "face_detection").glob("*yunet*.onnx"),
    ]
    return next((Path(place) for place in places if place and Path(place).is_file()), None)
