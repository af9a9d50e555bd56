"""YuNet as a teacher: it labels images without boxes, and says how tall an annotated face's box should be.

Annotators draw a face from chin to brow, to the hairline or around the head. The network can only learn one
way. It is YuNet's: where YuNet finds an annotated face, its box and eyes are taken. The other annotated boxes
are stretched as the median of those that it found says.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from .boxes import overlaps
from .images import DataError

LEAST_CONFIDENCE = 0.3  # of what YuNet is asked for
SAME_FACE = 0.35  # overlap of an annotated and a found box
SURE = 0.8  # confidence from which a face that nobody annotated is one
FEWEST_FOR_STRETCH = 30  # faces found, from which on the annotators' way is known
LONGEST_PX = 640  # smaller images are magnified, up to twice: YuNet then finds more of the small faces


class Found(NamedTuple):
    """Faces that the teacher found.

    Attributes:
        boxes: `float32 (faces, 4)`, x, y, width, height in pixels.
        eyes: `float32 (faces, 4)`, two points in pixels.
        confidences: `float32 (faces,)`.
    """

    boxes: np.ndarray
    eyes: np.ndarray
    confidences: np.ndarray


class Photo(NamedTuple):
    """An image and its faces.

    Attributes:
        image: `uint8 (height, width)`, gray.
        boxes: `float32 (faces, 4)`, x, y, width, height in pixels.
        eyes: `float32 (faces, 4)`, two points in pixels, NaN where unknown.
        ignored: `float32 (regions, 4)`, boxes that may or may not be faces.
    """

    image: np.ndarray
    boxes: np.ndarray
    eyes: np.ndarray
    ignored: np.ndarray


Teacher = Callable[[np.ndarray], Found]


def load_teacher(file: str | Path) -> Teacher:
    """Returns a function from an image, `uint8 (height, width)`, to the faces that YuNet finds.

    Args:
        file: YuNet's ONNX file.

    Raises:
        DataError: it is missing or no YuNet.
    """
    path = Path(file)
    try:
        if not path.is_file():
            raise FileNotFoundError("no such file")
        net = cv2.FaceDetectorYN.create(str(path), "", (320, 320), LEAST_CONFIDENCE, 0.3, 5000)
        net.detect(np.zeros((320, 320, 3), np.uint8))
    except (cv2.error, OSError) as error:
        reason = " ".join(str(error).split())[:120]
        raise DataError(
            f"{file}: expected YuNet's ONNX file, got something else ({reason}); "
            "`ferkit fetch-detector` fetches it.",
            path,
        ) from error

    def find(image: np.ndarray) -> Found:
        scale = min(2.0, max(1.0, LONGEST_PX / max(image.shape)))
        size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
        larger = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
        larger = cv2.copyMakeBorder(
            larger, 0, max(0, 64 - size[1]), 0, max(0, 64 - size[0]), cv2.BORDER_REPLICATE
        )
        net.setInputSize(larger.shape[::-1])
        rows = net.detect(cv2.cvtColor(larger, cv2.COLOR_GRAY2BGR))[1]
        rows = np.empty((0, 15), np.float32) if rows is None else rows
        return Found(rows[:, :4] / scale, rows[:, 4:8] / scale, rows[:, 14])

    return find


class RememberingTeacher:
    """A teacher whose answers are kept in a file, by the image's sha256: to ask again takes minutes."""

    def __init__(self, teacher: Teacher, file: Path) -> None:
        """Reads what is known.

        Args:
            teacher: is asked about images that are new.
            file: `.npz`, made by `save`; may be missing.
        """
        self.teacher, self.file = teacher, file
        self.known: dict[str, np.ndarray] = {}
        self.saved = 0
        if file.exists():
            with np.load(file) as arrays:
                ends = np.cumsum(arrays["counts"])[:-1]
                rows = np.split(arrays["rows"], ends)
                self.known = dict(zip(arrays["names"].tolist(), rows, strict=True))
                self.saved = len(self.known)

    def __call__(self, image: np.ndarray) -> Found:
        """Returns what the teacher finds in an image, `uint8 (height, width)`."""
        name = hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest()
        if name not in self.known:
            found = self.teacher(image)
            columns = (found.boxes, found.eyes, found.confidences[:, None])
            self.known[name] = np.concatenate(columns, axis=1).astype(np.float32)
        rows = self.known[name]
        return Found(rows[:, :4], rows[:, 4:8], rows[:, 8])

    def save(self) -> None:
        """Writes what is known, atomically, where it is more than was read."""
        if len(self.known) == self.saved:
            return
        self.file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.file.with_name(f".part-{self.file.name}")
        counts = np.array([len(rows) for rows in self.known.values()])
        rows = np.concatenate([np.empty((0, 9), np.float32), *self.known.values()])
        np.savez(temporary, names=np.array(list(self.known)), counts=counts, rows=rows)
        temporary.replace(self.file)
        self.saved = len(self.known)


