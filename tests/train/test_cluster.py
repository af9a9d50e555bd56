"""Which process this one is: what is given, what Slurm and Kubernetes announce, what is refused."""

import pytest

from train.cluster import first_node, place_of
from train.errors import PlaceError

SLURM = {
    "SLURM_JOB_ID": "4098",
    "SLURM_STEP_NODELIST": "node[007-009,12],login",
    "SLURM_NTASKS": "5",
    "SLURM_PROCID": "3",
}
POD = "faces-2.train.default.svc.cluster.local"


def place(coordinator=None, processes=None, process=None, *, environment=(), host_name="laptop"):
    found = place_of(coordinator, processes, process, environment=dict(environment), host_name=host_name)
    return found.coordinator, found.processes, found.process


def test_a_place_that_is_given_is_taken():
    assert place("node1:8476", 4, 3) == ("node1:8476", 4, 3)


def test_one_process_needs_no_coordinator():
    assert place(processes=1)[1:] == (1, 0)


def test_a_task_of_slurm_knows_its_place_and_the_first_node_is_the_coordinator():
    assert place(environment=SLURM) == ("node007:61442", 5, 3)  # 61440 + 4098 % 4096


def test_what_is_given_goes_before_what_is_announced():
    assert place("other:1", environment=SLURM) == ("other:1", 5, 3)
    assert place(None, 2, 0, environment=SLURM) == ("node007:61442", 2, 0)


@pytest.mark.parametrize(
    ("nodes", "first"),
    [
        ("node1", "node1"),
        ("node1,node2", "node1"),
        ("node[3,5-7]", "node3"),
        ("gpu-[001-002]-ib", "gpu-001-ib"),
        ("rack[1-2]node[03-04],login", "rack1node03"),
        ("a.example.org,b[1-2]", "a.example.org"),
    ],
)
def test_the_first_node_of_a_list_of_slurm(nodes, first):
    assert first_node(nodes) == first


def test_a_pod_of_an_indexed_job_knows_its_number_and_finds_the_first_pod_by_the_service():
    found = place(processes=4, environment={"JOB_COMPLETION_INDEX": "2"}, host_name=POD)
    assert found == ("faces-0.train.default.svc.cluster.local:8476", 4, 2)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "Expected --coordinator, --processes, --process-id, found none: give them, or start"),
        ({"coordinator": "a:1", "processes": 2}, "Expected --process-id, found none"),
        (
            {"environment": {"SLURM_JOB_ID": "1"}},
            "this is no step of the Slurm job. Start the command with srun",
        ),
        (
            {"environment": SLURM | {"SLURM_NTASKS": "x"}},
            "SLURM_NTASKS and SLURM_PROCID as whole numbers, got: ",
        ),
        (
            {"environment": {"JOB_COMPLETION_INDEX": "2"}, "host_name": POD},
            "Expected --processes, found none",
        ),
        (
            {"environment": {"JOB_COMPLETION_INDEX": "2"}, "host_name": "faces-2", "processes": 4},
            "Expected --coordinator, found none: Kubernetes announces the process's number and, to",
        ),
        ({"environment": {"JOB_COMPLETION_INDEX": "two"}}, "whole number as JOB_COMPLETION_INDEX, got 'two'"),
        (
            {"coordinator": "a:1", "processes": 2, "process": 2},
            "Expected --process-id 0 to 1 of 2 processes, got 2.",
        ),
    ],
)
def test_what_is_missing_or_can_not_be_is_said(given, message):
    with pytest.raises(PlaceError) as caught:
        place(**given)
    assert message in str(caught.value)
