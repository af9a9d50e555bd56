"""Proof: an archive with damaged files has exactly one row per file, with the labels of `ferkit run`."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.artifacts import ROOT
from benchmarks.errors import BenchmarkError
from benchmarks.speed.archive_effort import ArchiveEffort
from benchmarks.speed.archive_files import make_archive
from benchmarks.speed.archive_runs import DETECTOR, label, parts_in, rows_in
from reporting.progress import progress
from runtime.command.cli import main as ferkit
from runtime.command.exit_codes import IN_PART, OK
from runtime.images import SourceError, read_image
from runtime.label.files import is_video_name
from runtime.label.settings import DETECT_EVERY

DAMAGED = 0.05  # the share of damaged files
SCORES_ALIKE = 1e-6  # a row has float32, `ferkit run` six decimals

Faces = list[dict[str, Any]]


@dataclass(frozen=True)
class ProofRow:
    """What became of an archive.

    Attributes:
        images: The number of image files.
        videos: The number of videos.
        rows: The number of rows.
        missing: Files without a row.
        twice: Files with more than one.
        faces: The number of faces in all rows.
        errors: Rows with an error.
        errors_of_run: Files that `ferkit run` could not read, in whole or in part.
        compared: Files whose faces were compared with those of `ferkit run`.
        differing: Files whose faces or error are not those of `ferkit run`.
        largest_gap: Between two scores of one face.
        parts: The number of Parquet files.
        seconds: Of the whole command.
    """

    images: int
    videos: int
    rows: int
    missing: int
    twice: int
    faces: int
    errors: int
    errors_of_run: int
    compared: int
    differing: int
    largest_gap: float
    parts: int
    seconds: float


def measure_proof(model: str, effort: ArchiveEffort, portrait: np.ndarray) -> list[ProofRow]:
    """Labels an archive with `ferkit label` and with `ferkit run`, and compares every file."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder, "in"), Path(folder, "out")
        paths = make_archive(
            source, portrait, images=effort.images, videos=effort.videos, damaged=DAMAGED, seed=1
        )
        seconds = label(source, out, model)
        expected = labels_of_run(paths, model, Path(folder))
        return [compare(rows_in(str(out)), expected, parts=len(parts_in(out)), seconds=seconds)]


def compare(
    rows: Sequence[Mapping[str, Any]],
    expected: Mapping[str, tuple[Faces, bool]],
    *,
    parts: int = 0,
    seconds: float = 0.0,
) -> ProofRow:
    """Compares rows with what `ferkit run` says.

    Args:
        rows: Of the result.
        expected: By path: the faces, and whether the file could be read in whole.
        parts: The number of Parquet files.
        seconds: Of the whole command.
    """
    count = Counter(row["path"] for row in rows)
    by_path = {row["path"]: row for row in rows}
    gaps = [
        gap_of(by_path[path], faces, whole) for path, (faces, whole) in expected.items() if path in by_path
    ]
    videos = sum(map(is_video_name, expected))
    return ProofRow(
        images=len(expected) - videos,
        videos=videos,
        rows=len(rows),
        missing=sum(path not in count for path in expected),
        twice=sum(many > 1 for many in count.values()),
        faces=sum(len(row["faces"]) for row in rows),
        errors=sum(row["error"] is not None for row in rows),
        errors_of_run=sum(not whole for _, whole in expected.values()),
        compared=len(gaps),
        differing=sum(gap is None or gap > SCORES_ALIKE for gap in gaps),
        largest_gap=max((gap for gap in gaps if gap is not None), default=0.0),
        parts=parts,
        seconds=seconds,
    )


def gap_of(row: Mapping[str, Any], faces: Faces, whole: bool) -> float | None:
    """Returns the largest gap between two scores of a file; None where anything else differs."""
    if len(row["faces"]) != len(faces) or (row["error"] is None) != whole:
        return None
    largest = 0.0
    for face, told in zip(row["faces"], faces, strict=True):
        exact = {name: told[name] for name in ("frame", "time_s", "id", "label", "smoothed")}
        if any(face[name] != value for name, value in exact.items()):
            return None
        if list(face["box"].values()) != told["box"] or face["scores"].keys() != told["scores"].keys():
            return None
        pairs = [(face["scores"][label], score) for label, score in told["scores"].items()]
        pairs.append((face["confidence"], told["confidence"]))
        largest = max(largest, *(abs(one - other) for one, other in pairs))
    return largest


def labels_of_run(paths: Sequence[Path], model: str, folder: Path) -> dict[str, tuple[Faces, bool]]:
    """Returns what `ferkit run` says of each file: its faces, and whether the file could be read in whole."""
    images = [path for path in paths if not is_video_name(str(path))]
    expected: dict[str, tuple[Faces, bool]] = {str(path): ([], _is_readable(path)) for path in images}
    lines = folder / "faces.jsonl"
    command = [sys.executable, "-m", "runtime", "run", "-", *_options(model, lines)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, input=b"".join(os.fsencode(path) + b"\n" for path in images)
    )
    if done.returncode not in (OK, IN_PART):
        raise BenchmarkError(f"`ferkit run` ended with exit code {done.returncode}.")
    for face in _read_lines(lines):
        expected[face["source"]][0].append(face | {"frame": 0})  # of one image
    for path in progress([path for path in paths if is_video_name(str(path))], "ferkit run"):
        lines.unlink(missing_ok=True)
        with redirect_stderr(io.StringIO()):
            code = ferkit(["run", str(path), *_options(model, lines), "--detect-every", str(DETECT_EVERY)])
        expected[str(path)] = (_read_lines(lines), code == OK)
    return expected


def _options(model: str, lines: Path) -> list[str]:
    return ["--model", model, "--detector", DETECTOR, "--offline", "--json", str(lines)]


def _is_readable(path: Path) -> bool:
    with suppress(SourceError):
        read_image(path)
        return True
    return False


def _read_lines(path: Path) -> Faces:
    if not path.exists():
        return []
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]
