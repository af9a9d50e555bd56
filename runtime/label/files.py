"""The files of an archive: of a folder, a glob, a manifest or an address."""

from __future__ import annotations

import csv
import fnmatch
import glob
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from ..images import IMAGE_SUFFIXES, SourceError
from .store import TROUBLES, address_of, open_place, reason, with_options

if TYPE_CHECKING:
    import pyarrow.fs as fs

VIDEO_SUFFIXES = frozenset(
    (".3gp", ".avi", ".flv", ".gif", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".ogv")
) | {".ts", ".webm", ".wmv"}
COLUMN = "path"  # of a manifest


def is_video_name(path: str) -> bool:
    """Returns whether a path has the suffix of a video."""
    return PurePosixPath(path).suffix.lower() in VIDEO_SUFFIXES


def find_files(source: str) -> list[str]:
    """Returns the files that a user names, each once.

    | source | which files |
    |---|---|
    | a folder, a prefix of an address | those with the suffix of an image or a video, in its folders too |
    | a glob | what matches; `**` reaches into folders |
    | a manifest: `.csv`, `.parquet` | its column `path` |
    | a manifest: `.txt` | a path a line |
    | another file | itself |

    Raises:
        SourceError: There is none, or the source can't be read.
    """
    if not source:
        raise SourceError("Expected a source, got an empty text: is a variable of the shell empty?")
    try:
        paths = _address_files(source) if "://" in source else _local_files(source)
    except TROUBLES as error:
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"can't be read: {reason(error)}", path=source) from error
    if not paths:
        raise SourceError("expected images or videos, got none.", path=source)
    return list(dict.fromkeys(paths))


def _local_files(source: str) -> list[str]:
    path = Path(source)
    if path.is_dir():
        found = (Path(folder, name) for folder, _, names in os.walk(path) for name in names)
        return sorted(str(file) for file in found if _is_wanted(file.name))
    if path.is_file():
        with path.open("rb") as file:
            return _listed(source, file) or [source]
    if glob.has_magic(source):
        # Not Path.glob, which takes no absolute pattern and no `..`.
        return sorted(name for name in glob.glob(source, recursive=True) if Path(name).is_file())  # noqa: PTH207
    raise SourceError(
        "no such file or folder. A source is a folder, a glob in quotes, a manifest (.csv, .parquet, .txt) "
        "or an address such as s3://bucket/folder.",
        path=source,
    )


def _address_files(source: str) -> list[str]:
    from pyarrow.fs import FileType, LocalFileSystem

    system, inside = open_place(source, SourceError)
    if isinstance(system, LocalFileSystem):
        return _local_files(inside)
    named = partial(address_of, like=source, root=inside)
    # An address has `[` for a glob, and `%5B` for a name with this letter.
    if magic := [letter for letter in "*[" if letter in source.partition("?")[0] and letter in inside]:
        folder = inside[: min(map(inside.find, magic))].rpartition("/")[0]
        pattern = inside.split("/")
        return sorted(map(named, _below(system, folder, lambda path: _matches(path.split("/"), pattern))))
    (info,) = system.get_file_info([inside])
    if info.type == FileType.File:
        with system.open_input_file(inside) as file:
            return _listed(source.partition("?")[0], file) or [named(inside)]
    if info.type == FileType.NotFound:
        raise SourceError("no such file or folder.", path=source)
    return sorted(map(named, _below(system, inside, _is_wanted)))


def _below(system: fs.FileSystem, folder: str, wanted: Callable[[str], bool]) -> Iterator[str]:
    from pyarrow.fs import FileSelector, FileType

    infos = system.get_file_info(FileSelector(folder, recursive=True))
    return (info.path for info in infos if info.type == FileType.File and wanted(info.path))


def _matches(names: Sequence[str], pattern: Sequence[str]) -> bool:
    """Returns whether a path fits a glob, both split at `/`, as `glob` finds files on a disk."""
    if not pattern:
        return not names
    if pattern[0] == "**" and _matches(names, pattern[1:]):
        return True
    if not names:
        return False
    if pattern[0] == "**":
        return _matches(names[1:], pattern)
    return fnmatch.fnmatchcase(names[0], pattern[0]) and _matches(names[1:], pattern[1:])


def _is_wanted(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES or is_video_name(name)


def _listed(name: str, file: BinaryIO) -> list[str]:
    """Returns the paths that a manifest lists; none of what is no manifest.

    Raises:
        SourceError: It is a manifest without a path.
    """
    readers: dict[str, Callable[[str, BinaryIO], Iterable[str]]] = {
        ".csv": _csv_paths,
        ".parquet": _parquet_paths,
        ".txt": lambda name, file: (os.fsdecode(line.rstrip(b"\r\n")) for line in file.read().split(b"\n")),
    }
    read = readers.get(PurePosixPath(name).suffix.lower())
    if read is None:
        return []
    paths = [path for path in read(name, file) if path]
    if not paths:
        raise SourceError("expected a manifest with the path of a file in each row, got none.", path=name)
    return paths


def _csv_paths(name: str, file: BinaryIO) -> list[str]:
    text = io.TextIOWrapper(io.BytesIO(file.read()), "utf-8-sig", errors="surrogateescape", newline="")
    rows = csv.DictReader(text)
    _check_column(name, rows.fieldnames or ())
    return [row[COLUMN] or "" for row in rows]


def _parquet_paths(name: str, file: BinaryIO) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.ParquetFile(file)
    _check_column(name, table.schema_arrow.names)
    return table.read(columns=[COLUMN])[COLUMN].cast(pa.string()).to_pylist()


def _check_column(name: str, columns: Iterable[str]) -> None:
    if COLUMN not in columns:
        raise SourceError(
            f"expected a manifest with a column {COLUMN!r}, got {', '.join(columns) or 'no columns'}.",
            path=name,
        )


def options_of(source: str) -> str:
    """Returns the address whose options hold for every file of the source; an empty text for a local one."""
    return source if "://" in source and with_options("x://", source) != "x://" else ""
