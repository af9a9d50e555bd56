"""TFLite files as the objects of their schema."""

from typing import Any

import flatbuffers

IDENTIFIER = b"TFL3"


def read(file: bytes) -> Any:
    """Returns the `ModelT` of a TFLite file."""
    from tensorflow.lite.python import schema_py_generated as schema

    return schema.ModelT.InitFromPackedBuf(file, 0)


def write(model: Any, builder: flatbuffers.Builder | None = None) -> bytes:
    """Returns the TFLite file of a `ModelT`.

    Args:
        model: The file's content.
        builder: Writes the vectors in another way than the default.
    """
    builder = builder or flatbuffers.Builder()
    builder.Finish(model.Pack(builder), IDENTIFIER)
    return bytes(builder.Output())
