"""The loss: focal for the confidences, generalized overlap for the boxes, distance for the eyes.

Lin et al. 2017, "Focal Loss for Dense Object Detection" (arXiv 1708.02002); Rezatofighi et al. 2019,
"Generalized Intersection over Union" (arXiv 1902.09630).
"""

from typing import Any

from keras import ops

from .targets import BOX, CELL, EYES, EYES_KNOWN, FACE, WEIGHT

FOCUS = 2.0  # power by which cells that are right already count less
BOX_SHARE = 2.0  # weight of the boxes' loss against the confidences'
EYES_SHARE = 0.5  # weight of the eyes' loss; both chosen so that the three begin at a like size
FEWEST = 2.0  # cells an image that answer for a face


def detection_loss(targets: Any, raw: Any) -> Any:
    """Returns the loss of a batch, per cell that answers for a face.

    A batch with few of them is treated as one with `FEWEST` an image: its loss, many times that of others,
    would make the optimizer's steps small for a long time.

    Args:
        targets: `float32 (n, cells, 15)`, as `train.detector.targets.assign` makes them.
        raw: `float32 (n, cells, 9)`, answers of `build_network`.

    Returns:
        `float32 ()`, at least 0.
    """
    face = targets[..., FACE]
    boxes, eyes = decode(raw, targets[..., CELL])
    fewest = FEWEST * ops.cast(ops.shape(targets)[0], "float32")
    faces = ops.maximum(ops.sum(face), fewest)
    confidence = ops.sum(targets[..., WEIGHT] * focal(face, raw[..., 0]))
    box = ops.sum(face * (1 - generalized_overlap(targets[..., BOX], boxes)))
    distance = ops.abs(targets[..., EYES] - eyes) / ops.maximum(targets[..., BOX][..., 2:3], 1.0)
    eye = ops.sum(face * targets[..., EYES_KNOWN] * ops.sum(distance, axis=-1))
    return (confidence + BOX_SHARE * box + EYES_SHARE * eye) / faces


def decode(raw: Any, cells: Any) -> tuple[Any, Any]:
    """Returns boxes and eyes of raw answers.

    Args:
        raw: `float32 (..., 9)`.
        cells: `float32 (..., 4)`, as `train.detector.network.cells_of` gives them.

    Returns:
        Boxes, `float32 (..., 4)`, x, y, width, height in pixels; eyes, `float32 (..., 4)`, two points.
    """
    centre, stride, base = cells[..., :2], cells[..., 2:3], cells[..., 3:4]
    size = ops.exp(raw[..., 3:5]) * base
    centre = centre + raw[..., 1:3] * stride
    eyes = ops.concatenate([centre, centre], axis=-1) + raw[..., 5:9] * base
    return ops.concatenate([centre - size / 2, size], axis=-1), eyes


def focal(face: Any, logit: Any) -> Any:
    """Returns the focal loss of each cell, `float32 (...)`, from truth (0 or 1) and logit, both `(...)`."""
    wrong = ops.abs(face - ops.sigmoid(logit))
    entropy = ops.softplus(logit) - face * logit
    return wrong**FOCUS * entropy


def generalized_overlap(boxes: Any, others: Any) -> Any:
    """Returns the generalized intersection over union of boxes `(..., 4)` in pairs: `(...)`, -1 to 1."""
    far, other_far = boxes[..., :2] + boxes[..., 2:], others[..., :2] + others[..., 2:]
    shared = ops.minimum(far, other_far) - ops.maximum(boxes[..., :2], others[..., :2])
    shared = ops.prod(ops.maximum(shared, 0.0), axis=-1)
    union = ops.prod(boxes[..., 2:], axis=-1) + ops.prod(others[..., 2:], axis=-1) - shared
    hull = ops.maximum(far, other_far) - ops.minimum(boxes[..., :2], others[..., :2])
    hull = ops.maximum(ops.prod(hull, axis=-1), 1e-6)
    return shared / ops.maximum(union, 1e-6) - (hull - union) / hull
