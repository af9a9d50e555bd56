"""Faults: each is one line that names the file and what to do, has its exit code, and spoils nothing."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from runtime.card import card_path
from runtime.command.cli import main
from runtime.command.open_source import open_source
from runtime.command.outputs import OutputError
from runtime.command.terminal import quiet_libraries
from runtime.command.video_file import VideoFile
from runtime.command.window import Window, WindowError, display_trouble
from tests.support.command import (
    ENGINE,
    IMAGE,
    MODEL,
    ROOT,
    RUN,
    separate,
)
from tests.support.privileges import unprivileged

ON_POSIX = pytest.mark.skipif(os.name != "posix", reason="needs what POSIX has")


@pytest.fixture
def model(tmp_path):
    """A copy of the tiny model with its card."""
    path = tmp_path / "own.onnx"
    path.write_bytes(MODEL.read_bytes())
    card = json.loads(card_path(MODEL).read_text(encoding="utf-8"))
    card_path(path).write_text(json.dumps({**card, "file": path.name}), encoding="utf-8")
    return path


@pytest.fixture
def clip(tmp_path, portrait):
    """Twenty frames of a face under a light noise, so that the file has some size."""
    path = tmp_path / "clip.avi"
    noise = np.random.default_rng(0)
    with VideoFile(path, frame_rate=10) as video:
        for number in range(20):
            shaken = portrait.astype(int) + noise.integers(-8, 9, portrait.shape)
            video.write(np.clip(shaken, 0, 255).astype(np.uint8), number / 10)
    return path


def fault(capsys, code, *arguments):
    """Run ferkit, which must fail with this code and a single line; returns the line."""
    assert main(["run", *map(str, arguments)]) == code
    err = capsys.readouterr().err
    assert err.startswith("ferkit: ")
    assert err.count("\n") == 1, err
    return err.removeprefix("ferkit: ").strip()


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (1, 400), (3, 2, 4)])
def test_the_smallest_images_have_no_face_and_are_no_fault(tmp_path, shape, capsys):
    path = tmp_path / "small.png"
    cv2.imwrite(str(path), np.full(shape, 90, np.uint8))
    assert main(["run", str(path), *RUN, "--save", str(tmp_path / "out.png")]) == 0
    assert capsys.readouterr().out == f"{path}: no face found\n"
    assert cv2.imread(str(tmp_path / "out.png")).shape[:2] == shape[:2]


def test_a_face_is_found_in_an_image_of_108_million_pixels(tmp_path, portrait, capsys):
    image = np.full((9000, 12000), 128, np.uint8)
    gray = cv2.cvtColor(portrait, cv2.COLOR_BGR2GRAY)
    image[500:7500, 2000:9000] = cv2.resize(gray, (7000, 7000), interpolation=cv2.INTER_LINEAR)
    path = tmp_path / "huge.jpg"
    cv2.imwrite(str(path), image)
    assert main(["run", str(path), *RUN, "--json", "-"]) == 0
    (record,) = map(json.loads, capsys.readouterr().out.splitlines())
    x, y, width, height = record["box"]
    assert 2000 < x < x + width < 9000 and 500 < y < y + height < 7500
    assert width > 2000


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.jpg", b"", "got an empty file. Copy or save it again"),
        ("letter.jpg", b"Dear Sir or Madam", "got text: name the image itself"),
        ("cut.jpg", IMAGE.read_bytes()[:50_000], "one without its end"),
        ("zeros.jpg", IMAGE.read_bytes()[:50_000] + bytes(49_000), "one without its end"),
        (
            "cut.png",
            cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1].tobytes()[:-8],
            "without its end",
        ),
        (
            "cut.bmp",
            cv2.imencode(".bmp", np.zeros((64, 64, 3), np.uint8))[1].tobytes()[:-800],
            "cut short: copy",
        ),
        ("empty.mp4", b"", "got an empty file. Copy or record it again"),
        ("letter.mp4", b"Dear Sir or Madam", "a video that OpenCV reads, got text"),
    ],
)
def test_a_file_that_is_no_whole_image_or_video(tmp_path, name, content, words, capsys):
    path = tmp_path / name
    path.write_bytes(content)
    line = fault(capsys, 3, path, *RUN, "--json", tmp_path / "out.jsonl")
    assert line.startswith(f"{path}: ")
    assert words in line
    assert not (tmp_path / "out.jsonl").exists()


@ON_POSIX
def test_a_damaged_image_is_one_line_without_those_of_libraries(tmp_path):
    content = bytearray(cv2.imencode(".png", np.zeros((64, 64, 3), np.uint8))[1].tobytes())
    content[45] ^= 0xFF  # in the coded pixels: libpng itself writes a line about the checksum
    path = tmp_path / "damaged.png"
    path.write_bytes(content)
    done = separate("run", path, *RUN)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith(
        f"ferkit: {path}: expected an image that OpenCV reads, got one that is damaged"
    )
    assert done.stderr.count("\n") == 1


@ON_POSIX
def test_lines_of_libraries_are_shown_if_asked_for(capfd, monkeypatch):
    real = os.fdopen(os.dup(2), "w")
    for verbose, shown in (("", "ours\n"), ("1", "theirs\nours\n")):
        monkeypatch.setenv("FERKIT_VERBOSE", verbose)
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", os.fdopen(2, "w", closefd=False))
            with quiet_libraries():
                os.write(2, b"theirs\n")
                print("ours", file=sys.stderr, flush=True)
        assert capfd.readouterr().err == shown
    real.close()


def test_a_camera_that_is_not_there(capsys):
    assert fault(capsys, 3, "97", *RUN).startswith("camera 97: can't be opened: ")


@ON_POSIX
def test_files_without_permission(tmp_path, portrait, model, capsys):
    image = tmp_path / "photo.png"
    cv2.imwrite(str(image), portrait)
    assert main(["run", str(image), *RUN]) == 0  # and everything is imported
    capsys.readouterr()
    secret = tmp_path / "secret.png"
    for path in (secret, tmp_path / "secret.mp4", tmp_path / "list.jpg"):
        path.write_bytes(b"x")
        path.chmod(0)
    model.chmod(0)
    with unprivileged(tmp_path, 0o555):
        for path in (secret, tmp_path / "secret.mp4"):
            assert fault(capsys, 3, path, *RUN) == f"{path}: can't be read: Permission denied."
        line = fault(capsys, 4, image, "--model", model, *ENGINE)
        assert line == f"{model}: the model can't be read: Permission denied."
        for flag, name in (("--save", "out.png"), ("--json", "out.jsonl"), ("--csv", "new/out.csv")):
            line = fault(capsys, 6, image, *RUN, flag, tmp_path / name)
            assert line.startswith(f"{tmp_path / name}: can't be written: Permission denied. ")
            assert line.endswith("name a place where this user may write.")


def test_a_model_that_is_cut_short(model, capsys):
    model.write_bytes(model.read_bytes()[:-100])
    line = fault(capsys, 4, IMAGE, "--model", model, *ENGINE)
    assert line.startswith(
        f"{model}: expected the file that its card describes (2740 bytes), got 2640 bytes."
    )
    assert line.endswith("copy both again.")


def test_a_model_with_another_one_s_card(model, capsys):
    content = bytearray(model.read_bytes())
    content[1000] ^= 1
    model.write_bytes(content)
    line = fault(capsys, 4, IMAGE, "--model", model, *ENGINE)
    assert line.startswith(f"{model}: expected the file that its card describes (sha256 ")
    assert line.endswith("copy both again.")


def test_a_model_without_its_card_and_a_card_without_its_model(model, capsys):
    card = card_path(model)
    text = card.read_text()
    card.unlink()
    line = fault(capsys, 4, IMAGE, "--model", model, *ENGINE)
    assert line.startswith(f"{card}: expected the card of own.onnx, got no such file.")
    assert line.endswith("copy both.")
    card.write_text(text)
    model.unlink()
    line = fault(capsys, 4, IMAGE, "--model", model, *ENGINE)
    assert line.startswith(f"{model}: no such model file. Its card is there: ")
    assert line.endswith("copy both.")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe", "expected JSON as UTF-8, got byte 0xff at 0"),
        (b"[" * 100_000, "expected JSON as a card has it, got "),
        (b'{"card_version": ' + b"1" * 5000 + b"}", "expected "),
        (b"[]", "expected an object, got a list"),
        (b"null", "expected an object, got null"),
    ],
)
def test_a_damaged_card(model, content, words, capsys):
    card_path(model).write_bytes(content)
    line = fault(capsys, 4, IMAGE, "--model", model, *ENGINE)
    assert line.startswith(f"{card_path(model)}")
    assert words in line


def test_a_file_that_fits_its_card_and_is_no_model(model, capsys):
    import hashlib

    model.write_bytes(b"no network" * 10)
    card = json.loads(card_path(model).read_text())
    card.update(bytes=100, sha256=hashlib.sha256(model.read_bytes()).hexdigest())
    card_path(model).write_text(json.dumps(card))
    line = fault(capsys, 4, IMAGE, "--model", model, *ENGINE)
    assert line.startswith(f"{model}: can't be ")


def test_a_video_that_breaks_off_is_labelled_to_there(clip, tmp_path, capsys):
    cut = tmp_path / "cut.avi"
    cut.write_bytes(clip.read_bytes()[: clip.stat().st_size * 6 // 10])
    out = [tmp_path / name for name in ("out.avi", "out.jsonl", "out.csv")]
    code = main(["run", str(cut), *RUN, "--save", str(out[0]), "--json", str(out[1]), "--csv", str(out[2])])
    assert code == 1
    err = capsys.readouterr().err
    (said,) = [line for line in err.splitlines() if "breaks off" in line]
    with open_source(out[0]) as source:
        frames = len(list(source))
    assert 5 < frames < 18
    assert said.startswith(f"ferkit: {cut}: breaks off after frame {frames - 1} at ")
    assert f"expected 20 frames as the file says, got {frames}" in said
    records = [json.loads(line) for line in out[1].read_text().splitlines()]
    assert [record["frame"] for record in records] == list(range(frames))
    with out[2].open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["frame"]) for row in rows] == list(range(frames))


@ON_POSIX
def test_a_disk_that_fills_up_ends_the_run_with_what_there_is(tmp_path, portrait):
    import resource

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_400_000, 3_400_000))

    large, out, lines = tmp_path / "large.avi", tmp_path / "out.avi", tmp_path / "out.jsonl"
    noise = np.random.default_rng(0)
    with VideoFile(large, frame_rate=10) as video:
        for number in range(16):
            frame = cv2.resize(portrait, (640, 480)).astype(int) + noise.integers(-30, 31, (480, 640, 3))
            video.write(np.clip(frame, 0, 255).astype(np.uint8), number / 10)
    done = separate("run", large, *RUN, "--save", out, "--json", lines, preexec_fn=limit)
    assert done.returncode == 6, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"ferkit: {out}: the disk is full: the video ends after ")
    with open_source(out) as source:
        frames = len(list(source))
    assert 0 < frames < 16
    assert f"after {frames} frames" in last
    numbers = [json.loads(line)["frame"] for line in lines.read_text().splitlines()]
    assert numbers[0] == 0 and numbers == sorted(set(numbers)) and numbers[-1] <= frames
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "large.avi", "out.avi", "out.jsonl"
    ]  # fmt: skip


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_a_full_disk_behind_standard_output_is_said(clip):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "runtime", "run", str(clip), *RUN, "--json", "-"],
            cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120,
        )  # fmt: skip
    assert done.returncode == 6
    assert "ferkit: standard output: can't be written: No space left on device." in done.stderr
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr


@ON_POSIX
def test_a_closed_standard_output_is_no_fault(tmp_path, portrait):
    image = tmp_path / "photo.png"
    cv2.imwrite(str(image), portrait)
    done = subprocess.run(
        ["sh", "-c", f'exec "{sys.executable}" -m runtime run "{image}" {" ".join(RUN)} >&-'],
        cwd=ROOT, stderr=subprocess.PIPE, text=True, timeout=120,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


@ON_POSIX
def test_a_closed_standard_input_gives_no_paths():
    command = f'exec "{sys.executable}" -m runtime run - {" ".join(RUN)} <&-'
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "ferkit: standard input: expected the path of an image in each line, but it is closed. Give the "
        "paths through a pipe or from a file.\n"
    )


@ON_POSIX
def test_paths_from_standard_input_whatever_their_bytes(tmp_path, portrait):
    name = os.fsencode(tmp_path) + b"/caf\xe9.png"
    encoded = cv2.imencode(".png", portrait)[1].tobytes()
    with open(name, "wb") as file:  # noqa: PTH123 - its name is no text
        file.write(encoded)
    done = subprocess.run(
        [sys.executable, "-m", "runtime", "run", "-", *RUN, "--json", "-", "--save", str(tmp_path / "saved")],
        cwd=ROOT, input=name + b"\nabsent.png\n", capture_output=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert b"ferkit: absent.png: no such file.\n" in done.stderr
    (record,) = map(json.loads, done.stdout.decode("utf-8").splitlines())
    assert os.fsencode(record["source"]) == name
    assert (tmp_path / "saved").joinpath(*Path(os.fsdecode(name)).parts[1:]).is_file()


@ON_POSIX
def test_a_name_that_is_no_text_ends_no_process(tmp_path):
    """OpenCV 4.14's window, reader and writer crash on it."""
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")
    Path(name).write_bytes(b"\x93\x00\x07" * 9)
    for source, outputs, code in (
        (name, [], 3),
        (f"rtsp://127.0.0.1:9/{Path(name).name}", [], 3),
        (IMAGE, ["--save", f"{name}.png"], 0),
        (IMAGE, ["--save", f"{name}.p\udce9g"], 6),
    ):
        done = separate("run", source, *RUN, *outputs)
        assert done.returncode == code, (source, outputs, done.stderr)
        assert "Traceback" not in done.stderr
    assert Path(f"{name}.png").is_file()
    with pytest.raises(OutputError, match="expected a name in UTF-8"):
        VideoFile(Path(f"{name}.mp4"), frame_rate=10).__enter__()


