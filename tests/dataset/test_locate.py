"""Where FER2013 is looked for, and what is said where it is not."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import dataset.load
import dataset.locate
from dataset.locate import DatasetError, find_dataset
from tests.support.dataset_files import (
    PACKINGS,
    csv_lines,
    error_of,
    write_csv,
    write_images,
)
from tests.support.privileges import unprivileged


def test_a_missing_path_is_answered_with_where_to_get_fer2013(tmp_path):
    error = error_of(tmp_path / "nowhere.csv")
    assert error.startswith(f"{tmp_path / 'nowhere.csv'}: no such file or folder.")
    assert "Challenges in Representation Learning: Facial Expression Recognition Challenge" in error
    assert "environment variable FER2013" in error


def test_the_environment_variable_is_followed_and_named_where_it_leads_nowhere(tmp_path, monkeypatch):
    path = write_csv(tmp_path / "fer2013.csv", csv_lines())
    monkeypatch.setenv("FER2013", str(path))
    assert find_dataset() == path
    monkeypatch.setenv("FER2013", str(tmp_path / "nowhere"))
    with pytest.raises(
        DatasetError, match=r"nowhere \(from the environment variable FER2013\): no such file"
    ):
        find_dataset()


def test_an_argument_goes_before_the_environment_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("FER2013", str(tmp_path / "nowhere"))
    path = write_csv(tmp_path / "mine.csv", csv_lines())
    assert find_dataset(path) == path


@pytest.mark.parametrize("place", ["", "train", "train/sad"])
def test_a_folder_that_may_not_be_read_is_named(tmp_path, place):
    folder = write_images(tmp_path / "faces") / place
    with unprivileged(folder, 0o300):
        error = error_of(tmp_path / "faces")
    assert error == f"{folder}: expected a folder that can be read, got: Permission denied."


@pytest.mark.parametrize("name", [*PACKINGS, "icml_face_data.csv"])
def test_a_folder_is_searched_for_the_csv(tmp_path, name):
    (tmp_path / name).touch()
    (tmp_path / "README.md").touch()
    (tmp_path / "fer2013new.csv").touch()
    assert find_dataset(tmp_path) == tmp_path / name


def ask_fresh_checkout(folder: Path) -> str:
    """What `find_dataset()` answers in a checkout of its own, where only our one module stands."""
    (folder / "dataset").mkdir(parents=True)
    shutil.copy(dataset.locate.__file__, folder / "dataset" / "locate.py")
    environment = {name: value for name, value in os.environ.items() if name not in ("FER2013", "PYTHONPATH")}
    script = (
        "from dataset.locate import DatasetError, find_dataset\n"
        "try: print(find_dataset())\n"
        "except DatasetError as error: print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_without_any_dataset_the_error_says_where_it_is_to_be_had_and_how_to_point_to_it(tmp_path):
    assert ask_fresh_checkout(tmp_path / "checkout") == (
        "No dataset was given. FER2013 is on Kaggle as 'Challenges in Representation Learning: Facial "
        "Expression Recognition Challenge' (fer2013.tar.gz or icml_face_data.csv). Give the path of the "
        "file, or of a folder of images, or set the environment variable FER2013 to it, or put the "
        "file into a folder shared/fer2013 beside the checkout."
    )


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("~nobody-of-this-name/faces", "expected a place, got: Could not determine home directory. Write it"),
        ("x" * 300, "expected a file or folder that can be read, got: File name too long."),
        ("nowhere.csv", "no such file or folder. FER2013 is on Kaggle as "),
    ],
)
def test_a_place_that_cannot_be_looked_at_is_named_in_a_line(place, said, monkeypatch, capsys):
    monkeypatch.setenv("FER2013", place)
    assert dataset.locate.main([]) == 1
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.startswith(f"{place} (from the environment variable FER2013): {said}")
    assert written.err.count("\n") == 1
    with pytest.raises(DatasetError, match="^" + re.escape(f"{place}: {said}")):
        find_dataset(place)


def test_where_fer2013_is_found_nothing_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FER2013", str(write_csv(tmp_path / "fer2013.csv", csv_lines())))
    assert dataset.locate.main([]) == 0
    assert capsys.readouterr() == ("", "")
    with pytest.raises(SystemExit):
        dataset.locate.main(["--data", "fer2013.csv"])


def test_a_folder_shared_fer2013_beside_the_checkout_is_found(tmp_path):
    (tmp_path / "shared" / "fer2013").mkdir(parents=True)
    path = write_csv(tmp_path / "shared" / "fer2013" / "fer2013.csv", csv_lines())
    assert Path(ask_fresh_checkout(tmp_path / "checkout")).samefile(path)


def test_a_folder_without_a_dataset_is_named_with_what_it_holds(tmp_path):
    (tmp_path / "notes.txt").touch()
    error = error_of(tmp_path)
    assert (
        "expected fer2013.csv (or .gz, .xz, .zip) or the folders train, validation, test, got notes.txt."
        in error
    )


def test_a_folder_with_a_csv_and_images_is_not_guessed_at(tmp_path):
    write_csv(write_images(tmp_path) / "fer2013.csv", csv_lines())
    assert "expected one dataset, got fer2013.csv and folders of images." in error_of(tmp_path)
