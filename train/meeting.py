"""Where the processes of a training meet before it begins: all are there, and all mean the same training.

Process 0 listens at the coordinator's address, and all others say there who they are. Each gets the same
answer: the checkpoint to go on from, or what is wrong. JAX comes after that, at the same address: it can't
say who is missing, and does not look at the data.
"""

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

from .cluster import Place
from .errors import ClusterError, MismatchError, TrainingError

POLL_S = 0.1
HELLO_S = 5.0  # that a caller may take to say who he is
SEND_S = 60.0  # that a checkpoint may take to a process
SLACK_S = 5.0  # that others wait longer than process 0, which knows who is missing
LONGEST_LINE = 1 << 20  # bytes

FAULTS: dict[str, type[TrainingError]] = {"missing": ClusterError, "mismatch": MismatchError}
Files = Mapping[str, bytes]
"""Content by name."""


class Hello(msgspec.Struct, frozen=True, tag="hello"):
    """What a process says of itself.

    Attributes:
        process: Its number.
        processes: How many there are, as it was told.
        host: Its machine and its process id there.
        arguments: All that has to be the same in every process.
    """

    process: int
    processes: int
    host: str
    arguments: dict[str, Any]

    @property
    def name(self) -> str:
        """How errors name the process."""
        return f"process {self.process} ({self.host})"


class Answer(msgspec.Struct, frozen=True, tag="answer"):
    """What process 0 answers to all.

    Attributes:
        name: That of process 0.
        fault: The kind of what is wrong, of `FAULTS`; empty where nothing is.
        words: That in words.
        files: The sizes of files that follow, by their names.
    """

    name: str
    fault: str = ""
    words: str = ""
    files: dict[str, int] = {}


class Caller(NamedTuple):
    """A process that has come.

    Attributes:
        connection: To it.
        hello: What it has said.
    """

    connection: socket.socket
    hello: Hello


class Met(NamedTuple):
    """What a process has from a meeting.

    Attributes:
        files: Of process 0.
        others: Connections by the names of the processes: of process 0 to all others, of others to it.
    """

    files: dict[str, bytes]
    others: dict[str, socket.socket]


def meet(place: Place, arguments: Mapping[str, Any], files: Files, *, timeout: float) -> Met:
    """Waits until all processes have met.

    Args:
        place: This process's.
        arguments: All that has to be the same in every process, as JSON values.
        files: What process 0 hands out; those of others are not looked at.
        timeout: How long to wait for the others, in seconds.

    Raises:
        ClusterError: A process is missing or has come twice, or nobody answers at the coordinator's address.
        MismatchError: Another process was given something else.
    """
    host = f"{socket.gethostname()}, process id {os.getpid()}"
    as_sent = msgspec.json.decode(msgspec.json.encode(arguments))  # tuples as lists
    hello = Hello(place.process, place.processes, host, as_sent)
    if place.process:
        return ask(place, hello, timeout + SLACK_S)
    deadline = time.monotonic() + timeout
    with listening(place) as server:
        connected(place, deadline).close()  # as the others will
        callers = answer_all(server, hello, files, deadline)
    return Met({}, {caller.hello.name: caller.connection for caller in callers})


def ask(place: Place, hello: Hello, timeout: float) -> Met:
    """Says who this process is; returns what process 0 answers."""
    deadline = time.monotonic() + timeout
    try:
        connection = connected(place, deadline)
        connection.settimeout(max(POLL_S, deadline - time.monotonic()))
        connection.sendall(msgspec.json.encode(hello) + b"\n")
        with connection.makefile("rb") as stream:
            line = stream.readline(LONGEST_LINE)
            if not line:
                raise ConnectionError("it hung up")
            answer = msgspec.json.decode(line, type=Answer)
            files = {name: stream.read(size) for name, size in answer.files.items()}
    except (OSError, msgspec.MsgspecError) as error:
        raise ClusterError(
            f"{place.coordinator}: expected an answer of process 0, got none ({error}). It has ended, or "
            f"trains already with another process {place.process}, or this is another program's port. See "
            "what process 0 says."
        ) from error
    if answer.fault:
        raise FAULTS[answer.fault](answer.words)
    return Met(files, {answer.name: connection})


