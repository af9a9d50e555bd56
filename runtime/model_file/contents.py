"""What a model file says of itself, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

VERSION_DIGITS = 16  # of the sha256 of the weights that a TFLite file was made from: its model's version
LARGEST_TEXT = 65536  # bytes; a zip can hold a file that fills the memory
# Lists may refer to one thing again and again: without a limit a small file asks for all time and memory.
MOST_ENTRIES = 64  # inputs, outputs, their names, or entries of metadata
MOST_DIMENSIONS = 8


class ContentsError(ValueError):
    """The bytes are no whole model file of their format."""


@dataclass(frozen=True)
class Tensor:
    """An input or output, in a card's words: a free dimension is None, and so is no quantization."""

    name: str
    shape: list[int | None]
    dtype: str
    quantization: dict[str, Any] | None


@dataclass(frozen=True)
class Contents:
    """A file's inputs and outputs, and the facts in its metadata, under the card's names; None without any.

    A TFLite file's facts have `version` besides, the first digits of its weights' sha256. Its `pixels` say
    how a face becomes the input and what the output holds: `colour_space`, `normalisation` (each step's mean
    and deviation), `input_range` and `output_range` (least and greatest value, as stored); what it lacks is
    None.
    """

    inputs: list[Tensor]
    outputs: list[Tensor]
    facts: dict[str, Any] | None
    pixels: dict[str, Any] | None = None
