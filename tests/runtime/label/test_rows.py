"""One file -> one row: the labels of `ferkit run`, and every error in the row."""

import cv2
import numpy as np
import pytest

from runtime.label.rows import batch_of, failed_row, label_file, row_schema
from runtime.label.settings import open_recognizer
from tests.support.archives import faces_by_run, same_faces, settings_of
from tests.support.yunet import needs_haar

pytest.importorskip("pyarrow", reason="needs pyarrow: pip install -r requirements/ray.txt")
pytestmark = needs_haar


def row_of(path, *options):
    settings = settings_of(path, *options)
    with open_recognizer(settings) as recognizer:
        batch = batch_of([label_file(recognizer, str(path), settings)], settings.labels)
    assert batch.schema == row_schema(settings.labels)
    (row,) = batch.to_pylist()
    return row


@pytest.mark.parametrize("kind", ["photo", "clip"])
def test_a_file_gets_the_labels_of_ferkit_run(request, tmp_path, kind):
    path = request.getfixturevalue(kind)
    row, expected = row_of(path), faces_by_run(path, tmp_path)
    assert same_faces(row["faces"], expected)
    assert len(expected) == {"photo": 1, "clip": 5}[kind]
    assert (row["path"], row["size"], row["error"]) == (str(path), path.stat().st_size, None)


def test_a_row_says_what_the_file_is(photo, clip):
    facts = ["kind", "frames", "width", "height", "seconds"]
    assert [row_of(photo)[fact] for fact in facts] == ["image", 1, 160, 160, None]
    assert [row_of(clip)[fact] for fact in facts] == ["video", 6, 160, 160, 0.6]


def test_the_shares_of_time_add_up_to_one_and_are_missing_without_a_face(tmp_path, clip):
    row = row_of(clip)
    shares = {name: value for name, value in row.items() if name.startswith("share_")}
    assert len(shares) == 8 and sum(shares.values()) == pytest.approx(1)
    shown = {face["label"] for face in row["faces"]}
    assert {name for name, value in shares.items() if value} == {f"share_{label}" for label in shown}
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((80, 80, 3), 128, np.uint8))
    wall = row_of(tmp_path / "wall.png")
    assert (wall["faces"], wall["error"], wall["share_happy"]) == ([], None, None)


def test_every_samples_a_video_and_counts_all_its_frames(clip):
    row = row_of(clip, "--every", "0.2")
    assert [face["time_s"] for face in row["faces"]] == [0.0, 0.2, 0.4]
    assert (row["frames"], row["seconds"]) == (6, 0.6)


def test_a_file_that_cannot_be_read_has_a_row_with_its_error(tmp_path):
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "text.mp4").write_bytes(b"not a video\n")
    for name in ("empty.jpg", "text.mp4", "missing.jpg", "."):
        row = row_of(tmp_path / name)
        assert row["error"] and row["faces"] == [], name


def test_a_video_that_breaks_off_keeps_what_came_before(long_clip, tmp_path):
    data = long_clip.read_bytes()
    index = data.rindex(b"moov") - 4  # the index stays whole, its frames do not
    path = tmp_path / "cut.mp4"
    path.write_bytes(data[: index // 50] + bytes(index - index // 50) + data[index:])
    row = row_of(path)
    assert row["error"] and row["faces"] and row["frames"] < 1500


def test_a_failed_row_has_the_path_and_the_error_alone():
    (row,) = batch_of([failed_row("\udcff.jpg", "killed")], ["a"]).to_pylist()
    assert {name: value for name, value in row.items() if value} == {"path": "\\udcff.jpg", "error": "killed"}
