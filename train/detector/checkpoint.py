"""What a run leaves behind after each round, so that a killed one goes on where it stopped."""

import json
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

from reporting.files import replacing, write_json

FILE = "checkpoint.npz"
AGAIN = "name another --run-dir, or delete this one to begin again"


class RunError(ValueError):
    """A run folder that cannot be used as asked; the message says what to do.

    Attributes:
        path: the file at fault.
    """

    def __init__(self, message: str, path: Path) -> None:
        """Takes the message and the path at fault."""
        super().__init__(message)
        self.path = path


class Checkpoint(NamedTuple):
    """A training between two rounds, apart from the network and its optimizer.

    Attributes:
        step: steps done.
        average: of the network's weights; empty before the first round.
        hardness: `float32 (backgrounds,)`, the highest confidence of a face in each; may be empty.
        history: an entry for each round.
    """

    step: int
    average: list[np.ndarray]
    hardness: np.ndarray
    history: list[dict[str, Any]]


def write_checkpoint(
    run_dir: Path, settings: dict[str, Any], network: keras.Model, state: Checkpoint
) -> None:
    """Writes all that is needed to go on, in one file and atomically."""
    facts = {"settings": settings, "step": state.step, "history": state.history}
    arrays: dict[str, Any] = {"facts": np.array(json.dumps(facts)), "hardness": state.hardness}
    for name, values in (
        ("weight", network.get_weights()),
        ("average", state.average),
        ("optimizer", [keras.ops.convert_to_numpy(value) for value in network.optimizer.variables]),
    ):
        arrays |= {f"{name}_{number}": value for number, value in enumerate(values)}
    with replacing(run_dir / FILE, keep_suffix=True) as temporary:
        np.savez(temporary, **arrays)
    write_json(run_dir / "history.json", state.history)


def read_checkpoint(
    run_dir: Path, settings: dict[str, Any], network: keras.Model, *, backgrounds: int = 0
) -> Checkpoint:
    """Returns where a run stopped, and brings the network and its optimizer there.

    Args:
        run_dir: of the run; without a checkpoint the training begins.
        settings: of this training, which must be those of the run.
        network: compiled, its optimizer built.
        backgrounds: how many the pool has.

    Raises:
        RunError: the checkpoint is damaged, or that of another training.
    """
    path = run_dir / FILE
    if not path.exists():
        return Checkpoint(0, [], np.zeros(backgrounds, np.float32), [])
    try:
        with np.load(path) as arrays:
            facts = json.loads(str(arrays["facts"]))
            hardness = arrays["hardness"]
            weights, average, optimizer = (
                [arrays[f"{name}_{number}"] for number in range(_count(arrays, name))]
                for name in ("weight", "average", "optimizer")
            )
    except Exception as error:  # a damaged archive fails anywhere in numpy, zipfile or zlib
        reason = " ".join(str(error).split())[:120]
        raise RunError(
            f"{path}: expected a checkpoint, got a damaged file ({reason}); {AGAIN}.", path
        ) from error
    found = facts["settings"]
    for key in settings | found:
        if settings.get(key) != found.get(key):
            raise RunError(
                f"{path}: expected a run with {key}={settings.get(key)}, "
                f"got one with {found.get(key)}; {AGAIN}.",
                path,
            )
    own = [tuple(value.shape) for value in network.optimizer.variables]
    if len(hardness) != backgrounds or [value.shape for value in optimizer] != own:
        raise RunError(
            f"{path}: expected a run with this network and {backgrounds} backgrounds, got one with "
            f"{len(hardness)} or another network; {AGAIN}.",
            path,
        )
    network.set_weights(weights)
    for variable, value in zip(network.optimizer.variables, optimizer, strict=True):
        variable.assign(value)
    return Checkpoint(facts["step"], average, hardness, facts["history"])


def write_model(model: keras.Model, path: Path) -> None:
    """Writes a `.keras` file atomically."""
    with replacing(path, keep_suffix=True) as temporary:  # Keras insists on the ending .keras
        model.save(temporary)


def _count(arrays: Any, name: str) -> int:
    return sum(key.rpartition("_")[0] == name for key in arrays.files)
