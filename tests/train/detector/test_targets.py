"""Which cell answers for which face, by values worked out by hand."""

import numpy as np

from train.detector.network import cells_of
from train.detector.targets import BOX, CELL, EYES, EYES_KNOWN, FACE, WEIGHT, assign

NONE = np.empty((0, 4), np.float32)
UNKNOWN = np.full((1, 4), np.nan, np.float32)


def targets_of(boxes, eyes=None, ignored=NONE):
    boxes = np.float32(boxes)
    eyes = np.full((len(boxes), 4), np.nan, np.float32) if eyes is None else np.float32(eyes)
    return assign(boxes, eyes, np.float32(ignored), height=96, width=128)


def cells_with(targets, column, value):
    return targets[targets[:, column] == value][:, CELL][:, :3].tolist()


def test_cells_lie_in_rows_from_the_finest_level_on():
    cells = cells_of(96, 128)
    assert len(cells) == 12 * 16 + 6 * 8 + 3 * 4
    assert cells[0].tolist() == [4, 4, 8, 24]
    assert cells[1, :2].tolist() == [12, 4]
    assert cells[12 * 16].tolist() == [8, 8, 16, 64]
    assert cells[-1].tolist() == [112, 80, 32, 180]


def test_an_image_without_faces_is_all_background():
    targets = assign(NONE, NONE, NONE, height=96, width=128)
    assert (targets[:, FACE] == 0).all()
    assert (targets[:, WEIGHT] == 1).all()


def test_a_small_face_belongs_to_the_fine_cells_at_its_centre():
    # Its centre (36, 36) is that of a cell; the next centres are 8 pixels off, beyond 0.75 strides.
    targets = targets_of([[26, 26, 20, 20]], [[30, 32, 42, 33]])
    assert cells_with(targets, FACE, 1) == [[36, 36, 8]]
    face = targets[targets[:, FACE] == 1][0]
    assert face[BOX].tolist() == [26, 26, 20, 20]
    assert face[EYES].tolist() == [30, 32, 42, 33]
    assert face[EYES_KNOWN] == 1


def test_a_face_between_four_cells_belongs_to_all_four():
    targets = targets_of([[30, 30, 20, 20]])  # centre (40, 40)
    assert cells_with(targets, FACE, 1) == [[36, 36, 8], [44, 36, 8], [36, 44, 8], [44, 44, 8]]
    assert (targets[targets[:, FACE] == 1][:, EYES_KNOWN] == 0).all()


def test_cells_around_the_centre_are_neither_right_nor_wrong():
    targets = targets_of([[26, 26, 20, 20]])
    ignored = cells_with(targets, WEIGHT, 0)
    assert [28, 36, 8] in ignored  # 8 pixels off: within 1.25 strides
    assert [20, 36, 8] not in ignored  # 16 pixels off
    assert all(stride == 8 for _, _, stride in ignored)  # 20 px times 1.35 is no face for stride 16


def test_a_face_between_two_levels_belongs_to_both():
    targets = targets_of([[20, 20, 40, 40]])  # size 40, centre (40, 40)
    assert {stride for _, _, stride in cells_with(targets, FACE, 1)} == {8, 16}


def test_a_cell_answers_for_the_nearer_of_two_faces():
    targets = targets_of([[26, 26, 20, 20], [28, 28, 18, 18]])  # centres (36, 36), (37, 37)
    row = targets[(targets[:, CELL][:, :3] == [36, 36, 8]).all(axis=1)][0]
    assert row[BOX].tolist() == [26, 26, 20, 20]
    row = targets[(targets[:, CELL][:, :3] == [36, 36, 8]).all(axis=1) & (targets[:, FACE] == 1)]
    assert len(row) == 1


def test_tiny_faces_and_ignored_regions_count_neither_way():
    tiny = targets_of([[10, 10, 5, 5]])
    assert (tiny[:, FACE] == 0).all()
    assert [12, 12, 8] in cells_with(tiny, WEIGHT, 0)
    region = targets_of(np.empty((0, 4)), ignored=[[0, 0, 30, 30]])
    assert [4, 4, 8] in cells_with(region, WEIGHT, 0)
    assert [100, 76, 8] not in cells_with(region, WEIGHT, 0)
