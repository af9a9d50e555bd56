"""Which files of the released models are compared with others: one of each model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.table import PRECISIONS
from runtime.card import read_card

ROOT = Path(__file__).resolve().parents[1]
MODELS = ("edge", "edge_tiny", "cnn", "cnn_lstm")


class ReleasedError(ValueError):
    """A released file that is expected is missing."""


def find_released(folder: Path, names: Sequence[str] | None = None) -> list[tuple[str, Path]]:
    """Return name and `.tflite` file of the released models, int8 where there is one.

    names: which; each must be there. None: those of `MODELS` that are. Raises ReleasedError for one that is
    missing and where there is none; CardError.
    """
    found: dict[str, Path] = {}
    # From the smallest precision to the most exact, so that the first of a model is its smallest.
    for path in sorted(folder.glob("*.tflite"), key=lambda path: -_precision(path)):
        found.setdefault(read_card(path)["model"], path)
    wanted = [name for name in MODELS if name in found] if names is None else list(names)
    missing = [name for name in wanted if name not in found]
    if missing or not wanted:
        raise ReleasedError(
            f"{folder}: expected a released .tflite file of {' and '.join(missing or MODELS)}, found "
            f"those of {', '.join(sorted(found)) or 'no model'}. Export and release it first."
        )
    return [(name, found[name]) for name in wanted]


def _precision(path: Path) -> int:
    precision = read_card(path)["precision"]
    # int8_io answers in int8's steps of 1/256 and is not what `ferkit` runs by default.
    return PRECISIONS.index(precision) if precision in PRECISIONS and precision != "int8_io" else -1


def labels_in_words(files: Sequence[str], records: Path = ROOT / "models") -> str:
    """Return which labels the released models were trained on whose files are named; "" for no such file.

    files: such as "edge_int8.tflite". records: the folder of the trainings' records, `<model>.json`.
    """
    models_of: dict[str, list[str]] = {}
    for model in MODELS:
        others = [other for other in MODELS if other.startswith(f"{model}_")]
        named = [file for file in files if file.startswith(f"{model}_")]
        record = records / f"{model}.json"
        if record.is_file() and any(
            not file.startswith(tuple(f"{other}_" for other in others)) for file in named
        ):
            labels = json.loads(record.read_text(encoding="utf-8"))["trained_on"]
            models_of.setdefault(labels, []).append(f"`{model}`")
    parts = [f"{' and '.join(models)} on {labels}" for labels, models in models_of.items()]
    return f"Trained: {'; '.join(parts)}." if parts else ""
