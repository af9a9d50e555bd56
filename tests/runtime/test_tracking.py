"""Tracking: faces keep their boxes and their numbers between detections."""

import itertools
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.scenes import empty_scene, people_scene
from runtime.detectors import load_haar, load_yunet
from runtime.tracking import LONGEST_CADENCE, LOST_S, Tracker, associate, enlarged, iou, make_template

ROOT = Path(__file__).parents[2]
NOISE = 4  # gray levels, standard deviation
FACE_WIDTH = 0.78  # of YuNet's box, in sides of the square


@pytest.fixture(scope="module")
def portrait():
    return cv2.imread(str(ROOT / "demo" / "astronaut.jpg"))


@pytest.fixture(scope="module")
def room():
    return empty_scene(seed=3)


@pytest.fixture(scope="module")
def yunet():
    places = [
        os.environ.get("FERKIT_YUNET"),
        *(ROOT.parent / "shared" / "face_detection").glob("*yunet*.onnx"),
    ]
    for place in places:
        if place and Path(place).is_file():
            return load_yunet(place)
    pytest.skip("YuNet's file is neither at FERKIT_YUNET nor in ../shared/face_detection")


class Told:
    """A detector that finds what it is given: the squares of the frame, as boxes."""

    name = "yunet"

    def __init__(self, confidence=0.9):
        self.squares = []
        self.confidence = confidence
        self.calls = 0

    def __call__(self, frame):
        self.calls += 1
        boxes = [(x, y, side, side, self.confidence) for x, y, side in self.squares]
        return np.array(boxes, np.float32).reshape(-1, 5)


class Film:
    """Frames with heads at given squares and a camera's noise, and a tracker that gets so many a second."""

    def __init__(self, portrait, room, *, detect_every, detector=None, frame_rate=30):
        self.portrait, self.room, self.frame_rate = portrait, room, frame_rate
        self.told = detector or Told()
        self.tracker = Tracker(self.told, detect_every=detect_every)
        self.number = 0
        self.random = np.random.default_rng(0)
        self.noise = np.rint(self.random.normal(0, NOISE, 2 * room.size)).astype(np.int16)

    def show(self, *squares, found=None):
        """The next frame; `found` is what the told detector finds in it, all squares unless given."""
        frame = people_scene(self.portrait, squares, room=self.room)
        start = int(self.random.integers(self.noise.size - frame.size))  # quicker than new noise
        noise = self.noise[start : start + frame.size].reshape(frame.shape)
        frame = np.clip(frame + noise, 0, 255).astype(np.uint8)
        if isinstance(self.told, Told):
            self.told.squares = squares if found is None else found
        self.frame = frame
        tracks = self.tracker.follow(frame, self.number / self.frame_rate)
        self.number += 1
        return tracks


@pytest.fixture
def film(portrait, room):
    def start(detect_every, detector=None, **given):
        return Film(portrait, room, detect_every=detect_every, detector=detector, **given)

    return start


def overlap(track, square):
    x, y, side = square
    return float(iou(np.array([track.box]), np.array([(x, y, side, side)]))[0, 0])


def zigzag(side, step, frames):
    """Squares that move by `step` each way and turn back at the edges of 640x480."""
    x, y, across, down = 60.0, 50.0, step, 0.6 * step
    for _ in range(frames):
        yield x, y, side
        across = across if 10 < x + across < 630 - side else -across
        down = down if 10 < y + down < 470 - side else -down
        x, y = x + across, y + down


@pytest.mark.parametrize("side", [60, 120])
def test_a_face_that_moves_a_third_of_its_width_each_frame_keeps_its_box(film, yunet, side):
    scene = film(10, yunet)
    found = 0
    for square in zigzag(side, FACE_WIDTH * side / 3, 40):
        tracks = scene.show(square)
        detected = yunet(scene.frame)[:1, :4]
        if len(detected):
            found += 1
            assert [track.id for track in tracks] == [1]
            assert iou(np.array([tracks[0].box]), detected).item() > 0.7
    assert found > 35
    assert scene.tracker.detections <= 6


