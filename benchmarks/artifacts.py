"""Which files of the released models are compared with others: one of each model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from runtime.card import PRECISIONS, read_card

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


def labels_in_words(
    digests: Sequence[str], *, released: Path = ROOT / "runtime" / "models", records: Path = ROOT / "models"
) -> str:
    """Return which labels the released models among some files were trained on; "" where there is none.

    digests: the files' sha256. released: the folder of the released files, which their cards name.
    records: that of the trainings' records, `<model>.json`, which name the weights.
    """
    model_of = {card["sha256"]: card["model"] for card in map(read_card, sorted(released.glob("*.tflite")))}
    models_of: dict[str, list[str]] = {}
    for model in MODELS:
        path = records / f"{model}.json"
        if not path.is_file():
            continue
        record = json.loads(path.read_text(encoding="utf-8"))
        if any(model_of.get(digest) == model or digest == record["weights_sha256"] for digest in digests):
            models_of.setdefault(record["trained_on"], []).append(f"`{model}`")
    parts = [f"{' and '.join(models)} on {labels}" for labels, models in models_of.items()]
    return f"Trained: {'; '.join(parts)}." if parts else ""
