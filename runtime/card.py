"""The card of a model file: `cnn_int8.tflite` travels with `cnn_int8.tflite.json`.

`card.schema.json` defines the card. The check here needs no further package and refuses the same cards;
`tests/runtime/test_card_schema.py` holds the two together.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

from .errors import PathError

CARD_VERSION = 1
# How weights are stored, from the most exact to the smallest.
PRECISIONS = ("fp32", "fp16", "dynamic", "int8", "int8_io")

CLASSIFIER, DETECTOR = "classifier", "detector"  # kinds; a classifier's card names none

# By field: the JSON types that it may have.
FIELDS: dict[str, tuple[type, ...]] = {
    "card_version": (int,),
    "file": (str,),
    "model": (str,),
    "precision": (str,),
    "description": (str,),
    "licence": (str,),
    "page": (str, type(None)),
    "sha256": (str,),
    "bytes": (int,),
    "input": (dict,),
    "parity": (dict,),
    "accuracy": (dict, type(None)),
    "versions": (dict,),
}
FIELDS_OF_KIND: dict[str, dict[str, tuple[type, ...]]] = {
    CLASSIFIER: {"labels": (list,), "output": (dict,)},
    DETECTOR: {"outputs": (dict,), "threshold": (int, float), "overlap": (int, float)},
}
JSON_NAMES = {
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
    bool: "true or false",
    type(None): "null",
}
CROP_FIELDS = ("scale", "shift_x", "shift_y")
LETTERBOX = {"corner": "upper left", "fill": 0}
MOST_CROP = 10.0  # sides of a box: beyond it a crop shows no face


class CardError(PathError):
    """A card is missing, is no card of version 1, or belongs to another file."""


def card_path(model_path: str | os.PathLike[str]) -> Path:
    """Returns the path of a model file's card: beside it, with `.json` behind the whole file name."""
    model_path = Path(model_path)
    return model_path.with_name(model_path.name + ".json")


def kind_of(card: dict[str, Any]) -> str:
    """Returns what a card's file is: `CLASSIFIER` or `DETECTOR`."""
    return str(card.get("kind", CLASSIFIER))


