"""What a model file says of itself, read without an engine: its signature and its metadata.

A TFLite file is a flatbuffer (`schema.fbs`, version 3, of LiteRT), perhaps with another one inside, TFLite
Metadata (`metadata_schema.fbs`, version 1.5.0, of tflite-support 0.4.4), and with a zip behind it; an ONNX
file is a protobuf message (`onnx.proto`). Fields are read by their numbers in these schemas. Whatever the
bytes are, they give an answer or a `ContentsError`.
"""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .card import FIELDS

VERSION_DIGITS = 16  # of the sha256 of the weights that a TFLite file was made from: its model's version
METADATA_ENTRY = "TFLITE_METADATA"
LARGEST_TEXT = 65536  # bytes; a zip can hold a file that fills the memory
# Lists may refer to one thing again and again: without a limit a small file asks for all time and memory.
MOST_ENTRIES = 64  # inputs, outputs, their names, or entries of metadata
MOST_DIMENSIONS = 8

TFLITE_DTYPES = {0: "float32", 1: "float16", 3: "uint8", 9: "int8"}
ONNX_DTYPES = {1: "float32", 2: "uint8", 3: "int8", 10: "float16"}
# Enumerations and unions of the metadata's schema.
TENSOR_AXIS_LABELS = 2  # the kind of file that labels a tensor's last axis
IMAGE_PROPERTIES = 2
NORMALIZATION_OPTIONS = 1
COLOUR_SPACES = {0: "unknown", 1: "RGB", 2: "GRAYSCALE"}


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


def read_contents(data: bytes, suffix: str) -> Contents:
    """What a file of this suffix, `.tflite` or `.onnx`, says of itself. Raises `ContentsError`."""
    return read_tflite(data) if suffix == ".tflite" else read_onnx(data)


# --- TFLite ------------------------------------------------------------------------------------------


def read_tflite(data: bytes) -> Contents:
    """What a TFLite file says of itself; names are those of its signature where it has one."""
    if data[4:8] != b"TFL3":
        raise ContentsError(f"expected a TFLite file, with TFL3 at its bytes 4-7, got {data[4:8]!r} there")
    model = follow(data, 0)
    graphs = tables(data, model, 2)
    if not graphs:
        raise ContentsError("expected a TFLite file with a graph, got none")
    tensors = tables(data, graphs[0], 0)

    def side(slot: int) -> list[Tensor]:
        indices = numbers(data, graphs[0], slot, "<i", MOST_ENTRIES)
        if not all(0 <= index < len(tensors) for index in indices):
            raise ContentsError(f"cut short or damaged: it refers to tensors {indices} of {len(tensors)}")
        names = signature_names(data, model, slot - 1)
        return [read_tensor(data, tensors[index], names.get(index)) for index in indices]

    inputs, outputs, metadata = side(1), side(2), tflite_metadata(data, model)
    if metadata is None:
        return Contents(inputs, outputs, None)
    root = follow(metadata, 0)
    return Contents(inputs, outputs, tflite_facts(data, metadata, root), tflite_pixels(metadata, root))


def signature_names(data: bytes, model: int, slot: int) -> dict[int, str]:
    """The names that the first signature gives to inputs (slot 0) or outputs (slot 1), by tensor."""
    signatures = tables(data, model, 7)[:1]
    named = [entry for signature in signatures for entry in tables(data, signature, slot, MOST_ENTRIES)]
    return {number(data, entry, 1, "<I"): text(data, entry, 0) or "" for entry in named}


