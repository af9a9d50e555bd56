"""`python -m ferkit` is the command `ferkit`."""

import os
import signal
import sys
from types import FrameType


def main() -> int:
    """Runs the command with the process's arguments; returns the exit code (see `ferkit --help`)."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
    from .command.cli import main as run

    signal.signal(signal.SIGINT, before)
    return run()


def _end(number: int, frame: FrameType | None) -> None:
    """Ends the process at Ctrl-C while libraries are imported: nothing is open yet."""
    os._exit(130)


if __name__ == "__main__":
    sys.exit(main())
