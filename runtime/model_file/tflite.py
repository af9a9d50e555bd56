"""Reads a TFLite file: a flatbuffer, perhaps with TFLite Metadata inside and a zip behind it."""

from __future__ import annotations

from typing import Any

from .contents import LARGEST_TEXT, MOST_DIMENSIONS, MOST_ENTRIES, Contents, ContentsError, Tensor
from .flatbuffer import field, follow, number, numbers, table, tables, text, unpack

METADATA_ENTRY = "TFLITE_METADATA"
TFLITE_DTYPES = {0: "float32", 1: "float16", 3: "uint8", 9: "int8"}
# From enumerations and unions of the metadata's schema.
TENSOR_AXIS_LABELS = 2  # the kind of file that labels a tensor's last axis
IMAGE_PROPERTIES = 2
NORMALIZATION_OPTIONS = 1
COLOUR_SPACES = {0: "unknown", 1: "RGB", 2: "GRAYSCALE"}


def read_tflite(data: bytes) -> Contents:
    """Reads what a TFLite file says of itself; its signature, if it has one, gives the names."""
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
    """Returns the names of inputs (slot 0) or outputs (slot 1) in the first signature, by tensor."""
    signatures = tables(data, model, 7)[:1]
    named = [entry for signature in signatures for entry in tables(data, signature, slot, MOST_ENTRIES)]
    return {number(data, entry, 1, "<I"): text(data, entry, 0) or "" for entry in named}


def read_tensor(data: bytes, tensor: int, name: str | None) -> Tensor:
    """Reads an input or output; without a name from a signature it has its own."""
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
    """Returns the flatbuffer of the TFLite Metadata; None without one."""
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
    """Reads the TFLite Metadata under the card's names; a missing fact is None."""
    names = {"model": 0, "description": 1, "version": 2, "licence": 5}
    facts: dict[str, Any] = {name: text(metadata, root, slot) for name, slot in names.items()}
    return facts | {"labels": read_labels(data, metadata, root)}


def tflite_pixels(metadata: bytes, root: int) -> dict[str, Any]:
    """Reads what the TFLite Metadata says of the numbers in input and output: `Contents.pixels`."""
    faces, scores = described_tensor(metadata, root, 2), described_tensor(metadata, root, 3)
    steps = tables(metadata, faces, 4, MOST_ENTRIES) if faces is not None else []
    return {
        "colour_space": read_colour_space(metadata, faces),
        "normalization": [read_step(metadata, step) for step in steps],
        "input_range": read_range(metadata, faces),
        "output_range": read_range(metadata, scores),
    }


def read_colour_space(metadata: bytes, tensor: int | None) -> str | None:
    """Returns the name of an image's colour space; None where the metadata calls it no image."""
    content = table(metadata, tensor, 3) if tensor is not None else None
    if content is None or number(metadata, content, 0, "<B") != IMAGE_PROPERTIES:
        return None
    image = table(metadata, content, 1)
    return COLOUR_SPACES.get(number(metadata, image, 0, "<b"), "another") if image is not None else None


def read_step(metadata: bytes, step: int) -> dict[str, Any] | None:
    """Reads a step before the model: the mean to subtract and the divisor; None for another kind."""
    options = table(metadata, step, 1)
    if number(metadata, step, 0, "<B") != NORMALIZATION_OPTIONS or options is None:
        return None
    return {
        name: numbers(metadata, options, slot, "<f", MOST_ENTRIES)
        for slot, name in enumerate(("mean", "deviation"))
    }


def read_range(metadata: bytes, tensor: int | None) -> list[float] | None:
    """Returns the smallest and the largest value of each channel of a tensor; None without them."""
    stats = table(metadata, tensor, 5) if tensor is not None else None
    if stats is None:
        return None
    largest, smallest = (numbers(metadata, stats, slot, "<f", MOST_ENTRIES) for slot in (0, 1))
    return [*smallest, *largest]


def described_tensor(metadata: bytes, root: int, slot: int) -> int | None:
    """Returns the metadata of the first input (slot 2) or output (slot 3); None without it."""
    for graph in tables(metadata, root, 3)[:1]:
        for tensor in tables(metadata, graph, slot)[:1]:
            return tensor
    return None


def read_labels(data: bytes, metadata: bytes, root: int) -> list[str] | None:
    """Returns the lines of the file that holds the output's labels; None where none is named."""
    scores = described_tensor(metadata, root, 3)
    for file in tables(metadata, scores, 6) if scores is not None else []:
        if number(metadata, file, 2, "<b") == TENSOR_AXIS_LABELS:
            return zipped_lines(data, text(metadata, file, 0) or "")
    return None


def zipped_lines(data: bytes, name: str) -> list[str]:
    """Returns the lines of a file in the zip behind a model."""
    import io  # here, because opening a model needs neither
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open(name) as file:
            return file.read(LARGEST_TEXT).decode("utf-8").splitlines()
    except Exception as error:  # zipfile raises eight kinds and more for a damaged archive
        reason = " ".join(str(error).split())[:100]
        raise ContentsError(f"expected {name} in a zip behind the model, got none: {reason}") from error
