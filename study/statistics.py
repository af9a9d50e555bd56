"""What the study's results say: accuracies with intervals, figures per class, and a test of two classifiers.

A result is what `study.worker` wrote. Its `test.predicted` holds a digit for each face of the test split,
sorted by true label, so `test.labels`, the number of faces of each label, gives the labels.
"""

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dataset.fer2013 import LABELS

from .experiments import ROWS, StudyError

RESAMPLES = 10_000
BOOTSTRAP_SEED = 0

Result = dict[str, Any]


def read_result(path: Path) -> Result:
    """Returns a result; raises StudyError where the file holds none, or one that contradicts itself."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        wrong = next(faults_of(content), None)
    except OSError as error:
        raise StudyError(f"{path}: expected the JSON of a result, got: {error.strerror}.") from error
    except KeyError as error:
        wrong = f"one without {error.args[0]}"
    except (ValueError, TypeError, AttributeError, IndexError, RecursionError, OverflowError) as error:
        wrong = f"something else ({error})"
    if wrong:
        raise StudyError(
            f"{path}: expected the JSON of a result, got {wrong}. Delete it to train anew, or move it."
        )
    return content


def faults_of(result: Result) -> Iterator[str]:
    """Yields what of a result can't be, in words; raises what Python does where a part is missing."""
    if result["row"] not in ROWS or result["split"] not in ("paper", "official"):
        yield f"one of row {result['row']!r} on split {result['split']!r}, which there is not"
    result["machine"]["processor"], result["machine"]["cores"]
    most = result["settings"]["epochs"]
    if not isinstance(most, int) or most < 1:
        yield f"one of {most!r} epochs at most"
    if not isinstance(result["seed"], int) or not isinstance(result["source_sha256"], str):
        yield f"one of seed {result['seed']!r} on the dataset {result['source_sha256']!r}"
    test, history, epochs = result["test"], result["history"], result["epochs_trained"]
    counts = test["confusion"]
    if len(test["predicted"]) != sum(test["labels"]) or len(test["labels"]) != len(LABELS):
        yield f"{len(test['predicted'])} predictions for {sum(test['labels'])} faces"
    predicted = np.array(list(test["predicted"]), np.int64)
    found = np.zeros((len(LABELS), len(LABELS)), int)
    np.add.at(found, (true_labels(result), predicted), 1)
    if found.tolist() != counts or not math.isclose(test["accuracy"], np.trace(found) / len(predicted)):
        yield "an accuracy or a confusion matrix other than that of its predictions"
    for name in ("accuracy", "val_accuracy", "test_accuracy"):
        if len(history[name]) != epochs or not all(map(math.isfinite, history[name])):
            yield f"a history of {name} that is not {epochs} numbers"
    if not 1 <= result["best_epoch"] <= epochs:
        yield f"a best epoch of {result['best_epoch']} out of {epochs}"
    for of_faces in (test["unrepeated"], result["ferplus"] or test["unrepeated"]):
        if not 0 <= of_faces["right"] <= of_faces["faces"]:
            yield f"{of_faces['right']} right answers on {of_faces['faces']} faces"
    if votes := result["ferplus"]:
        if not votes["faces"]:
            yield "a score on FER+'s labels of no faces"
        of_votes = np.array(votes["confusion"], float)
        sums = float(of_votes.sum()), float(np.trace(of_votes))
        if of_votes.shape != found.shape or of_votes.min() < 0 or sums != (votes["faces"], votes["right"]):
            yield f"a confusion matrix on FER+'s labels other than {votes['right']} of {votes['faces']} faces"
    for name in ("train_accuracy", "validation_accuracy"):
        if not 0 <= result[name] <= 1:
            yield f"a {name} of {result[name]}"
    numbers = [result["faces"][name] for name in ("train", "validation", "test")]
    numbers += [result[name] for name in ("parameters", "multiply_adds", "seconds", "processor_seconds")]
    if not all(number > 0 and math.isfinite(number) for number in numbers):
        yield "faces, parameters or seconds that are not above 0"
    for layer, share in result.get("active_units", {}).items():  # which older results don't have
        if isinstance(share, bool) or not 0 <= share <= 1:
            yield f"a share of {share} of the units of {layer!r}"


def check_settings(path: Path, found: dict[str, Any], asked: dict[str, Any], *, trial: bool = False) -> None:
    """Raises StudyError where a result's settings are not those asked for; of a `trial` epochs may be."""
    for key in sorted(asked.keys() | found.keys()):
        if asked.get(key) != found.get(key) and not (trial and key == "epochs"):
            raise StudyError(
                f"{path}: expected a result with {key}={asked.get(key)!r}, as asked for, got "
                f"{found.get(key)!r}. Delete the file to train the row again, or name another folder: "
                "--results FOLDER"
            )


