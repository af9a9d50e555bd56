"""An object store, moto's on the loopback, as the source of an archive and as the place of the result."""

import cv2
import pytest

from benchmarks.speed.archive_files import make_archive
from benchmarks.speed.archive_runs import rows_in
from benchmarks.speed.archive_store import object_store, put
from runtime.images import SourceError
from runtime.label.files import find_files
from runtime.label.store import local_copy
from tests.support.archives import label, plain_labels
from tests.support.command import IMAGE
from tests.support.yunet import needs_haar

pytest.importorskip("ray", reason="needs Ray: pip install -r requirements/ray.txt")
pytest.importorskip("moto", reason="needs moto: pip install --no-deps -r requirements/store.txt")
pytest.importorskip("flask_cors", reason="needs Flask: pip install --no-deps -r requirements/store.txt")


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    folder = tmp_path_factory.mktemp("archive")
    make_archive(folder, cv2.imread(str(IMAGE)), images=6, videos=2, frames=8, damaged=0.3, seed=4)
    return folder


@pytest.fixture(scope="module")
def store(archive):
    with object_store() as store:
        put(archive, store.address("in"))
        yield store


def inside(paths, root):
    return sorted(path.removeprefix(root) for path in paths)


@needs_haar
def test_an_archive_in_a_store_is_labelled_into_the_store_once(archive, store):
    paths = [path for path in archive.rglob("*.*") if path.is_file()]
    first = label(store.address("in"), "--out", store.address("out"))
    assert first.returncode == 1, first.stderr  # some files are damaged
    rows = rows_in(store.address("out"))
    faces = {row["path"].removeprefix("s3://archive/in/"): row["faces"] for row in rows}
    assert len(faces) == len(rows)
    assert faces == {path.removeprefix(f"{archive}/"): found for path, found in plain_labels(paths).items()}
    assert {row["path"].rpartition("/")[2]: row["size"] for row in rows} == {
        path.name: path.stat().st_size for path in paths
    }
    again = label(store.address("in"), "--out", store.address("out"))
    assert again.returncode == 0, again.stderr
    assert len(rows_in(store.address("out"))) == len(rows)


def test_a_folder_a_glob_a_manifest_and_a_file_of_a_store_give_their_files(archive, store, tmp_path):
    names = inside(map(str, (path for path in archive.rglob("*.*") if path.is_file())), f"{archive}/")
    root = "s3://archive/in/"
    assert inside(find_files(store.address("in")), root) == names
    videos = [name for name in names if name.endswith(".mp4")]
    assert inside(find_files(store.address("in/**/*.mp4")), root) == videos
    assert inside(find_files(store.address(f"in/{names[0]}")), root) == names[:1]
    (tmp_path / "videos.txt").write_text("".join(f"{root}{name}\n" for name in videos), encoding="utf-8")
    put(tmp_path, store.address("lists"))
    assert inside(find_files(store.address("lists/videos.txt")), root) == videos


def test_what_a_store_does_not_have_is_refused_by_name(store):
    for folder in ("none", "in/none.jpg"):
        with pytest.raises(SourceError, match=folder):
            find_files(store.address(folder))


NAMES = [
    "a b.jpg",
    "käse.jpg",
    "50%.jpg",
    "50%20off.jpg",
    "a#b.jpg",
    "a?b.jpg",
    "[1].jpg",
    'q"q.jpg',
    "d e/x.jpg",
]


def test_a_file_of_any_name_is_read_from_a_store(store, tmp_path):
    for name in NAMES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    put(tmp_path, store.address("odd"))
    address = store.address("odd")
    found = find_files(address)
    contents = []
    for path in found:
        with local_copy(path, folder="/", address=address) as local:
            contents.append(local.read_text(encoding="utf-8"))
    assert sorted(contents) == sorted(NAMES)
    for path in found:
        assert find_files(f"{path}?{address.partition('?')[2]}") == [path]


def test_an_address_may_be_written_with_spaces(store, tmp_path):
    (tmp_path / "a b.jpg").write_text("x", encoding="utf-8")
    put(tmp_path, store.address("two%20words"))
    assert find_files(store.address("two words")) == ["s3://archive/two%20words/a%20b.jpg"]
    with local_copy("s3://archive/two words/a b.jpg", folder="/", address=store.address("")) as local:
        assert local.read_text(encoding="utf-8") == "x"


def test_a_glob_of_a_store_reaches_as_far_as_one_of_a_disk(store, tmp_path):
    for name in ("a.jpg", "b/c.jpg", "b/d/e.jpg", "b/d/f.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"x")
    put(tmp_path, store.address("deep"))
    for pattern in ("in/*.jpg", "in/**/*.jpg", "in/*/*.jpg", "in/b/**", "in/[ab]/[!x]/*", "**/b/*.jpg"):
        found = inside(find_files(store.address(f"deep/{pattern}")), "s3://archive/deep/")
        assert found == inside(find_files(f"{tmp_path}/{pattern}"), f"{tmp_path}/"), pattern
