"""Macro recall while a network is trained: the mean recall of the classes, so that rare ones count alike."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="train")
class MacroRecall(keras.metrics.Metric):
    """The mean recall of the classes that had faces, 0 to 1, as `reporting.metrics.macro_recall`."""

    def __init__(self, classes: int, name: str = "macro_recall", **options: Any) -> None:
        """Takes how many classes there are, and Keras's own options."""
        super().__init__(name=name, **options)
        self.classes = classes
        self.found = self.add_variable((classes,), "zeros", name="found")
        self.faces = self.add_variable((classes,), "zeros", name="faces")

    def update_state(self, targets: Any, scores: Any, sample_weight: Any = None) -> None:
        """Counts a batch: targets and scores `(n, classes)`; faces count alike, whatever their weights."""
        labels = ops.argmax(targets, axis=-1)
        of_class = ops.one_hot(labels, self.classes, dtype=self.dtype)
        right = ops.cast(ops.equal(labels, ops.argmax(scores, axis=-1)), self.dtype)
        self.found.assign_add(ops.sum(of_class * ops.expand_dims(right, -1), axis=0))
        self.faces.assign_add(ops.sum(of_class, axis=0))

    def result(self) -> Any:
        """Returns the macro recall of all batches since the last reset; 0 of none."""
        present = ops.cast(self.faces > 0, self.dtype)
        recalls = self.found / ops.maximum(self.faces, 1)
        return ops.sum(recalls) / ops.maximum(ops.sum(present), 1)

    def get_config(self) -> dict[str, Any]:
        """Returns what `from_config` needs."""
        return super().get_config() | {"classes": self.classes}
