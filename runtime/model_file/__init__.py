"""What a model file says of itself, read without an engine: its signature and its metadata.

A TFLite file is a flatbuffer (`schema.fbs`, version 3, of LiteRT). It may hold a second one, TFLite Metadata
(`metadata_schema.fbs`, version 1.5.0, of tflite-support 0.4.4), and end with a zip. An ONNX file is a
protobuf message (`onnx.proto`). Fields are read by their numbers in these schemas. Any bytes give an answer
or a `ContentsError`.
"""

from __future__ import annotations

from .contents import VERSION_DIGITS, Contents, ContentsError, Tensor
from .onnx import check_wiring, read_onnx
from .tflite import read_tflite

__all__ = ["VERSION_DIGITS", "Contents", "ContentsError", "Tensor", "check_wiring", "read_contents"]


def read_contents(data: bytes, suffix: str) -> Contents:
    """Reads what a model file says of itself.

    Args:
        data: The file's bytes.
        suffix: `.tflite` or `.onnx`.

    Raises:
        ContentsError: The bytes are no whole file of this format.
    """
    return read_tflite(data) if suffix == ".tflite" else read_onnx(data)