def true_labels(result: Result) -> np.ndarray:
    """Returns the labels of the test faces, int64 (n,), in the order of the predictions."""
    return np.repeat(np.arange(len(result["test"]["labels"])), result["test"]["labels"])


def right_answers(result: Result) -> np.ndarray:
    """Returns which test faces got their label, bool (n,)."""
    return np.array(list(result["test"]["predicted"]), np.int64) == true_labels(result)


def interval(results: Sequence[Result]) -> tuple[float, float]:
    """Returns the 95 % bootstrap interval of the mean test accuracy of one row's seeds, 0 to 1.

    The test faces are drawn anew, with replacement, RESAMPLES times; a face counts by the share of the seeds
    that label it rightly, so the interval says what other test faces would change, not other seeds. Drawing
    how often each share occurs is the same as drawing faces.
    """
    shares = np.mean([right_answers(result) for result in results], axis=0)
    values, counts = np.unique(shares, return_counts=True)
    draws = np.random.default_rng(BOOTSTRAP_SEED).multinomial(len(shares), counts / len(shares), RESAMPLES)
    low, high = np.percentile(draws @ values / len(shares), [2.5, 97.5])
    return float(low), float(high)


def mean_of(results: Sequence[Result], *keys: str) -> float:
    """Returns the mean over seeds of a number in the results, found by its keys."""
    values = []
    for result in results:
        value: Any = result
        for key in keys:
            value = value[key]
        values.append(value)
    return float(np.mean(values))


def accuracy_without_duplicates(results: Sequence[Result]) -> float:
    """Returns the mean accuracy on the test faces whose image is not in training; nan without any."""
    parts = [result["test"]["unrepeated"] for result in results]
    return float(np.mean([part["right"] / part["faces"] if part["faces"] else np.nan for part in parts]))


def accuracy_on_duplicates(results: Sequence[Result]) -> float:
    """Returns the mean accuracy on the other test faces, whose image is; nan where there are none."""
    shares = []
    for result in results:
        right, faces = right_answers(result).sum(), len(result["test"]["predicted"])
        without = result["test"]["unrepeated"]
        count = faces - without["faces"]
        shares.append((right - without["right"]) / count if count else np.nan)
    return float(np.mean(shares))


def images_per_core_second(result: Result) -> float:
    """Returns how many faces were trained on in a second of a core."""
    return float(result["faces"]["train"] * result["epochs_trained"] / result["processor_seconds"])


def majority_accuracy(results: Sequence[Result]) -> float:
    """Returns the mean accuracy on FER+'s majority labels of results that are scored on them."""
    return float(np.mean([result["ferplus"]["right"] / result["ferplus"]["faces"] for result in results]))


def chosen_on_test(results: Sequence[Result]) -> float:
    """Returns the mean over seeds of the test accuracy of the epoch with the best one."""
    return float(np.mean([max(result["history"]["test_accuracy"]) for result in results]))


def last_epoch(results: Sequence[Result], name: str) -> float:
    """Returns the mean over seeds of a history's last value."""
    return float(np.mean([result["history"][name][-1] for result in results]))


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

    How many faces only `one` labels rightly, how many only `other` does, and the two-sided probability of a
    split as uneven as that, or more, if both were right equally often.
    """
    from scipy.stats import binomtest

    first, second = right_answers(one), right_answers(other)
    only_one, only_other = int((first & ~second).sum()), int((second & ~first).sum())
    if not only_one + only_other:
        return 0, 0, 1.0
    return only_one, only_other, float(binomtest(only_one, only_one + only_other).pvalue)


def roc_curves(scores: np.ndarray, labels: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, float] | None]:
    """Returns for each class, against all others, the false and true positive rates and the area under them.

    scores: (n, 7); labels: int64 (n,). None for a class that has no faces, or all of them.
    """
    from sklearn.metrics import roc_auc_score, roc_curve

    curves: list[tuple[np.ndarray, np.ndarray, float] | None] = []
    for label in range(scores.shape[1]):
        here = labels == label
        if not here.any() or here.all():
            curves.append(None)
            continue
        false_positive, true_positive, _ = roc_curve(here, scores[:, label])
        curves.append((false_positive, true_positive, float(roc_auc_score(here, scores[:, label]))))
    return curves
