"""The conclusions of the study, `notes.md` among the results: words by people, figures from the results.

A figure stands in the notes as what it is computed by, `{{ test("bn") - test("2") }}`: a Jinja expression of
the methods of `Figures`. So a new seed changes the figures that it should, and none is copied by hand. A
number with a fraction is shown to a tenth, another with its thousands apart.
"""

import json
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dataset.fer2013 import LABELS

from .experiments import ROWS, StudyError, network_of
from .statistics import (
    Result,
    accuracy_on_duplicates,
    accuracy_without_duplicates,
    chosen_on_test,
    images_per_core_second,
    interval,
    majority_accuracy,
    mcnemar,
    mean_of,
    of_classes,
)

EVALUATION = Path(__file__).resolve().parents[1] / "results" / "evaluation"

Results = Mapping[str, Sequence[Result]]  # of one split: a row's name, its results by seed


def p_value(probability: float) -> str:
    """Returns a test's p in words."""
    return f"p = {probability:.2g}" if probability >= 1e-12 else "p < 1e-12"


class NoFigureError(StudyError):
    """Notes have a figure that the results don't have: not yet, not any more, or not these results."""


class Figures:
    """The figures of one split's results: accuracies in percent, means over a row's seeds.

    Those after an epoch are the first seed's, or those of the `seed` that is named; epochs count from 1, and
    None is the last. `train_after` is what Keras prints in training, with dropout and augmentation on;
    `train` that of the chosen weights without. Every method raises StudyError for a row or seed that has no
    result; the first seed is seed 0, never the first that there is.
    """

    def __init__(self, results: Results, latency: Mapping[str, Any]) -> None:
        self._results, self._latency = results, latency

    def _of(self, row: str) -> Sequence[Result]:
        if row not in self._results:
            raise StudyError(f"row {row!r} has no result" if row in ROWS else f"there is no row {row!r}")
        return self._results[row]

    def _seed(self, row: str, seed: int | None = None) -> Result:
        for result in self._of(row):
            if result["seed"] == (seed or 0):
                return result
        raise StudyError(f"row {row!r} has no result of seed {seed or 0}")

    def _history(self, row: str, name: str, seed: int | None = None) -> list[float]:
        return [100 * value for value in self._seed(row, seed)["history"][name]]

    def _stretch(
        self, row: str, name: str, first: int, last: int | None, seed: int | None = None
    ) -> list[float]:
        return self._history(row, name, seed)[first - 1 if first > 0 else first : last]

    def seeds(self, row: str) -> int:
        return len(self._of(row))

    def test(self, row: str) -> float:
        return 100 * mean_of(self._of(row), "test", "accuracy")

    def tests_of_seeds(self, row: str) -> list[float]:
        return [100 * result["test"]["accuracy"] for result in self._of(row)]

    def low(self, row: str) -> float:
        """The lower end of the test accuracy's 95 % interval."""
        return 100 * interval(self._of(row))[0]

    def high(self, row: str) -> float:
        return 100 * interval(self._of(row))[1]

    def unrepeated(self, row: str) -> float:
        """On the test faces whose image is not in training too."""
        return 100 * accuracy_without_duplicates(self._of(row))

    def repeated(self, row: str) -> float:
        """On the other test faces."""
        return 100 * accuracy_on_duplicates(self._of(row))

    def duplicate_faces(self, row: str) -> int:
        test = self._of(row)[0]["test"]
        return int(sum(test["labels"]) - test["unrepeated"]["faces"])

    def on_test(self, row: str) -> float:
        """What choosing the epoch on the test split would have given."""
        return 100 * chosen_on_test(self._of(row))

    def train(self, row: str) -> float:
        return 100 * mean_of(self._of(row), "train_accuracy")

    def validation(self, row: str) -> float:
        return 100 * mean_of(self._of(row), "validation_accuracy")

    def recall(self, row: str, label: str | None = None) -> float:
        """Of a label on the test split; the mean of the seven where none is named."""
        recalls = [[recall for _, recall, _ in of_classes(r["test"]["confusion"])] for r in self._of(row)]
        of_labels = 100 * np.mean(recalls, axis=0)
        return float(of_labels.mean() if label is None else of_labels[LABELS.index(label)])

    def _votes(self, row: str) -> list[dict[str, Any]]:
        votes = [result["ferplus"] for result in self._of(row)]
        if not all(votes):
            raise StudyError(f"row {row!r} has a result without FER+")
        return votes

    def majority(self, row: str) -> float:
        """On FER+'s majority labels."""
        self._votes(row)
        return 100 * majority_accuracy(self._of(row))

    def majority_recall(self, row: str) -> float:
        recalls = [
            recall for of_seed in self._votes(row) for _, recall, _ in of_classes(of_seed["confusion"])
        ]
        return 100 * float(np.mean(recalls))

    def majority_faces(self, row: str) -> int:
        return int(self._votes(row)[0]["faces"])

    def trained_faces(self, row: str) -> int:
        return int(self._of(row)[0]["faces"]["train"])

    def active(self, row: str, layer: int = 0, seed: int | None = None) -> float:
        """The share of a hidden dense layer's units that are above 0 on a test face, all seeds' mean."""
        results = self._of(row) if seed is None else [self._seed(row, seed)]
        shares = [list(result.get("active_units", {}).values()) for result in results]
        if not all(0 <= layer < len(of_seed) for of_seed in shares):
            raise StudyError(f"row {row!r} has a result without the active units of a layer {layer}")
        return 100 * float(np.mean([of_seed[layer] for of_seed in shares]))

    def epochs(self, row: str, seed: int | None = None) -> int:
        return int(self._seed(row, seed)["epochs_trained"])

    def chosen(self, row: str) -> int:
        return int(self._seed(row)["best_epoch"])

    def train_after(self, row: str, epoch: int | None = None, seed: int | None = None) -> float:
        return self._history(row, "accuracy", seed)[(epoch or 0) - 1]

    def validation_after(self, row: str, epoch: int | None = None) -> float:
        return self._history(row, "val_accuracy")[(epoch or 0) - 1]

    def test_after(self, row: str, epoch: int | None = None, seed: int | None = None) -> float:
        return self._history(row, "test_accuracy", seed)[(epoch or 0) - 1]

    def tests_after(
        self, row: str, first: int = 1, last: int | None = None, seed: int | None = None
    ) -> list[float]:
        """The test accuracies after the epochs `first` to `last`; a `first` below 0 counts from the end."""
        return self._stretch(row, "test_accuracy", first, last, seed)

    def validations_after(self, row: str, first: int = 1, last: int | None = None) -> list[float]:
        """The validation accuracies after such epochs."""
        return self._stretch(row, "val_accuracy", first, last)

    def passes(self, row: str, accuracy: float, seed: int | None = None) -> int:
        """The first epoch that ends with more than so many percent in training."""
        values = self._history(row, "accuracy", seed)
        above = [epoch for epoch, value in enumerate(values, 1) if value > accuracy]
        if not above:
            raise StudyError(f"row {row!r} never passes {accuracy} % in training")
        return above[0]

    def _distances(self, row: str, train: float, test: float) -> list[float]:
        pairs = zip(self._history(row, "accuracy"), self._history(row, "test_accuracy"), strict=True)
        return [max(abs(one - train), abs(other - test)) for one, other in pairs]

    def nearest(self, row: str, train: float, test: float) -> int:
        """The epoch that comes nearest to two accuracies, in training and in the test; see `apart`."""
        distances = self._distances(row, train, test)
        return distances.index(min(distances)) + 1

    def apart(self, row: str, train: float, test: float) -> float:
        """How far that epoch's two accuracies are from these, in points: the larger of both differences."""
        return min(self._distances(row, train, test))

    def lowest(self, row: str, first: int = 1) -> int:
        """The epoch with the lowest test accuracy from `first` on; below 0 it counts from the end."""
        accuracies = self._stretch(row, "test_accuracy", first, None)
        return self.epochs(row) - len(accuracies) + accuracies.index(min(accuracies)) + 1

    def p(self, row: str, other: str) -> str:
        """McNemar's test of two rows' first seeds."""
        return p_value(mcnemar(self._seed(row), self._seed(other))[2])

    def parameters(self, row: str) -> int:
        return int(self._of(row)[0]["parameters"])

    def multiply_adds(self, row: str) -> int:
        return int(self._of(row)[0]["multiply_adds"])

    def images_per_second(self, row: str) -> float:
        """Faces trained on in a second of a core, with the first seed."""
        return images_per_core_second(self._seed(row))

    def ms(self, row: str) -> str:
        """Milliseconds a face, to a thousandth, as `python -m study.latency` measured them."""
        network = network_of(ROWS[row]) if row in ROWS else ""
        if network not in self._latency["networks"]:
            raise StudyError(f"the latency of row {row!r} is not measured")
        return f"{self._latency['networks'][network]['median_ms']:.3f}"


