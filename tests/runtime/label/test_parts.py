"""The Parquet parts: whole or not there, each file in one of them, and the memory of what is done."""

import dataclasses

import pytest

from runtime.command.outputs import OutputError
from runtime.label.parts import Parts, flat_faces, split
from runtime.label.rows import batch_of, failed_row, stored
from tests.support.archives import settings_of
from tests.support.yunet import needs_haar

pa = pytest.importorskip("pyarrow", reason="needs pyarrow: pip install -r requirements/ray.txt")
pytestmark = needs_haar
IMAGES = [f"{number:04}.jpg" for number in range(1500)]


@pytest.fixture(scope="module")
def settings():
    return settings_of("x")


def write(parts, paths, labels):
    parts.prepare()
    rows = batch_of([failed_row(path, "no") for path in paths], labels)
    parts.write(paths, pa.Table.from_batches([rows]))


def test_parts_are_small_and_smaller_with_videos():
    assert [len(part) for part in split(IMAGES)] == [600, 600, 300]
    videos = [f"{number}.mp4" for number in range(19)]
    assert [len(part) for part in split(videos)] == [4, 4, 4, 4, 3]
    assert [len(part) for part in split(videos, sampled=True)] == [15, 4]
    assert split([]) == []


def test_what_is_left_is_cut_where_the_whole_was():
    done = {stored(path) for path in IMAGES[:720]}
    assert split(IMAGES, done) == [IMAGES[720:1200], IMAGES[1200:]]
    assert split(IMAGES, done, limit=500) == [IMAGES[720:1200], IMAGES[1200:1220]]
    assert split(IMAGES, set(map(stored, IMAGES))) == []


def test_what_was_written_is_done(tmp_path, settings):
    parts = Parts(str(tmp_path / "new" / "out"), settings)
    assert parts.done() == set()
    write(parts, ["a.jpg", "\udcff.jpg"], settings.labels)
    assert parts.done() == {"a.jpg", "\\udcff.jpg"}


def test_a_part_that_is_made_twice_replaces_itself(tmp_path, settings):
    parts = Parts(str(tmp_path), settings)
    for _ in range(2):
        write(parts, ["a.jpg", "b.jpg"], settings.labels)
    write(parts, ["c.jpg"], settings.labels)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_part_says_which_model_made_it(tmp_path, settings):
    import json

    import pyarrow.parquet as pq

    write(Parts(str(tmp_path), settings), ["a.jpg"], settings.labels)
    (path,) = tmp_path.iterdir()
    part = pq.ParquetFile(path)
    about = json.loads(part.schema_arrow.metadata[b"ferkit"])
    assert about["model_sha256"] == settings.model_sha256 and about["ferkit"]
    assert part.metadata.row_group(0).column(0).compression == "ZSTD"


@pytest.mark.parametrize("change", [{"model_sha256": "0" * 64}, {"every_s": 1.0}, {"flat": True}])
def test_rows_of_another_model_or_setting_are_not_mixed(tmp_path, settings, change):
    write(Parts(str(tmp_path), settings), ["a.jpg"], settings.labels)
    with pytest.raises(OutputError) as caught:
        Parts(str(tmp_path), dataclasses.replace(settings, **change)).done()
    assert next(iter(change)) in str(caught.value)


def test_settings_that_change_no_label_may_change(tmp_path, settings):
    write(Parts(str(tmp_path), settings), ["a.jpg"], settings.labels)
    other = dataclasses.replace(settings, time_limit_s=5.0, folder="/elsewhere")
    assert Parts(str(tmp_path), other).done() == {"a.jpg"}


def test_a_parquet_file_of_somebody_else_is_refused_by_name(tmp_path, settings):
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"path": ["a"]}), tmp_path / "mine.parquet")
    with pytest.raises(OutputError, match=r"mine\.parquet"):
        Parts(str(tmp_path), settings).done()
    (tmp_path / "mine.parquet").write_bytes(b"PAR1 damaged")
    with pytest.raises(OutputError, match=r"mine\.parquet"):
        Parts(str(tmp_path), settings).done()


def test_what_a_killed_run_left_unfinished_is_removed(tmp_path, settings):
    parts = Parts(str(tmp_path), settings)
    write(parts, ["a.jpg"], settings.labels)
    (tmp_path / ".part-1.parquet.7.unfinished").write_bytes(b"PAR1")
    assert parts.done(tidy=True) == {"a.jpg"}
    assert len(list(tmp_path.iterdir())) == 1


def test_flat_faces_without_their_files_are_removed(tmp_path, settings):
    flat = dataclasses.replace(settings, flat=True)
    parts = Parts(str(tmp_path), flat)
    write(parts, ["a.jpg"], settings.labels)
    (name,) = [path.name for path in (tmp_path / "files").iterdir()]
    write(parts, ["b.jpg"], settings.labels)
    for path in (tmp_path / "files").iterdir():
        if path.name != name:
            path.unlink()
    assert parts.done(tidy=True) == {"a.jpg"}
    assert [path.name for path in (tmp_path / "faces").iterdir()] == [name]


def test_files_of_the_user_are_not_removed(tmp_path, settings):
    flat = Parts(str(tmp_path), dataclasses.replace(settings, flat=True))
    for name in ("faces/happy/a.png", "faces/b.png", "notes.unfinished"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    before = set(tmp_path.rglob("*"))
    assert flat.done(tidy=True) == set()
    assert set(tmp_path.rglob("*")) == before
    write(Parts(str(tmp_path / "faces"), settings), ["a.jpg"], settings.labels)  # rows, not faces
    with pytest.raises(OutputError, match="flat"):
        flat.done(tidy=True)
    assert len(list((tmp_path / "faces").glob("*.parquet"))) == 1


def test_two_commands_do_not_write_into_one_folder(tmp_path, settings):
    with Parts(str(tmp_path / "out"), settings).alone():
        other = Parts(str(tmp_path / "out"), settings).alone()
        with pytest.raises(OutputError, match="another"), other:
            pass
    with Parts(str(tmp_path / "out"), settings).alone():
        pass


def test_a_class_that_is_called_as_a_column_of_flat_faces_leaves_it_alone(settings):
    labels = ("x", "label", "path")
    face = {"box": {"x": 3, "y": 4, "width": 5, "height": 6}, "label": "x"}
    face["scores"] = {"x": 0.5, "label": 0.25, "path": 0.125}
    (row,) = flat_faces(
        pa.Table.from_batches([batch_of([{"path": "a", "faces": [face]}], labels)])
    ).to_pylist()
    assert (row["path"], row["x"], row["label"]) == ("a", 3, "x")
    assert [row[f"score_{label}"] for label in labels] == [0.5, 0.25, 0.125]


def test_a_place_that_cannot_be_written_is_refused(tmp_path, settings):
    (tmp_path / "file").write_bytes(b"")
    for place in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(OutputError, match="file"):
            Parts(str(place), settings).prepare()
