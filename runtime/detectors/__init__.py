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
from .yunet_file import cached_detector, fetch_detector

__all__ = [
    "DETECTORS",
    "Detector",
    "DetectorError",
    "Tiled",
    "fetch_detector",
    "load_default",
    "load_detector",
    "load_ferkit",
    "load_haar",
    "load_yunet",
]

DETECTORS: dict[str, Callable[..., Detector]] = {
    "ferkit": load_ferkit,
    "yunet": load_yunet,
    "haar": load_haar,
}


def load_detector(
    detector: str | os.PathLike[str] | None = None,
    *,
    engine: str | None = None,
    threads: int = 1,
    offline: bool = False,
    announce: Callable[[str], None] | None = None,
) -> Detector:
    """Loads a face detector: by name, by its file, or the best that is there.

    Args:
        detector: "ferkit", "yunet", "haar", or the path of a detector's file: one of ferkit's kind with its
            card beside it, or a YuNet `.onnx` file. None: as `load_default` chooses.
        engine: What preferably runs a detector of ferkit's kind, a key of `NETWORKS`.
        threads: That engine's threads.
        offline: Never download YuNet's file.
        announce: Gets each line that the user should read. None: standard error.

    Raises:
        DetectorError: The detector isn't available; the message says what to do.
    """
    if detector is None:
        return load_default(engine=engine, threads=threads)
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


def load_default(*, engine: str | None = None, threads: int = 1) -> Detector:
    """Loads YuNet where its file lies, else ferkit's own detector; downloads and prints nothing.

    Args:
        engine: What preferably runs ferkit's own detector, a key of `NETWORKS`.
        threads: That engine's threads.

    Raises:
        DetectorError: The environment variable FERKIT_YUNET names a file that is no YuNet.
    """
    if os.environ.get("FERKIT_YUNET") or cached_detector():
        return load_yunet(offline=True)
    return load_ferkit(engine=engine, threads=threads)


def _is_of_ferkit(file: Path) -> bool:
    """Returns whether a file is of ferkit's kind: it has a card, or the outputs of one that had."""
    if file.suffix.lower() == ".tflite" or card_path(file).exists():
        return True
    try:
        outputs = read_contents(file.read_bytes(), ".onnx").outputs
    except (OSError, ContentsError):
        return False
    return {"boxes", "confidences"} <= {tensor.name for tensor in outputs}
