"""A child process that labels files, each within a time limit. A file that hangs or kills it costs itself."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from .rows import failed_row
from .settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

ATTEMPTS = 2  # of a file whose process died: the system may have ended it for another's memory
ENDING_S = 2.0  # that a child has to end by itself


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
        self._child: subprocess.Popen[bytes] | None = None

    def label(self, path: str) -> pa.Table:
        """Labels one file; returns its row.

        Raises:
            ChildError: No file could be labelled.
        """
        import pyarrow as pa

        for _ in range(ATTEMPTS):
            answer, timed_out = self._ask(path)
            if answer is not None:
                return pa.ipc.open_stream(answer).read_all()
            code = self._end()
            if timed_out:
                limit = f"{self.time_limit_s:g} s"
                problem = (
                    f"took longer than the limit of {limit}. Raise --time-limit, or sample with --every."
                )
                return failed_row(path, problem, self._settings.labels)
        return failed_row(path, f"{_death(code)} the process that read it.", self._settings.labels)

    def _ask(self, path: str) -> tuple[bytes | None, bool]:
        """Returns the child's answer, None where it died, and whether that was for the time limit."""
        child = self._child or self._start()
        timed_out = threading.Event()

        def stop() -> None:
            timed_out.set()
            child.kill()

        timer = threading.Timer(self.time_limit_s, stop)
        timer.daemon = True
        timer.start()
        try:
            answer = _asked(child, json.dumps(path))
        finally:
            timer.cancel()
        return answer, timed_out.is_set()

    def _start(self) -> subprocess.Popen[bytes]:
        root = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        child = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get("FERKIT_VERBOSE") else subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
        )
        self._child = child
        answer = _asked(child, json.dumps(asdict(self._settings)))
        if answer is None:
            self._end()
            raise ChildError("a fault of ferkit itself: its process ended at the start.", code=70)
        if failure := json.loads(answer):
            self._end()
            raise ChildError(failure["problem"], code=failure["code"])
        return child

    def _end(self) -> int:
        """Ends the child; returns its exit status, below 0 for a signal."""
        child, self._child = self._child, None
        if child is None:
            return 0
        with suppress(OSError):
            child.stdin.close()  # type: ignore[union-attr]
        try:
            code = child.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            child.kill()
            code = child.wait()
        child.stdout.close()  # type: ignore[union-attr]
        return code

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


def _asked(child: subprocess.Popen[bytes], line: str) -> bytes | None:
    """Sends a line and returns the answer; None where the child died."""
    assert child.stdin and child.stdout
    with suppress(BrokenPipeError):
        child.stdin.write(f"{line}\n".encode())
        child.stdin.flush()
    head = child.stdout.read(8)
    size = int.from_bytes(head, "little")
    answer = child.stdout.read(size)
    return answer if len(head) == 8 and len(answer) == size else None


def _death(code: int) -> str:
    if code >= 0:
        return f"ended (exit status {code})"
    with suppress(ValueError):
        return f"killed ({signal.Signals(-code).name})"
    return f"killed (signal {-code})"
