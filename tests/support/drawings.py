"""Faces to draw, and what was drawn."""

from dataclasses import replace

import numpy as np

from runtime.recognizer import Face

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
GROUND = 120
STATUS = "30 frames/s   2 dropped"


def make_face(box, label="happy", score=0.9):
    scores = np.full(7, (1 - score) / 6, np.float32)
    scores[LABELS.index(label)] = score
    return Face(box, label, scores, 0.9, LABELS)


def make_frame(height=480, width=640):
    return np.full((height, width, 3), GROUND, np.uint8)


def changed(image):
    """Where something was drawn on the plain ground: the enclosing x, y, right, bottom."""
    rows, columns = np.nonzero((image != GROUND).any(axis=2))
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def count_of(image, colour):
    return int((np.abs(image.astype(int) - colour) <= 3).all(axis=2).sum())


def grid(rows, columns, width, height, frame_height=480, frame_width=640):
    """Faces in the middles of equal cells, numbered from 1, with the labels in their order."""
    faces = []
    for number in range(rows * columns):
        x = round((number % columns + 0.5) * frame_width / columns - width / 2)
        y = round((number // columns + 0.5) * frame_height / rows - height / 2)
        face = make_face((x, y, width, height), LABELS[number % 7])
        faces.append(replace(face, id=number + 1))
    return faces


def noise(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
