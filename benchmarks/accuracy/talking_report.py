"""The report on labels of talking faces: what is stored, its tables, and the page from `talking.md.j2`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.accuracy.steady_report import FACE_PX, FRAME_RATE, MOST_FLIPS, SHARE
from benchmarks.accuracy.talking_faces import BLURRED, LIGHT, OPENING, ROLL_DEGREES, SYLLABLES_HZ
from benchmarks.formats import decimal, percent, verdict
from benchmarks.schemas import read_as
from reporting.machine import Device
from reporting.markdown import table
from reporting.templates import render_template
from runtime import smoothing

TEMPLATE = Path(__file__).with_name("talking.md.j2")
SECONDS = 10  # of each face
RIGHT_FACES = 0.85  # the model's accuracy on the chosen faces, as they are
SHOWN_GOAL, RIGHT_GOAL = 0.75, 0.8  # of the frames; of the shown ones


@dataclass(frozen=True)
class TalkingRow:
    """What one choice of time constant, margin and threshold gives.

    Attributes:
        time_constant_s: Of the mean.
        margin: By which a new label must lead.
        threshold: The probability that a label needs to be shown.
        shown: The share of the frames of talking faces with a label other than "uncertain".
        right: The share of these whose label is the dataset's.
        changes: Changes of the shown label a minute.
        delay_s: Median time from a face's first frame to its first label; faces without one count in full.
        steady: The share of still faces whose label changes at most `MOST_FLIPS` times in 10 s.
        is_default: Whether it is the runtime's.
        is_chosen: Whether it is the best.
    """

    time_constant_s: float
    margin: float
    threshold: float
    shown: float
    right: float
    changes: float
    delay_s: float
    steady: float
    is_default: bool
    is_chosen: bool


@dataclass(frozen=True)
class Talking:
    """What the JSON holds; accuracies are the model's on single frames, 0 to 1."""

    device: Device
    model: str
    count: int
    seed: int
    accuracy_still: float
    accuracy_talking: float
    rows: list[TalkingRow]


def rows_table(rows: Sequence[TalkingRow]) -> str:
    """Returns a line for each choice."""
    heads = (
        "",
        "time constant, s",
        "margin",
        "threshold",
        "shown",
        "right of these",
        "changes a minute",
        "delay, s",
        "steady still faces",
    )
    lines = [
        (
            "**chosen**" if row.is_chosen else "default" if row.is_default else "",
            f"{row.time_constant_s:g}",
            f"{row.margin:g}",
            f"{row.threshold:g}",
            percent(row.shown, 1),
            percent(row.right, 1),
            decimal(row.changes, 1),
            decimal(row.delay_s, 2),
            percent(row.steady, 1),
        )
        for row in rows
    ]
    return table(heads, lines)


def goals_table(row: TalkingRow) -> str:
    """Returns the goals and whether a choice, the runtime's, reaches them."""
    measures = (
        ("frames that show a label", SHOWN_GOAL, row.shown),
        ("shown labels that are right", RIGHT_GOAL, row.right),
        (f"still faces with at most {MOST_FLIPS:g} change in 10 s", SHARE, row.steady),
    )
    lines = [
        (name, f"at least {percent(goal, 0)}", percent(found, 1), verdict(found >= goal))
        for name, goal, found in measures
    ]
    return table(("measure", "goal", "with the defaults", ""), lines)


def default_of(results: Talking) -> TalkingRow:
    """Returns the row of the runtime's own settings."""
    return next(row for row in results.rows if row.is_default)


def read_talking(path: Path) -> Talking:
    """Returns what this benchmark wrote; raises ResultsError for anything else."""
    return read_as(
        Talking,
        path,
        expected="what `python -m benchmarks talking` wrote",
        advice="Run `python -m benchmarks talking` again.",
    )


def render(results: Talking) -> str:
    """Returns the page as Markdown."""
    data = {
        "results": results,
        "goals": goals_table(default_of(results)),
        "table": rows_table(results.rows),
        "chosen": next((row for row in results.rows if row.is_chosen), None),
        "runtime": smoothing,
        "still": percent(results.accuracy_still, 1),
        "talking": percent(results.accuracy_talking, 1),
        "seconds": SECONDS,
        "frame_rate": FRAME_RATE,
        "face_px": FACE_PX,
        "opening": percent(OPENING, 0),
        "syllables": SYLLABLES_HZ,
        "light": percent(LIGHT, 0),
        "roll": f"{ROLL_DEGREES:g}",
        "blurred": percent(BLURRED, 0),
    }
    return render_template(TEMPLATE, data)
