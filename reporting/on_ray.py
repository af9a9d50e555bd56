"""Calls on a Ray cluster, or on one of this machine: results as they end, each failure its own."""

from __future__ import annotations

import logging
import os
import pickle
import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from .files import ROOT

OBJECT_STORE_BYTES = 100_000_000  # of a cluster of our own: results are small
ATTEMPTS = 4  # to start one: Ray 2.60 waits 30 s for it, and a busy machine needs longer
CONNECTING_S = 10.0
RETRIES = 2  # of a call whose machine or process is lost


class RayError(ValueError):
    """Ray is not installed, no cluster answers, none of its machines has room, or a call has failed."""


@contextmanager
def cluster(address: str | None) -> Iterator[None]:
    """Connects to a cluster inside the `with`, or starts one of this machine.

    Args:
        address: Of the cluster, such as "auto" or "head:6379"; None: this machine alone.

    Raises:
        RayError: Ray is missing, or no cluster answers.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent to Ray's makers
    try:
        import ray
    except ImportError as error:
        raise RayError(
            f"Expected Ray, got: {error}. pip install -r requirements/ray.txt -c requirements/constraints.txt"
        ) from error
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    if address:
        check_answers(address)
    else:
        options |= {"object_store_memory": OBJECT_STORE_BYTES, "include_dashboard": False}
    for attempt in range(1, ATTEMPTS + 1):
        try:
            ray.init(address=address or "local", **options)
            break
        except Exception as error:  # it raises many kinds
            ray.shutdown()
            if address or attempt == ATTEMPTS:
                place = f"no cluster can be used at {address}" if address else "it can't be started here"
                raise RayError(f"Ray: {place}: {reason(error)}") from error
    try:
        yield
    finally:
        ray.shutdown()


def check_answers(address: str) -> None:
    """Raises RayError where nobody listens at an address such as `head:6379`: Ray would wait for ever."""
    if place := re.fullmatch(r"(?:ray://)?(.+):(\d+)", address):
        try:
            socket.create_connection((place[1], int(place[2])), timeout=CONNECTING_S).close()
        except (OSError, OverflowError) as error:
            raise RayError(f"Ray: no cluster answers at {address}: {reason(error)}") from error


def as_they_end(
    function: Callable[..., Any],
    calls: Sequence[tuple[Any, ...]],
    *,
    cores: int,
    environment: Mapping[str, str],
) -> Iterator[tuple[int, Any]]:
    """Calls a function once for each tuple of arguments on the cluster that is connected.

    Every machine imports the function from a checkout at the path that this one has.

    Args:
        function: Of a module of this project. Each call has a process of its own.
        calls: The arguments of each.
        cores: That each takes up.
        environment: Variables that are set for it.

    Yields:
        The call's number, from 0, and what it returned; the error as a RayError where it raised one or its
        process died more than `RETRIES` times.

    Raises:
        RayError: No machine of the cluster has so many cores.
    """
    import ray

    most = max((node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]), default=0)
    if cores > most:
        raise RayError(
            f"Expected a machine with {cores} cores for each training, got a cluster whose largest has "
            f"{most:g}. Give fewer: --cores {max(1, int(most))}"
        )
    task = ray.remote(num_cpus=cores, max_calls=1, max_retries=RETRIES)(from_the_checkout(function))
    packed = [pickle.dumps((arguments, dict(environment))) for arguments in calls]
    waiting = {task.remote(arguments): number for number, arguments in enumerate(packed)}
    while waiting:
        (ended, *_), _ = ray.wait(list(waiting), num_returns=1)
        try:
            result = ray.get(ended)
        except Exception as error:  # the function's own, or one of a dozen of Ray's
            result = RayError(reason(error))
        yield waiting.pop(ended), result


def from_the_checkout(function: Callable[..., Any]) -> Callable[[bytes], Any]:
    """Returns a function that calls `function` with pickled arguments and environment.

    Ray sends it to processes that do not know where our modules are.
    """
    root, module, name = str(ROOT), function.__module__, function.__name__

    def call(packed: bytes) -> Any:
        import importlib
        import os
        import pickle
        import sys

        sys.path.insert(0, root)
        arguments, environment = pickle.loads(packed)
        os.environ.update(environment)
        return getattr(importlib.import_module(module), name)(*arguments)

    return call


def reason(error: BaseException) -> str:
    """Returns an error's message in one line; of a traceback that came from elsewhere, the last one."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[-1] if lines else type(error).__name__
    return text[:300].rstrip(".") + "."
