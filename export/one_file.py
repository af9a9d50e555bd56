"""From `models/<name>.keras` to checked artifacts with cards: the whole export, top to bottom."""

import datetime
import hashlib
import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dataset.duplicates import duplicates_of
from dataset.fer2013 import LABELS, OFFICIAL_SHA256, Dataset
from runtime.card import PRECISIONS
from runtime.engines import ENGINES, ENGINES_OF_SUFFIX, EngineError, ScoresOf

from . import card
from . import tflite_metadata as metadata
from .convert import ConversionError, in_own_process
from .parity import Parity, compare, faults
from .parity_faces import parity_faces

ROOT = Path(__file__).parent.parent
TFLITE_ONLY = ("dynamic", "int8_io")  # precisions in which no ONNX file is written
CALIBRATION_FACES = 1000  # of the training split, evenly spaced
SPLITS = ("validation", "test")


class ExportError(RuntimeError):
    """The export can't be done as asked; the message says what to do."""


@dataclass(frozen=True)
class Outcome:
    """What became of one file: its card, or why it was not kept."""

    file: str
    card: dict[str, Any] | None
    faults: tuple[str, ...] = ()


def export(
    keras_file: Path,
    out: Path,
    *,
    dataset: Dataset | None,
    record: bool = False,
    jobs: int = 2,
    announce: Callable[[str], None] = print,
    done: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Writes every precision of both forms of one model to `out`, each checked and with its card.

    Each file is made in a process of its own, told its facts, opened by the runtime, and compared with
    Keras on `parity_faces`; where `dataset` is at hand also on its validation split. A file that misses a
    limit of `export.parity` is not kept. `record`, for what is released, scores the test split as well, which
    decides nothing, and stores the accuracies in `models/<name>.measured.json`, where other exports find
    them by the file's sha256. `done` is called after each file.

    Raises ExportError where Keras' own scores can't be had, and where int8 needs ranges and there is
    no dataset to measure them on.
    """
    name = keras_file.stem
    weights_sha256 = hashlib.sha256(keras_file.read_bytes()).hexdigest()
    out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix=".export-", dir=out) as folder,
        # Faces of the dataset stand elsewhere: a killed export leaves none in the folder of the results.
        tempfile.TemporaryDirectory(prefix="ferkit-export-") as arrays_folder,
    ):
        workplace, arrays = Path(folder), Path(arrays_folder)
        ranges_file = ranges_for(keras_file, dataset, arrays, announce)
        faces = {"parity": parity_faces()}
        if dataset is not None:
            splits = SPLITS if record else SPLITS[:1]
            faces |= {split: dataset.split(split)[0] for split in splits}
        reference = keras_scores(keras_file, faces, arrays)
        stored = stored_measurements(keras_file)
        keras_accuracy = accuracy_of(dataset, reference) if dataset is not None else None

        def make(file_name: str) -> tuple[Outcome, dict[str, Any] | None]:
            file = workplace / file_name
            precision, form = file.stem.removeprefix(f"{name}_"), file.suffix[1:]
            try:
                in_own_process("convert", keras_file, file, precision, ranges_file)
                released = keras_file.resolve().parent == ROOT / "models"
                facts = card.describe(name, precision, form, list(LABELS), versions(form), released=released)
                if form == "onnx":
                    card.embed(file, facts)
                else:
                    metadata.embed(file, facts, weights_sha256)
                scores_of = one_by_one(ENGINES[ENGINES_OF_SUFFIX[file.suffix][0]](file))
            except (ConversionError, EngineError) as error:
                return Outcome(file.name, None, (str(error),)), None
            parity = compare(scores_of(faces["parity"]), reference["parity"])
            found, measured = faults(precision, parity), None
            if dataset is not None and keras_accuracy is not None:
                scores = {"validation": scores_of(faces["validation"])}
                drop = keras_accuracy["validation"] - accuracy_of(dataset, scores)["validation"]
                on_validation = compare(scores["validation"], reference["validation"])
                found += [f"{fault} (validation split)" for fault in faults(precision, on_validation, drop)]
            if found:
                return Outcome(file.name, None, tuple(found)), None
            if dataset is not None:
                if record:
                    scores["test"] = scores_of(faces["test"])
                measured = accuracy_of(dataset, scores)
                if record:
                    on_test = compare(scores["test"], reference["test"])
                    measured |= {
                        "test_agreement": on_test.label_agreement,
                        "test_largest_gap": on_test.largest_gap,
                    }
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            accuracy = merged(measured, stored.get(digest), dataset)
            parity_facts = describe_parity(parity, keras_file.name, weights_sha256)
            content = card.complete(facts, file, parity_facts, accuracy)
            card_file = workplace / f"{file.name}.json"
            card_file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
            (out / card_file.name).unlink(missing_ok=True)  # never an old card beside a new file
            file.replace(out / file.name)
            card_file.replace(out / card_file.name)
            return Outcome(file.name, content), measured

        outcomes, measurements = [], {}
        with ThreadPoolExecutor(jobs) as pool:
            tasks = [pool.submit(make, file_name) for file_name in file_names(keras_file)]
            try:
                for task in tasks:
                    outcome, measured = task.result()
                    if outcome.card is None:
                        for left in (out / outcome.file, out / f"{outcome.file}.json"):
                            left.unlink(missing_ok=True)
                    elif measured is not None:
                        measurements[outcome.card["sha256"]] = outcome.card["accuracy"]
                    outcomes.append(outcome)
                    done(outcome)
            except BaseException:  # Ctrl-C too: else every conversion that waits would still be made
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        if record and dataset is not None:
            write_json(measured_path(keras_file), {"keras": keras_accuracy, "files": measurements})
    return outcomes


def one_by_one(scores_of: ScoresOf) -> ScoresOf:
    """Returns the same, a face at a time, as on a device.

    What is quantized dynamically answers a face by the range of its whole batch.
    """
    return lambda faces: np.concatenate([scores_of(face[np.newaxis]) for face in faces])


def file_names(keras_file: Path) -> list[str]:
    """Returns the names of the files that an export of the model writes.

    A recurrent net has no int8 TFLite file: in every way that was tried it misses the limits
    (reports/cnn_lstm_int8.md).
    """
    names = []
    for form, left_out in (("tflite", ()), ("onnx", TFLITE_ONLY)):
        for precision in PRECISIONS:
            if precision in left_out:
                continue
            if not (form == "tflite" and precision.startswith("int8") and is_recurrent(keras_file)):
                names.append(f"{keras_file.stem}_{precision}.{form}")
    return names


def is_recurrent(keras_file: Path) -> bool:
    """Whether the model has an LSTM, read from the file's configuration without loading Keras.

    Raises ExportError for what is not a `.keras` file.
    """
    try:
        with zipfile.ZipFile(keras_file) as archive:
            configuration = json.loads(archive.read("config.json"))
        layers = configuration["config"].get("layers", [])
        return any(layer.get("class_name") == "LSTM" for layer in layers)
    except (zipfile.BadZipFile, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ExportError(
            f"{keras_file}: expected a .keras file of Keras 3, got something else ({error}). "
            "Train one, or save yours with model.save('name.keras')."
        ) from error


def ranges_for(
    keras_file: Path, dataset: Dataset | None, workplace: Path, announce: Callable[[str], None]
) -> Path:
    """Returns the file with the activations' ranges of these very weights, measured now if need be.

    Ranges are measured once, on training faces, and stored beside the weights: the export of the
    released models needs no dataset, and gives the same int8 files everywhere.
    """
    stored = keras_file.with_suffix(".ranges.json")
    if is_recurrent(keras_file):  # its quantized files take the ranges as they come
        return stored
    digest = hashlib.sha256(keras_file.read_bytes()).hexdigest()
    if stored.exists() and read_stored(stored, "weights_sha256") == digest:
        return stored
    if dataset is None:
        state = "has other weights'" if stored.exists() else "is missing"
        raise ExportError(
            f"{keras_file}: int8 needs the ranges of its activations, and {stored.name} {state}. "
            "Give the faces it was trained on: python -m export --data fer2013.csv"
        )
    faces = training_faces(dataset, CALIBRATION_FACES)
    announce(f"Measuring the ranges of {keras_file} on {len(faces)} training faces ...")
    ranges = measured_ranges(keras_file, faces, workplace)
    content = {
        "weights_sha256": digest,
        "dataset_sha256": dataset.sha256,
        "faces": len(faces),
        **ranges,
    }
    write_json(stored, content, indent=0)
    return stored


def measured_ranges(keras_file: Path, faces: np.ndarray, workplace: Path) -> dict[str, Any]:
    """Returns the ranges of every activation over faces `uint8 (n, 48, 48, 1)`, for each form."""
    faces_file, ranges_file = workplace / "training_faces.npy", workplace / "ranges.json"
    np.save(faces_file, faces)
    try:
        in_own_process("ranges", keras_file, faces_file, ranges_file)
    except ConversionError as error:
        raise ExportError(str(error)) from error
    return json.loads(ranges_file.read_text(encoding="utf-8"))


def training_faces(dataset: Dataset, count: int) -> np.ndarray:
    """Returns `count` faces of the training split, evenly spaced; all of them where there are fewer."""
    faces, _ = dataset.split("train")
    return faces[np.linspace(0, len(faces) - 1, min(count, len(faces))).astype(int)]


def keras_scores(keras_file: Path, faces: dict[str, np.ndarray], workplace: Path) -> dict[str, np.ndarray]:
    """Returns what Keras itself answers to each set of faces."""
    faces_file, scores_file = workplace / "faces.npy", workplace / "scores.npy"
    np.save(faces_file, np.concatenate(list(faces.values())))
    try:
        in_own_process("scores", keras_file, faces_file, scores_file)
    except ConversionError as error:
        raise ExportError(str(error)) from error
    scores = np.load(scores_file)
    if scores.shape[1:] != (len(LABELS),):
        raise ExportError(
            f"{keras_file}: expected {len(LABELS)} scores per face, in the order {', '.join(LABELS)}, "
            f"got an output of shape {scores.shape[1:]}. Train a model with these {len(LABELS)} outputs."
        )
    ends = np.cumsum([len(part) for part in faces.values()])[:-1]
    return dict(zip(faces, np.split(scores, ends), strict=True))


def accuracy_of(dataset: Dataset, scores: dict[str, np.ndarray]) -> dict[str, Any]:
    """Returns the accuracy on each split scored, and on the test rows that no training row repeats."""
    accuracy: dict[str, Any] = {}
    for split in (split for split in SPLITS if split in scores):
        right = scores[split].argmax(axis=1) == dataset.split(split)[1]
        accuracy[split] = float(right.mean())
        if split == "test":
            accuracy["test_without_duplicates"] = float(
                right[~duplicates_of(dataset, split="test", of="train")].mean()
            )
    return accuracy


def merged(
    measured: dict[str, Any] | None, stored: dict[str, Any] | None, dataset: Dataset | None
) -> dict[str, Any] | None:
    """Returns the card's accuracy: what was measured now, under the stored date where nothing changed.

    stored: what was recorded of this very file. Where that has the test split and only validation of the
    same dataset was scored now, it stays whole: the date is that of all figures.
    """
    if measured is None or dataset is None:
        return stored
    today = datetime.date.today().isoformat()
    name = "FER2013" if dataset.sha256 == OFFICIAL_SHA256 else dataset.path.absolute().name
    fresh = {"dataset": name, "dataset_sha256": dataset.sha256, "measured": today, **measured}
    if stored is None or stored["dataset_sha256"] != dataset.sha256:
        return fresh
    unchanged = fresh == stored | {"measured": today}
    return stored if unchanged or ("test" in stored and "test" not in measured) else fresh


def write_json(path: Path, content: dict[str, Any], *, indent: int = 1) -> None:
    """Writes JSON atomically: the old file stays whole until the new one is."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(content, indent=indent) + "\n", encoding="utf-8")
    part.replace(path)


def stored_measurements(keras_file: Path) -> dict[str, dict[str, Any]]:
    """Returns the accuracies that were recorded for this model's files, by the files' sha256."""
    path = measured_path(keras_file)
    return read_stored(path, "files") if path.exists() else {}


def read_stored(path: Path, key: str) -> Any:
    """Returns what a JSON file beside the weights has under a key; ExportError where it has none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))[key]
    except (KeyError, TypeError, ValueError) as error:
        raise ExportError(
            f"{path}: expected JSON with {key!r}, as an export wrote it, got something else ({error}). "
            "Delete it, and it is measured anew."
        ) from error


def measured_path(keras_file: Path) -> Path:
    """Where the accuracies of a model's files are recorded."""
    return keras_file.with_suffix(".measured.json")


def describe_parity(parity: Parity, reference: str, reference_sha256: str) -> dict[str, Any]:
    """Returns the card's parity; the gap to two digits, since processors differ in the third."""
    return {
        "reference": reference,
        "reference_sha256": reference_sha256,
        "faces": parity.faces,
        "source": "crops of the demo portrait and drawn faces (export/parity_faces.py)",
        "largest_gap": float(f"{parity.largest_gap:.2g}"),
        "label_agreement": round(parity.label_agreement, 4),
    }


def versions(form: str) -> dict[str, str]:
    """Returns the versions of what makes a file of this form."""
    return card.versions_of(
        "keras", "tensorflow", *(("tf2onnx", "onnx", "onnxruntime") if form == "onnx" else ())
    )


def release(outcomes: Sequence[Outcome], files: Sequence[str], out: Path, folder: Path) -> None:
    """Copies the files that the wheel carries, with their cards, to `folder`."""
    kept = {outcome.file for outcome in outcomes if outcome.card is not None}
    for file in files:
        if file not in kept:
            raise ExportError(f"{out / file}: expected to release it, but it was not kept.")
        for part in (file, f"{file}.json"):
            shutil.copyfile(out / part, folder / part)