def fill(
    path: Path, results: Mapping[str, Mapping[str, Sequence[Result]]], latency: Mapping[str, Any]
) -> str:
    """Returns the text of the notes with their figures; "" where the file doesn't exist.

    results: by split. The study's is at hand as `test(...)`, the official one as `official.test(...)`.
    Raises NoFigureError, with the line, for notes with a figure that isn't there, StudyError for others that
    can't be read.
    """
    if not path.exists():
        return ""
    import jinja2
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(undefined=jinja2.StrictUndefined, finalize=shown)
    paper = Figures(results["paper"], latency)
    names: dict[str, Any] = {name: getattr(paper, name) for name in vars(Figures) if not name.startswith("_")}
    names |= {
        "official": Figures(results["official"], latency),
        "mean": mean,
        "released": released,
    }
    try:
        return environment.from_string(path.read_text(encoding="utf-8")).render(names).strip()
    except OSError as error:
        raise StudyError(f"{path}: expected notes, got: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise StudyError(f"{path}: expected notes in UTF-8, got others ({error}).") from error
    except (jinja2.TemplateError, StudyError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        lines = [at.lineno for at in traceback.extract_tb(error.__traceback__) if at.filename == "<template>"]
        line = getattr(error, "lineno", None) or (lines[-1] if lines else 1)
        raise NoFigureError(f"{path}:{line}: expected a figure of the results, got none: {error}.") from error


def released(model: str) -> float:
    """Returns a released model's accuracy on the official PrivateTest, percent, from `make evaluate`."""
    path = EVALUATION / f"{model}.keras.json"
    try:
        return 100 * float(json.loads(path.read_text(encoding="utf-8"))["accuracy"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudyError(f"{path} has no accuracy ({error!r})") from error


def mean(values: Sequence[float]) -> float:
    """Returns the mean of values; raises StudyError where there are none."""
    if not values:
        raise StudyError("a mean of no values")
    return float(np.mean(values))


def shown(value: object) -> str:
    """Returns a figure as the notes have it; several as '40.4, 40.6 and 40.9'."""
    if isinstance(value, list):
        *others, last = map(shown, value)
        return f"{', '.join(others)} and {last}" if others else last
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
