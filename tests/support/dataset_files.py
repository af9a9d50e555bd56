"""Files of datasets: small CSVs, their packings, folders of images."""

import gzip
import io
import lzma
import tarfile
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from dataset.fer2013 import LABELS, SPLITS
from dataset.load import load_dataset
from dataset.locate import DatasetError

USAGES = ("Training", "PublicTest", "PrivateTest")


def numbered_faces(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 48, 48, 1), dtype=np.uint8)


def pixel_field(face: np.ndarray) -> str:
    return " ".join(map(str, face.ravel()))


def csv_lines(count: int = 3) -> list[str]:
    """A whole CSV of distinct faces, labels 0, 1, 2..., usages alternating, without its last newline."""
    faces = numbered_faces(count)
    rows = [f"{row % 7},{pixel_field(face)},{USAGES[row % 3]}" for row, face in enumerate(faces)]
    return ["emotion,pixels,Usage", *rows]


def write_csv(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def error_of(path: Path, **keywords: object) -> str:
    with pytest.raises(DatasetError) as caught:
        load_dataset(path, **keywords)
    return str(caught.value)


def write_images(folder: Path, splits: tuple[str, ...] = SPLITS, classes: tuple[str, ...] = LABELS) -> Path:
    """One PNG for each split and class; its gray level is 10 x split + class, but for one white pixel."""
    for split_number, split in enumerate(splits):
        for class_number, name in enumerate(classes):
            image = np.full((48, 48), 10 * split_number + class_number, np.uint8)
            image[5, 7] = 255
            place = folder / split / name
            place.mkdir(parents=True)
            cv2.imwrite(str(place / "one.png"), image)
    return folder


def pack(content: bytes, path: Path) -> Path:
    """Writes a CSV in the packing that the path's ending names."""
    if path.name.endswith(".tar.gz"):
        with tarfile.open(path, "w:gz") as archive:
            for name, member in (("fer2013/README", b"read me"), ("fer2013/fer2013.csv", content)):
                entry = tarfile.TarInfo(name)
                entry.size = len(member)
                archive.addfile(entry, io.BytesIO(member))
    elif path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("__MACOSX/fer2013.csv", b"not it")
            archive.writestr("train.csv", b"not it")
            archive.writestr("fer2013/fer2013.csv", content)
    elif path.suffix == ".gz":
        path.write_bytes(gzip.compress(content))
    elif path.suffix == ".xz":
        path.write_bytes(lzma.compress(content))
    else:
        path.write_bytes(content)
    return path


PACKINGS = ("fer2013.csv", "fer2013.csv.gz", "fer2013.csv.xz", "fer2013.csv.zip", "fer2013.tar.gz")
