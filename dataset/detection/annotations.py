"""Readers of boxes: CSV, WIDER FACE, COCO and PASCAL VOC. Needs numpy only.

Each returns a dict from an image's name, as it stands in the file, to `float32 (boxes, 5)`: x, y, width,
height in pixels of the image, and 1 where the annotators themselves leave a box out of the count.
"""

import csv
import io
import json
import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .images import DataError, ImageStore

Annotations = dict[str, np.ndarray]
FACE_WORDS = ("face", "mask")  # of a class, where there are several


def find_annotations(store: ImageStore) -> Annotations | None:
    """Returns the boxes that lie beside the images, by the images' own names in the store.

    It looks for a CSV whose header has x, y, width and height, for a WIDER FACE list
    (`*bbx_gt.txt`), for COCO's JSON, and for VOC's XML files, in this order.

    Returns:
        The boxes of every image that an annotation names; None where there are no annotations.

    Raises:
        DataError: an annotation is damaged, or names no image that is there.
    """
    readers: list[tuple[str, Callable[[str, str], Annotations]]] = [
        (".csv", read_csv),
        ("bbx_gt.txt", read_wider),
        (".json", read_coco),
    ]
    for ending, reader in readers:
        files = [name for name in store.files if name.lower().endswith(ending)]
        found: Annotations = {}
        for name in files:
            if not (ending == ".csv" and not _has_boxes(store.text(name))):
                found |= reader(store.text(name), f"{store.path}: {name}")
        if found:
            return _placed(found, store)
    files = [name for name in store.files if name.lower().endswith(".xml")]
    if files:
        return _placed(read_voc((store.text(name), f"{store.path}: {name}") for name in files), store)
    return None


def read_csv(text: str, file: str) -> Annotations:
    """Reads a CSV with the columns file, x, y, width, height.

    Args:
        text: of the file.
        file: its name, for messages.

    Raises:
        DataError: a column is missing, or a value is no number.
    """
    boxes: dict[str, list[list[float]]] = {}
    rows = csv.DictReader(io.StringIO(text))
    columns = ("file", "x", "y", "width", "height")
    if missing := set(columns) - set(rows.fieldnames or ()):
        raise DataError(f"{file}: expected a column {min(missing)}, got {rows.fieldnames}.", file)
    for number, row in enumerate(rows, 2):
        values = [_number(row[column], file, f"line {number}, {column}") for column in columns[1:]]
        boxes.setdefault(row["file"], []).append([*values, 0.0])
    return _arrays(boxes, file)


def read_wider(text: str, file: str) -> Annotations:
    """Reads a WIDER FACE list: a path, a count, then a line `x y width height ...` per face.

    The eighth number marks a face that the annotators call invalid: it is left out of the count.

    Raises:
        DataError: a line is not what its place asks for.
    """
    boxes: dict[str, list[list[float]]] = {}
    lines = [line.strip() for line in text.splitlines()]
    at = 0
    while at < len(lines):
        name = lines[at]
        at += 1
        if not name:
            continue
        count = _number(lines[at] if at < len(lines) else "", file, f"line {at + 1}, the number of faces")
        rows = lines[at + 1 : at + 1 + max(1, int(count))]  # an image without faces has a line of zeros
        if len(rows) < count:
            raise DataError(f"{file}: expected {count:.0f} faces of {name}, got {len(rows)}.", file)
        faces = boxes.setdefault(name, [])
        for number, row in enumerate(rows[: int(count)], at + 2):
            values = [_number(word, file, f"line {number}") for word in row.split()]
            if len(values) < 4:
                raise DataError(f"{file}: line {number}: expected x y width height, got {row!r}.", file)
            faces.append([*values[:4], float(len(values) > 7 and values[7] > 0)])
        at += 1 + len(rows)
    return _arrays(boxes, file)


