"""Functions that tests let Ray call."""

import os
import socket
from pathlib import Path


def half_of(number):
    """Half of an even number; an odd one is an error, and 13 ends the process."""
    if number == 13:
        os._exit(1)
    if number % 2:
        raise ValueError(f"expected an even number, got {number}.\nIt has no half.")
    return number // 2, os.environ["TOLD"], os.getpid()


def second_try(path):
    """Ends the process; called again, it returns."""
    if Path(path).exists():
        return "done"
    Path(path).touch()
    os._exit(1)


def node_when_all_run(port):
    """The node of this call, once whoever listens at a port of this machine has heard all calls."""
    import ray

    with socket.create_connection(("localhost", port), timeout=300) as connection:
        connection.recv(1)  # comes when all have connected
    return ray.get_runtime_context().get_node_id()
