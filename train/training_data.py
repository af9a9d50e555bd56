"""What a network is trained and validated on: samples, their targets, their batches."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dataset.duplicates import training_samples
from dataset.fer2013 import Dataset

from .batches import FaceBatches
from .distillation import Teacher
from .recipes import Recipe
from .record import Samples
from .shares import Shares
from .targets import class_weights, training_targets, validation_targets

VALIDATION_BATCH = 256  # faces


@dataclass(frozen=True)
class TrainingData:
    """What a network is trained and validated on.

    Attributes:
        batches: Of the training samples.
        labels: Of the training samples, int64 (n,).
        validation: Batches of the validation split, in its order.
        validation_labels: int64 (n,).
        left_out: How many samples of the train split are not trained on.
    """

    batches: FaceBatches
    labels: np.ndarray
    validation: FaceBatches
    validation_labels: np.ndarray
    left_out: int

    def samples(self, classes: Sequence[str]) -> Samples:
        """Returns how many samples there are, for the record; classes as the dataset has them."""
        counts = np.bincount(self.labels, minlength=len(classes)).tolist()
        return {
            "train": len(self.labels),
            "train_by_class": dict(zip(classes, counts, strict=True)),
            "left_out": self.left_out,
            "validation": len(self.validation_labels),
        }


def data_for(
    dataset: Dataset, recipe: Recipe, teacher: Teacher | None, shares: Shares, *, show_progress: bool
) -> TrainingData:
    """Returns the samples to train on, with their targets, and those to validate on."""
    rows = every = dataset.rows("train")
    if not recipe.keep_duplicates:
        rows = rows[training_samples(dataset)]
    labels = dataset.labels[rows]
    batches = FaceBatches(
        dataset.faces[rows],
        training_targets(dataset, recipe, rows, teacher, show_progress=show_progress),
        batch_size=recipe.batch_size,
        seed=recipe.seed,
        augmentation=recipe.augmentation,
        teacher=teacher if recipe.teacher_input == "augmented" else None,
        teacher_share=recipe.teacher_share,
        # Not into the targets: TensorFlow's gradient of the cross-entropy takes them to add up to 1.
        weights=class_weights(labels, len(dataset.classes))[labels] if recipe.class_weight else None,
        shares=shares,
    )
    validation_faces, validation_labels = dataset.split("validation")
    validation = FaceBatches(
        validation_faces,
        validation_targets(dataset, recipe),
        batch_size=VALIDATION_BATCH,
        seed=recipe.seed,
        augmentation=None,
        shuffle=False,
        shares=shares,
    )
    return TrainingData(batches, labels, validation, validation_labels, len(every) - len(rows))
