"""What can go wrong in the study; an error carries the file, option or experiment that it is about."""

from pathlib import Path


class StudyError(ValueError):
    """An experiment, a split or a result that is not as expected; the message says what to do.

    Attributes:
        path: The file or folder, None where none is concerned.
        option: The option of `python -m study` that names another one, such as "--results".
        experiment: Its name.
    """

    def __init__(
        self,
        message: str,
        *,
        path: Path | None = None,
        option: str | None = None,
        experiment: str | None = None,
    ) -> None:
        """Takes the message and what it is about."""
        super().__init__(message)
        self.path, self.option, self.experiment = path, option, experiment


class NoFigureError(StudyError):
    """Conclusions with a figure that the results do not have.

    Attributes:
        line: Where it stands in the file at `path`, from 1.
        reason: Why there is none, in words.
    """

    def __init__(self, path: Path, line: int, reason: str) -> None:
        """Takes where the figure stands and why the results do not have it."""
        super().__init__(f"{path}:{line}: expected a figure of the results, got none: {reason}.", path=path)
        self.line, self.reason = line, reason
