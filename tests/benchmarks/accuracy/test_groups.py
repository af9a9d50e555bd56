"""Groups: how images and their groups are read, and what is counted for each group."""

import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.__main__ import main as benchmark
from benchmarks.accuracy.grouped_images import Collection, GroupsError, Listed
from benchmarks.accuracy.groups import members, share, smile_strength
from benchmarks.accuracy.smile import recall_at_equal_strength
from reporting.metrics import share_interval

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
    lines = [f"neutral/1.jpg,{age},{'old' if age > 40 else 'young'}" for age in range(20, 60)]
    (folder / "who.csv").write_text("\n".join(["file,years,age", *lines]))
    with Collection(folder, "who.csv") as collection:
        assert collection.left_out == ["years"]
        assert {tuple(image.groups) for image in collection.listed} == {("age",)}


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("name,group\na,b\n", r"who\.csv: expected a CSV with a column file, got name, group"),
        ("", r"who\.csv: expected a CSV with a column file, got no line"),
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
    assert share({"right": 9, "count": 10, "low": 0.5958, "high": 0.9821}) == "90.0 % (59.6-98.2)"
    assert share(None) == share({"right": 0, "count": 0, "low": 0, "high": 1}) == "-"


def test_the_command_writes_figures_and_a_report(tmp_path, monkeypatch, capsys):
    pytest.importorskip("onnxruntime")
    if not hasattr(cv2, "CascadeClassifier"):
        pytest.skip("needs OpenCV's Haar cascade")
    source = tmp_path / "people"
    source.mkdir()
    portrait = cv2.imread(str(ROOT / "demo" / "astronaut.jpg"))
    cv2.imwrite(str(source / "a.png"), portrait)
    cv2.imwrite(str(source / "b.png"), np.full((120, 160, 3), 90, np.uint8))
    (source / "groups.csv").write_text("file,label,place\na.png,happy,space\nb.png,neutral,earth\n")
    monkeypatch.chdir(tmp_path)
    assert benchmark(["groups", str(source), "--model", str(MODEL), "--detector", "haar"]) == 0
    results = json.loads((tmp_path / "results" / "groups" / "people.json").read_text())
    assert {group: figure["right"] for group, figure in results["found"].items()} == {
        "everybody": 1,
        "place: earth": 0,
        "place: space": 1,
    }
    labels = results["models"]["edge_int8.onnx"]["place: space"]["labels"]
    assert labels["happy"] == {"right": 1, "count": 1, "low": pytest.approx(0.2065, abs=1e-4), "high": 1.0}
    assert "| place: space | 100.0 % (20.7-100.0) | 100.0 % (20.7-100.0) |" in capsys.readouterr().out


def test_a_label_that_the_model_does_not_have_is_named(folder, capsys):
    pytest.importorskip("onnxruntime")
    (folder / "who.csv").write_text("file,label\nneutral/1.jpg,bored\n")
    if not hasattr(cv2, "CascadeClassifier"):
        pytest.skip("needs OpenCV's Haar cascade")
    assert (
        benchmark(["groups", str(folder), "--table", "who.csv", "--model", str(MODEL), "--detector", "haar"])
        == 1
    )
    assert "expected a model with the labels bored" in capsys.readouterr().err
