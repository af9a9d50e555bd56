"""Calls on Ray: results as they end, each failure its own, and what is said where there is no cluster."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from reporting.on_ray import RayError, as_they_end, cluster, reason
from tests.support.ray_calls import half_of, node_when_all_run, second_try
from tests.support.together import free_port

RAY = "needs Ray: pip install -r requirements/ray.txt"


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What became of four calls, of which two fail, and of one that no machine has room for."""
    pytest.importorskip("ray", reason=RAY)
    calls = [(4,), (3,), (13,), (10,)]
    with cluster(None):
        ended = list(as_they_end(half_of, calls, cores=1, environment={"TOLD": "yes"}))
        path = tmp_path_factory.mktemp("ray") / "begun"
        ended += as_they_end(second_try, [(path,)], cores=1, environment={})
        with pytest.raises(RayError) as caught:
            list(as_they_end(half_of, calls, cores=1_000_000, environment={}))
    return ended, caught.value


def test_each_call_ends_once_in_a_process_of_its_own(outcomes):
    ended = outcomes[0][:4]
    assert sorted(number for number, _ in ended) == [0, 1, 2, 3]
    found = dict(ended)
    assert [found[0][:2], found[3][:2]] == [(2, "yes"), (5, "yes")]
    assert found[0][2] != found[3][2]


def test_a_call_that_fails_or_kills_its_process_fails_alone(outcomes):
    found = dict(outcomes[0][:4])
    assert isinstance(found[1], RayError) and isinstance(found[2], RayError)
    assert str(found[1]) == "It has no half."
    assert "\n" not in str(found[2])


def test_a_call_whose_process_was_lost_once_is_tried_again(outcomes):
    assert outcomes[0][4] == (0, "done")


def test_calls_are_spread_over_the_machines_of_a_cluster():
    pytest.importorskip("ray", reason=RAY)
    from ray.cluster_utils import Cluster

    one_core = {"num_cpus": 1, "object_store_memory": 100_000_000, "include_dashboard": False}
    machines = Cluster(initialize_head=True, head_node_args=one_core)
    try:
        machines.add_node(**one_core)
        with socket.create_server(("localhost", 0)) as server, ThreadPoolExecutor(1) as pool:
            calls = [(server.getsockname()[1],)] * 2
            hung_up = pool.submit(lambda: [server.accept()[0] for _ in calls])  # both run at a time
            hung_up.add_done_callback(lambda done: [connection.close() for connection in done.result()])
            with cluster(machines.address):
                ended = dict(as_they_end(node_when_all_run, calls, cores=1, environment={}))
    finally:
        machines.shutdown()
    assert len({ended[0], ended[1]}) == 2


def test_a_call_for_which_no_machine_has_room_is_refused(outcomes):
    _, error = outcomes
    assert str(error).startswith(
        "Expected a machine with 1000000 cores for each training, got a cluster whose "
    )


def test_where_no_cluster_answers_the_address_is_named_at_once():
    pytest.importorskip("ray", reason=RAY)
    address = f"localhost:{free_port()}"
    with pytest.raises(RayError, match=rf"^Ray: no cluster answers at {address}: "), cluster(address):
        pass


def test_of_a_traceback_the_last_line_is_the_reason():
    assert reason(ValueError("Traceback:\n  file\nValueError: seven.\n")) == "ValueError: seven."
    assert reason(KeyError()) == "KeyError."
