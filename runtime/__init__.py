"""Facial expressions of every face in an image, a video or a camera.

from ferkit import Recognizer

recognize = Recognizer()
for face in recognize(frame):  # frame: uint8 BGR (height, width, 3)
    print(face.box, face.label, face.scores)

follow = recognize.stream()  # for the frames of a video or camera: ids, steady labels, less time
for face in follow(frame, time_s):
    print(face.id, face.label)
"""

TYPE_CHECKING = False  # type checkers take it for true; importing it from typing would take time
if TYPE_CHECKING:
    from .recognizer import Face, Recognizer, Stream

__all__ = ["Face", "Recognizer", "Stream", "__version__"]
__version__ = "0.1.0"


if not TYPE_CHECKING:  # otherwise a type checker would accept every name

    def __getattr__(name):
        """Imports the library when it is first used; the command imports it under its own handlers."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        try:
            from . import recognizer
        except ImportError as error:
            from .errors import missing_opencv

            raise ImportError(missing_opencv(error) or str(error), name=error.name) from error
        return getattr(recognizer, name)


def __dir__() -> list[str]:
    """Returns the module's names, with those that are imported later."""
    return sorted({*globals(), *__all__} - {"TYPE_CHECKING"})
