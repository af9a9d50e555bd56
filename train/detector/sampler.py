"""Makes training images: crops of photographs, pasted faces, mosaics and backgrounds.

Everything is drawn from the random generator that is handed in, so an image depends on nothing but its seed.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np

from dataset.detection.boxes import overlaps
from dataset.detection.geometry import moved_photo, similarity, visible, warp
from dataset.detection.heads import Patch
from dataset.detection.pasting import add_surroundings, decoy, paste
from dataset.detection.teacher import Photo

from .degrading import Degrading, degrade


class Pool(NamedTuple):
    """What training images are made of.

    Attributes:
        photos: with their faces; at least one.
        backgrounds: images without a face, `uint8 (height, width)` each; at least one.
        faces: tightly cut, to paste; may be empty.
        heads: cut out, to paste; may be empty.
    """

    photos: list[Photo]
    backgrounds: list[np.ndarray]
    faces: list[Patch]
    heads: list[Patch]


@dataclass(frozen=True)
class Mixture:
    """How training images are made.

    Attributes:
        photo: share of images that are a crop of a photograph.
        pasted: share with faces and heads pasted on a background.
        mosaic: share of four images of the other kinds, each a quarter.
        tiles: share that is a wall of tight faces, and of pieces of backgrounds.
        background: share without a face.
        decoys: of the images with a background, how many have pieces of others pasted like faces.
        away: of the photographs, how many are cropped without looking for a face.
        smallest: size of a face in pixels, the square root of width times height.
        largest: size of a face, in heights of the image.
        degrees: standard deviation of a turn.
        degrading: what happens to the pixels last.
    """

    photo: float = 0.45
    pasted: float = 0.2
    mosaic: float = 0.1
    tiles: float = 0.05
    background: float = 0.2
    decoys: float = 0.3
    away: float = 0.12
    smallest: float = 13.0
    largest: float = 0.95
    degrees: float = 7.0
    degrading: Degrading = field(default_factory=Degrading)


def make_sample(
    pool: Pool,
    random: np.random.Generator,
    mixture: Mixture,
    *,
    height: int,
    width: int,
    hardness: np.ndarray | None = None,
) -> Photo:
    """Returns a training image with its faces.

    Args:
        pool: what it is made of.
        random: draws everything.
        mixture: how.
        height: of the image in pixels.
        width: of the image in pixels.
        hardness: `float (backgrounds,)`, the probability of each background; None for all alike.
    """
    photo = _composed(pool, random, mixture, height=height, width=width, hardness=hardness)
    return photo._replace(image=degrade(photo.image, random, mixture.degrading))


def _composed(
    pool: Pool,
    random: np.random.Generator,
    mixture: Mixture,
    *,
    height: int,
    width: int,
    hardness: np.ndarray | None,
    quarters: bool = True,
) -> Photo:
    """Returns an image of a kind that the mixture's shares draw; no mosaic unless `quarters`."""
    makers = {
        "photo": mixture.photo,
        "pasted": mixture.pasted if pool.faces or pool.heads else 0.0,
        "mosaic": mixture.mosaic if quarters else 0.0,
        "tiles": mixture.tiles if pool.faces else 0.0,
        "background": mixture.background,
    }
    shares = np.array(list(makers.values()))
    kind = list(makers)[int(random.choice(len(makers), p=shares / shares.sum()))]
    size = {"height": height, "width": width}
    if kind == "photo":
        return _crop(pool, random, mixture, **size)
    if kind == "tiles":
        return _tiles(pool, random, mixture, **size)
    if kind == "mosaic":
        halves = {"height": height // 2, "width": width // 2}
        parts = [
            _composed(pool, random, mixture, **halves, hardness=hardness, quarters=False) for _ in range(4)
        ]
        return joined(parts)
    canvas = background_canvas(pool, random, **size, hardness=hardness)
    if random.uniform() < mixture.decoys:
        for _ in range(int(random.integers(1, 4))):
            fake = decoy(pool.backgrounds, random)
            paste(canvas, fake, _somewhere(fake, random, mixture, **size), random)
    nothing = np.empty((0, 4), np.float32)
    empty = Photo(canvas, nothing, nothing, nothing)
    return _with_faces(empty, pool, random, mixture) if kind == "pasted" else empty


def background_canvas(
    pool: Pool,
    random: np.random.Generator,
    *,
    height: int,
    width: int,
    hardness: np.ndarray | None = None,
) -> np.ndarray:
    """Returns a part of a background, or all of it with a bar of one gray: `uint8 (height, width)`."""
    image = pool.backgrounds[int(random.choice(len(pool.backgrounds), p=hardness))]
    rows, columns = image.shape
    whole = random.uniform() < 0.25
    cover = (min if whole else max)(height / rows, width / columns)
    scale = cover * (1.0 if whole else float(np.exp(random.uniform(0, np.log(3.0)))))
    room = np.array([columns * scale - width, rows * scale - height])
    corner = -np.maximum(room, 0) * random.uniform(size=2)
    move = np.concatenate([np.eye(2) * scale, corner[:, None]], axis=1)
    if random.uniform() < 0.5:
        image = image[:, ::-1]
    canvas = warp(np.ascontiguousarray(image), move, height=height, width=width)
    return canvas


def joined(parts: list[Photo]) -> Photo:
    """Returns four photos of one size as the quarters of one."""
    height, width = parts[0].image.shape
    image = np.vstack(
        [np.hstack([part.image for part in parts[:2]]), np.hstack([p.image for p in parts[2:]])]
    )
    boxes, eyes, ignored = [], [], []
    for part, corner in zip(parts, ((0, 0), (width, 0), (0, height), (width, height)), strict=True):
        boxes.append(part.boxes + np.array([*corner, 0, 0], np.float32))
        eyes.append(part.eyes + np.array([*corner, *corner], np.float32))
        ignored.append(part.ignored + np.array([*corner, 0, 0], np.float32))
    return Photo(image, np.concatenate(boxes), np.concatenate(eyes), np.concatenate(ignored))


def _crop(pool: Pool, random: np.random.Generator, mixture: Mixture, *, height: int, width: int) -> Photo:
    """Returns a crop of a photograph in which one face has a size and a place that were drawn."""
    photo = pool.photos[int(random.integers(len(pool.photos)))]
    target = random.uniform((0, 0), (width, height))
    if not len(photo.boxes) or random.uniform() < mixture.away:
        source = random.uniform((0, 0), photo.image.shape[::-1])
        scale = float(np.exp(random.uniform(np.log(0.4), np.log(3.0))))
    else:
        box = photo.boxes[int(random.integers(len(photo.boxes)))]
        source = box[:2] + box[2:] / 2
        own = float(np.sqrt(box[2] * box[3]))
        scale = min(_size(random, mixture, height) / own, 4.0)
        reach = np.minimum(box[2:] * scale / 2, (width / 2, height / 2)) * random.choice([0.3, 0.9])
        target = random.uniform(reach, (width, height) - reach)
    move = similarity(
        scale=scale,
        degrees=_degrees(random, mixture),
        mirror=bool(random.uniform() < 0.5),
        source=source,
        target=target,
    )
    if random.uniform() < 0.5:
        fill = background_canvas(pool, random, height=height, width=width)
    else:
        gray = 0 if random.uniform() < 0.6 else int(random.integers(256))
        fill = np.full((height, width), gray, np.uint8)
    return moved_photo(photo, move, height=height, width=width, fill=fill)


def _with_faces(photo: Photo, pool: Pool, random: np.random.Generator, mixture: Mixture) -> Photo:
    """Returns a photo with faces and heads pasted where none is yet."""
    height, width = photo.image.shape
    canvas = photo.image.copy()
    boxes, eyes = list(photo.boxes), list(photo.eyes)
    for _ in range(int(random.choice([1, 2, 3, 6], p=[0.4, 0.3, 0.2, 0.1]))):
        heads = bool(pool.heads) and (not pool.faces or random.uniform() < 0.25)
        patches = pool.heads if heads else pool.faces
        patch = patches[int(random.integers(len(patches)))]
        move = _somewhere(patch, random, mixture, height=height, width=width)
        centre = patch.box[:2] + patch.box[2:] / 2
        size = patch.box[2:] * np.sqrt(abs(np.linalg.det(move[:, :2])))
        place = np.concatenate([move[:, :2] @ centre + move[:, 2] - size / 2, size])
        if boxes and overlaps(place[None] * 1.0, np.array(boxes)).max() > 0.02:
            continue
        if patch.mask is None and random.uniform() < 0.7:
            add_surroundings(canvas, place, random)
        box, points = paste(canvas, patch, move, random, whole=bool(random.uniform() < 0.2))
        boxes.append(box)
        eyes.append(points)
    return visible(
        Photo(
            canvas,
            np.array(boxes, np.float32).reshape(-1, 4),
            np.array(eyes, np.float32).reshape(-1, 4),
            photo.ignored,
        )
    )


def _tiles(pool: Pool, random: np.random.Generator, mixture: Mixture, *, height: int, width: int) -> Photo:
    """Returns a wall of tight faces, some tiles of which are pieces of backgrounds."""
    largest = min(height, width) / 1.5
    side = round(float(np.exp(random.uniform(np.log(max(mixture.smallest, 16)), np.log(largest)))))
    canvas = background_canvas(pool, random, height=height, width=width)
    boxes, eyes = [], []
    for top in range(int(random.integers(side)), height - side + 1, side):
        for left in range(int(random.integers(side)), width - side + 1, side):
            fake = random.uniform() < 0.35
            patch = decoy(pool.backgrounds, random) if fake else _tight(pool, random)
            image = cv2.resize(patch.image, (side, side), interpolation=cv2.INTER_AREA)
            canvas[top : top + side, left : left + side] = image
            if not fake:
                ratio = np.array([side / patch.image.shape[1], side / patch.image.shape[0]], np.float32)
                boxes.append(patch.box * np.tile(ratio, 2) + np.array([left, top, 0, 0], np.float32))
                eyes.append(patch.eyes * np.tile(ratio, 2) + np.array([left, top, left, top], np.float32))
    nothing = np.empty((0, 4), np.float32)
    photo = Photo(
        canvas,
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(eyes, np.float32).reshape(-1, 4),
        nothing,
    )
    return visible(photo)


def _tight(pool: Pool, random: np.random.Generator) -> Patch:
    return pool.faces[int(random.integers(len(pool.faces)))]


def _somewhere(
    patch: Patch, random: np.random.Generator, mixture: Mixture, *, height: int, width: int
) -> np.ndarray:
    """Returns a move, `float (2, 3)`, of a patch to a size and place that are drawn."""
    own = float(np.sqrt(patch.box[2] * patch.box[3]))
    return similarity(
        scale=_size(random, mixture, height) / own,
        degrees=_degrees(random, mixture),
        mirror=bool(random.uniform() < 0.5),
        source=patch.box[:2] + patch.box[2:] / 2,
        target=random.uniform((0.05 * width, 0.05 * height), (0.95 * width, 0.95 * height)),
    )


def _size(random: np.random.Generator, mixture: Mixture, height: int) -> float:
    """Returns a face's size in pixels, drawn evenly on a logarithmic scale."""
    smallest = min(mixture.smallest, 0.5 * height)
    return float(np.exp(random.uniform(np.log(smallest), np.log(mixture.largest * height))))


def _degrees(random: np.random.Generator, mixture: Mixture) -> float:
    """Returns a turn in degrees; one in ten is far larger than the others."""
    wide = 4.0 if random.uniform() < 0.1 else 1.0
    return float(np.clip(random.normal(0, mixture.degrees * wide), -45, 45))
