"""A user who may read and write only where he is allowed to: root, as tests in containers are, may always."""

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CAPABILITY_VERSION = 0x20080522  # linux/capability.h, version 3
OVERRIDE = 1 << 1 | 1 << 2  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH


@contextmanager
def unprivileged(folder: Path, mode: int) -> Iterator[None]:
    """Give a folder a mode, and act inside the `with` as a user whom modes bind; then all is as before."""
    if sys.platform == "win32":
        pytest.skip("Windows has no such modes")
    before = folder.stat().st_mode
    folder.chmod(mode)
    try:
        with _bound_root() if os.geteuid() == 0 else _nothing():
            yield
    finally:
        folder.chmod(before)


@contextmanager
def _nothing() -> Iterator[None]:
    yield


@contextmanager
def _bound_root() -> Iterator[None]:
    """Take this thread's right to pass over modes, and give it back."""
    if not sys.platform.startswith("linux"):
        pytest.skip("modes don't bind root here")
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice 32 bits of each
    library = ctypes.CDLL(None, use_errno=True)
    if library.capget(header, sets) != 0:
        pytest.skip("this system doesn't tell the rights of root")
    effective = sets[0]
    sets[0] &= ~OVERRIDE
    assert library.capset(header, sets) == 0
    try:
        yield
    finally:
        sets[0] = effective
        assert library.capset(header, sets) == 0
