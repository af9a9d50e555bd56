"""Options that don't go together, or not with this source."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from .outputs import OutputError
from .sources import Source
from .summary_files import summary_paths, summary_stem

NOWHERE = Path(os.devnull).resolve()


class UsageError(ValueError):
    """Options that don't go together, or not with this source.

    Attributes:
        option: The option, such as "save"; None where it is about several.
    """

    def __init__(self, message: str, *, option: str | None = None) -> None:
        """Takes the message, and the option that it is about."""
        super().__init__(message)
        self.option = option


def check_usage(options: argparse.Namespace, source: Source) -> None:
    """Checks that every output has a place of its own, and that none takes the place of what is read.

    Raises:
        UsageError: An output has no name, two share one, or a summary is asked of images.
        OutputError: An output would overwrite the source.
    """
    for option in ("save", "json", "csv", "summary"):
        if getattr(options, option) == "":
            raise UsageError(
                f"--{option}: expected a path, got an empty text: is a variable of the shell empty?",
                option=option,
            )
    if options.summary and source.is_still:
        raise UsageError(
            "--summary shows a time: expected a video, a camera or a stream, got images.", option="summary"
        )
    read = {path.resolve() for path in source.paths}
    taken: dict[Path | str, str] = {}
    for option, target in _targets(options):
        place = target if target == "-" else Path(target).resolve()
        if place in taken and place != NOWHERE:
            raise UsageError(f"--{taken[place]} and --{option} both write to {target}: name two places.")
        taken[place] = option
        if place in read and option != "save":  # annotated images and videos check it themselves
            raise OutputError(f"would be overwritten by --{option}. Write elsewhere.", path=target)


def _targets(options: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """Yields each output's option and path, a summary's three paths one by one."""
    for option in ("save", "json", "csv"):
        if getattr(options, option):
            yield option, getattr(options, option)
    if options.summary:
        for path in summary_paths(summary_stem(options.summary)):
            yield "summary", str(path)
