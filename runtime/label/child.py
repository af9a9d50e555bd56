"""The process that opens the files: `python -m ferkit.label.child`. A file may hang it or kill it.

It reads the settings and then paths from standard input, a line of JSON each. It answers each line with
8 bytes, the length of the answer, and the answer. The first one is JSON: what failed, or nothing. The others
are rows, as streams of Arrow.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from typing import BinaryIO

import cv2

from ..command.exit_codes import ERRORS, exit_code_of
from ..recognizer import Recognizer
from .rows import label_file
from .settings import Settings, open_recognizer


def main() -> None:
    """Labels files until standard input ends."""
    import pyarrow  # noqa: F401 - now, not in the time of the first file

    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # they mean the parent, which closes standard input when it ends
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(lines,), daemon=True).start()
    cv2.setNumThreads(1)  # every core has a process of its own
    settings = Settings(**json.loads(lines.get()))
    try:
        recognizer = open_recognizer(settings)
    except ERRORS as error:
        _send(answers, json.dumps({"code": exit_code_of(error), "problem": str(error)}).encode())
        return
    _send(answers, b"{}")
    while True:
        _send(answers, _row(recognizer, json.loads(lines.get()), settings))


def _read(lines: queue.SimpleQueue[str]) -> None:
    """Passes lines on; ends the process with the parent, even where a file hangs."""
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)


def _row(recognizer: Recognizer, path: str, settings: Settings) -> memoryview:
    import pyarrow as pa

    table = label_file(recognizer, path, settings)
    stream = pa.BufferOutputStream()
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table)
    return memoryview(stream.getvalue())


def _send(answers: BinaryIO, message: bytes | memoryview) -> None:
    answers.write(len(message).to_bytes(8, "little"))
    answers.write(message)
    answers.flush()


if __name__ == "__main__":
    main()
