"""Which images are for training, validation and test: a rule that everyone can repeat.

The names of a source are ordered by the sha256 of the name, without its folder. The first go to test, the
next to validation, the rest to training. The test part is for a report; no choice may look at it.
"""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

SPLITS = ("train", "validation", "test")


def split_names(names: Iterable[str], *, held_out: int) -> dict[str, list[str]]:
    """Returns the names of each split.

    Args:
        names: of the images of one source.
        held_out: how many go to test, and as many again to validation.

    Returns:
        "train", "validation" and "test", each with names in the rule's order.

    Raises:
        ValueError: there are not more names than are held out.
    """
    ordered = sorted(names, key=_place)
    if held_out < 0 or 2 * held_out >= max(len(ordered), 1):
        raise ValueError(
            f"expected more than {2 * held_out} images, got {len(ordered)}; hold out fewer or add images."
        )
    return {
        "train": ordered[2 * held_out :],
        "validation": ordered[held_out : 2 * held_out],
        "test": ordered[:held_out],
    }


def tenth(names: Sequence[str]) -> int:
    """Returns how many a tenth of the names is, rounded down."""
    return len(names) // 10


def _place(name: str) -> tuple[str, str]:
    file = PurePosixPath(name).name
    return hashlib.sha256(file.encode()).hexdigest(), name
