"""Runs of `ferkit label` as a user starts it, on so many cores, and what its parts tell about them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.artifacts import ROOT
from benchmarks.errors import BenchmarkError
from runtime.command.exit_codes import IN_PART, OK

DETECTOR = "ferkit"  # it is in the package, so that every machine measures with the same


class Part(NamedTuple):
    """A Parquet file of the result: when it was there, in seconds since 1970, and its rows."""

    written_s: float
    rows: int


@contextmanager
def on_cores(count: int) -> Iterator[None]:
    """Keeps what is started inside the `with` to the first so many cores.

    Raises:
        BenchmarkError: The system can't do that, or has fewer cores.
    """
    if not hasattr(os, "sched_setaffinity"):
        raise BenchmarkError("Expected Linux, which can keep a process to some cores, got another system.")
    before = os.sched_getaffinity(0)
    if len(before) < count:
        raise BenchmarkError(f"Expected {count} cores, got {len(before)}. Measure on another machine.")
    os.sched_setaffinity(0, sorted(before)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def label_command(source: str | Path, out: str | Path, model: str, *options: str) -> list[str]:
    """Returns the command line of `ferkit label`."""
    command = [sys.executable, "-m", "runtime", "label", str(source), "--out", str(out), "--model", model]
    return [*command, "--detector", DETECTOR, "--offline", *options]


def label(
    source: str | Path,
    out: str | Path,
    model: str,
    *options: str,
    environment: Mapping[str, str] | None = None,
) -> float:
    """Runs `ferkit label` to its end; returns the seconds of the whole command.

    Raises:
        BenchmarkError: It fails otherwise than by damaged files.
    """
    command = label_command(source, out, model, *options)
    start = time.perf_counter()
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, **(environment or {})}
    )
    seconds = time.perf_counter() - start
    check(done.returncode, done.stderr)
    return seconds


def check(code: int, said: str) -> None:
    """Raises BenchmarkError for an exit code of `ferkit label` that is no measurement."""
    if code not in (OK, IN_PART):
        lines = said.strip().splitlines() or ["nothing was said"]
        raise BenchmarkError(f"`ferkit label` ended with exit code {code}: {lines[-1]}")


def parts_in(out: Path) -> list[Part]:
    """Returns the parts in a folder, the earliest first."""
    import pyarrow.parquet as pq

    return sorted(
        Part(path.stat().st_mtime_ns / 1e9, pq.read_metadata(path).num_rows) for path in out.glob("*.parquet")
    )


def rows_in(out: str, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Returns the rows of all parts in a folder or at an address."""
    import pyarrow.parquet as pq
    from pyarrow.fs import FileSelector, FileSystem

    system, root = FileSystem.from_uri(out) if "://" in out else FileSystem.from_uri(Path(out).as_uri())
    paths = [info.path for info in system.get_file_info(FileSelector(root)) if info.path.endswith(".parquet")]
    rows: list[dict[str, Any]] = []
    for path in sorted(paths):
        with system.open_input_file(path) as file:
            rows += pq.ParquetFile(file).read(columns=columns).to_pylist()
    return rows


def steady_files_per_s(parts: Sequence[Part], actors: int) -> float:
    """Returns the files a second from the moment when every actor had written its first part.

    Raises:
        BenchmarkError: There are too few parts to tell.
    """
    if len(parts) < 2 * actors:
        raise BenchmarkError(f"Expected {2 * actors} parts or more of a timed run, got {len(parts)}.")
    seconds = parts[-1].written_s - parts[actors - 1].written_s
    return sum(part.rows for part in parts[actors:]) / seconds