def test_a_summary_of_a_video_is_printed_and_written(clip, tmp_path, capsys):
    assert main(["run", str(clip), *RUN, "--summary", str(tmp_path / "all.md")]) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0].split()[:4] == ["face", "seen", "from", "to"]
    assert out.splitlines()[-1].split()[:2] == ["all", "2.0"]
    assert f"wrote {tmp_path / 'all.png'}" in err
    record = json.loads((tmp_path / "all.json").read_text())
    assert record["frames"] == 20
    assert record["end_s"] == 2.0
    assert cv2.imread(str(tmp_path / "all.png")).shape[1] == 1600


def test_a_summary_that_can_not_be_written_fails_before_the_first_frame(clip, tmp_path, capsys):
    folder = tmp_path / "closed"
    folder.mkdir()
    lines = tmp_path / "faces.jsonl"
    with unprivileged(folder, 0o500):
        line = fault(capsys, 6, clip, *RUN, "--summary", folder / "all", "--json", lines)
    assert line.startswith(f"{folder / 'all.md'}: can't be written: Permission denied.")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.avi", "closed"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is always full")
def test_one_failing_file_of_a_summary_spares_the_table_and_the_others(clip, tmp_path, capsys):
    (tmp_path / "all.json").symlink_to("/dev/full")
    assert main(["run", str(clip), *RUN, "--summary", str(tmp_path / "all")]) == 6
    out, err = capsys.readouterr()
    assert out.splitlines()[-1].split()[:2] == ["all", "2.0"]
    assert err.splitlines()[-1].startswith(
        f"ferkit: {tmp_path / 'all.json'}: can't be written: No space left"
    )
    assert f"wrote {tmp_path / 'all.json'}" not in err
    assert f"wrote {tmp_path / 'all.md'}" in err and f"wrote {tmp_path / 'all.png'}" in err
    assert (tmp_path / "all.md").is_file() and (tmp_path / "all.png").is_file()


