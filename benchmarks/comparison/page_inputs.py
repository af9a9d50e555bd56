"""What the pages of the models are made of: records, cards, results and `models/pages.toml`.

Nothing is computed again, and nothing is guessed: a result that is missing, or that another file of the model
got, is None.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.accuracy.detectors import read_detectors
from benchmarks.accuracy.group_figures import Groups, ModelGroups, read_groups
from benchmarks.accuracy.robustness import FileRobustness, Robustness, read_robustness
from benchmarks.artifacts import RECORDS, RELEASED, ROOT, find_released
from benchmarks.comparison.inputs import Candidate, Machine, Measured, read_candidates
from benchmarks.errors import ResultsError
from benchmarks.schemas import read_as
from benchmarks.speed.results import read_results
from runtime.card import read_card

FACTS = "pages.toml"  # in the folder of the records


@dataclass(frozen=True)
class Places:
    """Where everything lies.

    Attributes:
        records: Training records, measured accuracies and `pages.toml`.
        results: What benchmarks stored.
        released: The files of the package with their cards.
        citation: CITATION.cff.
    """

    records: Path = RECORDS
    results: Path = ROOT / "results"
    released: Path = RELEASED
    citation: Path = ROOT / "CITATION.cff"


@dataclass(frozen=True)
class Samples:
    """How many faces a classifier learned from, how many were left out, how many chose its best epoch."""

    train: int
    left_out: int
    validation: int


@dataclass(frozen=True)
class PageRecord:
    """The fields of a training record that a page states; a classifier's and a detector's differ."""

    command: str
    weights_sha256: str
    parameters: int
    seconds: float
    finished: str | None = None
    trained_on: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    samples: Samples | None = None
    epochs_trained: int | None = None
    best_epoch: int | None = None
    temperature: float | None = None
    images_per_second: float | None = None
    scores: dict[str, dict[str, float | None]] | None = None  # by split; a detector has none
    machine: Machine | None = None
    versions: dict[str, str] = field(default_factory=dict)
    note: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, list[str]] = field(default_factory=dict)
    images: dict[str, int] = field(default_factory=dict)
    threshold: float | None = None


@dataclass(frozen=True)
class OfClass:
    """The figures of one class; shares of 0 to 1."""

    faces: int
    precision: float
    recall: float
    f1: float
    roc_auc: float | None


@dataclass(frozen=True)
class Evaluated:
    """What `python -m benchmarks evaluate` wrote of one file."""

    file: str
    sha256: str
    dataset: str
    split: str
    measured: str
    faces: int
    faces_without_duplicates: int | None
    accuracy: float
    accuracy_without_duplicates: float | None
    macro_recall: float
    macro_f1: float
    negative_log_likelihood: float
    calibration_error: float
    classes: dict[str, OfClass]


@dataclass(frozen=True)
class Found:
    """What a detector's file found on the test part, by group of images."""

    measured: str
    split: str
    found: dict[str, float]
    faces: dict[str, int]
    false_per_background: float | None = None
    backgrounds: int | None = None


@dataclass(frozen=True)
class FoundByFile:
    """What a detector's `measured.json` holds: figures by the sha256 of a file."""

    files: dict[str, Found] = field(default_factory=dict)


@dataclass(frozen=True)
class Data:
    """Data that models learned from.

    Attributes:
        title: With its authors.
        licence: Of the data.
        named: The words by which a record's `trained_on` names it.
        files: The names of files by which a record's `sources` or command name it.
    """

    title: str
    licence: str
    named: str | None = None
    files: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Purpose:
    """What a kind of model, or one model, is for; lists of sentences."""

    for_: list[str] = field(default_factory=list)
    not_for: list[str] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Collected:
    """Images with groups: their name in headings, and what figures on them mean and don't mean."""

    title: str
    meaning: str = ""


