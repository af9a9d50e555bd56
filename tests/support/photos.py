"""Photographs of two classes, made from the demo's portrait: bare faces and masked ones."""

import cv2
import numpy as np

from tests.support.yunet import ROOT

PORTRAIT = ROOT / "demo" / "astronaut.jpg"
MASK = [(186, 122), (224, 112), (262, 122), (258, 158), (226, 178), (192, 160)]  # over nose, mouth and chin


def photo(name, random):
    """A photo of the class `name`, `uint8` BGR `(256, 256, 3)`: turned, scaled, moved and lit at random."""
    portrait = cv2.imread(str(PORTRAIT))
    if name == "masked":
        shade = int(random.integers(190, 250))
        cv2.fillPoly(portrait, [np.array(MASK)], (shade, shade, shade), lineType=cv2.LINE_AA)
    turn = cv2.getRotationMatrix2D((224, 120), random.uniform(-12, 12), random.uniform(0.8, 1.2))
    turn[:, 2] += np.array([128, 128]) - (224, 120) + random.uniform(-15, 15, 2)
    turned = cv2.warpAffine(portrait, turn, (256, 256), borderMode=cv2.BORDER_REPLICATE)
    lit = turned * random.uniform(0.75, 1.15) + random.uniform(-15, 15)
    return np.clip(lit + random.normal(0, 4, lit.shape), 0, 255).astype(np.uint8)


def write_photos(folder, count, *, seed=0):
    """Writes `count` photos of each class; returns the folder."""
    for name in ("bare", "masked"):
        random = np.random.default_rng([seed, len(name)])
        (folder / name).mkdir(parents=True)
        for number in range(count):
            cv2.imwrite(str(folder / name / f"{number:02}.jpg"), photo(name, random))
    return folder
