"""Ctrl-C, SIGTERM and SIGHUP: they end a run between two frames, never in a line that is being written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

# SIGTERM stops services and containers. SIGHUP comes when a terminal is closed or a login is lost; Windows
# has none.
STOPS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def terminate_as_interrupt() -> Iterator[None]:
    """Makes SIGTERM and SIGHUP act as Ctrl-C inside the `with`."""
    with ExitStack() as stack:
        for number in STOPS:
            stack.enter_context(_handled(number, _interrupt))
        yield


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Holds back the first Ctrl-C until the end of the `with`; the second one interrupts at once.

    A signal that the program handles itself goes there at once.
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
    """Lets a function handle a signal inside the `with`.

    An ignored signal stays ignored: a background job ignores Ctrl-C, one under nohup ignores SIGHUP. Only the
    main thread may set a handler; in others nothing changes.
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
