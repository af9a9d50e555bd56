"""A `.keras` file and the JSON files beside it, read without Keras."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from dataset.fer2013 import LABELS

from .errors import ExportError
from .own_process import in_own_process

ROOT = Path(__file__).parent.parent


def is_recurrent(keras_file: Path) -> bool:
    """Whether the model has an LSTM, by the configuration in the file.

    Raises:
        ExportError: It is not a `.keras` file.
    """
    try:
        with zipfile.ZipFile(keras_file) as archive:
            configuration = json.loads(archive.read("config.json"))
        layers = configuration["config"].get("layers", [])
        return any(layer.get("class_name") == "LSTM" for layer in layers)
    except (zipfile.BadZipFile, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ExportError(
            keras_file,
            f"expected a .keras file of Keras 3, got something else ({error}). "
            "Train one, or save yours with model.save('name.keras').",
        ) from error


def keras_scores(keras_file: Path, faces: dict[str, np.ndarray], workplace: Path) -> dict[str, np.ndarray]:
    """Returns what Keras itself answers to each set of faces.

    Args:
        keras_file: The weights.
        faces: Sets of faces, uint8 (n, 48, 48, 1), gray 0-255.
        workplace: A folder for temporary files.

    Returns:
        Probabilities, float32 (n, labels), under the same names.

    Raises:
        ExportError: Keras can't open the file, or the model has not one score per label.
    """
    faces_file, scores_file = workplace / "faces.npy", workplace / "scores.npy"
    np.save(faces_file, np.concatenate(list(faces.values())))
    in_own_process("scores", keras_file, faces_file, scores_file)
    scores = np.load(scores_file)
    if scores.shape[1:] != (len(LABELS),):
        raise ExportError(
            keras_file,
            f"expected {len(LABELS)} scores per face, in the order {', '.join(LABELS)}, "
            f"got an output of shape {scores.shape[1:]}. Train a model with these {len(LABELS)} outputs.",
        )
    ends = np.cumsum([len(part) for part in faces.values()])[:-1]
    return dict(zip(faces, np.split(scores, ends), strict=True))


def read_stored(path: Path, key: str) -> Any:
    """Returns what a JSON file beside the weights has under a key.

    Raises:
        ExportError: It is not such a file.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))[key]
    except (KeyError, TypeError, ValueError) as error:
        raise ExportError(
            path,
            f"expected JSON with {key!r}, as an export wrote it, got something else ({error}). "
            "Delete it, and it is measured again.",
        ) from error
