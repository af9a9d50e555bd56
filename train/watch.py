"""Notices that another process of a training has ended or fallen silent; JAX may wait for it for ever."""

import os
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NoReturn

SIGN_S = 5.0  # between two signs of life
SILENCE_S = 60.0  # without one, after which a process counts as lost
ALIVE, DONE = b".", b"!"


def end(status: int) -> NoReturn:
    """Ends this process at once: at a usual end JAX would first wait for the others, and then abort."""
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(status)


class Watch:
    """Watches other processes, and shows them that this one is alive, until `stop`."""

    def __init__(
        self,
        others: Mapping[str, socket.socket],
        on_loss: Callable[[str], object],
        *,
        sign: float = SIGN_S,
        silence: float = SILENCE_S,
    ) -> None:
        """Begins.

        Args:
            others: A connection to each process, by its name. They are closed in the end.
            on_loss: Is called, in a thread, with the name of the first that is lost.
            sign: Seconds between two signs of life.
            silence: Seconds without one after which a process counts as lost.
        """
        self._names = {connection: name for name, connection in others.items()}
        self._on_loss, self._sign, self._silence = on_loss, sign, silence
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self, *, done: bool = True) -> None:
        """Looks at the others no more; tells them that this process is done, or is lost to them."""
        self._left.set()
        self._thread.join()
        for connection in self._names:
            with suppress(OSError):
                if done:
                    connection.sendall(DONE)
                connection.close()

    def wait(self) -> None:
        """Waits a little while for a loss."""
        self._thread.join(self._sign)

    def _run(self) -> None:
        """Shows and looks for signs of life until `stop`, or until a process is lost."""
        heard = dict.fromkeys(self._names, time.monotonic())
        shown = 0.0
        while heard and not self._left.is_set():
            now = time.monotonic()
            if now - shown > self._sign:
                shown = now
                for connection in heard:
                    with suppress(OSError):  # what is wrong shows as it is read
                        connection.settimeout(self._sign)
                        connection.sendall(ALIVE)
            ready, _, _ = select.select(list(heard), [], [], min(0.2, self._sign))
            said = {connection: self._signs_of(connection) for connection in ready}
            heard |= {connection: time.monotonic() for connection, signs in said.items() if signs}
            for connection, since in list(heard.items()):
                if DONE in (said.get(connection) or b""):
                    del heard[connection]
                elif said.get(connection) == b"" or time.monotonic() - since > self._silence:
                    self._on_loss(self._names[connection])
                    return

    @staticmethod
    def _signs_of(connection: socket.socket) -> bytes:
        """Returns what a process has said; nothing where it has hung up."""
        try:
            return connection.recv(1024)
        except OSError:
            return b""
