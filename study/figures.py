"""The figures of results by name, for the tables and the conclusions of the report.

Accuracies are in percent, differences in points. A figure of an experiment with several seeds is their mean.
One after an epoch is that of seed 0, never of the first seed that there is. Costs and comparisons in tables
are of the first seed that there is.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dataset.fer2013 import LABELS

from .errors import StudyError
from .experiments import EXPERIMENTS
from .results import Latency, OnVotes, Result, TimedNetwork
from .statistics import (
    accuracy_on_duplicates,
    accuracy_without_duplicates,
    interval,
    mcnemar,
    of_classes,
)

EVALUATION = Path(__file__).resolve().parents[1] / "results" / "evaluation"

Results = Mapping[str, Sequence[Result]]
"""Of one split: the results of an experiment, by its name, in the order of their seeds."""


@dataclass(frozen=True)
class Comparison:
    """What changes from one experiment to another.

    Attributes:
        points: Of the test accuracy, the means over the seeds.
        points_without_duplicates: On the test faces whose image is not in training too.
        won: Test faces that only the second labels rightly, first seeds.
        lost: Those that only the first does.
        p: McNemar's exact test of these two, in words.
        parameters: The change in percent.
    """

    points: float
    points_without_duplicates: float
    won: int
    lost: int
    p: str
    parameters: float


class Figures:
    """The figures of one split's results; every method raises StudyError where a result is missing.

    Epochs count from 1, and None is the last. `train_after` is what Keras prints in training, with dropout
    and augmentation on; `train` is the accuracy of the chosen weights without.
    """

    def __init__(self, results: Results, latency: Latency | None = None) -> None:
        """Takes the results of one split, and the latencies where they were measured."""
        self._results, self._latency = results, latency
        self._intervals: dict[str, tuple[float, float]] = {}

    def _of(self, experiment: str) -> Sequence[Result]:
        if experiment not in self._results:
            words = "has no result" if experiment in EXPERIMENTS else "does not exist"
            raise StudyError(f"experiment {experiment!r} {words}", experiment=experiment)
        return self._results[experiment]

    def _seed(self, experiment: str, seed: int = 0) -> Result:
        for result in self._of(experiment):
            if result.seed == seed:
                return result
        raise StudyError(f"experiment {experiment!r} has no result of seed {seed}", experiment=experiment)

    def _mean(self, experiment: str, share: Callable[[Result], float]) -> float:
        return 100 * float(np.mean([share(result) for result in self._of(experiment)]))

    def _after_each(self, experiment: str, name: str, seed: int = 0) -> list[float]:
        return [100 * value for value in getattr(self._seed(experiment, seed).history, name)]

    def _votes(self, experiment: str) -> list[OnVotes]:
        votes = [result.ferplus for result in self._of(experiment) if result.ferplus]
        if len(votes) < len(self._of(experiment)):
            raise StudyError(f"experiment {experiment!r} has a result without FER+", experiment=experiment)
        return votes

    # --- what there is

    def run(self, experiment: str) -> bool:
        """Whether the experiment has a result."""
        return experiment in self._results

    def seeds(self, experiment: str) -> int:
        """How many seeds have a result."""
        return len(self._of(experiment))

    def has_votes(self, experiment: str) -> bool:
        """Whether all its results are scored on FER+'s labels."""
        return all(result.ferplus for result in self._of(experiment))

    def trained_faces(self, experiment: str) -> int:
        """How many faces it is trained on."""
        return self._of(experiment)[0].faces.train

    def test_faces(self, experiment: str) -> int:
        """How many faces it is tested on."""
        return self._of(experiment)[0].faces.test

    def duplicate_faces(self, experiment: str) -> int:
        """How many test faces have their image in training too."""
        return self.test_faces(experiment) - self._of(experiment)[0].test.without_duplicates.faces

    # --- of the chosen weights

    def test(self, experiment: str) -> float:
        """The test accuracy."""
        return self._mean(experiment, lambda result: result.test.accuracy)

    def tests_of_seeds(self, experiment: str) -> list[float]:
        """The test accuracy of each seed."""
        return [100 * result.test.accuracy for result in self._of(experiment)]

    def _interval(self, experiment: str) -> tuple[float, float]:
        if experiment not in self._intervals:
            self._intervals[experiment] = interval(self._of(experiment))
        return self._intervals[experiment]

    def low(self, experiment: str) -> float:
        """The lower end of the test accuracy's 95 % interval."""
        return 100 * self._interval(experiment)[0]

    def high(self, experiment: str) -> float:
        """The upper end of the test accuracy's 95 % interval."""
        return 100 * self._interval(experiment)[1]

    def holds(self, experiment: str, accuracy: float) -> bool:
        """Whether an accuracy lies in that interval."""
        return self.low(experiment) <= accuracy <= self.high(experiment)

    def without_duplicates(self, experiment: str) -> float:
        """On the test faces whose image is not in training too."""
        return 100 * accuracy_without_duplicates(self._of(experiment))

    def on_duplicates(self, experiment: str) -> float:
        """On the other test faces."""
        return 100 * accuracy_on_duplicates(self._of(experiment))

    def train(self, experiment: str) -> float:
        """On its own training faces and labels."""
        return self._mean(experiment, lambda result: result.train_accuracy)

    def validation(self, experiment: str) -> float:
        """On its validation faces."""
        return self._mean(experiment, lambda result: result.validation_accuracy)

    def recall(self, experiment: str, label: str | None = None) -> float:
        """Of a label on the test split; the mean of the seven where none is named."""
        recalls = [[recall for _, recall, _ in of_classes(r.test.confusion)] for r in self._of(experiment)]
        of_labels = 100 * np.mean(recalls, axis=0)
        return float(of_labels.mean() if label is None else of_labels[LABELS.index(label)])

    def majority(self, experiment: str) -> float:
        """On FER+'s majority labels."""
        return 100 * float(np.mean([votes.right / votes.faces for votes in self._votes(experiment)]))

    def majority_recall(self, experiment: str) -> float:
        """The mean recall over FER+'s majority labels."""
        recalls = [r for votes in self._votes(experiment) for _, r, _ in of_classes(votes.confusion)]
        return 100 * float(np.mean(recalls))

    def majority_faces(self, experiment: str) -> int:
        """How many test faces have a majority label."""
        return self._votes(experiment)[0].faces

    def own_test(self, experiment: str) -> float:
        """The test accuracy on the labels that it was trained on."""
        labels = EXPERIMENTS[experiment].labels
        return self.test(experiment) if labels == "fer2013" else self.majority(experiment)

    def gap(self, experiment: str) -> float:
        """How much less of the test than of its training faces it is right on, by the same labels."""
        return self.train(experiment) - self.own_test(experiment)

    def active(self, experiment: str, layer: int = 0, seed: int | None = None) -> float:
        """The share of a hidden dense layer's units that are above 0 on a test face, all seeds' mean."""
        results = self._of(experiment) if seed is None else [self._seed(experiment, seed)]
        shares = [list(result.active_units.values()) for result in results]
        if not all(0 <= layer < len(of_seed) for of_seed in shares):
            raise StudyError(
                f"experiment {experiment!r} has a result without the active units of a layer {layer}",
                experiment=experiment,
            )
        return 100 * float(np.mean([of_seed[layer] for of_seed in shares]))

    # --- after an epoch

    def epochs(self, experiment: str, seed: int = 0) -> int:
        """How many epochs it was trained for."""
        return self._seed(experiment, seed).epochs_trained

    def chosen(self, experiment: str) -> int:
        """The epoch whose weights are scored."""
        return self._seed(experiment).best_epoch

    def chosen_of_seeds(self, experiment: str) -> list[int]:
        """The chosen epoch of each seed."""
        return [result.best_epoch for result in self._of(experiment)]

    def epochs_in_words(self, experiment: str) -> str:
        """The chosen and the last epoch of each seed: '31/41'."""
        return ", ".join(f"{result.best_epoch}/{result.epochs_trained}" for result in self._of(experiment))

    def on_test(self, experiment: str) -> float:
        """What choosing the epoch on the test split would have given."""
        return self._mean(experiment, lambda result: max(result.history.test_accuracy))

    def last_train(self, experiment: str) -> float:
        """What Keras prints in training after the last epoch, the mean over the seeds."""
        return self._mean(experiment, lambda result: result.history.accuracy[-1])

    def last_test(self, experiment: str) -> float:
        """The test accuracy after the last epoch, the mean over the seeds."""
        return self._mean(experiment, lambda result: result.history.test_accuracy[-1])

    def train_after(self, experiment: str, epoch: int | None = None, seed: int = 0) -> float:
        """What Keras prints in training after an epoch."""
        return self._after_each(experiment, "accuracy", seed)[(epoch or 0) - 1]

    def validation_after(self, experiment: str, epoch: int | None = None) -> float:
        """The validation accuracy after an epoch."""
        return self._after_each(experiment, "val_accuracy")[(epoch or 0) - 1]

    def test_after(self, experiment: str, epoch: int | None = None, seed: int = 0) -> float:
        """The test accuracy after an epoch."""
        return self._after_each(experiment, "test_accuracy", seed)[(epoch or 0) - 1]

    def tests_after(
        self, experiment: str, first: int = 1, last: int | None = None, seed: int = 0
    ) -> list[float]:
        """The test accuracies after the epochs `first` to `last`; a `first` below 0 counts from the end."""
        return _stretch(self._after_each(experiment, "test_accuracy", seed), first, last)

    def validations_after(self, experiment: str, first: int = 1, last: int | None = None) -> list[float]:
        """The validation accuracies after such epochs."""
        return _stretch(self._after_each(experiment, "val_accuracy"), first, last)

    def passes(self, experiment: str, accuracy: float, seed: int = 0) -> int:
        """The first epoch that ends with more than so many percent in training."""
        for epoch, value in enumerate(self._after_each(experiment, "accuracy", seed), 1):
            if value > accuracy:
                return epoch
        raise StudyError(
            f"experiment {experiment!r} never passes {accuracy} % in training", experiment=experiment
        )

    def _distances(self, experiment: str, train: float, test: float) -> list[float]:
        pairs = zip(
            self._after_each(experiment, "accuracy"),
            self._after_each(experiment, "test_accuracy"),
            strict=True,
        )
        return [max(abs(one - train), abs(other - test)) for one, other in pairs]

    def nearest(self, experiment: str, train: float, test: float) -> int:
        """The epoch that comes nearest to two accuracies, in training and in the test; see `apart`."""
        distances = self._distances(experiment, train, test)
        return distances.index(min(distances)) + 1

    def apart(self, experiment: str, train: float, test: float) -> float:
        """How far that epoch's two accuracies are from these, in points: the larger of both differences."""
        return min(self._distances(experiment, train, test))

    def lowest(self, experiment: str, first: int = 1) -> int:
        """The epoch with the lowest test accuracy from `first` on; below 0 it counts from the end."""
        accuracies = self.tests_after(experiment, first)
        return self.epochs(experiment) - len(accuracies) + accuracies.index(min(accuracies)) + 1

    # --- of two experiments

    def p(self, experiment: str, other: str) -> str:
        """McNemar's test of two experiments' first seeds."""
        return p_value(mcnemar(self._seed(experiment), self._seed(other))[2])

    def compare(self, before: str, after: str) -> Comparison:
        """What changes from one experiment to another."""
        won, lost, probability = mcnemar(self._of(after)[0], self._of(before)[0])
        return Comparison(
            points=self.test(after) - self.test(before),
            points_without_duplicates=self.without_duplicates(after) - self.without_duplicates(before),
            won=won,
            lost=lost,
            p=p_value(probability),
            parameters=100 * self.parameters(after) / self.parameters(before) - 100,
        )

    # --- costs

    def parameters(self, experiment: str) -> int:
        """How many weights the network has."""
        return self._of(experiment)[0].parameters

    def multiply_adds(self, experiment: str) -> int:
        """Of one face forward."""
        return self._of(experiment)[0].multiply_adds

    def core_minutes(self, experiment: str) -> float:
        """Processor time of a training."""
        return self._of(experiment)[0].processor_seconds / 60

    def images_per_second(self, experiment: str) -> float:
        """Faces trained on in a second of a core."""
        return self._of(experiment)[0].images_per_core_second

    def timed(self, experiment: str) -> TimedNetwork | None:
        """The latency of its network; None where it is not measured."""
        if experiment not in EXPERIMENTS or not self._latency:
            return None
        return self._latency.networks.get(EXPERIMENTS[experiment].network_key)

    def ms(self, experiment: str) -> str:
        """Milliseconds a face, to a thousandth, as `python -m study.latency` measured them."""
        network = self.timed(experiment)
        if not network:
            raise StudyError(
                f"the latency of experiment {experiment!r} is not measured", experiment=experiment
            )
        return f"{network.median_ms:.3f}"


def _stretch(values: list[float], first: int, last: int | None) -> list[float]:
    return values[first - 1 if first > 0 else first : last]


def p_value(probability: float) -> str:
    """Returns a test's p in words."""
    return f"p = {probability:.2g}" if probability >= 1e-12 else "p < 1e-12"


def released(model: str) -> float:
    """Returns a released model's accuracy on the official PrivateTest, percent, from `make evaluate`."""
    path = EVALUATION / f"{model}.keras.json"
    try:
        return 100 * float(json.loads(path.read_text(encoding="utf-8"))["accuracy"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudyError(f"{path} has no accuracy ({error!r})", path=path) from error


def mean(values: Sequence[float]) -> float:
    """Returns the mean of values; raises StudyError where there are none."""
    if not values:
        raise StudyError("a mean of no values")
    return float(np.mean(values))
