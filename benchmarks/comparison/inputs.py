"""The files that the flagship report is made of, read as typed objects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from benchmarks.accuracy.robustness import FileRobustness
from benchmarks.accuracy.robustness import read_robustness as read_robustness_results
from benchmarks.comparison.peers import Peers
from benchmarks.comparison.peers import read_peers as read_peers_results
from benchmarks.errors import ResultsError
from benchmarks.schemas import read_as
from dataset.fer2013 import Dataset


@dataclass(frozen=True)
class Machine:
    """What a training ran on."""

    processor: str


@dataclass(frozen=True)
class Record:
    """The fields of a training record that the report states."""

    trained_on: str
    command: str
    arguments: dict[str, Any]
    parameters: int
    epochs_trained: int
    seconds: float
    machine: Machine


@dataclass(frozen=True)
class Candidate:
    """A net that was trained. `against` names an earlier one that differs by this change alone."""

    name: str
    change: str
    against: str | None = None
    validation_accuracy: float | None = None  # 0 to 1
    epochs: int | None = None
    images_seen: int | None = None
    seconds: float | None = None
    parameters: int | None = None
    trained_on: str | None = None
    command: str | None = None


@dataclass(frozen=True)
class Measured:
    """Accuracies by split, as the export stored them: of Keras, and of each file by its sha256."""

    keras: dict[str, float] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)


def read_record(path: Path) -> Record:
    """Returns a training record; raises ResultsError where it is missing or lacks a field."""
    return read_as(
        Record,
        path,
        expected="the training record of a released model",
        advice="Train the model again, or put its record there.",
    )


def read_candidates(path: Path) -> list[Candidate]:
    """Returns the candidates in the order of training; an empty list where there is no file.

    Raises:
        ResultsError: The file has another format; the message names the candidate and the field.
    """
    if not path.is_file():
        return []
    expected, advice = "a list of candidates", "Correct the file by hand."
    given = read_as(list[dict[str, Any]], path, expected=expected, advice=advice)
    known = {one.name for one in fields(Candidate)}
    for number, fields_given in enumerate(given):
        if unknown := sorted(fields_given.keys() - known):
            raise ResultsError(path, expected, f"the unknown field {unknown[0]} - at `$[{number}]`", advice)
    candidates = read_as(list[Candidate], path, expected=expected, advice=advice)
    names: set[str] = set()
    for number, candidate in enumerate(candidates):
        if fault := _fault_of(candidate, names):
            raise ResultsError(path, expected, f"{fault} - at `$[{number}]`", advice)
        names.add(candidate.name)
    return candidates


def _fault_of(candidate: Candidate, names: set[str]) -> str | None:
    """Returns what is wrong with a candidate whose fields have their types; names: of the earlier ones."""
    share = candidate.validation_accuracy
    if share is not None and not 0 <= share <= 1:
        return f"validation_accuracy {share:g}, which is no share from 0 to 1"
    if candidate.against is not None and candidate.against not in names:
        return f"against {candidate.against!r}, which is no earlier candidate"
    if candidate.name in names:
        return f"the name {candidate.name!r} again"
    return None


def read_peers(path: Path, dataset: Dataset) -> Peers | None:
    """Returns what `python -m benchmarks peers` wrote, or None where it did not run.

    Raises:
        ResultsError: The file has another format or version, or was scored on another dataset.
    """
    if not path.is_file():
        return None
    peers = read_peers_results(path)
    if peers.dataset_sha256 not in (None, dataset.sha256):
        raise ResultsError(
            path,
            f"figures on {dataset.path.name}",
            f"those on another dataset (sha256 {str(peers.dataset_sha256)[:16]}...)",
            "Run `python -m benchmarks peers` again.",
        )
    return peers


def read_robustness(path: Path, split: str, dataset: Dataset) -> Sequence[FileRobustness]:
    """Returns the files that `python -m benchmarks robustness` measured on this split of this dataset."""
    if not path.is_file():
        return []
    results = read_robustness_results(path)
    same = results.split == split and results.dataset_sha256 == dataset.sha256
    return results.files if same else []


def points_lost(measured_path: Path, sha256: str, split: str) -> float | None:
    """Returns by how many points a file scores less than its weights in Keras; None where not recorded."""
    if not measured_path.is_file():
        return None
    measured = read_as(
        Measured,
        measured_path,
        expected="the accuracies that `python -m export --record` wrote",
        advice="Run `python -m export --record` again.",
    )
    of_keras, of_file = measured.keras.get(split), measured.files.get(sha256, {}).get(split)
    return None if of_keras is None or of_file is None else 100 * (of_keras - of_file)
