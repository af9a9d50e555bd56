"""What Python's runtime says, for `make web-benchmark` to compare with: JSON on standard output.

    python -m benchmarks.comparison.python_answers images FOLDER
    python -m benchmarks.comparison.python_answers faces COUNT

The first gives the label of the largest face in each image, null without one. The second gives faces of
PrivateTest with the scores of `edge`.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any


def labels_of_images(folder: Path) -> dict[str, str | None]:
    """Returns the label of the largest face in each image, by its path in the folder."""
    from runtime.recognizer import Recognizer

    labels: dict[str, str | None] = {}
    with Recognizer(detector="ferkit") as recognize:
        for path in sorted(folder.glob("*/*")):
            faces = sorted(recognize(path), key=lambda face: face.box[2] * face.box[3])
            labels[path.relative_to(folder).as_posix()] = faces[-1].label if faces else None
    return labels


def faces_with_scores(count: int) -> dict[str, Any]:
    """Returns the first faces of FER2013's test split and the scores that `edge` gives them one by one."""
    from dataset.load import load_dataset
    from runtime.model import RELEASED, load_model

    dataset = load_dataset()
    faces = dataset.faces[dataset.splits == "test"][:count]
    model = load_model(RELEASED / "edge_int8.tflite")
    scores = [[float(score) for score in model(face[None])[0]] for face in faces]
    return {"faces": [base64.b64encode(face.tobytes()).decode("ascii") for face in faces], "scores": scores}


if __name__ == "__main__":
    kind, argument = sys.argv[1:]
    answer = labels_of_images(Path(argument)) if kind == "images" else faces_with_scores(int(argument))
    print(json.dumps(answer))
