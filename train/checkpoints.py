"""What a run leaves behind after every epoch, so that a killed one goes on where it stopped."""

import csv
import json
import shutil
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from .batches import FaceBatches


class RunError(ValueError):
    """A run folder that cannot be used as asked; the message says what to do."""


class DivergedError(RunError):
    """A training whose weights are not finite."""


ANEW = "add --restart to begin anew, or name another --run-dir"


def write_json(path: Path, content: Any) -> None:
    """Writes JSON atomically: the old file stays whole until the new one is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    temporary.replace(path)


def save_model(model: keras.Model, path: Path) -> None:
    """Writes a `.keras` file atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".part-{path.name}")  # Keras insists on the ending .keras
    model.save(temporary)
    temporary.replace(path)


def read_model(path: Path, *, compile: bool = True) -> keras.Model:
    """Reads a `.keras` file of a run; raises RunError where it is missing or damaged."""
    try:
        return keras.saving.load_model(path, compile=compile)
    except Exception as error:  # a missing or damaged file raises a dozen kinds
        reason = " ".join(str(error).split())[:200].rstrip(".")
        raise RunError(f"{path}: expected a whole .keras file of this run ({reason}); {ANEW}.") from error


def forget(folder: Path) -> None:
    """Deletes what a run left in its folder and nothing else; first the state, which names the rest."""
    for path in [
        folder / "state.json",
        folder / "best.keras",
        folder / "log.csv",
        *folder.glob("epoch_*.keras"),
    ]:
        path.unlink(missing_ok=True)
    shutil.rmtree(folder / "tensorboard", ignore_errors=True)


def random_states(model: keras.Model) -> list[keras.Variable]:
    """Returns what dropout draws its random numbers from; a `.keras` file leaves it out (Keras 3.15)."""
    return [variable for variable in model.non_trainable_variables if "seed_generator" in variable.path]


def layers_of(model: keras.Model) -> list[tuple[str, list[tuple[int, ...]]]]:
    """Returns the kind of each layer and the shapes of its weights."""
    return [(type(layer).__name__, [tuple(w.shape) for w in layer.weights]) for layer in model.layers]


class Run(keras.callbacks.Callback):
    """Checkpoints every epoch, keeps the best weights by validation accuracy, and stops early.

    In `folder`: `state.json` (arguments, history, best epoch, seconds, dropout's random states),
    `epoch_<n>.keras` (weights and optimizer after epoch n; only the newest stays), `best.keras`, `log.csv`
    and, for `tensorboard --logdir`, `tensorboard/`. `state.json` is replaced last: it always names a whole
    file.
    """

    def __init__(
        self, folder: Path, arguments: dict[str, Any], *, patience: int, batches: FaceBatches
    ) -> None:
        super().__init__()
        self.folder, self.batches, self.patience = folder, batches, patience
        self.state: dict[str, Any] = {
            "arguments": arguments,
            "epochs_done": 0,
            "best_epoch": None,
            "seconds": 0.0,
            "random_states": [],
            "history": {},
        }

    @property
    def state_path(self) -> Path:
        return self.folder / "state.json"

    def resume(self, built: keras.Model) -> keras.Model | None:
        """Returns the model as it was after the last finished epoch; None where nothing was begun.

        built: the model as it would begin. Raises RunError if the folder holds a run with other arguments or
        with a model of other layers, or a file of it is missing or damaged.
        """
        if not self.state_path.exists():
            return None
        try:
            found = json.loads(self.state_path.read_text(encoding="utf-8"))
            missing = self.state.keys() - found.keys()
        except (ValueError, AttributeError) as error:
            raise RunError(
                f"{self.state_path}: expected the state of a run, got something else ({error}); {ANEW}."
            ) from error
        if missing:
            raise RunError(
                f"{self.state_path}: expected the state of a run, got one without {min(missing)}; {ANEW}."
            )
        asked = self.state["arguments"]
        differing = [
            key for key in asked | found["arguments"] if asked.get(key) != found["arguments"].get(key)
        ]
        if differing:
            key = differing[0]
            raise RunError(
                f"{self.state_path}: expected a run with {key}={asked.get(key)!r}, got one with "
                f"{found['arguments'].get(key)!r}; {ANEW}."
            )
        self.state = found
        if found["best_epoch"] is not None and not self.best_path.exists():
            raise RunError(f"{self.best_path}: expected the best weights of this run, got no file; {ANEW}.")
        path = self.epoch_path(found["epochs_done"])
        model = read_model(path)
        if layers_of(model) != layers_of(built):
            raise RunError(
                f"{path}: expected the {len(built.layers)} layers of {built.name} as it is built now, "
                f"{built.count_params():,} parameters, got {len(model.layers)} layers and "
                f"{model.count_params():,} parameters of a net that was built otherwise; {ANEW}."
            )
        for variable, state in zip(random_states(model), found["random_states"], strict=True):
            variable.assign(np.array(state, variable.dtype))
        return model

    def epoch_path(self, epoch: int) -> Path:
        """The checkpoint after `epoch` finished epochs."""
        return self.folder / f"epoch_{epoch}.keras"

    @property
    def best_path(self) -> Path:
        return self.folder / "best.keras"

    @property
    def finished(self) -> bool:
        """Whether every epoch was trained or patience has run out."""
        done, best = self.state["epochs_done"], self.state["best_epoch"]
        return done >= self.state["arguments"]["epochs"] or (
            best is not None and done - best >= self.patience
        )

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.batches.start(epoch)
        self.began, self.began_processor = time.perf_counter(), time.process_time()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        state, history, done = self.state, self.state["history"], epoch + 1
        # A net with a second head prefixes each metric with the head's name.
        values = {name.replace("scores_acc", "acc"): float(value) for name, value in (logs or {}).items()}
        seconds = time.perf_counter() - self.began
        values["seconds"] = round(seconds, 3)
        values["processor_seconds"] = round(time.process_time() - self.began_processor, 3)
        for name, value in values.items():
            history.setdefault(name, []).append(value)
        state["epochs_done"] = done
        state["seconds"] += seconds
        state["random_states"] = [
            keras.ops.convert_to_numpy(variable).tolist() for variable in random_states(self.model)
        ]
        accuracies = history["val_accuracy"]
        if accuracies[-1] > max(accuracies[:-1], default=-1.0):
            state["best_epoch"] = done
            save_model(self.model, self.best_path)
        save_model(self.model, self.epoch_path(done))
        write_json(self.state_path, state)
        self.epoch_path(done - 1).unlink(missing_ok=True)
        write_csv(self.folder / "log.csv", history)
        if self.finished:
            self.model.stop_training = True


def write_csv(path: Path, history: dict[str, list[float]]) -> None:
    """Writes a row per epoch, atomically; columns are the history's names."""
    temporary = path.with_name(f".{path.name}.part")
    with temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", *history])
        rows: Iterable[tuple[float, ...]] = zip(*history.values(), strict=True)
        writer.writerows((epoch, *row) for epoch, row in enumerate(rows, 1))
    temporary.replace(path)