def test_a_still_face_keeps_its_box_to_a_pixel(film):
    scene = film(12)
    boxes = np.array([scene.show((200.3, 100.7, 100))[0].box for _ in range(12)])
    assert scene.told.calls == 1
    np.testing.assert_allclose(boxes, boxes[:1].repeat(12, 0), atol=1.5)


def test_a_face_that_comes_closer_grows_its_box(film):
    scene = film(12)
    for number in range(12):
        side = 80 * 1.025**number
        (track,) = scene.show((300 - side / 2, 240 - side / 2, side))
    assert scene.told.calls == 1
    assert track.box[2] == pytest.approx(side, rel=0.06)
    assert overlap(track, (300 - side / 2, 240 - side / 2, side)) > 0.85


def test_a_face_leaves_the_frame_by_its_edge_with_its_box(film):
    scene = film(12)
    for number in range(10):
        square = (20 - 8 * number, 100, 100)
        (track,) = scene.show(square)
    assert square[0] == -52
    assert overlap(track, square) > 0.7


def test_the_detector_is_asked_at_the_cadence_only(film):
    scene = film(5)
    for _ in range(11):
        scene.show((200, 100, 100))
    assert scene.told.calls == 3  # frames 0, 5, 10


def test_a_face_that_jumps_is_detected_at_once_and_keeps_its_number(film):
    scene = film(12)
    scene.show((200, 100, 100))
    (track,) = scene.show((275, 130, 100))
    assert scene.told.calls == 2
    assert track.id == 1
    assert overlap(track, (275, 130, 100)) > 0.99


def test_a_face_that_is_gone_is_no_longer_shown(film):
    scene = film(12)
    scene.show((200, 100, 100))
    assert scene.show() == []
    assert scene.told.calls == 2
    for _ in range(5):
        assert scene.show() == []
    assert scene.told.calls == 2  # nothing is looked for in its place any more


def test_a_face_that_the_detector_misses_once_stays(film):
    scene = film(3)
    for number in range(12):
        square = (100 + 5 * number, 100, 100)
        (track,) = scene.show(square, found=[] if 6 <= number < 9 else [square])
        assert track.id == 1
        assert overlap(track, square) > 0.85
    assert scene.told.calls == 4


def test_a_face_of_one_detection_disappears_with_the_next_and_may_come_back(film):
    scene = film(3)
    square, wall = (200, 100, 100), (400, 300, 80)
    ids = []
    for number in range(12):
        found = [square] if 3 <= number < 6 else [square, wall]
        ids.append([track.id for track in scene.show(square, found=found)])
    assert ids == [[1, 2]] * 3 + [[1]] * 3 + [[1, 2]] * 6


def test_an_unsure_face_is_shown_after_a_second_detection(film):
    square = (200, 100, 100)
    sure, unsure = Told(confidence=0.6), Told(confidence=0.59)
    shown = {}
    for told in (sure, unsure):
        scene = film(3, told)
        told.squares = [square]
        shown[told] = [len(scene.show(square)) for _ in range(6)]
    assert shown == {sure: [1] * 6, unsure: [0, 0, 0, 1, 1, 1]}


def test_a_face_that_detection_misses_is_dropped_after_the_stated_time(film):
    scene = film(3)
    square = (200, 100, 100)
    shown = [len(scene.show(square, found=[square] if number < 6 else [])) for number in range(30)]
    assert shown.index(0) == pytest.approx(6 + 30 * LOST_S, abs=1.1)  # first missed in frame 6
    assert scene.tracker.tracks == []


def with_slow_detection(scene):
    """Give a film a tracker of its own cadence, the longest: detection takes 80 ms by its clock."""
    ticks = itertools.count(0, 0.08)
    scene.tracker = Tracker(scene.told, clock=lambda: next(ticks))
    return scene


