"""`ferkit label` on one machine: a row per file, the labels of `ferkit run`, resumed, and its exit codes."""

import importlib.util

import cv2
import pytest

from benchmarks.speed.archive_files import make_archive
from runtime.command.cli import main
from runtime.label.on_ray import label_part
from runtime.label.own_process import OwnProcess
from runtime.label.parts import Parts
from tests.support.archives import faces_by_run, label, rows_in, same_faces, settings_of
from tests.support.command import IMAGE, RUN
from tests.support.yunet import needs_haar

pytest.importorskip("ray", reason="needs Ray: pip install -r requirements/ray.txt")
pytestmark = needs_haar


def test_an_archive_gets_a_row_per_file_with_the_labels_of_ferkit_run_and_none_twice(tmp_path, capsys):
    paths = make_archive(
        tmp_path / "in", cv2.imread(str(IMAGE)), images=12, videos=3, frames=8, damaged=0.3, seed=4
    )
    command = [tmp_path / "in", "--out", tmp_path / "out"]
    first = label(*command, "--limit", "6")
    assert first.returncode in (0, 1), first.stderr
    assert len(rows_in(tmp_path / "out")) == 6
    rest = label(*command)
    assert rest.returncode == 1, rest.stderr
    rows = rows_in(tmp_path / "out")
    assert sorted(rows) == sorted(map(str, paths))
    expected = {str(path): faces_by_run(path, tmp_path) for path in paths}
    assert all(same_faces(rows[path]["faces"], faces or []) for path, faces in expected.items())
    assert [path for path, faces in expected.items() if faces is None and not rows[path]["error"]] == []
    assert any(row["error"] for row in rows.values()) and any(row["faces"] for row in rows.values())
    capsys.readouterr()
    before = sorted((tmp_path / "out").iterdir())
    assert main(["label", *map(str, command), *RUN]) == 0  # nothing is left to do, so no Ray is started
    assert sorted((tmp_path / "out").iterdir()) == before


@pytest.mark.parametrize(
    ("source", "out", "options", "code"),
    [
        ("in", "", [], 2),
        ("in", "out", ["--every", "-1"], 2),
        ("in", "out", ["--time-limit", "0"], 2),
        ("missing", "out", [], 3),
        ("in", "out", ["--model", "nobody"], 4),
        ("in", "out", ["--detector", "nobody.onnx"], 5),
        ("in", "in/0.jpg", [], 6),
        ("in", "xy://bucket/out", [], 6),
    ],
)
def test_bad_input_is_one_line_with_its_exit_code_and_writes_nothing(
    tmp_path, monkeypatch, capsys, source, out, options, code
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "0.jpg").write_bytes(b"")
    try:
        assert main(["label", source, "--out", out, *RUN, *options]) == code
        assert len(capsys.readouterr().err.splitlines()) == 1
    except SystemExit as usage:  # argparse's
        assert usage.code == code
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(tmp_path, capsys):
    make_archive(tmp_path / "in", cv2.imread(str(IMAGE)), images=3, videos=1, frames=2)
    assert main(["label", str(tmp_path / "in"), "--out", str(tmp_path / "out"), *RUN, "--dry-run"]) == 0
    assert "4 files, 4 to label (3 images, 1 videos)" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


def test_no_cluster_at_the_address_is_said_in_one_line(tmp_path, photo):
    done = label(photo, "--out", tmp_path / "out", "--address", "127.0.0.1:1")
    assert done.returncode == 4, done.stderr
    assert "127.0.0.1:1" in done.stderr.splitlines()[-1]


@pytest.mark.skipif(importlib.util.find_spec("polars") is None, reason="needs polars, pandas and DuckDB")
def test_pandas_duckdb_and_polars_read_the_result_as_the_page_says(tmp_path, photo):
    import duckdb
    import pandas
    import polars

    for options, out in ([], "a"), (["--flat"], "b"):
        settings = settings_of(photo, *options)
        parts = Parts(str(tmp_path / out), settings)
        parts.prepare()
        with OwnProcess(settings) as process:
            assert label_part([str(photo)], process, parts).files == 1
    files = f"{tmp_path}/a/*.parquet"
    assert list(pandas.read_parquet(tmp_path / "a").path) == [str(photo)]
    query = f"SELECT face.label, face.scores.happy FROM (SELECT unnest(faces) AS face FROM '{files}')"
    ((shown, score),) = duckdb.sql(query).fetchall()
    faces = polars.scan_parquet(files).explode("faces")
    counted = faces.group_by(polars.col("faces").struct.field("label")).len().collect()
    assert counted.rows() == [(shown, 1)]
    (flat,) = pandas.read_parquet(tmp_path / "b" / "faces").to_dict("records")
    assert (flat["path"], flat["label"], flat["happy"]) == (str(photo), shown, pytest.approx(score))
    assert "faces" not in pandas.read_parquet(tmp_path / "b" / "files").columns
