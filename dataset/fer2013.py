"""Reads FER2013 (Goodfellow et al. 2013, 'Challenges in Representation Learning', arXiv 1307.0414).

Three forms are in circulation and read here: the official CSV (`emotion,pixels,Usage`, plain or packed
as .gz, .xz, .zip or Kaggle's .tar.gz), the same rows in another column order with spaces in the header
(`emotion, Usage, pixels`), and a folder of images (`train|validation|test/<class>/*.png|jpg|jpeg`).
Every row is checked; whatever is wrong raises `DatasetError`, nothing is left out.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import hashlib
import io
import os
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import IO

import cv2
import numpy as np

from .locate import (
    CSV_NAMES,
    SPLIT_OF_SPELLING,
    DatasetError,
    beside_checkout,
    find_dataset,
    folders_of,
    visible,
)

try:
    import lzma
except ImportError:  # Pythons built from source on a board often lack it
    lzma = None  # type: ignore[assignment]

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
SPLITS = ("train", "validation", "test")
FACE_SIZE_PX = 48
PIXELS = FACE_SIZE_PX * FACE_SIZE_PX

OFFICIAL_SHA256 = "9a507eec5c86856889fbe5f9182ecf5f3da98fe4acaa9326d9b955c3bb0a83b7"
"""sha256 of the uncompressed fer2013.csv of 2013: 301,072,766 bytes, 35,887 rows."""
OFFICIAL_ROWS = {"train": 28709, "validation": 3589, "test": 3589}

USAGE_OF_SPLIT = {
    "train": "train (Training)",
    "validation": "validation (PublicTest)",
    "test": "test (PrivateTest)",
}
LABEL_OF_SPELLING = {
    "angry": "angry",
    "anger": "angry",
    "disgust": "disgust",
    "disgusted": "disgust",
    "fear": "fear",
    "fearful": "fear",
    "scared": "fear",
    "happy": "happy",
    "happiness": "happy",
    "sad": "sad",
    "sadness": "sad",
    "surprise": "surprise",
    "surprised": "surprise",
    "neutral": "neutral",
}
COLUMNS = ("emotion", "pixels", "usage")
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")
UNREADABLE: tuple[type[Exception], ...] = (
    OSError,
    EOFError,
    zlib.error,
    zipfile.BadZipFile,
    tarfile.TarError,
    NotImplementedError,  # a method of packing that zipfile does not know
    *((lzma.LZMAError,) if lzma else ()),
)
"""What a damaged file raises while it is read, whatever its packing."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Every row of a dataset, in the order of its file (of a folder: by split, label and file name).

    faces: uint8 (n, 48, 48, 1), gray 0-255.
    labels: int64 (n,), an index into LABELS.
    splits: str (n,), each one of SPLITS; which of them have rows, see `load_dataset`.
    origins: n line numbers of the CSV (the header is line 1), or n image paths relative to the folder.
    path: the CSV, its packed form, or the folder.
    sha256: of a CSV, whatever its packing, the sha256 of its uncompressed bytes; of a folder see
        `read_folder`.
    validation_share, validation_seed: with what `hold_out_validation` made the validation split; None where
        the dataset came with its own.
    """

    faces: np.ndarray
    labels: np.ndarray
    splits: np.ndarray
    origins: Sequence[int] | Sequence[str]
    path: Path
    sha256: str
    validation_share: float | None = None
    validation_seed: int | None = None

    @cached_property
    def numbers(self) -> np.ndarray:
        """`image_numbers` of all faces: equal where the images are equal."""
        return image_numbers(self.faces)

    def rows(self, name: str) -> np.ndarray:
        """The row numbers of a split, int64 (rows,), counted from 0, ascending."""
        if name not in SPLITS:
            raise DatasetError(f"Expected a split out of {', '.join(SPLITS)}, got {name!r}.")
        return np.flatnonzero(self.splits == name)

    def split(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The faces, uint8 (rows, 48, 48, 1), and labels, int64 (rows,), of a split, in order."""
        rows = self.rows(name)
        return self.faces[rows], self.labels[rows]

    def origin(self, row: int) -> str:
        """Where a row stands, for messages: 'fer2013.csv:3' or 'train/angry/7.png'."""
        origin = self.origins[row]
        return f"{self.path.name}:{origin}" if isinstance(origin, int) else origin


