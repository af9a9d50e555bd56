"""What the runtime's errors have in common: they name the file that they are about."""

from __future__ import annotations

import os


class PathError(ValueError):
    """An error about a file or another source. Its text is `path: problem`, or the problem alone.

    Attributes:
        path: The file, folder, camera or address as it was named; None where the error is about none.
        problem: What was expected, what was found, and what to do.
    """

    def __init__(self, problem: str, *, path: str | os.PathLike[str] | None = None) -> None:
        """Takes the problem, and the path that it is about."""
        super().__init__(problem if path is None else f"{path}: {problem}")
        self.path = path
        self.problem = problem


def missing_opencv(error: ImportError) -> str | None:
    """Returns the line for a user whose Python has no OpenCV that can be imported; None for another error."""
    if error.name == "cv2":
        found = "got none"
    elif "lib" in str(error) and ".so" in str(error):
        found = f"got one that can't be imported: {error}"
    else:
        return None
    return (
        f"expected OpenCV, {found}. pip install opencv-python, or on a machine without a screen "
        "pip install opencv-python-headless."
    )
