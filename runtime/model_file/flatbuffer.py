"""Reads a flatbuffer: tables of numbered fields (slots), reached by offsets."""

from __future__ import annotations

import struct
from typing import Any

from .contents import LARGEST_TEXT, ContentsError


def unpack(data: bytes, form: str, position: int) -> Any:
    """Returns the number of this form (as in `struct`) at a position."""
    if not 0 <= position <= len(data) - struct.calcsize(form):
        raise ContentsError(f"cut short or damaged: it refers to byte {position} and has {len(data)}")
    return struct.unpack_from(form, data, position)[0]


def follow(data: bytes, position: int) -> int:
    """Returns the position to which the offset at a position leads."""
    return position + unpack(data, "<I", position)


def field(data: bytes, owner: int, slot: int) -> int | None:
    """Returns the position of a table's field; None where it is left out."""
    slots = owner - unpack(data, "<i", owner)
    place = 4 + 2 * slot
    offset = unpack(data, "<H", slots + place) if place < unpack(data, "<H", slots) else 0
    return owner + offset if offset else None


def number(data: bytes, owner: int, slot: int, form: str) -> int:
    """Returns a number of a table; 0 where it is left out."""
    position = field(data, owner, slot)
    return 0 if position is None else unpack(data, form, position)


def text(data: bytes, owner: int, slot: int) -> str | None:
    """Returns a text of a table; None where it is left out."""
    position = field(data, owner, slot)
    if position is None:
        return None
    start = follow(data, position)
    length = min(unpack(data, "<I", start), LARGEST_TEXT)
    return data[start + 4 : start + 4 + length].decode("utf-8", "replace")


def table(data: bytes, owner: int, slot: int) -> int | None:
    """Returns the position of a table in a table; None where it is left out."""
    position = field(data, owner, slot)
    return None if position is None else follow(data, position)


def tables(data: bytes, owner: int, slot: int, most: int | None = None) -> list[int]:
    """Returns the positions of a list of tables in a table."""
    return [follow(data, position) for position in elements(data, owner, slot, 4, most)]


def numbers(data: bytes, owner: int, slot: int, form: str, most: int | None = None) -> list[Any]:
    """Returns a list of numbers in a table."""
    places = elements(data, owner, slot, struct.calcsize(form), most)
    return [unpack(data, form, position) for position in places]


def elements(data: bytes, owner: int, slot: int, size: int, most: int | None = None) -> range:
    """Returns the positions of a list's elements of `size` bytes; none where the list is left out."""
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
