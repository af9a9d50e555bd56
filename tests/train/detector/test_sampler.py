"""The boxes of a training image stay right, whatever is done to it.

A face is a white rectangle here, so where it is can be seen in the pixels.
"""

import numpy as np
import pytest

from dataset.detection.geometry import moved_boxes, moved_eyes, moved_photo, similarity, visible
from dataset.detection.heads import Patch
from dataset.detection.pasting import decoy, paste
from dataset.detection.teacher import Photo
from train.detector.degrading import Degrading, coarse, degrade, lit, moved, noisy, shaded
from train.detector.sampler import Mixture, Pool, joined, make_sample

NONE = np.empty((0, 4), np.float32)
SHARP = Degrading(**dict.fromkeys(Degrading.__dataclass_fields__, 0.0))


def photo_of(boxes, *, height=120, width=160):
    image = np.zeros((height, width), np.uint8)
    for x, y, w, h in boxes:
        image[y : y + h, x : x + w] = 255
    boxes = np.float32(boxes)
    eyes = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:] * (1, 0)], axis=1)
    return Photo(image, boxes, eyes, NONE)


def seen(image):
    """The box around what is bright."""
    y, x = np.nonzero(image > 127)
    return np.array([x.min(), y.min(), x.max() + 1 - x.min(), y.max() + 1 - y.min()])


@pytest.mark.parametrize("scale", [0.3, 0.5, 1.0, 1.7, 3.0])
@pytest.mark.parametrize("mirror", [False, True])
def test_a_moved_box_lies_where_the_pixels_do(scale, mirror):
    photo = photo_of([(60, 40, 24, 32)])
    move = similarity(scale=scale, degrees=0, mirror=mirror, source=(72, 56), target=(100, 90))
    result = moved_photo(photo, move, height=192, width=224, fill=np.zeros((192, 224), np.uint8))
    assert seen(result.image) == pytest.approx(result.boxes[0], abs=1.01)
    assert result.boxes[0][:2] + result.boxes[0][2:] / 2 == pytest.approx([100, 90], abs=1e-3)
    first, second = result.eyes[0][:2], result.eyes[0][2:]
    assert first[0] < second[0]  # whatever is mirrored, the first eye is the left one
    assert first == pytest.approx(result.boxes[0][:2], abs=1e-3)


def test_a_turned_face_keeps_its_size_and_its_centre_turns():
    move = similarity(scale=1, degrees=90, mirror=False, source=(0, 0), target=(100, 0))
    box = moved_boxes(np.float32([[40, 8, 20, 24]]), move)[0]  # centre (50, 20) -> (-20, 50) + (100, 0)
    assert box == pytest.approx([80 - 10, 50 - 12, 20, 24], abs=1e-4)
    eyes = moved_eyes(np.float32([[45, 15, 55, 15]]), move)[0]
    assert eyes == pytest.approx([85, 45, 85, 55], abs=1e-4)


def test_faces_that_are_mostly_outside_are_ignored_and_those_far_away_go():
    photo = Photo(
        np.zeros((100, 100), np.uint8),
        np.float32([[-5, 0, 20, 20], [-15, 0, 20, 20], [300, 0, 9, 9]]),
        np.zeros((3, 4), np.float32),
        NONE,
    )
    result = visible(photo)
    assert result.boxes.tolist() == [[-5, 0, 20, 20]]
    assert result.ignored.tolist() == [[-15, 0, 20, 20]]


def test_a_mosaic_moves_boxes_with_their_quarter():
    part = photo_of([(10, 20, 30, 40)], height=100, width=120)
    whole = joined([part] * 4)
    assert whole.image.shape == (200, 240)
    for box, eyes in zip(whole.boxes.astype(int), whole.eyes, strict=True):
        x, y, w, h = box
        assert (whole.image[y : y + h, x : x + w] == 255).all()
        assert eyes[:2].tolist() == [x, y]
    assert whole.boxes[:, :2].tolist() == [[10, 20], [130, 20], [10, 120], [130, 120]]


@pytest.mark.parametrize("whole", [False, True])
def test_a_pasted_face_lies_in_its_box(whole):
    face = np.zeros((88, 88), np.uint8)
    face[20:60, 30:58] = 255
    patch = Patch(face, None, np.float32([30, 20, 28, 40]), np.float32([35, 30, 50, 30]))
    canvas = np.zeros((200, 200), np.uint8)
    move = similarity(scale=1.5, degrees=0, mirror=False, source=(44, 40), target=(100, 90))
    box, eyes = paste(canvas, patch, move, np.random.default_rng(0), whole=whole)
    assert box == pytest.approx([79, 60, 42, 60])
    assert eyes == pytest.approx([86.5, 75, 109, 75])
    assert seen(canvas) == pytest.approx(box, abs=8 if not whole else 2)  # an oval cuts the corners


