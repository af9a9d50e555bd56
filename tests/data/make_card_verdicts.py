"""Makes `card_verdicts.json`: `python -m tests.data.make_card_verdicts`.

Ports of the runtime are held to it: they refuse the cards that `runtime/card.schema.json` refuses, and no
others.
Each entry is a place in a card of this folder, and what the card is with another value there.

    card      the file
    kind      what the card is of: "classifier" or "detector"
    at        the keys and indices that lead to the place
    optional  whether it may be left out
    valid     values with which the card is valid: by the schema, and by the three rules that need more than
              the card (`file` is the name of the model file, a classifier's `output.shape` ends with the
              number of labels, and a detector's outputs have the same number of cells)
    refused   values with which it is not

A number with a fraction of 0, such as 1.0, stands nowhere: JSON Schema takes it for a whole number, and some
readers can't tell it from 1.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import runtime

DATA = Path(__file__).parent
PATH = DATA / "card_verdicts.json"
SCHEMA = Path(runtime.__file__).parent / "card.schema.json"
# A card, and the fields in which its verdicts differ from those of the card before.
CARDS: dict[str, tuple[str, ...]] = {
    "tiny_int8_io.tflite.json": (),
    "tiny_fp32.tflite.json": ("dtype", "quantization"),
    "detector.tflite.json": (),
}

Place = tuple[Any, ...]  # keys and indices

ANYWHERE: tuple[Any, ...] = (None, True, -1, 0.5, 300, "x", [], [1], {})
LABELS = ("", " ", "sad", "sad\n", "a\u00a0b", "a\u200bb", "\ue000", "h\u00e9 lo", "\u6012")
SHAPES = (
    [1, 48, 48, 1],
    [None, 48, 48, 1],
    [1, 64, 64, 1],
    [2, 48, 48, 1],
    [1, 7],
    [None, 7],
    [1, 8],
    [True, 7],
)
IMAGES = ([1, 256, 320, 1], [None, 256, 320, 1], [1, 32, 4096, 1], [1, 0, 320, 1])
FOURS = ([1, 1680, 4], [None, 1680, 4], [1, 1681, 4], [1, 1680, 5], [2, 1680, 4])
SOMEWHERE: dict[Place, tuple[Any, ...]] = {
    ("card_version",): (2, 0),
    ("file",): ("other.tflite",),
    ("sha256",): ("0" * 63, "0" * 65, "A" * 64, "0" * 64 + "\n", "0" * 64),
    ("labels", 0): LABELS,
    ("labels",): (["a", "a"], ["a"]),
    ("input", "shape"): (*SHAPES, *IMAGES),
    ("output", "shape"): SHAPES,
    ("input", "dtype"): ("float32", "float16", "int8", "uint8"),
    ("output", "dtype"): ("float32", "float16", "int8", "uint8"),
    ("input", "range"): ([0, 1], [0, 255], [False, 255], [0, 255, 0]),
    ("input", "quantization"): ({"scale": 1, "zero_point": 0}, {"scale": 0.5}, {"scale": 0, "zero_point": 0}),
    ("output", "quantization", "zero_point"): (-128, 127),
    ("input", "crop", "yunet", "scale"): (0.1, 0.09, 10, 10.001),
    ("input", "crop", "haar", "shift_x"): (-10, -10.001, 10, 10.001),
    ("input", "crop", "haar", "shift_y"): (-10, -10.001, 10, 10.001),
    ("input", "crop", "another detector"): ({"scale": 1, "shift_x": 0, "shift_y": 0}, 3),
    ("another field",): (3,),
    ("page",): ("docs/models/tiny.md", None, 3),
    ("kind",): ("detector", "classifier"),
    ("input", "letterbox"): ({"corner": "upper left", "fill": False}, {"corner": "upper left"}),
    ("outputs", "boxes", "shape"): FOURS,
    ("outputs", "eyes", "shape"): FOURS,
    ("outputs", "confidences", "shape"): ([1, 1680], [None, 1680], [1, 1681], [1, 1680, 1], [1, 0]),
    ("threshold",): (0, 1, 1.5),
    ("overlap",): (0, 1, 1.5),
}


def make_verdicts() -> list[dict[str, Any]]:
    """Returns the entries."""
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    entries = []
    for name, fields in CARDS.items():
        card = json.loads((DATA / name).read_text(encoding="utf-8"))
        for at, values in changes_of(card).items():
            if fields and at[-1] not in fields:
                continue
            entry: dict[str, Any] = {"card": name, "kind": card.get("kind", "classifier"), "at": list(at)}
            entry |= {"optional": is_valid(validator, apply(card, at), name), "valid": [], "refused": []}
            for value in values:
                valid = is_valid(validator, apply(card, at, value), name)
                entry["valid" if valid else "refused"].append(value)
            entries.append(entry)
    return entries


def is_valid(validator: Any, card: Any, name: str) -> bool:
    """Whether a card is valid by the schema and by the three rules; `name` is that of its file."""
    if not validator.is_valid(card) or card["file"] != name.removesuffix(".json"):
        return False
    if "kind" not in card:
        return card["output"]["shape"][1] == len(card["labels"])
    return len({output["shape"][1] for output in card["outputs"].values()}) == 1


def changes_of(card: dict[str, Any]) -> dict[Place, list[Any]]:
    """Returns the places of a card, each with the values to try there."""
    changes = {place: list(ANYWHERE) for place in places_of(card)}
    for place, values in SOMEWHERE.items():
        optional = place in (("kind",), ("page",)) or str(place[-1]).startswith("another")
        if place in changes or (optional and "kind" not in card):
            changes[place] = [*changes.get(place, []), *values]
    return changes


def places_of(value: Any, place: Place = ()) -> list[Place]:
    """Returns the place of every value in a card but the card itself; of a list the first element alone."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value[:1]))
    deeper = [found for key, child in inner for found in places_of(child, (*place, key))]
    return ([place] if place else []) + deeper


def apply(card: dict[str, Any], at: Place, *value: Any) -> dict[str, Any]:
    """Returns a changed copy of a card; without a value the field is left out."""
    changed = copy.deepcopy(card)
    owner: Any = changed
    for key in at[:-1]:
        owner = owner[key]
    if value:
        owner[at[-1]] = value[0]
    elif at[-1] in owner or isinstance(owner, list):
        del owner[at[-1]]
    return changed


def json_of(entries: list[dict[str, Any]]) -> str:
    """Returns the file's text, an entry a line."""
    return "[\n" + ",\n".join(json.dumps(entry) for entry in entries) + "\n]\n"


if __name__ == "__main__":
    PATH.write_text(json_of(make_verdicts()), encoding="utf-8")
