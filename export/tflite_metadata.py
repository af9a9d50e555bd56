"""What a TFLite file says of itself: TFLite Metadata, for Android's metadata extractor and any zip reader.

The metadata is a flatbuffer of its own, kept in a buffer of the model; a zip behind it has any labels.
The schema is `metadata_schema.fbs`, version 1.5.0, file identifier M001, of tflite-support, tag v0.4.4
(github.com/tensorflow/tflite-support). TensorFlow has no classes for it, as it has for TFLite's own schema,
and tflite-support needs a protobuf that no current TensorFlow runs with. So `export.flatbuffer_tables` writes
the tables.
"""

import io
import zipfile
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np

from runtime.model_file import VERSION_DIGITS
from runtime.model_file.flatbuffer import follow, number, table, tables
from runtime.model_file.tflite import METADATA_ENTRY

from .flatbuffer_tables import FIELDS, Offset, Table, write
from .tflite_schema import IDENTIFIER

METADATA_IDENTIFIER = b"M001"
LABELS_FILE = "labels.txt"
PARSER_VERSION = "1.0.0"  # the oldest schema with all the fields used here
BUFFER_ALIGNMENT = 16  # bytes, by TFLite's schema

# Enumerations and unions of the metadata's schema.
IMAGE_PROPERTIES, FEATURE_PROPERTIES = np.uint8(2), np.uint8(1)
GRAYSCALE, TENSOR_AXIS_LABELS = np.int8(2), np.int8(2)
NORMALIZATION_OPTIONS = np.uint8(1)

FOUND = {  # a detector's outputs
    "boxes": "x, y, width, height of a face in each cell, in pixels of the input.",
    "confidences": "The probability that the cell's face is one.",
    "eyes": "x, y of the eyes on the left and on the right, in pixels of the input.",
}


def embed(file: Path, facts: dict[str, Any], weights_sha256: str) -> None:
    """Writes the facts of a card into a TFLite file, which computes what it did before.

    The same file and facts always give the same bytes.

    Args:
        file: A TFLite file without metadata.
        facts: What `export.card.describe` returned.
        weights_sha256: Of the Keras file.
    """
    model = with_metadata(file.read_bytes(), metadata_of(facts, weights_sha256))
    if "labels" in facts:
        model = with_file_behind(model, LABELS_FILE, "".join(f"{label}\n" for label in facts["labels"]))
    file.write_bytes(model)


def metadata_of(facts: dict[str, Any], weights_sha256: str) -> bytes:
    """Returns the metadata's flatbuffer; arguments as `embed`."""
    content = Table(
        "ModelMetadata",
        name=facts["model"],
        description=facts["description"],
        version=weights_sha256[:VERSION_DIGITS],
        subgraph_metadata=[
            Table(
                "SubGraphMetadata",
                input_tensor_metadata=[input_metadata(facts["input"])],
                output_tensor_metadata=outputs_metadata(facts),
            )
        ],
        license=facts["licence"],
        min_parser_version=PARSER_VERSION,
    )
    builder = flatbuffers.Builder()
    builder.Finish(write(builder, content), METADATA_IDENTIFIER)
    return bytes(builder.Output())


def input_metadata(tensor: dict[str, Any]) -> Table:
    """Returns what the metadata says of the faces or of the image, from the card's `input`.

    The graph rescales by itself, so normalization leaves gray pixels as they are: mean 0, deviation 1. Where
    the input is int8, the tensor's own scale and zero point come after that, as the schema has it.
    """
    height, width = tensor["shape"][1:3]
    least, greatest = tensor["range"]
    if "letterbox" in tensor:
        what, how = "An image", "reduced to fit into the {corner} corner, the rest {fill}"
        how = how.format(**tensor["letterbox"])
    else:
        what, how = "One face", f"resized by {tensor['resize']}"
    return Table(
        "TensorMetadata",
        name=tensor["name"],
        description=f"{what}: {tensor['colour']}, pixels {least}-{greatest}, {how}."
        + quantization_in_words(tensor),
        content=Table(
            "Content",
            content_properties_type=IMAGE_PROPERTIES,
            content_properties=Table(
                "ImageProperties",
                color_space=GRAYSCALE,
                default_size=Table("ImageSize", width=np.uint32(width), height=np.uint32(height)),
            ),
        ),
        process_units=[
            Table(
                "ProcessUnit",
                options_type=NORMALIZATION_OPTIONS,
                options=Table("NormalizationOptions", mean=floats(0), std=floats(1)),
            )
        ],
        stats=stats_of(tensor, least, greatest),
    )


