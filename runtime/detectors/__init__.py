"""Face detectors: a frame in, boxes out.

YuNet is the default. Where its file is missing, the Haar cascade of OpenCV 4 takes its place. Both work on a
reduced frame. The numbers in these modules were chosen by `python -m benchmarks detectors`, which wrote
reports/detectors.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from .detector import Detector, DetectorError
from .haar import load_haar
from .yunet import load_yunet
from .yunet_file import fetch_detector, say

__all__ = [
    "DETECTORS",
    "Detector",
    "DetectorError",
    "fetch_detector",
    "load_detector",
    "load_haar",
    "load_yunet",
]

DETECTORS: dict[str, Callable[..., Detector]] = {"yunet": load_yunet, "haar": load_haar}


def load_detector(
    detector: str | os.PathLike[str] | None = None,
    *,
    offline: bool = False,
    announce: Callable[[str], None] | None = None,
) -> Detector:
    """Loads a face detector: by name, by its file, or the best that is available.

    Args:
        detector: "yunet", "haar" or the path of a YuNet `.onnx` file. None: YuNet if its file is available,
            else Haar, with a line to `announce`.
        offline: Never download YuNet's file.
        announce: Gets each line that the user should read. None: standard error.

    Raises:
        DetectorError: The detector isn't available; the message says what to do.
    """
    if detector is None:
        try:
            return load_yunet(offline=offline, announce=announce)
        except DetectorError as reason:
            if os.environ.get("FERKIT_YUNET"):
                raise  # the user named a file: another detector in its place would be a guess
            try:
                haar = load_haar()
            except DetectorError as error:
                raise DetectorError(f"{reason} Haar can't take its place: {error}") from reason
            why = reason.reason
        (announce or say)(
            f"YuNet is not available ({why}). OpenCV's Haar cascade looks for faces in its place: it finds "
            "86 % of them where YuNet finds 99 %, in 14 times the time, and as few as 55-68 % in hard "
            "photographs. `ferkit fetch-detector` fetches YuNet."
        )
        return haar
    name = os.fspath(detector)
    if name == "haar":
        return load_haar()
    if name == "yunet":
        return load_yunet(offline=offline, announce=announce)
    if name.lower().endswith(".onnx"):
        return load_yunet(name)
    raise DetectorError(
        f"Expected a detector {', '.join(DETECTORS)} or the path of a YuNet .onnx file, got '{name}'."
    )
