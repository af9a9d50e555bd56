"""Outputs: whole lines, playable videos, and nothing lost where a run ends early."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from runtime.command.lines import csv_header, csv_lines, json_lines
from runtime.command.open_source import open_source
from runtime.command.outputs import (
    LinesFile,
    OutputError,
    atomic_file,
    image_targets,
    listed_target,
    write_image,
)
from runtime.command.sources import SourceFrame
from runtime.command.video_file import VideoFile, room_bytes
from runtime.recognizer import Face
from tests.support.privileges import unprivileged

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
SCORES = np.array([0.01, 0.02, 0.03, 0.8, 0.04, 0.05, 0.05], np.float32)
FRAME = SourceFrame('clip, "one".mp4', 7, 0.28, np.zeros((4, 4, 3), np.uint8))
FACES = [
    Face((3, -2, 40, 50), "happy", SCORES, 0.9, LABELS, 12, SCORES[::-1]),
    Face((60, 8, 30, 30), "uncertain", SCORES, 0.7, LABELS),
]


def frames_of(path):
    with open_source(path) as source:
        return [frame.pixels for frame in source]


def test_a_face_is_a_line_of_json_with_its_id_and_whether_it_is_smoothed():
    first, second = map(json.loads, json_lines(FRAME, FACES).splitlines())
    assert first == {
        "source": 'clip, "one".mp4', "frame": 7, "time_s": 0.28, "face": 0, "id": 12, "box": [3, -2, 40, 50],
        "label": "happy", "scores": dict(zip(LABELS, [0.01, 0.02, 0.03, 0.8, 0.04, 0.05, 0.05], strict=True)),
        "smoothed": True, "confidence": 0.9,
    }  # fmt: skip
    assert (second["id"], second["face"], second["label"]) == (None, 1, "uncertain")
    assert second["smoothed"] is False


def test_csv_holds_what_json_holds():
    text = csv_header(LABELS) + csv_lines(FRAME, FACES)
    first, second = csv.DictReader(io.StringIO(text))
    assert first == {
        "source": 'clip, "one".mp4', "frame": "7", "time_s": "0.28", "face": "0", "id": "12",
        "x": "3", "y": "-2", "width": "40", "height": "50", "label": "happy",
        "angry": "0.01", "disgust": "0.02", "fear": "0.03", "happy": "0.8", "sad": "0.04", "surprise": "0.05",
        "neutral": "0.05", "smoothed": "true", "confidence": "0.9",
    }  # fmt: skip
    assert (second["id"], second["smoothed"], second["x"]) == ("", "false", "60")
    assert text.count("\n") == 3
    assert "\r" not in text


def test_a_label_that_is_called_as_another_column_has_a_column_of_its_own():
    labels = ("x", "label", "score_x", "o")
    face = Face((3, -2, 40, 50), "o", np.array([0.1, 0.2, 0.3, 0.4], np.float32), 0.9, labels)
    (row,) = csv.DictReader(io.StringIO(csv_header(labels) + csv_lines(FRAME, [face])))
    assert (row["x"], row["label"], row["o"], row["score_x"]) == ("3", "o", "0.4", "0.3")
    assert (row["score_score_x"], row["score_label"]) == ("0.1", "0.2")


@pytest.mark.published
def test_the_documentation_names_every_field_and_column():
    page = (Path(__file__).parents[3] / "docs" / "command-line.md").read_text(encoding="utf-8")
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| `")]
    fields = [row[1].strip(" `") for row in rows]
    columns = [column.strip(" `") for row in rows for column in row[2].split(",")]
    assert [field for field in json.loads(json_lines(FRAME, FACES[:1])) if field not in fields] == []
    named = set(csv_header(LABELS).strip().split(",")) - set(LABELS)
    assert named - set(columns) == set()


def test_a_file_of_lines_appears_at_its_end(tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_text("before")
    with LinesFile(path) as file:
        file.write("one\n")
        assert path.read_text() == "before"
    assert path.read_bytes() == b"one\n"
    assert [path.name for path in tmp_path.iterdir()] == ["lines.jsonl"]


def test_an_exception_leaves_the_lines_before_it_or_no_file(tmp_path):
    path = tmp_path / "lines.csv"
    with pytest.raises(RuntimeError), LinesFile(path, header="name\n") as file:
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RuntimeError), LinesFile(path, header="name\n") as file:
        file.write("one\n")
        raise RuntimeError
    assert path.read_text() == "name\none\n"


def test_a_file_of_frames_without_lines_has_its_header_alone(tmp_path):
    with (
        LinesFile(tmp_path / "none.csv", header="name\n") as rows,
        LinesFile(tmp_path / "none.jsonl") as lines,
    ):
        rows.write("")
        lines.write("")
    assert (tmp_path / "none.csv").read_text() == "name\n"
    assert (tmp_path / "none.jsonl").read_text() == ""


def test_where_nothing_was_written_the_older_file_stays(tmp_path):
    path = tmp_path / "old.csv"
    path.write_text("before\n")
    with LinesFile(path, header="name\n"):
        pass
    assert path.read_text() == "before\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name != "posix", reason="needs /dev/null, named pipes and links")
def test_what_is_no_plain_file_is_written_and_not_replaced(tmp_path):
    with LinesFile(Path(os.devnull)) as file:
        file.write("one\n")
    assert Path(os.devnull).is_char_device()
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("before")
    link.symlink_to(real)
    with LinesFile(link) as file:
        file.write("one\n")
    assert link.is_symlink()
    assert real.read_text() == "one\n"
    with pytest.raises(OutputError, match=r"folder: expected the name of a file, got a folder"):
        (tmp_path / "folder").mkdir()
        LinesFile(tmp_path / "folder").__enter__()


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="needs the names of open files")
def test_a_pipe_is_written_by_the_name_that_the_shell_gives_it():
    read, write = os.pipe()
    with LinesFile(Path(f"/dev/fd/{write}")) as file:
        file.write("one\n")
    os.close(write)
    with os.fdopen(read) as pipe:
        assert pipe.read() == "one\n"


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such names")
@pytest.mark.parametrize("name", ["/dev/stderr", "/dev/fd/2", "/proc/self/fd/2"])
def test_standard_error_is_refused_as_it_would_lead_nowhere(name):
    with pytest.raises(OutputError, match=rf"^{name}: .*: ferkit's own lines go to standard error\. Name a"):
        LinesFile(Path(name)).__enter__()


@pytest.mark.skipif(os.name != "posix", reason="needs named pipes and links")
def test_a_pipe_stays_where_nothing_was_written_to_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("link").symlink_to("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    for name in ("pipe", "link"):
        with LinesFile(Path(name)):
            pass
    os.close(reader)
    assert Path("link").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "pipe"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_is_named_with_what_to_do():
    with (
        LinesFile(Path("/dev/full")) as file,
        pytest.raises(OutputError, match=r"^/dev/full: can't be written: No space left on device. Free some"),
    ):
        file.write("one\n")
    assert Path("/dev/full").is_char_device()


def test_a_folder_that_takes_no_files_is_named(tmp_path):
    image = np.zeros((48, 64, 3), np.uint8)
    with unprivileged(tmp_path, 0o555):
        for path in (tmp_path / "x.png", tmp_path / "deeper" / "x.png"):
            with pytest.raises(OutputError, match=r"x\.png: can't be written: Permission denied"):
                write_image(path, image)
        with pytest.raises(OutputError, match=r"x\.csv: can't be written: Permission denied"):
            LinesFile(tmp_path / "x.csv").__enter__()
        for name in ("x.mp4", "x.avi"):
            with (
                pytest.raises(OutputError, match=rf"{name}: can't be written: Permission denied"),
                VideoFile(tmp_path / name, frame_rate=10) as video,
            ):
                video.write(image, 0.0)


FILL = """
import resource, sys
import numpy as np
from pathlib import Path
from runtime.command.outputs import LinesFile, OutputError
from runtime.command.video_file import VideoFile
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
noise = np.random.default_rng(0)
path = Path(sys.argv[1])
try:
    if path.suffix == ".jsonl":
        with LinesFile(path) as file:
            for number in range(100_000):
                file.write('{"frame": %d}\\n' % number)
    else:
        with VideoFile(path, frame_rate=10) as video:
            for number in range(100_000):
                video.write(noise.integers(0, 256, (120, 160, 3), np.uint8), number / 10)
