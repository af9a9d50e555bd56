"""A child process that labels files, each within a time limit. A file that hangs or kills it costs itself."""

from __future__ import annotations

import json
import mmap
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from .rows import batch_of, failed_row, row_schema
from .settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

ATTEMPTS = 2  # of a file whose process died: the system may have ended it for another's memory
ENDING_S = 2.0  # that a child has to end by itself
LOOK_S = 0.5  # from one look at the time that a file takes to the next
# Of glibc: memory of a frame that was freed is kept for the next frame, up to 64 MB. To give it back to the
# system each time took a fifth of the time of an image of 640x480.
KEEP_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**25), "MALLOC_TRIM_THRESHOLD_": str(2**26)}


class ChildError(RuntimeError):
    """The child process can't label anything: the model, the engine or the detector can't be opened.

    Attributes:
        code: The exit code of `ferkit` for it.
    """

    def __init__(self, problem: str, *, code: int) -> None:
        """Takes what the child said, and the exit code."""
        super().__init__(problem)
        self.code = code


class OwnProcess:
    """Labels files in a child process inside a `with`; another is started in place of one that died.

    Attributes:
        time_limit_s: How long one file may take, in seconds.
    """

    def __init__(self, settings: Settings) -> None:
        """Takes the settings; the process is started with the first file."""
        self.time_limit_s = settings.time_limit_s
        self._settings = settings
        self._child: _Child | None = None

    def label(self, paths: Sequence[str]) -> pa.Table:
        """Labels files; returns a row for each, those of files that killed the process not in their place.

        Raises:
            ChildError: No file could be labelled.
        """
        import pyarrow as pa

        labels = self._settings.labels
        left, deaths = list(paths), Counter[str]()
        batches: list[pa.RecordBatch] = []
        while left:
            self._child = self._child or _Child(self._settings)
            found, timed_out = self._child.label(left, self.time_limit_s)
            batches += found
            rows = sum(map(len, found))
            if rows == len(left):
                break
            number = max(rows, self._child.number)  # of the file that hung or killed it
            problem = _death(self._end())
            culprit = left.pop(number)
            del left[:rows]  # what was labelled and not yet sent is labelled again
            deaths[culprit] += 1
            if timed_out:
                problem = (
                    f"took longer than the limit of {self.time_limit_s:g} s. Raise --time-limit, or sample "
                    "with --every."
                )
            elif deaths[culprit] < ATTEMPTS:
                left.insert(0, culprit)  # alone at risk, before others are labelled
                continue
            batches.append(batch_of([failed_row(culprit, problem)], labels))
        return pa.Table.from_batches(batches, row_schema(labels))

    def _end(self) -> int:
        child, self._child = self._child, None
        return child.end() if child else 0

    def __enter__(self) -> OwnProcess:
        """Returns itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends the child."""
        self._end()


class _Child:
    """A process of `child.py`, with the model opened.

    Attributes:
        number: Of the paths that it was last given, the index of the file that it is at; -1 before the first.
    """

    def __init__(self, settings: Settings) -> None:
        """Starts it.

        Raises:
            ChildError: It can't open the model, the engine or the detector.
        """
        root = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        handle, shared = tempfile.mkstemp(prefix="ferkit-")
        with os.fdopen(handle, "r+b") as file:
            file.write(bytes(8))
            file.flush()
            self._counter = mmap.mmap(file.fileno(), 8)
        self._before = 0
        self._reader: Any = None
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.child", shared],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get("FERKIT_VERBOSE") else subprocess.DEVNULL,
            env={**KEEP_MEMORY, **os.environ, "PYTHONPATH": path},
        )
        assert self._process.stdin and self._process.stdout
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        self._send(asdict(settings))
        answer = self._stdout.readline()
        with suppress(OSError):
            Path(shared).unlink()
        if answer.endswith(b"\n") and not (failure := json.loads(answer)):
            return
        self.end()
        if not answer.endswith(b"\n"):
            raise ChildError("a fault of ferkit itself: its process ended at the start.", code=70)
        raise ChildError(failure["problem"], code=failure["code"])

    @property
    def number(self) -> int:
        return self._count() - self._before - 1

    def label(self, paths: Sequence[str], limit_s: float) -> tuple[list[pa.RecordBatch], bool]:
        """Returns the rows of the first files, of all unless it died; and whether that was for the limit."""
        import pyarrow as pa

        self._before = self._count()
        over, timed_out = threading.Event(), threading.Event()
        watch = threading.Thread(target=self._watch, args=(limit_s, over, timed_out), daemon=True)
        watch.start()
        batches: list[pa.RecordBatch] = []
        left = len(paths)
        try:
            self._send(list(paths))
            self._reader = self._reader or pa.ipc.open_stream(self._stdout)
            while left > 0:
                batches.append(self._reader.read_next_batch())
                left -= len(batches[-1])
        except (StopIteration, pa.ArrowException, OSError):  # it died: between two batches, or in one
            pass
        finally:
            over.set()
            watch.join()
        return batches, timed_out.is_set()

    def _watch(self, limit_s: float, over: threading.Event, timed_out: threading.Event) -> None:
        """Ends the process when it has been at one file for too long."""
        count, since_s = self._count(), time.monotonic()
        while not over.wait(min(LOOK_S, limit_s / 4)):
            now_s = time.monotonic()
            if (now := self._count()) != count:
                count, since_s = now, now_s
            elif now_s - since_s >= limit_s:
                timed_out.set()
                self._process.kill()
                return

    def _count(self) -> int:
        """Returns how many files it has begun."""
        return int.from_bytes(self._counter[:], "little")

    def _send(self, content: object) -> None:
        with suppress(BrokenPipeError):
            self._stdin.write(f"{json.dumps(content)}\n".encode())
            self._stdin.flush()

    def end(self) -> int:
        """Ends it; returns its exit status, below 0 for a signal."""
        with suppress(OSError):
            self._stdin.close()
        try:
            code = self._process.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._reader = None
        self._stdout.close()
        self._counter.close()
        return code


def _death(code: int) -> str:
    if code >= 0:
        return f"ended (exit status {code}) the process that read it."
    with suppress(ValueError):
        return f"killed ({signal.Signals(-code).name}) the process that read it."
    return f"killed (signal {-code}) the process that read it."
