"""The result: a folder of Parquet files, called parts. A part appears whole or not at all.

What has a row is what the parts say; there is no other memory of a run. A part's name is made of its paths: a
part that is labelled twice, because its machine was lost, replaces itself.

| with | rows |
|---|---|
| (default) | `part-<hash>.parquet`: a row per file |
| `--flat` | `files/part-<hash>.parquet`: a row per file, without `faces`; `faces/...`: a row per face |
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .. import __version__
from ..command.lines import score_columns
from ..command.outputs import OutputError
from .files import is_video_name
from .rows import stored
from .settings import Settings
from .store import TROUBLES, open_place, reason

if TYPE_CHECKING:
    import pyarrow as pa

# A part costs Ray and the disk the same, whatever is in it: to label one is to take several seconds.
PART_IMAGES = 600
PART_VIDEOS, PART_SAMPLED_VIDEOS = 4, 15  # the second with `--every`
KEY = b"ferkit"  # of the metadata
READERS = 16  # parts are read at once: an object store answers each late
SUFFIX, UNFINISHED = ".parquet", ".unfinished"


def split(
    paths: Sequence[str], done: Collection[str] = (), limit: int | None = None, *, sampled: bool = False
) -> list[list[str]]:
    """Returns the paths of each part that is still to be labelled.

    The parts are those of all paths, so that a run that was killed and the next one make the same.

    Args:
        paths: All files of the archive.
        done: The files that have a row, as `stored` writes them.
        limit: Of the others, the first so many; None: all.
        sampled: Whether only some frames of each video are labelled.
    """
    parts: list[list[str]] = []
    video = PART_IMAGES // (PART_SAMPLED_VIDEOS if sampled else PART_VIDEOS)  # counts as so many images
    weight, left = PART_IMAGES, len(paths) if limit is None else limit
    for path in paths:
        heavier = video if is_video_name(path) else 1
        if weight + heavier > PART_IMAGES:
            parts.append([])
            weight = 0
        weight += heavier
        if left and stored(path) not in done:
            parts[-1].append(path)
            left -= 1
    return [part for part in parts if part]


class Parts:
    """The Parquet files of an archive in a folder or at an address."""

    def __init__(self, place: str, settings: Settings) -> None:
        """Takes the folder.

        Raises:
            OutputError: It can't be opened.
        """
        self.place = place
        self._settings = settings
        self._system, self._root = open_place(place, OutputError)
        self._files = "/files" if settings.flat else ""
        self._faces = "/faces" if settings.flat else None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Makes the folder, and keeps other commands out of it inside the `with`: two may label a file twice.

        An object store and some network disks have no locks.

        Raises:
            OutputError: It can't be opened, or another command writes there.
        """
        from pyarrow.fs import LocalFileSystem

        if sys.platform == "win32" or not isinstance(self._system, LocalFileSystem):
            yield
            return
        import fcntl

        try:
            self._system.create_dir(self._root, recursive=True)
            handle = os.open(self._root, os.O_RDONLY)
        except TROUBLES as error:
            raise self._error(error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            raise OutputError(
                "another `ferkit label` writes there. Wait for its end, or name another folder with --out.",
                path=self.place,
            ) from error
        except OSError:  # a disk without locks
            pass
        try:
            yield
        finally:
            os.close(handle)

    def prepare(self) -> None:
        """Makes the folders, and tries to write there.

        Raises:
            OutputError: It can't be written.
        """
        trial = f"{self._root}/.ferkit{UNFINISHED}"
        try:
            for folder in (self._files, *filter(None, [self._faces])):
                self._system.create_dir(self._root + folder, recursive=True)
            with self._system.open_output_stream(trial) as file:
                file.write(b"?")
            self._system.delete_file(trial)
        except TROUBLES as error:
            raise self._error(error) from error

    def done(self, *, tidy: bool = False) -> set[str]:
        """Returns the files that have a row.

        Args:
            tidy: Whether to remove what a killed run has left unfinished.

        Raises:
            OutputError: There is a Parquet file that isn't ours or can't be read, or that has labels by
                another model or other settings.
        """
        try:
            names = self._names()
            files = [name for name in names if name.endswith(SUFFIX) and not self._of_faces(name)]
            alone = self._faces_alone(names)
            with ThreadPoolExecutor(READERS) as readers:
                found = list(readers.map(self._paths_of, files + alone))
            if tidy:
                for name in (*alone, *filter(_is_unfinished, names)):
                    self._system.delete_file(name)
            return {path for paths in found[: len(files)] for path in paths}
        except TROUBLES as error:
            if isinstance(error, OutputError):
                raise
            raise self._error(error) from error

    def write(self, paths: Sequence[str], rows: pa.Table) -> None:
        """Writes the part of these paths.

        Raises:
            OutputError: It can't be written.
        """
        name = f"part-{hashlib.sha256(json.dumps(paths).encode()).hexdigest()[:16]}{SUFFIX}"
        try:
            if self._faces:  # before the files, which say what is done
                self._write(f"{self._root}{self._faces}/{name}", flat_faces(rows))
                rows = rows.drop_columns(["faces"])
            self._write(f"{self._root}{self._files}/{name}", rows)
        except TROUBLES as error:
            raise self._error(error) from error

    def _write(self, path: str, rows: pa.Table) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq
        from pyarrow.fs import LocalFileSystem

        about = {"ferkit": __version__, "model": self._settings.model, **self._settings.identity()}
        rows = rows.replace_schema_metadata({KEY: json.dumps(about).encode()})
        stream = pa.BufferOutputStream()
        pq.write_table(rows, stream, compression="zstd")
        local = isinstance(self._system, LocalFileSystem)
        folder, _, name = path.rpartition("/")
        # An object store shows a file when it is closed, a disk when it is begun.
        target = f"{folder}/.{name}.{os.getpid()}{UNFINISHED}" if local else path
        with self._system.open_output_stream(target) as file:
            file.write(stream.getvalue())
        if local:
            self._system.move(target, path)

    def _names(self) -> list[str]:
        from pyarrow.fs import FileSelector, FileType

        infos = self._system.get_file_info(FileSelector(self._root, allow_not_found=True, recursive=True))
        return [info.path for info in infos if info.type == FileType.File]

    def _of_faces(self, name: str) -> bool:
        return bool(self._faces) and name.startswith(f"{self._root}{self._faces}/")

    def _faces_alone(self, names: Sequence[str]) -> list[str]:
        """Returns the parts with faces whose files have none: a killed run wrote the first of the two."""
        have = set(names)
        parts = [name for name in names if name.endswith(SUFFIX) and self._of_faces(name)]
        return [name for name in parts if f"{self._root}{self._files}/{name.rpartition('/')[2]}" not in have]

    def _paths_of(self, name: str) -> list[str]:
        import pyarrow.parquet as pq

        try:
            with self._system.open_input_file(name) as file:
                part = pq.ParquetFile(file)
                about = json.loads((part.schema_arrow.metadata or {}).get(KEY, b"null"))
                self._check(name, about)
                return part.read(columns=["path"])["path"].to_pylist()
        except TROUBLES as error:
            if isinstance(error, OutputError):
                raise
            raise OutputError(f"can't be read: {reason(error)} Remove it.", path=name) from error

    def _check(self, name: str, about: dict[str, Any] | None) -> None:
        if about is None:
            raise OutputError("is not of `ferkit label`. Name an empty folder with --out.", path=name)
        ours = json.loads(json.dumps(self._settings.identity()))
        for key, value in ours.items():
            if about.get(key) != value:
                raise OutputError(
                    f"was made with {key} {about.get(key)}, and this run has {value}. Use the same model and "
                    "options, or name another folder with --out.",
                    path=name,
                )

    def _error(self, error: Exception) -> OutputError:
        return OutputError(
            f"can't be written: {reason(error)} Free some room there, or name a place where this user may "
            "write.",
            path=self.place,
        )


def _is_unfinished(name: str) -> bool:
    """Returns whether a file is one that `write` or `prepare` has begun; the user's own are none."""
    base = name.rpartition("/")[2]
    return base.startswith((".part-", ".ferkit.")) and base.endswith(UNFINISHED)


def flat_faces(rows: pa.Table) -> pa.Table:
    """Returns a row per face: the path, then the columns of `ferkit run --csv`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    faces = rows["faces"].combine_chunks()
    owners = pc.list_parent_indices(faces)
    columns = {"path": rows["path"].take(owners)}
    values = pc.list_flatten(faces)
    for field in values.type:
        column = pc.struct_field(values, field.name)
        if not pa.types.is_struct(field.type):
            columns[field.name] = column
            continue
        inner = [part.name for part in field.type]
        names = score_columns(inner) if field.name == "scores" else inner
        columns |= dict(zip(names, column.flatten(), strict=True))
    return pa.table(columns)
