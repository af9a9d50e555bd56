"""Statistics of results: intervals, figures per class, and a test of two classifiers."""

from collections.abc import Sequence

import numpy as np

from .results import Result

RESAMPLES = 10_000
BOOTSTRAP_SEED = 0


def interval(results: Sequence[Result]) -> tuple[float, float]:
    """Returns the 95 % bootstrap interval of the mean test accuracy of one experiment's seeds, 0 to 1.

    The test faces are drawn with replacement RESAMPLES times. A face counts by the share of the seeds that
    label it rightly, so the interval says what other test faces would change, not other seeds. Drawing how
    often each share occurs is the same as drawing faces.
    """
    shares = np.mean([result.test.right for result in results], axis=0)
    values, counts = np.unique(shares, return_counts=True)
    draws = np.random.default_rng(BOOTSTRAP_SEED).multinomial(len(shares), counts / len(shares), RESAMPLES)
    low, high = np.percentile(draws @ values / len(shares), [2.5, 97.5])
    return float(low), float(high)


def accuracy_without_duplicates(results: Sequence[Result]) -> float:
    """Returns the mean accuracy on the test faces whose image is not in training; nan without any."""
    parts = [result.test.without_duplicates for result in results]
    return float(np.mean([part.right / part.faces if part.faces else np.nan for part in parts]))


def accuracy_on_duplicates(results: Sequence[Result]) -> float:
    """Returns the mean accuracy on the other test faces, whose image is; nan where there are none."""
    shares = []
    for result in results:
        right = result.test.right
        without = result.test.without_duplicates
        count = len(right) - without.faces
        shares.append((right.sum() - without.right) / count if count else np.nan)
    return float(np.mean(shares))


def of_classes(confusion: Sequence[Sequence[int]]) -> list[tuple[float, float, float]]:
    """Returns precision, recall and F1 of each class from counts, true label down, predicted across.

    A class that was never predicted has precision 0, one without a face recall 0.
    """
    counts = np.array(confusion, float)
    found = np.diag(counts)
    precision = found / np.maximum(counts.sum(axis=0), 1)
    recall = found / np.maximum(counts.sum(axis=1), 1)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return list(zip(precision.tolist(), recall.tolist(), f1.tolist(), strict=True))


def mcnemar(one: Result, other: Result) -> tuple[int, int, float]:
    """Returns McNemar's exact test of two classifiers on the same faces (McNemar 1947; Dietterich 1998).

    Returns:
        How many faces only `one` labels rightly, how many only `other` does, and the two-sided probability
        of a split as uneven as that, or more, if both were right equally often.
    """
    from scipy.stats import binomtest

    first, second = one.test.right, other.test.right
    only_one, only_other = int((first & ~second).sum()), int((second & ~first).sum())
    if not only_one + only_other:
        return 0, 0, 1.0
    return only_one, only_other, float(binomtest(only_one, only_one + only_other).pvalue)


Curve = tuple[np.ndarray, np.ndarray, float]


def roc_curves(scores: np.ndarray, labels: np.ndarray) -> list[Curve | None]:
    """Returns for each class, against all others, the false and true positive rates and the area under them.

    Args:
        scores: Float32 (n, 7).
        labels: Int64 (n,).

    Returns:
        None for a class that has no faces, or all of them.
    """
    from sklearn.metrics import roc_auc_score, roc_curve

    curves: list[Curve | None] = []
    for label in range(scores.shape[1]):
        here = labels == label
        if not here.any() or here.all():
            curves.append(None)
            continue
        false_positive, true_positive, _ = roc_curve(here, scores[:, label])
        curves.append((false_positive, true_positive, float(roc_auc_score(here, scores[:, label]))))
    return curves
