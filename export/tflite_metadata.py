"""What a TFLite file says of itself: TFLite Metadata, for Android's metadata extractor and any zip reader.

The metadata is a flatbuffer of its own, kept in a buffer of the model, and a zip behind the model holds the
labels. Tables are written by the numbers of their fields in `metadata_schema.fbs`, version 1.5.0, file
identifier M001 (github.com/tensorflow/tflite-support, tag v0.4.4), and in TFLite's own `schema.fbs`: the
official writer, the package tflite-support, needs a protobuf that no current TensorFlow runs with.
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

LABELS_FILE = "labels.txt"
PARSER_VERSION = "1.0.0"  # the oldest schema with all the fields used here

# Enumerations and unions of the schema.
IMAGE_PROPERTIES, FEATURE_PROPERTIES = np.uint8(2), np.uint8(1)
GRAYSCALE, TENSOR_AXIS_LABELS = np.int8(2), np.int8(2)
NORMALIZATION_OPTIONS = np.uint8(1)

# Fields of TFLite's Model: the two lists that grow, and the last field. All but the first, the version of the
# schema, refer to something else in the file.
BUFFERS, METADATA, LAST_FIELD = 4, 6, 9


def embed(file: Path, facts: dict[str, Any], weights_sha256: str) -> None:
    """Writes the facts of a card into a TFLite file without metadata, which computes what it did before.

    `weights_sha256` is that of the Keras file. The same file and facts always give the same bytes.
    """
    model = with_metadata(file.read_bytes(), metadata_of(facts, weights_sha256))
    labels = "".join(f"{label}\n" for label in facts["labels"])
    file.write_bytes(with_file_behind(model, LABELS_FILE, labels))


def metadata_of(facts: dict[str, Any], weights_sha256: str) -> bytes:
    """Returns the metadata's flatbuffer.

    The graph rescales by itself, so normalisation leaves gray pixels as they are: mean 0, deviation 1. Where
    the input is int8, the tensor's own scale and zero point come after that, as the schema has it; the least
    and greatest values of a tensor are those that it holds then.
    """
    builder = flatbuffers.Builder()
    # AssociatedFile: 0 name, 1 description, 2 type.
    labels_file = {0: LABELS_FILE, 1: "The labels, in the order of the scores.", 2: TENSOR_AXIS_LABELS}
    face_input, scores_output = facts["input"], facts["output"]
    height, width = face_input["shape"][1:3]
    # TensorMetadata: 0 name, 1 description, 3 content, 4 process units, 5 stats, 6 associated files. A union
    # is two fields, its kind and its table; in Content and ProcessUnit they come first.
    faces = {
        0: face_input["name"],
        1: f"One face: {face_input['colour']}, pixels {face_input['range'][0]}-{face_input['range'][1]}, "
        f"resized by {face_input['resize']}.{quantized_in_words(face_input)}",
        3: {0: IMAGE_PROPERTIES, 1: {0: GRAYSCALE, 1: {0: np.uint32(width), 1: np.uint32(height)}}},
        4: [{0: NORMALIZATION_OPTIONS, 1: {0: floats(0), 1: floats(1)}}],
        5: stats_of(face_input, *face_input["range"]),
    }
    scores = {
        0: scores_output["name"],
        1: f"The probability of each label.{quantized_in_words(scores_output)}",
        3: {0: FEATURE_PROPERTIES, 1: {}},
        5: stats_of(scores_output, 0, 1),
        6: [labels_file],
    }
    # ModelMetadata: 0 name, 1 description, 2 version, 3 subgraphs, 5 license, 7 oldest parser; in a subgraph
    # 2 inputs, 3 outputs.
    model = {
        0: facts["model"],
        1: facts["description"],
        2: weights_sha256[:VERSION_DIGITS],
        3: [{2: [faces], 3: [scores]}],
        5: facts["licence"],
        7: PARSER_VERSION,
    }
    builder.Finish(write(builder, model), b"M001")
    return bytes(builder.Output())


def quantized_in_words(tensor: dict[str, Any]) -> str:
    """Returns how a quantized tensor's numbers are made; nothing for float32."""
    quantization = tensor["quantization"]
    if quantization is None:
        return ""
    scale, zero_point = quantization["scale"], quantization["zero_point"]
    sign = "-" if zero_point < 0 else "+"
    return f" As {tensor['dtype']}: round(value / {scale:g}) {sign} {abs(zero_point)}."


