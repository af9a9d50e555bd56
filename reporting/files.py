"""Write a file whole or not at all: a reader never meets half of one, and a full disk keeps the old one."""

from __future__ import annotations

import json
import math
import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class FolderError(ValueError):
    """A folder for results that can't be made or written; the message names it."""


def write_atomically(path: str | Path, content: str | bytes) -> None:
    """Write text (UTF-8) or bytes to a temporary file beside `path` and move it there; folders are made."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def place_of_results(committed: str, *, whole: bool) -> Path:
    """Return where results go by default: what is committed is replaced by a whole measurement alone.

    committed: such as "reports/peers.md"; a part of it goes to "benchmarks/out/peers.md".
    """
    return Path(committed) if whole else Path("benchmarks", "out", Path(committed).name)


def place_of_report(results: str | Path) -> Path:
    """Return where the page and the plots of some results go, without an ending.

    results: a file or a folder. Of the project's own in results/ the pages are in reports/, under the same
    name; those of other results are beside them.
    """
    path = Path(results).absolute().with_suffix("")
    if path.is_relative_to(ROOT / "results"):
        return ROOT / "reports" / path.relative_to(ROOT / "results")
    return path


def make_folder(path: str | Path) -> None:
    """Make a folder and try whether it can be written into: before long work, not after it.

    Raises FolderError where it can't.
    """
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise FolderError(
            f"{path}: expected a folder that can be made and written, got: {error.strerror}. "
            "Name another one."
        ) from error


def write_json(path: str | Path, content: dict) -> None:
    """Write `content` as indented JSON, atomically; not-a-number becomes null, which JSON can hold."""
    write_atomically(path, json.dumps(_without_nan(content), indent=1, ensure_ascii=False) + "\n")


def _without_nan(value: object) -> object:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
