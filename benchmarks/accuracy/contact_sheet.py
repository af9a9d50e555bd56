"""Contact sheets: small pieces of many images with a caption each, for a look at what went wrong.

They show the images that were measured on, which may not be published: they are made on demand and never
committed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from reporting.files import write_atomically

COLUMNS, ROWS = 8, 6
MOST_TILES = COLUMNS * ROWS
TILE_PX, CAPTION_PX = 150, 16
AROUND = 2.2  # longer sides of the box that a tile shows
BOX_BGR, INK_BGR = (40, 200, 255), (235, 235, 235)


class Tile(NamedTuple):
    """A piece of an image; the highest `weight` comes first."""

    weight: float
    image: np.ndarray  # uint8 BGR (TILE_PX, TILE_PX, 3)
    caption: str


def cut_tile(image: np.ndarray, box: np.ndarray, *, around: float = AROUND) -> np.ndarray:
    """Returns a box with its surroundings, the box drawn: uint8 BGR (TILE_PX, TILE_PX, 3).

    Args:
        image: uint8 BGR (height, width, 3), or gray (height, width).
        box: x, y, width, height in pixels of the image.
        around: How many longer sides of the box the tile shows.
    """
    x, y, width, height = (float(value) for value in box)
    scale = TILE_PX / max(around * max(width, height), 1.0)
    middle = TILE_PX / 2
    move = np.array(
        [[scale, 0, middle - scale * (x + width / 2)], [0, scale, middle - scale * (y + height / 2)]]
    )
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    frame = image if image.ndim == 3 else cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    tile = cv2.warpAffine(frame, move, (TILE_PX, TILE_PX), flags=method)
    half = np.array([width, height]) * scale / 2
    corner, far_corner = np.round(middle - half).astype(int), np.round(middle + half).astype(int)
    cv2.rectangle(tile, tuple(map(int, corner)), tuple(map(int, far_corner)), BOX_BGR, 1)
    return tile


def draw_sheet(tiles: Sequence[Tile]) -> np.ndarray:
    """Returns the tiles with their captions, row after row: uint8 BGR."""
    rows = -(-len(tiles) // COLUMNS)
    sheet = np.zeros((rows * (TILE_PX + CAPTION_PX), COLUMNS * TILE_PX, 3), np.uint8)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, COLUMNS)
        top, left = row * (TILE_PX + CAPTION_PX), column * TILE_PX
        sheet[top : top + TILE_PX, left : left + TILE_PX] = tile.image
        place = (left + 2, top + TILE_PX + CAPTION_PX - 5)
        cv2.putText(sheet, tile.caption[:24], place, cv2.FONT_HERSHEY_SIMPLEX, 0.36, INK_BGR, 1, cv2.LINE_AA)
    return sheet


def write_sheet(path: Path, tiles: Sequence[Tile]) -> Path:
    """Writes a PNG of the tiles of highest weight, at most `MOST_TILES`; returns its path."""
    chosen = sorted(tiles, key=lambda tile: -tile.weight)[:MOST_TILES]
    _, file = cv2.imencode(".png", draw_sheet(chosen))
    write_atomically(path, file.tobytes())
    return path
