"""Run a command: an expected error becomes one line on stderr and an exit status."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

FAILED = 1
INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def run_command(
    command: Callable[[], int | None],
    *,
    errors: tuple[type[Exception], ...] = (),
    stopped: str = "Stopped.",
) -> int:
    """Runs a command and returns its exit status.

    Args:
        command: What to run. It returns its own exit status; None counts as 0.
        errors: The errors that are expected. `OSError` always is. Others are raised, as they are faults of
            the program.
        stopped: The sentence for Ctrl-C, such as what was kept and how to go on.

    Returns:
        The command's own status, `FAILED` after an expected error, `INTERRUPTED` after Ctrl-C.
    """
    expected: tuple[type[Exception], ...] = (*errors, OSError)
    try:
        return command() or 0
    except expected as error:
        print(message_of(error), file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print(stopped, file=sys.stderr)
        return INTERRUPTED


def at_least(smallest: int) -> Callable[[str], int]:
    """Returns a `type` for argparse: a whole number, `smallest` or more."""

    def number(text: str) -> int:
        if not text.lstrip("-").isdecimal() or int(text) < smallest:
            raise argparse.ArgumentTypeError(f"expected a whole number from {smallest}, got {text!r}")
        return int(text)

    return number


def whole_numbers(text: str) -> list[int]:
    """Returns the whole numbers of a list such as '0,1', each once; a `type` for argparse."""
    if not all(is_number(number.strip()) for number in text.split(",")):
        raise argparse.ArgumentTypeError(f"expected whole numbers below {10**9} such as 0,1, got {text!r}.")
    return list(dict.fromkeys(int(number) for number in text.split(",")))


def is_number(text: str) -> bool:
    """Whether a text is digits alone, of the ten that `int` and people expect, and not endlessly many."""
    return text.isascii() and text.isdigit() and len(text) < 10


def message_of(error: Exception) -> str:
    """Returns an error as a sentence; one of the operating system names its file first."""
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: can't be read or written: {error.strerror}."
    return str(error)
