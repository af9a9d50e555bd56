"""What is killed in the middle: a node, an actor, the command, or the process that reads a file."""

import os
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import cv2
import pytest

from benchmarks.speed.archive_files import make_archive
from tests.support.archives import (
    LONGEST_S,
    descendants,
    hold,
    is_running,
    parent_of,
    paths_in,
    plain_labels,
    rows_in,
    signalled,
    start_label,
)
from tests.support.command import IMAGE
from tests.support.yunet import needs_haar

pytest.importorskip("ray", reason="needs Ray: pip install -r requirements/ray.txt")
pytestmark = [
    needs_haar,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes in Linux's /proc"),
]
VIDEOS, FRAMES = 12, 40  # three parts


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    make_archive(folder, cv2.imread(str(IMAGE)), images=20, videos=VIDEOS, frames=FRAMES, damaged=0)
    return folder


@pytest.fixture(scope="module")
def labels(archive):
    """The faces of each file, by a plain loop."""
    return plain_labels(sorted(path for path in archive.rglob("*.*") if path.is_file()))


@pytest.fixture(scope="module")
def cluster():
    """A head with one core, to which the tests add a node."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args=node_arguments())
    yield cluster
    cluster.shutdown()


def node_arguments():
    return {"num_cpus": 1, "object_store_memory": 100_000_000, "include_dashboard": False}


def raylet_of(node):
    return node.all_processes["raylet"][0].process.pid


def labels_files(pid):
    """Whether a process is an actor or its child, none of Ray's own."""
    with suppress(OSError):
        return any(
            name in Path(f"/proc/{pid}/cmdline").read_bytes() for name in (b"MapWorker", b"label.child")
        )
    return False


def kill(*pids):
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def end(command):
    """Waits for the end of a command; returns its exit code. All lines are ferkit's own, none is Ray's."""
    said, _ = command.communicate(timeout=LONGEST_S)
    assert [line for line in said.splitlines() if not line.startswith("ferkit: ")] == []
    return command.returncode


def check_result(out, labels):
    assert Counter(paths_in(out)) == Counter(labels.keys())
    assert {path: row["faces"] for path, row in rows_in(out).items()} == labels
    assert [path.name for path in out.iterdir() if path.suffix != ".parquet"] == []


def test_a_node_that_is_lost_in_the_middle_loses_no_file(cluster, archive, labels, tmp_path):
    node = cluster.add_node(num_cpus=1, object_store_memory=100_000_000)
    with start_label(archive, "--out", tmp_path / "out", "--address", cluster.address) as command:
        child = hold(raylet_of(node), archive, command)
        cluster.remove_node(node, allow_graceful=False)
        kill(child)
        assert end(command) == 0
    check_result(tmp_path / "out", labels)


def test_a_node_that_comes_in_the_middle_labels_too(cluster, archive, labels, tmp_path):
    with start_label(archive, "--out", tmp_path / "out", "--address", cluster.address) as command:
        held = [hold(raylet_of(cluster.head_node), archive, command)]
        node = cluster.add_node(num_cpus=1, object_store_memory=100_000_000)
        held.append(hold(raylet_of(node), archive, command))
        for child in held:
            os.kill(child, signal.SIGCONT)
        assert end(command) == 0
    cluster.remove_node(node)
    check_result(tmp_path / "out", labels)


def test_an_actor_that_is_killed_in_the_middle_loses_no_file(cluster, archive, labels, tmp_path):
    with start_label(archive, "--out", tmp_path / "out", "--address", cluster.address) as command:
        child = hold(raylet_of(cluster.head_node), archive, command)
        kill(parent_of(child), child)
        assert end(command) == 0
    check_result(tmp_path / "out", labels)


def test_the_command_that_was_killed_goes_on_where_it_ended(cluster, archive, labels, tmp_path):
    arguments = (archive, "--out", tmp_path / "out", "--address", cluster.address)
    with start_label(*arguments) as command:
        while not paths_in(tmp_path / "out"):
            child = hold(raylet_of(cluster.head_node), archive, command)
            os.kill(child, signal.SIGCONT)
        child = hold(raylet_of(cluster.head_node), archive, command)
        kill(command.pid, child)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.parquet")}
    assert 0 < len(paths_in(tmp_path / "out")) < len(labels)
    with start_label(*arguments) as command:
        assert end(command) == 0
    check_result(tmp_path / "out", labels)
    assert before.items() <= {path: path.stat().st_mtime_ns for path in before}.items()


def test_a_command_on_one_machine_that_is_killed_leaves_no_process_that_labels(archive, labels, tmp_path):
    with start_label(archive, "--out", tmp_path / "out") as command:
        child = hold(command.pid, archive, command)
        ours = [pid for pid in descendants(command.pid) if labels_files(pid)]
        assert {child, parent_of(child)} <= set(ours)
        kill(command.pid, child)
    while any(map(is_running, ours)):
        time.sleep(0.05)
    with start_label(archive, "--out", tmp_path / "out") as command:
        assert end(command) == 0
    check_result(tmp_path / "out", labels)


def test_files_that_hang_or_kill_their_process_cost_themselves_alone(archive, long_clip, tmp_path):
    hangs, kills = tmp_path / "hangs.mp4", tmp_path / "kills.mp4"
    for path in (hangs, kills):
        path.hardlink_to(long_clip)
    files = [hangs, kills, *archive.rglob("*.jpg")]  # images alone take far less than the limit
    manifest = tmp_path / "manifest.txt"
    manifest.write_text("".join(f"{path}\n" for path in files), encoding="utf-8")
    with (
        start_label(manifest, "--out", tmp_path / "out", "--time-limit", "20") as command,
        signalled(signal.SIGSTOP, command.pid, hangs),
        signalled(signal.SIGSEGV, command.pid, kills),
    ):
        assert end(command) == 1
    rows = rows_in(tmp_path / "out")
    assert rows.keys() == set(map(str, files))
    assert "20 s" in rows[str(hangs)]["error"] and "SIGSEGV" in rows[str(kills)]["error"]
    assert {path for path, row in rows.items() if row["error"]} == {str(hangs), str(kills)}