@dataclass(frozen=True)
class Facts:
    """What `pages.toml` holds: purposes by kind and by model, collections by name, and the data."""

    kinds: dict[str, Purpose] = field(default_factory=dict)
    models: dict[str, Purpose] = field(default_factory=dict)
    groups: dict[str, Collected] = field(default_factory=dict)
    data: list[Data] = field(default_factory=list)


@dataclass(frozen=True)
class Speed:
    """The time of a file in one thread, and the machine; `engine` is None where that was not stored."""

    median_ms: float
    engine: str | None
    processor: str
    measured: str


@dataclass(frozen=True)
class ModelInputs:
    """Everything that is known of one model; None or empty where it is not."""

    name: str
    record: PageRecord
    card: dict[str, Any] | None = None  # of the released file
    evaluated: Evaluated | None = None
    lost_points: float | None = None  # by quantization
    robustness: tuple[Robustness, FileRobustness] | None = None
    groups: list[tuple[Groups, ModelGroups]] = field(default_factory=list)
    speed: Speed | None = None


def record_names(records: Path) -> list[str]:
    """Returns the models that have a training record and weights, by name."""
    return sorted(path.stem for path in records.glob("*.keras") if path.with_suffix(".json").is_file())


def read_record(path: Path) -> PageRecord:
    """Returns a training record; raises ResultsError where it lacks a field."""
    return read_as(
        PageRecord, path, expected="the training record of a model", advice="Train the model again."
    )


def read_facts(records: Path) -> Facts:
    """Returns what `pages.toml` holds, which may be missing; raises ResultsError for another format."""
    import msgspec
    import tomllib  # Python 3.11: a board with 3.10 measures, and writes no pages

    path = records / FACTS
    if not path.is_file():
        return Facts()
    expected = "purposes, limits and data (kinds, models, [[data]])"
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        for purposes in (raw.get("kinds", {}), raw.get("models", {})):
            for purpose in purposes.values():
                purpose["for_"] = purpose.pop("for", [])
        return msgspec.convert(raw, Facts)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, AttributeError) as error:
        raise ResultsError(path, expected, f"something else ({error})", "Correct it by hand.") from error


def read_model(name: str, places: Places) -> ModelInputs:
    """Returns everything that is known of a classifier, by the sha256 of its files."""
    record = read_record(places.records / f"{name}.json")
    files = dict(find_released(places.released)) if any(places.released.glob("*.tflite")) else {}
    card = read_card(files[name]) if name in files else None
    measured = _measured(places.records / f"{name}.measured.json")
    shown = [card["sha256"]] if card else [*measured.files, record.weights_sha256]
    evaluated = _evaluated(places.results / "evaluation", shown)
    return ModelInputs(
        name=name,
        record=record,
        card=card,
        evaluated=evaluated,
        lost_points=_lost_points(measured, evaluated.sha256) if evaluated else None,
        robustness=_robustness(places.results / "robustness.json", shown),
        groups=_groups(places.results / "groups", shown),
        speed=_speed(places.results / "speed", shown),
    )


def read_candidates_of(name: str, places: Places) -> list[Candidate]:
    """Returns the candidates for a model, in the order of training: those called "<model>, ..."."""
    candidates = read_candidates(places.results / "candidates.json")
    return [candidate for candidate in candidates if candidate.name.partition(",")[0] == name]


def read_detector_card(name: str, places: Places) -> dict[str, Any] | None:
    """Returns the card of the released detector's TFLite file."""
    cards = [read_card(path) for path in sorted((places.released / "detectors").glob("*.tflite"))]
    return next((card for card in cards if card["model"] == name), None)


def read_found(name: str, places: Places, card: dict[str, Any] | None) -> Found | None:
    """Returns what the detector's file with this card found."""
    path = places.records / f"{name}.measured.json"
    if card is None or not path.is_file():
        return None
    found = read_as(
        FoundByFile,
        path,
        expected="what `python -m benchmarks detectors --record` wrote",
        advice="Run it again.",
    )
    return found.files.get(card["sha256"])


