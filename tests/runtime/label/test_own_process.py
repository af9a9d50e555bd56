"""A process that labels files: one that hangs or kills it costs itself alone."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from runtime.label.own_process import ChildError, OwnProcess
from tests.support.archives import open_files, settings_of
from tests.support.command import ROOT
from tests.support.yunet import needs_haar

pytest.importorskip("pyarrow", reason="needs pyarrow: pip install -r requirements/ray.txt")
pytestmark = [
    needs_haar,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds its child in Linux's /proc"),
]


def row_of(process, path):
    (row,) = process.label(str(path)).to_pylist()
    return row


def children(pid="self"):
    """The processes that a process has started and not yet waited for; this one's, where none is named."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return {int(child) for task in tasks for child in (task / "children").read_text().split()}


def test_a_file_that_hangs_costs_itself_alone(photo):
    with OwnProcess(settings_of(photo)) as process:
        before = children()
        assert row_of(process, photo)["error"] is None
        (child,) = children() - before
        os.kill(child, signal.SIGSTOP)
        process.time_limit_s = 0.5
        hung = row_of(process, photo)
        assert "0.5 s" in hung["error"] and hung["faces"] == []
        process.time_limit_s = 3600.0
        assert row_of(process, photo)["error"] is None


def test_a_file_that_kills_the_process_twice_has_a_row_that_says_so(long_clip, photo):
    with OwnProcess(settings_of(long_clip)) as process:
        before = children()
        assert len(row_of(process, photo)["faces"]) == 1
        over, killed = threading.Event(), set()

        def kill_those_that_read_it():
            while not over.wait(0.01):
                for pid in children() - before - killed:
                    if long_clip in open_files(pid):
                        killed.add(pid)
                        os.kill(pid, signal.SIGSEGV)

        killer = threading.Thread(target=kill_those_that_read_it, daemon=True)
        killer.start()
        row = row_of(process, long_clip)
        over.set()
        killer.join()
        assert "SIGSEGV" in row["error"] and len(killed) == 2
        assert len(row_of(process, photo)["faces"]) == 1


def test_no_process_is_left_behind(photo):
    before = children()
    with OwnProcess(settings_of(photo)) as process:
        process.label(str(photo))
        (child,) = children() - before
    assert children() == before
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_child_ends_with_its_parent_even_while_it_labels(long_clip):
    code = (
        "from runtime.label.own_process import OwnProcess; from tests.support.archives import settings_of; "
        f"OwnProcess(settings_of({str(long_clip)!r})).label({str(long_clip)!r})"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as parent:
        while not (reading := [pid for pid in children(parent.pid) if long_clip in open_files(pid)]):
            time.sleep(0.01)
        parent.kill()
    (child,) = reading
    while Path(f"/proc/{child}").exists() and long_clip in open_files(child):
        time.sleep(0.01)


def test_a_model_that_cannot_be_opened_is_no_error_of_the_file(photo):
    import dataclasses

    settings = dataclasses.replace(settings_of(photo), model_sha256="0" * 64)
    with OwnProcess(settings) as process, pytest.raises(ChildError) as caught:
        process.label(str(photo))
    assert caught.value.code == 4
