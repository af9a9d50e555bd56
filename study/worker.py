"""One row of the study with one seed, in a process of its own: trains it, scores it, writes its result.

`python -m study` starts it and reads its standard output, a JSON object a line: how far it is, or in
`failed` why it ended.
"""

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dataset.duplicates import duplicates_of
from dataset.fer2013 import LABELS, OFFICIAL_SHA256, Dataset
from dataset.ferplus import find_votes, majority_labels, read_votes
from dataset.load import load_dataset
from dataset.locate import DatasetError
from reporting.files import write_json
from train.checkpoints import forget
from train.errors import DivergedError, RunError, TrainingError
from train.recipes import Augmentation, Recipe
from train.training import train

from .experiments import CURVES, ROWS, Row, StudyError, dataset_of, settings
from .networks import NETWORKS, active_units, multiply_adds

Report = Callable[[dict[str, Any]], None]


class AccuracyOnTest(keras.callbacks.Callback):
    """Adds the accuracy on the test split to every epoch's logs; no choice is made by it."""

    def __init__(self, faces: np.ndarray, labels: np.ndarray) -> None:
        """faces: uint8 (n, 48, 48, 1); labels: int64 (n,)."""
        super().__init__()
        self.faces, self.labels = faces.astype("float32"), labels

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        scores = self.model.predict(self.faces, batch_size=256, verbose=0)
        if logs is not None:
            logs["test_accuracy"] = float(np.mean(scores.argmax(axis=1) == self.labels))


class Progress(keras.callbacks.Callback):
    """Says about once a second how many epochs are done, parts of one included."""

    def __init__(self, report: Report, *, steps: int) -> None:
        super().__init__()
        self.report, self.steps, self.epoch, self.said = report, steps, 0, 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.epoch = epoch
        self.report({"epochs": epoch})

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        if time.monotonic() - self.said >= 1:
            self.said = time.monotonic()
            # Eight steps are run at a time, of which the last may lie beyond the epoch.
            self.report({"epochs": self.epoch + min(1, (batch + 1) / self.steps)})

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.report({"epochs": epoch + 1, "validation_accuracy": (logs or {}).get("val_accuracy")})


