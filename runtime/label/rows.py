"""One file -> one row. Everything else of `ferkit label` carries paths to this function and rows from it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from ..command.lines import face_record
from ..command.open_source import open_source
from ..command.sources import Source, SourceFrame, Video
from ..command.summary import Summary
from ..images import SourceError
from ..recognizer import Face, Recognizer
from ..smoothing import UNCERTAIN
from .settings import Settings
from .store import local_copy

if TYPE_CHECKING:
    import pyarrow as pa

    Faces: TypeAlias = list[dict[str, Any]] | pa.Array

FACES_PER_CHUNK = 4096  # so many are held as Python's objects, which take ten times the room

Row = dict[str, Any]  # by column of `row_schema`; one that is missing is null


def face_type(labels: Sequence[str]) -> pa.StructType:
    """Returns Arrow's type of a face; its fields are those of `ferkit run --json`."""
    import pyarrow as pa

    box = pa.struct([(name, pa.int32()) for name in ("x", "y", "width", "height")])
    scores = pa.struct([(label, pa.float32()) for label in labels])
    fields = [("frame", pa.int32()), ("time_s", pa.float64()), ("id", pa.int32()), ("box", box)]
    fields += [("label", pa.string()), ("scores", scores)]
    return pa.struct([*fields, ("confidence", pa.float32()), ("smoothed", pa.bool_())])


def share_columns(labels: Sequence[str]) -> dict[str, str]:
    """Returns the column of each label's share of time, `uncertain` among them."""
    return {label: f"share_{label}" for label in dict.fromkeys((*labels, UNCERTAIN))}


def row_schema(labels: Sequence[str]) -> pa.Schema:
    """Returns Arrow's schema of a row, as docs/archives.md describes it."""
    import pyarrow as pa

    facts = [("path", pa.string()), ("size", pa.int64()), ("kind", pa.string()), ("frames", pa.int32())]
    facts += [("width", pa.int32()), ("height", pa.int32()), ("seconds", pa.float64())]
    shares = [(column, pa.float32()) for column in share_columns(labels).values()]
    return pa.schema([*facts, ("faces", pa.list_(face_type(labels))), *shares, ("error", pa.string())])


def label_file(recognizer: Recognizer, path: str, settings: Settings) -> Row:
    """Labels one file; returns its row.

    Whatever is wrong with the file becomes the row's `error`, beside what was labelled until then.

    Args:
        recognizer: Finds and labels the faces.
        path: A path or an address.
        settings: How.
    """
    faces = _Faces(settings.labels)
    row: Row = {"path": stored(path)}
    try:
        with local_copy(path, folder=settings.folder, address=settings.address) as local:
            row["size"] = local.stat().st_size
            with open_source(local, every_s=settings.every_s) as source:
                _label_frames(recognizer, source, settings, row, faces)
    except SourceError as error:
        row["error"] = stored(error.problem)
    except Exception as error:  # one file must not end the labelling of the others
        reason = " ".join(str(error).split())[:300]
        row["error"] = stored(f"a fault of ferkit itself: {type(error).__name__}: {reason}")
    return row | {"faces": faces.all()}


def failed_row(path: str, error: str) -> Row:
    """Returns the row of a file that could not be labelled at all."""
    return {"path": stored(path), "faces": [], "error": stored(error)}


def batch_of(rows: Sequence[Row], labels: Sequence[str]) -> pa.RecordBatch:
    """Returns rows as Arrow's, in the columns of `row_schema`. Of many rows at once it costs least."""
    import pyarrow as pa

    schema = row_schema(labels)
    columns = [
        _faces_column([row["faces"] for row in rows], face_type(labels))
        if field.name == "faces"
        else pa.array([row.get(field.name) for row in rows], field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def stored(path: str) -> str:
    r"""Returns a path as the column `path` has it: a byte that is not UTF-8 becomes `\udcXX`."""
    return path.encode(errors="backslashreplace").decode()


def _label_frames(
    recognizer: Recognizer, source: Source, settings: Settings, row: Row, faces: _Faces
) -> None:
    """Labels the frames of a source as `ferkit run` does, into a row and its faces."""
    row["kind"] = "image" if source.is_still else "video"
    summary = Summary(source.name, frame_rate=1 / settings.every_s if settings.every_s else source.frame_rate)
    faces_of = _faces_of(recognizer, settings, still=source.is_still)
    try:
        for frame in source:
            if "width" not in row:
                row["height"], row["width"] = frame.pixels.shape[:2]
            found = faces_of(frame)
            faces.add(frame, found)
            summary.add(frame, found)
    finally:  # of a file that breaks off, what was seen until then counts
        summary.finish()
        row["frames"] = source.frames if isinstance(source, Video) else summary.frames
        if isinstance(source, Video) and source.frames:
            row["seconds"] = round(source.end_s + (1 / source.frame_rate if source.frame_rate else 0.0), 3)
        row |= _shares(summary, settings.labels)
        if source.failures:
            row["error"] = stored(source.failures[0].removeprefix(f"{source.name}: "))


def _faces_of(
    recognizer: Recognizer, settings: Settings, *, still: bool
) -> Callable[[SourceFrame], list[Face]]:
    if still:
        return lambda frame: recognizer.recognize(frame.pixels)
    stream = recognizer.stream(
        detect_every=settings.detect_every,
        smooth=settings.smooth,
        time_constant_s=settings.time_constant_s,
        threshold=settings.threshold,
    )
    return lambda frame: stream.recognize(frame.pixels, frame.time_s)


def _shares(summary: Summary, labels: Sequence[str]) -> dict[str, float]:
    """Returns each label's share of the time in which faces were seen; nothing where none was."""
    seconds = [face.seconds_of() for face in summary.faces()]
    seen_s = sum(sum(times.values()) for times in seconds)
    if not seen_s:
        return {}
    return {
        column: sum(times.get(label, 0.0) for times in seconds) / seen_s
        for label, column in share_columns(labels).items()
    }


def _faces_column(faces_of_rows: Sequence[Faces], kind: pa.StructType) -> pa.ListArray:
    import pyarrow as pa

    ends = pa.array([0, *itertools.accumulate(map(len, faces_of_rows))], pa.int32())
    if any(isinstance(faces, pa.Array) for faces in faces_of_rows):
        values = pa.concat_arrays(
            [faces if isinstance(faces, pa.Array) else pa.array(faces, kind) for faces in faces_of_rows]
        )
    else:
        values = pa.array([face for faces in faces_of_rows for face in faces], kind)
    return pa.ListArray.from_arrays(ends, values)


class _Faces:
    """The faces of one file; those of a long video, hundreds of thousands, become Arrow's as they come."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = labels
        self._chunks: list[pa.Array] = []
        self._records: list[dict[str, Any]] = []

    def add(self, frame: SourceFrame, faces: Sequence[Face]) -> None:
        for number, face in enumerate(faces):
            record = face_record(frame, number, face)
            record["box"] = dict(zip(("x", "y", "width", "height"), record["box"], strict=True))
            self._records.append(record)
        if len(self._records) >= FACES_PER_CHUNK:
            self._settle()

    def _settle(self) -> None:
        import pyarrow as pa

        self._chunks.append(pa.array(self._records, face_type(self._labels)))
        self._records = []

    def all(self) -> Faces:
        """Returns them: a list of a few, Arrow's array of many."""
        if not self._chunks:
            return self._records
        import pyarrow as pa

        self._settle()
        return pa.concat_arrays(self._chunks)