def read_frame_speed(name: str, places: Places, found: Found | None) -> Speed | None:
    """Returns the time that a detector takes for a frame; None where other finds were stored with it."""
    path = places.results / "detectors.json"
    if found is None or not path.is_file():
        return None
    results = read_detectors(path)
    same = all(found.found.get(one.name) == round(one.found.get(name, -1.0), 4) for one in results.groups)
    if not same or name not in results.times:
        return None
    device = results.device
    return Speed(results.times[name].median_ms, None, device["processor"], device["measured"])


def read_all_groups(folder: Path) -> list[Groups]:
    """Returns what `python -m benchmarks groups` stored, by name, those with labels first."""
    found = [read_groups(path) for path in sorted(folder.glob("*.json"))]
    return sorted(found, key=lambda groups: not groups.labelled)


def read_citation(path: Path) -> dict[str, str]:
    """Returns the fields of CITATION.cff that stand in one line, those of its first reference as `study.…`.

    Raises:
        ResultsError: A field that every citation has is missing.
    """
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    own, _, references = text.partition("\nreferences:")
    fields = _lines(own) | {f"study.{key}": value for key, value in _lines(references).items()}
    fields |= {"author": ", ".join(re.findall(r"^  - name: (.+)$", own, re.MULTILINE))}
    if missing := [key for key in ("title", "version", "date-released", "author") if not fields.get(key)]:
        expected, advice = "a citation file with title, version, date-released and authors", "Add it."
        raise ResultsError(path, expected, f"one without {missing[0]}", advice)
    return fields


def _lines(text: str) -> dict[str, str]:
    found = re.findall(r"^\s*(?:- )?([\w-]+): (.+)$", text, re.MULTILINE)
    return {key: value.strip('"') for key, value in reversed(found)}  # the first of a name wins


def _measured(path: Path) -> Measured:
    if not path.is_file():
        return Measured()
    return read_as(
        Measured,
        path,
        expected="the accuracies that `python -m export --record` wrote",
        advice="Run `python -m export --record` again.",
    )


def _lost_points(measured: Measured, sha256: str) -> float | None:
    of_keras, of_file = measured.keras.get("test"), measured.files.get(sha256, {}).get("test")
    return None if of_keras is None or of_file is None else 100 * (of_keras - of_file)


def _evaluated(folder: Path, shown: Sequence[str]) -> Evaluated | None:
    """Returns the evaluation of the first of some files that has one on the test split."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        evaluated = read_as(
            Evaluated,
            path,
            expected="what `python -m benchmarks evaluate` wrote",
            advice="Run `python -m benchmarks evaluate` again.",
        )
        if evaluated.split == "test":
            found[evaluated.sha256] = evaluated
    return next((found[sha256] for sha256 in shown if sha256 in found), None)


def _robustness(path: Path, shown: Sequence[str]) -> tuple[Robustness, FileRobustness] | None:
    if not path.is_file():
        return None
    results = read_robustness(path)
    return next(((results, file) for file in results.files if file.sha256 in shown), None)


def _groups(folder: Path, shown: Sequence[str]) -> list[tuple[Groups, ModelGroups]]:
    return [
        (groups, model)
        for groups in read_all_groups(folder)
        for model in groups.models.values()
        if model.sha256 in shown
    ]


def _speed(folder: Path, shown: Sequence[str]) -> Speed | None:
    """Returns the fastest engine's time of a file on the first machine that has one."""
    for path in sorted(folder.glob("*.json")):
        results = read_results(path)
        rows = [row for row in results.rows if row.sha256 in shown and math.isfinite(row.median_ms)]
        if rows:
            best = min(rows, key=lambda row: row.median_ms)
            return Speed(best.median_ms, best.engine, results.device["processor"], results.device["measured"])
    return None
