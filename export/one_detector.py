"""Every artifact of a face detector, each converted, described, compared with Keras and published."""

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from reporting.files import sha256_of
from runtime.engines import EngineError

from . import card, tflite_metadata
from .accuracy import stored_measurements
from .detector import FOLDER, HEIGHT, PRECISIONS, WIDTH, detector_weights
from .detector_answers import answers_of
from .detector_images import VALIDATION_IMAGES, images_of
from .detector_parity import compare, faults
from .errors import ConversionError, ExportError
from .keras_file import keras_answers
from .one_file import Outcome, publish
from .one_model import export_files
from .own_process import in_own_process
from .parity_images import parity_images
from .ranges import ranges_for_detector

PARITY_IMAGES = 100


@dataclass(frozen=True, kw_only=True)
class Job:
    """What every file of a detector is made from and compared with.

    Attributes:
        keras_file: The weights.
        weights_sha256: Of the weights.
        ranges_file: The ranges of the activations.
        threshold: The confidence of a face.
        images: Sets of images, uint8 (n, 256, 320, 1), gray 0-255: "parity", and "validation" where there are
            images of one's own.
        reference: What Keras answers to them, float32 (n, cells, 9), under the same names.
        recorded: Accuracies by the sha256 of the file that had them.
        workplace: A folder for unfinished files, on the same disk as `out`.
        out: The folder for the files.
    """

    keras_file: Path
    weights_sha256: str
    ranges_file: Path
    threshold: float
    images: dict[str, np.ndarray]
    reference: dict[str, np.ndarray]
    recorded: dict[str, dict[str, Any]]
    workplace: Path
    out: Path


def detector_file_names(keras_file: Path) -> list[str]:
    """Returns the names of the files that an export of a detector writes, each with its folder."""
    return [
        f"{FOLDER}/{keras_file.stem}_{precision}.{form}"
        for form in ("tflite", "onnx")
        for precision in PRECISIONS
    ]


def export_detector(
    keras_file: Path,
    out: Path,
    *,
    images: Sequence[Path] = (),
    jobs: int = 2,
    announce: Callable[[str], None] = print,
    done: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Writes every artifact of a detector to `out/detectors`. A file that misses a limit is not kept.

    Args:
        keras_file: The weights; the record of their training, with the threshold, lies beside them.
        out: The folder of the artifacts.
        images: Folders or zip archives of images. int8 ranges are measured on their training part, where none
            are stored, and files are checked on their validation part as well. Without any, `parity_images`
            are the check.
        jobs: How many files are made at a time.
        announce: Is called with a sentence before what takes long.
        done: Is called after each file.

    Raises:
        ExportError: Keras' own answers can't be had, int8 needs ranges and there are no images, or the record
            is missing.
    """
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    threshold = threshold_of(keras_file)
    with (
        tempfile.TemporaryDirectory(prefix=".export-", dir=folder) as workplace,
        tempfile.TemporaryDirectory(prefix="ferkit-export-") as arrays,
    ):
        ranges_file = ranges_for_detector(keras_file, images, Path(arrays), announce)
        sets = {"parity": parity_images(PARITY_IMAGES, height=HEIGHT, width=WIDTH)}
        if images:
            sets["validation"] = images_of(images, "validation", VALIDATION_IMAGES)
        job = Job(
            keras_file=keras_file,
            weights_sha256=sha256_of(keras_file),
            ranges_file=ranges_file,
            threshold=threshold,
            images=sets,
            reference=keras_answers(keras_file, sets, Path(arrays)),
            recorded=stored_measurements(keras_file),
            workplace=Path(workplace),
            out=folder,
        )
        make = partial(export_detector_file, job)
        return export_files(make, detector_file_names(keras_file), out, jobs=jobs, done=done)


def threshold_of(keras_file: Path) -> float:
    """Returns the confidence of a face that the training chose, from the record beside the weights."""
    record = keras_file.with_suffix(".json")
    try:
        return float(json.loads(record.read_text(encoding="utf-8"))["threshold"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ExportError(
            record,
            f"expected the record of the detector's training, with its threshold, got none ({error}). "
            "Copy it together with the weights.",
        ) from error


def export_detector_file(job: Job, file_name: str) -> Outcome:
    """Makes one artifact and moves it with its card to `job.out`, if it passes every check."""
    file = job.workplace / Path(file_name).name
    precision = file.stem.removeprefix(f"{job.keras_file.stem}_")
    try:
        in_own_process("convert", job.keras_file, file, precision, job.ranges_file)
        facts = describe(job, file, precision)
        answers = answers_of(file)
    except ConversionError as error:
        return Outcome(file_name, None, (error.reason,))
    except EngineError as error:
        return Outcome(file_name, None, (str(error),))
    parities = {
        name: compare(answers(images), job.reference[name], job.threshold)
        for name, images in job.images.items()
    }
    found = [
        fault if name == "parity" else f"{fault} (validation images)"
        for name, parity in parities.items()
        for fault in faults(precision, parity)
    ]
    if found:
        return Outcome(file_name, None, tuple(found))
    parity = card.describe_detector_parity(parities["parity"], job.keras_file.name, job.weights_sha256)
    accuracy = job.recorded.get(sha256_of(file))
    return Outcome(file_name, publish(file, job.out, facts, parity, accuracy))


def describe(job: Job, file: Path, precision: str) -> dict[str, Any]:
    """Writes into a converted file what it says of itself; returns these facts."""
    form = file.suffix[1:]
    released = job.keras_file.resolve() == detector_weights()
    facts = card.describe_detector(precision, form, threshold=job.threshold, released=released)
    if form == "onnx":
        card.embed(file, facts)
    else:
        tflite_metadata.embed(file, facts, job.weights_sha256)
    return facts | card.page_of("detector", released=released)
