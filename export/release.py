"""What the wheel carries: the files that are copied from the artifacts to `runtime/models/`."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from train.models import MODELS

from . import detector
from .errors import ExportError
from .one_file import Outcome


def in_the_wheel() -> list[str]:
    """Returns the names of the files that the wheel carries."""
    classifiers = [f"{name}_{ending}" for name, model in MODELS.items() for ending in model.wheel]
    return classifiers + [f"{detector.FOLDER}/{name}" for name in detector.IN_THE_WHEEL]


def release(outcomes: Sequence[Outcome], files: Sequence[str], out: Path, folder: Path) -> None:
    """Copies files with their cards.

    Args:
        outcomes: What became of each artifact.
        files: The names of those to copy.
        out: The folder of the artifacts.
        folder: Where they go.

    Raises:
        ExportError: One of the files was not kept.
    """
    kept = {outcome.file for outcome in outcomes if outcome.card is not None}
    for file in files:
        if file not in kept:
            raise ExportError(out / file, "expected to release it, but it was not kept.")
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        for part in (file, f"{file}.json"):
            shutil.copyfile(out / part, folder / part)