def read_card(model_path: str | os.PathLike[str]) -> dict[str, Any]:
    """Reads and checks the card beside a model file; the model file itself is not opened.

    `card.schema.json` describes the fields; others are kept as they are. `kind_of` tells a classifier's card
    from a face detector's.

    Args:
        model_path: The model file; its card is this path plus `.json`.

    Raises:
        CardError: There is no card, or it isn't one; the message names the card and the field.
    """
    path = card_path(model_path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CardError(
            f"expected the card of {Path(model_path).name}, got no such file. "
            "A model file and its card are made together: copy both.",
            path=path,
        ) from None
    except OSError as error:
        raise CardError(f"the card can't be read: {error.strerror or error}.", path=path) from error
    except UnicodeDecodeError as error:
        raise CardError(
            f"expected JSON as UTF-8, got byte {error.object[error.start]:#04x} at {error.start}. "
            "Copy the card again.",
            path=path,
        ) from error
    try:
        card = json.loads(text)
    except json.JSONDecodeError as error:
        raise CardError(
            f"expected JSON, got {error.msg} at column {error.colno}. "
            "Export the model again, or copy its card again.",
            path=f"{path}:{error.lineno}",
        ) from error
    except (ValueError, RecursionError) as error:  # a number or a nesting beyond Python's limits
        raise CardError(
            f"expected JSON as a card has it, got {error}. Copy the card again.", path=path
        ) from error
    _check_card(card, path, Path(model_path).name)
    return card


def check_file(model_path: str | os.PathLike[str], card: dict[str, Any]) -> None:
    """Checks that a model file is the one that its card describes, byte for byte.

    Raises:
        CardError: Size or sha256 differ, or the file can't be read.
    """
    try:
        data = Path(model_path).read_bytes()
    except OSError as error:
        raise CardError(f"the model can't be read: {error.strerror or error}.", path=model_path) from error
    if len(data) != card["bytes"]:
        got, expected = f"{len(data)} bytes", f"{card['bytes']} bytes"
    elif (digest := hashlib.sha256(data).hexdigest()) != card["sha256"]:
        got, expected = f"sha256 {digest}", f"sha256 {card['sha256']}"
    else:
        return
    raise CardError(
        f"expected the file that its card describes ({expected}), got {got}. "
        "The file is incomplete, or the card belongs to another: copy both again.",
        path=model_path,
    )


def _check_card(card: Any, path: Path, file_name: str) -> None:
    if not isinstance(card, dict):
        raise CardError(f"expected an object, got {_json_name(card)}.", path=path)
    version = card.get("card_version")
    if version != CARD_VERSION or isinstance(version, bool):
        got = "none" if version is None else json.dumps(version)
        raise CardError(
            f"expected card_version {CARD_VERSION}, got {got}. "
            "Export the model again with this release, or install the release that wrote the card.",
            path=path,
        )
    kind = kind_of(card)
    if kind not in FIELDS_OF_KIND or card.get("kind") == CLASSIFIER:
        raise CardError(
            f'expected the kind "{DETECTOR}", or none for a classifier, got {json.dumps(card["kind"])}. '
            "Install the release that wrote the card.",
            path=path,
        )
    for field, kinds in (FIELDS | FIELDS_OF_KIND[kind]).items():
        _check_kind(card, field, kinds, field, path)
    if card["file"] != file_name:
        raise CardError(
            f"expected file {file_name}, got {card['file']}. Rename the model file and its card "
            "back, or copy the card that belongs to the file.",
            path=path,
        )
    if not re.fullmatch("[0-9a-f]{64}", card["sha256"]):
        raise CardError(f"expected sha256 as 64 hexadecimal digits, got {card['sha256']!r}.", path=path)
    (_check_detector if kind == DETECTOR else _check_classifier)(card, path)
    if not _is_same(card["input"].get("range"), [0, 255]):
        got = json.dumps(card["input"].get("range"))
        raise CardError(f"expected input.range [0, 255] (gray pixels), got {got}.", path=path)
    _check_kind(card["parity"], "largest_gap", (int, float), "parity.largest_gap", path)


def _check_classifier(card: dict[str, Any], path: Path) -> None:
    labels = card["labels"]
    names = [label for label in labels if isinstance(label, str) and label.strip() and label.isprintable()]
    if not names or len(names) != len(labels) or len(set(names)) != len(labels):
        raise CardError(f"expected labels as a list of different names, got {json.dumps(labels)}.", path=path)
    _check_tensor(card["input"], "input", [48, 48, 1], path)
    _check_tensor(card["output"], "output", [len(labels)], path)
    _check_crop(card["input"].get("crop"), path)


def _check_detector(card: dict[str, Any], path: Path) -> None:
    """Checks the input, a gray image of any size, and that every output has an answer for each cell."""
    height, width = _sizes(card["input"], (1, 2), "input", path)
    _check_floats(card["input"], "input", [height, width, 1], path)
    letterbox = card["input"].get("letterbox")
    if json.dumps(letterbox, sort_keys=True) != json.dumps(LETTERBOX):  # for Python False == 0
        raise CardError(
            f"expected input.letterbox {json.dumps(LETTERBOX)}, got {json.dumps(letterbox)}.", path=path
        )
    _check_kind(card["outputs"], "confidences", (dict,), "outputs.confidences", path)
    (cells,) = _sizes(card["outputs"]["confidences"], (1,), "outputs.confidences", path)
    for name, tail in (("confidences", [cells]), ("boxes", [cells, 4]), ("eyes", [cells, 4])):
        _check_kind(card["outputs"], name, (dict,), f"outputs.{name}", path)
        _check_floats(card["outputs"][name], f"outputs.{name}", tail, path)
    for field in ("threshold", "overlap"):
        if not 0 <= card[field] <= 1:
            raise CardError(f"expected {field} from 0 to 1, got {_shortened(card[field])}.", path=path)


def _sizes(tensor: dict[str, Any], dimensions: tuple[int, ...], field: str, path: Path) -> list[int]:
    """Returns the sizes of these dimensions of a tensor, which its file decides."""
    _check_kind(tensor, "shape", (list,), f"{field}.shape", path)
    sizes = tensor["shape"][dimensions[0] : dimensions[-1] + 1]
    if len(sizes) < len(dimensions) or not all(type(size) is int and size > 0 for size in sizes):
        got = json.dumps(tensor["shape"])
        raise CardError(f"expected {field}.shape with sizes of at least 1, got {got}.", path=path)
    return sizes


def _check_floats(tensor: dict[str, Any], field: str, tail: list[Any], path: Path) -> None:
    """Checks a tensor of one image's numbers, which are float32."""
    _check_tensor(tensor, field, tail, path)
    if tensor["shape"][0] != 1 or tensor["dtype"] != "float32":
        got = f"{tensor['dtype']} {json.dumps(tensor['shape'])}"
        raise CardError(f"expected {field} as float32 {json.dumps([1, *tail])}, got {got}.", path=path)


def _check_tensor(tensor: dict[str, Any], field: str, tail: list[Any], path: Path) -> None:
    """Checks name, shape (1 or null, then `tail`), dtype and quantization of `input` or `output`."""
    _check_kind(tensor, "name", (str,), f"{field}.name", path)
    _check_kind(tensor, "shape", (list,), f"{field}.shape", path)
    if not any(_is_same(tensor["shape"], [batch, *tail]) for batch in (1, None)):
        expected = f"{json.dumps([1, *tail])} or {json.dumps([None, *tail])}"
        raise CardError(f"expected {field}.shape {expected}, got {json.dumps(tensor['shape'])}.", path=path)
    dtype, quantization = tensor.get("dtype"), tensor.get("quantization")
    if dtype not in ("float32", "int8", "uint8"):
        raise CardError(f"expected {field}.dtype float32, int8 or uint8, got {json.dumps(dtype)}.", path=path)
    where = f"{field}.quantization"
    if dtype == "float32":
        _check_kind(tensor, "quantization", (type(None),), where, path)
        return
    _check_kind(tensor, "quantization", (dict,), where, path)
    assert isinstance(quantization, dict)
    _check_kind(quantization, "scale", (int, float), f"{where}.scale", path)
    if not quantization["scale"] > 0:
        raise CardError(
            f"expected {where}.scale above 0, got {_shortened(quantization['scale'])}.", path=path
        )
    _check_kind(quantization, "zero_point", (int,), f"{where}.zero_point", path)


def _check_crop(crop: Any, path: Path) -> None:
    _check_kind({"crop": crop}, "crop", (dict,), "input.crop", path)
    for detector in ("yunet", "haar", *({"ferkit"} & crop.keys())):  # older cards have no rule for ferkit
        _check_kind(crop, detector, (dict,), f"input.crop.{detector}", path)
        for field in CROP_FIELDS:
            where, value = f"input.crop.{detector}.{field}", crop[detector].get(field)
            _check_kind(crop[detector], field, (int, float), where, path)
            smallest = 0.1 if field == "scale" else -MOST_CROP
            if (
                not smallest <= value <= MOST_CROP
            ):  # refuses NaN and Infinity, too, which Python reads as JSON
                raise CardError(
                    f"expected {where} from {smallest:g} to {MOST_CROP:g}, got {_shortened(value)}.",
                    path=path,
                )


def _check_kind(mapping: dict[str, Any], key: str, kinds: tuple[type, ...], field: str, path: Path) -> None:
    if key not in mapping and type(None) not in kinds:
        raise CardError(f"expected the field {field}, got none. Export the model again.", path=path)
    value = mapping.get(key)
    if not isinstance(value, kinds) or isinstance(value, bool):
        expected = " or ".join(dict.fromkeys(JSON_NAMES[kind] for kind in kinds))
        raise CardError(f"expected {field} to be {expected}, got {_json_name(value)}.", path=path)


def _is_same(found: Any, expected: list[Any]) -> bool:
    """Returns whether a list is the expected one. For Python `True == 1`; in JSON they differ."""
    return found == expected and not any(isinstance(value, bool) for value in found)


def _shortened(number: float) -> str:
    """Returns a number as text, of hundreds of digits the first ones."""
    text = repr(number)
    return text if len(text) <= 20 else f"{text[:20]}..."


def _json_name(value: Any) -> str:
    return JSON_NAMES[type(value)]
