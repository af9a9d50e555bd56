"""Parts over the cores of a Ray cluster: an actor per core, each with a process that opens the files."""

from __future__ import annotations

import json
import logging
import os
import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..command.exit_codes import ERRORS, exit_code_of
from ..engines import EngineError
from .own_process import ChildError, OwnProcess
from .parts import Parts
from .settings import Settings
from .store import reason

OBJECT_STORE_BYTES = 100_000_000  # of a cluster of our own: paths and counts are small
MOST_BLOCKS = 10_000  # Ray keeps a note of each
ATTEMPTS = 4  # to start a cluster of our own: Ray 2.60 waits 30 s for it, and a busy machine needs longer
CONNECTING_S = 10.0
LEVEL = {False: logging.CRITICAL, True: logging.INFO}  # of Ray's own lines, by FERKIT_VERBOSE


@dataclass(frozen=True)
class Status:
    """What became of a part.

    Attributes:
        files: The number of rows written.
        faces: The number of their faces.
        errors: The path and the error of each file that has one.
        failure: Why nothing was written, an error of this machine; None where there is none.
        code: The exit code for that.
    """

    files: int = 0
    faces: int = 0
    errors: Sequence[tuple[str, str]] = ()
    failure: str | None = None
    code: int = 0


def label_part(paths: Sequence[str], process: OwnProcess, parts: Parts) -> Status:
    """Labels the files of a part and writes it.

    Raises:
        ChildError: No file could be labelled.
        OutputError: It can't be written.
    """
    import pyarrow.compute as pc

    rows = process.label(paths)
    parts.write(paths, rows)
    failed = rows.filter(pc.is_valid(rows["error"]))
    errors = list(zip(failed["path"].to_pylist(), failed["error"].to_pylist(), strict=True))
    return Status(rows.num_rows, pc.sum(pc.list_value_length(rows["faces"])).as_py() or 0, errors)


class PartLabeller:
    """An actor of Ray Data: labels parts in a process of its own."""

    def __init__(self, settings: dict[str, Any], place: str) -> None:
        """Takes the settings and the folder of the parts."""
        self._settings = Settings(**settings)
        self._place = place
        self._process = OwnProcess(self._settings)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        """Labels parts: `part` holds the paths of each as JSON, `status` the outcome."""
        statuses = []
        for text in batch["part"]:
            try:
                status = label_part(json.loads(text), self._process, Parts(self._place, self._settings))
            except ChildError as error:
                status = Status(failure=str(error), code=error.code)
            except ERRORS as error:
                status = Status(failure=str(error), code=exit_code_of(error))
            statuses.append(json.dumps(asdict(status)))
        return {"status": statuses}


@contextmanager
def cluster(address: str | None, jobs: int | None) -> Iterator[int]:
    """Connects to a cluster inside the `with`, or starts one of this machine; yields the number of actors.

    Args:
        address: Of the cluster; None: this machine alone.
        jobs: The number of actors; None: one per core.

    Raises:
        EngineError: No cluster answers there.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent to Ray's makers
    import ray

    verbose = bool(os.environ.get("FERKIT_VERBOSE"))
    with ExitStack() as stack:
        if not verbose:  # Ray writes a page there about a machine or an actor that is lost
            nowhere = stack.enter_context(Path(os.devnull).open("w"))
            stack.enter_context(redirect_stdout(nowhere))
        stack.callback(ray.shutdown)
        _connect(address, jobs, verbose=verbose)
        cores = int(ray.cluster_resources().get("CPU", 1))
        yield max(1, min(jobs or cores, cores))


def _connect(address: str | None, jobs: int | None, *, verbose: bool) -> None:
    import ray

    options: dict[str, Any] = {"log_to_driver": verbose, "logging_level": LEVEL[verbose]}
    if address:
        _check_answers(address)
    else:
        options |= {"num_cpus": jobs, "object_store_memory": OBJECT_STORE_BYTES, "include_dashboard": False}
    for attempt in range(1, ATTEMPTS + 1):
        try:
            ray.init(address=address or "local", **options)
            return
        except Exception as error:  # it raises many kinds
            ray.shutdown()
            if address or attempt == ATTEMPTS:
                place = f"no cluster can be used at {address}" if address else "it can't be started here"
                raise EngineError(f"Ray: {place}: {reason(error)}") from error


def _check_answers(address: str) -> None:
    """Checks that somebody listens at an address such as `head:6379`: Ray would wait for ever.

    Raises:
        EngineError: Nobody does.
    """
    if place := re.fullmatch(r"(?:ray://)?(.+):(\d+)", address):
        try:
            socket.create_connection((place[1], int(place[2])), timeout=CONNECTING_S).close()
        except (OSError, OverflowError) as error:
            raise EngineError(f"Ray: no cluster answers at {address}: {reason(error)}") from error


def label_parts(
    parts: Sequence[Sequence[str]], settings: Settings, place: str, *, actors: int, most: int | None
) -> Iterator[Status]:
    """Labels parts on the cluster that is connected; yields what became of each, as they end.

    Args:
        parts: The paths of each.
        settings: How.
        place: The folder or address of the result.
        actors: How many are started at once.
        most: How many there may be when machines have come; None: one on each of their cores.

    Raises:
        EngineError: Ray gives up.
    """
    import ray.data

    verbose = bool(os.environ.get("FERKIT_VERBOSE"))
    ray.data.DataContext.get_current().enable_progress_bars = verbose
    logging.getLogger("ray.data").setLevel(LEVEL[verbose])
    rows = [{"part": json.dumps(part)} for part in parts]
    dataset = ray.data.from_items(rows, override_num_blocks=min(len(rows), MOST_BLOCKS)).map_batches(
        PartLabeller,
        fn_constructor_args=(asdict(settings), place),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(
            min_size=1,
            initial_size=min(actors, len(rows)),
            max_size=most,
            max_tasks_in_flight_per_actor=2,
        ),
        num_cpus=1,
    )
    try:
        for row in dataset.iter_rows():
            yield Status(**json.loads(row["status"]))
    except Exception as error:
        raise EngineError(
            f"Ray gave up: {reason(error)} Parts that were written are whole, and the same command goes on."
        ) from error
