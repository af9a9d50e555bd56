"""Sheets of detectors: what they miss, what they take for faces, and their curves.

Contact sheets show the images that were measured on, which may not be published: they are made on demand and
never committed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from benchmarks.accuracy.contact_sheet import INK_BGR, MOST_TILES, Tile, cut_tile, write_sheet
from benchmarks.scenes import empty_scene, people_scene
from dataset.detection.scores import on_no_face
from dataset.detection.teacher import Found, Photo
from reporting.plots import COLOURS, LINES, figure, plain_style, png, tidy

if TYPE_CHECKING:
    from benchmarks.accuracy.detector_figures import CurvePoint
    from runtime.detectors import Detector

MISSED, FALSE = "missed", "false"
# Of the portrait's heads in a room of 640x480: x, y and side of the square, in pixels.
HEADS = (
    (30, 60, 150),
    (260, 100, 96),
    (410, 110, 72),
    (540, 120, 54),
    (60, 340, 40),
    (200, 345, 30),
    (330, 350, 24),
    (460, 350, 18),
)
HEADS_SEED = 3  # of the room
LEAST_FALSE = 0.01  # per image: below, the axis is linear, so that 0 has a place


class ContactSheets:
    """Collects what detectors missed and what they found where no face is."""

    def __init__(self) -> None:
        """Begins empty."""
        self._tiles: dict[tuple[str, str], list[Tile]] = {}

    def add(self, detector: str, group: str, photo: Photo, found: Found, hit: np.ndarray | None) -> None:
        """Takes a detector's answer on an image.

        Args:
            detector: Its name.
            group: Of the image.
            photo: The image and its faces.
            found: The answer.
            hit: bool (faces,), which of them were found; None where there are none.
        """
        missed = photo.boxes if hit is None else photo.boxes[~hit]
        for box in missed:
            size = float(np.sqrt(box[2] * box[3]))
            self._keep(detector, MISSED, size, photo.image, box, f"{size:.0f} px, {group}")
        wrong = on_no_face(found.boxes, photo)
        for box, confidence in zip(found.boxes[wrong], found.confidences[wrong], strict=True):
            self._keep(detector, FALSE, float(confidence), photo.image, box, f"{confidence:.2f}, {group}")

    def write(self, folder: Path) -> list[Path]:
        """Writes a PNG per detector and kind: the largest faces missed, the surest false ones."""
        written = []
        for (detector, kind), tiles in sorted(self._tiles.items()):
            written.append(write_sheet(folder / f"{detector}_{kind}.png", tiles))
        return written

    def _keep(
        self, detector: str, kind: str, weight: float, image: np.ndarray, box: np.ndarray, caption: str
    ) -> None:
        tiles = self._tiles.setdefault((detector, kind), [])
        tiles.append(Tile(weight, cut_tile(image, box), caption))
        if len(tiles) > 4 * MOST_TILES:  # sorted seldom, and never many in memory
            tiles.sort(key=lambda tile: -tile.weight)
            del tiles[MOST_TILES:]


@plain_style()
def draw_curves(
    curves: Mapping[str, Sequence[CurvePoint]], chosen: Mapping[str, tuple[float, float]]
) -> bytes:
    """Returns a PNG: faces found against false faces, a line per detector as the confidence moves.

    Args:
        curves: By the detector's name in the legend.
        chosen: By the same name, false faces per image and share found as the detector is released.
    """
    drawing = figure(7.2, 4.6)
    axes = drawing.subplots()
    for number, (name, points) in enumerate(curves.items()):
        colour, line = COLOURS[number % len(COLOURS)], LINES[number % len(LINES)]
        false = [point.false_per_image for point in points]
        share = [100 * point.found for point in points]
        axes.plot(false, share, label=name, linewidth=1.8, color=colour, linestyle=line)
        if name in chosen:
            axes.plot(chosen[name][0], 100 * chosen[name][1], "o", color=colour, markersize=7)
    axes.set_xscale("symlog", linthresh=LEAST_FALSE)
    axes.set(
        xlim=(-LEAST_FALSE / 10, None), xlabel="false faces per image without a face (logarithmic from 0.01)"
    )
    axes.set_ylabel("faces found in the photographs, %")
    axes.legend(frameon=False, loc="lower right")
    tidy(axes, "Found against false faces as the least confidence moves; dots: as released")
    return png(drawing)


def draw_heads(detectors: Mapping[str, Detector], portrait: np.ndarray) -> bytes:
    """Returns a JPEG that may be published: what each detector finds of the portrait's heads in a room.

    Args:
        detectors: By label; a panel each, side by side.
        portrait: uint8 BGR (512, 512, 3), `demo/astronaut.jpg`.
    """
    frame = people_scene(portrait, HEADS, room=empty_scene(seed=HEADS_SEED))
    panels = []
    for number, (label, detector) in enumerate(detectors.items()):
        panel = frame.copy()
        colour = tuple(int(COLOURS[number % len(COLOURS)][first : first + 2], 16) for first in (5, 3, 1))
        for x, y, width, height, _ in detector(frame):
            cv2.rectangle(panel, (round(x), round(y)), (round(x + width), round(y + height)), colour, 2)
        cv2.putText(panel, label, (12, 32), cv2.FONT_HERSHEY_SIMPLEX, 1.0, INK_BGR, 5, cv2.LINE_AA)
        cv2.putText(panel, label, (12, 32), cv2.FONT_HERSHEY_SIMPLEX, 1.0, colour, 2, cv2.LINE_AA)
        panels.append(cv2.resize(panel, None, fx=0.75, fy=0.75, interpolation=cv2.INTER_AREA))
    _, file = cv2.imencode(".jpg", np.hstack(panels), [cv2.IMWRITE_JPEG_QUALITY, 80])
    return file.tobytes()
