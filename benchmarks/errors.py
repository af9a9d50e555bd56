"""The errors that a benchmark expects: the dispatcher makes one line of each."""

from __future__ import annotations

from pathlib import Path

from dataset.detection.images import DataError
from dataset.locate import DatasetError
from reporting.files import FolderError
from reporting.markdown import BlockError
from reporting.templates import TemplateEngineError
from runtime.card import CardError
from runtime.command.outputs import OutputError
from runtime.command.sources import SourceError
from runtime.detectors import DetectorError
from runtime.engines import EngineError
from runtime.model import ModelError


class BenchmarkError(Exception):
    """Something can't be measured; the message says what was expected, what was found and what to do."""


class MissingPackageError(BenchmarkError):
    """A package that only this benchmark needs is missing.

    Attributes:
        package: Its name in imports.
    """

    def __init__(self, what: str, package: str, install: str) -> None:
        """Keeps the package; `install` is what pip is given."""
        self.package = package
        super().__init__(f"{what} needs {package}: pip install {install}")


class ResultsError(BenchmarkError):
    """A file does not hold the results that were expected.

    Attributes:
        path: The file.
    """

    def __init__(self, path: str | Path, expected: str, got: str, advice: str) -> None:
        """Keeps the file."""
        self.path = Path(path)
        super().__init__(f"{path}: expected {expected}, got {got}. {advice}")


EXPECTED: tuple[type[Exception], ...] = (
    BenchmarkError,
    BlockError,
    CardError,
    DataError,
    DatasetError,
    DetectorError,
    EngineError,
    FolderError,
    ModelError,
    OutputError,
    SourceError,
    TemplateEngineError,
)
