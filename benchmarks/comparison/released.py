"""The released models with every figure that the flagship report states of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.accuracy.evaluation_report import Evaluation
from benchmarks.accuracy.figures import Figures, score
from benchmarks.accuracy.group_figures import Groups, ModelGroups
from benchmarks.accuracy.robustness import FileRobustness
from benchmarks.comparison.inputs import Record, points_lost, read_record
from benchmarks.comparison.peers import Peers
from benchmarks.scoring import dataset_name, scores_of_file
from dataset.duplicates import duplicates_of
from dataset.fer2013 import LABELS, Dataset
from dataset.ferplus import MajorityAccuracy, majority_accuracy, majority_of_split
from runtime.card import read_card


@dataclass(frozen=True, eq=False)
class ReleasedModel:
    """A released model with its figures on one split.

    Attributes:
        name: Of the model.
        file: The name of its file.
        bytes: Of its file.
        record: Of its training.
        scores: float32 (faces of the split, 7).
        evaluation: The file, the split and the figures.
        ferplus: The accuracy on FER+'s majority labels.
        ratio: Of its latency to that of fer's file; None where not measured.
        lost_points: By quantization, against Keras; None where not recorded.
        robustness: What `python -m benchmarks robustness` measured; None where it did not.
        london: What `python -m benchmarks groups` measured on the London set; None where it did not.
        shared_errors: The share of its errors in which FER+'s majority gives its label, 0 to 1; None without
            an error on a face with a majority.
    """

    name: str
    file: str
    bytes: int
    record: Record
    scores: np.ndarray
    evaluation: Evaluation
    ferplus: MajorityAccuracy
    ratio: float | None
    lost_points: float | None
    robustness: FileRobustness | None
    london: ModelGroups | None = None
    shared_errors: float | None = None

    @property
    def figures(self) -> Figures:
        """The figures of the evaluation."""
        return self.evaluation.figures


def measure(
    released: Sequence[tuple[str, Path]],
    dataset: Dataset,
    split: str,
    *,
    records: Path,
    peers: Peers | None,
    robust: Sequence[FileRobustness],
    london: Groups | None = None,
    today: str,
) -> list[ReleasedModel]:
    """Scores the released models on a split and joins what was measured elsewhere, by the files' sha256.

    Args:
        released: Name and file of each model.
        dataset: FER2013, with FER+'s votes beside it.
        split: "train", "validation" or "test".
        records: The folder of the training records.
        peers: The results of peers, for the latency ratios.
        robust: The results of robustness.
        london: The results of groups on the London set; None: they are not there.
        today: YYYY-MM-DD.
    """
    faces, labels = dataset.split(split)
    duplicate_mask = None if split == "train" else duplicates_of(dataset, split=split, of="train")
    majority = majority_of_split(dataset, split)
    ratio_of = {row.sha256: row.ratio for row in peers.rows} if peers else {}
    robustness_of = {file.sha256: file for file in robust}
    london_of = {model.sha256: model for model in london.models.values()} if london else {}
    models = []
    for name, path in released:
        card, record = read_card(path), read_record(records / f"{name}.json")
        scores = scores_of_file(path, faces)
        evaluation = Evaluation(
            file=path.name,
            sha256=card["sha256"],
            dataset=dataset_name(dataset),
            dataset_sha256=dataset.sha256,
            split=split,
            measured=today,
            figures=score(scores, labels, LABELS, duplicate_mask),
        )
        models.append(
            ReleasedModel(
                name=name,
                file=path.name,
                bytes=card["bytes"],
                record=record,
                scores=scores,
                evaluation=evaluation,
                ferplus=majority_accuracy(scores, majority),
                ratio=ratio_of.get(card["sha256"]),
                lost_points=points_lost(records / f"{name}.measured.json", card["sha256"], split),
                robustness=robustness_of.get(card["sha256"]),
                london=london_of.get(card["sha256"]),
                shared_errors=shared_errors(scores, labels, majority),
            )
        )
    return models


def shared_errors(scores: np.ndarray, labels: np.ndarray, majority: np.ndarray) -> float | None:
    """Returns in which share of a model's errors FER+'s majority gives the model's label.

    Args:
        scores: float (n, 7).
        labels: FER2013's, int (n,).
        majority: FER+'s, int (n,); faces with -1 are left out.
    """
    predicted = scores.argmax(axis=1)
    wrong = (predicted != labels) & (majority >= 0)
    return float((predicted == majority)[wrong].mean()) if wrong.any() else None
