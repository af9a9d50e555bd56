"""The files of a summary: a table, the same as JSON, and a timeline."""

from __future__ import annotations

import json
import os
from pathlib import Path

from .outputs import LinesFile, OutputError, write_image
from .summary import Summary
from .timeline import draw_timeline

SUFFIXES = (".md", ".json", ".png")


def write_summary(summary: Summary, stem: Path) -> list[Path]:
    """Writes `stem.md`, `stem.json` and `stem.png`; returns their paths.

    Raises:
        OutputError: One of them can't be written.
    """
    paths = summary_paths(stem)
    for path in paths:
        write_summary_file(summary, path)
    return paths


def write_summary_file(summary: Summary, path: Path) -> None:
    """Writes one of the `summary_paths`, as its suffix says.

    Raises:
        OutputError: It can't be written.
    """
    if path.suffix == ".png":
        write_image(path, draw_timeline(summary))
        return
    if path.suffix == ".json":
        text = json.dumps(summary.record(), indent=1, ensure_ascii=False) + "\n"
    else:
        text = summary_markdown(summary, path.with_suffix(".png").name)
    with LinesFile(path) as file:
        file.write(text)


def summary_paths(stem: Path) -> list[Path]:
    """Returns the paths of the table, the JSON and the timeline."""
    return [Path(f"{stem}{suffix}") for suffix in SUFFIXES]


def summary_stem(target: str) -> Path:
    """Returns the stem of a summary's files from what a user wrote: with or without .md, .json or .png.

    Raises:
        OutputError: It is a folder: the files would lie beside it, where nobody looks for them.
    """
    path = Path(target)
    # Not Path.is_dir, which raises where a folder on the way is closed to this user.
    if target.endswith(("/", os.sep)) or os.path.isdir(target):  # noqa: PTH112
        raise OutputError(
            f"expected the name of the summary's files, got a folder. Name them in it, such as "
            f"{path / 'summary'}.",
            path=target,
        )
    return path.with_suffix("") if path.suffix.lower() in SUFFIXES else path


def summary_text(summary: Summary) -> str:
    """Returns the table in columns, for a terminal."""
    rows = summary.table()
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    return "".join(f"{line.rstrip()}\n" for line in lines)


def summary_markdown(summary: Summary, image: str) -> str:
    """Returns the table as Markdown, with the timeline's image under it."""
    head, *rows = [[cell.replace("|", "\\|") for cell in row] for row in summary.table()]
    lines = [
        f"# {Path(summary.name).name}",
        "",
        f"{summary.frames} frames until {summary.end_s:.1f} s. Shares are of the time in which a face was "
        "seen.",
        "",
        f"| {' | '.join(head)} |",
        f"|{'|'.join(['---:'] * len(head))}|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
        f"![The labels of each face over time]({image.replace(' ', '%20')})",
    ]
    return "\n".join(lines) + "\n"