def load_dataset(
    path: str | os.PathLike[str] | None = None,
    *,
    validation_share: float | None = None,
    seed: int = 0,
    splits: Sequence[str] = SPLITS,
    progress: bool = False,
) -> Dataset:
    """Reads and checks a whole dataset: FER2013's CSV in any packing, or a folder of images.

    path: see `find_dataset`.
    validation_share: for a dataset that has train and test only, the share (above 0, below 1) of each
        label's train rows that becomes the validation split, drawn with `seed`. Many copies of FER2013 on
        Kaggle are such: their test is PublicTest and PrivateTest together, so scores on it are not the
        official ones. Without it such a dataset raises; with it a dataset that has a validation split raises.
    splits: which must have rows, unless a validation share is given: then all must. Where not all must, a
        folder of images may lack class folders.
    progress: shows a progress bar (needs tqdm).

    Says in one line on stderr where it looks like a part of FER2013 (`cut_short`). Raises DatasetError,
    naming file and line, for anything unexpected, a split without rows included.
    """
    place = find_dataset(path)
    needed = SPLITS if validation_share is not None else tuple(splits)
    if place.is_dir():
        dataset = read_folder(place, all_classes=set(needed) == set(SPLITS), progress=progress)
    else:
        dataset = read_csv(place, progress=progress)
    doubt = cut_short(dataset)
    if doubt:
        print(doubt, file=sys.stderr)
    if validation_share is not None:
        dataset = hold_out_validation(dataset, share=validation_share, seed=seed)
    for split in needed:
        if not np.any(dataset.splits == split):
            expected = " and ".join(", ".join(USAGE_OF_SPLIT[name] for name in needed).rsplit(", ", 1))
            hold_out = (
                " To hold out a part of train instead, give --validation-share 0.1 to train, dataset.audit, "
                "export and benchmarks evaluate alike."
                if split == "validation"
                else ""
            )
            raise DatasetError(
                f"{place}: expected rows of {expected}, got none of {split}. Is the file cut short, or a "
                f"folder missing?{hold_out}"
            )
    return dataset


def load_dataset_if_any(
    path: str | os.PathLike[str] | None = None,
    *,
    validation_share: float | None = None,
    progress: bool = False,
) -> Dataset | None:
    """As `load_dataset`, but None where none was named and none stands beside the checkout.

    One that was named, by `path` or by the environment variable FER2013, raises where it is missing.
    """
    if path is None and not os.environ.get("FER2013") and not beside_checkout().exists():
        return None
    return load_dataset(path, validation_share=validation_share, progress=progress)


def cut_short(dataset: Dataset) -> str | None:
    """What is to be said of a dataset that seems to be FER2013 without its last rows, else None.

    A CSV cut exactly at the end of a line has nothing wrong in it but its number of rows. Nobody's own
    faces have just as many training rows as FER2013 has; copies that join validation and test have all rows.
    """
    rows, official = len(dataset.splits), sum(OFFICIAL_ROWS.values())
    train_rows = int(np.sum(dataset.splits == "train"))
    if train_rows != OFFICIAL_ROWS["train"] or rows >= official:
        return None
    return (
        f"{dataset.path}: has FER2013's {train_rows:,} training rows, but {rows:,} of its {official:,} rows: "
        "the file may be cut short. Scores on it are not the official ones."
    )


def hold_out_validation(dataset: Dataset, *, share: float, seed: int = 0) -> Dataset:
    """The dataset with `share` of each label's train rows (rounded, at least one) moved to validation.

    Rows that repeat one image may land on both sides; `training_rows` leaves those out of training.
    The sha256 becomes that of the text '<old sha256> validation_share=<share> seed=<seed>'.
    """
    if not 0 < share < 1:
        raise DatasetError(f"Expected a validation share above 0 and below 1, got {share}.")
    if np.any(dataset.splits == "validation"):
        raise DatasetError(
            f"{dataset.path}: expected no validation split where a validation share is given, got one. "
            "Leave the share out."
        )
    generator = np.random.default_rng(seed)
    splits = dataset.splits.astype(f"U{max(map(len, SPLITS))}")  # a copy with room for 'validation'
    for label in range(len(LABELS)):
        rows = np.flatnonzero((splits == "train") & (dataset.labels == label))
        count = min(len(rows), max(1, round(share * len(rows))))
        splits[generator.permutation(rows)[:count]] = "validation"
    text = f"{dataset.sha256} validation_share={share} seed={seed}"
    return replace(
        dataset,
        splits=splits,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        validation_share=share,
        validation_seed=seed,
    )


