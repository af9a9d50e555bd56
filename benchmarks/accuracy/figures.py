"""Every figure of one model on one split, from its scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reporting import metrics


@dataclass(frozen=True)
class ClassFigures:
    """The figures of one class; shares of 0 to 1. `roc_auc` is nan for a class with no face or all faces."""

    faces: int
    precision: float
    recall: float
    f1: float
    roc_auc: float


@dataclass(frozen=True)
class Figures:
    """The figures of one model on one split; shares of 0 to 1.

    The macro figures are means over the classes that have faces. `faces_without_duplicates` is None where
    duplicates have no meaning, and then `accuracy_without_duplicates` is nan. `negative_log_likelihood` is in
    nats. `confusion` counts faces: true class down, predicted class across.
    """

    faces: int
    faces_without_duplicates: int | None
    accuracy: float
    accuracy_without_duplicates: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    macro_roc_auc: float
    negative_log_likelihood: float
    calibration_error: float
    classes: dict[str, ClassFigures]
    confusion: list[list[int]]


def score(
    scores: np.ndarray,
    labels: np.ndarray,
    label_names: Sequence[str],
    duplicate_mask: np.ndarray | None = None,
) -> Figures:
    """Returns the figures of one model on one split. Needs scikit-learn.

    A class that was never predicted has precision 0.

    Args:
        scores: Probabilities, float `(n, classes)`.
        labels: Indices into `label_names`, int `(n,)`.
        label_names: Of the classes.
        duplicate_mask: Whether a face is a duplicate of a training sample, bool `(n,)`; None where that has
            no meaning: for the training split itself, and for a dataset without one.
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support, roc_auc_score

    classes = np.arange(len(label_names))
    predicted = scores.argmax(axis=1)
    precision, recall, f1, faces = precision_recall_fscore_support(
        labels, predicted, labels=classes, zero_division=0.0
    )
    # One class at a time: int8 scores sum to 1 only within their step, which the multi-class form refuses.
    roc_auc = [
        float(roc_auc_score(labels == index, scores[:, index])) if 0 < faces[index] < len(labels) else np.nan
        for index in classes
    ]
    present = faces > 0
    fresh = np.zeros(len(labels), bool) if duplicate_mask is None else ~duplicate_mask
    return Figures(
        faces=len(labels),
        faces_without_duplicates=None if duplicate_mask is None else int(fresh.sum()),
        accuracy=metrics.accuracy(scores, labels),
        accuracy_without_duplicates=metrics.accuracy(scores[fresh], labels[fresh]),
        macro_precision=float(precision[present].mean()),
        macro_recall=float(recall[present].mean()),
        macro_f1=float(f1[present].mean()),
        macro_roc_auc=float(np.nanmean(roc_auc)) if not np.isnan(roc_auc).all() else np.nan,
        negative_log_likelihood=metrics.negative_log_likelihood(scores, labels),
        calibration_error=metrics.calibration_error(scores, labels),
        classes={
            name: ClassFigures(
                faces=int(faces[index]),
                precision=float(precision[index]),
                recall=float(recall[index]),
                f1=float(f1[index]),
                roc_auc=roc_auc[index],
            )
            for index, name in enumerate(label_names)
        },
        confusion=confusion_matrix(labels, predicted, labels=classes).tolist(),
    )
