"""Parts of frames: a detector sees each part larger, and so finds the small faces in it."""

from __future__ import annotations

import numpy as np

from ..boxes import suppress
from .detector import Detector, best_first, checked

ACROSS = 2  # tiles in a row, and in a column
SHARE = 0.6  # of the frame's side: two neighbours share a fifth of it, and a small face in it is whole in one
EDGE = 0.02  # of a tile's side: a box that comes so near to where a tile cuts the frame may be cut
LEAST_PX = 320  # a frame of a shorter longer side is searched in full detail as it is
MOST_OVERLAP = 0.4  # a box whose IoU with a surer one is larger is the same face
LONG = 3  # times as long as wide: reduced as a whole, a longer frame would lose even large faces
MOST_PARTS = 12  # of a long frame: its time stays bounded, and a face as small as the others' may be missed


class Tiled:
    """A detector that finds smaller faces, in about five times the time."""

    def __init__(self, detector: Detector) -> None:
        """Takes the detector that searches the frame and its parts."""
        self._detector = detector
        self.name = detector.name

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Returns the boxes of the faces in a frame, as any `Detector` does."""
        found = [self._detector(checked(frame))]
        height, width = frame.shape[:2]
        if max(height, width) > LEAST_PX:
            across = spans(width, max(1, round(SHARE * width)), ACROSS)
            down = spans(height, max(1, round(SHARE * height)), ACROSS)
            found += [_in_part(self._detector, frame, rows, columns) for rows in down for columns in across]
        return _once(found)


class InParts:
    """A detector that searches a frame more than `LONG` times as long as wide in parts."""

    def __init__(self, detector: Detector) -> None:
        """Takes the detector that searches the frame, or its parts."""
        self._detector = detector
        self.name = detector.name

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Returns the boxes of the faces in a frame, as any `Detector` does."""
        height, width = checked(frame).shape[:2]
        longer, shorter = max(height, width), min(height, width)
        if longer <= LONG * shorter:
            return self._detector(frame)
        # Neighbours share a square, so that each face is whole in one part.
        count = min(MOST_PARTS, round(longer / shorter) - 1)
        parts = spans(longer, (longer + (count - 1) * shorter) // count, count)
        if width > height:
            return _once([_in_part(self._detector, frame, (0, height), part) for part in parts])
        return _once([_in_part(self._detector, frame, part, (0, width)) for part in parts])


def spans(side: int, length: int, count: int) -> list[tuple[int, int]]:
    """Returns where parts of a length start and end along a side of a frame, in pixels, spread evenly."""
    starts = [round(number * (side - length) / (count - 1)) for number in range(count)]
    return [(start, start + length) for start in starts]


def _in_part(
    detector: Detector, frame: np.ndarray, rows: tuple[int, int], columns: tuple[int, int]
) -> np.ndarray:
    """Returns the boxes in a part of a frame, in pixels of the frame, but for those that the part cuts."""
    height, width = frame.shape[:2]
    boxes = detector(frame[slice(*rows), slice(*columns)])
    boxes[:, :2] += columns[0], rows[0]
    return boxes[_whole(boxes, columns, width) & _whole(boxes[:, 1:], rows, height)]


def _whole(boxes: np.ndarray, span: tuple[int, int], side: int) -> np.ndarray:
    """Returns which boxes end within a part along one axis: one that is cut is whole in another part.

    Args:
        boxes: Start in column 0, length in column 2, in pixels of the frame.
        span: The part's start and end.
        side: The frame's, at whose edges a box may be cut.
    """
    start, end = span
    edge = EDGE * (end - start)
    begins = (boxes[:, 0] > start + edge) | (start == 0)
    return begins & ((boxes[:, 0] + boxes[:, 2] < end - edge) | (end == side))


def _once(found: list[np.ndarray]) -> np.ndarray:
    """Returns the boxes `(faces, 5)` of all parts, the surest first, each face once."""
    boxes = best_first(np.concatenate(found))
    return boxes[suppress(boxes[:, :4].astype(np.float64), MOST_OVERLAP)]
