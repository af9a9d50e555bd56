"""The errors of a training, each with the data that a caller may need."""

from pathlib import Path


class TrainingError(ValueError):
    """A training can't be done as asked; the message says what to do."""


class RecipeError(TrainingError):
    """A setting of a recipe can't be, or forbids another one.

    Attributes:
        settings: The names of the settings, as `train.recipes.Recipe` has them.
    """

    def __init__(self, message: str, *settings: str) -> None:
        """Keeps the settings' names."""
        super().__init__(message)
        self.settings = settings


class WeightsError(TrainingError):
    """A `.keras` file is missing, damaged, or holds another network than expected.

    Attributes:
        path: The file.
        reason: What was expected of it and what was got.
    """

    def __init__(self, path: Path, reason: str) -> None:
        """Keeps the file and the reason."""
        super().__init__(f"{path}: {reason}.")
        self.path, self.reason = path, reason


class RunError(TrainingError):
    """A run folder holds another run, or one of which a file is missing or damaged.

    Attributes:
        path: The file at fault.
        reason: What was expected of it and what was got, without the advice that the message ends with.
    """

    def __init__(self, path: Path, reason: str) -> None:
        """Keeps the file and the reason."""
        super().__init__(f"{path}: {reason}; add --restart to start over, or name another --run-dir.")
        self.path, self.reason = path, reason


class DivergedError(TrainingError):
    """A training ended with weights that are not finite.

    Attributes:
        path: The file with these weights.
    """

    def __init__(self, path: Path, *, out: Path) -> None:
        """Keeps the file; `out` is the one that was not written."""
        super().__init__(
            f"{path}: expected finite weights, got others: the training diverged, and {out} is not written. "
            "Give a lower --learning-rate, and --restart."
        )
        self.path = path


class PlaceError(TrainingError):
    """Which of several processes this one is, is neither given nor announced, or can't be."""


class MismatchError(TrainingError):
    """The processes of a training were told different things, or two that they are the same one."""


class ClusterError(TrainingError):
    """Processes that should train together do not come together, or one was lost: trying again may help.

    Attributes:
        status: The exit status of the command.
    """

    status = 3
