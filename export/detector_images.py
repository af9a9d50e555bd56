"""Images of one's own for the detector: those of training for its ranges, those of validation as a check."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dataset.detection.annotations import find_annotations
from dataset.detection.boxes import letterbox
from dataset.detection.images import DataError, store_of_images
from dataset.detection.photos import names_of_photos

from .detector import HEIGHT, WIDTH
from .errors import ExportError

CALIBRATION_IMAGES = 600  # of training, evenly over the folders
VALIDATION_IMAGES = 300


def images_of(sources: Sequence[Path], split: str, count: int) -> np.ndarray:
    """Returns images of a split, letterboxed: uint8 (n, 256, 320, 1), gray 0-255.

    Args:
        sources: Folders or zip archives of images; each gives its part of `count`.
        split: "train" or "validation", as the training of a detector divides photographs.
        count: How many, evenly spaced over each source's names; all of them where there are fewer.

    Raises:
        ExportError: A source is missing or damaged, or has too few images.
    """
    images = []
    for source in sources:
        try:
            store = store_of_images(source)
            names = names_of_photos(store, find_annotations(store))[split]
            places = np.linspace(0, len(names) - 1, min(count // len(sources), len(names))).astype(int)
            images += [
                letterbox(store.read(names[place])[0], height=HEIGHT, width=WIDTH)[0] for place in places
            ]
        except DataError as error:
            raise ExportError(Path(error.path), str(error).partition(": ")[2]) from error
    return np.stack(images)[..., np.newaxis]
