"""What a user names -> the files of an archive."""

import pytest

from runtime.images import SourceError
from runtime.label.files import find_files
from runtime.label.store import address_of, local_copy

pa = pytest.importorskip("pyarrow", reason="needs pyarrow: pip install -r requirements/ray.txt")


@pytest.fixture
def archive(tmp_path):
    for name in ("b.jpg", "a.PNG", "clip.mp4", "notes.txt", "more/c.webm", "more/deep/d.jpeg", "more/e.pdf"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    return tmp_path


def names(paths, folder):
    return [path.removeprefix(f"{folder}/") for path in paths]


def test_a_folder_gives_its_images_and_videos_with_those_in_its_folders(archive):
    expected = ["a.PNG", "b.jpg", "clip.mp4", "more/c.webm", "more/deep/d.jpeg"]
    assert names(find_files(str(archive)), archive) == expected


def test_an_address_of_this_machine_is_the_folder(archive):
    assert find_files(archive.as_uri()) == find_files(str(archive))


def test_a_glob_gives_every_file_that_matches(archive):
    assert names(find_files(f"{archive}/**/*.p*"), archive) == ["more/e.pdf"]


def test_a_file_is_itself(archive):
    assert find_files(str(archive / "clip.mp4")) == [str(archive / "clip.mp4")]


def write_csv(path):
    path.write_text("label,path\n1,b.jpg\n2,007\n3,b.jpg\n", encoding="utf-8")


def write_parquet(path):
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"path": ["b.jpg", "007", "b.jpg"]}), path)


def write_lines(path):
    path.write_bytes(b"b.jpg\r\n\n007\nb.jpg\n")


@pytest.mark.parametrize(
    ("name", "write"), [("m.csv", write_csv), ("m.parquet", write_parquet), ("m.txt", write_lines)]
)
def test_a_manifest_gives_the_paths_it_lists_each_once_in_its_order(tmp_path, name, write):
    write(tmp_path / name)
    assert find_files(str(tmp_path / name)) == ["b.jpg", "007"]
    assert find_files((tmp_path / name).as_uri()) == ["b.jpg", "007"]


def test_a_path_that_is_not_utf_8_survives(tmp_path):
    (tmp_path / "m.txt").write_bytes(b"\xff.jpg\n")
    assert find_files(str(tmp_path / "m.txt")) == ["\udcff.jpg"]


@pytest.mark.parametrize(
    "source",
    ["", "missing", "none/*.jpg", "empty", "m.csv", "empty.txt", "m.parquet", "bad.parquet", "xy://a/b"],
)
def test_a_source_without_files_is_refused_by_name(tmp_path, monkeypatch, source):
    import pyarrow.parquet as pq

    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "m.csv").write_text("file\na.jpg\n", encoding="utf-8")
    (tmp_path / "empty.txt").write_bytes(b"\n")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1")
    pq.write_table(pa.table({"file": ["a"]}), tmp_path / "m.parquet")
    with pytest.raises(SourceError) as caught:
        find_files(source)
    assert source in str(caught.value)


def test_an_address_with_a_password_is_refused_and_not_repeated():
    with pytest.raises(SourceError) as caught:
        find_files("s3://key:secret@bucket/videos")
    assert "secret" not in str(caught.value)


def test_a_file_address_of_this_machine_is_not_copied_and_is_no_pipe(tmp_path):
    (tmp_path / "a b.jpg").write_bytes(b"x")
    with local_copy((tmp_path / "a b.jpg").as_uri(), folder="/", address="") as local:
        assert local == tmp_path / "a b.jpg"
    with local_copy(f"file://{tmp_path}/a b.jpg", folder="/", address="") as local:
        assert local == tmp_path / "a b.jpg"
    with pytest.raises(SourceError, match="device"), local_copy("file:///dev/zero", folder="/", address=""):
        pass


@pytest.mark.parametrize(
    ("like", "path", "expected"),
    [
        ("s3://bucket/in/?region=x", "bucket/in/a b.jpg", "s3://bucket/in/a%20b.jpg"),
        ("gs://anonymous@bucket/in", "bucket/in/a.jpg", "gs://anonymous@bucket/in/a.jpg"),
        ("hdfs://head:8020/in", "/in/a.jpg", "hdfs://head:8020/in/a.jpg"),
    ],
)
def test_the_address_of_a_file_names_the_same_store(like, path, expected):
    root = path.rpartition("/")[0]
    assert address_of(path, like=like, root=root) == expected
