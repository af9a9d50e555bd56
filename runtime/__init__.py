"""Facial expressions of every face in a picture, a video or a camera.

from ferkit import Recognizer

recognize = Recognizer()
for face in recognize(frame):  # frame: uint8 BGR (height, width, 3)
    print(face.box, face.label, face.scores)
"""

from .recognizer import Face, Recognizer

__all__ = ["Face", "Recognizer", "__version__"]
__version__ = "0.1.0"
