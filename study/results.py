"""What a training and the timing write, as typed schemas, and how their files are read."""

import math
import zipfile
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import numpy as np

from dataset.fer2013 import LABELS
from reporting.files import write_json

from .errors import StudyError
from .experiment import Settings
from .experiments import EXPERIMENTS

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=0)]
AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
OfLabels = Annotated[list[Count], msgspec.Meta(min_length=len(LABELS), max_length=len(LABELS))]
Confusion = Annotated[list[OfLabels], msgspec.Meta(min_length=len(LABELS), max_length=len(LABELS))]
"""How many faces of each label, down, got each label, across."""

Schema = TypeVar("Schema", bound=msgspec.Struct)


class Faces(msgspec.Struct, frozen=True):
    """How many faces a training had in each split."""

    train: AtLeastOne
    validation: AtLeastOne
    test: AtLeastOne


class RightOf(msgspec.Struct, frozen=True):
    """How many of some faces got their label."""

    faces: Count
    right: Count

    def __post_init__(self) -> None:
        """Raises ValueError for more right answers than faces."""
        if self.right > self.faces:
            raise ValueError(f"{self.right} right answers on {self.faces} faces")


class OnTest(msgspec.Struct, frozen=True):
    """The answers on the test split, whose faces are sorted by their label.

    Attributes:
        labels: The number of faces of each label, which gives the labels of all predictions.
        accuracy: 0 to 1.
        without_duplicates: On the faces whose image is not in the training split too.
        confusion: See Confusion.
        predicted: A digit for each face, the index of the label that it got.
    """

    labels: OfLabels
    accuracy: Share
    without_duplicates: RightOf
    confusion: Confusion
    predicted: Annotated[str, msgspec.Meta(pattern="^[0-6]+$")]

    def __post_init__(self) -> None:
        """Raises ValueError for figures other than those of the predictions."""
        if len(self.predicted) != sum(self.labels):
            raise ValueError(f"{len(self.predicted)} predictions for {sum(self.labels)} faces")
        found = confusion_of(self.true_labels, self.answers)
        if found != self.confusion:
            raise ValueError("a confusion matrix other than that of the predictions")
        if not math.isclose(self.accuracy, np.trace(found) / len(self.predicted)):
            raise ValueError("an accuracy other than that of the predictions")

    @property
    def true_labels(self) -> np.ndarray:
        """The labels of the faces, int64 (n,)."""
        return np.repeat(np.arange(len(self.labels)), self.labels)

    @property
    def answers(self) -> np.ndarray:
        """The labels that they got, int64 (n,)."""
        return np.frombuffer(self.predicted.encode(), np.uint8).astype(np.int64) - ord("0")

    @property
    def right(self) -> np.ndarray:
        """Which faces got their label, bool (n,)."""
        return self.answers == self.true_labels


class OnVotes(msgspec.Struct, frozen=True):
    """The answers on the test faces for which FER+'s votes have a majority among the seven labels."""

    faces: AtLeastOne
    right: Count
    confusion: Confusion

    def __post_init__(self) -> None:
        """Raises ValueError where the counts differ from those of the confusion matrix."""
        counts = np.array(self.confusion)
        if (counts.sum(), np.trace(counts)) != (self.faces, self.right):
            raise ValueError(f"a confusion matrix other than of {self.right} right of {self.faces} faces")


class History(msgspec.Struct, frozen=True):
    """What each epoch ended with; `accuracy` and `loss` are Keras's, with dropout and augmentation on."""

    accuracy: list[float]
    loss: list[float | None]  # null where it was no finite number
    val_accuracy: list[float]
    val_loss: list[float | None]
    test_accuracy: list[float]
    seconds: list[float]
    processor_seconds: list[float]


