"""The input pipeline: shuffled, augmented batches that depend on nothing but seed and epoch."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from .augmentation import Part, augment, degrade
from .recipes import Augmentation
from .shares import ALONE, Shares


class FaceBatches(keras.utils.PyDataset):
    """Batches of faces and targets for `fit`, in an order that only (seed, epoch) decides.

    Neither shuffling nor augmentation keeps a state: epoch 7 of a resumed run sees exactly what epoch 7 of an
    unbroken one sees. The training calls `start(epoch)` before each epoch. Of several processes each makes
    its rows of the same batches.
    """

    def __init__(
        self,
        faces: np.ndarray,
        targets: np.ndarray | dict[str, np.ndarray],
        *,
        batch_size: int,
        seed: int,
        augmentation: Augmentation | None,
        teacher: Callable[[np.ndarray], np.ndarray] | None = None,
        teacher_share: float = 0.0,
        weights: np.ndarray | None = None,
        shuffle: bool = True,
        shares: Shares = ALONE,
    ) -> None:
        """Keeps the arrays; batches are made as they are asked for.

        Args:
            faces: `uint8 (n, 48, 48, 1)`, gray; or `float32`.
            targets: `float32 (n, classes)`, or such an array for each head of the network by its name.
            batch_size: Faces of a batch of all processes; the last of an epoch may have fewer.
            seed: Decides order and augmentation together with the epoch.
            augmentation: How the faces are changed; None leaves them as they are.
            teacher: From a batch as augmented, but not degraded, to its scores, `float32 (n, classes)`.
            teacher_share: Of these scores in the targets, 0 to 1.
            weights: Of each face in the loss of its scores, `float32 (n,)`; None: all alike.
            shuffle: Whether every epoch has another order.
            shares: Which rows of each batch are made here.
        """
        super().__init__(workers=2)  # threads that make the next batches while a step computes
        self.faces, self.targets, self.weights = faces, targets, weights
        self.batch_size, self.seed, self.augmentation = batch_size, seed, augmentation
        self.teacher, self.teacher_share = teacher, teacher_share
        self.shuffle, self.shares = shuffle, shares
        rest = len(faces) % batch_size
        self.padded = shares.padded({min(batch_size, len(faces)), rest or batch_size})
        self.start(0)

    def start(self, epoch: int) -> None:
        """Shuffles for an epoch, counted from 0."""
        self.epoch = epoch
        self.order = np.arange(len(self.faces))
        if self.shuffle:
            self.order = np.random.default_rng([self.seed, epoch]).permutation(len(self.faces))

    def __len__(self) -> int:
        """Returns how many batches an epoch has."""
        return -(-len(self.faces) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        """Returns a batch's faces, targets and, where there are any, weights."""
        batch = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        own = self.shares.rows_of(len(batch), self.padded[len(batch)])
        rows = batch[own]
        if self.augmentation is None:
            seen = faces = self.faces[rows].astype("float32")
        else:
            random = np.random.default_rng([self.seed, self.epoch, index])
            seen = faces = augment(self.faces[batch].astype("float32"), random, self.augmentation, rows=own)
            if self.augmentation.degraded:
                part = Part(len(batch), own)
                faces = degrade(seen, random, share=self.augmentation.degraded, part=part)
        targets: Any
        weights: Any = None if self.weights is None else self.weights[rows]
        if isinstance(self.targets, dict):
            targets = {head: values[rows] for head, values in self.targets.items()}
            targets["scores"] = self.taught(seen, targets["scores"])
            if weights is not None:
                weights = dict.fromkeys(targets, np.ones_like(weights)) | {"scores": weights}
        else:
            targets = self.taught(seen, self.targets[rows])
        return (faces, targets) if weights is None else (faces, targets, weights)

    def taught(self, faces: np.ndarray, targets: np.ndarray) -> np.ndarray:
        """Returns a batch's targets, `float32 (n, classes)`, with the teacher's share in them."""
        if self.teacher is None:
            return targets
        return (1 - self.teacher_share) * targets + self.teacher_share * self.teacher(faces)
