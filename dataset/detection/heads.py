"""What is pasted: tightly cut faces under an oval, and whole heads cut out of plain ground."""

from typing import NamedTuple

import cv2
import numpy as np

from .teacher import Found, Teacher

BORDER = 0.5  # of a tight crop's side, repeated around it so that YuNet sees a face that ends
USUAL_BOX = (0.11, -0.04, 0.75, 0.97)  # YuNet's median box on FairFace's crops, in sides of the crop
LEAST_FACE_CONFIDENCE = 0.6  # below, the usual box is taken
HEAD_PX = 320  # the longest side that a cut-out head keeps


class Patch(NamedTuple):
    """A face to paste.

    Attributes:
        image: `uint8 (height, width)`, gray.
        mask: `uint8 (height, width)`, how opaque each pixel is; None for a tight face, which gets an oval.
        box: `float32 (4,)`, x, y, width, height in pixels; it may reach over the image.
        eyes: `float32 (4,)`, two points in pixels, NaN where unknown.
    """

    image: np.ndarray
    mask: np.ndarray | None
    box: np.ndarray
    eyes: np.ndarray


def tight_face(image: np.ndarray, teacher: Teacher | None) -> Patch:
    """Returns a tightly cut face with its box: the teacher's, or the usual one where it finds none.

    Args:
        image: `uint8 (height, width)`, with one face.
        teacher: finds faces; None for the usual box.
    """
    height, width = image.shape
    usual = np.array(USUAL_BOX, np.float32) * np.array([width, height, width, height], np.float32)
    unknown = np.full(4, np.nan, np.float32)
    if teacher is None:
        return Patch(image, None, usual, unknown)
    border = round(BORDER * max(height, width))
    found = teacher(cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_REPLICATE))
    found = Found(
        found.boxes - np.array([border, border, 0, 0], np.float32), found.eyes - border, found.confidences
    )
    if not len(found.boxes) or found.confidences.max() < LEAST_FACE_CONFIDENCE:
        return Patch(image, None, usual, unknown)
    best = int(found.confidences.argmax())
    return Patch(image, None, found.boxes[best].astype(np.float32), found.eyes[best].astype(np.float32))


def head_on_plain_ground(image: np.ndarray, teacher: Teacher) -> Patch | None:
    """Returns a head cut out of its plain ground, reduced to `HEAD_PX`; None where no face is found.

    Args:
        image: `uint8 (height, width)`: one person, the ground of one brightness.
        teacher: finds the face.
    """
    scale = min(1.0, HEAD_PX / max(image.shape))
    size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    found = teacher(image)
    if not len(found.boxes):
        return None
    best = int(found.confidences.argmax())
    mask = _person(image, found.boxes[best])
    return Patch(image, mask, found.boxes[best].astype(np.float32), found.eyes[best].astype(np.float32))


def _person(image: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Returns how much of each pixel belongs to the person, `uint8 (height, width)`, by GrabCut."""
    height, width = image.shape
    x, y, w, h = box
    known = np.full((height, width), cv2.GC_PR_FGD, np.uint8)
    known[: round(0.04 * height)] = cv2.GC_BGD
    for side in (slice(0, round(0.04 * width)), slice(round(0.96 * width), width)):
        known[: round(y + 0.7 * h), side] = cv2.GC_BGD
    ground = float(np.median(image[: max(1, round(0.04 * height))]))
    known[(np.abs(image.astype(float) - ground) < 6) & (known == cv2.GC_PR_FGD)] = cv2.GC_PR_BGD
    centre = (round(x + w / 2), round(y + h / 2))
    cv2.ellipse(known, centre, (round(0.45 * w), round(0.5 * h)), 0, 0, 360, int(cv2.GC_FGD), -1)
    cv2.setRNGSeed(0)  # GrabCut draws random numbers
    coloured = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    whole = (0, 0, width, height)  # not read: the mask says it
    ground_model, person_model = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(coloured, known, whole, ground_model, person_model, 3, cv2.GC_INIT_WITH_MASK)
    person: np.ndarray = np.isin(known, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8) * 255
    person = cv2.morphologyEx(person, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    return cv2.GaussianBlur(person, (0, 0), 1.5)
