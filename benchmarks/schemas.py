"""Typed results: JSON that a benchmark wrote, read back as the dataclass that it was written from."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from benchmarks.errors import MissingPackageError, ResultsError

Schema = TypeVar("Schema")


def read_as(schema: type[Schema], path: str | Path, *, expected: str, advice: str) -> Schema:
    """Returns what a JSON file holds as a dataclass, or as a list or a dict of them.

    Fields that the schema lacks are ignored. Needs msgspec, which a board does without: it only measures.

    Args:
        schema: The type.
        path: The file.
        expected: What the file should be, for the message.
        advice: What to do about another file.

    Raises:
        ResultsError: The file can't be read, or does not fit the schema; the message names the field.
    """
    try:
        import msgspec
    except ImportError as error:
        raise MissingPackageError(f"Reading {path}", "msgspec", "msgspec") from error
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=schema)
    except OSError as error:
        raise ResultsError(path, expected, f"none ({error.strerror})", advice) from error
    except msgspec.MsgspecError as error:
        raise ResultsError(path, expected, f"something else ({error})", advice) from error
