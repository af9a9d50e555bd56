"""Ways to damage a file's bytes: each takes bytes and a random generator, and returns the damaged bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Data = bytes
Mutation = Callable[[Data, np.random.Generator], Data]


def flip_bits(data: Data, random: np.random.Generator) -> Data:
    """Flips 1 to 32 bits anywhere."""
    changed = bytearray(data)
    for place in random.integers(len(data), size=random.integers(1, 33)):
        changed[place] ^= 1 << random.integers(8)
    return bytes(changed)


def set_header(data: Data, random: np.random.Generator) -> Data:
    """Sets 1 to 4 numbers of 1, 2 or 4 bytes among the first 512 bytes to a limit or to anything."""
    changed = bytearray(data)
    for _ in range(random.integers(1, 5)):
        width = int(random.choice([1, 2, 4]))
        place = int(random.integers(max(1, min(512, len(data) - width))))
        limits = (bytes(width), b"\xff" * width, b"\x7f" + b"\xff" * (width - 1), b"\x80" + bytes(width - 1))
        value = limits[random.integers(4)] if random.random() < 0.7 else random.bytes(width)
        changed[place : place + width] = value
    return bytes(changed)


def cut(data: Data, random: np.random.Generator) -> Data:
    """Cuts off the end."""
    return data[: random.integers(len(data))]


def zero_end(data: Data, random: np.random.Generator) -> Data:
    """Sets the end to zeros, as a download that broke off leaves it."""
    place = random.integers(len(data))
    return data[:place] + bytes(len(data) - place)


def remove_block(data: Data, random: np.random.Generator) -> Data:
    """Removes a block from within."""
    start, end = sorted(random.integers(len(data) + 1, size=2))
    return data[:start] + data[end:]


def repeat_block(data: Data, random: np.random.Generator) -> Data:
    """Writes a block of up to 4096 bytes over another place."""
    size = int(random.integers(1, min(4096, len(data)) + 1))
    source, target = random.integers(len(data) - size + 1, size=2)
    return data[:target] + data[source : source + size] + data[target + size :]


def insert_noise(data: Data, random: np.random.Generator) -> Data:
    """Inserts up to 256 random bytes."""
    place = random.integers(len(data) + 1)
    return data[:place] + random.bytes(int(random.integers(1, 257))) + data[place:]


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits,
    set_header,
    cut,
    zero_end,
    remove_block,
    repeat_block,
    insert_noise,
)


def mutate(data: Data, random: np.random.Generator, others: Sequence[Data] = ()) -> Data:
    """Damages a file's bytes in one to three ways; sometimes its end is that of another file."""
    changed = data
    if others and random.random() < 0.1:
        other = others[int(random.integers(len(others)))]
        changed = data[: random.integers(len(data))] + other[random.integers(len(other)) :]
    for _ in range(random.integers(1, 4)):
        if changed:
            changed = MUTATIONS[random.integers(len(MUTATIONS))](changed, random)
    return changed if changed != data else data[:-1]
