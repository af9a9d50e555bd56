"""Images of people with the groups that they belong to, read from a folder or a zip file.

Two layouts are read:

- The Face Research Lab London Set (DeBruine and Jones 2017, figshare 5047666, CC BY 4.0): `people.csv` with
  a column `id`, and `neutral/<id>.jpg` and `smiling/<id>.jpg`. The labels are neutral and happy.
- Any other: a CSV with a column `file`, relative to the folder; `label` and `person`, if there are such
  columns; every other column is a group, such as gender. FairFace's `val.csv` is such a file.
"""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from benchmarks.errors import BenchmarkError
from reporting.files import sha256_of

LONDON_LABELS = {"neutral": "neutral", "smiling": "happy"}  # folder: label
CSV_NAMES = ("groups.csv", "val.csv")
MOST_GROUPS = 20  # a column of more values, such as an age in years, is no group
UNKNOWN = ("", "NA")
# A damaged, encrypted or unknown kind of entry of a zip file, or what the system refuses.
UNREADABLE = (OSError, zipfile.BadZipFile, zlib.error, RuntimeError, EOFError)


class GroupsError(BenchmarkError):
    """The images or their table are not as expected.

    Attributes:
        path: The folder, zip file or table.
    """

    def __init__(self, path: str | Path, message: str) -> None:
        """Keeps the path and puts it before the message."""
        self.path = Path(path)
        super().__init__(f"{path}: {message}")


@dataclass(frozen=True)
class Listed:
    """An image of the table.

    Attributes:
        file: Its name inside the folder or zip file.
        label: What its face shows; None where that is unknown.
        person: Who it is; None where that is unknown.
        groups: The group in each column that has one for it.
    """

    file: str
    label: str | None
    person: str | None
    groups: dict[str, str]