def read_tensor(data: bytes, tensor: int, name: str | None) -> Tensor:
    """An input or output; without a name from a signature under its own."""
    dtype = number(data, tensor, 1, "<b")
    shape, signed = (numbers(data, tensor, place, "<i", MOST_DIMENSIONS) for place in (0, 7))
    quantization = table(data, tensor, 4)
    scales = numbers(data, quantization, 2, "<f") if quantization is not None else []
    zero_points = numbers(data, quantization, 3, "<q") if quantization is not None else []
    given = dtype != 0 and len(scales) == len(zero_points) == 1
    return Tensor(
        name if name is not None else text(data, tensor, 3) or "",
        [None if size < 0 else size for size in signed or shape],
        TFLITE_DTYPES.get(dtype, f"type {dtype} of TFLite"),
        {"scale": scales[0], "zero_point": zero_points[0]} if given else None,
    )


def tflite_metadata(data: bytes, model: int) -> bytes | None:
    """The flatbuffer of the TFLite Metadata; None without one."""
    buffers = tables(data, model, 4)
    for entry in tables(data, model, 6, MOST_ENTRIES):
        if text(data, entry, 0) != METADATA_ENTRY:
            continue
        index = number(data, entry, 1, "<I")
        if index >= len(buffers) or (start := field(data, buffers[index], 0)) is None:
            raise ContentsError(f"expected {METADATA_ENTRY} in buffer {index}, got nothing there")
        start = follow(data, start)
        metadata = data[start + 4 : start + 4 + unpack(data, "<I", start)]
        if metadata[4:8] != b"M001":
            raise ContentsError(
                f"expected TFLite Metadata, with M001 at its bytes 4-7, got {metadata[4:8]!r}"
            )
        return metadata
    return None


def tflite_facts(data: bytes, metadata: bytes, root: int) -> dict[str, Any]:
    """What the TFLite Metadata says, under the card's names; what it lacks is None."""
    names = {"model": 0, "description": 1, "version": 2, "licence": 5}
    facts: dict[str, Any] = {name: text(metadata, root, slot) for name, slot in names.items()}
    return facts | {"labels": read_labels(data, metadata, root)}


def tflite_pixels(metadata: bytes, root: int) -> dict[str, Any]:
    """What the TFLite Metadata says of the numbers in input and output, as `Contents.pixels` has it."""
    faces, scores = described_tensor(metadata, root, 2), described_tensor(metadata, root, 3)
    steps = tables(metadata, faces, 4, MOST_ENTRIES) if faces is not None else []
    return {
        "colour_space": read_colour_space(metadata, faces),
        "normalisation": [read_step(metadata, step) for step in steps],
        "input_range": read_range(metadata, faces),
        "output_range": read_range(metadata, scores),
    }


def read_colour_space(metadata: bytes, tensor: int | None) -> str | None:
    """The name of an image's colour space; None where the tensor is not said to be an image."""
    content = table(metadata, tensor, 3) if tensor is not None else None
    if content is None or number(metadata, content, 0, "<B") != IMAGE_PROPERTIES:
        return None
    image = table(metadata, content, 1)
    return COLOUR_SPACES.get(number(metadata, image, 0, "<b"), "another") if image is not None else None


def read_step(metadata: bytes, step: int) -> dict[str, Any] | None:
    """A step before the model: the mean that is taken off, and by what is divided; None for any other."""
    options = table(metadata, step, 1)
    if number(metadata, step, 0, "<B") != NORMALIZATION_OPTIONS or options is None:
        return None
    return {
        name: numbers(metadata, options, slot, "<f", MOST_ENTRIES)
        for slot, name in enumerate(("mean", "deviation"))
    }


def read_range(metadata: bytes, tensor: int | None) -> list[float] | None:
    """The least and the greatest value that a tensor holds, of all its channels; None without them."""
    stats = table(metadata, tensor, 5) if tensor is not None else None
    if stats is None:
        return None
    greatest, least = (numbers(metadata, stats, slot, "<f", MOST_ENTRIES) for slot in (0, 1))
    return [*least, *greatest]


def described_tensor(metadata: bytes, root: int, slot: int) -> int | None:
    """What the metadata says of the first input (slot 2) or output (slot 3); None without it."""
    for graph in tables(metadata, root, 3)[:1]:
        for tensor in tables(metadata, graph, slot)[:1]:
            return tensor
    return None


