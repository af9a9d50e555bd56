"""Print a file's scores of the golden faces, in the Python and on the processor that run this.

    python -m benchmarks.portability.workers.golden_scores ENGINE GOLDEN.json [--library FILE] < MODELS

Standard input holds a model file per line. For each, a line of JSON is printed before the next is opened, so
that a process that ends early tells all files but the guilty one: `{"file": ..., "scores": [[...], ...]}` in
the order of the golden crops and the labels, or `{"file": ..., "reason": ...}`. Of a face detector, `scores`
are x, y, width, height and confidence of each cell, for each image of `read_images`. The very first line has
the versions that answer. ENGINE is one of the runtime's, or `any` for the one it prefers. `--library` puts
TensorFlow Lite's C library in the place of tflite-runtime, see `tflite_c.py`. `--plain` makes LiteRT compute
without XNNPACK.

It runs under every Python that the runtime supports and imports nothing else.
"""

from __future__ import annotations

import argparse
import base64
import functools
import importlib
import json
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.portability.workers import tflite_c
from runtime.card import DETECTOR, check_file, kind_of, read_card
from runtime.engines import FACE_SHAPE
from runtime.model import load_model
from runtime.networks import ENGINES_OF_SUFFIX, NETWORKS, is_installed


def read_faces(golden: Path) -> np.ndarray:
    """Returns the faces of the golden crops: uint8 `(crops, 48, 48, 1)`, gray 0-255."""
    crops = json.loads(golden.read_text(encoding="utf-8"))["crops"]
    return np.stack(
        [np.frombuffer(base64.b64decode(crop["face"]), np.uint8).reshape(FACE_SHAPE) for crop in crops]
    )


def read_images(golden: Path, height: int, width: int) -> np.ndarray:
    """Returns images of the golden portrait as they are, mirrored, dark and moved.

    Returns:
        uint8 `(4, height, width, 1)`, gray 0-255, the portrait on black, not resized.
    """
    frame = json.loads(golden.read_text(encoding="utf-8"))["frames"][0]
    shape = (frame["height"], frame["width"], 3)
    bgr = np.frombuffer(base64.b64decode(frame["bgr"]), np.uint8).reshape(shape)
    portrait = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)[:height, :width]
    images = np.zeros((4, height, width, 1), np.uint8)
    lower, right = height - portrait.shape[0], width - portrait.shape[1]
    for image, shown, y, x in zip(
        images,
        (portrait, portrait[:, ::-1], portrait // 3, portrait),
        (0, lower // 2, 0, lower),
        (0, right // 2, right, right),
        strict=True,
    ):
        image[y : y + shown.shape[0], x : x + shown.shape[1], 0] = shown
    return images


def score(file: str, engine: str | None, golden: Path, faces: np.ndarray) -> dict[str, object]:
    """The answer for one file, one face at a time as recorded; a file that can't be run gives the reason."""
    try:
        card = read_card(file)
        if kind_of(card) == DETECTOR:
            scores = detect(Path(file), card, engine, golden)[: len(faces)]
        else:
            model = load_model(Path(file), engine=engine)
            scores = np.concatenate([model(face[np.newaxis]) for face in faces])
    except ValueError as error:  # the runtime's own errors: of the engine, the card and the model
        return {"file": file, "reason": str(error)}
    return {
        "file": file,
        "scores": scores.astype(np.float64).tolist(),
    }  # float32 in float64: no digit is lost


def detect(file: Path, card: dict[str, Any], engine: str | None, golden: Path) -> np.ndarray:
    """Returns what a detector answers to `read_images`: float32 `(4, cells, 5)`, boxes and confidences."""
    check_file(file, card)
    engine = engine or next(name for name in ENGINES_OF_SUFFIX[file.suffix] if is_installed(name))
    network = NETWORKS[engine](file, outputs=("boxes", "confidences"))
    answers = [network.run(image[np.newaxis]) for image in read_images(golden, *card["input"]["shape"][1:3])]
    return np.concatenate([np.dstack([boxes, confidences]) for boxes, confidences in answers])


def use_plain_kernels() -> None:
    """Makes LiteRT compute with TensorFlow Lite's own kernels in this process, without XNNPACK's."""
    module: Any = importlib.import_module("ai_edge_litert.interpreter")
    plain = module.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    module.Interpreter = functools.partial(module.Interpreter, experimental_op_resolver_type=plain)


def describe() -> dict[str, str]:
    """Returns the versions of Python, numpy and OpenCV, and the processor's architecture."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "machine": platform.machine(),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Scores the files on standard input; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.portability.workers.golden_scores")
    parser.add_argument("engine")
    parser.add_argument("golden", type=Path)
    parser.add_argument("--library", type=Path, help="TensorFlow Lite's C library")
    parser.add_argument("--plain", action="store_true", help="LiteRT without XNNPACK")
    parser.add_argument("--faces", type=int, help="how many, from the first (default: all)")
    options = parser.parse_args(arguments)
    if options.library:
        tflite_c.stand_in(options.library)
    if options.plain:
        use_plain_kernels()
    faces = read_faces(options.golden)[: options.faces]
    engine = None if options.engine == "any" else options.engine
    print(json.dumps(describe()), flush=True)
    for line in sys.stdin:
        print(json.dumps(score(line.rstrip("\n"), engine, options.golden, faces)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
