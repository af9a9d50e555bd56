"""An object store, moto's on the loopback, as the source of an archive and as the place of the result."""

import cv2
import pytest

from benchmarks.speed.archive_files import make_archive
from benchmarks.speed.archive_runs import rows_in
from benchmarks.speed.archive_store import object_store, put
from runtime.images import SourceError
from runtime.label.files import find_files
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
