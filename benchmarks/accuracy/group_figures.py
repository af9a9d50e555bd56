"""What is counted for each group of people, and how it is stored: results/groups/<name>.json."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from benchmarks.accuracy.grouped_images import Listed
from benchmarks.accuracy.smile import SMILE, recall_at_equal_strength
from benchmarks.errors import ResultsError
from benchmarks.schemas import read_as
from reporting.metrics import share_interval

EVERYBODY = "everybody"


@dataclass(frozen=True)
class Counted:
    """How many of `count` have what is counted, and the 95 % interval of their share (Wilson), 0 to 1."""

    right: int
    count: int
    low: float
    high: float


@dataclass(frozen=True)
class Smile:
    """A group's smiles of known strength.

    Attributes:
        count: How many there are.
        strength: Their mean strength (`benchmarks.accuracy.smile`); 0.05 for mouths 5 % wider.
        recall_at_equal_strength: The share called happy if all groups smiled alike, 0 to 1; None for a group
            without a smile in some quarter of strength.
    """

    count: int
    strength: float
    recall_at_equal_strength: float | None


@dataclass(frozen=True)
class GroupFigures:
    """A model's figures of one group, over the faces that were found.

    Attributes:
        labels: By the label that images have, how many of its faces the model gave it.
        shares: By label, how often the model gives it, 0 to 1; None where no face was found.
        agreement: With the references; None without one.
        smile: None where the strength of no smile is known.
    """

    labels: dict[str, Counted]
    shares: dict[str, float | None]
    agreement: Counted | None = None
    smile: Smile | None = None


@dataclass(frozen=True)
class ModelGroups:
    """A model's figures of all groups.

    Attributes:
        model: Its name on the card.
        sha256: Of the file.
        references: The files whose mean scores it is compared with; never itself.
        groups: By "column: value"; the first is `EVERYBODY`.
    """

    model: str
    sha256: str
    references: list[str]
    groups: dict[str, GroupFigures]


@dataclass(frozen=True)
class Groups:
    """What the JSON holds.

    Attributes:
        name: Of the results.
        command: That measured them.
        source: The name of the folder or zip file.
        sha256: Of the zip file; None for a folder.
        images: How many there are.
        labelled: How many of them have a label.
        left_out: Columns that are no groups, as they have too many values.
        detector: That found the faces.
        detector_sha256: Of its file; None for Haar's.
        detector_learned_from: What the record of ferkit's detector says it took from a file of this name.
        pad: How far the edge of each image was repeated on every side, in its longer sides.
        device: The machine.
        measured: YYYY-MM-DD.
        found: How many faces of each group were found.
        models: By file.
    """

    groups_version: Literal[2]
    name: str
    command: str
    source: str
    sha256: str | None
    images: int
    labelled: int
    left_out: list[str]
    detector: str
    detector_sha256: str | None
    detector_learned_from: list[str]
    pad: float
    device: dict[str, Any]
    measured: str
    found: dict[str, Counted]
    models: dict[str, ModelGroups] = field(default_factory=dict)


def read_groups(path: Path) -> Groups:
    """Returns what this benchmark wrote; raises ResultsError for anything else."""
    expected, advice = "what `python -m benchmarks groups` wrote", "Run `python -m benchmarks groups` again."
    groups = read_as(Groups, path, expected=expected, advice=advice)
    for file, model in groups.models.items():
        if missing := groups.found.keys() ^ model.groups.keys():
            got = f"{file} with other groups than were found: {', '.join(sorted(missing))}"
            raise ResultsError(path, expected, got, advice)
    return groups


def members(listed: Sequence[Listed]) -> dict[str, np.ndarray]:
    """Returns the images of each group, bool (images,), by "column: value"; first those of everybody."""
    groups = {EVERYBODY: np.ones(len(listed), bool)}
    names = {(column, value) for image in listed for column, value in image.groups.items()}
    for column, value in sorted(names, key=in_order):
        groups[f"{column}: {value}"] = np.array([image.groups.get(column) == value for image in listed])
    return groups


def in_order(name: tuple[str, str]) -> tuple[str, float, str]:
    """Returns the sort key of a column and a value: ranges such as 3-9 and 10-19 by their first number."""
    number = re.match(r"\d+", name[1])
    return name[0], float(number[0]) if number else np.inf, name[1]


def counted(right: np.ndarray) -> Counted:
    """Returns how many of bool (n,) are true."""
    low, high = share_interval(int(right.sum()), len(right))
    return Counted(int(right.sum()), len(right), low, high)


def figures_by_group(
    predicted: np.ndarray,
    labels: Sequence[str],
    listed: Sequence[Listed],
    found: np.ndarray,
    strength: np.ndarray,
    expected: np.ndarray | None,
) -> dict[str, GroupFigures]:
    """Returns a model's figures of each group.

    Args:
        predicted: Indices into `labels`, int (images,).
        labels: Of the model; all that the images have are among them.
        listed: The images.
        found: Whether a face was found, bool (images,).
        strength: Of each smile, float (images,); nan where it is unknown.
        expected: The references' indices, int (images,); None without one.
    """
    groups = members(listed)
    truth = np.array([image.label for image in listed])
    names = sorted({image.label for image in listed if image.label is not None})
    right = {name: predicted == labels.index(name) for name in names}
    known = found & np.isfinite(strength)
    smiles = smiles_of(groups, right[SMILE], known, strength) if SMILE in names else {}
    return {
        group: GroupFigures(
            labels={name: counted(right[name][rows & found & (truth == name)]) for name in names},
            shares={
                label: float(np.mean(predicted[rows & found] == number)) if (rows & found).any() else None
                for number, label in enumerate(labels)
            },
            agreement=None if expected is None else counted((predicted == expected)[rows & found]),
            smile=smiles.get(group),
        )
        for group, rows in groups.items()
    }


def smiles_of(
    groups: Mapping[str, np.ndarray], right: np.ndarray, known: np.ndarray, strength: np.ndarray
) -> dict[str, Smile]:
    """Returns how strongly each group smiles, and its recall if all groups of its column smiled alike.

    Args:
        groups: bool (images,) by "column: value".
        right: Whether the image was called happy, bool (images,).
        known: Whether it is a smile of known strength, bool (images,).
        strength: float (images,).
    """
    smiles: dict[str, Smile] = {}
    for column in {group.partition(": ")[0] for group in groups if group != EVERYBODY}:
        own = {group: rows & known for group, rows in groups.items() if group.startswith(f"{column}: ")}
        group_of = np.full(len(known), "", dtype=object)
        for group, rows in own.items():
            group_of[rows] = group
        chosen = group_of != ""
        if not chosen.any():
            continue
        recalls = recall_at_equal_strength(strength[chosen], right[chosen], list(group_of[chosen]))
        for group, recall in recalls.items():
            mean = float(strength[own[group]].mean())
            smiles[group] = Smile(int(own[group].sum()), mean, recall)
    return smiles