@pytest.mark.parametrize("frame_rate", [1, 2, 5, 30])
def test_a_face_that_one_detection_misses_stays_at_every_frame_rate(film, frame_rate):
    scene = film(6, frame_rate=frame_rate)
    square = (200, 100, 100)
    found = [[] if 12 <= number < 18 else [square] for number in range(30)]
    assert [[track.id for track in scene.show(square, found=boxes)] for boxes in found] == [[1]] * 30
    assert scene.told.calls == 5


def test_at_one_frame_per_second_a_second_miss_drops_a_face(film):
    scene = film(3, frame_rate=1)
    square = (200, 100, 100)
    shown = [len(scene.show(square, found=[square] if number < 6 else [])) for number in range(12)]
    assert shown == [1] * 9 + [0] * 3  # missed in frames 6 and 9


def test_at_a_frame_a_second_a_new_face_is_shown_in_its_first_frame(film):
    scene = with_slow_detection(film(1, frame_rate=1))
    square = (200, 100, 100)
    shown = [len(scene.show(square) if number >= 2 else scene.show()) for number in range(5)]
    assert shown == [0, 0, 1, 1, 1]


def test_at_five_frames_a_second_every_second_one_is_looked_at(film):
    scene = with_slow_detection(film(1, frame_rate=5))
    for _ in range(10):
        scene.show((200, 100, 100))
    assert scene.told.calls == 5


def test_at_thirty_frames_a_second_the_cadence_counts(film):
    scene = with_slow_detection(film(1))
    for _ in range(3 * LONGEST_CADENCE):
        scene.show((200, 100, 100))
    assert scene.told.calls == 3


@pytest.mark.parametrize(
    ("frame_rate", "every"), [(60, 7), (30, 4), (10, 2), (5, 1), (1000, LONGEST_CADENCE)]
)
def test_a_fast_detector_rests_a_tenth_of_a_second(film, frame_rate, every):
    scene = film(1, frame_rate=frame_rate)
    scene.tracker = Tracker(scene.told, clock=lambda: 0.0)
    for _ in range(3 * every):
        scene.show((200, 100, 100))
    assert scene.told.calls == 3


def test_a_stated_cadence_is_kept_at_every_frame_rate(film):
    scene = film(5, frame_rate=1)
    for _ in range(11):
        scene.show((200, 100, 100))
    assert scene.told.calls == 3


def test_a_clock_that_was_set_back_delays_no_drop_of_a_lost_face(film):
    scene = film(3)
    scene.number = 30 * 3600
    scene.show((200, 100, 100))
    scene.show()
    scene.number = 0
    for _ in range(round(30 * LOST_S) + 2):
        assert scene.show() == []
    assert scene.tracker.tracks == []


def test_after_a_clock_was_set_back_detection_goes_on(film):
    scene = with_slow_detection(film(1))
    scene.number = 30 * 3600
    scene.show((200, 100, 100))
    scene.number = 0
    for _ in range(LONGEST_CADENCE + 1):
        scene.show((200, 100, 100))
    assert scene.told.calls == 2


def test_a_face_is_kept_however_long_the_next_frame_takes(film):
    scene = film(12)
    scene.show((200, 100, 100))
    scene.number += 30 * 60
    assert [track.id for track in scene.show((200, 100, 100))] == [1]


def test_a_face_that_comes_back_soon_keeps_its_number(film):
    scene = film(2)
    square = (200, 100, 100)
    assert [track.id for track in scene.show(square)] == [1]
    for _ in range(6):
        scene.show()
    ids = [track.id for _ in range(2) for track in scene.show(square)]
    assert set(ids) == {1}
    for _ in range(40):
        scene.show()
    ids = [track.id for _ in range(2) for track in scene.show(square)]
    assert set(ids) == {2}


def test_a_new_face_is_found_at_the_next_detection(film):
    scene = film(4)
    first, second = (80, 100, 100), (400, 200, 90)
    counts = [len(scene.show(first, second) if number else scene.show(first)) for number in range(5)]
    assert counts == [1, 1, 1, 1, 2]
    assert [track.id for track in scene.tracker.tracks] == [1, 2]