@pytest.mark.parametrize(("flag", "suffix"), [("--csv", "md"), ("--json", "json"), ("--csv", "png")])
def test_no_output_takes_the_place_of_a_file_of_the_summary(clip, tmp_path, capsys, flag, suffix):
    place = tmp_path / f"all.{suffix}"
    line = fault(capsys, 2, clip, *RUN, flag, place, "--summary", tmp_path / "all")
    assert line == f"{flag} and --summary both write to {place}: name two places."
    assert [path.name for path in tmp_path.iterdir()] == ["clip.avi"]


def test_a_run_that_reads_nothing_leaves_the_older_output_and_ends_with_3(tmp_path, capsys):
    images, lines = tmp_path / "images", tmp_path / "faces.jsonl"
    images.mkdir()
    (images / "bad.jpg").write_bytes(b"no image")
    lines.write_text("before\n")
    line = fault(capsys, 3, images, *RUN, "--json", lines, "--csv", tmp_path / "faces.csv")
    assert line.startswith(f"{images / 'bad.jpg'}: ")
    assert lines.read_text() == "before\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["faces.jsonl", "images"]


def test_a_fault_of_our_own_is_a_line_too(monkeypatch, capsys):
    monkeypatch.setattr("runtime.command.models.released_models", lambda: [("not a path", {})])
    monkeypatch.delenv("FERKIT_VERBOSE", raising=False)
    assert main(["models"]) == 70
    assert capsys.readouterr().err.startswith("ferkit: a fault of ferkit itself: KeyError: ")
    monkeypatch.setenv("FERKIT_VERBOSE", "1")
    with pytest.raises(KeyError):
        main(["models"])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X servers are asked on Linux only")
def test_a_display_without_a_server_is_named_before_qt_ends_the_process(tmp_path, monkeypatch):
    import socket

    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert display_trouble(":9873") == "DISPLAY is :9873, and no server answers there"
    assert display_trouble("elsewhere:0") is None
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "X7"))
        server.listen()
        assert display_trouble(":7.0", sockets=tmp_path) is None
    monkeypatch.setenv("DISPLAY", ":9873")
    with pytest.raises(WindowError, match=r"no server answers there\. Use --save"):
        Window("title")
