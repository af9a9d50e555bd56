"""A line for each face of a frame: JSON, CSV, and text for people."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from ..recognizer import Face
from .sources import SourceFrame
from .terminal import terminal_text

BEFORE_SCORES = ("source", "frame", "time_s", "face", "id", "x", "y", "width", "height", "label")
AFTER_SCORES = ("smoothed", "confidence")
OTHER_COLUMNS = frozenset((*BEFORE_SCORES, *AFTER_SCORES, "path"))  # `path` is of `ferkit label --flat`


def face_record(frame: SourceFrame, number: int, face: Face) -> dict[str, Any]:
    """Returns the JSON line of one face of a frame, as docs/command-line.md describes it.

    Args:
        frame: The frame.
        number: The face's number in the frame, from 0.
        face: The face.
    """
    scores = {label: round(float(score), 6) for label, score in zip(face.labels, face.scores, strict=True)}
    return {
        "source": frame.name,
        "frame": frame.index,
        "time_s": round(frame.time_s, 3),
        "face": number,
        "id": face.id,
        "box": list(face.box),
        "label": face.label,
        "scores": scores,
        "smoothed": face.smoothed,
        "confidence": round(face.confidence, 6),
    }


def json_lines(frame: SourceFrame, faces: Sequence[Face]) -> str:
    """Returns a line of JSON for each face of a frame."""
    records = (face_record(frame, number, face) for number, face in enumerate(faces))
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def csv_header(labels: Sequence[str]) -> str:
    """Returns the line above those of `csv_lines`, for a model with these labels."""
    return _csv_line([*BEFORE_SCORES, *score_columns(labels), *AFTER_SCORES])


def score_columns(labels: Sequence[str]) -> list[str]:
    """Returns the column of each label's score: its name, or `score_x` where another column is called so."""
    columns = []
    for label in labels:
        column = label
        while column in OTHER_COLUMNS or (column != label and column in labels):
            column = f"score_{column}"
        columns.append(column)
    return columns


def csv_lines(frame: SourceFrame, faces: Sequence[Face]) -> str:
    """Returns a line of CSV for each face of a frame, with the values of `face_record`.

    It is RFC 4180 but for the plain line feed at the end. A face without an id has an empty cell there;
    `smoothed` is `true` or `false`.
    """
    lines = []
    for number, face in enumerate(faces):
        record = face_record(frame, number, face)
        record["smoothed"] = json.dumps(record["smoothed"])
        cells = [part for value in record.values() for part in _cells(value)]
        lines.append(_csv_line(cells))
    return "".join(lines)


def _cells(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else [value]


def _csv_line(cells: Sequence[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue()


def text_lines(frame: SourceFrame, faces: Sequence[Face], *, timed: bool) -> str:
    """Returns a readable line for each face of a frame: its label, its score and its box."""
    name = terminal_text(frame.name)
    where = f"{name} {frame.time_s:.2f} s" if timed else name
    if not faces and not timed:
        return f"{where}: no face found\n"
    lines = []
    for face in faces:
        x, y, width, height = face.box
        who = "" if face.id is None else f"face {face.id} "
        lines.append(f"{where}: {who}{face.label} {face.score:.0%}, box {width}x{height} at ({x}, {y})\n")
    return "".join(lines)
