"""Where YuNet's file is: benchmarks that only need its eyes or mouth take it where it lies, or do without."""

from __future__ import annotations

import os
from pathlib import Path

from runtime.detectors.yunet_file import cached_detector


def find_yunet(named: str | None = None) -> Path | None:
    """Returns YuNet's file: named, in FERKIT_YUNET, or in the user's cache; None where it is in none.

    Args:
        named: What the user gave as a detector, which may be its file.
    """
    for place in (named, os.environ.get("FERKIT_YUNET")):
        if place and place.endswith(".onnx") and Path(place).is_file():
            return Path(place)
    return cached_detector()