class Collection:
    """The images of a folder or zip file. Use it in a `with`, which closes the zip file.

    Attributes:
        path: The folder or zip file.
        listed: Its images, in the order of the table.
        left_out: Columns that are no groups, as they have over `MOST_GROUPS` values.
    """

    def __init__(self, path: str | Path, table: str | Path | None = None) -> None:
        """Reads the table.

        Args:
            path: A folder or a zip file.
            table: The CSV, in the folder or anywhere. None: `people.csv`, else one of `CSV_NAMES`, in it.

        Raises:
            GroupsError: There is no such folder, table or column, or an image of the table is missing.
        """
        self.path = Path(path)
        self._zip = self._opened()
        self._names = set(self._zip.namelist()) if self._zip else None
        self.listed, self.left_out = self._read(table)

    def __enter__(self) -> Collection:
        """Returns itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the zip file."""
        if self._zip:
            self._zip.close()

    def digest(self) -> str | None:
        """Returns the zip file's sha256; None for a folder."""
        return sha256_of(self.path) if self._zip else None

    def frame(self, file: str) -> np.ndarray:
        """Returns an image as a frame, uint8 BGR (height, width, 3).

        Raises:
            GroupsError: The file can't be read, or is no image that OpenCV reads.
        """
        pixels = np.frombuffer(self._bytes(file), np.uint8)
        try:
            frame = cv2.imdecode(pixels, cv2.IMREAD_COLOR) if pixels.size else None
        except cv2.error as error:  # of a header that promises too many pixels
            raise GroupsError(self.path, f"{file}: expected an image, got: {error.err}.") from error
        if frame is None:
            raise GroupsError(self.path, f"{file}: expected an image that OpenCV reads, got none.")
        return frame

    def _opened(self) -> zipfile.ZipFile | None:
        if self.path.is_dir():
            return None
        try:
            return zipfile.ZipFile(self.path)
        except (OSError, zipfile.BadZipFile) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise GroupsError(
                self.path, f"expected a folder or a zip file of images, got: {reason}."
            ) from error

    def _has(self, name: str) -> bool:
        return name in self._names if self._names is not None else (self.path / name).is_file()

    def _bytes(self, name: str) -> bytes:
        try:
            return self._zip.read(name) if self._zip else (self.path / name).read_bytes()
        except UNREADABLE as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise GroupsError(
                self.path, f"{name}: expected a file that can be read, got: {reason}."
            ) from error

    def _read(self, table: str | Path | None) -> tuple[list[Listed], list[str]]:
        if table is None and self._has("people.csv"):
            return with_groups(list(self._london()))
        rows = self._rows(table)
        listed: list[Listed] = []
        lines: dict[str, int] = {}  # by file
        for number, row in enumerate(rows, start=2):
            file = str(PurePosixPath(row.pop("file").strip().replace("\\", "/")))
            if PurePosixPath(file).is_absolute() or ".." in PurePosixPath(file).parts:
                raise GroupsError(
                    self.path, f"expected a file inside it in the table's line {number}, got {file}."
                )
            if not self._has(file):
                raise GroupsError(
                    self.path, f"expected the image {file} of the table's line {number}, got none."
                )
            if (first := lines.setdefault(file, number)) != number:
                raise GroupsError(
                    self.path,
                    f"expected each image once, got {file} in the table's lines {first} and {number}: "
                    "an image that counts twice makes intervals too narrow.",
                )
            label, person = (row.pop(name, "").strip() or None for name in ("label", "person"))
            listed.append(Listed(file, label, person, known(row)))
        return with_groups(listed)

    def _london(self) -> Iterator[Listed]:
        for row in self._parsed("people.csv", self._bytes("people.csv"), needs="id"):
            person = row.pop("id").strip()
            files = {f"{folder}/{person}.jpg": label for folder, label in LONDON_LABELS.items()}
            there = {file: label for file, label in files.items() if self._has(file)}
            if not there:
                wanted = " or ".join(files)
                raise GroupsError(self.path, f"expected {wanted} of a person in people.csv, got neither.")
            for file, label in there.items():
                yield Listed(file, label, person, known(row))

    def _rows(self, table: str | Path | None) -> list[dict[str, str]]:
        if table is None:
            name = next((name for name in CSV_NAMES if self._has(name)), None)
            if name is None:
                raise GroupsError(
                    self.path,
                    f"expected a table people.csv or {' or '.join(CSV_NAMES)}, got none. Name it: --table",
                )
            return self._parsed(name, self._bytes(name), needs="file")
        if self._has(str(table)):
            return self._parsed(str(table), self._bytes(str(table)), needs="file")
        try:
            return self._parsed(str(table), Path(table).read_bytes(), needs="file")
        except OSError as error:
            raise GroupsError(table, f"expected a CSV, got: {error.strerror}.") from error

    def _parsed(self, name: str, content: bytes, *, needs: str) -> list[dict[str, str]]:
        try:
            reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig")), restval="")
            rows = [{key.strip(): value for key, value in row.items() if key} for row in reader]
        except (UnicodeDecodeError, csv.Error) as error:
            raise GroupsError(name, f"expected a CSV in UTF-8, got: {error}.") from error
        heads = [head.strip() for head in reader.fieldnames or ()]
        if needs not in heads:
            got = ", ".join(heads) or "no line"
            raise GroupsError(name, f"expected a CSV with a column {needs}, got {got}.")
        if not rows:
            raise GroupsError(name, "expected a line for each image, got the names of the columns alone.")
        if colon := next((head for head in heads if ": " in head), None):
            raise GroupsError(name, f"expected names of columns without a colon and a space, got {colon!r}.")
        return rows


def known(row: dict[str, str]) -> dict[str, str]:
    """Returns the columns of a row that say something."""
    return {key: value.strip() for key, value in row.items() if value.strip() not in UNKNOWN}


def with_groups(listed: Sequence[Listed]) -> tuple[list[Listed], list[str]]:
    """Returns the images without the columns that are no groups, and the names of these columns."""
    values: dict[str, set[str]] = {}
    for image in listed:
        for column, value in image.groups.items():
            values.setdefault(column, set()).add(value)
    dropped = [column for column, found in values.items() if len(found) > MOST_GROUPS]
    kept = [
        Listed(
            image.file,
            image.label,
            image.person,
            {column: value for column, value in image.groups.items() if column not in dropped},
        )
        for image in listed
    ]
    return kept, dropped
