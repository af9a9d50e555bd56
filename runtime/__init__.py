"""Facial expressions of every face in a picture, a video or a camera.

from ferkit import Recognizer

recognize = Recognizer()
for face in recognize(frame):  # frame: uint8 BGR (height, width, 3)
    print(face.box, face.label, face.scores)

follow = recognize.stream()  # for the frames of a video or camera: ids, steady labels, and faster
for face in follow(frame, time_s):
    print(face.id, face.label)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .recognizer import Face, Recognizer, Stream

__all__ = ["Face", "Recognizer", "Stream", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import the library when one of its names is first asked for: the command does so under its own care."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import recognizer

    return getattr(recognizer, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