class Machine(msgspec.Struct, frozen=True):
    """What a training ran on."""

    processor: str
    system: str
    cores: int | None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One training of an experiment, as its file holds it.

    Attributes:
        seed: The number of the training, from 0; `settings.seed` is what was drawn with.
        source_sha256: Of the dataset as read.
        dataset_sha256: Of what the experiment made of it (`study.split.dataset_of`).
        multiply_adds: Of one face forward.
        best_epoch: Whose weights are scored, from 1.
        train_accuracy: Of these weights on their own training faces, without dropout and augmentation.
        ferplus: None where FER+ was missing.
        active_units: For each hidden dense layer the share of its units above 0 on the test faces; empty in
            older results.
        finished: A date.
    """

    experiment: str
    split: Annotated[str, msgspec.Meta(pattern="^(paper|official)$")]
    seed: Count
    settings: Settings
    source_sha256: str
    dataset_sha256: str
    faces: Faces
    parameters: AtLeastOne
    multiply_adds: AtLeastOne
    epochs_trained: AtLeastOne
    best_epoch: AtLeastOne
    train_accuracy: Share
    validation_accuracy: Share
    test: OnTest
    ferplus: OnVotes | None
    active_units: dict[str, Share] = {}
    seconds: Positive
    processor_seconds: Positive
    images_per_second: Positive
    finished: str
    machine: Machine
    versions: dict[str, str]
    history: History

    def __post_init__(self) -> None:
        """Raises ValueError for epochs that contradict each other."""
        if self.best_epoch > self.epochs_trained:
            raise ValueError(f"a best epoch of {self.best_epoch} out of {self.epochs_trained}")
        for name in self.history.__struct_fields__:
            if len(getattr(self.history, name)) != self.epochs_trained:
                raise ValueError(f"a history of {name} that is not {self.epochs_trained} numbers")

    @property
    def name(self) -> str:
        """The name of its file, without an ending."""
        return f"{self.split}_{self.experiment}_seed{self.seed}"

    @property
    def machine_in_words(self) -> str:
        """What it was trained on: 'AMD EPYC, 2 cores'."""
        return f"{self.machine.processor}, {self.machine.cores} cores"

    @property
    def images_per_core_second(self) -> float:
        """How many faces were trained on in a second of a core."""
        return self.faces.train * self.epochs_trained / self.processor_seconds

    @property
    def is_trial(self) -> bool:
        """Whether the training was given another number of epochs than its experiment's."""
        return self.settings.epochs != EXPERIMENTS[self.experiment].epochs


class TimedNetwork(msgspec.Struct, frozen=True):
    """The size of a network, which experiments have it, and its latency in milliseconds a face."""

    parameters: AtLeastOne
    multiply_adds: AtLeastOne
    experiments: list[str]
    median_ms: Positive
    p95_ms: Positive


class Latency(msgspec.Struct, frozen=True):
    """What `python -m study.latency` measured; `networks` by `Experiment.network_key`."""

    measured: str
    engine: str
    threads: AtLeastOne
    calls: AtLeastOne
    processor: str
    system: str
    networks: dict[str, TimedNetwork]


def confusion_of(labels: np.ndarray, predicted: np.ndarray) -> list[list[int]]:
    """Returns how many faces of each label, down, got each label, across; both int64 (n,)."""
    counts = np.zeros((len(LABELS), len(LABELS)), int)
    np.add.at(counts, (labels, predicted), 1)
    return counts.tolist()


# --- files ---------------------------------------------------------------------------------------------


def write(path: Path, content: msgspec.Struct) -> None:
    """Writes a result or the latencies as JSON, atomically."""
    write_json(path, msgspec.to_builtins(content))


