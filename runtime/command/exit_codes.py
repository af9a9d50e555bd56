"""The exit codes of `ferkit`, and which error has which."""

from __future__ import annotations

from ..card import CardError
from ..detectors import DetectorError
from ..engines import EngineError
from ..images import SourceError
from ..model import ModelError
from .outputs import OutputError
from .usage import UsageError
from .window import WindowError

OK, IN_PART, FAULT, INTERRUPTED, NO_READER = 0, 1, 70, 130, 141

# By error that a user can mend: the exit code. It is one line, without a traceback.
EXIT_CODES: dict[type[Exception], int] = {
    UsageError: 2,  # as argparse has it
    SourceError: 3,
    ModelError: 4,
    CardError: 4,
    EngineError: 4,
    DetectorError: 5,
    OutputError: 6,
    WindowError: 7,
}
ERRORS = tuple(EXIT_CODES)

TABLE = """\
exit codes:
  0    done
  1    done in part (an unreadable image, a damaged video, a lost camera), or a check failed
  2    wrong usage
  3    the source can't be opened or read, or none of several images
  4    the model, its card or its engine can't be used, or Ray can't
  5    the face detector can't be used, or there is none
  6    an output can't be written: no permission, no room, an unfit name; what was written before is whole
  7    no window can be opened
  70   a fault of ferkit itself; please report it
  130  stopped by Ctrl-C, SIGTERM or SIGHUP; what was written before is whole
  141  the reader of standard output, or of a pipe, has gone
"""


def exit_code_of(error: Exception) -> int:
    """Returns the exit code of one of `ERRORS`."""
    return next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))
