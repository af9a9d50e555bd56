"""The sections of a benchmark: each is saved as soon as it is measured, with what it was measured on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from benchmarks.errors import ResultsError
from reporting.files import write_json
from reporting.machine import Device

Row = TypeVar("Row")


@dataclass(frozen=True)
class Section(Generic[Row]):
    """A section with what it was measured on; `clock`: "wall", or "cpu" for processor time."""

    device: Device
    clock: str
    model: str
    command: str
    rows: list[Row]


def measure_sections(
    sections: Mapping[str, Callable[[], Section[Any]]],
    path: Path,
    *,
    finished: Callable[[str, Section[Any]], None] = lambda name, section: None,
) -> None:
    """Measures sections and saves the results after each, so that Ctrl-C loses the unfinished one alone.

    Args:
        sections: By name, what measures each.
        path: The JSON; sections that it holds already stay, but for those that are measured again.
        finished: Called with each section, once it is saved.

    Raises:
        ResultsError: The file holds something else.
    """
    results: dict[str, Any] = {}
    if path.is_file():
        results = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(results, dict):
            raise ResultsError(path, "the sections of before", "something else", "Name another --results.")
    for name, measure in sections.items():
        section = measure()
        results[name] = asdict(section)
        write_json(path, results)
        finished(name, section)
