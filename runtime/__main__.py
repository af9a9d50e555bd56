"""`python -m ferkit` is the command `ferkit`."""

import os
import signal
import sys
from types import FrameType

from .errors import missing_opencv

NO_OPENCV = 4  # as for an engine that is missing


def main() -> int:
    """Runs the command with the process's arguments; returns the exit code (see `ferkit --help`)."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
    try:
        from .command.cli import main as run
    except ImportError as error:
        if line := missing_opencv(error):
            print(f"ferkit: {line}", file=sys.stderr)
            return NO_OPENCV
        raise
    signal.signal(signal.SIGINT, before)
    return run()


def _end(number: int, frame: FrameType | None) -> None:
    """Ends the process at Ctrl-C while libraries are imported: nothing is open yet."""
    os._exit(130)


if __name__ == "__main__":
    sys.exit(main())
