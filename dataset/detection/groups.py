"""Images to measure a detector on, by groups: small, dark, blurred, turned, masked, pasted faces.

All are made of a held-out part and of nothing else, and always the same way.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from .boxes import letterbox
from .geometry import moved_photo, similarity
from .heads import Patch
from .pasting import add_surroundings, paste
from .teacher import Photo

FRAME = (480, 640)  # height and width of a camera's frame, in pixels
SMALL = (30.0, 60.0)  # sides of a small face in such a frame: the square root of width times height
PASTED = (60.0, 200.0)  # sides of a pasted face
DARK = 0.3  # of the light
BLUR = 2.5  # standard deviation in pixels of a frame
TURNED = 0.12  # of its width: how far the eyes of a turned face lie from the middle of its box
LEAST_SIZE = 60.0  # pixels of a frame; smaller faces of photographs are a group of their own


def framed(photo: Photo) -> Photo:
    """Returns a photo as a camera's frame: letterboxed, its boxes with it."""
    canvas, scale = letterbox(photo.image, height=FRAME[0], width=FRAME[1])
    return Photo(canvas, photo.boxes * scale, photo.eyes * scale, photo.ignored * scale)


def counted(photo: Photo, wanted: np.ndarray) -> Photo:
    """Returns a photo in which only some faces, `bool (faces,)`, count; the others are ignored."""
    ignored = np.concatenate([photo.ignored, photo.boxes[~wanted]])
    return Photo(photo.image, photo.boxes[wanted], photo.eyes[wanted], ignored)


def of_some_size(photo: Photo) -> Photo:
    """Returns a photo in which faces of fewer than `LEAST_SIZE` pixels don't count."""
    return counted(photo, np.sqrt(photo.boxes[:, 2] * photo.boxes[:, 3]) >= LEAST_SIZE)


def dark(photo: Photo) -> Photo:
    """Returns a photo in little light."""
    return photo._replace(image=cv2.convertScaleAbs(photo.image, alpha=DARK))


def blurred(photo: Photo) -> Photo:
    """Returns a photo out of focus."""
    return photo._replace(image=cv2.GaussianBlur(photo.image, (0, 0), BLUR))


def turned(photo: Photo) -> Photo:
    """Returns a photo in which only faces turned to a side count, by where their eyes are."""
    middle = (photo.eyes[:, 0] + photo.eyes[:, 2]) / 2 - photo.boxes[:, 0]
    off = np.abs(middle / photo.boxes[:, 2] - 0.5)
    return counted(photo, np.nan_to_num(off) >= TURNED)


def small_faces(photos: Sequence[Photo], backgrounds: Sequence[np.ndarray], *, seed: int = 0) -> list[Photo]:
    """Returns each photo with a known face, reduced until that is small and laid over a background."""
    made = []
    for number, photo in enumerate(photos):
        size = np.sqrt(photo.boxes[:, 2] * photo.boxes[:, 3])
        if not len(size):
            continue
        random = np.random.default_rng([seed, number])
        best = int(size.argmax())
        scale = float(np.exp(random.uniform(*np.log(SMALL)))) / float(size[best])
        if scale > 1:  # magnified, it would be no small face but a blurred one
            continue
        centre = photo.boxes[best, :2] + photo.boxes[best, 2:] / 2
        target = random.uniform(0.1, 0.9, 2) * (FRAME[1], FRAME[0])
        move = similarity(scale=scale, degrees=0, mirror=False, source=centre, target=target)
        ground = framed_background(backgrounds[number % len(backgrounds)])
        moved = moved_photo(photo, move, height=FRAME[0], width=FRAME[1], fill=ground)
        made.append(counted(moved, np.sqrt(moved.boxes[:, 2] * moved.boxes[:, 3]) >= SMALL[0] * 0.99))
    return made


def pasted_faces(faces: Sequence[Patch], backgrounds: Sequence[np.ndarray], *, seed: int = 0) -> list[Photo]:
    """Returns a frame for each face: pasted on a background, with hair and shoulders drawn around it."""
    made = []
    for number, face in enumerate(faces):
        random = np.random.default_rng([seed, number])
        canvas = framed_background(backgrounds[number % len(backgrounds)])
        own = float(np.sqrt(face.box[2] * face.box[3]))
        move = similarity(
            scale=float(np.exp(random.uniform(*np.log(PASTED)))) / own,
            degrees=0,
            mirror=False,
            source=face.box[:2] + face.box[2:] / 2,
            target=random.uniform(0.2, 0.8, 2) * (FRAME[1], FRAME[0]),
        )
        size = face.box[2:] * move[0, 0]
        place = np.concatenate(
            [move[:, :2] @ (face.box[:2] + face.box[2:] / 2) + move[:, 2] - size / 2, size]
        )
        add_surroundings(canvas, place, random)
        box, eyes = paste(canvas, face, move, random)
        made.append(Photo(canvas, box[None], eyes[None], np.empty((0, 4), np.float32)))
    return made


def framed_background(image: np.ndarray) -> np.ndarray:
    """Returns a background, `uint8 (height, width)`, that fills a camera's frame."""
    scale = max(FRAME[0] / image.shape[0], FRAME[1] / image.shape[1])
    size = (max(FRAME[1], round(image.shape[1] * scale)), max(FRAME[0], round(image.shape[0] * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)[: FRAME[0], : FRAME[1]].copy()