def run_row(
    row: Row,
    dataset: Dataset,
    *,
    split: str,
    seed: int,
    result: Path,
    run_dir: Path,
    epochs: int | None = None,
    report: Report = lambda progress: None,
) -> dict[str, Any]:
    """Trains a row, scores it and writes `result`, and for the first seed of CURVES its scores beside it.

    dataset: as read; `split` ("paper" or "official") decides what of it is trained on. epochs: in the
    place of the row's own. `run_dir` holds checkpoints, from which a killed training goes on; they are
    deleted once the result is written; the chosen weights, `weights.keras`, stay. Returns what the result
    holds.

    The weights are those of the epoch with the best validation accuracy; of rows that hold out nothing that
    is the test split's. For all others nothing is chosen by the accuracy on the test split, which is noted
    after each epoch for a column of the report.
    """
    chosen = settings(row, seed=seed, epochs=epochs)
    divided = dataset_of(row, dataset, split=split)
    majority = majority_if_any(dataset)  # before hours of training: what is wrong with FER+ is said at once
    build = partial(NETWORKS[row.network], **row.options)
    steps = -(-len(divided.rows("train")) // row.batch_size)
    weights = run_dir / "weights.keras"
    record = train(
        divided,
        model=described(row),
        build=build,
        out=weights,
        run_dir=run_dir,
        recipe=recipe_of(row, epochs=chosen["epochs"], seed=chosen["seed"]),
        tensorboard=False,
        callbacks=[AccuracyOnTest(*divided.split("test")), Progress(report, steps=steps)],
        verbose=0,
    )
    report({"epochs": record["epochs_trained"], "scoring": True})
    network = keras.saving.load_model(weights, compile=False)
    train_scores = network.predict(divided.split("train")[0].astype("float32"), batch_size=256, verbose=0)
    whole = dataset_of(replace(row, labels="fer2013", leave_out_duplicates=False), dataset, split=split)
    test_faces = whole.split("test")[0].astype("float32")
    scores = network.predict(test_faces, batch_size=256, verbose=0)
    content = {
        "row": row.name,
        "split": split,
        "seed": seed,
        "settings": chosen,
        "source_sha256": dataset.sha256,
        "dataset_sha256": divided.sha256,
        "faces": {name: len(divided.rows(name)) for name in ("train", "validation", "test")},
        "parameters": network.count_params(),
        "multiply_adds": multiply_adds(network),
        "epochs_trained": record["epochs_trained"],
        "best_epoch": record["best_epoch"],
        "train_accuracy": float(np.mean(train_scores.argmax(axis=1) == divided.split("train")[1])),
        "validation_accuracy": record["scores"]["validation"]["accuracy"],
        "test": scored(scores, whole, duplicates_of(whole)),
        "ferplus": None if majority is None else scored_on_votes(scores, majority[whole.rows("test")]),
        "active_units": active_units(network, test_faces),
        "seconds": record["seconds"],
        "processor_seconds": round(sum(record["history"]["processor_seconds"]), 1),
        "images_per_second": record["images_per_second"],
        "finished": record["finished"],
        "machine": record["machine"] | {"cores": os.cpu_count()},
        "versions": record["versions"],
        "history": record["history"],
    }
    if row.name in CURVES and seed == 0:
        write_scores(result.with_suffix(".npz"), scores[in_order_of_labels(whole)])
    write_json(result, content)
    forget(run_dir)
    return content


def recipe_of(row: Row, *, epochs: int, seed: int) -> Recipe:
    """Returns the settings of a row's training."""
    return Recipe(
        epochs=epochs,
        batch_size=row.batch_size,
        learning_rate=row.learning_rate,
        schedule=row.schedule,
        precision=row.precision,
        seed=seed,
        augmentation=None if row.augmentation is None else Augmentation(**row.augmentation),
        class_weight=row.class_weight,
        patience=row.patience or epochs,
        keep_duplicates=True,  # as the study did; rows that leave some out name them
    )


def described(row: Row) -> str:
    """Returns the network in words: `cnn filters=[32, 64] dense=[256] dropout=0.4`."""
    options = settings(row, seed=0)["options"]
    return " ".join([row.network, *(f"{name}={value}" for name, value in options.items())])


def in_order_of_labels(dataset: Dataset) -> np.ndarray:
    """Returns the order, int64 (n,), in which the test split stands in every result: by label, then by row.

    With it the labels of all predictions are known from how many faces each label has.
    """
    return np.argsort(dataset.split("test")[1], kind="stable")


def scored(scores: np.ndarray, dataset: Dataset, repeated: np.ndarray) -> dict[str, Any]:
    """Returns what a result says of the test split.

    scores: float32 (n, 7); repeated: bool (n,), the rows whose image is in the training split too.

    `predicted` holds a digit for each face, its label's index, in the order of `in_order_of_labels`;
    `labels` counts the faces of each label; `confusion` counts faces, true label down, predicted across.
    """
    labels = dataset.split("test")[1]
    predicted = scores.argmax(axis=1)
    right = predicted == labels
    return {
        "labels": np.bincount(labels, minlength=len(LABELS)).tolist(),
        "accuracy": float(right.mean()),
        "unrepeated": {"faces": int((~repeated).sum()), "right": int(right[~repeated].sum())},
        "confusion": confusion(labels, predicted),
        "predicted": "".join(map(str, predicted[in_order_of_labels(dataset)])),
    }


def majority_if_any(dataset: Dataset) -> np.ndarray | None:
    """Returns FER+'s majority labels for a dataset as read, int64 (rows,); None where FER+ is not at hand.

    Nor is it for another dataset than FER2013, whose images people voted on.
    """
    if dataset.sha256 != OFFICIAL_SHA256:
        return None
    try:
        path = find_votes(dataset)
    except DatasetError:
        return None
    return majority_labels(read_votes(path, dataset))


def scored_on_votes(scores: np.ndarray, majority: np.ndarray) -> dict[str, Any]:
    """Returns the test faces scored on FER+'s majority, int64 (n,); those without one, -1, are left out."""
    known = majority >= 0
    counts = confusion(majority[known], scores.argmax(axis=1)[known])
    return {"faces": int(known.sum()), "right": int(np.trace(counts)), "confusion": counts}


def confusion(labels: np.ndarray, predicted: np.ndarray) -> list[list[int]]:
    """Returns how many faces of each label, down, got each label, across; both int64 (n,)."""
    counts = np.zeros((len(LABELS), len(LABELS)), int)
    np.add.at(counts, (labels, predicted), 1)
    return counts.tolist()


def write_scores(path: Path, scores: np.ndarray) -> None:
    """Writes scores, float32 (n, 7), atomically, as they are: rounded ones would make ties in a ROC curve."""
    packed = io.BytesIO()
    np.savez_compressed(packed, scores=scores.astype(np.float32))
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(packed.getvalue())
    temporary.replace(path)


@contextmanager
def alone_in(run_dir: Path) -> Iterator[None]:
    """Keeps other trainings out of a run's folder inside the `with`; raises StudyError where one is in it."""
    run_dir.mkdir(parents=True, exist_ok=True)
    with (run_dir / "lock").open("w") as file:
        try:
            import fcntl
        except ImportError:  # on Windows
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StudyError(
                f"{run_dir}: expected a folder of this training alone, got one in which another is at work. "
                "Wait for its end, or name another --run-dir."
            ) from None
        yield


def say(progress: dict[str, Any]) -> None:
    print(json.dumps(progress), flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line that `study` writes; returns the exit status, 1 with one line of why."""
    parser = argparse.ArgumentParser(prog="python -m study.worker", description=__doc__.splitlines()[0])
    parser.add_argument("row", choices=ROWS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", choices=["paper", "official"], required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--result", type=Path, required=True)
    parser.add_argument("--run-dir", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        with alone_in(options.run_dir):
            if options.result.exists():  # another command has made it since this one was asked for
                return 0
            dataset = load_dataset(options.data, splits=("train",))
            run_row(
                ROWS[options.row],
                dataset,
                split=options.split,
                seed=options.seed,
                result=options.result,
                run_dir=options.run_dir,
                epochs=options.epochs,
                report=say,
            )
    except BrokenPipeError:  # whoever started this process is gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains at its end
        return 1
    except KeyboardInterrupt:
        return 130
    except DivergedError:
        again = f"Give row {options.row} a lower learning rate in study/experiments.py, and delete the folder"
        say({"failed": f"{options.run_dir}: expected finite weights, got others: it diverged. {again}."})
        return 1
    except RunError as error:
        reason = f"{error.path}: {error.reason}"  # its message names flags that `study` has not
        say({"failed": f"{options.run_dir} can't be resumed: delete it to train anew ({reason})."})
        return 1
    except (DatasetError, StudyError, TrainingError, OSError) as error:
        say({"failed": str(error)})
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
