"""Which of several processes this one is: from the command line, from Slurm or from Kubernetes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import PlaceError

PORT = 8476  # where nobody names one; JAX's own
SLURM_PORTS = (61440, 4096)  # the first and how many, so that two jobs on a machine seldom share one; JAX's


@dataclass(frozen=True)
class Place:
    """A process among those that train one network together.

    Attributes:
        coordinator: Host and port at which process 0 is reached by all.
        processes: How many there are.
        process: This one, from 0.
    """

    coordinator: str
    processes: int
    process: int

    @property
    def address(self) -> tuple[str, int]:
        """The coordinator's host and port."""
        host, _, port = self.coordinator.rpartition(":")
        return host.strip("[]"), int(port)


def place_of(
    coordinator: str | None,
    processes: int | None,
    process: int | None,
    *,
    environment: Mapping[str, str],
    host_name: str,
) -> Place:
    """Returns this process's place; what is not given is taken from Slurm or Kubernetes.

    Args:
        coordinator: Host and port of process 0.
        processes: How many there are.
        process: This one, from 0.
        environment: The environment variables.
        host_name: This machine's whole name, as `socket.getfqdn` gives it.

    Raises:
        PlaceError: Something is neither given nor announced, or makes no sense.
    """
    if "SLURM_STEP_NODELIST" in environment:
        announced = announced_by_slurm(environment)
    elif "JOB_COMPLETION_INDEX" in environment:
        announced = announced_by_kubernetes(environment, host_name)
    else:
        announced = {}
    processes = announced.get("processes") if processes is None else processes
    process = announced.get("process") if process is None else process
    coordinator = announced.get("coordinator") if coordinator is None else coordinator
    if processes == 1:
        return Place(coordinator or f"localhost:{PORT}", 1, 0)
    given = {"--coordinator": coordinator, "--processes": processes, "--process-id": process}
    missing = [option for option, value in given.items() if value is None]
    if missing or coordinator is None or processes is None or process is None:
        raise PlaceError(f"Expected {', '.join(missing)}, found none: {where_it_is_from(environment)}")
    if process >= processes:
        raise PlaceError(
            f"Expected --process-id 0 to {processes - 1} of {processes} processes, got {process}."
        )
    return Place(coordinator, processes, process)


def where_it_is_from(environment: Mapping[str, str]) -> str:
    """Returns how a place is announced, in words."""
    if "JOB_COMPLETION_INDEX" in environment:
        return (
            "Kubernetes announces the process's number and, to a pod with a headless service "
            "(spec.subdomain), the coordinator. Give the rest."
        )
    if "SLURM_JOB_ID" in environment:
        return "this is no step of the Slurm job. Start the command with srun, or give them."
    return "give them, or start the command in a step of Slurm or an indexed Job of Kubernetes."


def announced_by_slurm(environment: Mapping[str, str]) -> dict[str, Any]:
    """Returns the place of a task of a Slurm step; process 0 runs on the step's first node."""
    try:
        first, count = SLURM_PORTS
        port = first + int(environment["SLURM_JOB_ID"]) % count
        return {
            "coordinator": f"{first_node(environment['SLURM_STEP_NODELIST'])}:{port}",
            "processes": int(environment["SLURM_NTASKS"]),
            "process": int(environment["SLURM_PROCID"]),
        }
    except (KeyError, ValueError) as error:
        raise PlaceError(
            f"Expected Slurm's SLURM_JOB_ID, SLURM_NTASKS and SLURM_PROCID as whole numbers, got: {error}. "
            "Start the command with srun."
        ) from error


def first_node(nodes: str) -> str:
    """Returns the first name of a list of Slurm such as `login,node[007-009,12]` or `rack[1-2]node[3-4]`."""
    first = re.match(r"([^,\[]|\[[^]]*\])*", nodes)
    return re.sub(r"\[(\d+)[^]]*\]", r"\1", first[0] if first else nodes)


def announced_by_kubernetes(environment: Mapping[str, str], host_name: str) -> dict[str, Any]:
    """Returns what a pod of an indexed Job knows: its number and, with a headless service, the coordinator.

    Such a pod is called `JOB-INDEX.SERVICE.NAMESPACE.svc...`.
    """
    index = environment["JOB_COMPLETION_INDEX"]
    if not index.isdecimal():
        raise PlaceError(f"Expected a whole number as JOB_COMPLETION_INDEX, got {index!r}.")
    pod, dot, domain = host_name.partition(".")
    announced: dict[str, Any] = {"process": int(index)}
    if dot and pod.endswith(f"-{index}"):
        announced["coordinator"] = f"{pod.removesuffix(index)}0.{domain}:{PORT}"
    return announced