def read(path: Path, schema: type[Schema], what: str, advice: str) -> Schema:
    """Returns the content of a JSON file.

    Args:
        path: The file.
        schema: What it holds.
        what: The same in words.
        advice: What to do about a file that holds something else.

    Raises:
        StudyError: It can't be read, or holds something else.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=schema)
    except OSError as error:
        raise StudyError(f"{path}: expected {what}, got: {error.strerror}.", path=path) from error
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise StudyError(
            f"{path}: expected {what}, got another content ({error}). {advice}", path=path
        ) from error


def read_result(path: Path) -> Result:
    """Returns a result; raises StudyError where the file holds none, or one that contradicts itself."""
    what, advice = "the JSON of a result", "Delete it to train again, or move it."
    result = read(path, Result, what, advice)
    if result.experiment not in EXPERIMENTS:
        raise StudyError(
            f"{path}: expected {what}, got one of experiment {result.experiment!r}, which does not exist. "
            f"{advice}",
            path=path,
        )
    return result


def check_settings(path: Path, found: Settings, asked: Settings, *, trial: bool = False) -> None:
    """Raises StudyError where a result's settings are not those asked for; of a `trial` epochs may be."""
    for name in sorted(Settings.__struct_fields__):
        if getattr(found, name) != getattr(asked, name) and not (trial and name == "epochs"):
            raise StudyError(
                f"{path}: expected a result with {name}={getattr(asked, name)!r}, as asked for, got "
                f"{getattr(found, name)!r}. Delete the file to train the experiment again, or name another "
                "folder: --results FOLDER",
                path=path,
                option="--results",
            )


def read_results(folder: Path, split: str) -> dict[str, list[Result]]:
    """Returns the results of a split, by experiment in the order of EXPERIMENTS, and by seed.

    Raises StudyError for one that is not of the experiment, seed, split and dataset that it stands for.
    """
    found: list[Result] = []
    for path in sorted(folder.glob(f"{split}_*_seed*.json")):
        result = read_result(path)
        if path.stem != result.name or result.split != split:
            raise StudyError(
                f"{path}: expected the result that its name says, got {result.name}. Delete or rename it.",
                path=path,
            )
        asked = EXPERIMENTS[result.experiment].settings(seed=result.seed)
        check_settings(path, result.settings, asked, trial=True)
        found.append(result)
        if _dataset_of(result) != _dataset_of(found[0]):
            raise StudyError(
                f"{path}: expected a result on the dataset of the others, got one on another. "
                "Move it elsewhere.",
                path=path,
            )
    return {
        name: sorted(of_experiment, key=lambda result: result.seed)
        for name in EXPERIMENTS
        if (of_experiment := [result for result in found if result.experiment == name])
    }


def _dataset_of(result: Result) -> tuple[object, ...]:
    """Returns by what the dataset and the test faces of a result are known."""
    return result.source_sha256, *result.test.labels


def read_latency(folder: Path) -> Latency | None:
    """Returns what `python -m study.latency` measured, None where it did not."""
    path = folder / "latency.json"
    if not path.exists():
        return None
    what = "the latencies of `python -m study.latency`"
    return read(path, Latency, what, "Measure again, or delete it.")


def place_of_scores(folder: Path, result: Result) -> Path:
    """Returns the file that holds the scores of a result."""
    return folder / f"{result.name}.npz"


def read_scores(folder: Path, result: Result) -> np.ndarray | None:
    """Returns the scores, float32 (n, 7), of a result, in the order of its predictions; None without.

    Raises StudyError where the file holds something else.
    """
    path = place_of_scores(folder, result)
    if not path.exists():
        return None
    try:
        scores: np.ndarray = np.load(path)["scores"]
        predicted = "".join(map(str, scores.argmax(axis=1)))
        whole = scores.shape[1] == len(LABELS) and np.isfinite(scores).all()
    except OSError as error:
        raise StudyError(
            f"{path}: expected the scores of a result, got: {error.strerror or error}.", path=path
        ) from error
    except (ValueError, KeyError, IndexError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise StudyError(
            f"{path}: expected the scores of a result, got another content ({error}). Delete it.", path=path
        ) from error
    if not whole or predicted != result.test.predicted:
        raise StudyError(
            f"{path}: expected scores of the result beside it, got others. Delete it.", path=path
        )
    return scores
