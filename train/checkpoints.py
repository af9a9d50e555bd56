"""What a run leaves behind after every epoch, so that a killed one goes on where it stopped."""

import csv
import io
import json
import math
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import msgspec
import numpy as np

from reporting.files import write_atomically, write_json

from .batches import FaceBatches
from .errors import RunError, WeightsError
from .recipes import completed
from .weights import read_network, save_network


@dataclass
class State:
    """What `state.json` holds of a run, besides its `.keras` files.

    Attributes:
        arguments: Everything that decides the training, as `train.record.arguments_of` gives it.
        epochs_done: Finished epochs.
        best_epoch: The best one on validation so far, from 1; None before the first.
        seconds: Of all finished epochs.
        random_states: What dropout draws its random numbers from.
        history: A list of values for each metric, one an epoch.
    """

    arguments: dict[str, Any]
    epochs_done: int
    best_epoch: int | None
    seconds: float
    random_states: list[Any]
    history: dict[str, list[float]]


class Run(keras.callbacks.Callback):
    """Checkpoints every epoch, keeps the best weights on validation, and stops early.

    In `folder`: `state.json`, `epoch_<n>.keras` (weights and optimizer after epoch n; only the newest stays),
    `best.keras`, `log.csv` and, for `tensorboard --logdir`, `tensorboard/`. `state.json` is replaced last: it
    always names a whole file.
    """

    def __init__(
        self, folder: Path, arguments: dict[str, Any], *, patience: int, batches: FaceBatches
    ) -> None:
        """Begins a run that has no epochs yet; `resume` takes up one that has.

        Args:
            folder: Where checkpoints go.
            arguments: Everything that decides the training, as `train.record.arguments_of` gives it;
                `best_by` names the figure by which an epoch is the best.
            patience: Epochs without a better one after which the training ends.
            batches: Are shuffled before each epoch. Of several processes that share them, the first one alone
                writes.
        """
        super().__init__()
        self.folder, self.batches, self.patience = folder, batches, patience
        self.writes = batches.shares.process == 0
        self.state = State(arguments, 0, None, 0.0, [], {})

    @property
    def state_path(self) -> Path:
        """The file that is written last."""
        return self.folder / "state.json"

    @property
    def best_path(self) -> Path:
        """The weights of the best epoch."""
        return self.folder / "best.keras"

    def epoch_path(self, epoch: int) -> Path:
        """Returns the checkpoint after `epoch` finished epochs."""
        return self.folder / f"epoch_{epoch}.keras"

    @property
    def finished(self) -> bool:
        """Whether every epoch was trained or patience has run out."""
        done, best = self.state.epochs_done, self.state.best_epoch
        return done >= self.state.arguments["epochs"] or (best is not None and done - best >= self.patience)

    def at_best(self, figure: str) -> float:
        """Returns a figure on validation after the best epoch, 0 to 1, as Keras computed it."""
        assert self.state.best_epoch is not None  # the first epoch that ends is the best so far
        return self.state.history[f"val_{figure}"][self.state.best_epoch - 1]

    def resume(self, built: keras.Model) -> keras.Model | None:
        """Returns the network as it was after the last finished epoch; None where nothing was begun.

        Args:
            built: The network as it would begin.

        Raises:
            RunError: The folder holds a run with other arguments or with a network of other layers, or one of
                which a file is missing or damaged.
        """
        if not self.state_path.exists():
            return None
        found = read_state(self.state_path)
        check_arguments(self.state_path, found.arguments, self.state.arguments)
        found.arguments = self.state.arguments  # equal, and under today's names
        self.state = found
        if found.best_epoch is not None and not self.best_path.exists():
            raise RunError(self.best_path, "expected the best weights of this run, got no file")
        path = self.epoch_path(found.epochs_done)
        network = read_checkpoint(path, compile=True)
        if layers_of(network) != layers_of(built):
            raise RunError(
                path,
                f"expected the {len(built.layers)} layers of {built.name} as it is built now, "
                f"{built.count_params():,} parameters, got {len(network.layers)} layers and "
                f"{network.count_params():,} parameters of a network that was built otherwise",
            )
        for variable, state in zip(random_states(network), found.random_states, strict=True):
            variable.assign(np.array(state, variable.dtype))
        return network

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Shuffles the batches and starts the clock."""
        self.batches.start(epoch)
        self.began, self.began_processor = time.perf_counter(), time.process_time()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Writes the checkpoint, then the state that names it."""
        state, history, done = self.state, self.state.history, epoch + 1
        # A network with a second head prefixes each metric with the head's name.
        values = {unprefixed(name): float(value) for name, value in (logs or {}).items()}
        seconds = time.perf_counter() - self.began
        values["seconds"] = round(seconds, 3)
        values["processor_seconds"] = round(time.process_time() - self.began_processor, 3)
        if self.batches.shares.processes > 1 or "processes" in history:
            history.setdefault("processes", [1.0] * epoch)
            values["processes"] = self.batches.shares.processes
        for name, value in values.items():
            history.setdefault(name, []).append(value)
        state.epochs_done = done
        state.seconds += seconds
        state.random_states = [
            keras.ops.convert_to_numpy(variable).tolist() for variable in random_states(self.model)
        ]
        *earlier, last = history[f"val_{state.arguments['best_by']}"]
        if last > max(earlier, default=-1.0):
            state.best_epoch = done
        if self.writes:
            self.write_checkpoint()
        if self.finished:
            self.model.stop_training = True

    def write_checkpoint(self) -> None:
        """Writes everything needed to go on after the last epoch."""
        state, done = self.state, self.state.epochs_done
        if state.best_epoch == done:
            save_network(self.model, self.best_path)
        save_network(self.model, self.epoch_path(done))
        write_json(self.state_path, asdict(state))
        self.epoch_path(done - 1).unlink(missing_ok=True)
        write_atomically(self.folder / "log.csv", as_csv(state.history))


