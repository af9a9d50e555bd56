"""The table of all detectors with the goals of the first, and that of their curves."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.accuracy.detector_figures import DetectorFigures, GroupFigures
from benchmarks.accuracy.detector_images import ALIKE, FRAMES, PASTED, SMALL
from benchmarks.formats import MISSING, decimal, percent, verdict
from benchmarks.speed.table import label_of
from reporting.markdown import table

FRAMES_GOAL = 0.98  # share of the faces found
SMALL_GOAL = 0.9  # of what YuNet finds
MOST_BELOW_MEAN = 0.02  # of all groups that should be alike
FALSE_GOAL = 0.01  # false faces per image without a face, and no more than YuNet
MS_GOAL = 1.5
YUNET = "yunet"
SHOWN_FALSE = 0.2  # per image: worse points of a curve are left out of its table

Row = tuple[str, str, list[str], str, bool | None]  # measure, faces, a cell a detector, goal, whether reached


def goals_table(results: DetectorFigures) -> str:
    """Returns every measure: a column per detector, the goal, and whether the first detector reaches it."""
    names = list(results.detectors)
    rows = _rows_found(results, names)
    if results.false_per_background is not None:
        false = results.false_per_background
        most = min(FALSE_GOAL, false.get(YUNET, FALSE_GOAL))
        cells = [decimal(false[name], 3) for name in names]
        goal = f"at most {FALSE_GOAL:g}, and YuNet's"
        measure = "false faces per image without a face"
        rows.append((measure, f"{results.backgrounds:,}", cells, goal, false[names[0]] <= most))
    median = {name: results.times[name].median_ms for name in names}
    cells = [decimal(median[name], 2) for name in names]
    rows.append(("ms a frame of 640x480", "", cells, f"at most {MS_GOAL:g}", median[names[0]] <= MS_GOAL))
    if YUNET in median:
        cells = [decimal(median[name] / median[YUNET], 2) for name in names]
        rows.append(("time in YuNet's", "", cells, MISSING, None))
    heads = (
        "measure",
        "faces or images",
        *results.detectors.values(),
        "goal",
        f"{label_of(names[0])} reaches it",
    )
    lines = [
        (measure, count, *cells, goal, verdict(reached)) for measure, count, cells, goal, reached in rows
    ]
    return table(heads, lines)


def _rows_found(results: DetectorFigures, names: Sequence[str]) -> list[Row]:
    """Returns the rows on faces found; pasted faces of all groups make two."""
    first = names[0]
    alike = [group for group in results.groups if group.kind == ALIKE]
    least = _mean(alike, first) - MOST_BELOW_MEAN
    rows: list[Row] = []
    for group in results.groups:
        if group.name.startswith(PASTED):
            continue
        goal, reached = _goal(group, first, least)
        rows.append((f"found: {group.name}", f"{group.faces:,}", _cells(group.found, names), goal, reached))
    pasted = [group for group in alike if group.name.startswith(PASTED)]
    if pasted:
        faces = f"{sum(group.faces for group in pasted):,}"
        means = {name: _mean(pasted, name) for name in names}
        rows.append(
            (f"found: pasted faces, mean of {len(pasted)} groups", faces, _cells(means, names), MISSING, None)
        )
        worst = {name: min(pasted, key=lambda group: group.found[name]) for name in names}
        cells = [
            f"{percent(worst[name].found[name], 1)} ({worst[name].name.removeprefix(PASTED)})"
            for name in names
        ]
        goal, reached = _goal(worst[first], first, least)
        rows.append(("found: pasted faces, the worst group", f"{worst[first].faces:,}", cells, goal, reached))
    if alike:
        means = {name: _mean(alike, name) for name in names}
        measure = f"mean of {len(alike)} groups: photographs and pasted faces"
        rows.append(
            (
                measure,
                "",
                _cells(means, names),
                MISSING,
                None,
            )
        )
    return rows


def _goal(group: GroupFigures, first: str, least: float) -> tuple[str, bool | None]:
    """Returns a group's goal in words, and whether the first detector reaches it; None: can't be said."""
    found = group.found[first]
    if group.kind == FRAMES:
        return f"at least {percent(FRAMES_GOAL, 0)}", found >= FRAMES_GOAL
    if group.kind == SMALL:
        yunet = group.found.get(YUNET)
        goal = f"at least {percent(SMALL_GOAL, 0)} of YuNet's"
        return goal, None if yunet is None else found >= SMALL_GOAL * yunet
    return f"at most {100 * MOST_BELOW_MEAN:g} points below the mean", found >= least


def _cells(found: dict[str, float], names: Sequence[str]) -> list[str]:
    return [percent(found[name], 1) for name in names]


def _mean(groups: Sequence[GroupFigures], name: str) -> float:
    return sum(group.found[name] for group in groups) / len(groups) if groups else float("nan")


def released_points(results: DetectorFigures) -> dict[str, tuple[float, float]]:
    """Returns, by label, false faces per background and photographs' faces found, as released."""
    sources = _sources(results)
    faces = sum(group.faces for group in sources)
    if results.false_per_background is None or not faces:
        return {}
    return {
        label: (
            results.false_per_background[name],
            sum(group.faces * group.found[name] for group in sources) / faces,
        )
        for name, label in results.detectors.items()
    }


def curve_table(results: DetectorFigures) -> str:
    """Returns the first detector's curve: what it finds, and what it takes for faces, at each confidence."""
    points = results.curves.get(next(iter(results.detectors)), [])
    lines = [
        (f"{point.threshold:.3f}", percent(point.found, 1), decimal(point.false_per_image, 3))
        for point in points
        if point.false_per_image <= SHOWN_FALSE
    ]
    return table(("least confidence", "found in the photographs", "false per background"), lines)


def _sources(results: DetectorFigures) -> list[GroupFigures]:
    """Returns the groups that are the photographs as they are, which the curves are of."""
    return [group for group in results.groups if group.name in results.sources]
