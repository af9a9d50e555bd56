"""What a model file says of itself, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

VERSION_DIGITS = 16  # a TFLite file's version is so many digits of its weights' sha256
LARGEST_TEXT = 65536  # bytes; a small zip can hold a file that fills the memory
# A list may refer to one thing many times: without a limit a small file takes all time and memory.
MOST_ENTRIES = 64  # inputs, outputs, their names, or entries of metadata
MOST_DIMENSIONS = 8


class ContentsError(ValueError):
    """Bytes are no whole model file of their format."""


@dataclass(frozen=True)
class Tensor:
    """An input or output, in a card's words.

    Attributes:
        name: Its name.
        shape: Its dimensions; a free one is None.
        dtype: Such as "float32".
        quantization: `scale` and `zero_point`; None without any.
    """

    name: str
    shape: list[int | None]
    dtype: str
    quantization: dict[str, Any] | None


@dataclass(frozen=True)
class Contents:
    """What a model file says of itself.

    Attributes:
        inputs: Its inputs.
        outputs: Its outputs.
        facts: Its metadata under the card's names; None without any. A TFLite file's also have `version`, the
            first digits of its weights' sha256.
        pixels: Of a TFLite file with metadata, how a face becomes the input and what the output holds:
            `colour_space`, `normalization` (mean and deviation of each step), `input_range` and
            `output_range` (smallest and largest stored value). A missing one is None.
    """

    inputs: list[Tensor]
    outputs: list[Tensor]
    facts: dict[str, Any] | None
    pixels: dict[str, Any] | None = None