def output_metadata(tensor: dict[str, Any]) -> Table:
    """Returns what the metadata says of the scores, from the card's `output`."""
    return Table(
        "TensorMetadata",
        name=tensor["name"],
        description=f"The probability of each label.{quantization_in_words(tensor)}",
        content=Table(
            "Content",
            content_properties_type=FEATURE_PROPERTIES,
            content_properties=Table("FeatureProperties"),
        ),
        stats=stats_of(tensor, 0, 1),
        associated_files=[
            Table(
                "AssociatedFile",
                name=LABELS_FILE,
                description="The labels, in the order of the scores.",
                type=TENSOR_AXIS_LABELS,
            )
        ],
    )


def outputs_metadata(facts: dict[str, Any]) -> list[Table]:
    """Returns what the metadata says of the outputs, in the file's order."""
    if "output" in facts:
        return [output_metadata(facts["output"])]
    tensors = facts["outputs"]
    return [
        Table(
            "TensorMetadata",
            name=tensors[name]["name"],
            description=FOUND[name],
            content=Table(
                "Content",
                content_properties_type=FEATURE_PROPERTIES,
                content_properties=Table("FeatureProperties"),
            ),
        )
        for name in sorted(tensors)  # the order that the converter gives a signature's outputs
    ]


def quantization_in_words(tensor: dict[str, Any]) -> str:
    """Returns how a quantized tensor's numbers are made; nothing for float32."""
    quantization = tensor["quantization"]
    if quantization is None:
        return ""
    scale, zero_point = quantization["scale"], quantization["zero_point"]
    sign = "-" if zero_point < 0 else "+"
    return f" As {tensor['dtype']}: round(value / {scale:g}) {sign} {abs(zero_point)}."


def stats_of(tensor: dict[str, Any], least: float, greatest: float) -> Table:
    """Returns the greatest and the least value that a tensor holds; if quantized, those of its type."""
    if tensor["quantization"] is not None:
        limits = np.iinfo(tensor["dtype"])
        least, greatest = limits.min, limits.max
    return Table("Stats", max=floats(greatest), min=floats(least))


def floats(*values: float) -> np.ndarray:
    """Returns the values as a vector of the schema's float."""
    return np.array(values, np.float32)


def with_metadata(model: bytes, metadata: bytes) -> bytes:
    """Returns the TFLite file with the metadata in one more buffer.

    The file stays whole behind a new Model table that refers into it. So weights keep the alignment that the
    converter gave them, and what this code does not know of stays.
    """
    builder = flatbuffers.Builder(len(model))
    builder.Prep(BUFFER_ALIGNMENT, len(model))
    end = builder.CreateByteVector(model) - 4  # its first 4 bytes are its length

    def offset(position: int) -> Offset:
        """Returns a position in the file as the builder counts, from the end."""
        return Offset(end - position)

    root = follow(model, 0)
    fields: dict[str, Any] = {"version": np.uint32(number(model, root, 0, "<I"))}
    slots = FIELDS["Model"]
    for name in [name for name in slots if name != "version"]:
        if (position := table(model, root, slots[name])) is not None:
            fields[name] = offset(position)
    buffers, entries = (
        [offset(position) for position in tables(model, root, slots[name])]
        for name in ("buffers", "metadata")
    )
    entry = Table("Metadata", name=METADATA_ENTRY, buffer=np.uint32(len(buffers)))
    fields["buffers"] = [*buffers, Table("Buffer", data=metadata)]
    fields["metadata"] = [*entries, entry]
    builder.Finish(write(builder, Table("Model", **fields)), IDENTIFIER)
    return bytes(builder.Output())


def with_file_behind(model: bytes, name: str, text: str) -> bytes:
    """Returns the file with a zip behind it that holds one file, stored as it is and without its time."""
    file = io.BytesIO(model)
    with zipfile.ZipFile(file, "a") as archive:
        entry = zipfile.ZipInfo(name)  # its time is 1980-01-01 unless another is given
        entry.create_system, entry.external_attr = 3, 0o644 << 16  # as on Unix, wherever it is made
        archive.writestr(entry, text)
    return file.getvalue()