# --- CSV ---------------------------------------------------------------------------------------------


def read_csv(path: Path, *, progress: bool = False) -> Dataset:
    """Reads a CSV with the columns emotion, pixels and Usage, whatever their order, spaces and case.

    Other columns are ignored. The rows stream through: memory holds the faces (83 MB for FER2013), never
    the 300 MB of text.
    """
    digest = hashlib.sha256()
    pixels, labels, splits = bytearray(), [], []
    line_number, line = 0, b""
    try:
        with open_csv(path) as file:
            line_number, line = 1, file.readline()
            digest.update(line)
            columns = parse_header(line, place=f"{path}:1")
            lines = show_progress(file, f"Reading {path.name}", "rows") if progress else file
            for line_number, line in enumerate(lines, start=2):
                digest.update(line)
                label, face, split = parse_row(line, columns, place=f"{path}:{line_number}")
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
    )


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
    """The one CSV of an archive: the one under a name of CSV_NAMES, else the only one."""
    tables = [name for name in names if name.lower().endswith(".csv") and "__MACOSX" not in name]
    known = [name for name in tables if name.lower().rpartition("/")[2] in CSV_NAMES]
    candidates = known or tables
    if len(candidates) != 1:
        got = ", ".join(candidates) or "none (unpack an archive of images and give its folder)"
        raise DatasetError(f"{path}: expected one CSV in the archive, such as fer2013.csv, got {got}.")
    return candidates[0]


def parse_header(line: bytes, *, place: str) -> list[str]:
    """The names of the columns, stripped, in lower case: each of COLUMNS once, maybe others."""
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


def parse_row(line: bytes, columns: Sequence[str], *, place: str) -> tuple[int, bytes, str]:
    """The label (0-6), the 2304 pixels as bytes, and the split of one line."""
    fields = split_fields(line, place=place)
    if len(fields) != len(columns):
        got = f"{len(fields)}" if line.strip() else "an empty line"
        names = ", ".join(columns)
        raise DatasetError(f"{place}: expected {len(columns)} columns ({names}), got {got}. {MEND}")
    row = dict(zip(columns, fields, strict=True))

    emotion = row["emotion"].strip()
    if len(emotion) != 1 or not b"0" <= emotion <= b"6":
        raise DatasetError(
            f"{place}: expected an emotion from 0 (angry) to 6 (neutral), got {shorten(emotion)}. {MEND}"
        )
    usage = row["usage"].strip()
    split = SPLIT_OF_SPELLING.get(usage.decode("utf-8", "replace").lower())
    if split is None:
        raise DatasetError(
            f"{place}: expected the usage Training, PublicTest or PrivateTest, got {shorten(usage)}. {MEND}"
        )
    return int(emotion), parse_pixels(row["pixels"], place=place), split


def parse_pixels(field: bytes, *, place: str) -> bytes:
    """The 2304 pixels of a field such as b'70 80 82', one byte each."""
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
    """Whether the word is a whole number from 0 to 255, however many digits it has."""
    digits = word.lstrip(b"0")
    return word.isdigit() and len(digits) <= 3 and int(digits or b"0") <= 255


def split_fields(line: bytes, *, place: str) -> list[bytes]:
    """The fields of one line of a CSV; quoted ones lose their quotes."""
    line = line.rstrip(b"\r\n")
    if b'"' not in line:
        return line.split(b",")
    try:
        text = line.decode("utf-8", "replace")
        (fields,) = csv.reader([text], skipinitialspace=True, strict=True)
    except csv.Error as error:
        raise DatasetError(f"{place}: expected fields in closed quotes, got {error}. {MEND}") from error
    return [field.encode() for field in fields]


