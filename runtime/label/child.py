"""The process that opens the files: `python -m ferkit.label.child FILE`. A file may hang it or kill it.

It reads lines of JSON from standard input: the settings, then the paths of a part, as often as it is asked.
It answers the settings with a line of JSON: what failed, or nothing. Then it writes one stream of Arrow: a
batch of rows from time to time, and the rest of a part at its end. Before each file it raises the number in
FILE, 8 bytes, so that the parent knows which one hung or killed it.
"""

from __future__ import annotations

import json
import mmap
import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path
from typing import BinaryIO

import cv2

from ..command.exit_codes import ERRORS, exit_code_of
from ..recognizer import Recognizer
from .rows import FACES_PER_CHUNK, Row, batch_of, label_file, row_schema
from .settings import Settings, open_recognizer

SEND_S = 1.0  # rows wait for others at most so long: those of a process that dies are made again


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
    with Path(sys.argv[1]).open("r+b") as file:
        counter = mmap.mmap(file.fileno(), 8)
    try:
        recognizer = open_recognizer(settings)
    except ERRORS as error:
        _say(answers, {"code": exit_code_of(error), "problem": str(error)})
        return
    _say(answers, {})
    _label_parts(recognizer, settings, lines, answers, counter)


def _read(lines: queue.SimpleQueue[str]) -> None:
    """Passes lines on; ends the process with the parent, even where a file hangs."""
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)


def _say(answers: BinaryIO, content: object) -> None:
    answers.write(f"{json.dumps(content)}\n".encode())
    answers.flush()


def _label_parts(
    recognizer: Recognizer,
    settings: Settings,
    lines: queue.SimpleQueue[str],
    answers: BinaryIO,
    counter: mmap.mmap,
) -> None:
    """Labels parts for ever; `_read` ends the process."""
    import pyarrow as pa

    with pa.ipc.new_stream(answers, row_schema(settings.labels)) as stream:

        def send(rows: list[Row]) -> None:
            stream.write_batch(batch_of(rows, settings.labels))
            answers.flush()

        while True:
            paths = json.loads(lines.get())
            rows: list[Row] = []
            faces, sent_s = 0, time.monotonic()
            for path in paths:
                counter[:] = (int.from_bytes(counter[:], "little") + 1).to_bytes(8, "little")
                rows.append(label_file(recognizer, path, settings))
                faces += len(rows[-1]["faces"])
                if faces >= FACES_PER_CHUNK or time.monotonic() - sent_s >= SEND_S:
                    send(rows)
                    rows, faces, sent_s = [], 0, time.monotonic()
            if rows:
                send(rows)


if __name__ == "__main__":
    main()
