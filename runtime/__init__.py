"""Facial expressions of every face in a picture, a video or a camera.

from ferkit import Recognizer

recognize = Recognizer()
for face in recognize(frame):  # frame: uint8 BGR (height, width, 3)
    print(face.box, face.label, face.scores)

follow = recognize.stream()  # for the frames of a video or camera: ids, steady labels, and faster
for face in follow(frame, time_s):
    print(face.id, face.label)
"""

from .recognizer import Face, Recognizer, Stream

__all__ = ["Face", "Recognizer", "Stream", "__version__"]
__version__ = "0.1.0"
