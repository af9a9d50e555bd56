"""Archives: their settings, their rows, and what `ferkit run` and a plain loop say of their files."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from runtime.command.cli import build_parser, main
from runtime.label.command import settings_of as settings_of_options
from runtime.label.rows import batch_of, label_file
from runtime.label.settings import open_recognizer
from tests.support.command import ROOT, RUN

LONGEST_S = 600  # of a command; then it hangs


def settings_of(source, *options):
    """The settings of `ferkit label` with a tiny model."""
    return settings_of_options(
        build_parser().parse_args(["label", str(source), "--out", "x", *RUN, *options])
    )


def label(*arguments):
    """Runs `ferkit label` with a tiny model in a process of its own to its end."""
    command = [sys.executable, "-m", "runtime", "label", *map(str, arguments), *RUN]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)


def paths_in(out):
    """The paths of all rows in a folder of parts."""
    import pyarrow.parquet as pq

    return [path for part in Path(out).glob("*.parquet") for path in pq.read_table(part)["path"].to_pylist()]


def rows_in(out):
    """The rows in a folder of parts, by path."""
    import pyarrow.parquet as pq

    rows = [row for part in Path(out).glob("*.parquet") for row in pq.read_table(part).to_pylist()]
    return {row["path"]: row for row in rows}


def plain_labels(paths):
    """The faces of each file, by a plain loop without Ray or a process apart."""
    settings = settings_of("x")
    with open_recognizer(settings) as recognizer:
        rows = [label_file(recognizer, str(path), settings) for path in paths]
    return {row["path"]: row["faces"] for row in batch_of(rows, settings.labels).to_pylist()}


def faces_by_run(path, folder):
    """The faces that `ferkit run` finds in a file, as its JSON has them; None where it reads nothing."""
    lines = Path(folder) / "faces.jsonl"
    lines.unlink(missing_ok=True)
    if main(["run", str(path), *RUN, "--detect-every", "5", "--json", str(lines)]) not in (0, 1):
        return None
    return [json.loads(line) for line in lines.read_text().splitlines()] if lines.exists() else []


def same_faces(faces, expected):
    """Whether the faces of a row are those of `ferkit run`, but for float32."""
    for face, told in zip(faces, expected, strict=True):
        boxes = {**face, "box": list(face["box"].values())}
        near = {"scores": pytest.approx(face["scores"], abs=1e-6)}
        near["confidence"] = pytest.approx(face["confidence"], abs=1e-6)
        if boxes | near != {name: told[name] for name in face}:
            return False
    return True


@contextmanager
def start_label(*arguments):
    """Runs `ferkit label` with a tiny model in a process of its own; the end of the `with` ends it."""
    command = [sys.executable, "-m", "runtime", "label", *map(str, arguments), *RUN]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def descendants(pid):
    """The processes that a process has started, and those that they have started."""
    children = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):  # the thread has ended
                children += map(int, (task / "children").read_text().split())
    return [*children, *(below for child in children for below in descendants(child))]


def open_files(pid):
    """The files that a process has open; those that it closes meanwhile are left out."""
    found = []
    with suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                found.append(link.readlink())
    return found


def parent_of(pid):
    """The process that started another."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


@contextmanager
def signalled(number, root, path):
    """Sends a signal, once each, to the processes below another that read a file; yields them."""
    over, reached = threading.Event(), []

    def send():
        while not over.wait(0.01):
            for pid in set(descendants(root)) - set(reached):
                if path in open_files(pid):
                    reached.append(pid)
                    with suppress(ProcessLookupError):
                        os.kill(pid, number)

    sender = threading.Thread(target=send, daemon=True)
    sender.start()
    yield reached
    over.set()
    sender.join()


def hold(root, folder, command):
    """Stops a process below another in the middle of a file of a folder; returns it.

    It fails if the command ends before, or reads none for long.
    """
    latest_s = time.monotonic() + LONGEST_S
    while command.poll() is None and time.monotonic() < latest_s:
        for pid in descendants(root):
            if _reads(pid, folder):
                os.kill(pid, signal.SIGSTOP)
                while is_running(pid) and _state(pid) != "T":
                    time.sleep(0.001)
                if _reads(pid, folder):  # it was not between two files
                    return pid
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        time.sleep(0.005)
    return pytest.fail(f"the command read no file that could be held; exit code: {command.returncode}")


def is_running(pid):
    """Whether a process has not ended; one that nobody has waited for has."""
    return _state(pid) not in ("Z", None)


def _reads(pid, folder):
    return any(path.is_relative_to(folder) for path in open_files(pid))


def _state(pid):
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    return None
