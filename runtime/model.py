"""A model file, its card and an engine, opened together as one callable."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .card import CLASSIFIER, card_path, check_file, kind_of, read_card
from .engines import ENGINES, ENGINES_OF_SUFFIX, FACE_SHAPE, EngineError, ScoresOf, is_installed
from .errors import PathError

DEFAULT_MODEL = "edge"
MOST_THREADS = 256  # LiteRT 2.3 ends the process where it is asked for 100,000
RELEASED = Path(__file__).parent / "models"


class ModelError(PathError):
    """There is no such model, or no engine runs its kind."""


@dataclass(frozen=True, eq=False)
class Model:
    """An opened model. It serves one thread at a time.

    Attributes:
        path: The model file.
        card: Its card.
        labels: The names of the scores' columns, in order.
        engine: The key in `ENGINES` of what runs it.
        scores_of: From faces to scores, without a check of the faces.
    """

    path: Path
    card: dict[str, Any]
    labels: tuple[str, ...]
    engine: str
    scores_of: ScoresOf

    def __call__(self, faces: np.ndarray) -> np.ndarray:
        """Returns the scores of faces.

        Args:
            faces: `uint8` `(n, 48, 48, 1)`, gray 0-255; n may be 0.

        Returns:
            Probabilities, `float32` `(n, labels)`.

        Raises:
            ValueError: The array is of another kind.
        """
        if not isinstance(faces, np.ndarray) or faces.dtype != np.uint8 or faces.shape[1:] != FACE_SHAPE:
            got = f"{faces.dtype} {faces.shape}" if isinstance(faces, np.ndarray) else type(faces).__name__
            raise ValueError(
                f"Expected faces as a uint8 array of shape (n, 48, 48, 1), got {got}. "
                "Hand over gray pixels 0-255, not rescaled; one face is face[None, :, :, None]."
            )
        return self.scores_of(faces)


def load_model(
    model: str | os.PathLike[str] = DEFAULT_MODEL, *, engine: str | None = None, threads: int = 1
) -> Model:
    """Opens a released model by name, or any model file by path. Its card must lie beside it.

    Args:
        model: A released model's name, or the path of a model file.
        engine: A key of `ENGINES`. None: the first of LiteRT, tflite-runtime and ONNX Runtime that is
            installed and runs the file. OpenCV runs float32 ONNX files, if it is asked for.
        threads: The engine's threads.

    Raises:
        ModelError: There is no such model, or its scores don't fit its labels.
        CardError: The card is missing or wrong, or belongs to another file.
        EngineError: No installed engine runs the file.
        ValueError: `threads` is out of range.
    """
    if engine is not None and engine not in ENGINES:
        raise EngineError(f"Expected an engine of {', '.join(ENGINES)}, got {engine!r}.")
    if not isinstance(threads, int) or not 1 <= threads <= MOST_THREADS:
        raise ValueError(f"Expected 1 to {MOST_THREADS} threads, got {threads!r}.")
    if isinstance(model, str) and _is_name(model):
        path, engine = _choose_released(model, engine)
    else:
        path = Path(model)
        engine = _choose_engine(path, engine)
    card = read_card(path)
    if kind_of(card) != CLASSIFIER:
        raise ModelError("expected a classifier, got a face detector, which is a --detector.", path=path)
    check_file(path, card)
    if engine == "opencv" and card["precision"] != "fp32":
        raise EngineError(
            f"OpenCV runs float32 models only, got precision {card['precision']}. "
            "Take the fp32 file, or run this one with ONNX Runtime: pip install onnxruntime",
            path=path,
        )
    labels = tuple(card["labels"])
    try:
        opened = Model(path, card, labels, engine, ENGINES[engine](path, threads=threads))
        width = opened(np.zeros((1, *FACE_SHAPE), np.uint8)).shape[1]
    except EngineError:
        raise
    except Exception as error:  # engines raise anything for a file that makes no sense
        raise EngineError(
            f"can't be run by {engine}: {' '.join(str(error).split())[:300]}. The file fits its "
            "card, so it was made this way: export it again.",
            path=path,
        ) from error
    if width != len(labels):
        raise ModelError(f"expected {len(labels)} scores as the card has labels, got {width}.", path=path)
    return opened


def released_models() -> list[tuple[Path, dict[str, Any]]]:
    """Returns the model files in the package with their cards, by model, the smaller file first."""
    paths = [path for suffix in ENGINES_OF_SUFFIX for path in RELEASED.glob(f"*{suffix}")]
    released = [(path, read_card(path)) for path in paths]
    return sorted(released, key=lambda item: (item[1]["model"], item[1]["bytes"], item[0].name))


def _is_name(model: str) -> bool:
    return Path(model).suffix not in ENGINES_OF_SUFFIX and Path(model).name == model


def _choose_released(name: str, engine: str | None) -> tuple[Path, str]:
    """Returns a model's file and its engine: the preferred engine first, then the smaller file."""
    released = released_models()
    paths = [path for path, card in released if card["model"] == name]
    if not paths:
        names = ", ".join(sorted({card["model"] for _, card in released})) or "none in this installation"
        raise ModelError(
            f"No released model is called {name!r}: expected one of {names}, "
            "or the path of a .tflite or .onnx file."
        )
    suffixes = [path.suffix for path in paths]
    for suffix, engines in ENGINES_OF_SUFFIX.items():
        for candidate in engines:
            wanted = candidate == engine if engine else candidate != "opencv" and is_installed(candidate)
            if wanted and suffix in suffixes:
                return paths[suffixes.index(suffix)], candidate
    if engine:
        formats = " and ".join(sorted(set(suffixes)))
        raise EngineError(f"The model {name!r} is released as {formats}, which {engine} doesn't run.")
    raise EngineError(
        f"Running the model {name!r} needs an engine: pip install ai-edge-litert or pip install onnxruntime"
    )


def _choose_engine(path: Path, engine: str | None) -> str:
    engines = ENGINES_OF_SUFFIX.get(path.suffix.lower())
    if engines is None:
        raise ModelError("expected a model file ending in .tflite or .onnx.", path=path)
    try:
        found = path.is_file()
    except OSError as error:
        raise ModelError(f"can't be read: {error.strerror or error}.", path=path) from error
    if not found:
        alone = " Its card is there: a model file and its card are made together, so copy both."
        raise ModelError(f"no such model file.{alone if card_path(path).exists() else ''}", path=path)
    if engine is not None:
        if engine not in engines:
            raise EngineError(
                f"{engine} doesn't run {path.suffix} files; {' and '.join(engines)} do.", path=path
            )
        return engine
    # OpenCV, the last, is always there. Where no engine runs TFLite, opening it says what to install.
    return next(filter(is_installed, engines), engines[0])
