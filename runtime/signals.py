"""Ctrl-C and its kin: they end a run between two frames, never within a line or a frame that is written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

# SIGTERM stops services and containers; SIGHUP, which Windows lacks, comes where a terminal is closed or a
# login is lost.
STOPS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def terminate_as_interrupt() -> Iterator[None]:
    """Let SIGTERM and SIGHUP be a Ctrl-C inside the `with`."""
    with ExitStack() as stack:
        for number in STOPS:
            stack.enter_context(_handled(number, _interrupt))
        yield


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold back the first Ctrl-C until the end of the `with`; the second one interrupts at once.

    A signal for which the program has a handler of its own goes there at once.
    """
    held: list[int] = []

    def hold(number: int, frame: FrameType | None) -> None:
        if held:
            raise KeyboardInterrupt
        held.append(number)

    with ExitStack() as stack:
        for number in (signal.SIGINT, *STOPS):
            if signal.getsignal(number) in (signal.default_int_handler, _interrupt):
                stack.enter_context(_handled(number, hold))
        yield
    if held:
        raise KeyboardInterrupt


@contextmanager
def _handled(number: int, handler: Any) -> Iterator[None]:
    """Have a signal handled by a function.

    Not where it is ignored, as a job in the background ignores Ctrl-C and one under nohup SIGHUP, and not in
    other threads than the main one, which alone may set it.
    """
    before = signal.getsignal(number)
    if threading.current_thread() is not threading.main_thread() or before in (signal.SIG_IGN, None):
        yield
        return
    signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)