def read_labels(data: bytes, metadata: bytes, root: int) -> list[str] | None:
    """The lines of the file that the metadata names as the output's labels; None without one."""
    scores = described_tensor(metadata, root, 3)
    for file in tables(metadata, scores, 6) if scores is not None else []:
        if number(metadata, file, 2, "<b") == TENSOR_AXIS_LABELS:
            return zipped_lines(data, text(metadata, file, 0) or "")
    return None


def zipped_lines(data: bytes, name: str) -> list[str]:
    """The lines of a file in the zip behind a model."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(name) as file:
            return file.read(LARGEST_TEXT).decode("utf-8").splitlines()
    except Exception as error:  # zipfile raises eight kinds and more for a damaged archive
        reason = " ".join(str(error).split())[:100]
        raise ContentsError(f"expected {name} in a zip behind the model, got none: {reason}") from error


# --- a flatbuffer: tables of numbered fields (slots), each reached by an offset from where it stands --------


def unpack(data: bytes, form: str, position: int) -> Any:
    """The number of this form (as in `struct`) at a position."""
    if not 0 <= position <= len(data) - struct.calcsize(form):
        raise ContentsError(f"cut short or damaged: it refers to byte {position} and has {len(data)}")
    return struct.unpack_from(form, data, position)[0]


def follow(data: bytes, position: int) -> int:
    """The position that the offset at a position leads to."""
    return position + unpack(data, "<I", position)


def field(data: bytes, owner: int, slot: int) -> int | None:
    """The position of a table's field; None where it is left out."""
    slots = owner - unpack(data, "<i", owner)
    place = 4 + 2 * slot
    offset = unpack(data, "<H", slots + place) if place < unpack(data, "<H", slots) else 0
    return owner + offset if offset else None


def number(data: bytes, owner: int, slot: int, form: str) -> int:
    """A table's number; 0 where it is left out."""
    position = field(data, owner, slot)
    return 0 if position is None else unpack(data, form, position)


def text(data: bytes, owner: int, slot: int) -> str | None:
    """A table's text; None where it is left out."""
    position = field(data, owner, slot)
    if position is None:
        return None
    start = follow(data, position)
    length = min(unpack(data, "<I", start), LARGEST_TEXT)
    return data[start + 4 : start + 4 + length].decode("utf-8", "replace")


def table(data: bytes, owner: int, slot: int) -> int | None:
    """A table's table; None where it is left out."""
    position = field(data, owner, slot)
    return None if position is None else follow(data, position)


def tables(data: bytes, owner: int, slot: int, most: int | None = None) -> list[int]:
    """A table's list of tables."""
    return [follow(data, position) for position in elements(data, owner, slot, 4, most)]


def numbers(data: bytes, owner: int, slot: int, form: str, most: int | None = None) -> list[Any]:
    """A table's list of numbers."""
    places = elements(data, owner, slot, struct.calcsize(form), most)
    return [unpack(data, form, position) for position in places]


def elements(data: bytes, owner: int, slot: int, size: int, most: int | None = None) -> range:
    """The positions of a list's elements of `size` bytes, `most` at most; none where it is left out."""
    position = field(data, owner, slot)
    if position is None:
        return range(0)
    start = follow(data, position)
    count = unpack(data, "<I", start)
    if start + 4 + count * size > len(data):
        raise ContentsError(f"cut short or damaged: a list of {count} goes beyond its {len(data)} bytes")
    if most is not None and count > most:
        raise ContentsError(f"no classifier, or damaged: expected a list of at most {most}, got {count}")
    return range(start + 4, start + 4 + count * size, size)


# --- ONNX ----------------------------------------------------------------------------------------------


