"""One progress bar: tqdm's where it is installed, a plain line of text on a board without it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
PATIENCE_S = 2.0  # nobody needs a bar for less


def progress(
    items: Iterable[Item], description: str, *, unit: str = "it", total: int | None = None
) -> Iterator[Item]:
    """Yields the items, with a bar on stderr as soon as they take longer than `PATIENCE_S`.

    Args:
        items: Anything.
        description: What the bar says.
        unit: What an item is called.
        total: How many items there are, where they have no length.
    """
    try:
        from tqdm import tqdm
    except ImportError:
        print(f"{description} (pip install tqdm for a progress bar)", file=sys.stderr)
        yield from items
        return
    yield from tqdm(items, desc=description, delay=PATIENCE_S, leave=False, unit=unit, total=total)
