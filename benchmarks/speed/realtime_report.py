"""The realtime report: tables of each section, and the page from `realtime.md.j2`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.formats import MISSING, verdict
from benchmarks.schemas import read_as
from benchmarks.speed.clips import VISITORS
from benchmarks.speed.effort import DETECTORS
from benchmarks.speed.live import RATES, LatencyRow
from benchmarks.speed.processes import ProcessRow
from benchmarks.speed.sections import Section
from benchmarks.speed.soak import SoakRow
from benchmarks.speed.stages import STAGES, StageRow
from benchmarks.speed.table import DETECTOR_NAMES
from reporting.markdown import table
from reporting.templates import render_template
from runtime.recognizer import FACES_PER_FRAME

TEMPLATE = Path(__file__).with_name("realtime.md.j2")
# The goals of one core at 640x480: detector, faces, frames/s without reading and drawing.
GOALS = (("ferkit", 1, 700), ("yunet", 1, 400), ("haar", 1, 60), ("yunet", 10, 150))
GOAL_WIDTH, GOAL_THREADS = 640, 1


@dataclass(frozen=True)
class Realtime:
    """What the JSON holds: the sections that were measured."""

    stages: Section[StageRow] | None = None
    latency: Section[LatencyRow] | None = None
    processes: Section[ProcessRow] | None = None
    soak: Section[SoakRow] | None = None


def read_realtime(path: Path) -> Realtime:
    """Returns what this benchmark wrote; raises ResultsError for anything else."""
    return read_as(
        Realtime,
        path,
        expected="what `python -m benchmarks realtime` measured",
        advice="Run it without --table.",
    )


def render(results: Realtime) -> str:
    """Returns the page as Markdown, of the sections that were measured."""
    data = {
        "results": results,
        "goals": goals_table(results.stages.rows) if results.stages else None,
        "tables": {
            name: TABLES[name](section.rows) for name, section in vars(results).items() if section is not None
        },
        "faces_per_frame": FACES_PER_FRAME,
        "visitors": VISITORS,
    }
    return render_template(TEMPLATE, data)


def goals_table(rows: Sequence[StageRow]) -> str | None:
    """Returns the goals and what is reached; None where none of their cases was measured."""
    lines = [
        (
            DETECTOR_NAMES[detector],
            verdict(row.frames_per_s >= goal),
            str(faces),
            str(goal),
            f"{row.frames_per_s:.0f}",
            f"{row.frames_per_s_with_read_and_draw:.0f}",
        )
        for detector, faces, goal in GOALS
        for row in rows
        if (row.detector, row.faces, row.width, row.threads) == (detector, faces, GOAL_WIDTH, GOAL_THREADS)
    ]
    heads = ("detector", "goal", "faces", "frames/s, goal", "measured", "with reading and drawing")
    return table(heads, lines, left=2) if lines else None


def stages_table(rows: Sequence[StageRow]) -> str:
    """Returns frames/s, in brackets with reading and drawing, and milliseconds of each stage."""
    heads = ("detector", "frame", "faces", "seen", "threads", "every", "frames/s", *STAGES)
    lines = [
        (
            DETECTOR_NAMES[row.detector],
            f"{row.width}x{row.height}",
            str(row.faces),
            f"{row.faces_seen:.2f}",
            str(row.threads),
            f"{row.detect_every:.1f}",
            f"{row.frames_per_s:.0f} ({row.frames_per_s_with_read_and_draw:.0f})",
            *(f"{row.ms[stage]:.2f}" for stage in STAGES),
        )
        for row in rows
    ]
    return table(heads, lines, left=2)


def latency_table(rows: Sequence[LatencyRow]) -> str:
    """Returns the times from frame to labels."""
    heads = ("detector", "faces", "frames/s given", "median ms", "p95 ms", "dropped")
    lines = [
        (
            DETECTOR_NAMES[row.detector],
            str(row.faces),
            str(row.rate),
            f"{row.median_ms:.1f}",
            f"{row.p95_ms:.1f}",
            f"{row.dropped} of {row.frames}",
        )
        for row in rows
    ]
    return table(heads, lines)


def processes_table(rows: Sequence[ProcessRow]) -> str:
    """Returns seconds and peak memory of whole processes."""
    lines = [
        (
            DETECTOR_NAMES[row.detector],
            f"{row.seconds:.2f}",
            MISSING if row.peak_bytes is None else f"{row.peak_bytes / 1e6:.0f}",
        )
        for row in rows
    ]
    return table(("detector", "seconds", "peak MB"), lines)


def soak_table(rows: Sequence[SoakRow]) -> str:
    """Returns the memory of long runs."""
    heads = (
        "frames",
        "seconds",
        "faces",
        "parts",
        "largest part, MB",
        "first tenth, MB",
        "last tenth, MB",
        "most, MB",
    )
    lines = [
        (
            f"{row.frames:,}",
            f"{row.seconds:.0f}",
            f"{row.faces:,}",
            str(row.parts),
            f"{row.written_bytes / 1e6:.0f}",
            f"{row.first_bytes / 1e6:.1f}",
            f"{row.last_bytes / 1e6:.1f}",
            f"{row.most_bytes / 1e6:.1f}",
        )
        for row in rows
    ]
    return table(heads, lines, left=0)


TABLES: dict[str, Callable[[Any], str]] = {
    "stages": stages_table,
    "latency": latency_table,
    "processes": processes_table,
    "soak": soak_table,
}


def summary_table(
    stages: Section[StageRow], latency: Section[LatencyRow], processes: Section[ProcessRow]
) -> str:
    """Returns the block of docs/benchmarks.md: frames of 640x480 on one thread, live latency and start."""
    live = {(row.detector, row.faces): row for row in latency.rows if row.rate == RATES[0]}
    heads = ("detector", "faces", "frames/s", "with reading and drawing", "live: median ms", "p95 ms")
    lines = []
    for row in sorted(stages.rows, key=lambda row: DETECTORS.index(row.detector)):
        if (row.width, row.threads) == (GOAL_WIDTH, GOAL_THREADS):
            of_live = live.get((row.detector, row.faces))
            lines.append(
                (
                    DETECTOR_NAMES[row.detector],
                    str(row.faces),
                    f"{row.frames_per_s:.0f}",
                    f"{row.frames_per_s_with_read_and_draw:.0f}",
                    *((f"{of_live.median_ms:.1f}", f"{of_live.p95_ms:.1f}") if of_live else ("", "")),
                )
            )
    started = ", ".join(f"{row.seconds:.2f} s with {DETECTOR_NAMES[row.detector]}" for row in processes.rows)
    return (
        f"{table(heads, lines)}\n\n"
        f"Measured {stages.device['measured']} on {stages.device['processor']}, one thread, model "
        f"`{stages.model}`, frames of 640x480. Live: from a frame to its labels, {RATES[0]} frames/s given. "
        f"Of more than {FACES_PER_FRAME} faces {FACES_PER_FRAME} are scored a frame, round robin. "
        f"From the start of Python to the first labels: {started}."
    )
