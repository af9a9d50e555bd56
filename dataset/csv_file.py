"""FER2013's CSV, plain or packed: every line is checked, and a bad one is named by file and line."""

from __future__ import annotations

import contextlib
import csv
import gzip
import hashlib
import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from reporting.progress import progress as with_progress_bar

from .fer2013 import FACE_SIZE_PX, LABELS, PIXELS, Dataset
from .locate import CSV_NAMES, SPLIT_OF_SPELLING, DatasetError

try:
    import lzma
except ImportError:  # Pythons built from source on a board often lack it
    lzma = None  # type: ignore[assignment]

COLUMNS = ("emotion", "pixels", "usage")

MEND = "Download the file again, or mend this line."

UNREADABLE: tuple[type[Exception], ...] = (
    OSError,
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    tarfile.TarError,
    NotImplementedError,  # a way of packing that zipfile does not know
    *((lzma.LZMAError,) if lzma else ()),
)
"""What a damaged file raises while it is read, whatever its packing."""


def read_csv(path: Path, *, classes: tuple[str, ...] = LABELS, progress: bool = False) -> Dataset:
    """Reads a CSV with the columns emotion, pixels and Usage, whatever their order, spaces and case.

    Other columns are ignored. The rows stream through: memory holds the faces (83 MB for FER2013), never the
    300 MB of text.

    Args:
        path: The CSV, plain or packed.
        classes: The names of the classes. The column emotion has their numbers from 0; if they are not
            FER2013's own, it may have the names.
        progress: Shows a progress bar.

    Raises:
        DatasetError: A row is not as expected, or the file is damaged or cut; the message names file and
            line.
    """
    digest = hashlib.sha256()
    pixels, labels, splits = bytearray(), [], []
    line_number, line = 0, b""
    label_of_text = labels_in_words(classes)
    try:
        with open_csv(path) as file:
            line_number, line = 1, file.readline()
            digest.update(line)
            columns = parse_header(line, place=f"{path}:1")
            lines = with_progress_bar(file, f"Reading {path.name}", unit=" rows") if progress else file
            for line_number, line in enumerate(lines, start=2):
                digest.update(line)
                label, face, split = parse_row(line, columns, label_of_text, place=f"{path}:{line_number}")
                labels.append(label)
                pixels += face
                splits.append(split)
    except PermissionError as error:
        raise DatasetError(f"{path}: expected a file that can be read, got: {error.strerror}.") from error
    except UNREADABLE as error:
        raise DatasetError(
            f"{path}: expected a whole file, got a damaged one after line {line_number} "
            f"({str(error).rstrip('.') or type(error).__name__}). Download the file again."
        ) from error
    if not labels:
        raise DatasetError(f"{path}: expected rows after the header, got none. Download the file again.")
    if columns[-1] == "pixels" and not line.endswith(b"\n"):
        raise DatasetError(
            f"{path}:{line_number}: expected a newline after the last pixel, got the end of the file: the "
            "pixel may be cut. Download the file again, or end its last line if it is whole."
        )
    return Dataset(
        faces=np.frombuffer(pixels, np.uint8).reshape(-1, FACE_SIZE_PX, FACE_SIZE_PX, 1),
        labels=np.array(labels, np.int64),
        splits=np.array(splits),
        origins=range(2, len(labels) + 2),
        path=path,
        sha256=digest.hexdigest(),
        classes=classes,
    )


def labels_in_words(classes: tuple[str, ...]) -> dict[bytes, int]:
    """Returns the label that each text of the column emotion stands for.

    Names that are numbers themselves, such as ages, leave no place for the classes' numbers.
    """
    numbers = {str(label).encode(): label for label in range(len(classes))}
    if classes == LABELS:
        return numbers
    names = {name.encode(): label for label, name in enumerate(classes)}
    return names if any(name.isdigit() for name in classes) else numbers | names


@contextlib.contextmanager
def open_csv(path: Path) -> Iterator[IO[bytes] | io.BufferedIOBase]:
    """Opens the CSV in a file by the ending of its name: .gz, .xz, .zip, .tar.gz, .tgz, else as it is."""
    name = path.name.lower()
    with contextlib.ExitStack() as stack:
        if name.endswith((".tar.gz", ".tgz")):
            archive = stack.enter_context(tarfile.open(path, "r:gz"))
            member = choose_member(path, [entry.name for entry in archive if entry.isfile()])
            file = archive.extractfile(member)
            assert file is not None  # a plain file, by isfile() above
            yield stack.enter_context(file)
        elif name.endswith(".zip"):
            packed = stack.enter_context(zipfile.ZipFile(path))
            member = choose_member(path, packed.namelist())
            if packed.getinfo(member).flag_bits & 1:
                raise DatasetError(f"{path}: got an encrypted archive. Unpack it first.")
            yield stack.enter_context(packed.open(member))
        elif name.endswith(".gz"):
            yield stack.enter_context(gzip.GzipFile(path))
        elif name.endswith(".xz"):
            if lzma is None:
                raise DatasetError(f"{path}: this Python was built without lzma. Unpack the file: xz -dk")
            yield stack.enter_context(lzma.open(path, "rb"))
        else:
            yield stack.enter_context(path.open("rb"))


