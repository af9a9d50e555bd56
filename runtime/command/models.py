"""`ferkit models`: the released models with their cards' facts."""

from __future__ import annotations

from typing import Any

from ..card import DETECTOR, kind_of, read_card
from ..detectors.ferkit import RELEASED, RELEASED_FILES
from ..model import ModelError, released_models


def list_models() -> None:
    """Prints a line per released file: model, file, precision, size, accuracy, what it is.

    Raises:
        ModelError: This installation holds none.
    """
    released = released_models()
    if not released:
        raise ModelError("this installation holds no released model: give --model the path of a model file.")
    detectors = [RELEASED / name for name in RELEASED_FILES.values() if (RELEASED / name).is_file()]
    rows = [("MODEL", "FILE", "PRECISION", "KB", "FER2013 TEST", "DESCRIPTION")]
    for path, card in [*released, *((path, read_card(path)) for path in detectors)]:
        accuracy = _accuracy_of(card)
        size = f"{card['bytes'] / 1000:.0f}"
        rows.append((card["model"], path.name, card["precision"], size, accuracy, card["description"]))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _accuracy_of(card: dict[str, Any]) -> str:
    """Returns a classifier's share of right labels as text; a detector gives none."""
    if kind_of(card) == DETECTOR:
        return "-"
    test = (card["accuracy"] or {}).get("test")
    return "not measured" if test is None else f"{100 * test:.2f} %"