def test_two_faces_that_pass_one_another_at_a_distance_keep_their_numbers(film):
    scene = film(4)
    for number in range(24):
        left, right = (60 + 16 * number, 40, 90), (460 - 16 * number, 260, 90)
        tracks = scene.show(left, right)
    assert [track.id for track in tracks] == [1, 2]
    assert overlap(tracks[0], left) > 0.8
    assert overlap(tracks[1], right) > 0.8


def test_ten_faces_are_followed_at_once(film):
    scene = film(6)
    for number in range(8):
        squares = [(20 + 120 * (i % 5) + 3 * number, 60 + 200 * (i // 5), 64) for i in range(10)]
        tracks = scene.show(*squares)
    assert [track.id for track in tracks] == list(range(1, 11))
    assert min(overlap(track, square) for track, square in zip(tracks, squares, strict=True)) > 0.8
    assert scene.told.calls == 2


def test_a_frame_of_another_size_starts_without_faces(film, portrait):
    scene = film(12)
    scene.show((200, 100, 100))
    scene.room = empty_scene(width=320, height=240, seed=1)
    assert [track.id for track in scene.show((100, 60, 80))] == [2]


def test_the_cadence_follows_from_the_time_that_detection_takes(portrait, room):
    def cadence_at(seconds):
        ticks = iter(np.arange(100) * seconds)  # the clock is read before and after each detection
        tracker = Tracker(Told(), clock=lambda: float(next(ticks)))
        tracker.follow(room, 0.0)
        return tracker.cadence

    assert cadence_at(0.0004) == 1
    assert cadence_at(0.0045) == 5
    assert cadence_at(0.080) == LONGEST_CADENCE


@pytest.mark.parametrize("wrong", [0, -1, 2.5])
def test_a_cadence_that_is_none_is_refused(wrong):
    with pytest.raises(ValueError, match="Expected detect_every as a whole number of 1 or more"):
        Tracker(Told(), detect_every=wrong)


@pytest.mark.skipif(not hasattr(cv2, "CascadeClassifier"), reason="OpenCV 5 has no Haar cascade")
def test_haar_is_carried_as_well(film):
    scene = film(12, load_haar())
    for number in range(14):
        square = (150 + 12 * number, 120, 110)
        (track,) = scene.show(square)
        assert overlap(track, square) > 0.6
    assert (track.id, scene.tracker.detections) == (1, 2)


def test_the_frame_is_not_changed(film, room):
    scene = film(3)
    scene.show((200, 100, 100))
    before = scene.frame.copy()
    scene.tracker.follow(scene.frame, 1.0)
    np.testing.assert_array_equal(scene.frame, before)


def test_overlaps_are_intersection_over_union():
    boxes = np.array([(0, 0, 10, 10), (5, 0, 10, 10), (100, 100, 5, 5)], float)
    np.testing.assert_allclose(iou(boxes, boxes[:2]), [[1, 1 / 3], [1 / 3, 1], [0, 0]])
    assert iou(boxes, np.empty((0, 4))).shape == (3, 0)


def test_grown_boxes_keep_their_centres():
    np.testing.assert_array_equal(enlarged(np.array([(10.0, 20, 30, 40)]), 2), [(-5, 0, 60, 80)])


def test_the_best_overlap_is_paired_first():
    boxes = np.array([(0, 0, 10, 10), (4, 0, 10, 10)], float)
    others = np.array([(3, 0, 10, 10), (200, 0, 10, 10)], float)
    assert associate(boxes, others, 0.1) == [(1, 0)]


def test_a_template_shows_the_inner_part_of_its_box():
    frame = np.zeros((200, 200, 3), np.uint8)
    frame[60:140, 60:140] = 200
    template = make_template(frame, (50.0, 50.0, 100.0, 100.0))
    assert (template.image == 200).all()
    assert (template.width, template.height, template.offset_x, template.offset_y) == (80, 80, 0, 0)
