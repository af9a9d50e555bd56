"""A process that labels files: one that hangs or kills it costs itself alone."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runtime.label.own_process import ChildError, OwnProcess
from tests.support.archives import descendants, open_files, settings_of, signalled
from tests.support.command import ROOT
from tests.support.yunet import needs_haar

pytest.importorskip("pyarrow", reason="needs pyarrow: pip install -r requirements/ray.txt")
pytestmark = [
    needs_haar,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds its child in Linux's /proc"),
]


def row_of(process, path):
    (row,) = process.label([str(path)]).to_pylist()
    return row


def test_a_file_that_hangs_costs_itself_alone(photo):
    with OwnProcess(settings_of(photo)) as process:
        before = set(descendants(os.getpid()))
        assert row_of(process, photo)["error"] is None
        (child,) = set(descendants(os.getpid())) - before
        os.kill(child, signal.SIGSTOP)
        process.time_limit_s = 0.5
        hung = row_of(process, photo)
        assert "0.5 s" in hung["error"] and hung["faces"] == []
        process.time_limit_s = 3600.0
        assert row_of(process, photo)["error"] is None


def test_a_file_that_kills_the_process_twice_has_a_row_that_says_so(long_clip, clip, photo):
    files = list(map(str, (photo, clip, long_clip, photo.with_name("missing.jpg"))))
    with (
        OwnProcess(settings_of(long_clip)) as process,
        signalled(signal.SIGSEGV, os.getpid(), long_clip) as killed,
    ):
        rows = {row["path"]: row for row in process.label(files).to_pylist()}
        assert len(row_of(process, photo)["faces"]) == 1
    assert len(killed) == 2
    assert sorted(rows) == sorted(files)
    assert [len(rows[path]["faces"]) for path in files] == [1, 5, 0, 0]
    errors = [rows[path]["error"] for path in files]
    assert errors[:2] == [None, None] and "SIGSEGV" in errors[2] and "no such file" in errors[3]


def test_a_file_that_hangs_among_others_costs_itself_alone(long_clip, clip, photo):
    files = list(map(str, (photo, long_clip, clip)))
    with (
        OwnProcess(settings_of(long_clip)) as process,
        signalled(signal.SIGSTOP, os.getpid(), long_clip) as stopped,
    ):
        process.time_limit_s = 10.0
        rows = {row["path"]: row for row in process.label(files).to_pylist()}
    assert len(stopped) == 1
    assert sorted(rows) == sorted(files)
    assert [path for path in files if rows[path]["error"]] == [str(long_clip)]
    assert "10 s" in rows[str(long_clip)]["error"]
    assert [len(rows[path]["faces"]) for path in files] == [1, 0, 5]


def test_no_process_is_left_behind(photo):
    before = set(descendants(os.getpid()))
    with OwnProcess(settings_of(photo)) as process:
        process.label([str(photo)])
        (child,) = set(descendants(os.getpid())) - before
    assert set(descendants(os.getpid())) == before
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)


def test_a_child_ends_with_its_parent_even_while_it_labels(long_clip):
    code = (
        "from runtime.label.own_process import OwnProcess; from tests.support.archives import settings_of; "
        f"OwnProcess(settings_of({str(long_clip)!r})).label([{str(long_clip)!r}])"
    )
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT) as parent:
        while not (reading := [pid for pid in descendants(parent.pid) if long_clip in open_files(pid)]):
            time.sleep(0.01)
        parent.kill()
    (child,) = reading
    while Path(f"/proc/{child}").exists() and long_clip in open_files(child):
        time.sleep(0.01)


def test_a_model_that_cannot_be_opened_is_no_error_of_the_file(photo):
    import dataclasses

    settings = dataclasses.replace(settings_of(photo), model_sha256="0" * 64)
    with OwnProcess(settings) as process, pytest.raises(ChildError) as caught:
        process.label([str(photo)])
    assert caught.value.code == 4