def connected(place: Place, deadline: float) -> socket.socket:
    """Returns a connection to process 0, which may be started later than this one."""
    host, port = place.address
    while True:
        try:
            connection = socket.create_connection((host, port), timeout=HELLO_S)
            if connection.getsockname() != connection.getpeername():
                return connection
            connection.close()  # to itself: TCP can do that at a port where nobody listens
            why = "nobody listens"
        except (OSError, OverflowError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or str(error)
        if time.monotonic() > deadline:
            raise ClusterError(
                f"{place.coordinator}: expected process 0 there, got: {why}. Is this its address, and was it "
                "started?"
            )
        time.sleep(POLL_S)


def listening(place: Place) -> socket.socket:
    """Returns a socket that listens at the coordinator's port."""
    _, port = place.address
    both = socket.has_dualstack_ipv6()
    try:
        return socket.create_server(
            ("", port),
            family=socket.AF_INET6 if both else socket.AF_INET,
            dualstack_ipv6=both,
            backlog=place.processes,
        )
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise ClusterError(
            f"{place.coordinator}: process 0 can't listen at this port: {why}. Two processes are process 0, "
            "or the port is another program's: name another one."
        ) from error


def answer_all(server: socket.socket, own: Hello, files: Files, deadline: float) -> list[Caller]:
    """Waits for all other processes, or the first fault, and gives all the same answer; returns them.

    Args:
        server: Listens at the coordinator's port.
        own: What process 0 says of itself.
        files: What it hands out.
        deadline: Until when it waits, as `time.monotonic` has it.

    Raises:
        ClusterError: As of `meet`.
        MismatchError: As of `meet`.
    """
    server.settimeout(POLL_S)
    met: dict[int, Caller] = {}
    fault: TrainingError | None = None
    while fault is None and len(met) < own.processes - 1:
        try:
            connection, _ = server.accept()
        except TimeoutError:
            if time.monotonic() > deadline:
                fault = somebody_missing(met, own)
            continue
        caller = introduced(connection)
        if caller is not None:
            fault = fault_of(caller, met, own)
            if fault is None:
                met[caller.hello.process] = caller
            else:
                tell(caller, own, fault, files)
    for caller in met.values():
        tell(caller, own, fault, files)
    if fault is not None:
        raise fault
    return list(met.values())


def introduced(connection: socket.socket) -> Caller | None:
    """Returns the caller that has said who he is; None for a stranger."""
    try:
        connection.settimeout(HELLO_S)
        with connection.makefile("rb") as stream:
            return Caller(connection, msgspec.json.decode(stream.readline(LONGEST_LINE), type=Hello))
    except (OSError, msgspec.MsgspecError):
        connection.close()
        return None


def fault_of(caller: Caller, met: dict[int, Caller], own: Hello) -> TrainingError | None:
    """Returns why a caller can't take part; takes out of `met` one that has gone and comes again."""
    hello = caller.hello
    if hello.processes != own.processes:
        return MismatchError(
            f"Expected {own.processes} processes, as {own.name} was told, got {hello.name} that was told "
            f"{hello.processes}. Give all the same --processes."
        )
    for name in own.arguments | hello.arguments:
        expected, got = own.arguments.get(name), hello.arguments.get(name)
        if expected != got:
            return MismatchError(
                f"Expected {name}={expected!r}, as {own.name} has it, got {hello.name} with {got!r}. "
                "Give all the same data and settings."
            )
    earlier = met.get(hello.process)
    if earlier is None:
        return None
    if is_gone(earlier.connection):
        met.pop(hello.process).connection.close()
        return None
    return MismatchError(
        f"Expected one process {hello.process}, got two: {earlier.hello.host}; {hello.host}. Give each "
        "another --process-id."
    )


def is_gone(connection: socket.socket) -> bool:
    """Whether the other end of a connection has hung up."""
    try:
        connection.settimeout(0)
        return not connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True


def somebody_missing(met: dict[int, Caller], own: Hello) -> ClusterError:
    """Returns the error that names the processes that have not come."""
    missing = [str(process) for process in range(1, own.processes) if process not in met]
    return ClusterError(
        f"Expected {own.processes} processes, got {len(met) + 1}: missing {', '.join(missing)}. Were they "
        "started, with the same --coordinator? A longer --timeout waits longer."
    )


def tell(caller: Caller, own: Hello, fault: TrainingError | None, files: Files) -> None:
    """Gives a caller the fault, or the files; one that has gone by now gets neither."""
    if fault is None:
        answer = Answer(own.name, files={name: len(content) for name, content in files.items()})
        content = b"".join(files.values())
    else:
        kind = next(kind for kind, error in FAULTS.items() if isinstance(fault, error))
        answer, content = Answer(own.name, kind, str(fault)), b""
    with suppress(OSError):
        caller.connection.settimeout(SEND_S)
        caller.connection.sendall(msgspec.json.encode(answer) + b"\n" + content)
        if fault is not None:
            caller.connection.close()
