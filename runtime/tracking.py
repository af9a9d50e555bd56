"""Faces followed from frame to frame: detection now and then, and a cheap search for each face in between.

A face that was detected leaves a small gray image of itself. In the frames that follow, the place around it
that correlates best with that image is where it is now. Where nothing correlates, the detector is asked at
once.
"""

from __future__ import annotations

import itertools
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from .crop import cut_gray
from .detectors import Detector

Box = tuple[float, float, float, float]  # x, y, width, height

# Detection may take so many milliseconds a frame in the mean: what takes longer comes less often.
DETECTION_BUDGET_MS = 1.0
LONGEST_CADENCE = 12  # frames, 0.4 s of a camera
LONGEST_WAIT_S = 0.4  # where frames come seldom, however long detection takes: a new face waits no longer
SURE = 0.6  # confidence: what all boxes of YuNet have, and those of Haar with 6 votes, where 4 make a box
# From the first detection that misses a face until it is dropped, unless it is found again; one that is still
# followed is only dropped if a second detection misses it as well, however seldom detections come.
LOST_S = 0.5

TEMPLATE_PX = 24  # side of the image that a face leaves
INNER = 0.8  # the share of the box that it shows: the background stays out
SEARCH_PX = 54  # of the same pixels: a face is found up to half a box's width and height from its last place
SCALE_STEP_PX = 2  # a face is compared with itself this much larger and smaller
STIFFNESS = 0.5  # the share of a measured growth that is believed: noise grows and shrinks a still face
LEAST_CORRELATION = 0.5
REACH = 2.0  # boxes are matched after growing by it, because a face that was not followed may have moved on
LEAST_OVERLAP = 1 / 3  # of boxes so grown: two alike are then one width apart
SAME_PLACE = 0.5  # overlap from which an unconfirmed face is taken for the confirmed one in its place


@dataclass(eq=False)
class Template:
    """What a face looked like when it was detected.

    `image` is uint8 (TEMPLATE_PX, TEMPLATE_PX), gray; it shows `width` x `height` pixels of the frame,
    whose centre lies `offset_x`, `offset_y` from that of the face's box.
    """

    image: np.ndarray
    width: int
    height: int
    offset_x: float
    offset_y: float


@dataclass(eq=False)
class Track:
    """A face with its number, which no other face of the same tracker ever has.

    `box` is `(x, y, width, height)` in pixels of the frame; `confidence` is that of the last detection that
    found it, `template` its image then and `scale` how much larger it is by now; `missed_s` is the time
    of the first detection since that did not find it, and `missed` counts those; `visible` says whether it
    was seen in the last frame; `found` counts the detections that found it.
    """

    id: int
    box: Box
    confidence: float
    template: Template
    scale: float = 1.0
    missed_s: float | None = None
    missed: int = 0
    visible: bool = True
    found: int = 1

    @property
    def shown(self) -> bool:
        """Whether it is seen, and by a second detection where the first was not sure."""
        return self.visible and (self.found > 1 or self.confidence >= SURE)

    def is_lost(self, time_s: float) -> bool:
        """Whether it is to be dropped at this time."""
        if self.missed_s is None or time_s - self.missed_s <= LOST_S:
            return False
        return self.missed > 1 or not self.visible


