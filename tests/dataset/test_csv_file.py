"""FER2013's CSV in every form, and what is said of a bad one."""

import bz2
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import reporting.progress
from dataset.csv_file import read_csv
from dataset.fer2013 import SPLITS
from dataset.load import load_dataset
from tests.support.dataset_files import (
    PACKINGS,
    USAGES,
    csv_lines,
    error_of,
    numbered_faces,
    pack,
    pixel_field,
    write_csv,
)


def test_every_row_of_a_csv_becomes_a_face_a_label_and_a_split(tmp_path):
    dataset = load_dataset(write_csv(tmp_path / "fer2013.csv", csv_lines(6)))
    np.testing.assert_array_equal(dataset.faces, numbered_faces(6))
    assert dataset.faces.dtype == np.uint8
    assert dataset.labels.tolist() == [0, 1, 2, 3, 4, 5]
    assert dataset.labels.dtype == np.int64
    assert dataset.splits.tolist() == ["train", "validation", "test"] * 2


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


def test_a_progress_bar_names_the_file_and_counts_its_rows(tmp_path, capsys, monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(reporting.progress, "PATIENCE_S", 0)
    load_dataset(write_csv(tmp_path / "fer2013.csv", csv_lines(6)), progress=True)
    assert "Reading fer2013.csv: 0 rows" in capsys.readouterr().err


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


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="needs /dev/null")
def test_a_device_is_read_as_the_file_that_it_is():
    assert error_of(Path("/dev/null")) == (
        "/dev/null:1: expected the header emotion,pixels,Usage, got an empty file or line."
    )
