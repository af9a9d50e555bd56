"""Every artifact of one model: what they share is made once, then each file by `export.one_file`."""

import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from dataset.classes import classes_of_weights
from dataset.fer2013 import Dataset
from reporting.files import sha256_of, write_json
from runtime.card import PRECISIONS

from .accuracy import SPLITS, accuracy_of, measured_path, stored_measurements
from .errors import ExportError
from .keras_file import is_recurrent, keras_scores
from .one_file import Job, Outcome, export_file
from .own_process import stop_all
from .parity_faces import parity_faces
from .ranges import ranges_for

# The precisions of each format.
WRITTEN = {"tflite": PRECISIONS, "onnx": ("fp32", "fp16", "int8")}


def export_model(
    keras_file: Path,
    out: Path,
    *,
    dataset: Dataset | None,
    record: bool = False,
    jobs: int = 2,
    announce: Callable[[str], None] = print,
    done: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Writes every artifact of one model to `out`. A file that misses a limit of `export.parity` is not kept.

    Args:
        keras_file: The weights.
        out: The folder for the artifacts.
        dataset: Its validation split is a further check. None checks on `parity_faces` alone.
        record: Whether to score the test split as well, which decides nothing, and to store the accuracies in
            `<name>.measured.json` beside the weights, where later exports find them by the files' sha256.
        jobs: How many files are made at a time.
        announce: Is called with a sentence before what takes long.
        done: Is called after each file.

    Raises:
        ExportError: Keras' own scores can't be had, int8 needs ranges and there is no dataset, or the dataset
            has other classes than the model.
        DatasetError: The record beside the weights is none, or is of other weights.
    """
    labels = labels_of(keras_file, dataset)
    out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix=".export-", dir=out) as workplace,
        # Faces of the dataset are elsewhere: a killed export leaves none in the folder of the results.
        tempfile.TemporaryDirectory(prefix="ferkit-export-") as arrays,
    ):
        ranges_file = ranges_for(keras_file, dataset, Path(arrays), announce)
        faces = {"parity": parity_faces()}
        if dataset is not None:
            faces |= {split: dataset.split(split)[0] for split in (SPLITS if record else SPLITS[:1])}
        job = Job(
            keras_file=keras_file,
            weights_sha256=sha256_of(keras_file),
            labels=labels,
            ranges_file=ranges_file,
            faces=faces,
            reference=keras_scores(keras_file, labels, faces, Path(arrays)),
            dataset=dataset,
            recorded=stored_measurements(keras_file),
            workplace=Path(workplace),
            out=out,
        )
        outcomes = export_files(partial(export_file, job), file_names(keras_file), out, jobs=jobs, done=done)
    if record and dataset is not None:
        files = {outcome.card["sha256"]: outcome.card["accuracy"] for outcome in outcomes if outcome.card}
        write_json(measured_path(keras_file), {"keras": accuracy_of(dataset, job.reference), "files": files})
    return outcomes


def labels_of(keras_file: Path, dataset: Dataset | None) -> tuple[str, ...]:
    """Returns the labels of a model's scores.

    Raises:
        ExportError: The dataset has other classes.
        DatasetError: The record beside the weights is none, or is of other weights.
    """
    labels = classes_of_weights(keras_file)
    if dataset is not None and dataset.classes != labels:
        raise ExportError(
            keras_file,
            f"expected a dataset of its classes {', '.join(labels)}, got {dataset.path} with "
            f"{', '.join(dataset.classes)}. Give the faces that it was trained on, and --labels as then.",
        )
    return labels


def export_files(
    make: Callable[[str], Outcome],
    names: Sequence[str],
    out: Path,
    *,
    jobs: int,
    done: Callable[[Outcome], None],
) -> list[Outcome]:
    """Makes files, some at a time, and removes older ones of those that are not kept.

    Args:
        make: Makes a file of this name.
        names: The files' names.
        out: The folder for them.
        jobs: How many at a time.
        done: Is called after each file.

    Returns:
        An outcome for each name, in the same order.
    """
    outcomes = []
    with ThreadPoolExecutor(jobs) as pool:
        tasks = [pool.submit(make, name) for name in names]
        try:
            for task in tasks:
                outcome = task.result()
                if outcome.card is None:
                    remove_older(out / outcome.file)
                outcomes.append(outcome)
                done(outcome)
        except BaseException:  # Ctrl-C too: else every conversion that waits would still be made
            pool.shutdown(wait=False, cancel_futures=True)
            stop_all()
            raise
    return outcomes


def remove_older(artifact: Path) -> None:
    """Removes what an earlier export wrote of an artifact: its file and its card."""
    for old in (artifact, artifact.with_name(f"{artifact.name}.json")):
        old.unlink(missing_ok=True)


def file_names(keras_file: Path) -> list[str]:
    """Returns the names of the files that an export of the model writes.

    A recurrent net has no int8 TFLite file: every way that was tried misses the limits
    (reports/cnn_lstm_int8.md).
    """
    return [
        f"{keras_file.stem}_{precision}.{form}"
        for form, precisions in WRITTEN.items()
        for precision in precisions
        if not (form == "tflite" and precision.startswith("int8") and is_recurrent(keras_file))
    ]
