"""Which smiles a model misses: tiles for a contact sheet, the strongest smiles first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks.accuracy.contact_sheet import Tile, cut_tile
from benchmarks.accuracy.grouped_images import Collection
from benchmarks.accuracy.seen_images import Seen, padded
from benchmarks.accuracy.smile import SMILE

AROUND = 1.3  # longer sides of the face's box


def missed_smiles(
    collection: Collection, seen: Seen, scores: np.ndarray, labels: Sequence[str]
) -> list[Tile]:
    """Returns a tile for each smile that was found and not called happy; those of unknown strength come last.

    Args:
        collection: The images.
        seen: What was seen of them.
        scores: Of a model, float (images, labels).
        labels: Of the scores.
    """
    if SMILE not in labels:
        return []
    missed = seen.found & np.array([image.label == SMILE for image in seen.listed], bool)
    missed &= scores.argmax(axis=1) != labels.index(SMILE)
    tiles = []
    for number in np.flatnonzero(missed):
        said = int(scores[number].argmax())
        strength = seen.strength[number]
        known = np.isfinite(strength)
        smile = f"{100 * strength:+.0f} %, " if known else ""
        frame = padded(collection.frame(seen.listed[number].file), seen.pad)
        tile = cut_tile(frame, seen.boxes[number], around=AROUND)
        caption = f"{smile}{labels[said]} {100 * scores[number, said]:.0f} %"
        tiles.append(Tile(float(strength) if known else -np.inf, tile, caption))
    return tiles
