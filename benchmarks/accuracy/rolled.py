"""Rolled heads: what a head that leans to a shoulder costs, and what aligning by the eyes would bring.

A face stands in a frame as in `scene` of `benchmarks/accuracy/changes.py`. The whole frame is turned around
the middle of the face's square by -30 to 30 degrees, as by a camera held askew; beyond its edge the frame is
repeated. ferkit's own detector looks for the face in the turned frame. The face is cut out in four ways, all
by the detector's box, so that they differ in the turn alone:

- `as it is`: what the runtime does today.
- `ferkit`: the frame is turned around the middle of the box until the eyes, as the detector's file gives
  them, are level.
- `yunet`: the same with YuNet's eyes. YuNet looks at the face once more, enlarged to `LOOK_FACE_PX`. This
  way is left out where YuNet's file is not there.
- `true`: turned back by the very angle. No eyes can do better.

Figures are of the faces that the detector found at that angle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.accuracy.changes import surround
from benchmarks.accuracy.detector_settings import FOUND_OVERLAP, overlaps
from benchmarks.formats import decimal, percent, signed
from reporting.markdown import table
from reporting.progress import progress
from runtime.card import read_card
from runtime.crop import crop_face
from runtime.detectors.ferkit import letterbox, released_file, surest
from runtime.networks import NETWORKS

DEGREES = (-30, -20, -10, 0, 10, 20, 30)  # clockwise in the image
AS_IT_IS, FERKIT, YUNET, TRUE = "as it is", "ferkit", "yunet", "true"
WAY_NAMES = {FERKIT: "by ferkit's eyes", YUNET: "by YuNet's eyes", TRUE: "by the true angle"}
LOOK_PX, LOOK_FACE_PX = 320, 160  # below 100 px YuNet's eyes hardly follow a head's roll
LEAST_CONFIDENCE = 0.3  # of YuNet, which is told where to look

Eyes = tuple[float, float, float, float]  # x, y of the left one in the image, x, y of the right one
FindEyes = Callable[[np.ndarray, np.ndarray], Eyes | None]  # of a frame and a face's box (4,)


@dataclass(frozen=True)
class RolledFrames:
    """Of all faces rolled by an angle: how many were found, and how far the eyes' angle is off.

    Attributes:
        degrees: Clockwise in the image.
        faces: How many were looked for.
        found: How many were found.
        degrees_off: By whose eyes: the median distance of their angle from the true one, of the found faces.
    """

    degrees: int
    faces: int
    found: int
    degrees_off: dict[str, float | None]


@dataclass(frozen=True)
class RolledScore:
    """A file's accuracy on the found faces of an angle, 0 to 1, and the points gained over `as it is`.

    `low_points` and `high_points` bound the gain with 95 %, of the same faces in pairs.
    """

    degrees: int
    way: str
    accuracy: float
    gain_points: float
    low_points: float
    high_points: float


@dataclass(frozen=True, eq=False)
class RolledFaces:
    """Faces of an angle, cut in every way.

    Attributes:
        frames: What was found.
        found: bool (n,).
        faces: By way, uint8 (found, 48, 48, 1).
    """

    frames: RolledFrames
    found: np.ndarray
    faces: dict[str, np.ndarray]


class FerkitWithEyes:
    """The kit's own detector, asked for the eyes too, which the runtime has no use for."""

    def __init__(self) -> None:
        """Opens the released file.

        Raises:
            DetectorError: This installation has no such file, or no engine for it.
        """
        path, engine = released_file()
        self._card = read_card(path)
        self._run = NETWORKS[engine](path, outputs=("boxes", "confidences", "eyes")).run

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """Returns box, eyes and confidence of each face in a frame, uint8 BGR: float64 (faces, 9)."""
        height, width = self._card["input"]["shape"][1:3]
        pixels, ratio = letterbox(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), height=height, width=width)
        (boxes,), (confidences,), (eyes,) = self._run(pixels[None, :, :, None])
        columns = np.hstack([boxes, eyes])
        found = surest(columns, confidences, self._card["threshold"], self._card["overlap"])
        found[:, :8] /= np.tile(ratio, 2)
        return found


