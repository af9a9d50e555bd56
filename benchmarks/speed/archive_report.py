"""The report on archives: tables of the sections, goals, what is computed, and the page from a template."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.formats import MISSING, count, decimal, percent, signed, span, verdict
from benchmarks.schemas import read_as
from benchmarks.speed.archive_memory import ALL, ROLES, MemoryRow
from benchmarks.speed.archive_proof import DAMAGED, ProofRow
from benchmarks.speed.archive_speed import CLIP_S, CORES, KINDS, SIZE, SpeedRow, StartRow
from benchmarks.speed.archive_store import StoreRow
from benchmarks.speed.sections import Section
from reporting.markdown import table
from reporting.templates import render_template

TEMPLATE = Path(__file__).with_name("archive.md.j2")
LEAST_RATIO = {1: 0.9, 2: 1.8}  # the goals by cores: `ferkit label` to the loop on one core
MOST_GROWTH = 0.05  # of the memory, from the first tenth of the files to the last: the goal
MACHINES = (1, 10, 100)
VIDEOS, VIDEO_S = 1_000_000, 60  # what is computed
DAY_S = 86_400

Goal = tuple[str, bool, str, str]  # what, whether it is reached, the goal, what was measured


@dataclass(frozen=True)
class Archive:
    """What the JSON holds: the sections that were measured."""

    proof: Section[ProofRow] | None = None
    start: Section[StartRow] | None = None
    speed: Section[SpeedRow] | None = None
    memory: Section[MemoryRow] | None = None
    store: Section[StoreRow] | None = None


def read_archive(path: Path) -> Archive:
    """Returns what this benchmark wrote; raises ResultsError for anything else."""
    return read_as(
        Archive,
        path,
        expected="what `python -m benchmarks archive` measured",
        advice="Run it without --table.",
    )


def render(results: Archive) -> str:
    """Returns the page as Markdown, of the sections that were measured."""
    sections = {name: getattr(results, name) for name in TABLES}
    data = {
        "sections": sections,
        "tables": {name: TABLES[name](section.rows) for name, section in sections.items() if section},
        "goals": goals_table(results),
        "machines": machines_table(results.speed.rows) if results.speed else None,
        "driver": driver_share(results),
        "store_bytes_per_s": video_bytes_per_s(results.speed.rows) if results.speed else None,
        "damaged": percent(DAMAGED, 0),
        "size": "x".join(map(str, SIZE)),
        "clip_s": CLIP_S,
        "small": KINDS[0],
        "videos": count(VIDEOS),
        "video_s": VIDEO_S,
        "most_machines": MACHINES[-1],
    }
    return render_template(TEMPLATE, data)


def goals_table(results: Archive) -> str:
    """Returns the goals and what is reached."""
    lines = [
        *_proof_goals(results.proof.rows if results.proof else ()),
        *_speed_goals(results.speed.rows if results.speed else ()),
        *_memory_goals(results.memory.rows if results.memory else ()),
        *_store_goals(results.store.rows if results.store else ()),
    ]
    cells = [(name, verdict(reached), goal, measured) for name, reached, goal, measured in lines]
    return table(("what", "", "goal", "measured"), cells, left=2)


def _proof_goals(rows: Sequence[ProofRow]) -> Iterator[Goal]:
    for row in rows:
        files = row.images + row.videos
        whole = row.missing == row.twice == 0 and row.rows == files
        yield "rows per file", whole, "exactly 1", f"{count(row.rows)} rows, {count(files)} files"
        told = f"{count(row.differing)} of {count(row.compared)}"
        yield "files with other labels than `ferkit run`", row.differing == 0, "0", told


def _speed_goals(rows: Sequence[SpeedRow]) -> Iterator[Goal]:
    for row in sorted(rows, key=lambda row: row.cores):
        name = f"{row.kind}: `ferkit label` on {row.cores} to the loop on 1 core"
        goal = LEAST_RATIO[row.cores]
        yield name, row.ratio >= goal, f"{goal}", f"{row.ratio:.2f}"


def _memory_goals(rows: Sequence[MemoryRow]) -> Iterator[Goal]:
    for row in rows:
        if row.role == ALL and (growth := growth_of(row)) is not None:
            name = f"memory, last to first tenth of {count(row.files)} files"
            yield (
                name,
                growth <= MOST_GROWTH,
                f"{signed(100 * MOST_GROWTH, 0)} %",
                f"{signed(100 * growth, 1)} %",
            )


def _store_goals(rows: Sequence[StoreRow]) -> Iterator[Goal]:
    for row in rows:
        told = f"{count(row.differing)} of {count(row.files)}"
        yield "object store: rows other than of the disk", row.differing == 0, "0", told


def growth_of(row: MemoryRow) -> float | None:
    """Returns by what share the memory grew; None where too few samples were taken."""
    return row.last_bytes / row.first_bytes - 1 if row.first_bytes and row.last_bytes else None


def proof_table(rows: Sequence[ProofRow]) -> str:
    """Returns what became of the files."""
    heads = (
        "files",
        "rows",
        "missing",
        "twice",
        "faces",
        "errors",
        "of `ferkit run`",
        "compared",
        "differing",
    )
    lines = []
    for row in rows:
        counts = [row.images + row.videos, row.rows, row.missing, row.twice, row.faces, row.errors]
        counts += [row.errors_of_run, row.compared, row.differing]
        lines.append((*map(count, counts), f"{row.largest_gap:.1e}", count(row.parts), f"{row.seconds:.0f}"))
    return table((*heads, "largest gap of scores", "Parquet files", "seconds"), lines, left=0)


def start_table(rows: Sequence[StartRow]) -> str:
    """Returns the seconds of whole commands."""
    lines = [
        (f"`{row.command}`", f"{np.median(row.seconds):.2f}", span(_ends(row.seconds), 2)) for row in rows
    ]
    return table(("command", "seconds, median", "turns"), lines)


def speed_table(rows: Sequence[SpeedRow]) -> str:
    """Returns files/s of loop and command, and their ratio."""
    heads = (
        "files",
        "cores",
        "how many",
        "KB each",
        "loop, files/s",
        "`ferkit label`, files/s",
        "ratio",
        "turns",
        "whole command, s",
    )
    lines = [
        (
            row.kind,
            str(row.cores),
            count(row.files),
            f"{row.file_bytes / 1000:,.0f}",
            decimal(float(np.median(row.loop)), 1),
            decimal(float(np.median(row.steady)), 1),
            f"{row.ratio:.2f}",
            span(_ends(np.divide(row.steady, row.loop).tolist()), 2),
            f"{np.median(row.whole_s):.1f}",
        )
        for row in rows
    ]
    return table(heads, lines)


def memory_table(rows: Sequence[MemoryRow]) -> str:
    """Returns memory and processor time by role."""
    heads = (
        "what",
        "processes",
        "first tenth, MB",
        "last tenth, MB",
        "most, MB",
        "processor time, s",
        "ms a file",
    )
    lines = [
        (
            row.role,
            str(row.processes),
            *(
                MISSING if held is None else f"{held / 1e6:.0f}"
                for held in (row.first_bytes, row.last_bytes, row.most_bytes)
            ),
            f"{row.cpu_s:.1f}",
            f"{1000 * row.cpu_s / row.files:.2f}",
        )
        for row in rows
    ]
    return table(heads, lines)


def store_table(rows: Sequence[StoreRow]) -> str:
    """Returns what became of the files in the store."""
    heads = (
        "files",
        "MB read",
        "rows",
        "Parquet files",
        "errors",
        "differing",
        "rows added by a second run",
        "seconds",
    )
    lines = [
        (
            count(row.files),
            f"{row.read_bytes / 1e6:.1f}",
            *map(count, (row.rows, row.parts, row.errors, row.differing, row.again)),
            f"{row.seconds:.0f}",
        )
        for row in rows
    ]
    return table(heads, lines, left=0)


TABLES: dict[str, Callable[[Any], str]] = {
    "proof": proof_table,
    "start": start_table,
    "speed": speed_table,
    "memory": memory_table,
    "store": store_table,
}


def machines_table(rows: Sequence[SpeedRow]) -> str:
    """Returns what was measured of videos on two cores, and what follows for many videos and machines."""
    of_kind = {row.kind: row for row in rows if row.cores == CORES[-1]}
    kinds = [of_kind[kind] for kind in KINDS[2:] if kind in of_kind]
    measured = [
        f"{count(row.files)} videos of {row.file_s:.0f} s: {float(np.median(row.steady)):.2f} a second"
        for row in kinds
    ]
    lines = [("1 machine of two cores", "**measured**", *measured)]
    for machines in MACHINES:
        days = [VIDEOS * VIDEO_S / (video_seconds_per_s(row) * machines) / DAY_S for row in kinds]
        name = f"{machines} machine{'s' if machines > 1 else ''}, {count(VIDEOS)} videos of {VIDEO_S} s"
        lines.append((name, "computed", *(f"{decimal(day, 1)} days" for day in days)))
    heads = ("", "", *("every frame" if row.kind == KINDS[2] else "one frame a second" for row in kinds))
    return table(heads, lines, left=2)


def video_seconds_per_s(row: SpeedRow) -> float:
    """Returns how many seconds of video are labelled in a second."""
    return float(np.median(row.steady)) * row.file_s


def video_bytes_per_s(rows: Sequence[SpeedRow]) -> float | None:
    """Returns the bytes that the most machines would read a second, one frame a second being labelled."""
    for row in rows:
        if row.kind == KINDS[3] and row.cores == CORES[-1]:
            return MACHINES[-1] * float(np.median(row.steady)) * row.file_bytes
    return None


def driver_share(results: Archive) -> float | None:
    """Returns how much of a core the command itself would need for the files of the most machines."""
    if not (results.memory and results.speed):
        return None
    command = next((row for row in results.memory.rows if row.role == ROLES[0]), None)
    fastest = [row for row in results.speed.rows if row.kind == KINDS[3] and row.cores == CORES[-1]]
    if command is None or not fastest:
        return None
    rate = float(np.median(fastest[0].steady)) * fastest[0].file_s / VIDEO_S
    return MACHINES[-1] * rate * command.cpu_s / command.files


def _ends(values: Sequence[float]) -> list[float]:
    return [min(values), max(values)] if len(values) > 1 else list(values)
