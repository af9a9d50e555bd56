"""The errors of an export, each with the file that it is about."""

from pathlib import Path


class ExportError(RuntimeError):
    """The export can't be done as asked; the message says what to do.

    Attributes:
        path: The file that the message names first.
        reason: The rest of the message.
    """

    def __init__(self, path: Path, reason: str) -> None:
        """Keeps the file; the message is `path: reason`."""
        super().__init__(f"{path}: {reason}")
        self.path, self.reason = path, reason


class ConversionError(ExportError):
    """A task in a process of its own raised an error, or the process died.

    Attributes:
        task: A name of `export.tasks.TASKS`.
    """

    def __init__(self, path: Path, task: str, reason: str) -> None:
        """Keeps the task; `reason` is what became of it, such as "died of signal 11"."""
        super().__init__(path, f"{task} {reason}")
        self.task = task