def unprefixed(name: str) -> str:
    """Returns the name of a metric without the head's; each head has a loss of its own."""
    return name if name.endswith("loss") else name.replace("scores_", "")


def read_state(path: Path) -> State:
    """Returns the state that a run left.

    Raises:
        RunError: The file is something else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        for values in found.get("history", {}).values():
            values[:] = [math.nan if value is None else value for value in values]  # as `write_json` has it
        return msgspec.convert(found, State)
    except ValueError as error:  # of json and of msgspec
        raise RunError(path, f"expected the state of a run, got something else ({error})") from error


def check_arguments(path: Path, found: dict[str, Any], asked: dict[str, Any]) -> None:
    """Raises RunError where the state at `path` is of another run than is asked for.

    Args:
        path: For the error.
        found: The run's arguments, under any of their names.
        asked: Those that it should have, as `train.record.arguments_of` gives them.
    """
    asked, found = json.loads(json.dumps(asked)), completed(found)
    for name in asked | found:
        if asked.get(name) != found.get(name):
            raise RunError(
                path, f"expected a run with {name}={asked.get(name)!r}, got one with {found.get(name)!r}"
            )


def files_to_resume(folder: Path, arguments: dict[str, Any]) -> dict[str, bytes]:
    """Returns the files, by name, from which a run with these arguments goes on; none where it has not begun.

    Raises:
        RunError: The folder holds another run, or one of which a file is missing or damaged.
    """
    path = folder / "state.json"
    if not path.exists():
        return {}
    state = read_state(path)
    check_arguments(path, state.arguments, arguments)
    names = ["state.json", f"epoch_{state.epochs_done}.keras"]
    names += [] if state.best_epoch is None else ["best.keras"]
    for name in names:
        if not (folder / name).exists():
            raise RunError(folder / name, "expected a whole file of this run, got no file")
    return {name: (folder / name).read_bytes() for name in names}


def read_checkpoint(path: Path, *, compile: bool = False) -> keras.Model:
    """Returns the network of a `.keras` file that a run left.

    Raises:
        RunError: The file is missing or damaged.
    """
    try:
        return read_network(path, "a whole .keras file of this run", compile=compile)
    except WeightsError as error:
        raise RunError(path, error.reason) from error


def forget(folder: Path) -> None:
    """Deletes what a run left in its folder and nothing else; first the state, which names the rest."""
    names = ("state.json", "best.keras", "log.csv")
    for path in [*(folder / name for name in names), *folder.glob("epoch_*.keras")]:
        path.unlink(missing_ok=True)
    shutil.rmtree(folder / "tensorboard", ignore_errors=True)


def random_states(network: keras.Model) -> list[keras.Variable]:
    """Returns what dropout draws its random numbers from; a `.keras` file leaves it out (Keras 3.15)."""
    return [variable for variable in network.non_trainable_variables if "seed_generator" in variable.path]


def layers_of(network: keras.Model) -> list[tuple[str, list[tuple[int, ...]]]]:
    """Returns the kind of each layer and the shapes of its weights."""
    return [(type(layer).__name__, [tuple(w.shape) for w in layer.weights]) for layer in network.layers]


def as_csv(history: dict[str, list[float]]) -> str:
    """Returns a row per epoch as CSV; columns are the history's names."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["epoch", *history])
    writer.writerows((epoch, *row) for epoch, row in enumerate(zip(*history.values(), strict=True), 1))
    return text.getvalue()