def yunet_eyes(file: Path) -> FindEyes:
    """Returns a function that finds the eyes of a known face with YuNet, which sees it enlarged."""
    size = (LOOK_PX, LOOK_PX)
    net = cv2.FaceDetectorYN.create(str(file), "", size, score_threshold=LEAST_CONFIDENCE)
    corner = (LOOK_PX - LOOK_FACE_PX) / 2
    expected = np.array([corner, corner, LOOK_FACE_PX, LOOK_FACE_PX], float)

    def find(frame: np.ndarray, box: np.ndarray) -> Eyes | None:
        scale = LOOK_FACE_PX / box[2:4].max()
        shift = LOOK_PX / 2 - scale * (box[:2] + box[2:4] / 2)
        move = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        found = net.detect(cv2.warpAffine(frame, move, size, borderMode=cv2.BORDER_REPLICATE))[1]
        if found is None:
            return None
        overlap = overlaps(found[:, :4].astype(float), expected)
        if overlap.max() < FOUND_OVERLAP:
            return None
        x, y, other_x, other_y = ((found[overlap.argmax(), 4:8] - np.tile(shift, 2)) / scale).tolist()
        return x, y, other_x, other_y

    return find


def angle_of(eyes: Sequence[float]) -> float:
    """Returns by how many degrees the line through the eyes is turned, clockwise in the image."""
    x, y, other_x, other_y = eyes
    return float(np.degrees(np.arctan2(other_y - y, other_x - x)))


