"""Faces followed from frame to frame: a detection now and then, and a cheap search in between.

A detected face leaves a small gray image of itself, its template. In the next frames the face is where the
frame correlates best with the template. Where nothing correlates, the detector runs at once.
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

from .boxes import iou
from .crop import cut_gray
from .detectors import Detector

Box = tuple[float, float, float, float]  # x, y, width, height

DETECTION_BUDGET_MS = 1.0  # the mean time per frame for detection: a slow detector runs in fewer frames
LONGEST_CADENCE = 12  # frames, 0.4 s of a camera
LONGEST_WAIT_S = 0.4  # from one detection to the next where frames are rare: a new face waits no longer
SHORTEST_WAIT_S = 0.11  # a fast detector rests so long: nobody sees a new face come 0.1 s earlier
SURE = 0.6  # a confidence: every box of YuNet has it, and a box of Haar with 6 votes, where 4 make a box
# A face is dropped so long after the first detection that missed it, unless it is found again. One that is
# still followed is dropped only if a second detection misses it too.
LOST_S = 0.5

TEMPLATE_PX = 24  # the template's side
INNER = 0.8  # the share of the box in the template: the background stays out
SEARCH_PX = 54  # at the template's scale: a face is found up to half its box from its last place
SCALE_STEP_PX = 2  # a face is compared with its template this much larger and smaller
STIFFNESS = 0.5  # the share of a measured growth that is applied: noise makes a still face grow and shrink
MIN_CORRELATION = 0.5
REACH = 2.0  # boxes are matched at this scale, because a face that was not followed may have moved
MIN_IOU = 1 / 3  # of boxes at that scale: two of one size are then one width apart
SAME_PLACE_IOU = 0.5  # from here on an unconfirmed face is the confirmed one in its place


@dataclass(eq=False)
class Template:
    """What a face looked like when it was detected.

    Attributes:
        image: `uint8` `(TEMPLATE_PX, TEMPLATE_PX)`, gray.
        width: The width of the part of the frame that it shows, in pixels of the frame.
        height: That part's height.
        offset_x: From the centre of the face's box to that part's centre, in pixels of the frame.
        offset_y: Likewise.
    """

    image: np.ndarray
    width: int
    height: int
    offset_x: float
    offset_y: float


@dataclass(eq=False)
class Track:
    """A face that is followed.

    Attributes:
        id: Its number; no other face of the same tracker ever has it.
        box: `(x, y, width, height)` in pixels of the frame.
        confidence: The detector's, of the last detection that found it, 0 to 1.
        template: Its image at that detection.
        scale: How much larger it has become since.
        missed_s: The time of the first detection that missed it since; None where none has.
        missed: The number of those detections.
        visible: Whether it was seen in the last frame.
        found: The number of detections that found it.
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
        """Whether it is visible, and found by a second detection where the first was not sure."""
        return self.visible and (self.found > 1 or self.confidence >= SURE)

    def is_lost(self, time_s: float) -> bool:
        """Returns whether it is dropped at this time, in seconds."""
        if self.missed_s is None or time_s - self.missed_s <= LOST_S:
            return False
        return self.missed > 1 or not self.visible


