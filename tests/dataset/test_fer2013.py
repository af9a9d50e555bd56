"""The reader of FER2013 in every form, and what it says about a bad one."""

import bz2
import dataclasses
import gzip
import io
import lzma
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dataset.load
import dataset.locate
import reporting.progress
from dataset.csv_file import read_csv
from dataset.duplicates import blank, duplicates_of, training_rows
from dataset.fer2013 import LABELS, SPLITS, Dataset, image_numbers
from dataset.load import cut_short, load_dataset, load_dataset_if_any
from dataset.locate import DatasetError, find_dataset
from tests.support.privileges import unprivileged

USAGES = ("Training", "PublicTest", "PrivateTest")


def numbered_faces(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 48, 48, 1), dtype=np.uint8)


def pixel_field(face: np.ndarray) -> str:
    return " ".join(map(str, face.ravel()))


def csv_lines(count: int = 3) -> list[str]:
    """A whole CSV of distinct faces, labels 0, 1, 2..., usages in turn, without its last newline."""
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


# --- whole files -------------------------------------------------------------------------------------


def test_every_row_of_a_csv_becomes_a_face_a_label_and_a_split(tmp_path):
    dataset = load_dataset(write_csv(tmp_path / "fer2013.csv", csv_lines(6)))
    np.testing.assert_array_equal(dataset.faces, numbered_faces(6))
    assert dataset.faces.dtype == np.uint8
    assert dataset.labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert dataset.labels.dtype == np.int64
    assert dataset.splits.tolist() == ["train", "validation", "test"] * 2


def test_split_gives_the_rows_of_one_split_in_the_order_of_the_file(tmp_path):
    dataset = load_dataset(write_csv(tmp_path / "fer2013.csv", csv_lines(6)))
    faces, labels = dataset.split("validation")
    np.testing.assert_array_equal(faces, numbered_faces(6)[[1, 4]])
    assert labels.tolist() == [1, 4]
    assert dataset.rows("validation").tolist() == [1, 4]


def test_an_unknown_split_is_named(tmp_path):
    dataset = load_dataset(write_csv(tmp_path / "fer2013.csv", csv_lines()))
    with pytest.raises(DatasetError, match="Expected a split out of train, validation, test, got 'Training'"):
        dataset.split("Training")


def test_a_row_of_a_csv_is_named_by_its_line_where_the_header_is_line_1(tmp_path):
    dataset = load_dataset(write_csv(tmp_path / "fer2013.csv", csv_lines()))
    assert [dataset.origin(row) for row in range(3)] == ["fer2013.csv:2", "fer2013.csv:3", "fer2013.csv:4"]


@pytest.mark.parametrize("name", PACKINGS)
def test_each_packing_gives_the_same_rows_and_the_sha256_of_the_uncompressed_csv(tmp_path, name):
    content = b"emotion,pixels,Usage\n" + b"".join(
        f"{label},{' '.join(['7'] * 2304)},{usage}\n".encode() for label, usage in enumerate(USAGES)
    )
    dataset = load_dataset(pack(content, tmp_path / name))
    assert dataset.labels.tolist() == [0, 1, 2]
    assert (dataset.faces == 7).all()
    # sha256sum of those 13,883 bytes
    assert dataset.sha256 == "47956231e1069c3c28a2f25db9c91181fa25b0c66fa80c9b4bcac944427d21f3"


def test_the_variant_with_spaces_and_another_order_of_columns_is_read(tmp_path):
    faces = numbered_faces(3)
    lines = ["emotion, Usage, pixels"]
    lines += [f"{row}, {usage}, {pixel_field(faces[row])}" for row, usage in enumerate(USAGES)]
    dataset = load_dataset(write_csv(tmp_path / "icml_face_data.csv", lines))
    np.testing.assert_array_equal(dataset.faces, faces)
    assert dataset.labels.tolist() == [0, 1, 2]
    assert dataset.splits.tolist() == list(SPLITS)


