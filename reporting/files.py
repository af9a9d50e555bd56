"""Write a file whole or not at all: no reader meets half of one, and a full disk keeps the old one."""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


class FolderError(ValueError):
    """A folder for results can't be made or written.

    Attributes:
        path: The folder.
        reason: What the operating system says.
    """

    def __init__(self, path: str | Path, reason: str) -> None:
        """Keeps the folder and the reason."""
        self.path, self.reason = Path(path), reason
        super().__init__(
            f"{path}: expected a folder that can be made and written, got: {reason}. Name another one."
        )


@contextmanager
def replacing(path: str | Path, *, keep_suffix: bool = False) -> Iterator[Path]:
    """Gives a temporary path beside `path`; its file takes the place of `path` at the end of the `with`.

    Folders are made. After an error the temporary file is deleted and `path` stays as it was.

    Args:
        path: The file to write.
        keep_suffix: Whether the temporary file has the same ending, for writers that look at it (Keras).

    Raises:
        OSError: The file can't be written; it names `path`, not the temporary file.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    name = f".{os.getpid()}.{path.name}" if keep_suffix else f".{path.name}.{os.getpid()}"
    temporary = path.with_name(name)
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(temporary)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error  # a user knows this name
    finally:
        temporary.unlink(missing_ok=True)


def write_atomically(path: str | Path, content: str | bytes, *, only_changes: bool = False) -> None:
    """Writes text (UTF-8) or bytes atomically; folders are made.

    Args:
        path: The file to write.
        content: What it is to hold.
        only_changes: Whether a file that holds just this is left alone, with its time.
    """
    data = content.encode() if isinstance(content, str) else content
    if only_changes and Path(path).exists() and Path(path).read_bytes() == data:
        return
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: str | Path, content: Any, *, indent: int = 1) -> None:
    """Writes indented JSON atomically; not-a-number becomes null, as JSON has no other word for it."""
    write_atomically(path, json.dumps(_without_nan(content), indent=indent, ensure_ascii=False) + "\n")


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def sha256_of(path: str | Path) -> str:
    """Returns the sha256 of a file as 64 hexadecimal digits."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def place_of_results(committed: str, *, whole: bool) -> Path:
    """Returns where results go by default: only a whole measurement replaces what is committed.

    Args:
        committed: Such as "results/peers.json"; a part of it goes to "benchmarks/out/peers.json".
        whole: Whether everything was measured.
    """
    return Path(committed) if whole else Path("benchmarks", "out", Path(committed).name)


def place_of_report(results: str | Path) -> Path:
    """Returns where the page and the plots of some results go, without an ending.

    Args:
        results: A file or a folder. Those in the project's `results/` have their pages in `reports/`, under
            the same name; those elsewhere have them beside them.
    """
    path = Path(results).absolute()
    if path.suffix == ".json":  # no other: mine.v2 has a page of its own
        path = path.with_suffix("")
    if path.is_relative_to(ROOT / "results"):
        return ROOT / "reports" / path.relative_to(ROOT / "results")
    return path


def page_of(results: str | Path) -> Path:
    """Returns the Markdown page of some results, a file as `place_of_report` takes it."""
    return Path(f"{place_of_report(results)}.md")


def make_folder(path: str | Path) -> None:
    """Makes a folder and tries to write into it: before long work, not after it.

    Raises:
        FolderError: It can't be made or written.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise FolderError(path, error.strerror or str(error)) from error
