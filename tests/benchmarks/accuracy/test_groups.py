"""Groups: how images and their groups are read, and what is counted for each group."""

import shutil
import struct
import zipfile
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.__main__ import main as benchmark
from benchmarks.accuracy.contact_sheet import write_sheet
from benchmarks.accuracy.group_figures import Counted, figures_by_group, members, read_groups
from benchmarks.accuracy.grouped_images import Collection, GroupsError, Listed
from benchmarks.accuracy.groups_report import render, share
from benchmarks.accuracy.seen_images import look, padded
from benchmarks.accuracy.smile import recall_at_equal_strength, smile_strength
from benchmarks.accuracy.smile_sheet import missed_smiles
from reporting.metrics import share_interval
from runtime.detectors import load_detector

ROOT = Path(__file__).resolve().parents[3]
MODEL = ROOT / "runtime" / "models" / "edge_int8.onnx"


@pytest.fixture
def folder(tmp_path):
    """Two people; the second has no smiling image."""
    for name in ("neutral/1.jpg", "smiling/1.jpg", "neutral/2.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / name), np.full((20, 30, 3), 90, np.uint8))
    (tmp_path / "people.csv").write_text("id,gender,age\n1,female,30\n2,male,NA\n")
    return tmp_path


def zipped(folder, path):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*.*")):
            archive.write(file, file.relative_to(folder).as_posix())
    return path


def test_the_london_set_is_read_from_a_folder_and_from_a_zip_file(folder, tmp_path_factory):
    for source in (folder, zipped(folder, tmp_path_factory.mktemp("zip") / "london.zip")):
        with Collection(source) as collection:
            assert [(image.file, image.label, image.person) for image in collection.listed] == [
                ("neutral/1.jpg", "neutral", "1"),
                ("smiling/1.jpg", "happy", "1"),
                ("neutral/2.jpg", "neutral", "2"),
            ]
            assert collection.listed[2].groups == {"gender": "male"}  # the age is unknown
            assert collection.frame("smiling/1.jpg").shape == (20, 30, 3)
            assert (collection.digest() is None) == source.is_dir()


def test_a_table_of_ones_own_names_files_labels_and_groups(folder):
    (folder / "who.csv").write_text("file,label,glasses\nneutral/1.jpg,sad,yes\nneutral/2.jpg,,no\n")
    with Collection(folder, "who.csv") as collection:
        assert collection.listed == [
            Listed("neutral/1.jpg", "sad", None, {"glasses": "yes"}),
            Listed("neutral/2.jpg", None, None, {"glasses": "no"}),
        ]


def test_a_column_of_many_values_is_no_group(folder):
    for age in range(20, 60):
        shutil.copy(folder / "neutral" / "1.jpg", folder / f"{age}.jpg")
    lines = [f"{age}.jpg,{age},{'old' if age > 40 else 'young'}" for age in range(20, 60)]
    (folder / "who.csv").write_text("\n".join(["file,years,age", *lines]))
    with Collection(folder, "who.csv") as collection:
        assert collection.left_out == ["years"]
        assert {tuple(image.groups) for image in collection.listed} == {("age",)}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("name,group\na,b\n", r"who\.csv: expected a CSV with a column file, got name, group"),
        ("", r"who\.csv: expected a CSV with a column file, got no line"),
        ("file,group\n", r"who\.csv: expected a line for each image, got the names of the columns alone"),
        ("file,a: b\nneutral/1.jpg,c\n", r"without a colon and a space, got 'a: b'"),
        ("file\nneutral/1.jpg\nneutral/1.jpg\n", r"neutral/1\.jpg in the table's lines 2 and 3"),
        ("file\n../a.jpg\n", r"expected a file inside it in the table's line 2, got \.\./a\.jpg"),
        ("file\n/a.jpg\n", r"expected a file inside it in the table's line 2, got /a\.jpg"),
        ("file,group\nneutral/3.jpg,b\n", r"expected the image neutral/3\.jpg of the table's line 2"),
    ],
)
def test_a_table_that_does_not_fit_is_named(folder, table, message):
    (folder / "who.csv").write_text(table)
    with pytest.raises(GroupsError, match=message):
        Collection(folder, "who.csv")


