"""A user who may write only where he is allowed to: to root, which tests in containers are, all is open."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65534


@contextmanager
def unprivileged(folder: Path, mode: int) -> Iterator[None]:
    """Give a folder a mode, and act inside the `with` as a user who isn't root; then all is as before."""
    if sys.platform == "win32":
        pytest.skip("Windows has no such modes")
    closed = [path for path in folder.parents if not path.stat().st_mode & 0o001]  # pytest's own are
    before = [(path, path.stat().st_mode) for path in (folder, *closed)]
    for path in closed:
        path.chmod(path.stat().st_mode | 0o011)
    folder.chmod(mode)
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for path, old in before:
            path.chmod(old)