def read_onnx(data: bytes) -> Contents:
    """What an ONNX file says of itself."""
    graph, facts = None, {}
    for key, value in message(memoryview(data)):
        if key == 7:
            graph = value
        elif key == 14:
            entry = {part: words(content) for part, content in message(value)}
            facts[entry.get(1, "")] = entry.get(2, "")
    if graph is None:
        raise ContentsError("expected an ONNX file with a graph, got none")
    sides: dict[int, list[Tensor]] = {11: [], 12: []}
    for key, value in message(graph):
        if key in sides:
            sides[key].append(read_value(value))
    facts = {key: parsed(key, value) for key, value in facts.items() if key in FIELDS}
    return Contents(sides[11], sides[12], facts or None)


def check_wiring(data: bytes) -> None:
    """Raise `ContentsError` where a node of an ONNX file reads what neither the graph nor a node gives.

    OpenCV (4.14) doesn't look: such a file ends its process.
    """
    graph = inside(memoryview(data), 7)
    if graph is None:
        raise ContentsError("expected an ONNX file with a graph, got none")
    fields = list(message(graph))
    given = {"", *(words(inside(value, 8) or value[:0]) for key, value in fields if key == 5)}
    given |= {words(inside(value, 1) or value[:0]) for key, value in fields if key == 11}
    for node in (list(message(value)) for key, value in fields if key == 1):
        missing = {words(name) for part, name in node if part == 1} - given
        if missing:
            raise ContentsError(f"damaged: a node reads {min(missing)!r}, which nothing gives")
        given |= {words(name) for part, name in node if part == 2}


def read_value(value: Any) -> Tensor:
    """An input or output of a graph: name (1) and type (2), in it tensor (1) with kind (1) and shape (2)."""
    name, dtype, shape = inside(value, 1), inside(value, 2, 1, 1), inside(value, 2, 1, 2)
    sizes = [size for key, size in message(shape) if key == 1] if shape is not None else []
    return Tensor(
        words(name) if name is not None else "",
        [whole(inside(size, 1)) for size in sizes],  # without a size it has a name (2)
        ONNX_DTYPES.get(whole(dtype) or 0, f"type {dtype} of ONNX"),
        None,
    )


def inside(content: Any, *path: int) -> Any:
    """What a path of fields leads to, message in message; None where one is left out."""
    for key in path:
        if content is None:
            return None
        content = dict(message(content)).get(key)
    return content


def whole(content: Any) -> int | None:
    """A field's number, where there is one."""
    if isinstance(content, memoryview):
        raise ContentsError("expected an ONNX file, got another or a damaged one")
    return content


def parsed(key: str, value: str) -> Any:
    """A fact as a card has it: text as it is, the rest is JSON."""
    if FIELDS[key] == (str,):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise ContentsError(f"expected {key} in its metadata as JSON, got {value[:40]!r}") from error


def message(data: Any) -> Iterator[tuple[int, Any]]:
    """A protobuf message's fields: number, and content as a whole number or a memoryview."""
    if not isinstance(data, memoryview):
        raise ContentsError("expected an ONNX file, got another or a damaged one")
    position = 0
    while position < len(data):
        key, position = variable(data, position)
        kind = key & 7
        if kind == 0:
            value, position = variable(data, position)
            yield key >> 3, value
            continue
        if kind == 2:
            size, position = variable(data, position)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ContentsError("expected an ONNX file, got another or a damaged one")
        if position + size > len(data):
            raise ContentsError(f"cut short or damaged: it lacks {position + size - len(data)} bytes")
        yield key >> 3, data[position : position + size]
        position += size


def variable(data: memoryview, position: int) -> tuple[int, int]:
    """A number of 1-10 bytes, 7 bits each, and the position behind it."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise ContentsError("cut short or damaged: it ends within a number")
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
    raise ContentsError("expected an ONNX file, got another or a damaged one")


def words(content: Any) -> str:
    """A field's text."""
    if not isinstance(content, memoryview):
        raise ContentsError("expected an ONNX file, got another or a damaged one")
    return bytes(content).decode("utf-8", "replace")
