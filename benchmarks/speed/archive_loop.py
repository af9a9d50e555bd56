"""A plain loop over `Recognizer`, which `ferkit label` is measured against, in a process of its own.

    python -m benchmarks.speed.archive_loop PATHS MODEL DETECTOR EVERY

labels the files that the text file PATHS lists, and prints a line of JSON: seconds, files and faces. The loop
opens each file as `ferkit run` does and keeps nothing. Opening the model is not timed.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import cv2

from runtime.command.open_source import open_source
from runtime.images import SourceError
from runtime.label.settings import DETECT_EVERY
from runtime.recognizer import Recognizer


def plain_loop(recognizer: Recognizer, paths: Sequence[str], *, every_s: float = 0.0) -> int:
    """Labels files one after the other; returns the number of faces.

    Args:
        recognizer: With detector and model.
        paths: Images and videos; one that can't be read is passed over.
        every_s: Of a video, the first frame of each so many seconds is labelled; 0: every frame.
    """
    faces = 0
    for path in paths:
        try:
            with open_source(path, every_s=every_s) as source:
                if source.is_still:
                    faces += sum(len(recognizer.recognize(frame.pixels)) for frame in source)
                    continue
                stream = recognizer.stream(detect_every=1 if every_s else DETECT_EVERY)
                faces += sum(len(stream.recognize(frame.pixels, frame.time_s)) for frame in source)
        except SourceError:
            continue
    return faces


def main(arguments: Sequence[str]) -> None:
    """Runs the command line."""
    list_file, model, detector, every = arguments
    paths = Path(list_file).read_text(encoding="utf-8").splitlines()
    cv2.setNumThreads(1)
    recognizer = Recognizer(model, detector, 1, offline=True)
    plain_loop(recognizer, paths[:1])  # brings the engine's memory
    start = time.perf_counter()
    faces = plain_loop(recognizer, paths, every_s=float(every))
    print(json.dumps({"seconds": time.perf_counter() - start, "files": len(paths), "faces": faces}))


if __name__ == "__main__":
    main(sys.argv[1:])