except OutputError as error:
    print(error)
"""


def fill(path, limit_bytes):
    done = subprocess.run(
        [sys.executable, "-c", FILL, str(path), str(limit_bytes)],
        cwd=Path(__file__).parents[3], capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(os.name != "posix", reason="Windows has no limit on the size of files")
@pytest.mark.parametrize("name", ["full.mp4", "full.avi"])
def test_a_video_that_meets_a_full_disk_can_be_played_to_where_it_ends(tmp_path, name):
    line = fill(tmp_path / name, 2_000_000)
    assert line.startswith(f"{tmp_path / name}: the disk is full: the video ends after ")
    frames = int(line.split(" frames")[0].rsplit(" ", 1)[1])
    assert frames > 20
    with open_source(tmp_path / name) as source:
        assert len(list(source)) == source.frame_count == frames
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.skipif(os.name != "posix", reason="Windows has no limit on the size of files")
def test_a_disk_that_is_full_from_the_start_takes_no_video(tmp_path):
    assert "the disk is full: the video ends after 0 frames" in fill(tmp_path / "full.mp4", 500_000)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="Windows has no limit on the size of files")
def test_lines_that_meet_a_full_disk_end_with_a_whole_one(tmp_path):
    line = fill(tmp_path / "full.jsonl", 10_000)
    assert line.startswith(f"{tmp_path / 'full.jsonl'}: can't be written: File too large. Free some room")
    numbers = [json.loads(text)["frame"] for text in (tmp_path / "full.jsonl").read_text().splitlines()]
    assert numbers == list(range(len(numbers)))
    assert 10_000 - 20 < (tmp_path / "full.jsonl").stat().st_size <= 10_000


def test_the_room_on_a_disk_is_that_of_its_folder(tmp_path):
    assert (
        0
        < room_bytes(tmp_path / "x.mp4")
        <= os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize + 2**30
    )


@pytest.mark.parametrize("frame_rate", [30000 / 1001, 24000 / 1001, 12.5])
@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_a_video_keeps_the_source_s_frame_rate(tmp_path, frame_rate, suffix):
    first, second = tmp_path / f"first{suffix}", tmp_path / f"second{suffix}"
    with VideoFile(first, frame_rate=frame_rate) as video:
        for number in range(40):
            video.write(np.full((48, 64, 3), 6 * number, np.uint8), number / frame_rate)
    with (
        open_source(first) as source,
        VideoFile(second, frame_rate=source.frame_rate, keep_time=True) as video,
    ):
        for frame in source:
            video.write(frame.pixels, frame.time_s)
    with open_source(second) as source:
        frames = list(source)
    assert source.frame_rate == pytest.approx(frame_rate, abs=0.001)
    assert len(frames) == 40
    assert frames[-1].time_s == pytest.approx(39 / frame_rate, abs=0.002)
    grays = [round(float(frame.pixels.mean()) / 6) for frame in frames]
    assert max(abs(gray - number) for number, gray in enumerate(grays)) <= 1


def test_a_video_of_varying_frame_rate_has_every_frame_and_its_length(tmp_path):
    path = tmp_path / "varying.avi"
    times = [0, 0.1, 0.2, 0.3, 0.4, 0.8, 1.2, 1.6, 1.65, 1.7]
    with VideoFile(path, frame_rate=5, keep_time=True) as video:
        for number, time_s in enumerate(times):
            video.write(np.full((32, 32, 3), 20 * number, np.uint8), time_s)
    grays = [round(float(frame.mean()) / 20) for frame in frames_of(path)]
    assert sorted(set(grays)) == list(range(10))
    assert grays == sorted(grays)
    assert len(grays) == 11  # 1.7 s at 5 frames/s, but for the last two, which come faster


def test_a_long_pause_is_cut(tmp_path):
    path = tmp_path / "camera.avi"
    with VideoFile(path, frame_rate=2, live=True) as video:
        for time_s in (0.0, 0.5, 1000.0, 1000.5):
            video.write(np.zeros((32, 32, 3), np.uint8), time_s)
    assert len(frames_of(path)) == 2 + 2 * 60 + 1


def test_an_exception_leaves_a_playable_video(tmp_path):
    with pytest.raises(RuntimeError), VideoFile(tmp_path / "x.mp4", frame_rate=10) as video:
        video.write(np.zeros((32, 32, 3), np.uint8), 0.0)
        raise RuntimeError
    assert len(frames_of(tmp_path / "x.mp4")) == 1


@pytest.mark.skipif(os.name != "posix", reason="needs /dev/null")
def test_a_video_needs_a_file(tmp_path):
    (tmp_path / "null.mp4").symlink_to(os.devnull)
    with pytest.raises(OutputError, match=r"null\.mp4: expected the name of a file"):
        VideoFile(tmp_path / "null.mp4", frame_rate=10).__enter__()


def test_a_listed_image_keeps_its_folders_without_root_and_dots():
    assert listed_target("saved", Path("/photos/a/b.jpg")) == Path("saved/photos/a/b.jpg")
    assert listed_target("saved", Path("../a/b.avif")) in (Path("saved/a/b.avif"), Path("saved/a/b.avif.png"))
    with pytest.raises(OutputError, match="overwritten by its own annotated version"):
        listed_target(".", Path("a/b.jpg"))


def test_an_error_of_the_one_who_writes_is_not_taken_for_the_file_s(tmp_path):
    with pytest.raises(BrokenPipeError), atomic_file(tmp_path / "x.txt"):
        raise BrokenPipeError


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file/deeper/x\.png: can't be written"):
        write_image(tmp_path / "file" / "deeper" / "x.png", np.zeros((4, 4, 3), np.uint8))


def test_images_of_one_name_in_two_folders_keep_their_folders(tmp_path):
    paths = [tmp_path / "one" / "a.png", tmp_path / "two" / "a.png"]
    assert image_targets("saved", paths, single=False) == {
        paths[0]: Path("saved/one/a.png"),
        paths[1]: Path("saved/two/a.png"),
    }


def test_a_single_image_goes_into_a_folder_that_is_named_as_one(tmp_path):
    paths = [tmp_path / "a.jpg"]
    assert image_targets("saved/", paths, single=True) == {paths[0]: Path("saved/a.jpg")}
    assert image_targets(str(tmp_path / "b.png"), paths, single=True) == {paths[0]: tmp_path / "b.png"}


def grays_of_live_video(path, frames):
    """What is read back of a live video at 10 frames/s, of frames given by gray level and time in seconds."""
    with VideoFile(path, frame_rate=10, live=True) as video:
        for gray, time_s in frames:
            video.write(np.full((32, 32, 3), gray, np.uint8), time_s)
    return [round(float(frame.mean()) / 50) * 50 for frame in frames_of(path)]


def test_a_camera_s_video_keeps_the_time_by_repeating_frames(tmp_path):
    grays = grays_of_live_video(tmp_path / "camera.avi", [(0, 5.0), (100, 5.1), (200, 5.5)])
    assert grays == [0, 100, 100, 100, 100, 200]


@pytest.mark.parametrize("live", [False, True])
def test_in_a_gap_the_frame_before_it_is_repeated(tmp_path, live):
    path = tmp_path / "gap.avi"
    image = np.empty((32, 32, 3), np.uint8)  # reused, as a camera's buffer is
    with VideoFile(path, frame_rate=10, keep_time=True, live=live) as video:
        for gray, time_s in ((50, 0.0), (200, 2.0), (100, 2.1)):
            image[:] = gray
            video.write(image, time_s)
    grays = [round(float(frame.mean()) / 50) * 50 for frame in frames_of(path)]
    assert grays == [50] * 20 + [200, 100]


def test_a_gap_repeats_even_a_frame_that_came_too_early_for_a_live_video(tmp_path):
    grays = grays_of_live_video(tmp_path / "fast.avi", [(50, 0.0), (200, 0.03), (100, 0.4)])
    assert grays == [50, 200, 200, 200, 100]


class Clock:
    """A clock that passes the same time at each look at it, in seconds."""

    def __init__(self, step_s):
        self.step_s, self.now_s = step_s, 0.0

    def __call__(self):
        self.now_s += self.step_s
        return self.now_s


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
@pytest.mark.parametrize(("encoding_s", "frame_rate"), [(0.01, 30), (0.0162, 30), (0.03, 16), (2.0, 1)])
def test_encoding_of_a_live_video_takes_half_of_the_time(tmp_path, suffix, encoding_s, frame_rate):
    path = tmp_path / f"live{suffix}"
    with VideoFile(path, frame_rate=30, live=True, clock=Clock(encoding_s)) as video:
        for number in range(60):
            video.write(np.full((32, 32, 3), 4 * number, np.uint8), number / 30)
    with open_source(path) as source:
        grays = [round(float(frame.pixels.mean()) / 4) for frame in source]
    assert source.frame_rate == pytest.approx(frame_rate, abs=0.001)
    assert len(grays) == pytest.approx(2 * frame_rate, abs=1)
    assert [gray / 30 for gray in grays] == pytest.approx(
        [number / frame_rate for number in range(len(grays))], abs=0.6 / frame_rate + 0.04
    )


def test_repeated_frames_take_half_of_a_gap_and_lateness_is_cut_to_a_second(tmp_path):
    path, clock = tmp_path / "slow.avi", Clock(0.0)
    with VideoFile(path, frame_rate=10, live=True, clock=clock) as video:
        video.write(np.zeros((32, 32, 3), np.uint8), 0.0)
        clock.step_s, begin_s = 1.0, clock.now_s  # each repeat takes a second from now on
        video.write(np.full((32, 32, 3), 100, np.uint8), 8.0)
        assert clock.now_s - begin_s == 5.0
        clock.step_s = 0.0  # and none
        for number in range(10):
            video.write(np.full((32, 32, 3), 200, np.uint8), 8.1 + number / 10)
    grays = [round(float(frame.mean()) / 100) * 100 for frame in frames_of(path)]
    assert grays == [0] * 4 + [100] * 11 + [200] * 10


def test_a_slow_live_video_does_not_make_the_gaps_between_frames_grow(tmp_path):
    clock, gaps = Clock(0.0), []
    with VideoFile(tmp_path / "slow.avi", frame_rate=30, live=True, clock=clock) as video:
        time_s = 0.0
        for _ in range(30):
            begin_s = clock.now_s
            clock.step_s = 0.0 if not gaps else 0.05  # after the trial, encoding takes longer than a frame
            video.write(np.zeros((32, 32, 3), np.uint8), time_s)
            gaps.append(clock.now_s - begin_s + 0.07)  # of which 0.07 s for the labels and the new frame
            time_s += gaps[-1]
    assert max(gaps) < 0.4
    assert max(gaps[20:]) <= max(gaps[5:15])


def test_a_file_s_gap_is_filled_however_long_that_takes(tmp_path):
    path = tmp_path / "gap.avi"
    with VideoFile(path, frame_rate=10, keep_time=True, clock=Clock(5.0)) as video:
        for time_s in (0.0, 3.0):
            video.write(np.zeros((32, 32, 3), np.uint8), time_s)
    assert len(frames_of(path)) == 31


def test_a_gap_can_be_filled_before_its_next_frame_is_written(tmp_path):
    path = tmp_path / "gap.avi"
    with VideoFile(path, frame_rate=10, live=True) as video:
        video.fill(3.0)
        video.write(np.zeros((32, 32, 3), np.uint8), 4.0)
        video.fill(4.5)
        assert video.frames == 5
        video.write(np.zeros((32, 32, 3), np.uint8), 4.5)
    assert len(frames_of(path)) == 6


def test_a_video_of_odd_size_loses_a_row_and_a_column_and_nothing_else(tmp_path):
    path = tmp_path / "odd.avi"
    frame = np.full((33, 65, 3), 40, np.uint8)
    frame[:16] = 200
    with VideoFile(path, frame_rate=10) as video:
        video.write(frame, 0.0)
    (read,) = frames_of(path)
    np.testing.assert_allclose(read.astype(int), frame[:32, :64], atol=12)


def test_frames_that_change_their_size_are_brought_to_the_first(tmp_path):
    path = tmp_path / "sizes.avi"
    with VideoFile(path, frame_rate=10) as video:
        for side in (32, 64, 16):
            video.write(np.full((side, side, 3), 90, np.uint8), 0.0)
    assert [frame.shape for frame in frames_of(path)] == [(32, 32, 3)] * 3
