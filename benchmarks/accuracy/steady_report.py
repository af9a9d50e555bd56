"""The report on steady labels: what is stored, its tables, and the page from `steady.md.j2`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.formats import MISSING, decimal, percent
from benchmarks.schemas import read_as
from reporting.markdown import table
from reporting.templates import render_template
from runtime import smoothing

TEMPLATE = Path(__file__).with_name("steady.md.j2")
FRAME_RATE = 30
STILL_S, CHANGED_S = 10, 2
FACE_PX, BORDER_PX = 100, 20
NOISE = 5.0  # gray levels, standard deviation, of each pixel of a face of 100 pixels
# Of the tracker's boxes on a still, noisy portrait of 70 to 200 pixels: 1.2 % and 1.7 % of it at most.
CENTRE_JITTER, SIZE_JITTER = 0.01, 0.015
JITTER_FRAMES = 6  # a box stays wrong in the same way from one detection to the next

CLEAR = 0.2  # a true change: the new face's scores put one label ahead of all others by as much
MOST_FLIPS = 1.0  # in 10 s
LONGEST_DELAY_S = 0.5
SHARE = 0.95  # of the sequences must keep both limits
MOST_UNCERTAIN = 0.1  # of the validation faces, each in a single look


@dataclass(frozen=True)
class TradeRow:
    """What one choice of time constant and margin gives.

    Attributes:
        restarts: Whether the mean starts again at a change of expression.
        time_constant_s: Of the mean.
        margin: By which a new label must lead.
        is_chosen: Whether it is the best.
        is_default: Whether it is the runtime's.
        faces: Still faces.
        steady_faces: Those whose label changes at most MOST_FLIPS times in 10 s.
        mean_flips: Changes of label in 10 s.
        most_flips: Those of the most restless face.
        changes: True changes.
        quick_changes: Those that are shown within LONGEST_DELAY_S.
        median_delay_s: Until a change is shown; None without changes.
        p95_delay_s: The same, 95th percentile.
    """

    restarts: bool
    time_constant_s: float
    margin: float
    is_chosen: bool
    is_default: bool
    faces: int
    steady_faces: int
    mean_flips: float
    most_flips: float
    changes: int
    quick_changes: int
    median_delay_s: float | None
    p95_delay_s: float | None

    @property
    def steady(self) -> float:
        """The share of steady faces, 0 to 1."""
        return self.steady_faces / self.faces

    @property
    def quick(self) -> float:
        """The share of quick changes, 0 to 1; nan without changes."""
        return self.quick_changes / self.changes if self.changes else math.nan


@dataclass(frozen=True)
class ThresholdRow:
    """The share of faces whose largest score is below a threshold, and the accuracy on the others, 0 to 1."""

    threshold: float
    uncertain: float
    accuracy: float


@dataclass(frozen=True)
class Steady:
    """What the JSON holds."""

    model: str
    measured: str  # YYYY-MM-DD
    count: int
    seed: int
    trades: list[TradeRow]
    thresholds: list[ThresholdRow]


@dataclass(frozen=True)
class Gain:
    """How much better the chosen trade is than the defaults, in points of the smaller share.

    `chance_points` are two standard errors of that share, among `looked_at` faces or changes.
    """

    points: float
    chance_points: float
    looked_at: int

    @property
    def is_chance(self) -> bool:
        """Whether the gain is no more than chance."""
        return self.points <= self.chance_points


def gain_of(chosen: TradeRow, defaults: TradeRow) -> Gain:
    """Returns how much better the chosen trade is than the defaults."""
    share, looked_at = min((chosen.steady, chosen.faces), (chosen.quick, chosen.changes))
    points = 100 * (share - min(defaults.steady, defaults.quick))
    return Gain(points, 100 * 2 * math.sqrt(share * (1 - share) / looked_at), looked_at)


def trades_table(trades: Sequence[TradeRow]) -> str:
    """Returns a line for each trade."""
    heads = (
        "",
        "restarts",
        "time constant, s",
        "margin",
        "flips in 10 s",
        "worst face",
        "steady",
        "median delay, s",
        "p95",
        "quick",
    )
    lines = [
        (
            "**chosen**" if row.is_chosen else "default" if row.is_default else "",
            "yes" if row.restarts else "no",
            f"{row.time_constant_s:g}",
            f"{row.margin:g}",
            f"{row.mean_flips:.2f}",
            f"{row.most_flips:.0f}",
            percent(row.steady, 1),
            decimal(row.median_delay_s, 2),
            decimal(row.p95_delay_s, 2),
            percent(row.quick, 1),
        )
        for row in trades
    ]
    return table(heads, lines, left=2)


def thresholds_table(rows: Sequence[ThresholdRow]) -> str:
    """Returns a line for each threshold."""
    lines = [(f"{row.threshold:g}", percent(row.uncertain, 1), percent(row.accuracy, 1)) for row in rows]
    return table(("threshold", "uncertain", "accuracy on the others"), lines, left=0)


def render(results: Steady) -> str:
    """Returns the page as Markdown."""
    chosen = next((row for row in results.trades if row.is_chosen), None)
    defaults = next((row for row in results.trades if row.is_default), None)
    tolerated = [row.threshold for row in results.thresholds if row.uncertain <= MOST_UNCERTAIN]
    data = {
        "results": results,
        "trades": trades_table(results.trades),
        "thresholds": thresholds_table(results.thresholds),
        "chosen": chosen,
        "defaults": defaults,
        "gain": gain_of(chosen, defaults) if chosen and defaults and chosen is not defaults else None,
        "changes": results.trades[0].changes,
        "tolerated": f"{max(tolerated):g}" if tolerated else MISSING,
        "still_s": STILL_S,
        "changed_s": CHANGED_S,
        "frame_rate": FRAME_RATE,
        "noise": f"{NOISE:g}",
        "face_px": FACE_PX,
        "centre_jitter": percent(CENTRE_JITTER, 1),
        "size_jitter": percent(SIZE_JITTER, 1),
        "jitter_frames": JITTER_FRAMES,
        "most_flips": f"{MOST_FLIPS:g}",
        "clear": f"{CLEAR:g}",
        "longest_delay_s": f"{LONGEST_DELAY_S:g}",
        "share": percent(SHARE, 0),
        "most_uncertain": percent(MOST_UNCERTAIN, 0),
        "runtime": {
            name.lower(): f"{getattr(smoothing, name):g}"
            for name in (
                "THRESHOLD",
                "SHORT_TIME_CONSTANT_S",
                "CHANGE",
                "HOLD_S",
                "HOLD_MARGINS",
                "SETTLE_S",
                "TIME_CONSTANT_S",
                "MARGIN",
            )
        },
    }
    return render_template(TEMPLATE, data, filters={"percent": percent})


def read_steady(path: Path) -> Steady:
    """Returns what this benchmark wrote; raises ResultsError for anything else."""
    return read_as(
        Steady,
        path,
        expected="what `python -m benchmarks steady` wrote",
        advice="Run `python -m benchmarks steady` again.",
    )