def test_quotes_windows_newlines_a_byte_order_mark_and_further_columns_are_read(tmp_path):
    faces = numbered_faces(3)
    text = '"","emotion","pixels","Usage"\r\n'
    text += "".join(f'"{row}",{row},"{pixel_field(faces[row])}","{USAGES[row]}"\r\n' for row in range(3))
    (tmp_path / "fer2013.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    dataset = load_dataset(tmp_path / "fer2013.csv")
    np.testing.assert_array_equal(dataset.faces, faces)
    assert dataset.labels.tolist() == [0, 1, 2]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_rows_in_any_column_order_spacing_and_packing_come_back_as_they_were(tmp_path_factory, data):
    count = data.draw(st.integers(1, 4))
    labels = data.draw(st.lists(st.integers(0, 6), min_size=count, max_size=count))
    usages = data.draw(st.lists(st.sampled_from(USAGES), min_size=count, max_size=count))
    faces = numbered_faces(count, seed=data.draw(st.integers(0, 2**32 - 1)))
    faces[0] = data.draw(st.integers(0, 255))
    order = data.draw(st.permutations(["emotion", "pixels", "Usage"]))
    spaces = st.sampled_from(["", " ", "  "])
    newline = data.draw(st.sampled_from(["\n", "\r\n"]))
    header = (data.draw(spaces) + "," + data.draw(spaces)).join(order)
    text = header + newline
    for label, face, usage in zip(labels, faces, usages, strict=True):
        field = {"emotion": str(label), "pixels": pixel_field(face), "Usage": usage}
        text += ",".join(data.draw(spaces) + field[name] + data.draw(spaces) for name in order) + newline
    path = tmp_path_factory.mktemp("csv") / data.draw(st.sampled_from(PACKINGS))

    dataset = read_csv(pack(text.encode(), path))

    np.testing.assert_array_equal(dataset.faces, faces)
    assert dataset.labels.tolist() == labels
    assert dataset.splits.tolist() == [SPLITS[USAGES.index(usage)] for usage in usages]


# --- bad files ---------------------------------------------------------------------------------------


def test_a_row_with_3_pixels_is_named_with_line_expected_got_and_what_to_do(tmp_path):
    lines = csv_lines()
    lines[2] = "1,1 2 3,PublicTest"
    path = write_csv(tmp_path / "fer2013.csv", lines)
    assert error_of(path) == (
        f"{path}:3: expected 2304 pixels, got 3. Download the file again, or mend this line."
    )


SEVENS = ["7"] * 2304


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0,,Training", "expected 2304 pixels, got 0."),
        ("0,   ,Training", "expected 2304 pixels, got 0."),
        (f"0,{chr(9).join(SEVENS)},Training", "expected pixels with spaces between them, got '\\t'."),
        (f"0,{chr(11).join(SEVENS)},Training", "expected pixels with spaces between them, got '\\x0b'."),
        (f"0,{' '.join([*SEVENS, '7'])},Training", "expected 2304 pixels, got 2305."),
        (f"0,{' '.join(['256', *SEVENS[1:]])},Training", "from 0 to 255, got '256' as pixel 1."),
        (f"0,{' '.join([*SEVENS[1:], '-1'])},Training", "from 0 to 255, got '-1' as pixel 2304."),
        (f"0,{' '.join([*SEVENS[1:], '7.0'])},Training", "from 0 to 255, got '7.0' as pixel 2304."),
        (f"0,{' '.join([*SEVENS[2:], 'x', '7'])},Training", "from 0 to 255, got 'x' as pixel 2303."),
        (f"0,{' '.join([*SEVENS[1:], '9' * 50])},Training", f"got '{'9' * 37}...' as pixel 2304."),
        (f"0,{' '.join([*SEVENS[1:], '9' * 5000])},Training", f"got '{'9' * 37}...' as pixel 2304."),
        (f"0,{' '.join([*SEVENS[2:], '7-7'])},Training", "expected 2304 pixels, got 2303."),
        (f"7,{' '.join(SEVENS)},Training", "expected an emotion from 0 (angry) to 6 (neutral), got '7'."),
        (f"-1,{' '.join(SEVENS)},Training", "expected an emotion from 0 (angry) to 6 (neutral), got '-1'."),
        (f",{' '.join(SEVENS)},Training", "expected an emotion from 0 (angry) to 6 (neutral), got ''."),
        (f"0,{' '.join(SEVENS)},Testing", "Training, PublicTest or PrivateTest, got 'Testing'."),
        (f"0,{' '.join(SEVENS)}", "expected 3 columns (emotion, pixels, usage), got 2."),
        (f"0,{' '.join(SEVENS)},Training,", "expected 3 columns (emotion, pixels, usage), got 4."),
        ("", "expected 3 columns (emotion, pixels, usage), got an empty line."),
        (f'0,"{" ".join(SEVENS)},Training', "expected fields in closed quotes, got unexpected end of data."),
    ],
)
def test_a_bad_row_is_named_with_its_line_and_what_was_got(tmp_path, line, message):
    lines = csv_lines()
    path = write_csv(tmp_path / "fer2013.csv", [*lines[:3], line, *lines[3:]])
    error = error_of(path)
    assert error.startswith(f"{path}:4: ")
    assert message in error


