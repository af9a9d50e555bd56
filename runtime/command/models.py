"""`ferkit models`: the released models with their cards' facts."""

from __future__ import annotations

from ..model import ModelError, released_models


def list_models() -> None:
    """Prints a line per released file: model, file, precision, size, accuracy, what it is.

    Raises:
        ModelError: This installation holds none.
    """
    released = released_models()
    if not released:
        raise ModelError("this installation holds no released model: give --model the path of a model file.")
    rows = [("MODEL", "FILE", "PRECISION", "KB", "FER2013 TEST", "DESCRIPTION")]
    for path, card in released:
        test = (card["accuracy"] or {}).get("test")
        accuracy = "not measured" if test is None else f"{100 * test:.2f} %"
        size = f"{card['bytes'] / 1000:.0f}"
        rows.append((card["model"], path.name, card["precision"], size, accuracy, card["description"]))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
