"""Training in several processes: Keras's data parallelism on JAX.

Every process holds the whole network and makes its rows of each global batch (`train.shares`); JAX adds up
the gradients of all. To the network there is one batch, the global one: batch normalization takes its
statistics over all of it, and dropout draws the numbers that one process would draw.
"""

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras

from .checkpoints import files_to_resume
from .cluster import Place
from .errors import ClusterError, TrainingError
from .meeting import meet
from .shares import Shares
from .watch import Watch, end

LEAVING_S = 60  # that the others may take to disconnect
AGAIN = "Start all processes with the same command: the training goes on after the last whole epoch."


@dataclass(frozen=True)
class Group:
    """The processes that train a network together, as one of them sees them.

    Attributes:
        shares: Which rows of a batch are made here.
        folder: From which this process resumes; process 0 alone writes there.
        distribution: In its scope networks are built and trained by all.
    """

    shares: Shares
    folder: Path
    distribution: keras.distribution.DataParallel


@contextmanager
def joined(
    place: Place, arguments: dict[str, Any], run_dir: Path, *, restart: bool, timeout: float
) -> Iterator[Group]:
    """Makes this process one of those that train together inside the `with`.

    Args:
        place: Which one it is.
        arguments: Everything that decides the training, as `train.record.arguments_of` gives it.
        run_dir: The folder of checkpoints and logs; of process 0, which hands out the newest checkpoint.
        restart: Whether the training starts over.
        timeout: How long to wait for the other processes, in seconds.

    Raises:
        ClusterError: The others do not come, or one of them was lost.
        MismatchError: They were given other data or settings.
        RunError: The run can't be resumed.
    """
    first = place.process == 0
    files = files_to_resume(run_dir, arguments) if first and not restart else {}
    with nullcontext(run_dir) if first else TemporaryDirectory() as folder:
        if place.processes == 1:
            yield group_of(place, Path(folder))
            return
        versions = {f"version of {name}": version(name) for name in ("jax", "keras", "numpy")}
        # One that starts over alone would drop the checkpoint from which the others go on.
        met = meet(place, arguments | versions | {"--restart": restart}, files, timeout=timeout)
        watch = Watch(met.others, partial(give_up, None if first else Path(folder)))
        try:
            for name, content in met.files.items():
                Path(folder, name).write_bytes(content)
            with losses_named(watch):
                connect(place, timeout)
                yield group_of(place, Path(folder))
                disconnect()
        except BaseException:
            watch.stop(done=False)
            raise
        watch.stop()


def give_up(folder: Path | None, name: str) -> None:
    """Ends this process as another one, of this name, is lost: JAX may wait for it without end.

    Args:
        folder: Is removed, if there is one.
        name: Of the process that was lost.
    """
    if folder is not None:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"\nLost {name}. {AGAIN}", file=sys.stderr)
    end(ClusterError.status)


def connect(place: Place, timeout: float) -> None:
    """Connects JAX's processes; Keras's own `initialize` would wait for them for five minutes."""
    import jax

    jax.config.update("jax_enable_preemption_service", False)  # it would keep SIGTERM from ending the process
    try:
        jax.distributed.initialize(
            place.coordinator,
            place.processes,
            place.process,
            initialization_timeout=round(timeout),
            shutdown_timeout_seconds=LEAVING_S,
        )
    except RuntimeError as error:
        raise ClusterError(f"{place.coordinator}: JAX can't connect: {line_of(error)}.") from error


def disconnect() -> None:
    """Disconnects JAX's processes once all have trained."""
    import jax

    jax.distributed.shutdown()


def group_of(place: Place, folder: Path) -> Group:
    """Returns the group of the processes that JAX has connected."""
    import jax

    found = [device.process_index for device in jax.devices()]
    expected = [process for process in range(place.processes) for _ in jax.local_devices()]
    if found != expected:
        raise TrainingError(
            f"Expected as many devices in each of {place.processes} processes, got those of the processes "
            f"{', '.join(map(str, found))}."
        )
    shares = Shares(place.process, place.processes, len(found))
    return Group(shares, folder, keras.distribution.DataParallel(auto_shard_dataset=False))


@contextmanager
def losses_named(watch: Watch) -> Iterator[None]:
    """Turns an error of JAX inside the `with` into one that says that a process was lost."""
    import jax

    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        watch.wait()  # it can say which one, and ends this process
        raise ClusterError(f"Lost a process: {line_of(error)}. {AGAIN}") from error


def line_of(error: Exception) -> str:
    """Returns the first line of an error's message."""
    return str(error).strip().partition("\n")[0][:200].rstrip(".")


def cut_padding(network: keras.Model, *, training: Mapping[int, int], validation: Mapping[int, int]) -> None:
    """Lets the network's steps leave out the rows with which batches were padded.

    Args:
        network: Is compiled.
        training: The rows of training batches with their padding, by those without, as `Shares.padded`.
        validation: Those of validation batches.
    """
    network.train_step = without_padding(network.train_step, training)
    network.test_step = without_padding(network.test_step, validation)


def without_padding(step: Callable[..., Any], padded: Mapping[int, int]) -> Callable[..., Any]:
    """Returns a step of Keras's JAX trainer that is given padded batches."""
    real = {rows: size for size, rows in padded.items()}  # the rows are known as the step is compiled

    def cut(rows: Any) -> Any:
        return rows[: real[len(rows)]]

    def step_without_padding(state: Any, data: Any) -> Any:
        return step(state, keras.tree.map_structure(cut, data))

    return step_without_padding