def corrupt_label(field: str, data: st.DataObject) -> str:
    return data.draw(st.sampled_from(["", "7", "-1", "9", "00", "3.0", "happy", "None", "٣"]))


def corrupt_usage(field: str, data: st.DataObject) -> str:
    return data.draw(st.sampled_from(["", "Trainin", field[:-2], field + "s", "Public Test", "0"]))


def corrupt_pixels(field: str, data: st.DataObject) -> str:
    words = field.split()
    place = data.draw(st.integers(0, 2303))
    action = data.draw(st.sampled_from(["drop", "double", "replace"]))
    if action == "drop":
        del words[place]
    elif action == "double":
        words.insert(place, words[place])
    else:
        words[place] = data.draw(
            st.sampled_from(["256", "-1", "1.5", "nan", "0x1", "1e2", "", "7\t7", "²", "7;"])
        )
    return " ".join(words)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_corrupted_field_raises_with_the_number_of_its_line(tmp_path_factory, data):
    order = data.draw(st.permutations(["emotion", "pixels", "Usage"]))
    count = data.draw(st.integers(1, 4))
    bad_row = data.draw(st.integers(0, count - 1))
    bad_column = data.draw(st.sampled_from(order))
    corrupt = {"emotion": corrupt_label, "pixels": corrupt_pixels, "Usage": corrupt_usage}[bad_column]
    lines = [",".join(order)]
    for row, face in enumerate(numbered_faces(count)):
        field = {"emotion": str(row), "pixels": pixel_field(face), "Usage": USAGES[row % 3]}
        if row == bad_row:
            field[bad_column] = corrupt(field[bad_column], data)
        lines.append(",".join(field[name] for name in order))
    path = tmp_path_factory.mktemp("csv") / "fer2013.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    assert error_of(path).startswith(f"{path}:{bad_row + 2}: expected ")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("", "expected the header emotion,pixels,Usage, got an empty file or line."),
        ("emotion,pixels", "got no 'usage' in 'emotion,pixels'."),
        ("pixels,Usage", "got no 'emotion' in 'pixels,Usage'."),
        ("emotion,pixels,Usage, Pixels", "got 2 'pixels' in 'emotion,pixels,Usage, Pixels'."),
    ],
)
def test_a_header_without_each_column_once_is_named(tmp_path, header, message):
    path = write_csv(tmp_path / "fer2013.csv", [header, *csv_lines()[1:]])
    error = error_of(path)
    assert error.startswith(f"{path}:1: ")
    assert message in error


def test_an_empty_file_is_named(tmp_path):
    path = tmp_path / "fer2013.csv"
    path.touch()
    assert f"{path}:1: expected the header" in error_of(path)