class Tracker:
    """Follows the faces of a sequence of frames; it serves one thread.

    Attributes:
        tracks: The faces that are followed, visible or not.
        detections: The number of detections so far.
        detector: Finds faces.
    """

    def __init__(
        self,
        detector: Detector,
        *,
        detect_every: int | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Starts without a face.

        Args:
            detector: Finds faces.
            detect_every: Frames from one detection to the next. None: so many that the mean time of a
                detection is `DETECTION_BUDGET_MS` per frame, but at most `LONGEST_CADENCE`, at most those of
                `LONGEST_WAIT_S`, and at least those of `SHORTEST_WAIT_S`.
            clock: Gives seconds, by which detections are timed.

        Raises:
            ValueError: `detect_every` is no whole number above 0.
        """
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
        # The shortest of the last: other programs may have been at work during the others.
        return min(max(1, math.ceil(min(self._detector_ms) / DETECTION_BUDGET_MS)), LONGEST_CADENCE)

    def follow(self, frame: np.ndarray, time_s: float) -> list[Track]:
        """Returns the faces visible in the next frame, the longest known first.

        A frame of another size than the last starts without a face; no number is given twice.

        Args:
            frame: `uint8` BGR `(height, width, 3)`.
            time_s: Its time in seconds. Where a clock was set back, time goes on from there.
        """
        if frame.shape != self._shape:
            self.tracks, self._since, self._shape = [], 0, frame.shape
        self._detected_s = min(self._detected_s, time_s)
        is_lost = False
        for track in self.tracks:
            if track.missed_s is not None:
                track.missed_s = min(track.missed_s, time_s)
            if track.visible:
                track.visible = search(frame, track)
                is_lost |= not track.visible
        if is_lost or self._is_due(time_s):
            self._detect(frame, time_s)
            self._since, self._detected_s = 0, time_s
        self._since += 1
        self.tracks = [track for track in self.tracks if not track.is_lost(time_s)]
        return [track for track in self.tracks if track.shown]

    def _is_due(self, time_s: float) -> bool:
        """Returns whether a detection is due by the cadence, or by the time where no cadence was given."""
        if self._since == 0:
            return True
        if self._detect_every is not None:
            return self._since >= self._detect_every
        waited_s = time_s - self._detected_s
        is_rested = self._since >= self.cadence and waited_s >= SHORTEST_WAIT_S
        return is_rested or waited_s >= LONGEST_WAIT_S or self._since >= LONGEST_CADENCE

    def _detect(self, frame: np.ndarray, time_s: float) -> None:
        start = self._clock()
        found = self.detector(frame).astype(np.float64)
        self._detector_ms.append(1000 * (self._clock() - start))
        self.detections += 1
        boxes = found[:, :4]
        known = np.array([track.box for track in self.tracks]).reshape(-1, 4)
        pairs = associate(enlarged(known, REACH), enlarged(boxes, REACH), MIN_IOU)
        shared = iou(known, boxes)
        for number in {*range(len(known))} - {track for track, _ in pairs}:
            track = self.tracks[number]
            track.missed_s = time_s if track.missed_s is None else track.missed_s
            track.missed += 1
            # A missed face in the place of a found one has drifted to it. A face of a single detection is not
            # shown until it is found again.
            has_drifted = (shared[number] > SAME_PLACE_IOU).any()
            track.visible = track.visible and track.found > 1 and not has_drifted
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
    """Returns the template of a face: the inner part of its box."""
    x, y, width, height = box
    centre_x, centre_y = x + width / 2, y + height / 2
    area = _whole_pixels(centre_x, centre_y, INNER * width, INNER * height)
    offset_x, offset_y = area[0] + area[2] / 2 - centre_x, area[1] + area[3] / 2 - centre_y
    return Template(_patch(frame, area, TEMPLATE_PX), area[2], area[3], offset_x, offset_y)


def search(frame: np.ndarray, track: Track) -> bool:
    """Looks for a face around its last place in the next frame, and moves its box there.

    Returns:
        Whether a place correlates with its template by `MIN_CORRELATION`; otherwise the box stays.
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
    if best < MIN_CORRELATION:
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


def enlarged(boxes: np.ndarray, factor: float) -> np.ndarray:
    """Returns boxes `(n, 4)` around the same centres, `factor` times as wide and high."""
    return np.hstack([boxes[:, :2] - boxes[:, 2:] * (factor - 1) / 2, boxes[:, 2:] * factor])


def associate(boxes: np.ndarray, others: np.ndarray, min_iou: float) -> list[tuple[int, int]]:
    """Returns pairs `(box, other)` by falling IoU: each box and each other once, none below `min_iou`."""
    shared = iou(boxes, others)
    pairs = []
    while shared.size:
        box, other = (int(index) for index in np.unravel_index(shared.argmax(), shared.shape))
        if shared[box, other] < min_iou:
            break
        pairs.append((box, other))
        shared[box, :] = shared[:, other] = -1
    return pairs


def _whole_pixels(centre_x: float, centre_y: float, width: float, height: float) -> tuple[int, int, int, int]:
    """Returns the rectangle `(x, y, width, height)` in whole pixels, at least one each way."""
    whole_width, whole_height = max(1, round(width)), max(1, round(height))
    return (
        round(centre_x - whole_width / 2),
        round(centre_y - whole_height / 2),
        whole_width,
        whole_height,
    )


def _patch(frame: np.ndarray, area: tuple[int, int, int, int], side_px: int) -> np.ndarray:
    """Returns a rectangle of a frame as gray `uint8` `(side_px, side_px)`; outside, its edge is repeated."""
    gray = cut_gray(frame, *area)
    # Halved until it is less than twice as large: that takes a fifth of the time of one INTER_AREA, which is
    # slow for every ratio that is not whole. An odd last row or column is left out.
    while min(gray.shape) >= 2 * side_px:
        height, width = gray.shape[0] // 2, gray.shape[1] // 2
        gray = cv2.resize(gray[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)
    return cv2.resize(gray, (side_px, side_px), interpolation=cv2.INTER_LINEAR)


def _growth(patch: np.ndarray, image: np.ndarray, column: int, row: int, best: float) -> float:
    """Returns how much larger a face became, by a parabola through the correlations of three sizes."""
    alike = []
    for step_px in (-SCALE_STEP_PX, SCALE_STEP_PX):
        left, top, side = column - step_px // 2, row - step_px // 2, TEMPLATE_PX + step_px
        if left < 0 or top < 0 or left + side > SEARCH_PX or top + side > SEARCH_PX:
            return 1.0
        resized = cv2.resize(patch[top : top + side, left : left + side], (TEMPLATE_PX, TEMPLATE_PX))
        alike.append(float(cv2.matchTemplate(resized, image, cv2.TM_CCOEFF_NORMED)[0, 0]))
    return 1 + STIFFNESS * _top_of_parabola(alike[0], best, alike[1]) * SCALE_STEP_PX / TEMPLATE_PX


def _peak(line: np.ndarray, index: int) -> float:
    """Returns the place of a maximum, between its neighbours by a parabola."""
    if not 0 < index < len(line) - 1:
        return float(index)
    return index + _top_of_parabola(*line[index - 1 : index + 2].tolist())


def _top_of_parabola(before: float, at: float, after: float) -> float:
    """Returns where a parabola through three values is highest, from the middle one, within -1 to 1."""
    bend = before - 2 * at + after
    if bend >= 0:
        return 0.0
    return min(max((before - after) / (2 * bend), -1.0), 1.0)
