"""An ONNX file: a protobuf message."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from ..card import FIELDS
from .contents import Contents, ContentsError, Tensor

ONNX_DTYPES = {1: "float32", 2: "uint8", 3: "int8", 10: "float16"}


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
