"""From the boxes of an image to what each cell of the network should answer. Needs numpy only."""

import numpy as np

from dataset.detection.boxes import overlaps

from .network import LEVELS, cells_of

# Columns of the targets of a cell.
FACE, WEIGHT, BOX, EYES, EYES_KNOWN, CELL = 0, 1, slice(2, 6), slice(6, 10), 10, slice(11, 15)
TARGET_COLUMNS = 15

REACH = 0.75  # cells whose centre lies within so many strides of a face's centre, on both axes, answer for it
NEAR = 1.25  # cells within so many strides may answer as they like, ...
NEAR_SHARE = 0.25  # ... and those within this share of the face's size
WIDER = 1.35  # levels whose range of sizes, so many times wider, holds a face, may answer for it as well
SMALLEST_FACE = 11.0  # pixels; cells of smaller faces may answer as they like


def assign(
    boxes: np.ndarray, eyes: np.ndarray, ignored: np.ndarray, *, height: int, width: int
) -> np.ndarray:
    """Returns the targets of an image.

    A cell answers for a face whose size is in its level's range and whose centre is near. Of two such faces
    it answers for the nearer one. Cells around it are neither right nor wrong, and have weight 0.

    Args:
        boxes: `float (faces, 4)`, x, y, width, height in pixels of the input.
        eyes: `float (faces, 4)`, two points in pixels, NaN where unknown.
        ignored: `float (regions, 4)`, boxes within which no answer is wrong.
        height: of the input in pixels.
        width: of the input in pixels.

    Returns:
        `float32 (cells, 15)`: 1 for a face, weight, box, eyes, 1 for known eyes, and the cell itself as in
        `cells_of`.
    """
    cells = cells_of(height, width)
    targets = np.zeros((len(cells), TARGET_COLUMNS), np.float32)
    targets[:, WEIGHT] = 1
    targets[:, CELL] = cells
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
    eyes = np.asarray(eyes, np.float32).reshape(-1, 4)
    size = np.sqrt(boxes[:, 2] * boxes[:, 3])
    tiny = size < SMALLEST_FACE
    _ignore(targets, np.concatenate([np.asarray(ignored, np.float32).reshape(-1, 4), boxes[tiny]]))
    boxes, eyes, size = boxes[~tiny], eyes[~tiny], size[~tiny]
    if not len(boxes):
        return targets

    centres = boxes[:, :2] + boxes[:, 2:] / 2
    far = np.abs(cells[:, None, :2] - centres[None]).max(axis=2)  # (cells, faces)
    stride = cells[:, 2, None]
    in_range, near_range = _levels_of(cells, size)
    near = far <= np.maximum(NEAR * stride, NEAR_SHARE * size)
    targets[(near & near_range).any(axis=1), WEIGHT] = 0

    far = np.where(in_range & (far <= REACH * stride), far, np.inf)
    rows = np.flatnonzero(np.isfinite(far).any(axis=1))
    faces = far[rows].argmin(axis=1)
    known = np.isfinite(eyes).all(axis=1)
    targets[rows, FACE] = targets[rows, WEIGHT] = 1
    targets[rows, BOX] = boxes[faces]
    targets[rows, EYES] = np.nan_to_num(eyes[faces])
    targets[rows, EYES_KNOWN] = known[faces]
    return targets


def _levels_of(cells: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns which cells' levels hold faces of these sizes, strictly and generously: bool (cells, faces)."""
    smallest, largest = np.empty(len(cells)), np.empty(len(cells))
    for level in LEVELS:
        of_level = cells[:, 2] == level.stride
        smallest[of_level], largest[of_level] = level.smallest, level.largest
    smallest, largest = smallest[:, None], largest[:, None]
    strict = (size >= smallest) & (size <= largest)
    return strict, (size * WIDER >= smallest) & (size <= largest * WIDER)


def _ignore(targets: np.ndarray, regions: np.ndarray) -> None:
    """Gives the cells whose centre lies in a region, `float (regions, 4)`, or that touch one, weight 0."""
    cells = targets[:, CELL]
    for region in regions:
        offset = cells[:, :2] - region[:2]
        inside = ((offset >= 0) & (offset <= region[2:])).all(axis=1)
        square = np.concatenate([cells[:, :2] - cells[:, 2:3] / 2, cells[:, 2:3], cells[:, 2:3]], axis=1)
        targets[inside | (overlaps(square, region[None])[:, 0] > 0), WEIGHT] = 0
