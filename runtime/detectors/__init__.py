"""Face detectors: a frame in, boxes out.

`ferkit` is the kit's own, YuNet and OpenCV 4's Haar cascade are others'. All work on a reduced frame. The
numbers of YuNet and Haar were chosen by `python -m benchmarks detector_settings`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from ..card import card_path
from ..model_file import ContentsError, read_contents
from .detector import Detector, DetectorError
from .ferkit import load_ferkit
from .haar import load_haar
from .tiles import Tiled
from .yunet import load_yunet
from .yunet_file import fetch_detector, say

__all__ = [
    "DEFAULT_DETECTOR",
    "DETECTORS",
    "Detector",
    "DetectorError",
    "Tiled",
    "fetch_detector",
    "load_detector",
    "load_ferkit",
    "load_haar",
    "load_yunet",
    "load_yunet_or_haar",
]

DETECTORS: dict[str, Callable[..., Detector]] = {
    "ferkit": load_ferkit,
    "yunet": load_yunet,
    "haar": load_haar,
}
# The detector that is taken where none is asked for. None: YuNet, or Haar where its file is missing.
DEFAULT_DETECTOR: str | None = None


def load_detector(
    detector: str | os.PathLike[str] | None = None,
    *,
    engine: str | None = None,
    threads: int = 1,
    offline: bool = False,
    announce: Callable[[str], None] | None = None,
) -> Detector:
    """Loads a face detector: by name, by its file, or the default.

    Args:
        detector: "ferkit", "yunet", "haar", or the path of a detector's file: one of ferkit's kind with its
            card beside it, or a YuNet `.onnx` file. None: `DEFAULT_DETECTOR`.
        engine: What preferably runs a detector of ferkit's kind, a key of `NETWORKS`.
        threads: That engine's threads.
        offline: Never download YuNet's file.
        announce: Gets each line that the user should read. None: standard error.

    Raises:
        DetectorError: The detector isn't available; the message says what to do.
    """
    if detector is None:
        detector = DEFAULT_DETECTOR
    if detector is None:
        return load_yunet_or_haar(offline=offline, announce=announce)
    name = os.fspath(detector)
    if name == "haar":
        return load_haar()
    if name == "yunet":
        return load_yunet(offline=offline, announce=announce)
    if name == "ferkit":
        return load_ferkit(engine=engine, threads=threads)
    if not name.lower().endswith((".tflite", ".onnx")):
        raise DetectorError(
            f"Expected a detector {', '.join(DETECTORS)}, or the path of a detector's .tflite or .onnx file, "
            f"got '{name}'."
        )
    if _is_of_ferkit(Path(name)):
        return load_ferkit(name, engine=engine, threads=threads)
    return load_yunet(name)


def load_yunet_or_haar(*, offline: bool = False, announce: Callable[[str], None] | None = None) -> Detector:
    """Loads YuNet if its file is available, else Haar, with a line to `announce`; see `load_detector`."""
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


def _is_of_ferkit(file: Path) -> bool:
    """Returns whether a file is of ferkit's kind: it has a card, or the outputs of one that had."""
    if file.suffix.lower() == ".tflite" or card_path(file).exists():
        return True
    try:
        outputs = read_contents(file.read_bytes(), ".onnx").outputs
    except (OSError, ContentsError):
        return False
    return {"boxes", "confidences"} <= {tensor.name for tensor in outputs}
