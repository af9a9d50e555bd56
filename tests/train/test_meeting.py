"""The meeting of processes: all get the same answer, and each fault is named in all of them."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.together import free_port
from train.cluster import Place
from train.errors import ClusterError, MismatchError
from train.meeting import meet

ARGUMENTS = {"model": "edge", "augmentation": {"scale": (0.75, 1.15)}, "dataset_sha256": "5" * 64}
FILES = {"state.json": b"{}\n", "epoch_2.keras": bytes(range(256)) * 4000}


def outcome_of(place, arguments, files, timeout):
    """What a process has from a meeting: the files and whom it knows, or the error."""
    try:
        met = meet(place, arguments, files, timeout=timeout)
    except (ClusterError, MismatchError) as error:
        return error
    for connection in met.others.values():
        connection.close()
    return met.files, sorted(name.partition(" (")[0] for name in met.others)


def meeting(*numbers, processes=None, timeout=60, **changes):
    """The outcomes of processes of these numbers; `changes` are of the arguments of the last one."""
    address = f"localhost:{free_port()}"
    processes = processes or [len(numbers)] * len(numbers)
    with ThreadPoolExecutor(len(numbers)) as pool:
        futures = []
        for at, number in enumerate(numbers):
            arguments = ARGUMENTS | (changes if at == len(numbers) - 1 else {})
            place = Place(address, processes[at], number)
            futures.append(pool.submit(outcome_of, place, arguments, {} if number else FILES, timeout))
        return [future.result(timeout=120) for future in futures]


def test_all_others_get_the_files_of_process_0_whoever_comes_first():
    assert meeting(2, 1, 0) == [
        (FILES, ["process 0"]),
        (FILES, ["process 0"]),
        ({}, ["process 1", "process 2"]),
    ]


def test_everybody_is_told_who_is_missing():
    here, missing = meeting(0, 1, processes=[4, 4], timeout=1)
    assert type(here) is type(missing) is ClusterError
    assert str(here) == str(missing)
    assert str(here).startswith("Expected 4 processes, got 2: missing 2, 3. Were they started,")


def test_other_data_are_named_in_every_process():
    for error in meeting(0, 1, dataset_sha256="6" * 64):
        assert type(error) is MismatchError
        assert f"Expected dataset_sha256='{'5' * 64}', as process 0 (" in str(error)
        assert f"with '{'6' * 64}'. Give all the same data and settings." in str(error)


def test_a_setting_that_one_process_alone_has_is_named():
    assert all("Expected classes=None" in str(error) for error in meeting(0, 1, classes=["a", "b"]))


def test_two_processes_of_one_number_are_told_so():
    outcomes = meeting(0, 1, 1, processes=[3, 3, 3])
    assert [type(error) for error in outcomes] == [MismatchError] * 3
    assert all(str(error).startswith("Expected one process 1, got two: ") for error in outcomes)
    assert all("Give each another --process-id." in str(error) for error in outcomes)


def test_another_number_of_processes_is_named():
    for error in meeting(0, 1, processes=[2, 3]):
        assert type(error) is MismatchError
        assert str(error).startswith("Expected 2 processes, as process 0 (")
        assert str(error).endswith("that was told 3. Give all the same --processes.")


def test_two_processes_that_are_both_the_first_one_are_told_so():
    errors = [outcome for outcome in meeting(0, 0, timeout=1) if isinstance(outcome, ClusterError)]
    assert any("process 0 can't listen at this port: " in str(error) for error in errors)


def test_where_nobody_listens_the_coordinator_is_named():
    address = f"localhost:{free_port()}"
    error = outcome_of(Place(address, 2, 1), ARGUMENTS, {}, -5)  # the slack of five seconds is over at once
    assert type(error) is ClusterError
    assert str(error).startswith(f"{address}: expected process 0 there, got: ")


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"[]\n"])
def test_another_program_at_the_coordinators_port_is_not_taken_for_process_0(reply):
    with socket.create_server(("localhost", 0)) as server:

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.recv(100_000)
                connection.sendall(reply)

        thread = threading.Thread(target=answer)
        thread.start()
        address = f"localhost:{server.getsockname()[1]}"
        error = outcome_of(Place(address, 2, 1), ARGUMENTS, {}, 60)
        thread.join()
    assert type(error) is ClusterError
    assert str(error).startswith(f"{address}: expected an answer of process 0, got none (")


def test_a_stranger_and_a_process_that_was_started_again_disturb_nobody():
    port = free_port()
    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(outcome_of, Place(f"localhost:{port}", 3, 0), ARGUMENTS, FILES, 60)]
        for words in (b"GET / HTTP/1.1\r\n", hello_of(2)):
            with connected(port) as connection:
                connection.sendall(words)
        for process in (2, 1):
            place = Place(f"localhost:{port}", 3, process)
            futures.append(pool.submit(outcome_of, place, ARGUMENTS, {}, 60))
        outcomes = [future.result(timeout=120) for future in futures]
    assert outcomes == [({}, ["process 1", "process 2"]), (FILES, ["process 0"]), (FILES, ["process 0"])]


def hello_of(process):
    """What a process says first, as a listener hears it."""
    with socket.create_server(("localhost", 0)) as server, ThreadPoolExecutor(1) as pool:
        place = Place(f"localhost:{server.getsockname()[1]}", 3, process)
        asked = pool.submit(outcome_of, place, ARGUMENTS, {}, 60)
        connection, _ = server.accept()
        with connection, connection.makefile("rb") as stream:
            hello = stream.readline()
        asked.result(timeout=120)
    return hello


def connected(port):
    """A connection to a port at which somebody is about to listen."""
    for _ in range(10_000):
        try:
            return socket.create_connection(("localhost", port), timeout=60)
        except ConnectionRefusedError:
            continue
    raise AssertionError("nobody listens")
