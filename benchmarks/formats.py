"""How figures look in tables: a dash stands for one that is missing or not a number."""

from __future__ import annotations

import math
from collections.abc import Sequence

MISSING = "-"


def percent(share: float | None, digits: int = 2) -> str:
    """Returns a share of 0 to 1 in percent: "63.64 %"."""
    return MISSING if share is None or math.isnan(share) else f"{100 * share:.{digits}f} %"


def decimal(value: float | None, digits: int = 3) -> str:
    """Returns a number with decimals and thousands: "1,594.4"."""
    return MISSING if value is None or math.isnan(value) else f"{value:,.{digits}f}"


def count(value: int | None) -> str:
    """Returns a whole number with thousands: "837,990"."""
    return MISSING if value is None else f"{value:,}"


def kilobytes(value: int) -> str:
    """Returns bytes as whole KB of 1000: "1,141"."""
    return f"{value / 1000:,.0f}"


def span(values: Sequence[float], digits: int, unit: str = "") -> str:
    """Returns one number, or the two ends of a range: "65.90–66.00 %"."""
    return "–".join(f"{value:.{digits}f}" for value in values) + unit if values else MISSING


def signed(value: float, digits: int = 2) -> str:
    """Returns a number with its sign, never "-0.00"."""
    return f"{round(value, digits) + 0.0:+.{digits}f}"


def verdict(reached: bool | None) -> str:
    """Returns whether a goal is reached; a dash where its figure is missing."""
    return MISSING if reached is None else "reached" if reached else "missed"
