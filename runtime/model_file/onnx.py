"""Reads an ONNX file: a protobuf message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..card import CLASSIFIER, DETECTOR, FIELDS, FIELDS_OF_KIND
from .contents import Contents, ContentsError, Tensor

KINDS_OF_FIELD = {"kind": (str,), **FIELDS, **FIELDS_OF_KIND[CLASSIFIER], **FIELDS_OF_KIND[DETECTOR]}
ONNX_DTYPES = {1: "float32", 2: "uint8", 3: "int8", 10: "float16"}


def read_onnx(data: bytes) -> Contents:
    """Reads what an ONNX file says of itself."""
    graph, facts = None, {}
    for key, value in fields_of(memoryview(data)):
        if key == 7:
            graph = value
        elif key == 14:
            entry = {part: text_of(content) for part, content in fields_of(value)}
            facts[entry.get(1, "")] = entry.get(2, "")
    if graph is None:
        raise ContentsError("expected an ONNX file with a graph, got none")
    sides: dict[int, list[Tensor]] = {11: [], 12: []}
    for key, value in fields_of(graph):
        if key in sides:
            sides[key].append(read_tensor(value))
    facts = {key: parse(key, value) for key, value in facts.items() if key in KINDS_OF_FIELD}
    return Contents(sides[11], sides[12], facts or None)


def check_wiring(data: bytes) -> None:
    """Checks that every input of a node is an input or a constant of the graph, or an earlier node's output.

    OpenCV 4.14 doesn't check it: such a file ends its process.

    Raises:
        ContentsError: An input of a node comes from nowhere.
    """
    graph = find(memoryview(data), 7)
    if graph is None:
        raise ContentsError("expected an ONNX file with a graph, got none")
    fields = list(fields_of(graph))
    given = {"", *(text_of(find(value, 8) or value[:0]) for key, value in fields if key == 5)}
    given |= {text_of(find(value, 1) or value[:0]) for key, value in fields if key == 11}
    for node in (list(fields_of(value)) for key, value in fields if key == 1):
        missing = {text_of(name) for part, name in node if part == 1} - given
        if missing:
            raise ContentsError(f"damaged: a node reads {min(missing)!r}, which nothing gives")
        given |= {text_of(name) for part, name in node if part == 2}


def read_tensor(value: Any) -> Tensor:
    """Reads an input or output of a graph.

    Fields: name (1) and type (2); in the type a tensor (1) with its kind (1) and shape (2).
    """
    name, dtype, shape = find(value, 1), find(value, 2, 1, 1), find(value, 2, 1, 2)
    sizes = [size for key, size in fields_of(shape) if key == 1] if shape is not None else []
    return Tensor(
        text_of(name) if name is not None else "",
        [number_of(find(size, 1)) for size in sizes],  # without a size it has a name (2)
        ONNX_DTYPES.get(number_of(dtype) or 0, f"type {dtype} of ONNX"),
        None,
    )


def find(content: Any, *path: int) -> Any:
    """Returns the field at a path of fields, message in message; None where one is left out."""
    for key in path:
        if content is None:
            return None
        content = dict(fields_of(content)).get(key)
    return content


def number_of(content: Any) -> int | None:
    """Returns a field's number; None without the field."""
    if isinstance(content, memoryview):
        raise ContentsError("expected an ONNX file, got another or a damaged one")
    return content


def parse(key: str, value: str) -> Any:
    """Returns a fact as a card has it: text as it is, the rest from JSON."""
    if KINDS_OF_FIELD[key] == (str,):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise ContentsError(f"expected {key} in its metadata as JSON, got {value[:40]!r}") from error


def fields_of(data: Any) -> Iterator[tuple[int, Any]]:
    """Yields a protobuf message's fields: the field's number, and its content as int or memoryview."""
    if not isinstance(data, memoryview):
        raise ContentsError("expected an ONNX file, got another or a damaged one")
    position = 0
    while position < len(data):
        key, position = varint(data, position)
        kind = key & 7
        if kind == 0:
            value, position = varint(data, position)
            yield key >> 3, value
            continue
        if kind == 2:
            size, position = varint(data, position)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ContentsError("expected an ONNX file, got another or a damaged one")
        if position + size > len(data):
            raise ContentsError(f"cut short or damaged: it lacks {position + size - len(data)} bytes")
        yield key >> 3, data[position : position + size]
        position += size


def varint(data: memoryview, position: int) -> tuple[int, int]:
    """Reads a number of 1 to 10 bytes, 7 bits each; returns it and the position behind it."""
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


def text_of(content: Any) -> str:
    """Returns a field's text."""
    if not isinstance(content, memoryview):
        raise ContentsError("expected an ONNX file, got another or a damaged one")
    return bytes(content).decode("utf-8", "replace")
