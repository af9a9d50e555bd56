"""What a training's process says to the one that started it: a JSON object a line on its standard output."""

from typing import Literal

import msgspec

from .errors import StudyError


class Progress(msgspec.Struct, tag="progress", frozen=True, omit_defaults=True):
    """How far a training is.

    Attributes:
        epochs: Those that are done, the part of the present one included.
        validation_accuracy: After a whole epoch, 0 to 1.
        scoring: Whether all epochs are done and the chosen weights are scored.
    """

    epochs: float
    validation_accuracy: float | None = None
    scoring: bool = False


class Failure(msgspec.Struct, tag="failure", frozen=True, omit_defaults=True):
    """Why a training has no result.

    Attributes:
        kind: "refused" for an expected error, "diverged" for weights that are not finite, "crashed" for any
            other error, "ended" where the process said none; "stopped" with all others.
        reason: In one line.
        path: The file or folder that it is about.
        option: The option of `python -m study` that names another one.
    """

    kind: Literal["refused", "diverged", "crashed", "ended", "stopped"]
    reason: str
    path: str | None = None
    option: str | None = None


def refused(error: StudyError) -> Failure:
    """Returns the failure of a training by an expected error."""
    return Failure("refused", str(error), path=str(error.path) if error.path else None, option=error.option)


def encoded(message: Progress | Failure) -> str:
    """Returns a message as a line."""
    return msgspec.json.encode(message).decode()


def decoded(line: str) -> Progress | Failure | None:
    """Returns the message in a line; None for a line that a library wrote."""
    try:
        return msgspec.json.decode(line, type=Progress | Failure)
    except msgspec.MsgspecError:
        return None
