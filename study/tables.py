"""What the report's tables have besides figures: orders, machines, words for settings, what has been run."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from dataset.fer2013 import LABELS, OFFICIAL_SHA256

from .experiment import Experiment
from .experiments import CURVES, EXPERIMENTS
from .figures import Results
from .results import Result, place_of_scores, read_scores
from .statistics import Curve, of_classes, roc_curves

SPLITS = {"paper": "the study's split", "official": "the official split"}
GROUPS = ("no augmentation", "minimal augmentation", "more augmentation")
CHANGES = {"scale": "scaled", "brightness": "brightness changed", "contrast": "contrast changed"}


def title_of(name: str) -> str:
    """Returns 'experiment 2' for one that the study prints, its name for another."""
    return f"experiment {name}" if EXPERIMENTS[name].printed else name


# --- what has been run ---------------------------------------------------------------------------------


class Progress(NamedTuple):
    """How many experiments of a split have been run and how many trainings, trials not counted."""

    split: str
    experiments: int
    trainings: int


def progress_of(results: Mapping[str, Results]) -> list[Progress]:
    """Returns how far each split is; further seeds than an experiment has are not counted."""
    found = []
    for split, words in SPLITS.items():
        whole = {
            name: min(sum(not result.is_trial for result in of_experiment), EXPERIMENTS[name].seeds)
            for name, of_experiment in results[split].items()
        }
        found.append(Progress(words, sum(map(bool, whole.values())), sum(whole.values())))
    return found


def trials_of(results: Mapping[str, Results]) -> dict[str, int]:
    """Returns the experiments that were trained for other numbers of epochs than their own, and these."""
    return {result.experiment: result.settings.epochs for result in every(results) if result.is_trial}


def is_fer2013(results: Mapping[str, Results]) -> bool:
    """Whether all results are of the official FER2013; also where there are none."""
    return all(result.source_sha256 == OFFICIAL_SHA256 for result in every(results))


def every(results: Mapping[str, Results]) -> list[Result]:
    """Returns the results of all splits."""
    return [
        result
        for of_split in results.values()
        for of_experiment in of_split.values()
        for result in of_experiment
    ]


# --- settings in words ---------------------------------------------------------------------------------


def strength_of(experiment: Experiment) -> int:
    """Returns the place in GROUPS of an experiment's augmentation."""
    if not experiment.augmentation:
        return 0
    return 2 if experiment.augmentation["rotation"] else 1


def by_regularisation(names: Iterable[str]) -> list[str]:
    """Returns experiments by augmentation, class weights and dropout, then in the order of EXPERIMENTS."""

    def key(name: str) -> tuple[float, ...]:
        experiment = EXPERIMENTS[name]
        order = list(EXPERIMENTS).index(name)
        return strength_of(experiment), experiment.class_weight, experiment.dropout, order

    return sorted(names, key=key)


def augmentation_in_words(experiment: Experiment) -> str:
    """Returns how an experiment's training faces are changed: 'mirrored, shifted by 5%'."""
    if not experiment.augmentation:
        return "none"
    words = ["mirrored", f"shifted by {experiment.augmentation['shift']:.0%}"]
    if experiment.augmentation["rotation"]:
        words += [f"rotated by {experiment.augmentation['rotation']} degrees"]
    words += [
        f"{done} by {experiment.augmentation[name]:.0%}"
        for name, done in CHANGES.items()
        if experiment.augmentation[name]
    ]
    return ", ".join(words)


# --- costs ---------------------------------------------------------------------------------------------


def machines_of(results: Results) -> list[tuple[str, list[str]]]:
    """Returns on what machines the first seeds were trained, with the experiments; the commonest first.

    Times on two machines are not to be compared.
    """
    names: dict[str, list[str]] = {}
    for name, of_experiment in results.items():
        names.setdefault(of_experiment[0].machine_in_words, []).append(name)
    return sorted(names.items(), key=lambda machine: (-len(machine[1]), machine[0]))


def spread_of_speed(results: Results) -> float | None:
    """Returns by how many percent a seed trains faster than another on one kind of machine, at most.

    None where no experiment has two seeds on one.
    """
    ratios = []
    for of_experiment in results.values():
        speeds: dict[str, list[float]] = {}
        for result in of_experiment:
            speeds.setdefault(result.machine_in_words, []).append(result.images_per_core_second)
        ratios += [max(of_machine) / min(of_machine) for of_machine in speeds.values() if len(of_machine) > 1]
    return 100 * max(ratios) - 100 if ratios else None


# --- classes -------------------------------------------------------------------------------------------


class ClassFigures(NamedTuple):
    """Figures of one label, or the mean of all, 0 to 1; `area`, under the ROC curve, may be unknown."""

    label: str
    faces: int
    precision: float
    recall: float
    f1: float
    area: float | None


def curves_of(results: Results, folder: Path) -> dict[str, list[Curve | None]]:
    """Returns the ROC curves of the experiments of CURVES that have scores, first seeds."""
    return {
        name: roc_curves(scores, results[name][0].test.true_labels)
        for name in CURVES
        if name in results and (scores := read_scores(folder, results[name][0])) is not None
    }


def classes_of(result: Result, curves: list[Curve | None] | None) -> list[ClassFigures]:
    """Returns the figures of each label, then their mean."""
    test = result.test
    of_labels = of_classes(test.confusion)
    areas = [curve[2] if curve else None for curve in curves or [None] * len(LABELS)]
    known = [area for area in areas if area is not None]
    precision, recall, f1 = np.mean(of_labels, axis=0).tolist()
    mean_area = float(np.mean(known)) if known else None
    return [
        *(
            ClassFigures(label, faces, *figures, area)
            for label, faces, figures, area in zip(LABELS, test.labels, of_labels, areas, strict=True)
        ),
        ClassFigures("mean", sum(test.labels), precision, recall, f1, mean_area),
    ]


def lost_scores(results: Results, folder: Path) -> list[tuple[str, str]]:
    """Returns the file and the experiment of scores that are missing, although the experiment was run."""
    files = {name: place_of_scores(folder, results[name][0]) for name in CURVES if name in results}
    return [(path.name, name) for name, path in files.items() if not path.exists()]
