"""Tables, and the generated blocks of pages that are written by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from reporting.files import write_atomically


class BlockError(ValueError):
    """A page has no place for a generated block.

    Attributes:
        path: The page.
        missing: The first line that is missing, or None where there is no page.
    """

    def __init__(self, path: Path, name: str, missing: str | None) -> None:
        """Keeps the page and the missing line."""
        self.path, self.missing = path, missing
        start, end = markers(name)
        found = "no such file" if missing is None else f"no {missing}"
        super().__init__(
            f"{path}: expected the lines {start} and {end}, in this order, around a generated table; "
            f"got {found}. Add them where the table belongs."
        )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1, padded: bool = False) -> str:
    """Returns a Markdown table without a line end at its end.

    Args:
        heads: A word for each column.
        rows: The cells of each row, as many as `heads`.
        left: How many of the first columns hold words, aligned left. The others hold numbers, aligned right.
        padded: Whether the columns are aligned with spaces too, for a terminal.
    """
    lines = [heads, *rows]
    if wrong := next((row for row in lines if len(row) != len(heads)), None):
        raise ValueError(f"expected {len(heads)} cells in a row of the table, got {len(wrong)}: {wrong}.")
    rule = "|" + "---|" * left + "---:|" * (len(heads) - left)
    if padded:
        widths = [max(3, *map(len, column)) for column in zip(*lines, strict=True)]
        dashes = [
            "-" * width if column < left else "-" * (width - 1) + ":" for column, width in enumerate(widths)
        ]
        rule = f"| {' | '.join(dashes)} |"
        lines = [_pad(row, widths, left=left) for row in lines]
    lined = [f"| {' | '.join(row)} |" for row in lines]
    return "\n".join([lined[0], rule, *lined[1:]])


def _pad(row: Sequence[str], widths: Sequence[int], *, left: int) -> list[str]:
    cells = zip(row, widths, strict=True)
    return [
        cell.ljust(width) if column < left else cell.rjust(width)
        for column, (cell, width) in enumerate(cells)
    ]


def one_line(text: str) -> str:
    """Returns a text for a cell of a table: without line ends, its vertical bars escaped."""
    return " ".join(text.split()).replace("|", "\\|")


def markers(name: str) -> tuple[str, str]:
    """Returns the lines around the block of that name."""
    return f"<!-- {name}:start -->", f"<!-- {name}:end -->"


def rewrite_block(page: str | Path, block: str, *, name: str) -> None:
    """Puts a generated block between its two lines of a page, atomically.

    Args:
        page: A Markdown file with the lines `<!-- name:start -->` and `<!-- name:end -->`.
        block: Markdown, such as a table.
        name: Of the block.

    Raises:
        BlockError: The page or one of the lines is missing.
    """
    page = Path(page)
    start_line, end_line = markers(name)
    if not page.is_file():
        raise BlockError(page, name, None)
    before, start, rest = page.read_text(encoding="utf-8").partition(start_line)
    _, end, after = rest.partition(end_line)
    if not (start and end):
        raise BlockError(page, name, end_line if start else start_line)
    write_atomically(page, f"{before}{start_line}\n{block}\n{end_line}{after}")