def test_a_file_with_a_header_alone_is_named(tmp_path):
    path = write_csv(tmp_path / "fer2013.csv", ["emotion,pixels,Usage"])
    assert f"{path}: expected rows after the header, got none." in error_of(path)


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_split_without_rows_is_named(tmp_path, missing):
    lines = [line for line in csv_lines() if not line.endswith(USAGES[missing])]
    assert f"got none of {SPLITS[missing]}." in error_of(write_csv(tmp_path / "fer2013.csv", lines))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_csv_cut_within_its_last_row_raises_with_the_last_line(tmp_path_factory, data):
    order = data.draw(st.permutations(["emotion", "pixels", "Usage"]))
    rows = [
        {"emotion": "3", "pixels": pixel_field(face), "Usage": usage}
        for face, usage in zip(numbered_faces(3), USAGES, strict=True)
    ]
    lines = [",".join(order), *(",".join(row[name] for name in order) for row in rows)]
    text = "\n".join(lines)
    cut = data.draw(st.integers(1, len(lines[-1]) - 1) | st.integers(1, 5))
    path = tmp_path_factory.mktemp("csv") / "fer2013.csv"
    path.write_text(text[:-cut])
    assert error_of(path).startswith(f"{path}:4: expected ")


def test_a_last_line_without_newline_is_read_where_no_cut_can_hide_in_it(tmp_path):
    (tmp_path / "fer2013.csv").write_text("\n".join(csv_lines()))
    assert load_dataset(tmp_path / "fer2013.csv").labels.tolist() == [0, 1, 2]