def choose_member(path: Path, names: Sequence[str]) -> str:
    """Returns the one CSV of an archive: the one under a name of CSV_NAMES, else the only one."""
    tables = [name for name in names if name.lower().endswith(".csv") and "__MACOSX" not in name]
    known = [name for name in tables if name.lower().rpartition("/")[2] in CSV_NAMES]
    candidates = known or tables
    if len(candidates) != 1:
        got = ", ".join(candidates) or "none (unpack an archive of images and give its folder)"
        raise DatasetError(f"{path}: expected one CSV in the archive, such as fer2013.csv, got {got}.")
    return candidates[0]


def parse_header(line: bytes, *, place: str) -> list[str]:
    """Returns the names of the columns, stripped, in lower case: each of COLUMNS once, maybe others."""
    if not line.strip():
        raise DatasetError(f"{place}: expected the header emotion,pixels,Usage, got an empty file or line.")
    fields = split_fields(line.removeprefix(b"\xef\xbb\xbf"), place=place)
    columns = [field.decode("utf-8", "replace").strip().lower() for field in fields]
    for column in COLUMNS:
        if columns.count(column) != 1:
            count = columns.count(column) or "no"
            raise DatasetError(
                f"{place}: expected one column each of emotion, pixels and Usage, got {count} {column!r} in "
                f"{shorten(line)}. Use the file fer2013.csv or icml_face_data.csv."
            )
    return columns


def parse_row(
    line: bytes, columns: Sequence[str], label_of_text: dict[bytes, int], *, place: str
) -> tuple[int, bytes, str]:
    """Returns the label, the 2304 pixels as bytes, and the split of one line."""
    fields = split_fields(line, place=place)
    if len(fields) != len(columns):
        got = f"{len(fields)}" if line.strip() else "an empty line"
        names = ", ".join(columns)
        raise DatasetError(f"{place}: expected {len(columns)} columns ({names}), got {got}. {MEND}")
    row = dict(zip(columns, fields, strict=True))

    emotion = row["emotion"].strip()
    label = label_of_text.get(emotion)
    if label is None:
        words = list(label_of_text)
        expected = (
            "an emotion from 0 (angry) to 6 (neutral)"
            if words == list(labels_in_words(LABELS))
            else f"one of {', '.join(word.decode() for word in words[:20])} as emotion"
        )
        raise DatasetError(f"{place}: expected {expected}, got {shorten(emotion)}. {MEND}")
    usage = row["usage"].strip()
    split = SPLIT_OF_SPELLING.get(usage.decode("utf-8", "replace").lower())
    if split is None:
        raise DatasetError(
            f"{place}: expected the usage Training, PublicTest or PrivateTest, got {shorten(usage)}. {MEND}"
        )
    return label, parse_pixels(row["pixels"], place=place), split


def parse_pixels(field: bytes, *, place: str) -> bytes:
    """Returns the 2304 pixels of a field such as b'70 80 82', one byte each."""
    if not field.translate(None, b"0123456789 "):  # else fromstring would read '1-2' as two numbers
        values = np.fromstring(field, np.int64, sep=" ") if field.strip() else np.zeros(0, np.int64)
        if len(values) == PIXELS and values.max() <= 255:
            return values.astype(np.uint8).tobytes()
    words = field.split()
    if len(words) != PIXELS:
        raise DatasetError(f"{place}: expected {PIXELS} pixels, got {len(words)}. {MEND}")
    for number, word in enumerate(words, 1):
        if not is_gray_level(word):
            raise DatasetError(
                f"{place}: expected whole numbers from 0 to 255, got {shorten(word)} as pixel {number}. "
                f"{MEND}"
            )
    between = field.translate(None, b"0123456789 ")[:1]
    raise DatasetError(f"{place}: expected pixels with spaces between them, got {shorten(between)}. {MEND}")


def is_gray_level(word: bytes) -> bool:
    """Returns whether the word is a whole number from 0 to 255, however many digits it has."""
    digits = word.lstrip(b"0")
    return word.isdigit() and len(digits) <= 3 and int(digits or b"0") <= 255


def split_fields(line: bytes, *, place: str) -> list[bytes]:
    """Returns the fields of one line of a CSV; quoted ones lose their quotes."""
    line = line.rstrip(b"\r\n")
    if b'"' not in line:
        return line.split(b",")
    try:
        text = line.decode("utf-8", "replace")
        (fields,) = csv.reader([text], skipinitialspace=True, strict=True)
    except csv.Error as error:
        raise DatasetError(f"{place}: expected fields in closed quotes, got {error}. {MEND}") from error
    return [field.encode() for field in fields]


def shorten(field: bytes) -> str:
    """Returns a field in quotes, cut where it is long, for a message."""
    text = field.decode("utf-8", "replace").rstrip("\r\n")
    return repr(text if len(text) <= 40 else text[:37] + "...")