MEND = "Download the file again, or mend this line."


def shorten(field: bytes) -> str:
    """A field in quotes, as it may stand in a message."""
    text = field.decode("utf-8", "replace").rstrip("\r\n")
    return repr(text if len(text) <= 40 else text[:37] + "...")


# --- folders of images -----------------------------------------------------------------------------


def read_folder(path: Path, *, all_classes: bool = True, progress: bool = False) -> Dataset:
    """Reads a folder train|validation|test/<class>/*.png|jpg|jpeg (spellings: SPLIT_OF_SPELLING,
    LABEL_OF_SPELLING; upper and lower case alike).

    The sha256 is that of a text with one line for each image, '<sha256 of the file>  <split>/<label>/<file
    name>\\n', in the order of the rows: the same whatever the spelling of the folders.

    Raises DatasetError for an unknown folder, a class folder that is missing (if `all_classes`), is empty
    or holds anything but images (hidden files and Thumbs.db aside), and an unreadable image.
    """
    images = [
        (split, label, image)
        for split, split_folder in named_folders(path, SPLIT_OF_SPELLING, SPLITS, required=False)
        for label, label_folder in named_folders(
            split_folder, LABEL_OF_SPELLING, LABELS, required=all_classes
        )
        for image in images_of(label_folder)
    ]
    rows = show_progress(images, f"Reading {path.name}", "images") if progress else images
    faces = np.empty((len(images), FACE_SIZE_PX, FACE_SIZE_PX, 1), np.uint8)
    digest = hashlib.sha256()
    for row, (split, label, image) in enumerate(rows):
        try:
            content = image.read_bytes()
        except OSError as error:
            raise DatasetError(f"{image}: expected a readable image, got: {error.strerror}.") from error
        digest.update(f"{hashlib.sha256(content).hexdigest()}  {split}/{label}/".encode())
        digest.update(os.fsencode(image.name) + b"\n")
        faces[row, :, :, 0] = decode_face(content, place=str(image))
    return Dataset(
        faces=faces,
        labels=np.array([LABELS.index(label) for _, label, _ in images], np.int64),
        splits=np.array([split for split, _, _ in images], str),
        origins=tuple(image.relative_to(path).as_posix() for _, _, image in images),
        path=path,
        sha256=digest.hexdigest(),
    )


def named_folders(
    path: Path, name_of_spelling: dict[str, str], names: Sequence[str], *, required: bool
) -> list[tuple[str, Path]]:
    """The folders of `path` with the name that each stands for, in the order of `names`."""
    found: dict[str, Path] = {}
    for folder in folders_of(path):
        name = name_of_spelling.get(folder.name.lower())
        if name is None:
            raise DatasetError(
                f"{folder}: expected a folder named {', '.join(names)}, got {folder.name!r}. "
                "Rename it, or move it elsewhere."
            )
        if name in found:
            other = found[name].name
            raise DatasetError(f"{folder}: expected one folder for {name}, got {other!r} too. Join them.")
        found[name] = folder
    missing = [name for name in names if name not in found]
    if required and missing:
        raise DatasetError(f"{path}: expected folders {', '.join(names)}, got none for {missing[0]}.")
    stray = [file for file in visible(path) if file.suffix.lower() in IMAGE_SUFFIXES]
    if stray:
        raise DatasetError(f"{stray[0]}: expected images in the folder of a class only. Move it there.")
    return [(name, found[name]) for name in names if name in found]


def images_of(folder: Path) -> list[Path]:
    """The images of a class folder, by name."""
    files = visible(folder)
    for file in files:
        if file.suffix.lower() not in IMAGE_SUFFIXES or not file.is_file():
            raise DatasetError(f"{file}: expected a .png, .jpg or .jpeg image. Convert or move it.")
    if not files:
        raise DatasetError(f"{folder}: expected .png, .jpg or .jpeg images, got an empty folder.")
    return files