def read_coco(text: str, file: str) -> Annotations:
    """Reads COCO's JSON; crowds are left out of the count.

    Where there are several categories, those with "face" or "mask" in their name are faces.

    Raises:
        DataError: it is no JSON, or lacks what COCO's has.
    """
    try:
        content = json.loads(text)
        names = {image["id"]: image["file_name"] for image in content["images"]}
        kinds = {kind["id"]: kind["name"] for kind in content.get("categories", [])}
        wanted = _faces_among(kinds.values(), file)
        boxes: dict[str, list[list[float]]] = {name: [] for name in names.values()}
        for entry in content["annotations"]:
            if not kinds or kinds[entry["category_id"]] in wanted:
                values = [_number(value, file, f"annotation {entry.get('id')}") for value in entry["bbox"]]
                boxes[names[entry["image_id"]]].append([*values, float(bool(entry.get("iscrowd", 0)))])
    except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{file}: expected COCO's images, annotations and categories, got something else "
            f"({type(error).__name__}: {error}).",
            file,
        ) from error
    return _arrays(boxes, file)


def read_voc(files: Iterable[tuple[str, str]]) -> Annotations:
    """Reads PASCAL VOC's files; "difficult" objects are left out of the count.

    Where there are several classes, those with "face" or "mask" in their name are faces.

    Args:
        files: text and name of each XML file.

    Raises:
        DataError: a file is no XML, or lacks what VOC's has.
    """
    found: list[tuple[str, str, list[float], str]] = []
    boxes: dict[str, list[list[float]]] = {}
    where = ""
    for text, where in files:
        try:
            root = ElementTree.fromstring(text)
        except ElementTree.ParseError as error:
            raise DataError(f"{where}: expected VOC's XML, got something else ({error}).", where) from error
        name = root.findtext("filename")
        if name is None:
            raise DataError(f"{where}: expected VOC's <filename>, got none.", where)
        boxes.setdefault(name, [])
        for entry in root.iter("object"):
            corners = [
                _number(entry.findtext(f"bndbox/{key}") or "", where, key)
                for key in ("xmin", "ymin", "xmax", "ymax")
            ]
            x, y, far_x, far_y = corners
            left_out = float((entry.findtext("difficult") or "0").strip() == "1")
            box = [x, y, far_x - x, far_y - y, left_out]
            found.append((name, entry.findtext("name") or "", box, where))
    wanted = _faces_among({kind for _, kind, _, _ in found}, where)
    for name, kind, box, _ in found:
        if kind in wanted:
            boxes[name].append(box)
    return _arrays(boxes, where)


def _faces_among(kinds: Iterable[str], file: str) -> set[str]:
    kinds = set(kinds)
    if len(kinds) < 2:
        return kinds
    wanted = {kind for kind in kinds if any(word in kind.lower() for word in FACE_WORDS)}
    if not wanted:
        raise DataError(
            f"{file}: expected a class with {' or '.join(FACE_WORDS)} in its name, got {sorted(kinds)}.", file
        )
    return wanted


def _placed(found: Annotations, store: ImageStore) -> Annotations:
    """Returns annotations by the images' names in the store: an annotation may name the end of a path."""
    placed = {}
    own = set(store.images)
    for name, boxes in found.items():
        if name in own:
            placed[name] = boxes
        elif matches := store.named(name):
            if len(matches) > 1:
                raise DataError(
                    f"{store.path}: expected one image {name}, got {len(matches)}; give their folder.",
                    store.path,
                )
            placed[matches[0]] = boxes
    if not placed:
        raise DataError(
            f"{store.path}: expected the images that the annotations name, such as {next(iter(found))}, "
            "got none of them; give the folder that holds both.",
            store.path,
        )
    return placed


def _has_boxes(text: str) -> bool:
    header = text.partition("\n")[0].strip().split(",")
    return {"x", "y", "width", "height"} <= set(header)


def _number(value: Any, file: str, place: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise DataError(f"{file}: {place}: expected a number, got {value!r}.", file)
    return number


def _arrays(boxes: dict[str, list[list[float]]], file: str) -> Annotations:
    """Returns arrays of lists; boxes without an area are dropped, as WIDER FACE has some."""
    arrays = {}
    for name, rows in boxes.items():
        if any(len(row) != 5 for row in rows):
            raise DataError(f"{file}: expected four numbers a box, got others for {name}.", file)
        array = np.array(rows, np.float32).reshape(-1, 5)
        arrays[name] = array[(array[:, 2] > 0) & (array[:, 3] > 0)]
    return arrays