def test_a_source_without_a_table_and_one_that_is_no_zip_file_are_named(tmp_path):
    with pytest.raises(GroupsError, match=r"expected a table people\.csv or groups\.csv or val\.csv"):
        Collection(tmp_path)
    (tmp_path / "images.zip").write_bytes(b"no zip")
    with pytest.raises(GroupsError, match=r"images\.zip: expected a folder or a zip file"):
        Collection(tmp_path / "images.zip")
    with pytest.raises(GroupsError, match=r"nowhere: expected a folder or a zip file"):
        Collection(tmp_path / "nowhere")


def test_a_person_of_the_london_set_without_an_image_is_named(folder):
    with (folder / "people.csv").open("a") as table:
        table.write("9,female,30\n")
    with pytest.raises(GroupsError, match=r"expected neutral/9\.jpg or smiling/9\.jpg of a person"):
        Collection(folder)


def test_a_damaged_entry_of_a_zip_file_is_named(tmp_path):
    path = tmp_path / "images.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("groups.csv", "file\na.jpg\n")
        archive.writestr("a.jpg", b"these bytes change")
    path.write_bytes(path.read_bytes().replace(b"these bytes change", b"those bytes change"))
    with Collection(path) as collection, pytest.raises(GroupsError, match=r"a\.jpg: .* got: Bad CRC-32"):
        collection.frame("a.jpg")


def test_an_image_that_promises_too_many_pixels_is_named(folder):
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    chunk = (
        struct.pack(">I", len(header)) + b"IHDR" + header + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    )
    (folder / "neutral" / "1.jpg").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk)
    with Collection(folder) as collection, pytest.raises(GroupsError, match=r"neutral/1\.jpg: expected an"):
        collection.frame("neutral/1.jpg")


def test_a_file_that_is_no_image_is_named(folder):
    (folder / "neutral" / "1.jpg").write_bytes(b"no image")
    with (
        Collection(folder) as collection,
        pytest.raises(GroupsError, match=r"neutral/1\.jpg: expected an image"),
    ):
        collection.frame("neutral/1.jpg")


def test_everybody_comes_first_and_an_image_without_a_group_is_in_none():
    listed = [Listed("a", None, None, {"sex": "m"}), Listed("b", None, None, {})]
    groups = members(listed)
    assert {group: rows.tolist() for group, rows in groups.items()} == {
        "everybody": [True, True],
        "sex: m": [True, False],
    }


def test_a_smile_is_measured_against_the_same_persons_neutral_face():
    listed = [Listed("a", "neutral", "1", {}), Listed("b", "happy", "1", {}), Listed("c", "happy", "2", {})]
    assert smile_strength(listed, [0.8, 1.0, 1.0]).tolist() == pytest.approx(
        [np.nan, 0.25, np.nan], nan_ok=True
    )


def test_recall_at_equal_strength_weighs_every_strength_alike():
    strength = np.array([0, 1, 2, 3] * 2 + [0, 0], float)
    groups = ["a"] * 4 + ["b"] * 6
    found = np.array([0, 0, 1, 1, 0, 0, 1, 1, 0, 0], bool)
    # b's plain recall is lower, 2 of 6, only because it smiles less.
    recalls = recall_at_equal_strength(strength, found, groups)
    assert recalls["a"] == pytest.approx(recalls["b"])
    assert recall_at_equal_strength(strength[:5], found[:5], groups[:5])["b"] is None


