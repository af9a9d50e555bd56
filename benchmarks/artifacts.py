"""The files that are measured: artifacts by place, and a file of each released model by its card."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.errors import BenchmarkError
from runtime.card import PRECISIONS, read_card
from runtime.engines import ENGINES_OF_SUFFIX

ROOT = Path(__file__).resolve().parents[1]
RELEASED = ROOT / "runtime" / "models"
RECORDS = ROOT / "models"


class ArtifactsError(BenchmarkError):
    """A place holds no artifact.

    Attributes:
        path: The place.
    """

    def __init__(self, path: Path, expected: str, advice: str = "") -> None:
        """Keeps the place."""
        self.path = path
        super().__init__(f"{path}: expected {expected}.{advice}")


class ReleasedError(BenchmarkError):
    """A released file that is expected is missing.

    Attributes:
        missing: The models without a file.
    """

    def __init__(self, folder: Path, missing: Sequence[str], found: Sequence[str]) -> None:
        """Keeps the missing models."""
        self.missing = tuple(missing)
        super().__init__(
            f"{folder}: expected a released .tflite file of {' and '.join(missing) or 'a model'}, found "
            f"those of {', '.join(sorted(found)) or 'no model'}. Export and release it first."
        )


def find_artifacts(places: Sequence[str | Path]) -> list[Path]:
    """Returns the model files among some places, in the order given, those of a folder by name.

    Args:
        places: Files, and folders of files.

    Raises:
        ArtifactsError: A place is missing, a folder without model files, or a file of another kind.
    """
    export = " `make export` writes artifacts/."
    found: list[Path] = []
    for place in map(Path, places):
        if place.is_dir():
            inside = sorted(path for path in place.iterdir() if path.suffix in ENGINES_OF_SUFFIX)
            if not inside:
                raise ArtifactsError(place, ".tflite or .onnx files, found none", export)
            found += inside
        elif not place.is_file():
            raise ArtifactsError(place, "an artifact or a folder of artifacts, found nothing", export)
        elif place.suffix not in ENGINES_OF_SUFFIX:
            raise ArtifactsError(place, "a .tflite or .onnx file")
        else:
            found.append(place)
    return list(dict.fromkeys(found))


def default_places() -> list[Path]:
    """Returns where artifacts are looked for: what the export made, or without it the released files."""
    artifacts = ROOT / "artifacts"
    return [artifacts if any(artifacts.glob("*.tflite")) else RELEASED]


def detector_places() -> list[Path]:
    """Returns where the face detector's files are: beside those of `default_places`."""
    return [folder for place in default_places() if (folder := place / "detectors").is_dir()]


def order(row: Mapping[str, Any]) -> tuple:
    """Returns the sort key of a file on an engine: model, format, precision, engine.

    Args:
        row: With `file`, `model` and `precision`, and an `engine` where there are several.
    """
    known = PRECISIONS.index(row["precision"]) if row["precision"] in PRECISIONS else len(PRECISIONS)
    return row["model"], Path(row["file"]).suffix != ".tflite", known, row["file"], row.get("engine", "")


def find_released(folder: Path = RELEASED, names: Sequence[str] | None = None) -> list[tuple[str, Path]]:
    """Returns name and `.tflite` file of the released models, int8 where there is one.

    Args:
        folder: Of the released files with their cards.
        names: The models; None takes all, the most accurate on validation first.

    Raises:
        ReleasedError: A model has no file, or there is none at all.
        CardError: A file has no card, or one that is not of this file.
    """
    cards = {path: read_card(path) for path in sorted(folder.glob("*.tflite"))}
    found: dict[str, Path] = {}
    # From the smallest precision to the most exact, so that the first of a model is its smallest.
    for path in sorted(cards, key=lambda path: -_precision(cards[path])):
        found.setdefault(cards[path]["model"], path)
    wanted = sorted(found, key=lambda name: -_accuracy(cards[found[name]])) if names is None else list(names)
    missing = [name for name in wanted if name not in found]
    if missing or not wanted:
        raise ReleasedError(folder, missing, list(found))
    return [(name, found[name]) for name in wanted]


def _precision(card: dict[str, Any]) -> int:
    precision = card["precision"]
    # int8_io answers in int8's steps of 1/256 and is not what `ferkit` runs by default.
    return PRECISIONS.index(precision) if precision in PRECISIONS and precision != "int8_io" else -1


def _accuracy(card: dict[str, Any]) -> float:
    return (card["accuracy"] or {}).get("validation", -1.0)


def trained_on(digests: Sequence[str], *, released: Path = RELEASED, records: Path = RECORDS) -> str:
    """Returns a sentence on the labels that some released models were trained on; "" where none is released.

    Args:
        digests: The sha256 of the models' files, weights or artifacts.
        released: The folder of the released files, whose cards name the model.
        records: That of the weights with their training records, `<model>.json`.
    """
    model_of = {card["sha256"]: card["model"] for card in map(read_card, sorted(released.glob("*.tflite")))}
    models_of: dict[str, list[str]] = {}
    for model, record in _records(records):
        if any(model_of.get(digest) == model or digest == record["weights_sha256"] for digest in digests):
            models_of.setdefault(record["trained_on"], []).append(f"`{model}`")
    parts = [f"{' and '.join(models)} on {labels}" for labels, models in models_of.items()]
    return f"Trained: {'; '.join(parts)}." if parts else ""


def _records(folder: Path) -> list[tuple[str, dict[str, Any]]]:
    """Returns name and training record of each classifier, the most accurate on validation first."""
    found = {path.stem: path.with_suffix(".json") for path in sorted(folder.glob("*.keras"))}
    records = {
        name: json.loads(path.read_text(encoding="utf-8")) for name, path in found.items() if path.is_file()
    }
    classifiers = [item for item in records.items() if "scores" in item[1]]  # a face detector has none
    return sorted(classifiers, key=lambda item: -item[1]["scores"]["validation"]["accuracy"])
