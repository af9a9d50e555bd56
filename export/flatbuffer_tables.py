"""Tables of a flatbuffer, written by the names of their fields without generated classes."""

from dataclasses import dataclass
from typing import Any

import flatbuffers
import numpy as np

BYTES_ALIGNMENT = 16  # TFLite's schema asks it of every buffer

# The numbers of the fields that are written, by table: first those of TFLite's `schema.fbs`, version 3, then
# those of `metadata_schema.fbs`, version 1.5.0. A union is two fields, its type and its value.
FIELDS = {
    "Model": {
        "version": 0,
        "operator_codes": 1,
        "subgraphs": 2,
        "description": 3,
        "buffers": 4,
        "metadata_buffer": 5,
        "metadata": 6,
        "signature_defs": 7,
        "external_buffer_groups": 8,
        "external_buffers": 9,
    },
    "Buffer": {"data": 0},
    "Metadata": {"name": 0, "buffer": 1},
    "ModelMetadata": {
        "name": 0,
        "description": 1,
        "version": 2,
        "subgraph_metadata": 3,
        "license": 5,
        "min_parser_version": 7,
    },
    "SubGraphMetadata": {"input_tensor_metadata": 2, "output_tensor_metadata": 3},
    "TensorMetadata": {
        "name": 0,
        "description": 1,
        "content": 3,
        "process_units": 4,
        "stats": 5,
        "associated_files": 6,
    },
    "Content": {"content_properties_type": 0, "content_properties": 1},
    "ImageProperties": {"color_space": 0, "default_size": 1},
    "ImageSize": {"width": 0, "height": 1},
    "FeatureProperties": {},
    "ProcessUnit": {"options_type": 0, "options": 1},
    "NormalizationOptions": {"mean": 0, "std": 1},
    "Stats": {"max": 0, "min": 1},
    "AssociatedFile": {"name": 0, "description": 1, "type": 2},
}


class Table:
    """A table to write.

    Attributes:
        fields: The values by the numbers of their fields. A number is one of NumPy's, a vector of numbers an
            array, a vector of tables a list; others are text, bytes, tables or an `Offset`.
    """

    def __init__(self, kind: str, **fields: Any) -> None:
        """Looks up the numbers of the fields.

        Args:
            kind: A name of `FIELDS`.
            fields: The values by the names that the schema gives them.
        """
        self.fields = {FIELDS[kind][name]: value for name, value in fields.items()}


@dataclass(frozen=True)
class Offset:
    """Something that the flatbuffer has already: its distance from the end in bytes, as builders count."""

    value: int


def write(builder: flatbuffers.Builder, value: Any) -> int:
    """Writes what a field refers to, as `Table.fields` describes it; returns its offset."""
    if isinstance(value, Offset):
        return value.value
    if isinstance(value, str):
        return builder.CreateString(value)
    if isinstance(value, np.ndarray):
        return builder.CreateNumpyVector(value)
    if isinstance(value, bytes):
        builder.Prep(BYTES_ALIGNMENT, len(value))
        return builder.CreateByteVector(value)
    if isinstance(value, list):
        return write_vector(builder, value)
    return write_table(builder, value)


def write_vector(builder: flatbuffers.Builder, values: list[Any]) -> int:
    """Writes tables and a vector that refers to them; returns its offset."""
    offsets = [write(builder, value) for value in values]
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return builder.EndVector()


def write_table(builder: flatbuffers.Builder, table: Table) -> int:
    """Writes a table and what it refers to; returns its offset."""
    references = {
        slot: write(builder, value)
        for slot, value in table.fields.items()
        if not isinstance(value, np.generic)
    }
    builder.StartObject(max(table.fields, default=-1) + 1)
    for slot, value in table.fields.items():
        if slot in references:
            builder.PrependUOffsetTRelativeSlot(slot, references[slot], 0)
        else:
            prepend = getattr(builder, f"Prepend{value.dtype.name.capitalize()}Slot")
            prepend(slot, int(value), 0)
    return builder.EndObject()
