"""A `.keras` file and the JSON files beside it, read without Keras."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from . import detector
from .errors import ExportError
from .own_process import in_own_process

ROOT = Path(__file__).parent.parent


def is_recurrent(keras_file: Path) -> bool:
    """Whether the model has an LSTM, by the configuration in the file.

    Raises:
        ExportError: It is not a `.keras` file.
    """
    return "LSTM" in configuration_of(keras_file)[1]


def is_detector(keras_file: Path) -> bool:
    """Whether the model is a face detector, by its name in the file; errors as `is_recurrent`."""
    return configuration_of(keras_file)[0] == detector.NAME


def configuration_of(keras_file: Path) -> tuple[str | None, set[str]]:
    """Returns the model's name and the classes of its layers; errors as `is_recurrent`."""
    try:
        with zipfile.ZipFile(keras_file) as archive:
            configuration = json.loads(archive.read("config.json"))["config"]
        layers = configuration.get("layers", [])
        return configuration.get("name"), {layer.get("class_name") for layer in layers}
    except (zipfile.BadZipFile, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ExportError(
            keras_file,
            f"expected a .keras file of Keras 3, got something else ({error}). "
            "Train one, or save yours with model.save('name.keras').",
        ) from error


def keras_scores(
    keras_file: Path, labels: tuple[str, ...], faces: dict[str, np.ndarray], workplace: Path
) -> dict[str, np.ndarray]:
    """Returns what Keras itself answers to each set of faces.

    Args:
        keras_file: The weights.
        labels: Of the scores.
        faces: Sets of faces, uint8 (n, 48, 48, 1), gray 0-255.
        workplace: A folder for temporary files.

    Returns:
        Probabilities, float32 (n, labels), under the same names.

    Raises:
        ExportError: Keras can't open the file, or the model has not one score per label.
    """
    scores = keras_answers(keras_file, faces, workplace)
    for part in scores.values():
        if part.shape[1:] != (len(labels),):
            raise ExportError(
                keras_file,
                f"expected {len(labels)} scores per face, in the order {', '.join(labels)}, "
                f"got an output of shape {part.shape[1:]}. Train a model with these {len(labels)} outputs, "
                f"or put its training record, {keras_file.stem}.json, beside it.",
            )
    return scores


def keras_answers(keras_file: Path, sets: dict[str, np.ndarray], workplace: Path) -> dict[str, np.ndarray]:
    """Returns what Keras answers to each set of faces or images, without a check.

    Args:
        keras_file: The weights.
        sets: uint8 (n, height, width, 1), gray 0-255.
        workplace: A folder for temporary files.

    Returns:
        What the task `scores` of `export.tasks` writes, under the same names.

    Raises:
        ExportError: Keras can't open the file.
    """
    images_file, answers_file = workplace / "images.npy", workplace / "answers.npy"
    np.save(images_file, np.concatenate(list(sets.values())))
    in_own_process("scores", keras_file, images_file, answers_file)
    ends = np.cumsum([len(part) for part in sets.values()])[:-1]
    return dict(zip(sets, np.split(np.load(answers_file), ends), strict=True))


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