def test_pasting_outside_the_image_changes_nothing():
    canvas = np.zeros((50, 50), np.uint8)
    patch = Patch(
        np.full((20, 20), 255, np.uint8), None, np.float32([0, 0, 20, 20]), np.full(4, np.nan, np.float32)
    )
    move = similarity(scale=1, degrees=0, mirror=False, source=(0, 0), target=(500, -300))
    _, eyes = paste(canvas, patch, move, np.random.default_rng(0))
    assert (canvas == 0).all()
    assert np.isnan(eyes).all()


def test_no_degrading_moves_anything():
    random = np.random.default_rng(1)
    image = photo_of([(60, 40, 40, 48)]).image
    truth = seen(image)
    for result in (
        coarse(image, 0.5),
        moved(image, length=7, angle=30),
        lit(image, gain=0.7, lift=10),
        shaded(image, random),
        noisy(image, random, deviation=8),
    ):
        assert result.shape == image.shape and result.dtype == np.uint8
        bright = result > (int(result.max()) + int(result.min())) / 2
        y, x = np.nonzero(bright)
        assert [np.median(x), np.median(y)] == pytest.approx(truth[:2] + truth[2:] / 2 - 0.5, abs=6)
    everything = Degrading(**dict.fromkeys(Degrading.__dataclass_fields__, 1.0))
    assert degrade(image, random, everything).shape == image.shape
    assert (degrade(image, random, SHARP) == image).all()


@pytest.fixture(scope="module")
def pool():
    random = np.random.default_rng(2)
    backgrounds = [random.integers(0, 100, (90, 120)).astype(np.uint8) for _ in range(3)]
    photos = [photo_of([(60, 40, 24, 32)]), photo_of([(10, 10, 12, 14), (90, 60, 30, 40)])]
    face = Patch(
        np.full((88, 88), 220, np.uint8), None, np.float32([10, -3, 66, 85]), np.float32([30, 30, 58, 30])
    )
    head = Patch(
        np.full((120, 100), 220, np.uint8),
        np.full((120, 100), 255, np.uint8),
        np.float32([30, 30, 40, 50]),
        np.full(4, np.nan, np.float32),
    )
    return Pool(photos, backgrounds, [face], [head])


KINDS = ("photo", "pasted", "mosaic", "tiles", "background")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_image_has_boxes_within_reach(pool, kind):
    shares = dict.fromkeys(KINDS, 0.0) | {kind: 1.0}
    if kind == "mosaic":
        shares = dict.fromkeys(KINDS, 0.25) | {"mosaic": 1.0, "background": 0.0}
    counted = 0
    for seed in range(20):
        sample = make_sample(pool, np.random.default_rng(seed), Mixture(**shares), height=96, width=128)
        assert sample.image.shape == (96, 128) and sample.image.dtype == np.uint8
        assert sample.boxes.shape == sample.eyes.shape and sample.boxes.shape[1] == 4
        assert np.isfinite(sample.boxes).all() and (sample.boxes[:, 2:] > 0).all()
        counted += len(sample.boxes)
    assert (counted == 0) == (kind == "background")


def test_a_seed_gives_the_same_image_and_another_seed_another(pool):
    first, same, other = (
        make_sample(pool, np.random.default_rng(seed), Mixture(), height=96, width=128) for seed in (7, 7, 8)
    )
    assert (first.image == same.image).all() and (first.boxes == same.boxes).all()
    assert (first.image != other.image).any()


def test_hard_backgrounds_are_drawn_as_often_as_asked(pool):
    only = Pool(pool.photos, [np.full((90, 120), gray, np.uint8) for gray in (10, 200)], [], [])
    mixture = Mixture(photo=0, pasted=0, mosaic=0, tiles=0, background=1, decoys=0, degrading=SHARP)
    for seed in range(10):
        sample = make_sample(
            only, np.random.default_rng(seed), mixture, height=96, width=128, hardness=np.array([0.0, 1.0])
        )
        assert sample.image.max() == 200


def test_a_decoy_is_a_piece_of_a_background(pool):
    fake = decoy(pool.backgrounds, np.random.default_rng(3))
    assert min(fake.image.shape) >= 40 and fake.image.max() < 100 and np.isnan(fake.eyes).all()