def stats_of(tensor: dict[str, Any], least: float, greatest: float) -> dict[int, Any]:
    """Returns the table Stats: the greatest and the least value that the tensor itself holds."""
    if tensor["quantization"] is not None:
        limits = np.iinfo(tensor["dtype"])
        least, greatest = limits.min, limits.max
    return {0: floats(greatest), 1: floats(least)}


def floats(*values: float) -> np.ndarray:
    """Returns the values as a vector of the schema's float."""
    return np.array(values, np.float32)


def with_metadata(model: bytes, metadata: bytes) -> bytes:
    """Returns the TFLite file with the metadata in one more buffer.

    The file stays whole, with all its offsets, behind a new Model that refers into it: so weights keep the
    alignment that the converter gave them, and nothing is lost that this code doesn't know of.
    """
    builder = flatbuffers.Builder(len(model))
    builder.Prep(16, len(model))
    end = builder.CreateByteVector(model) - 4  # its first 4 bytes are its length

    def place(position: int) -> int:
        """Where a position in the file stands as seen from the end, as the builder counts."""
        return end - position

    root = follow(model, 0)
    fields: dict[int, Any] = {0: np.uint32(number(model, root, 0, "<I"))}
    for slot in range(1, LAST_FIELD + 1):
        if (position := table(model, root, slot)) is not None:
            fields[slot] = place(position)
    buffers, entries = ([place(found) for found in tables(model, root, slot)] for slot in (BUFFERS, METADATA))
    fields[BUFFERS] = [*buffers, {0: metadata}]
    fields[METADATA] = [*entries, {0: METADATA_ENTRY, 1: np.uint32(len(buffers))}]
    builder.Finish(write(builder, fields), b"TFL3")
    return bytes(builder.Output())


def write(builder: flatbuffers.Builder, value: Any) -> int:
    """Writes what a field refers to; returns where it stands.

    A table is a dict of its fields by number, in which a number is one of numpy's; a list holds tables; an
    array is a vector of its numbers. A plain int is something that was written before.
    """
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        return builder.CreateString(value)
    if isinstance(value, np.ndarray):
        return builder.CreateNumpyVector(value)
    if isinstance(value, bytes):
        builder.Prep(16, len(value))  # TFLite's schema asks this of every buffer
        return builder.CreateByteVector(value)
    if isinstance(value, list):
        places = [write(builder, element) for element in value]
        builder.StartVector(4, len(places), 4)
        for place in reversed(places):
            builder.PrependUOffsetTRelative(place)
        return builder.EndVector()
    references = {
        slot: write(builder, part) for slot, part in value.items() if not isinstance(part, np.generic)
    }
    builder.StartObject(max(value, default=-1) + 1)
    for slot, part in value.items():
        if slot in references:
            builder.PrependUOffsetTRelativeSlot(slot, references[slot], 0)
        else:
            getattr(builder, f"Prepend{part.dtype.name.capitalize()}Slot")(slot, int(part), 0)
    return builder.EndObject()


def with_file_behind(model: bytes, name: str, text: str) -> bytes:
    """Returns the file with a zip behind it, stored and without a time, that holds one file."""
    file = io.BytesIO(model)
    with zipfile.ZipFile(file, "a") as archive:
        entry = zipfile.ZipInfo(name)  # its time is 1980-01-01 unless another is given
        entry.create_system, entry.external_attr = 3, 0o644 << 16  # as on Unix, wherever it is made
        archive.writestr(entry, text)
    return file.getvalue()
