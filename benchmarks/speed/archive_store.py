"""An object store: moto's S3 server on the loopback, read and written by `ferkit label`."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.errors import MissingPackageError
from benchmarks.speed.archive_effort import ArchiveEffort
from benchmarks.speed.archive_files import make_archive
from benchmarks.speed.archive_proof import DAMAGED
from benchmarks.speed.archive_runs import label, rows_in

KEYS = {  # moto takes any
    "AWS_ACCESS_KEY_ID": "nobody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
BUCKET = "archive"


class Store(NamedTuple):
    """A bucket of a server on this machine."""

    host: str
    port: int

    def address(self, folder: str) -> str:
        """Returns the address of a folder in the bucket."""
        return f"s3://{BUCKET}/{folder}?endpoint_override={self.host}:{self.port}&scheme=http"


@dataclass(frozen=True)
class StoreRow:
    """What became of an archive in an object store.

    Attributes:
        files: The number of its files.
        read_bytes: Their size.
        rows: The number of rows that were written to the store.
        parts: The number of Parquet files there.
        errors: Rows with an error.
        differing: Files whose row is not that of the same file on disk, but for the path.
        again: Rows that the same command added when it was run again.
        seconds: Of the first command.
    """

    files: int
    read_bytes: int
    rows: int
    parts: int
    errors: int
    differing: int
    again: int
    seconds: float


@contextmanager
def object_store() -> Iterator[Store]:
    """Runs moto's S3 server on the loopback inside the `with`, with an empty bucket.

    Raises:
        MissingPackageError: moto or pyarrow is missing.
    """
    try:
        from moto.server import ThreadedMotoServer
        from pyarrow.fs import FileSystem
    except ImportError as error:
        raise MissingPackageError("An object store", "moto", "-r requirements/ray.txt") from error
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # it says a line for each request
    before = {name: os.environ.get(name) for name in KEYS}
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        os.environ.update(KEYS)
        store = Store(*server.get_host_and_port())
        system, _ = FileSystem.from_uri(f"{store.address('')}&allow_bucket_creation=true")
        system.create_dir(BUCKET)
        yield store
    finally:
        server.stop()
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def put(folder: Path, address: str) -> None:
    """Copies a folder with its folders to an address."""
    from pyarrow.fs import FileSystem, LocalFileSystem, copy_files

    system, inside = FileSystem.from_uri(address)
    copy_files(str(folder), inside, LocalFileSystem(), system)


def measure_store(model: str, effort: ArchiveEffort, portrait: np.ndarray) -> list[StoreRow]:
    """Labels an archive in an object store and on disk, and compares every row."""
    with tempfile.TemporaryDirectory() as folder, object_store() as store:
        source, out = Path(folder, "in"), Path(folder, "out")
        videos = effort.stored // 10
        paths = make_archive(source, portrait, images=effort.stored, videos=videos, damaged=DAMAGED, seed=3)
        put(source, store.address("in"))
        seconds = label(store.address("in"), store.address("out"), model)
        rows = rows_in(store.address("out"))
        label(store.address("in"), store.address("out"), model)
        again = len(rows_in(store.address("out"), ["path"])) - len(rows)
        label(source, out, model)
        in_store = _by_name(rows, f"s3://{BUCKET}/in/")
        on_disk = _by_name(rows_in(str(out)), f"{source}/")
        return [
            StoreRow(
                files=len(paths),
                read_bytes=sum(path.stat().st_size for path in paths),
                rows=len(rows),
                parts=_parts(store.address("out")),
                errors=sum(row["error"] is not None for row in rows),
                differing=sum(in_store.get(name) != row for name, row in on_disk.items()),
                again=again,
                seconds=seconds,
            )
        ]


def _by_name(rows: Sequence[dict[str, Any]], root: str) -> dict[str, dict[str, Any]]:
    """Returns rows without their paths, by the path below a folder."""
    return {row.pop("path").removeprefix(root): row for row in rows}


def _parts(address: str) -> int:
    from pyarrow.fs import FileSelector, FileSystem

    system, inside = FileSystem.from_uri(address)
    return sum(info.path.endswith(".parquet") for info in system.get_file_info(FileSelector(inside)))
