"""Standard output and standard error: results, lines for the user, and libraries kept quiet."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from unicodedata import category

from .outputs import OutputError

CLEAR_LINE = "\r\033[K"
UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")  # in Unicode: controls, formats, surrogates, and ends of lines
JOINERS = "\u200c\u200d"  # formats too, but Persian words and emoji of families need them


def print_text(text: str) -> None:
    """Writes text to standard output at once.

    Raises:
        OutputError: It can't be written.
        BrokenPipeError: Nobody reads it any more.
    """
    if sys.stdout is None:  # the caller closed it
        return
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        give_up_stdout()
        raise
    except OSError as error:
        give_up_stdout()
        raise OutputError(
            f"can't be written: {error.strerror or error}. Free some room there, or write elsewhere.",
            path="standard output",
        ) from error


def give_up_stdout() -> None:
    """Drops what is left for standard output: Python would try to write it again at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(line: str) -> None:
    """Writes a line of ferkit's own to standard error."""
    if sys.stderr is None:
        return
    with suppress(OSError):  # its terminal was closed
        start = CLEAR_LINE if sys.stderr.isatty() else ""
        print(f"{start}ferkit: {terminal_text(line)}", file=sys.stderr, flush=True)


def terminal_text(text: str) -> str:
    """Returns a line as a terminal may have it.

    Line ends, a terminal's commands and marks that turn text around are escaped: the names of files that came
    from elsewhere may hold them.
    """
    return "".join(
        letter.encode("unicode_escape").decode()
        if category(letter) in UNSEEN and letter not in JOINERS
        else letter
        for letter in text
    )


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keeps the lines that C libraries write (libpng, FFmpeg, engines) off standard error inside the `with`.

    ferkit says itself, once, what goes wrong. The lines stay where FERKIT_VERBOSE=1 is set, or where standard
    error is no file.
    """
    terminal = sys.stderr
    try:
        is_file = terminal.fileno() == 2
    except (AttributeError, OSError, ValueError):
        is_file = False
    if not is_file or os.environ.get("FERKIT_VERBOSE"):
        yield
        return
    terminal.flush()
    kept = os.dup(2)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)
    os.close(silence)
    sys.stderr = os.fdopen(
        kept, "w", buffering=1, encoding=terminal.encoding, errors="backslashreplace", closefd=False
    )
    try:
        yield
    finally:
        sys.stderr.flush()
        sys.stderr = terminal
        os.dup2(kept, 2)
        os.close(kept)
