"""How much `python -m benchmarks archive` measures: two efforts differ in their counts and in noise."""

from __future__ import annotations

from typing import NamedTuple


class ArchiveEffort(NamedTuple):
    """Counts of each section."""

    images: int  # of the proof and of the long run
    videos: int
    turns: int  # of what is interleaved
    timed_images: int  # labelled in a turn
    timed_videos: int
    timed_sampled: int  # videos of which one frame a second is labelled
    stored: int  # images in the object store; a tenth as many videos


FULL = ArchiveEffort(
    images=10_000,
    videos=200,
    turns=3,
    timed_images=4_800,
    timed_videos=48,
    timed_sampled=120,
    stored=500,
)
QUICK = ArchiveEffort(
    images=300, videos=6, turns=1, timed_images=2_400, timed_videos=16, timed_sampled=60, stored=30
)