def decode_face(content: bytes, *, place: str) -> np.ndarray:
    """Decodes a PNG or JPEG into a face, uint8 (48, 48), gray.

    Colour becomes gray by BT.601 luma (0.299 R + 0.587 G + 0.114 B), transparency is ignored. A image
    that is not square is padded to one by repeating its edge, as the runtime does where a face leaves the
    frame; then its size is changed by area averaging.
    """
    image = None
    if is_whole(content):
        with contextlib.suppress(cv2.error):  # such as a image of more than 2^30 pixels
            image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise DatasetError(
            f"{place}: expected a PNG or JPEG image, got {len(content)} bytes that can't be decoded. "
            "Copy the image again, or remove it."
        )
    face = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    height, width = face.shape
    if height != width:
        top, left = max(0, width - height) // 2, max(0, height - width) // 2
        bottom, right = max(0, width - height) - top, max(0, height - width) - left
        face = cv2.copyMakeBorder(face, top, bottom, left, right, cv2.BORDER_REPLICATE)
    if face.shape != (FACE_SIZE_PX, FACE_SIZE_PX):
        face = cv2.resize(face, (FACE_SIZE_PX, FACE_SIZE_PX), interpolation=cv2.INTER_AREA)
    return face


def is_whole(content: bytes) -> bool:
    """Whether the bytes are a PNG (the decoder checks its sums) or a JPEG that reaches its end.

    OpenCV 4.8 fills up a cut JPEG with gray; damage in its middle is seen only where the decoder gives up.
    """
    if content.startswith(b"\xff\xd8"):
        # The last scan must be followed by an end marker; a thumbnail's own stands before that scan.
        return content.rfind(b"\xff\xd9") > content.rfind(b"\xff\xda") > 0
    return content.startswith(b"\x89PNG")


# --- repeated images -------------------------------------------------------------------------------


def image_numbers(faces: np.ndarray) -> np.ndarray:
    """Numbers the distinct images: int64 (n,), for each face the first row that holds the same bytes."""
    first: dict[bytes, int] = {}
    return np.array([first.setdefault(face.tobytes(), row) for row, face in enumerate(faces)], np.int64)


def duplicates_of(dataset: Dataset, *, split: str = "test", of: str = "train") -> np.ndarray:
    """Which rows of a split repeat a image of another one, byte for byte: bool (rows of `split`,).

    The test rows where this is False give the score that no memorised image can raise.
    """
    return np.isin(dataset.numbers[dataset.rows(split)], dataset.numbers[dataset.rows(of)])


def blank(faces: np.ndarray) -> np.ndarray:
    """Which faces show nothing, one gray level throughout: bool (n,)."""
    rows = faces.reshape(len(faces), -1)
    return rows.min(axis=1) == rows.max(axis=1)


def contradicted(labels: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Which rows share their image (equal `numbers`) with a row of another label: bool (n,)."""
    pairs = np.unique(np.stack([numbers, labels], axis=1), axis=0)  # (distinct pairs, 2)
    images, label_counts = np.unique(pairs[:, 0], return_counts=True)
    return np.isin(numbers, images[label_counts > 1])


def training_rows(
    dataset: Dataset,
    *,
    drop_duplicates: bool = True,
    drop_contradictions: bool = True,
    drop_blank: bool = True,
) -> np.ndarray:
    """Which rows of the train split to train on: bool (train rows,), in the order of `split("train")`.

    drop_duplicates: leave out rows whose image also stands in validation or test, so that neither score
        counts a image that was trained on. Only images are compared, no label of theirs is looked at.
    drop_contradictions: leave out every row of a image that has different labels within the train split.
    drop_blank: leave out images of one gray level.

    Rows that repeat a training row with the same label stay.
    """
    rows = dataset.rows("train")
    keep = np.ones(len(rows), bool)
    if drop_duplicates:
        for split in ("validation", "test"):
            keep &= ~duplicates_of(dataset, split="train", of=split)
    if drop_contradictions:
        keep &= ~contradicted(dataset.labels[rows], dataset.numbers[rows])
    if drop_blank:
        keep &= ~blank(dataset.faces[rows])
    return keep


def show_progress(items: Iterable, description: str, unit: str) -> Iterable:
    """The items, with a progress bar on stderr that counts them."""
    from tqdm import tqdm  # not needed on the devices that only score

    return tqdm(items, desc=description, unit=f" {unit}")
