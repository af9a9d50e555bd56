"""The loss against the same in numpy."""

import keras
import numpy as np
import pytest

from train.detector.loss import BOX_SHARE, EYES_SHARE, FEWEST, detection_loss, focal, generalized_overlap
from train.detector.network import cells_of
from train.detector.targets import BOX, EYES, FACE, WEIGHT, assign

NONE = np.empty((0, 4), np.float32)


def number(tensor):
    return float(keras.ops.convert_to_numpy(tensor))


def test_focal_loss_by_hand():
    for face, logit in ((1.0, 0.3), (0.0, 0.3), (1.0, -4.0), (0.0, -4.0)):
        p = 1 / (1 + np.exp(-logit))
        right = p if face else 1 - p
        assert number(focal(np.float32(face), np.float32(logit))) == pytest.approx(
            -((1 - right) ** 2) * np.log(right), rel=1e-4
        )


def test_generalized_overlap_by_hand():
    box = np.float32([0, 0, 10, 10])
    assert number(generalized_overlap(box, box)) == pytest.approx(1)
    # Half shifted: overlap 50 of 150, hull 150.
    assert number(generalized_overlap(box, np.float32([5, 0, 10, 10]))) == pytest.approx(1 / 3)
    # Apart: no overlap, union 200, hull 400.
    assert number(generalized_overlap(box, np.float32([30, 0, 10, 10]))) == pytest.approx(-0.5)


def test_the_right_answer_costs_nothing_but_its_doubt():
    box, eyes = np.float32([[26, 26, 20, 20]]), np.float32([[30, 32, 42, 33]])
    targets = assign(box, eyes, NONE, height=96, width=128)[None]
    cells = cells_of(96, 128)
    raw = np.zeros((1, len(cells), 9), np.float32)
    raw[0, :, 0] = np.where(targets[0, :, FACE] > 0, 12.0, -12.0)
    raw[0, :, 1:3] = (box[0, :2] + box[0, 2:] / 2 - cells[:, :2]) / cells[:, 2:3]
    raw[0, :, 3:5] = np.log(box[0, 2:] / cells[:, 3:4])
    raw[0, :, 5:9] = (eyes[0] - 36) / cells[:, 3:4]
    assert number(detection_loss(targets, raw)) == pytest.approx(0, abs=1e-4)


def test_the_loss_of_a_wrong_answer_in_numpy():
    box, eyes = np.float32([[26, 26, 20, 20]]), np.float32([[30, 32, 42, 33]])
    targets = assign(box, eyes, NONE, height=96, width=128)[None]
    raw = np.zeros((1, targets.shape[1], 9), np.float32)
    raw[..., 0] = -2.0
    p = 1 / (1 + np.exp(2.0))
    face = targets[0, :, FACE]
    doubt = np.where(face > 0, -((1 - p) ** 2) * np.log(p), -(p**2) * np.log(1 - p))
    confidence = (doubt * targets[0, :, WEIGHT]).sum()
    # The one cell answers with a box of 24x24 around its own centre, (36, 36), and both eyes there.
    overlap = 400 / 576
    distance = np.abs(eyes[0] - 36).sum() / 20
    expected = (confidence + BOX_SHARE * (1 - overlap) + EYES_SHARE * distance) / FEWEST
    assert number(detection_loss(targets, raw)) == pytest.approx(expected, rel=1e-4)


def test_the_loss_is_per_face_where_there_are_enough():
    boxes = np.float32([[x, y, 20, 20] for x in (10, 42, 74) for y in (10, 42)])
    targets = assign(boxes, np.full((6, 4), np.nan), NONE, height=96, width=128)[None]
    raw = np.random.default_rng(0).standard_normal((1, targets.shape[1], 9)).astype("float32")
    once = number(detection_loss(targets, raw))
    twice = number(detection_loss(np.tile(targets, (2, 1, 1)), np.tile(raw, (2, 1, 1))))
    assert targets[..., FACE].sum() > FEWEST
    assert twice == pytest.approx(once, rel=1e-4)


def test_unknown_eyes_and_cells_without_weight_cost_nothing():
    box, unknown = np.float32([[26, 26, 20, 20]]), np.full((1, 4), np.nan, np.float32)
    targets = assign(box, unknown, NONE, height=96, width=128)[None]
    raw = np.random.default_rng(0).standard_normal((1, targets.shape[1], 9)).astype("float32")
    other = raw.copy()
    other[..., 5:9] += 3
    other[0, targets[0, :, WEIGHT] == 0] += 5
    assert number(detection_loss(targets, other)) == pytest.approx(number(detection_loss(targets, raw)))
    assert np.isfinite(number(detection_loss(targets, raw)))
    assert not np.isnan(targets[..., BOX]).any() and not np.isnan(targets[..., EYES]).any()


def test_a_batch_without_faces_has_a_loss():
    targets = assign(NONE, NONE, NONE, height=96, width=128)[None]
    assert np.isfinite(number(detection_loss(targets, np.zeros((1, targets.shape[1], 9), np.float32))))