class Tracker:
    """Follows the faces of a sequence of frames; it serves one thread.

    Args:
        detector: finds faces.
        detect_every: frames from one detection to the next. None: so many that detection takes
            `DETECTION_BUDGET_MS` of each frame, by the time that it was measured to take, at most
            `LONGEST_CADENCE` and as many as come in `LONGEST_WAIT_S`.
        clock: seconds; the time that a detection takes is read from it.
    """

    def __init__(
        self,
        detector: Detector,
        *,
        detect_every: int | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        if detect_every is not None and (not isinstance(detect_every, int) or detect_every < 1):
            raise ValueError(f"Expected detect_every as a whole number of 1 or more, got {detect_every!r}.")
        self.tracks: list[Track] = []
        self.detections = 0
        self.detector = detector
        self._detect_every = detect_every
        self._clock = clock
        self._numbers = itertools.count(1)
        self._since = 0  # frames since the last detection, that frame included
        self._detected_s = 0.0  # the time of the last detection
        self._detector_ms: deque[float] = deque(maxlen=5)
        self._shape: tuple[int, ...] = ()

    @property
    def cadence(self) -> int:
        """Frames from one detection to the next."""
        if self._detect_every is not None:
            return self._detect_every
        if not self._detector_ms:
            return 1
        # The shortest of the last: what the machine was busy with besides is not the detector's time.
        return min(max(1, math.ceil(min(self._detector_ms) / DETECTION_BUDGET_MS)), LONGEST_CADENCE)

    def follow(self, frame: np.ndarray, time_s: float) -> list[Track]:
        """The faces visible in the next frame, the longest known first.

        `frame` is uint8 BGR (height, width, 3), `time_s` its time in seconds; where a clock was set back,
        time goes on from there. A frame of another size than the last starts anew; numbers are not used
        again.
        """
        if frame.shape != self._shape:
            self.tracks, self._since, self._shape = [], 0, frame.shape
        self._detected_s = min(self._detected_s, time_s)
        astray = False
        for track in self.tracks:
            if track.missed_s is not None:
                track.missed_s = min(track.missed_s, time_s)
            if track.visible:
                track.visible = search(frame, track)
                astray |= not track.visible
        if astray or self._is_due(time_s):
            self._detect(frame, time_s)
            self._since, self._detected_s = 0, time_s
        self._since += 1
        self.tracks = [track for track in self.tracks if not track.is_lost(time_s)]
        return [track for track in self.tracks if track.shown]

    def _is_due(self, time_s: float) -> bool:
        """Whether the cadence, or the time where the cadence is the tracker's own, asks for a detection."""
        if self._since == 0 or self._since >= self.cadence:
            return True
        return self._detect_every is None and time_s - self._detected_s >= LONGEST_WAIT_S

    def _detect(self, frame: np.ndarray, time_s: float) -> None:
        start = self._clock()
        found = self.detector(frame).astype(np.float64)
        self._detector_ms.append(1000 * (self._clock() - start))
        self.detections += 1
        boxes = found[:, :4]
        known = np.array([track.box for track in self.tracks]).reshape(-1, 4)
        pairs = associate(grown(known, REACH), grown(boxes, REACH), LEAST_OVERLAP)
        shared = overlaps(known, boxes)
        for number in {*range(len(known))} - {track for track, _ in pairs}:
            track = self.tracks[number]
            track.missed_s = time_s if track.missed_s is None else track.missed_s
            track.missed += 1
            # One that was not found, in the place of one that was, went over to it; and what only a single
            # detection took for a face, and the next did not, is shown no more until it is found again.
            went_over = (shared[number] > SAME_PLACE).any()
            track.visible = track.visible and track.found > 1 and not went_over
        matched = {detection: self.tracks[track] for track, detection in pairs}
        for number, (x, y, width, height, confidence) in enumerate(found.tolist()):
            box = (x, y, width, height)
            template = make_template(frame, box)
            if number in matched:
                track = matched[number]
                track.box, track.confidence, track.template = box, confidence, template
                track.scale, track.visible = 1.0, True
                track.missed_s, track.missed = None, 0
                track.found += 1
            else:
                self.tracks.append(Track(next(self._numbers), box, confidence, template))


def make_template(frame: np.ndarray, box: Box) -> Template:
    """Take the image of a face by which it will be found: the inner part of its box."""
    x, y, width, height = box
    centre_x, centre_y = x + width / 2, y + height / 2
    area = _whole_pixels(centre_x, centre_y, INNER * width, INNER * height)
    offset_x, offset_y = area[0] + area[2] / 2 - centre_x, area[1] + area[3] / 2 - centre_y
    return Template(_patch(frame, area, TEMPLATE_PX), area[2], area[3], offset_x, offset_y)


def search(frame: np.ndarray, track: Track) -> bool:
    """Look for a face around its last place in the next frame and move its box there.

    Returns False, and leaves the box, where no place correlates with its image by `LEAST_CORRELATION`.
    """
    template = track.template
    x, y, width, height = track.box
    zoom = track.scale * SEARCH_PX / TEMPLATE_PX
    left, top, *size = area = _whole_pixels(
        x + width / 2 + template.offset_x * track.scale,
        y + height / 2 + template.offset_y * track.scale,
        template.width * zoom,
        template.height * zoom,
    )
    patch = _patch(frame, area, SEARCH_PX)
    correlations = cv2.matchTemplate(patch, template.image, cv2.TM_CCOEFF_NORMED)
    _, best, _, (column, row) = cv2.minMaxLoc(correlations)
    if best < LEAST_CORRELATION:
        return False
    growth = _growth(patch, template.image, column, row, best)
    track.scale *= growth
    width, height = width * growth, height * growth
    # The place in pixels of the patch, then in those of the frame.
    patch_x, patch_y = _peak(correlations[row], column), _peak(correlations[:, column], row)
    centre_x = left + (patch_x + TEMPLATE_PX / 2) * size[0] / SEARCH_PX - template.offset_x * track.scale
    centre_y = top + (patch_y + TEMPLATE_PX / 2) * size[1] / SEARCH_PX - template.offset_y * track.scale
    track.box = (centre_x - width / 2, centre_y - height / 2, width, height)
    return True


def overlaps(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Intersection over union of every box (n, 4) with every other (m, 4): float (n, m)."""
    ends, other_ends = boxes[:, :2] + boxes[:, 2:], others[:, :2] + others[:, 2:]
    starts = np.maximum(boxes[:, None, :2], others[None, :, :2])
    sides = np.clip(np.minimum(ends[:, None], other_ends[None]) - starts, 0, None)
    shared = sides[..., 0] * sides[..., 1]
    areas, other_areas = boxes[:, 2] * boxes[:, 3], others[:, 2] * others[:, 3]
    return shared / (areas[:, None] + other_areas[None] - shared)


def grown(boxes: np.ndarray, factor: float) -> np.ndarray:
    """Boxes (n, 4) around the same centres, `factor` times as wide and high."""
    return np.hstack([boxes[:, :2] - boxes[:, 2:] * (factor - 1) / 2, boxes[:, 2:] * factor])


def associate(boxes: np.ndarray, others: np.ndarray, least: float) -> list[tuple[int, int]]:
    """Pairs `(box, other)` by falling overlap, each box and each other once, none below `least`."""
    shared = overlaps(boxes, others)
    pairs = []
    while shared.size:
        box, other = (int(index) for index in np.unravel_index(shared.argmax(), shared.shape))
        if shared[box, other] < least:
            break
        pairs.append((box, other))
        shared[box, :] = shared[:, other] = -1
    return pairs


def _whole_pixels(centre_x: float, centre_y: float, width: float, height: float) -> tuple[int, int, int, int]:
    """The rectangle `(x, y, width, height)` in whole pixels, at least one each way."""
    whole_width, whole_height = max(1, round(width)), max(1, round(height))
    return (
        round(centre_x - whole_width / 2),
        round(centre_y - whole_height / 2),
        whole_width,
        whole_height,
    )


def _patch(frame: np.ndarray, area: tuple[int, int, int, int], side_px: int) -> np.ndarray:
    """A rectangle of a frame as uint8 (side_px, side_px), gray; the frame's edge is repeated outside it."""
    gray = cut_gray(frame, *area)
    # Halved until it is less than twice too large: a fifth of the time of one INTER_AREA, which is slow for
    # every ratio that is not whole. An odd last row or column is left out.
    while min(gray.shape) >= 2 * side_px:
        height, width = gray.shape[0] // 2, gray.shape[1] // 2
        gray = cv2.resize(gray[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
    return cv2.resize(gray, (side_px, side_px), interpolation=cv2.INTER_LINEAR)


def _growth(patch: np.ndarray, image: np.ndarray, column: int, row: int, best: float) -> float:
    """How much larger a face became: its place taken larger and smaller, a parabola through the three."""
    alike = []
    for step_px in (-SCALE_STEP_PX, SCALE_STEP_PX):
        left, top, side = column - step_px // 2, row - step_px // 2, TEMPLATE_PX + step_px
        if left < 0 or top < 0 or left + side > SEARCH_PX or top + side > SEARCH_PX:
            return 1.0
        resized = cv2.resize(patch[top : top + side, left : left + side], (TEMPLATE_PX, TEMPLATE_PX))
        alike.append(float(cv2.matchTemplate(resized, image, cv2.TM_CCOEFF_NORMED)[0, 0]))
    return 1 + STIFFNESS * _top_of_parabola(alike[0], best, alike[1]) * SCALE_STEP_PX / TEMPLATE_PX


def _peak(line: np.ndarray, index: int) -> float:
    """The place of a maximum between its neighbours."""
    if not 0 < index < len(line) - 1:
        return float(index)
    return index + _top_of_parabola(*line[index - 1 : index + 2].tolist())


def _top_of_parabola(before: float, at: float, after: float) -> float:
    """Where a parabola through three values one apart is highest, from the middle one, within -1 to 1."""
    bend = before - 2 * at + after
    if bend >= 0:
        return 0.0
    return min(max((before - after) / (2 * bend), -1.0), 1.0)