def test_wilsons_interval_is_that_of_the_textbook():
    assert share_interval(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)
    assert share_interval(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert share_interval(0, 0) == (0, 1)
    assert share(Counted(9, 10, 0.5958, 0.9821)) == "90.0 % (59.6-98.2)"
    assert share(None) == share(Counted(0, 0, 0, 1)) == "-"


def test_ranges_are_in_order_of_their_numbers():
    ages = ["20-29", "more than 70", "3-9", "10-19", "0-2"]
    groups = members([Listed(str(number), None, None, {"age": age}) for number, age in enumerate(ages)])
    assert list(groups)[1:] == [f"age: {age}" for age in ("0-2", "3-9", "10-19", "20-29", "more than 70")]


def test_a_group_is_counted_over_the_faces_that_were_found():
    listed = [Listed(str(number), "happy", None, {"sex": "fm"[number // 3]}) for number in range(5)]
    figures = figures_by_group(
        np.array([0, 1, 0, 1, 1]),
        ("happy", "sad"),
        listed,
        np.array([True, True, False, True, False]),
        np.array([0.1, 0.2, 0.3, np.nan, 0.4]),
        np.array([0, 0, 1, 1, 0]),
    )
    assert list(figures) == ["everybody", "sex: f", "sex: m"]
    women, men = figures["sex: f"], figures["sex: m"]
    assert (women.labels["happy"].right, women.labels["happy"].count) == (1, 2)
    assert women.shares == {"happy": 0.5, "sad": 0.5}
    assert (women.agreement.right, women.agreement.count) == (1, 2)
    assert (women.smile.count, women.smile.strength) == (2, pytest.approx(0.15))
    assert (men.agreement.right, men.labels["happy"].count, men.smile) == (1, 1, None)
    assert figures["everybody"].labels["happy"].count == 3


def test_a_group_without_a_found_face_has_no_shares():
    figures = figures_by_group(
        np.array([0]), ("happy",), [Listed("a", None, None, {})], np.array([False]), np.array([np.nan]), None
    )
    assert figures["everybody"].shares == {"happy": None}
    assert figures["everybody"].agreement is None


def test_padding_repeats_the_edge():
    frame = np.zeros((2, 4, 3), np.uint8)
    frame[:, 0] = 200
    around = padded(frame, 0.5)
    assert around.shape == (6, 8, 3)
    assert (around[:, :3] == 200).all() and not around[:, 3:].any()
    assert padded(frame, 0).shape == frame.shape


@pytest.fixture
def people(tmp_path, monkeypatch):
    """A folder with a portrait whose face is found and an empty image; results go beside it."""
    pytest.importorskip("onnxruntime")
    source = tmp_path / "people"
    source.mkdir()
    portrait = cv2.imread(str(ROOT / "demo" / "astronaut.jpg"))
    cv2.imwrite(str(source / "a.png"), portrait)
    cv2.imwrite(str(source / "b.png"), np.full((120, 160, 3), 90, np.uint8))
    (source / "groups.csv").write_text("file,label,place\na.png,happy,space\nb.png,neutral,earth\n")
    monkeypatch.chdir(tmp_path)
    return source


def measured(*arguments):
    """The typed results of a run in the current folder."""
    assert benchmark(["groups", "people", "--detector", "ferkit", *map(str, arguments)]) == 0
    return read_groups(Path("results", "groups", "people.json"))


def test_the_command_writes_figures_and_a_report(people, capsys):
    results = measured("--model", MODEL)
    assert {group: figure.right for group, figure in results.found.items()} == {
        "everybody": 1,
        "place: earth": 0,
        "place: space": 1,
    }
    space = results.models["edge_int8.onnx"].groups["place: space"]
    assert space.labels["happy"] == Counted(1, 1, pytest.approx(0.2065, abs=1e-4), 1.0)
    assert results.command == ("python -m benchmarks groups people --model edge_int8.onnx --detector ferkit")
    page = capsys.readouterr().out
    assert "| place: space | 100.0 % (20.7-100.0) | 100.0 % (20.7-100.0) |" in page
    assert render(results) in page
    assert benchmark(["groups", "--report", "results/groups/people.json"]) == 0
    assert Path("results/groups/people.md").read_text() == render(results)


def test_a_model_is_compared_with_the_references_and_never_with_itself(people):
    (people / "groups.csv").write_text("file,place\na.png,space\nb.png,earth\n")
    tiny = MODEL.with_name("edge_tiny_int8.onnx")
    results = measured("--model", MODEL, tiny, "--reference", MODEL, tiny, MODEL.with_name("cnn_int8.onnx"))
    assert {file: model.references for file, model in results.models.items()} == {
        "edge_int8.onnx": ["edge_tiny_int8.onnx", "cnn_int8.onnx"],
        "edge_tiny_int8.onnx": ["edge_int8.onnx", "cnn_int8.onnx"],
    }
    assert results.models["edge_int8.onnx"].groups["everybody"].agreement.count == 1
    assert "mean scores of edge_tiny_int8.onnx and cnn_int8.onnx" in render(results)


def test_a_model_is_not_compared_with_itself_alone(people, capsys):
    arguments = ["groups", "people", "--model", str(MODEL), "--reference", str(MODEL), "--detector", "ferkit"]
    assert benchmark(arguments) == 1
    assert "expected a --reference that is another model, got itself alone" in capsys.readouterr().err


def test_a_name_with_dots_has_a_page_of_its_own(people):
    (people / "groups.csv").write_text("file,place\na.png,sp|ace\n")
    arguments = ["groups", "people", "--model", str(MODEL), "--detector", "ferkit", "--name"]
    assert benchmark([*arguments, "london"]) == 0
    page = Path("results/groups/london.md").read_text()
    assert benchmark([*arguments, "london.second"]) == 0
    assert Path("results/groups/london.md").read_text() == page
    assert "| place: sp\\|ace |" in Path("results/groups/london.second.md").read_text()


def test_a_sheet_shows_the_missed_smiles(people, capsys):
    (people / "groups.csv").write_text("file,label\na.png,happy\nb.png,happy\n")
    measured("--model", MODEL, "--sheets", "sheets")
    assert not list(Path("sheets").iterdir())  # the one that was found is called happy
    with Collection(people) as collection:
        seen = look(collection, {(1.0, 0.0, 0.0)}, detector=load_detector("ferkit"))
        scores = np.array([[0.3, 0.7], [0.3, 0.7]])
        (tile,) = missed_smiles(collection, seen, scores, ("happy", "sad"))
        assert tile.caption == "sad 70 %" and tile.weight == -np.inf
        assert missed_smiles(collection, seen, scores, ("sad", "happy")) == []
        assert missed_smiles(collection, seen, scores, ("sad", "angry")) == []
    write_sheet(Path("sheets", "one.png"), [tile])
    assert cv2.imread("sheets/one.png").shape == (166, 1200, 3)


def test_a_card_without_a_rule_for_the_detector_is_named(people, capsys):
    tiny = ROOT / "tests" / "data" / "tiny_fp32.onnx"
    assert benchmark(["groups", "people", "--model", str(tiny), "--detector", "ferkit"]) == 1
    assert "tiny_fp32.onnx: expected a card with a crop rule for ferkit" in capsys.readouterr().err


def test_a_label_that_the_model_does_not_have_is_named(people, capsys):
    (people / "groups.csv").write_text("file,label\na.png,bored\n")
    assert benchmark(["groups", "people", "--model", str(MODEL), "--detector", "ferkit"]) == 1
    assert "expected a model with the labels bored" in capsys.readouterr().err


def test_models_with_other_labels_cannot_be_compared(people, capsys):
    (people / "groups.csv").write_text("file,place\na.png,space\n")
    three = ROOT / "tests" / "data" / "three_fp32.onnx"
    arguments = ["groups", "people", "--model", str(MODEL), "--reference", str(three), "--detector", "ferkit"]
    assert benchmark(arguments) == 1
    assert "expected the labels of edge_int8.onnx" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected a folder or zip file of images, or --report"),
        (["people", "--report", "a.json"], "and not both"),
        (["people", "--pad", "-1"], "expected a number from 0 to 4, got -1"),
        (["people", "--pad", "nan"], "expected a number from 0 to 4, got nan"),
        (["people", "--name", "../mine"], "letters, digits, spaces and .-+_, a letter or digit first"),
        (["people", "--name", "a" * 101], "expected at most 100 letters"),
    ],
)
def test_a_slip_on_the_command_line_is_named(arguments, message, capsys):
    with pytest.raises(SystemExit):
        benchmark(["groups", *arguments])
    assert message in capsys.readouterr().err


@pytest.mark.published
@pytest.mark.parametrize(
    "path", sorted((ROOT / "results" / "groups").glob("*.json")), ids=lambda path: path.stem
)
def test_the_committed_pages_show_the_committed_results(path):
    page = (ROOT / "reports" / "groups" / f"{path.stem}.md").read_text(encoding="utf-8")
    assert render(read_groups(path)) == page