def stretch_of(pairs: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Returns how YuNet's boxes differ from the annotators', in the median.

    Args:
        pairs: an annotated box and YuNet's of the same face, both `float (4,)`.

    Returns:
        `float (4,)`: shift of x in widths, of y in heights, factors of width and height; no change where
        there are too few pairs.
    """
    if len(pairs) < FEWEST_FOR_STRETCH:
        return np.array([0.0, 0.0, 1.0, 1.0])
    annotated, found = (np.array(boxes, float) for boxes in zip(*pairs, strict=True))
    shift = (found[:, :2] - annotated[:, :2]) / annotated[:, 2:]
    return np.median(np.concatenate([shift, found[:, 2:] / annotated[:, 2:]], axis=1), axis=0)


def stretched(boxes: np.ndarray, stretch: np.ndarray) -> np.ndarray:
    """Returns boxes, `float (n, 4)`, moved and stretched as `stretch_of` says: `float32 (n, 4)`."""
    corner = boxes[:, :2] + stretch[:2] * boxes[:, 2:]
    return np.concatenate([corner, boxes[:, 2:] * stretch[2:]], axis=1).astype(np.float32)


def matches(annotated: np.ndarray, found: Found) -> list[tuple[int, int]]:
    """Returns pairs of an annotated box, `float (n, 4)`, and a found one, the best overlap first."""
    shared = overlaps(annotated, found.boxes)
    pairs = []
    while shared.size and shared.max() >= SAME_FACE:
        row, column = np.unravel_index(shared.argmax(), shared.shape)
        pairs.append((int(row), int(column)))
        shared[row], shared[:, column] = 0, 0
    return pairs


def adopt(image: np.ndarray, annotated: np.ndarray | None, found: Found, stretch: np.ndarray) -> Photo:
    """Returns an image's faces from what annotators drew and what the teacher found.

    Args:
        image: `uint8 (height, width)`.
        annotated: `float32 (n, 5)` as `dataset.detection.annotations` reads them, or None without.
        found: by the teacher; empty without one.
        stretch: as `stretch_of` returns it.

    Returns:
        The photo. Found faces that nobody annotated are faces where the teacher is sure, else ignored.
    """
    annotated = np.empty((0, 5), np.float32) if annotated is None else annotated
    faces = annotated[annotated[:, 4] == 0, :4]
    boxes, eyes = stretched(faces, stretch), np.full((len(faces), 4), np.nan, np.float32)
    pairs = matches(faces, found)
    for row, column in pairs:
        boxes[row], eyes[row] = found.boxes[column], found.eyes[column]
    others = np.setdiff1d(np.arange(len(found.boxes)), [column for _, column in pairs])
    sure = others[found.confidences[others] >= SURE]
    unsure = others[found.confidences[others] < SURE]
    return Photo(
        image,
        np.concatenate([boxes, found.boxes[sure]]).astype(np.float32),
        np.concatenate([eyes, found.eyes[sure]]).astype(np.float32),
        np.concatenate([annotated[annotated[:, 4] != 0, :4], found.boxes[unsure]]).astype(np.float32),
    )