@pytest.mark.parametrize("name", PACKINGS[1:])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.99])
def test_a_cut_packed_file_is_called_damaged(tmp_path, name, share):
    whole = pack("\n".join(csv_lines(9)).encode(), tmp_path / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(whole[: int(share * len(whole))])
    error = error_of(path)
    assert "Traceback" not in error
    assert error.startswith(f"{path}")
    assert "Download the file again" in error or "got an empty file" in error


@pytest.mark.parametrize("name", PACKINGS[1:])
def test_a_file_in_another_packing_than_its_name_says_is_called_damaged(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(bz2.compress(b"emotion"))
    assert f"{path}: expected a whole file, got a damaged one after line 0 (" in error_of(path)


def test_an_archive_without_a_csv_is_named(tmp_path):
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr("train/angry/1.png", b"")
    assert "expected one CSV in the archive, such as fer2013.csv, got none" in error_of(
        tmp_path / "archive.zip"
    )


def test_an_archive_with_two_unknown_csvs_is_not_guessed_at(tmp_path):
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr("a.csv", b"")
        archive.writestr("b.csv", b"")
    assert "got a.csv, b.csv." in error_of(tmp_path / "archive.zip")


# --- finding -----------------------------------------------------------------------------------------


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


def test_where_none_is_named_a_dataset_may_be_missing_but_not_where_one_is(tmp_path, monkeypatch):
    path = write_csv(tmp_path / "fer2013.csv", csv_lines(6))
    monkeypatch.setattr(dataset.locate, "__file__", str(tmp_path / "checkout" / "train" / "place.py"))
    monkeypatch.delenv("FER2013", raising=False)
    assert load_dataset_if_any() is None
    assert load_dataset_if_any(path).labels.tolist() == [0, 1, 2, 3, 4, 5]
    with pytest.raises(DatasetError, match="nowhere: no such file or folder"):
        load_dataset_if_any(tmp_path / "nowhere")
    monkeypatch.setenv("FER2013", str(tmp_path / "nowhere"))
    with pytest.raises(
        DatasetError, match=r"nowhere \(from the environment variable FER2013\): no such file"
    ):
        load_dataset_if_any()


def test_a_dataset_beside_the_checkout_that_is_wrong_is_not_taken_for_none(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset.locate, "__file__", str(tmp_path / "checkout" / "train" / "place.py"))
    monkeypatch.delenv("FER2013", raising=False)
    (tmp_path / "shared" / "fer2013").mkdir(parents=True)
    with pytest.raises(DatasetError, match="or the folders train, validation, test, got nothing"):
        load_dataset_if_any()


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="needs /dev/null")
def test_a_device_is_read_as_the_file_that_it_is():
    assert error_of(Path("/dev/null")) == (
        "/dev/null:1: expected the header emotion,pixels,Usage, got an empty file or line."
    )


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


def test_a_progress_bar_names_the_file_and_counts_its_rows(tmp_path, capsys, monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(reporting.progress, "PATIENCE_S", 0)
    load_dataset(write_csv(tmp_path / "fer2013.csv", csv_lines(6)), progress=True)
    assert "Reading fer2013.csv: 0 rows" in capsys.readouterr().err


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


# --- folders of images -----------------------------------------------------------------------------


def test_a_folder_of_images_is_read_by_split_label_and_name(tmp_path):
    dataset = load_dataset(write_images(tmp_path))
    assert dataset.faces.shape == (21, 48, 48, 1)
    assert dataset.labels.tolist() == [0, 1, 2, 3, 4, 5, 6] * 3
    assert dataset.splits.tolist() == ["train"] * 7 + ["validation"] * 7 + ["test"] * 7
    assert dataset.faces[:, 0, 0, 0].tolist() == [
        10 * split + label for split in range(3) for label in range(7)
    ]
    assert (dataset.faces[:, 5, 7, 0] == 255).all()
    assert dataset.origin(8) == "validation/disgust/one.png"


@pytest.mark.parametrize(
    "classes",
    [
        ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"),
        ("anger", "disgusted", "fearful", "happiness", "sadness", "surprised", "Neutral"),
        ("Angry", "DISGUST", "scared", "Happy", "Sad", "Surprise", "neutral"),
    ],
)
@pytest.mark.parametrize(
    "splits",
    [("train", "validation", "test"), ("Training", "PublicTest", "PrivateTest"), ("TRAIN", "val", "Test")],
)
def test_the_spellings_in_circulation_give_the_same_dataset(tmp_path, splits, classes):
    expected = load_dataset(write_images(tmp_path / "one"))
    dataset = load_dataset(write_images(tmp_path / "other", splits, classes))
    assert dataset.sha256 == expected.sha256
    assert dataset.labels.tolist() == expected.labels.tolist()
    np.testing.assert_array_equal(dataset.faces, expected.faces)


def test_the_sha256_of_a_folder_changes_with_a_pixel_and_with_a_label(tmp_path):
    digests = {load_dataset(write_images(tmp_path)).sha256}
    image = tmp_path / "test" / "sad" / "one.png"
    image.rename(tmp_path / "test" / "happy" / "two.png")
    cv2.imwrite(str(image), np.full((48, 48), 99, np.uint8))
    digests.add(load_dataset(tmp_path).sha256)
    cv2.imwrite(str(image), np.full((48, 48), 98, np.uint8))
    digests.add(load_dataset(tmp_path).sha256)
    assert len(digests) == 3


def test_colour_becomes_gray_by_bt601_luma(tmp_path):
    image = np.zeros((48, 48, 3), np.uint8)
    image[:16], image[16:32], image[32:] = (255, 0, 0), (0, 255, 0), (0, 0, 255)  # blue, green, red
    cv2.imwrite(str(write_images(tmp_path) / "train" / "angry" / "one.png"), image)
    face = load_dataset(tmp_path).faces[0, :, :, 0]
    assert [face[8, 8], face[24, 24], face[40, 40]] == [29, 150, 76]  # 255 x 0.114, 0.587, 0.299


def test_a_larger_image_is_shrunk_by_area_averaging(tmp_path):
    blocks = np.kron(numbered_faces(1)[0, :, :, 0] // 4 * 4, np.ones((2, 2), np.uint8))
    image = blocks.copy()
    image[::2, ::2] += 2  # one of four pixels: the average is 0.5 higher, which rounds to even
    image[1::2, 1::2] += 2  # two of four: 1 higher
    cv2.imwrite(str(write_images(tmp_path) / "train" / "angry" / "one.png"), image)
    np.testing.assert_array_equal(load_dataset(tmp_path).faces[0, :, :, 0], blocks[::2, ::2] + 1)


def test_a_image_that_is_not_square_is_padded_by_repeating_its_edge(tmp_path):
    image = np.full((48, 24), 100, np.uint8)
    image[:, 0], image[:, -1] = 10, 200
    cv2.imwrite(str(write_images(tmp_path) / "train" / "angry" / "one.png"), image)
    face = load_dataset(tmp_path).faces[0, :, :, 0]
    assert face[3].tolist() == [10] * 13 + [100] * 22 + [200] * 13


def test_a_jpeg_is_read(tmp_path):
    folder = write_images(tmp_path) / "train" / "angry"
    (folder / "one.png").unlink()
    cv2.imwrite(str(folder / "one.JPG"), np.full((48, 48), 77, np.uint8))
    dataset = load_dataset(tmp_path)
    assert (dataset.faces[0] == 77).all()
    assert dataset.origin(0) == "train/angry/one.JPG"


def test_an_empty_class_folder_is_named(tmp_path):
    (write_images(tmp_path) / "train" / "sad" / "one.png").unlink()
    (tmp_path / "train" / "sad" / ".DS_Store").touch()
    assert error_of(tmp_path) == (
        f"{tmp_path / 'train' / 'sad'}: expected .png, .jpg or .jpeg images, got an empty folder."
    )


def test_a_missing_class_folder_is_named(tmp_path):
    write_images(tmp_path, classes=LABELS[:6])
    assert f"{tmp_path / 'train'}: expected folders angry," in error_of(tmp_path)
    assert error_of(tmp_path).endswith("got none for neutral.")


def test_an_unknown_class_folder_is_named(tmp_path):
    (write_images(tmp_path) / "test" / "contempt").mkdir()
    error = error_of(tmp_path)
    assert error.startswith(f"{tmp_path / 'test' / 'contempt'}: expected a folder named angry, disgust,")
    assert "got 'contempt'." in error


def test_an_unknown_split_folder_is_named(tmp_path):
    (write_images(tmp_path) / "extra").mkdir()
    assert "expected a folder named train, validation, test, got 'extra'." in error_of(tmp_path)


def test_two_folders_of_one_class_are_named(tmp_path):
    (write_images(tmp_path) / "train" / "anger").mkdir()
    assert "angry: expected one folder for angry, got 'anger' too." in error_of(tmp_path)


@pytest.mark.parametrize("name", ["notes.txt", "one.gif", "more.png/"])
def test_anything_but_a_image_in_a_class_folder_is_named(tmp_path, name):
    stray = write_images(tmp_path) / "train" / "fear" / name
    stray.mkdir() if name.endswith("/") else stray.touch()
    assert error_of(tmp_path).startswith(f"{stray}: expected a .png, .jpg or .jpeg image.")


def test_a_image_outside_of_the_class_folders_is_named(tmp_path):
    stray = write_images(tmp_path) / "train" / "one.png"
    stray.touch()
    assert error_of(tmp_path).startswith(f"{stray}: expected images in the folder of a class only.")


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
def test_a_cut_image_is_called_unreadable(tmp_path, suffix, share):
    image = write_images(tmp_path) / "train" / "happy" / f"cut{suffix}"
    content = cv2.imencode(suffix, numbered_faces(1)[0])[1].tobytes()
    image.write_bytes(content[: int(share * len(content))])
    assert error_of(tmp_path).startswith(f"{image}: expected a PNG or JPEG image, got ")


def test_text_under_the_name_of_a_image_is_called_unreadable(tmp_path):
    image = write_images(tmp_path) / "train" / "happy" / "one.png"
    image.write_text("<html>404</html>")
    assert error_of(tmp_path) == (
        f"{image}: expected a PNG or JPEG image, got 16 bytes that can't be decoded. "
        "Copy the image again, or remove it."
    )


# --- a dataset without validation split --------------------------------------------------------------


def without_validation(tmp_path: Path) -> Path:
    lines = csv_lines(1)[:1]
    faces = numbered_faces(60)
    lines += [f"{row % 3},{pixel_field(face)},Training" for row, face in enumerate(faces[:50])]
    lines += [f"6,{pixel_field(face)},PrivateTest" for face in faces[50:]]
    return write_csv(tmp_path / "fer2013.csv", lines)


def test_a_dataset_without_validation_raises_and_says_how_to_hold_one_out(tmp_path):
    error = error_of(without_validation(tmp_path))
    assert "got none of validation." in error
    assert error.endswith(
        "To hold out a part of train instead, give --validation-share 0.1 to train, dataset.audit, "
        "export and benchmarks evaluate alike."
    )


def test_a_validation_share_is_held_out_of_each_label_of_train_alone(tmp_path):
    dataset = load_dataset(without_validation(tmp_path), validation_share=0.2)
    assert np.bincount(dataset.split("validation")[1]).tolist() == [3, 3, 3]  # 20 % of 17, 17 and 16
    assert np.bincount(dataset.split("train")[1]).tolist() == [14, 14, 13]
    assert len(dataset.rows("test")) == 10
    assert (dataset.validation_share, dataset.validation_seed) == (0.2, 0)
    plain = load_dataset(write_csv(tmp_path / "whole.csv", csv_lines()))
    assert (plain.validation_share, plain.validation_seed) == (None, None)


def test_a_seed_decides_which_rows_are_held_out_and_the_sha256_tells(tmp_path):
    path = without_validation(tmp_path)
    one, same, other = (load_dataset(path, validation_share=0.2, seed=seed) for seed in (1, 1, 2))
    assert one.rows("validation").tolist() == same.rows("validation").tolist()
    assert one.sha256 == same.sha256
    assert one.rows("validation").tolist() != other.rows("validation").tolist()
    assert one.sha256 != other.sha256


def test_a_validation_share_of_a_dataset_that_has_one_raises(tmp_path):
    path = write_csv(tmp_path / "fer2013.csv", csv_lines())
    assert "expected no validation split where a validation share is given" in error_of(
        path, validation_share=0.1
    )


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5, float("nan")])
def test_a_validation_share_out_of_range_raises(tmp_path, share):
    error = error_of(without_validation(tmp_path), validation_share=share)
    assert error == f"Expected a validation share above 0 and below 1, got {share}."


# --- a dataset of which only some splits are needed --------------------------------------------------


def test_a_folder_with_one_split_and_some_classes_is_read_where_no_other_split_is_needed(tmp_path):
    write_images(tmp_path, splits=("test",), classes=("happy", "sad"))
    assert f"{tmp_path / 'test'}: expected folders angry," in error_of(tmp_path)
    dataset = load_dataset(tmp_path, splits=("test",))
    assert dataset.labels.tolist() == [LABELS.index("happy"), LABELS.index("sad")]
    assert dataset.splits.tolist() == ["test", "test"]


def test_an_empty_class_folder_raises_even_where_a_missing_one_would_not(tmp_path):
    write_images(tmp_path, splits=("test",), classes=("happy", "sad"))
    (tmp_path / "test" / "sad" / "one.png").unlink()
    assert error_of(tmp_path, splits=("test",)) == (
        f"{tmp_path / 'test' / 'sad'}: expected .png, .jpg or .jpeg images, got an empty folder."
    )


@pytest.mark.parametrize("classes", [(), ("happy",)])
def test_the_split_that_is_needed_must_have_rows(tmp_path, classes):
    (tmp_path / "test").mkdir()
    write_images(tmp_path, splits=("train",), classes=classes)
    error = error_of(tmp_path, splits=("test",))
    assert error.startswith(f"{tmp_path}: expected rows of test (PrivateTest), got none of test.")


def test_a_csv_of_test_rows_alone_is_read_where_no_other_split_is_needed(tmp_path):
    lines = [line.replace("Training", "PrivateTest") for line in csv_lines(1)]
    path = write_csv(tmp_path / "mine.csv", lines)
    assert "got none of train." in error_of(path)
    assert load_dataset(path, splits=("test",)).splits.tolist() == ["test"]


def test_a_held_out_validation_split_needs_the_others_whole(tmp_path):
    write_images(tmp_path, splits=("test",))
    assert "got none of train." in error_of(tmp_path, splits=("test",), validation_share=0.1)


# --- a copy of FER2013 that was cut short ------------------------------------------------------------


def counted(**rows: int) -> Dataset:
    """A dataset of so many rows of each split, without their images."""
    return dataclasses.replace(
        WITH_DUPLICATES, splits=np.repeat(list(rows), list(rows.values())), path=Path("fer2013.csv")
    )


@pytest.mark.parametrize(
    "rows",
    [
        {"train": 28709, "validation": 3589, "test": 3589},
        {"train": 28709, "test": 7178},  # validation and test joined, as in many copies
        {"train": 28708, "validation": 10, "test": 10},  # faces of one's own
        {"test": 20},
    ],
)
def test_no_dataset_is_called_cut_but_one_with_the_official_training_rows(rows):
    assert cut_short(counted(**rows)) is None


def test_a_copy_with_all_training_rows_but_too_few_others_is_said_to_be_cut():
    assert cut_short(counted(train=28709, validation=3589, test=3000)) == (
        "fer2013.csv: has FER2013's 28,709 training rows, but 35,298 of its 35,887 rows: the file may be cut "
        "short. Scores on it are not the official ones."
    )


def test_reading_a_cut_copy_says_so_in_one_line_and_goes_on(tmp_path, capsys, monkeypatch):
    # FER2013 with 2 rows in every split, and with all of them.
    monkeypatch.setattr(dataset.load, "OFFICIAL_ROWS", dict.fromkeys(SPLITS, 2))
    lines = csv_lines(6)
    cut, whole = (write_csv(tmp_path / f"{rows}.csv", lines[: rows + 1]) for rows in (5, 6))
    assert len(load_dataset(cut).labels) == 5
    said = capsys.readouterr().err
    assert said.startswith(f"{cut}: has FER2013's 2 training rows, but 5 of its 6 rows:")
    assert said.count("\n") == 1
    load_dataset(whole)
    assert capsys.readouterr().err == ""


# --- repeated images -------------------------------------------------------------------------------


def dataset_of(rows: list[tuple[str, str, int]]) -> Dataset:
    """A dataset from (split, label, image); images of equal number are equal, image 0 is blank."""
    faces = numbered_faces(10)
    faces[0] = 0
    return Dataset(
        faces=faces[[image for _, _, image in rows]],
        labels=np.array([LABELS.index(label) for _, label, _ in rows]),
        splits=np.array([split for split, _, _ in rows]),
        origins=range(2, len(rows) + 2),
        path=Path("fer2013.csv"),
        sha256="",
    )


WITH_DUPLICATES = dataset_of(
    [
        ("train", "happy", 1),
        ("train", "happy", 2),  # repeated in validation
        ("validation", "happy", 2),
        ("train", "sad", 3),  # repeated in test, under another label
        ("train", "fear", 4),  # with the next: two labels for one image
        ("train", "angry", 4),
        ("test", "angry", 3),
        ("test", "angry", 5),
        ("train", "neutral", 6),  # with the next: twice the same
        ("train", "neutral", 6),
        ("train", "neutral", 0),  # blank
        ("validation", "sad", 7),
        ("test", "sad", 7),
    ]
)


def test_images_are_numbered_by_the_first_row_that_holds_them():
    assert image_numbers(WITH_DUPLICATES.faces).tolist() == [0, 1, 1, 3, 4, 4, 3, 7, 8, 8, 10, 11, 11]


def test_duplicates_of_marks_the_rows_of_a_split_whose_image_stands_in_the_other():
    assert duplicates_of(WITH_DUPLICATES).tolist() == [True, False, False]
    assert duplicates_of(WITH_DUPLICATES, split="test", of="validation").tolist() == [False, False, True]
    assert duplicates_of(WITH_DUPLICATES, split="validation", of="train").tolist() == [True, False]


def test_a_image_of_one_gray_level_is_blank_and_one_pixel_makes_it_none():
    faces = np.full((3, 48, 48, 1), 255, np.uint8)
    faces[1, 47, 47, 0] = 254
    assert blank(faces).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("rules", "kept_images"),
    [
        ({}, [1, 6, 6]),
        ({"drop_duplicates": False}, [1, 2, 3, 6, 6]),
        ({"drop_contradictions": False}, [1, 4, 4, 6, 6]),
        ({"drop_blank": False}, [1, 6, 6, 0]),
        (
            {"drop_duplicates": False, "drop_contradictions": False, "drop_blank": False},
            [1, 2, 3, 4, 4, 6, 6, 0],
        ),
    ],
)
def test_training_rows_leave_out_duplicates_contradictions_and_blanks_as_told(rules, kept_images):
    faces, _ = WITH_DUPLICATES.split("train")
    keep = training_rows(WITH_DUPLICATES, **rules)
    np.testing.assert_array_equal(faces[keep], dataset_of([("train", "sad", p) for p in kept_images]).faces)
