"""The kit's own detector: a small network in a file with a card, run by any engine.

A frame becomes gray, is reduced to fit into the network's input and lies in its upper left corner. The file
answers with boxes and confidences for a grid of places; what is left of them here are the surest that do not
overlap. Ports to other languages repeat this file exactly, but for long frames, which are searched in parts.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ..boxes import suppress
from ..card import DETECTOR, check_file, kind_of, read_card
from ..errors import PathError
from ..networks import ENGINES_OF_SUFFIX, NETWORKS, Network, is_installed
from .detector import SMALLEST_PX, Detector, DetectorError, checked
from .tiles import InParts

RELEASED = Path(__file__).parent.parent / "models" / "detectors"
RELEASED_FILES = {".tflite": "detector_int8.tflite", ".onnx": "detector_int8.onnx"}
MOST_CANDIDATES = 400  # the surest; a crowd of 100 faces has about 10 for each


class _Ferkit:
    name = "ferkit"

    def __init__(self, path: Path, network: Network, card: dict[str, Any], min_confidence: float) -> None:
        self.path = path
        self._run = network.run
        self._height, self._width = card["input"]["shape"][1:3]
        self._most_overlap = card["overlap"]
        self._min_confidence = min_confidence
        self._lock = threading.Lock()

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        gray = cv2.cvtColor(checked(frame), cv2.COLOR_BGR2GRAY)
        pixels, ratio = letterbox(gray, height=self._height, width=self._width)
        with self._lock:
            (boxes,), (confidences,) = self._run(pixels[None, :, :, None])
        if not (np.isfinite(boxes).all() and np.isfinite(confidences).all()):
            raise DetectorError(
                f"{self.path}: expected boxes and confidences, got values that are no numbers. The file fits "
                "its card, so it was made this way: export it again."
            )
        found = surest(boxes, confidences, self._min_confidence, self._most_overlap)
        found[:, :4] /= ratio
        return found.astype(np.float32)


def letterbox(gray: np.ndarray, *, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns an image in the upper left corner of a black one, and the ratio of their pixels.

    An image is reduced to fit. Only one whose longest side is under 200 pixels is enlarged, to 200.

    Args:
        gray: `uint8` `(rows, columns)`.
        height: Of the result, in pixels.
        width: Of the result, in pixels.

    Returns:
        `uint8` `(height, width)`, and its pixels per pixel of the image, `float64` (x, y, x, y).
    """
    rows, columns = gray.shape
    scale = min(height / rows, width / columns, max(1.0, SMALLEST_PX / max(rows, columns)))
    size = max(1, round(columns * scale)), max(1, round(rows * scale))
    if size != (columns, rows):
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        gray = cv2.resize(gray, size, interpolation=method)
    canvas = np.zeros((height, width), np.uint8)
    canvas[: size[1], : size[0]] = gray
    return canvas, np.array([size[0] / columns, size[1] / rows] * 2)


def surest(
    boxes: np.ndarray, confidences: np.ndarray, min_confidence: float, most_overlap: float
) -> np.ndarray:
    """Returns the boxes of a network's answers that are faces, the surest first; of equals the earlier one.

    Args:
        boxes: `float32` `(places, 4)`; further columns, such as the eyes, are kept.
        confidences: `float32` `(places,)`, 0 to 1.
        min_confidence: Others are left out.
        most_overlap: A box whose IoU with a surer one is larger is left out.

    Returns:
        `float64` `(faces, 5)`: box, further columns and confidence.
    """
    (likely,) = np.nonzero(confidences >= min_confidence)
    likely = likely[np.argsort(-confidences[likely], kind="stable")[:MOST_CANDIDATES]]
    found = np.column_stack([boxes[likely], confidences[likely]]).astype(np.float64)
    return found[suppress(found[:, :4], most_overlap)]


def load_ferkit(
    path: str | os.PathLike[str] | None = None,
    *,
    min_confidence: float | None = None,
    engine: str | None = None,
    threads: int = 1,
) -> Detector:
    """Loads the kit's own detector, or another file of its kind.

    Args:
        path: Its `.tflite` or `.onnx` file with its card beside it. None: the released one.
        min_confidence: Boxes below it are left out. None: the card's threshold.
        engine: A key of `NETWORKS`, taken where it is installed and runs such a file. None: the first that
            is and does.
        threads: The engine's threads.

    Raises:
        DetectorError: The file or its card is missing or wrong, or no engine runs it.
    """
    file, engine = released_file(engine) if path is None else (Path(path), _engine_of(Path(path), engine))
    try:
        if not file.is_file():
            raise DetectorError(f"{file}: expected a detector's file, got no such file.")
        card = read_card(file)
        if kind_of(card) != DETECTOR:
            raise DetectorError(
                f"{file}: expected a face detector, got the classifier '{card['model']}', which is a --model."
            )
        check_file(file, card)
        network = NETWORKS[engine](file, threads=threads, outputs=("boxes", "confidences"))
        _check_shapes(file, network, card)
        detector = _Ferkit(
            file, network, card, card["threshold"] if min_confidence is None else min_confidence
        )
        detector(np.zeros((64, 64, 3), np.uint8))
    except (PathError, OSError) as error:
        raise DetectorError(str(error)) from error
    except DetectorError:
        raise
    except Exception as error:  # engines raise anything for a file that makes no sense
        raise DetectorError(
            f"{file}: can't be run by {engine}: {' '.join(str(error).split())[:300]}. The file fits its "
            "card, so it was made this way: export it again."
        ) from error
    return InParts(detector)


def _check_shapes(file: Path, network: Network, card: dict[str, Any]) -> None:
    """Raises where the file has another input or other outputs than its card says."""
    found = [network.input_shape, *network.output_shapes]
    tensors = card["input"], card["outputs"]["boxes"], card["outputs"]["confidences"]
    described = [tuple(tensor["shape"]) for tensor in tensors]
    if found != described:
        raise DetectorError(
            f"{file}: expected the shapes {', '.join(map(str, described))} as its card says, got "
            f"{', '.join(map(str, found))}. The card belongs to another file: copy both again."
        )


def released_file(engine: str | None = None) -> tuple[Path, str]:
    """Returns the released detector's file that an installed engine runs, and that engine.

    Args:
        engine: Is preferred, a key of `NETWORKS`.

    Raises:
        DetectorError: This installation has no such file, or no engine.
    """
    runs = [(name, file) for suffix, file in RELEASED_FILES.items() for name in ENGINES_OF_SUFFIX[suffix]]
    runs.sort(key=lambda run: run[0] != engine)
    for name, file in runs:
        if name != "opencv" and is_installed(name) and (RELEASED / file).is_file():
            return RELEASED / file, name
    if not any((RELEASED / file).is_file() for file in RELEASED_FILES.values()):
        raise DetectorError(f"{RELEASED}: expected the kit's detector, got none. Install ferkit again.")
    raise DetectorError(
        "Running the kit's detector needs an engine: pip install ai-edge-litert or pip install onnxruntime. "
        "OpenCV alone runs detector_fp32.onnx of `make export`, and YuNet: ferkit fetch-detector"
    )


def _engine_of(file: Path, engine: str | None) -> str:
    """Returns the engine for a file; where none is installed, opening it says what to install."""
    engines = ENGINES_OF_SUFFIX.get(file.suffix.lower())
    if engines is None:
        raise DetectorError(f"{file}: expected a detector's file ending in .tflite or .onnx.")
    if engine in engines:
        return engine
    return next(filter(is_installed, engines), engines[0])