def turned(frame: np.ndarray, box: Sequence[float] | np.ndarray, degrees: float) -> np.ndarray:
    """Returns a frame turned clockwise around the middle of a box; beyond its edge the edge is repeated."""
    x, y, width, height = (float(value) for value in box[:4])
    middle = (x + width / 2 - 0.5, y + height / 2 - 0.5)  # OpenCV counts from the middle of a pixel
    move = cv2.getRotationMatrix2D(middle, -degrees, 1.0)
    size = (frame.shape[1], frame.shape[0])
    return cv2.warpAffine(frame, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def rolled_faces(
    faces: np.ndarray, portrait: np.ndarray, *, yunet: Path | None, seed: int = 0
) -> list[RolledFaces]:
    """Returns the faces of every angle, as the detector found them.

    Args:
        faces: uint8 (n, 48, 48, 1), gray.
        portrait: uint8 BGR (512, 512, 3), `demo/astronaut.jpg`.
        yunet: YuNet's file; None leaves its way out.
        seed: Of places, rooms and noise.

    Raises:
        DetectorError: The kit's own detector can't be run.
    """
    detector, look = FerkitWithEyes(), yunet_eyes(yunet) if yunet else None
    ways = [AS_IT_IS, FERKIT, *([YUNET] if look else []), TRUE]
    cut = {degrees: {way: np.zeros_like(faces) for way in ways} for degrees in DEGREES}
    off = {degrees: {way: np.full(len(faces), np.nan) for way in ways} for degrees in DEGREES}
    for row in progress(range(len(faces)), "Rolling heads"):
        frame, square = surround(faces[row], portrait if row % 2 else None, seed=seed * 1_000_000 + row)
        for degrees in DEGREES:
            rolled = turned(frame, square, degrees)
            angles = angles_of(rolled, square, degrees, detector, look)
            for way, (angle, box) in angles.items():
                level = turned(rolled, box, -angle) if angle else rolled
                cut[degrees][way][row, :, :, 0] = crop_face(level, box.tolist())
                off[degrees][way][row] = abs(angle - degrees)
    return [summed_up(degrees, cut[degrees], off[degrees]) for degrees in DEGREES]


def angles_of(
    frame: np.ndarray,
    square: Sequence[float],
    degrees: int,
    detector: Callable[[np.ndarray], np.ndarray],
    look: FindEyes | None,
) -> dict[str, tuple[float, np.ndarray]]:
    """Returns by way the angle that the face is taken to be rolled by, and its box; empty where not found.

    A face in which YuNet finds no eyes stays as it is.
    """
    found = detector(frame)
    overlap = overlaps(found, np.array(square)) if len(found) else np.zeros(1)
    if overlap.max() < FOUND_OVERLAP:
        return {}
    face = found[overlap.argmax()]
    box = face[:4]
    angles = {AS_IT_IS: 0.0, FERKIT: angle_of(face[4:8])}
    if look:
        eyes = look(frame, box)
        angles[YUNET] = angle_of(eyes) if eyes else 0.0
    return {way: (angle, box) for way, angle in {**angles, TRUE: float(degrees)}.items()}


def summed_up(degrees: int, cut: dict[str, np.ndarray], off: dict[str, np.ndarray]) -> RolledFaces:
    """Returns the found faces of an angle; in `off`, degrees by way, the others are not numbers."""
    found = np.isfinite(off[AS_IT_IS])
    medians = {way: float(np.median(off[way][found])) if found.any() else None for way in off}
    frames = RolledFrames(
        degrees=degrees,
        faces=len(found),
        found=int(found.sum()),
        degrees_off={way: medians[way] for way in medians if way not in (AS_IT_IS, TRUE)},
    )
    return RolledFaces(frames, found, {way: faces[found] for way, faces in cut.items()})


def score_rolled(
    answer: Callable[[np.ndarray], np.ndarray], rolled: Sequence[RolledFaces], labels: np.ndarray
) -> list[RolledScore]:
    """Returns a model's figures; no line for an angle at which no face was found.

    Args:
        answer: From faces, uint8 (n, 48, 48, 1), to scores (n, classes).
        rolled: What `rolled_faces` returned.
        labels: int (n,), of all faces.
    """
    parts = [(one, way) for one in rolled if one.found.any() for way in one.faces]
    if not parts:
        return []
    scores = answer(np.concatenate([one.faces[way] for one, way in parts]))
    ends = np.cumsum([len(one.faces[way]) for one, way in parts])[:-1]
    right = {
        (one.frames.degrees, way): part.argmax(axis=1) == labels[one.found]
        for (one, way), part in zip(parts, np.split(scores, ends), strict=True)
    }
    return [
        RolledScore(degrees, way, float(own.mean()), *gained(own, right[degrees, AS_IT_IS]))
        for (degrees, way), own in right.items()
    ]


def gained(right: np.ndarray, before: np.ndarray) -> tuple[float, float, float]:
    """Returns the points by which bool (n,) is more often true than `before`, and the 95 % interval.

    The faces are compared in pairs: only those whose answer changed add to the interval.
    """
    change = right.astype(float) - before
    half = 1.96 * float(change.std()) / len(change) ** 0.5
    gain = float(change.mean())
    return 100 * gain, 100 * (gain - half), 100 * (gain + half)


def frames_table(frames: Sequence[RolledFrames]) -> str:
    """Returns a line per angle: faces found, and how far the eyes are off."""
    ways = list(frames[0].degrees_off)
    heads = ["roll", "found", *(f"degrees off, {WAY_NAMES[way].removeprefix('by ')}" for way in ways)]
    rows = [
        [
            f"{one.degrees}°",
            percent(one.found / one.faces if one.faces else None, 1),
            *(decimal(one.degrees_off[way], 1) for way in ways),
        ]
        for one in frames
    ]
    return table(heads, rows, left=0)


def scores_table(files: Sequence[tuple[str, Sequence[RolledScore]]]) -> str:
    """Returns a line per file and angle: the accuracy as it is, and the points that each way brings."""
    ways = list(dict.fromkeys(score.way for _, scores in files for score in scores if score.way != AS_IT_IS))
    rows = []
    for file, scores in files:
        of = {(score.degrees, score.way): score for score in scores}
        for degrees in dict.fromkeys(score.degrees for score in scores):
            gains = [
                f"{signed(one.gain_points)} ({one.low_points:+.1f} to {one.high_points:+.1f})"
                for way in ways
                if (one := of[degrees, way])
            ]
            rows.append([f"`{file}`", f"{degrees}°", percent(of[degrees, AS_IT_IS].accuracy), *gains])
    return table(["file", "roll", AS_IT_IS, *(WAY_NAMES[way] for way in ways)], rows)
