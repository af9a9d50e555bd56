"""Tasks in processes of their own: `in_own_process`.

A conversion can kill its process (TensorFlow 2.21 does, on an int8 loop), and generated names depend on what
was converted before. So a fresh process makes each file, and the export goes on where one dies.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from .errors import ConversionError

ROOT = Path(__file__).parent.parent
ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}
# Elsewhere a fork after TensorFlow's import is not safe (macOS) or not possible (Windows).
CAN_FORK = sys.platform == "linux"

Server = subprocess.Popen[str]  # of `export.tasks`
servers: set[Server] = set()
idle: list[Server] = []


def in_own_process(task: str, keras_file: Path, *arguments: Path | str) -> None:
    """Does a task in a fresh process. Threads may call it at the same time.

    Args:
        task: A name of `export.tasks.TASKS`.
        keras_file: The weights.
        arguments: What else the task takes.

    Raises:
        ConversionError: The task raised an error, or its process died.
    """
    request = [part if isinstance(part, str) else str(part.absolute()) for part in (keras_file, *arguments)]
    try:
        server = idle.pop()
    except IndexError:
        server = start_server()
    try:
        reply = ask(server, json.dumps([task, *request]))
    except BaseException:
        stop_server(server)
        raise
    status, error = json.loads(reply) if reply else (server.wait(), None)
    if reply and CAN_FORK:
        idle.append(server)
    else:
        stop_server(server)
    if error is not None:
        raise ConversionError(keras_file, task, f"failed: {error}")
    if status < 0:
        raise ConversionError(keras_file, task, f"died of signal {-status}")
    if status:
        raise ConversionError(keras_file, task, f"died with exit status {status}")


def start_server() -> Server:
    """Starts `export.tasks` in a process group of its own, so that its forks can be stopped with it."""
    server = subprocess.Popen(
        [sys.executable, "-m", "export.tasks", *(["forks"] if CAN_FORK else [])],
        cwd=ROOT,
        env=os.environ | ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )
    servers.add(server)
    return server


def ask(server: Server, request: str) -> str:
    """Returns the server's reply to a request; empty text where it died."""
    assert server.stdin is not None and server.stdout is not None
    try:
        print(request, file=server.stdin, flush=True)
    except BrokenPipeError:
        return ""
    return server.stdout.readline()


def stop_server(server: Server) -> None:
    """Ends a server and the task that it does, at once."""
    servers.discard(server)
    with contextlib.suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(server.pid, signal.SIGKILL)
        else:
            server.kill()
    server.wait()


@atexit.register
def stop_all() -> None:
    """Ends every server: after an interrupt, so that nothing is converted that nobody waits for."""
    idle.clear()
    for server in list(servers):
        stop_server(server)
