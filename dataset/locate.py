"""Finds FER2013, with Python's own modules alone.

`python -m dataset.locate` is silent where it finds it and else says what is missing. `make` runs it before it
makes the environment for a target that needs FER2013.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

SPLIT_OF_SPELLING = {
    "training": "train",
    "train": "train",
    "publictest": "validation",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "privatetest": "test",
    "test": "test",
}
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg")
CSV_NAMES = ("fer2013.csv", "icml_face_data.csv")
PACKINGS = ("", ".gz", ".xz", ".zip")

HOW_TO_GET_IT = (
    "FER2013 is on Kaggle as 'Challenges in Representation Learning: Facial Expression Recognition "
    "Challenge' (fer2013.tar.gz or icml_face_data.csv). Give the path of the file, or of a folder of "
    "images, or set the environment variable FER2013 to it, or put the file into a folder shared/fer2013 "
    "beside the checkout."
)


class DatasetError(ValueError):
    """A dataset is not as expected; the message names file and line, what was got, and what to do."""


def find_dataset(path: str | os.PathLike[str] | None = None) -> Path:
    """Finds FER2013: `path`, else the environment variable FER2013, else ../shared/fer2013 of the checkout.

    Each may be a file or a folder. In a folder without images the CSV is looked up by name: fer2013.csv or
    icml_face_data.csv, plain, .gz, .xz, .zip, then fer2013.tar.gz; the first found is taken.

    Raises:
        DatasetError: There is none, or none that can be read; the message says where to get FER2013.
    """
    variable = os.environ.get("FER2013")
    place = Path(path if path is not None else variable or beside_checkout())
    given = " (from the environment variable FER2013)" if path is None and variable else ""
    try:
        if path is None and not variable and not place.exists():
            raise DatasetError(f"No dataset was given. {HOW_TO_GET_IT}")
        return dataset_at(place.expanduser(), given)
    except OSError as error:
        raise DatasetError(
            f"{place}{given}: expected a file or folder that can be read, got: {error.strerror}."
        ) from error
    except RuntimeError as error:  # of expanduser: '~nobody'
        raise DatasetError(f"{place}{given}: expected a place, got: {error} Write it without '~'.") from error


def dataset_at(place: Path, given: str) -> Path:
    """Returns the file, or folder of images, at a place.

    Args:
        place: A file or a folder.
        given: Where the place was named, for errors.

    Raises:
        DatasetError: There is nothing, or two datasets.
    """
    if not place.exists():
        raise DatasetError(f"{place}{given}: no such file or folder. {HOW_TO_GET_IT}")
    if not place.is_dir():
        return place

    names = [name + packing for name in CSV_NAMES for packing in PACKINGS] + ["fer2013.tar.gz"]
    tables = [place / name for name in names if (place / name).is_file()]
    has_images = any(
        folder.name.lower() in SPLIT_OF_SPELLING or images_in(folder) for folder in folders_of(place)
    )
    if tables and has_images:
        raise DatasetError(
            f"{place}{given}: expected one dataset, got {tables[0].name} and folders of images. "
            f"Give the path of {tables[0].name}, or move it elsewhere to read the images."
        )
    if not tables and not has_images:
        found = ", ".join(entry.name for entry in visible(place)[:5]) or "nothing"
        raise DatasetError(
            f"{place}{given}: expected fer2013.csv (or .gz, .xz, .zip) or the folders train, validation, "
            f"test, got {found}. {HOW_TO_GET_IT}"
        )
    return tables[0] if tables else place


def beside_checkout() -> Path:
    """Returns where FER2013 is looked for when no place is named: ../shared/fer2013 of the checkout."""
    return Path(__file__).resolve().parents[2] / "shared" / "fer2013"


def folders_of(path: Path) -> list[Path]:
    """Returns the visible folders in a folder, by name."""
    return [entry for entry in visible(path) if entry.is_dir()]


def images_in(folder: Path) -> list[Path]:
    """Returns the images that lie in a folder itself, by name."""
    return [entry for entry in visible(folder) if entry.suffix.lower() in IMAGE_SUFFIXES]


def visible(path: Path) -> list[Path]:
    """Returns the entries of a folder, by name, without the files that operating systems leave there.

    Raises:
        DatasetError: The folder can't be read.
    """
    left_by_systems = ("thumbs.db", "desktop.ini", "__macosx")
    try:
        entries = [e for e in path.iterdir() if e.name[0] != "." and e.name.lower() not in left_by_systems]
    except OSError as error:
        raise DatasetError(f"{path}: expected a folder that can be read, got: {error.strerror}.") from error
    return sorted(entries, key=lambda entry: entry.name)


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status: 1, with a line on stderr, where there is no dataset."""
    parser = argparse.ArgumentParser(
        prog="python -m dataset.locate", description="Say what is missing where FER2013 is not found."
    )
    parser.parse_args(arguments)
    try:
        find_dataset()
    except DatasetError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
