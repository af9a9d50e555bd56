"""One artifact, from the weights to the file with its card: convert, describe, check, publish."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dataset.fer2013 import Dataset
from reporting.files import sha256_of
from runtime.engines import ENGINES, ENGINES_OF_SUFFIX, EngineError, ScoresOf
from train.models import RELEASED

from . import card, tflite_metadata
from .accuracy import accuracy_of, merged
from .errors import ConversionError
from .own_process import in_own_process
from .parity import compare, faults


@dataclass(frozen=True, kw_only=True)
class Job:
    """What every file of one model is made from and compared with.

    Attributes:
        keras_file: The weights.
        weights_sha256: Of the weights.
        labels: Of the scores.
        ranges_file: The ranges of the activations.
        faces: Sets of faces, uint8 (n, 48, 48, 1), gray 0-255: "parity"; with a dataset "validation", and
            "test" where that is to be scored.
        reference: What Keras answers to them, float32 (n, labels), under the same names.
        dataset: Where the accuracy is measured; None where there is none.
        recorded: Accuracies by the sha256 of the file that had them.
        workplace: A folder for unfinished files, on the same disk as `out`.
        out: The folder for the artifacts.
    """

    keras_file: Path
    weights_sha256: str
    labels: tuple[str, ...]
    ranges_file: Path
    faces: dict[str, np.ndarray]
    reference: dict[str, np.ndarray]
    dataset: Dataset | None
    recorded: dict[str, dict[str, Any]]
    workplace: Path
    out: Path


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Attributes:
        file: Its name.
        card: Its card; None where the file was not kept.
        faults: Why it was not kept.
    """

    file: str
    card: dict[str, Any] | None
    faults: tuple[str, ...] = ()


def export_file(job: Job, file_name: str) -> Outcome:
    """Makes one artifact and moves it with its card to `job.out`, if it passes every check.

    Args:
        job: The model.
        file_name: A name that `export.one_model.file_names` returns.
    """
    file = job.workplace / file_name
    precision = file.stem.removeprefix(f"{job.keras_file.stem}_")
    try:
        in_own_process("convert", job.keras_file, file, precision, job.ranges_file)
        facts = describe(job, file, precision)
        scores_of = one_by_one(ENGINES[ENGINES_OF_SUFFIX[file.suffix][0]](file))
    except ConversionError as error:
        return Outcome(file_name, None, (error.reason,))
    except EngineError as error:
        return Outcome(file_name, None, (str(error),))
    scores = {"parity": scores_of(job.faces["parity"])}
    parity = compare(scores["parity"], job.reference["parity"])
    found = faults(precision, parity)
    if job.dataset is not None:
        scores["validation"] = scores_of(job.faces["validation"])
        found += faults_on_validation(job, precision, scores)
    if found:
        return Outcome(file_name, None, tuple(found))
    if "test" in job.faces:
        scores["test"] = scores_of(job.faces["test"])
    accuracy = merged(measured_accuracy(job, scores), job.recorded.get(sha256_of(file)), job.dataset)
    described = card.describe_parity(parity, job.keras_file.name, job.weights_sha256)
    return Outcome(file_name, publish(file, job.out, facts, described, accuracy))


def describe(job: Job, file: Path, precision: str) -> dict[str, Any]:
    """Writes into a converted file what it says of itself; returns these facts."""
    form = file.suffix[1:]
    released = job.keras_file.resolve().parent == RELEASED
    facts = card.describe(job.keras_file.stem, precision, form, list(job.labels), released=released)
    if form == "onnx":
        card.embed(file, facts)
    else:
        tflite_metadata.embed(file, facts, job.weights_sha256)
    return facts | card.page_of(job.keras_file.stem, released=released)


def one_by_one(scores_of: ScoresOf) -> ScoresOf:
    """Returns the same function, which answers one face at a time, as a device does.

    With dynamic-range quantization the answer to a face depends on the range of its whole batch.
    """
    return lambda faces: np.concatenate([scores_of(face[np.newaxis]) for face in faces])


def faults_on_validation(job: Job, precision: str, scores: dict[str, np.ndarray]) -> list[str]:
    """Returns the limits that a file's scores miss on the validation split."""
    assert job.dataset is not None
    keras, own = (accuracy_on_validation(job.dataset, answers) for answers in (job.reference, scores))
    parity = compare(scores["validation"], job.reference["validation"])
    return [f"{fault} (validation split)" for fault in faults(precision, parity, keras - own)]


def accuracy_on_validation(dataset: Dataset, scores: dict[str, np.ndarray]) -> float:
    """Returns the accuracy on the validation split, 0 to 1."""
    return accuracy_of(dataset, {"validation": scores["validation"]})["validation"]


def measured_accuracy(job: Job, scores: dict[str, np.ndarray]) -> dict[str, Any] | None:
    """Returns a file's accuracies, with the test split also its parity there; None without a dataset."""
    if job.dataset is None:
        return None
    accuracy = accuracy_of(job.dataset, scores)
    if "test" in scores:
        parity = compare(scores["test"], job.reference["test"])
        accuracy |= {"test_agreement": parity.label_agreement, "test_largest_gap": parity.largest_gap}
    return accuracy


def publish(
    file: Path,
    out: Path,
    facts: dict[str, Any],
    described: dict[str, Any],
    accuracy: dict[str, Any] | None,
) -> dict[str, Any]:
    """Moves a checked file with its card to the folder `out`; returns the card.

    Args:
        file: The file, with the facts in it.
        out: The folder.
        facts: What `export.card.describe` returned.
        described: The card's parity.
        accuracy: What the file scored; None where it was never measured.
    """
    content = card.complete(facts, file, described, accuracy)
    card_file = file.with_name(f"{file.name}.json")
    card_file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    (out / card_file.name).unlink(missing_ok=True)  # never an old card beside a new file
    file.replace(out / file.name)
    card_file.replace(out / card_file.name)
    return content
