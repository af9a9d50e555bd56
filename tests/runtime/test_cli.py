"""The command: what it prints, what it writes, how it ends."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

import runtime
from demo.__main__ import main as demo
from runtime import model as model_module
from runtime.command.cli import main
from runtime.command.exit_codes import EXIT_CODES, FAULT, IN_PART, INTERRUPTED, NO_READER, OK, TABLE
from runtime.command.live import Live
from runtime.command.open_source import open_source
from runtime.command.progress import Progress, bar, clock_text
from runtime.command.terminal import terminal_text
from runtime.command.video_file import VideoFile

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "tests" / "data" / "tiny_fp32.onnx"
IMAGE = ROOT / "demo" / "astronaut.jpg"
RUN = ["--model", str(MODEL), "--engine", "opencv", "--detector", "haar"]
LABELS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]


@pytest.fixture(scope="module")
def portrait():
    """The face of the image, 160 pixels square: small, so that Haar is quick."""
    return cv2.resize(cv2.imread(str(IMAGE))[20:220, 120:320], (160, 160), interpolation=cv2.INTER_AREA)


@pytest.fixture
def photo(tmp_path, portrait):
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), portrait)
    return path


@pytest.fixture
def clip(tmp_path, portrait):
    """Five frames with a face, one without."""
    path = tmp_path / "clip.mp4"
    with VideoFile(path, frame_rate=10) as video:
        for number in range(6):
            video.write(portrait if number < 5 else np.full_like(portrait, 128), number / 10)
    return path


def frames_of(path):
    with open_source(path) as source:
        return [frame.pixels for frame in source], source.frame_rate


def test_an_image_without_flags_prints_a_readable_line(photo, capsys):
    assert main(["run", str(photo), *RUN]) == 0
    out, err = capsys.readouterr()
    assert re.fullmatch(
        rf"{re.escape(str(photo))}: ({'|'.join(LABELS)}) \d+%, box \d+x\d+ at \(\d+, \d+\)\n", out
    )
    assert err == ""


def test_an_image_without_a_face_says_so(tmp_path, capsys):
    path = tmp_path / "wall.png"
    cv2.imwrite(str(path), np.full((80, 80, 3), 128, np.uint8))
    assert main(["run", str(path), *RUN]) == 0
    assert capsys.readouterr().out == f"{path}: no face found\n"


def test_json_on_standard_output_is_nothing_but_json(photo, capsys):
    assert main(["run", str(photo), *RUN, "--json", "-"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    record = json.loads(line)
    assert list(record) == [
        "source", "frame", "time_s", "face", "id", "box", "label", "scores", "smoothed", "confidence"
    ]  # fmt: skip
    assert (record["id"], record["smoothed"]) == (None, False)
    assert (record["source"], record["frame"], record["time_s"], record["face"]) == (str(photo), 0, 0.0, 0)
    assert list(record["scores"]) == LABELS
    assert sum(record["scores"].values()) == pytest.approx(1, abs=1e-5)
    assert record["label"] == max(record["scores"], key=record["scores"].get)
    assert [type(value) for value in record["box"]] == [int] * 4


def test_a_video_gives_a_line_per_face_per_frame_and_every_frame_annotated(clip, tmp_path, capsys):
    saved, lines = tmp_path / "out" / "labelled.mp4", tmp_path / "out" / "faces.jsonl"
    assert main(["run", str(clip), *RUN, "--save", str(saved), "--json", str(lines)]) == 0
    records = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    assert [(record["frame"], record["face"], record["time_s"]) for record in records] == [
        (number, 0, number / 10) for number in range(5)
    ]
    before, _ = frames_of(clip)
    after, frame_rate = frames_of(saved)
    assert (len(after), frame_rate) == (6, 10.0)
    different = [float(np.abs(a.astype(int) - b).mean()) for a, b in zip(after, before, strict=True)]
    assert min(different[:5]) > 6, different  # box and label
    assert different[5] < 4, different  # no face: the frame as it was, but for the codec
    assert sorted(path.name for path in saved.parent.iterdir()) == ["faces.jsonl", "labelled.mp4"]
    out, err = capsys.readouterr()
    assert out == ""
    assert re.search(r"clip\.mp4: 6 frames, 5 faces in \d+\.\d s", err)
    assert f"wrote {saved}" in err


def test_a_video_without_flags_prints_a_line_per_face_with_its_time(clip, capsys):
    assert main(["run", str(clip), *RUN, "--limit-frames", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(": ")[0] for line in lines] == [f"{clip} 0.00 s", f"{clip} 0.10 s"]


def test_an_image_is_saved_annotated_under_the_name_given(photo, tmp_path, portrait):
    saved = tmp_path / "new" / "labelled.png"
    assert main(["run", str(photo), *RUN, "--save", str(saved)]) == 0
    image = cv2.imread(str(saved))
    assert image.shape == portrait.shape
    assert (image != portrait).any()


def test_a_folder_is_saved_as_a_folder_and_an_unreadable_image_fails_the_run(photo, tmp_path, capsys):
    images = tmp_path / "images"
    images.mkdir()
    photo.rename(images / "a.png")
    (images / "b.png").write_bytes(b"no image")
    assert main(["run", str(images), *RUN, "--save", str(tmp_path / "saved")]) == 1
    assert [path.name for path in (tmp_path / "saved").iterdir()] == ["a.png"]
    out, err = capsys.readouterr()
    assert out.startswith(f"{images / 'a.png'}: ")
    assert f"ferkit: {images / 'b.png'}: expected an image that OpenCV reads" in err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "absent.jpg"], 3, "absent.jpg: no such file or folder"),
        (["run", ""], 3, "Expected a source, got an empty text"),
        (["run", "97"], 3, "camera 97: can't be opened"),
        (["run", str(IMAGE), "--model", "absent.tflite"], 4, "absent.tflite: no such model file"),
        (["run", str(IMAGE), *RUN, "--engine", "litert"], 4, "litert doesn't run .onnx files"),
        (["run", str(IMAGE), *RUN, "--detector", "absent.onnx"], 5, "absent.onnx"),
        (["run", str(IMAGE), "--save", "out.xyz"], 6, "out.xyz: expected an image file such as .png"),
        (["run", str(IMAGE), "--save", str(IMAGE)], 6, "overwritten by its own annotated version"),
        (["run", str(IMAGE), "--csv", str(IMAGE)], 6, "astronaut.jpg: would be overwritten by --csv"),
        (
            ["run", str(IMAGE), "--summary", "all"],
            2,
            "expected a video, a camera or a stream, got images",
        ),
        (["run", str(IMAGE), "--json", "-", "--csv", "-"], 2, "--json and --csv both write to -"),
        (["run", str(IMAGE), "--json", "a", "--csv", "./a"], 2, "--json and --csv both write to ./a"),
        (["run", str(IMAGE), "-"], 3, "-: several sources must be images"),
        (["run", str(IMAGE), *RUN, "--json", str(ROOT)], 6, "expected the name of a file, got a folder"),
        (["run", str(IMAGE), "--show"], 7, "--show needs a display"),
    ],
)
def test_a_mistake_is_one_line_and_its_exit_code(arguments, code, message, capsys, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    if "--show" in arguments and not sys.platform.startswith("linux"):
        pytest.skip("only Linux tells beforehand whether there is a display")
    assert main(arguments) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("ferkit: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="needs the names of open files")
@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_s_own_name_is_what_a_dash_is(photo, name):
    process = start("run", photo, *RUN, "--json", name)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    (line,) = out.splitlines()
    assert json.loads(line)["source"] == str(photo)


@pytest.mark.skipif(not Path("/dev/fd").exists() or not shutil.which("bash"), reason="needs bash's >( )")
def test_a_command_takes_what_is_written(photo, tmp_path):
    out = tmp_path / "out.csv"
    command = ["run", photo, *RUN, "--csv"]
    process = subprocess.run(
        ["bash", "-c", '"$@" >(cat > "$OUT"; touch "$OUT.done")', "bash", sys.executable, "-m", "runtime",
         *map(str, command)],
        cwd=ROOT, env={**os.environ, "OUT": str(out)}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    until_s = time.monotonic() + 30  # the shell doesn't wait for the command inside
    while not out.with_name("out.csv.done").exists() and time.monotonic() < until_s:
        time.sleep(0.01)
    header, line = out.read_text().splitlines()
    assert header.startswith("source,frame,")
    assert line.startswith(f"{photo},0,")


@pytest.mark.parametrize("flag", ["--save", "--json", "--csv", "--summary"])
def test_an_empty_path_of_an_output_is_wrong_usage(clip, flag, capsys):
    assert main(["run", str(clip), *RUN, flag, ""]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"ferkit: {flag}: expected a path, got an empty text: is a variable of the shell empty?\n"


def test_two_outputs_may_both_lead_nowhere(photo, capsys):
    assert main(["run", str(photo), *RUN, "--json", os.devnull, "--csv", os.devnull]) == 0
    assert capsys.readouterr().err == f"ferkit: wrote {os.devnull}\n" * 2


def test_a_folder_is_no_name_for_a_summary(clip, tmp_path, capsys):
    for target in (str(tmp_path), f"{tmp_path}/", f"{tmp_path}/new/"):
        assert main(["run", str(clip), *RUN, "--summary", target]) == 6
        out, err = capsys.readouterr()
        named = Path(target) / "summary"
        assert out == ""
        assert err == (
            f"ferkit: {target}: expected the name of the summary's files, got a folder. Name them in it, "
            f"such as {named}.\n"
        )
    assert list(tmp_path.iterdir()) == [clip]


def test_a_video_saved_as_something_else_is_refused(clip, tmp_path, capsys):
    assert main(["run", str(clip), *RUN, "--save", str(tmp_path / "out.gif")]) == 6
    assert "out.gif: expected a video file ending in .mp4 or .avi" in capsys.readouterr().err


def test_a_failed_run_leaves_no_file(clip, tmp_path):
    lines = ["--json", str(tmp_path / "out.jsonl"), "--csv", str(tmp_path / "out.csv")]
    assert (
        main(["run", str(clip), "--model", "absent.tflite", "--save", str(tmp_path / "out.mp4"), *lines]) == 4
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["run"],
        ["run", "x", "--threads", "0"],
        ["run", "x", "--threads", "257"],
        ["run", "x", "--engine", "torch"],
        ["run", "x", "--retry", "-1"],
        ["run", "x", "--retry", "nan"],
    ],
)
def test_wrong_usage_is_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage: ferkit" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["run"], ["models"], ["fetch-detector"]])
def test_the_help_states_every_exit_code(command, capsys):
    with pytest.raises(SystemExit) as caught:
        main([*command, "--help"])
    assert caught.value.code == 0
    table = capsys.readouterr().out.partition("exit codes:\n")[2]
    codes = [int(line.split()[0]) for line in table.splitlines()]
    assert codes == sorted({OK, IN_PART, *EXIT_CODES.values(), FAULT, INTERRUPTED, NO_READER})


def test_the_documentation_lists_the_same_exit_codes_as_the_help():
    codes = [line.split()[0] for line in TABLE.removeprefix("exit codes:\n").splitlines()]
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    section = page.partition("## Exit codes")[2].partition("\n## ")[0]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")]
    assert rows == ["code", *codes]


def test_the_version_is_the_one_of_the_package(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"ferkit {runtime.__version__}\n"
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'\nversion = "{runtime.__version__}"\n' in project


def test_models_lists_the_released_files_with_their_facts(monkeypatch, capsys):
    monkeypatch.setattr(model_module, "RELEASED", MODEL.parent)
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["MODEL", "FILE", "PRECISION", "KB", "FER2013", "TEST", "DESCRIPTION"]
    assert lines[1].startswith("tiny   tiny_fp32.onnx")
    assert "not measured" in lines[1]
    assert len(lines) == 4


def test_models_says_so_where_there_are_none(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(model_module, "RELEASED", tmp_path)
    assert main(["models"]) == 4
    assert "holds no released model" in capsys.readouterr().err


def read_on(process):
    """The rest of a process's output and its errors; `communicate` leaves out what `readline` had read."""
    rest, err = process.stdout.read(), process.stderr.read()
    process.wait(timeout=60)
    process.stdout.close()
    process.stderr.close()
    return rest, err


def start(*arguments):
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "runtime", *map(str, arguments)],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory, portrait):
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    with VideoFile(path, frame_rate=10) as video:
        for number in range(1500):
            video.write(portrait, number / 10)
    return path


@pytest.mark.skipif(os.name != "posix", reason="Windows sends no Ctrl-C to a single process")
@pytest.mark.parametrize("stop", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_ctrl_c_a_service_s_stop_and_a_closed_terminal_leave_a_playable_video_and_whole_lines(
    long_clip, tmp_path, stop
):
    saved = tmp_path / "saved.mp4"
    process = start("run", long_clip, *RUN, "--save", saved, "--json", "-")
    lines = [process.stdout.readline() for _ in range(3)]
    process.send_signal(getattr(signal, stop))
    rest, err = read_on(process)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    frames = [json.loads(line)["frame"] for line in [*lines, *rest.splitlines()]]
    assert frames == list(range(len(frames)))
    assert 3 <= len(frames) < 1500
    assert len(frames) - 1 <= len(frames_of(saved)[0]) <= len(frames) + 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["saved.mp4"]


def test_of_two_files_that_can_not_be_finished_each_is_named(long_clip, tmp_path):
    lines, table = tmp_path / "faces.jsonl", tmp_path / "faces.csv"
    arguments = ["run", long_clip, *RUN, "--limit-frames", "20", "--json", lines, "--csv", table]
    process = start(*arguments)
    while process.poll() is None and len(list(tmp_path.iterdir())) < 2:
        time.sleep(0.01)
    for path in (lines, table):
        path.mkdir()
    err = process.communicate(timeout=60)[1]
    assert process.returncode == 6, err
    said = [line for line in err.splitlines() if "can't be written" in line]
    assert [line.partition(": can't")[0] for line in said] == [f"ferkit: {lines}", f"ferkit: {table}"]
    assert "wrote" not in err
    kept = [Path(line.partition("What was written is in ")[2].rstrip(".")) for line in said]
    assert [len(path.read_text().splitlines()) for path in kept] == [20, 21]
    assert {*tmp_path.iterdir()} == {lines, table, *kept}


@pytest.mark.skipif(os.name != "posix", reason="Windows sends no Ctrl-C to a single process")
@pytest.mark.parametrize("imported", ["numpy", "cv2", "runtime.command.sources", "ai_edge_litert"])
def test_ctrl_c_while_libraries_are_imported_ends_the_command_without_a_word(imported):
    if imported == "ai_edge_litert":
        pytest.importorskip(imported)
    image = ["run", "demo/astronaut.jpg", "--detector", "haar"]
    command = [sys.executable, "-X", "importtime", "-m", "runtime", *image]
    environment = {**os.environ, "FERKIT_VERBOSE": "1"}  # otherwise engines are imported in silence
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if f"{line.rpartition('|')[2].strip()}.".startswith(f"{imported}."):
            process.send_signal(signal.SIGINT)
            break
    rest = process.communicate(timeout=60)[1]
    assert process.returncode == 130
    assert all(line.startswith("import time:") for line in rest.splitlines()), rest


@pytest.mark.skipif(os.name != "posix", reason="Windows sends no SIGHUP")
def test_under_nohup_a_closed_terminal_ends_no_run(long_clip, tmp_path):
    command = [sys.executable, "-m", "runtime", "run", long_clip, *RUN, "--limit-frames", "6", "--json", "-"]
    process = subprocess.Popen(
        ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *map(str, command)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    lines = [process.stdout.readline()]
    process.send_signal(signal.SIGHUP)
    rest, err = read_on(process)
    assert process.returncode == 0, err
    assert [json.loads(line)["frame"] for line in [*lines, *rest.splitlines()]] == list(range(6))


@pytest.mark.skipif(os.name != "posix", reason="Windows removes no folder in which a file is open")
def test_an_output_whose_folder_vanishes_is_said(long_clip, tmp_path):
    folder = tmp_path / "stick"
    names = ["faces.jsonl", "faces.csv", "saved.mp4"]
    flags = ["--json", "--csv", "--save"]
    outputs = [word for flag, name in zip(flags, names, strict=True) for word in (flag, folder / name)]
    process = start("run", long_clip, *RUN, *outputs)
    while process.poll() is None and not (folder.exists() and len(list(folder.iterdir())) == 3):
        time.sleep(0.01)
    shutil.rmtree(folder)
    process.send_signal(signal.SIGINT)
    err = process.communicate(timeout=60)[1]
    assert process.returncode == 6, err
    for name in names:
        assert f"ferkit: {folder / name}: was removed while it was written" in err
    assert "wrote" not in err


@pytest.mark.skipif(os.name != "posix", reason="a closed pipe is another error on Windows")
def test_a_reader_that_goes_away_leaves_the_other_files_whole(long_clip, tmp_path):
    saved = tmp_path / "saved.mp4"
    process = start("run", long_clip, *RUN, "--json", "-", "--save", saved, "--summary", tmp_path / "sum")
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(timeout=60) == 141, err
    assert f"ferkit: wrote {saved}" in err
    assert 1 <= len(frames_of(saved)[0]) < 1500
    assert {path.name for path in tmp_path.iterdir()} == {"saved.mp4", "sum.md", "sum.json", "sum.png"}


@pytest.mark.skipif(os.name != "posix", reason="a closed pipe is another error on Windows")
def test_a_summary_whose_table_nobody_reads_is_written_all_the_same(clip, tmp_path):
    process = start("run", clip, *RUN, "--save", tmp_path / "saved.mp4", "--summary", tmp_path / "sum")
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(timeout=60) == 141, err
    assert {path.name for path in tmp_path.iterdir()} >= {"saved.mp4", "sum.md", "sum.json", "sum.png"}
    assert "Traceback" not in err


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such pipes")
def test_of_a_pipe_nothing_is_lost_when_its_name_is_and_none_that_is_closed_was_written(clip, tmp_path):
    fifo, file = tmp_path / "fifo", tmp_path / "file"
    os.mkfifo(fifo)
    process = start("run", clip, *RUN, "--json", fifo)
    with fifo.open() as reader:
        fifo.unlink()
        lines = reader.read()
    err = process.stderr.read()
    assert process.wait(timeout=60) == 0, err
    assert main(["run", str(clip), *RUN, "--json", str(file)]) == 0
    assert lines == file.read_text() != ""

    os.mkfifo(fifo)
    process = start("run", clip, *RUN, "--json", fifo, "--csv", f"{fifo}.csv")
    fifo.open().close()
    err = process.stderr.read()
    assert process.wait(timeout=60) == 141, err
    assert f"wrote {fifo}.csv" in err
    assert f"wrote {fifo}\n" not in err


@pytest.mark.skipif(os.name != "posix", reason="a closed pipe is another error on Windows")
def test_a_reader_that_goes_away_ends_the_run_without_a_traceback(long_clip):
    process = start("run", long_clip, *RUN, "--json", "-")
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=60) == 141
    assert process.stderr.read() == ""
    process.stderr.close()


def test_the_progress_line_shows_rate_and_dropped_frames(capsys):
    times = iter([0.0, 1.0, 1.5, 2.0, 4.0])
    source = Live("camera 0", lambda: (False, None))
    source.dropped = 7
    progress = Progress(source, on_terminal=True, clock=lambda: next(times))
    for faces in (1, 0, 2):
        progress.count(faces)
    assert progress.line() == "camera 0: frame 3, 2.0 frames/s, 7 dropped"
    assert progress.summary() == "camera 0: 3 frames, 7 dropped, 3 faces in 4.0 s (0.8 frames/s)"
    assert capsys.readouterr().err.count("\r") == 3


def test_the_progress_of_a_file_is_a_bar_with_its_share_and_the_time_left(clip, capsys):
    now_s = [0.0]
    with open_source(clip) as source:
        progress = Progress(source, on_terminal=True, clock=lambda: now_s[0])
        for number in range(3):
            now_s[0] = 10.0 * number
            progress.count(1)
    assert progress.line()[24:] == "  50%, frame 3 of 6, 0.1 frames/s, 0:30 left"
    assert len(set(progress.line()[:12])) == len(set(progress.line()[12:24])) == 1
    shown = capsys.readouterr().err.split("\r\033[K")
    assert [line[25:29] for line in shown[1:]] == [" 33%", " 50%"]


@pytest.mark.skipif(os.name != "posix", reason="Windows allows no such names")
def test_a_terminal_s_commands_in_a_file_s_name_are_shown_and_not_carried_out(photo, tmp_path, capsys):
    path = photo.rename(tmp_path / "a\x1b[2J\nb \u202egepj.png")
    shown = f"{tmp_path}/a\\x1b[2J\\nb \\u202egepj.png"
    out = f"{path}.csv"
    assert main(["run", str(path), *RUN, "--json", f"{path}.jsonl", "--csv", out]) == 0
    printed, said = capsys.readouterr()
    assert printed.startswith(f"{shown}: ")
    assert len(printed.splitlines()) == 1
    assert said == f"ferkit: wrote {shown}.jsonl\nferkit: wrote {shown}.csv\n"
    assert json.loads(Path(f"{path}.jsonl").read_text(encoding="utf-8"))["source"] == str(path)
    assert f'"{path}",0,' in Path(out).read_text(encoding="utf-8")
    assert main(["run", f"{path}.absent"]) == 3
    assert capsys.readouterr().err == f"ferkit: {shown}.absent: no file matches.\n"
    assert main(["verify", f"{path}.absent"]) == 1
    assert len(capsys.readouterr().out.splitlines()) == 6
    progress = Progress(
        Live("a\x1b[2J\nb", lambda: (False, None)), on_terminal=True, clock=iter(range(9)).__next__
    )
    progress.count(1)
    assert capsys.readouterr().err.startswith("\r\x1b[Ka\\x1b[2J\\nb: frame 1, ")


def test_letters_of_any_language_are_shown_as_they_are():
    for text in (
        "glücklich 笑顔 سعيد",
        "Bildschirmfoto 9.41\u202fAM.png",
        "C:\\new\\x.png",
        "👍🏽",
        "می\u200cخواهم",
        "👨\u200d👧",
    ):
        assert terminal_text(text) == text
    assert terminal_text("\udcff\t\x9b\u2028") == r"\udcff\t\x9b\u2028"


def test_a_bar_fills_from_left_to_right_and_a_clock_shows_hours_where_there_are_any():
    full, empty = bar(1.0)[0], bar(0.0)[0]
    assert (bar(0.0), bar(0.25), bar(1.0)) == (empty * 24, full * 6 + empty * 18, full * 24)
    assert [clock_text(seconds) for seconds in (0.4, 61, 3599.6, 3723)] == [
        "0:00",
        "1:01",
        "1:00:00",
        "1:02:03",
    ]


def test_the_demo_animates_the_labelled_video(tmp_path, capsys):
    image = pytest.importorskip("PIL.Image")
    wanted = tmp_path / "labelled.webp"
    assert demo(["--out", str(tmp_path), "--seconds", "0.4", "--animation", str(wanted), *RUN]) == 0
    with image.open(wanted) as animation:
        assert (animation.format, animation.n_frames, animation.size) == ("WEBP", 5, (480, 360))
    assert not list(tmp_path.glob(".part-*"))
    missing = tmp_path / "no folder" / "labelled.webp"
    assert demo(["--out", str(tmp_path), "--seconds", "0.2", "--animation", str(missing), *RUN]) == 6
    assert f"{missing}: expected a file that can be written" in capsys.readouterr().err


def test_the_demo_leaves_image_video_and_lines_and_ends_with_a_table(tmp_path, capsys):
    assert demo(["--out", str(tmp_path), "--seconds", "0.2", *RUN]) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "astronaut.jsonl", "astronaut.mp4", "astronaut.png", "walk.mp4"
    ]  # fmt: skip
    assert cv2.imread(str(tmp_path / "astronaut.png")).shape == (512, 512, 3)
    assert len(frames_of(tmp_path / "astronaut.mp4")[0]) == 5
    records = [json.loads(line) for line in (tmp_path / "astronaut.jsonl").read_text().splitlines()]
    assert [record["frame"] for record in records] == [0, 1, 2, 3, 4]
    out = capsys.readouterr().out
    assert "5 faces, in 5 of 5 frames" in out
    assert f"labels in the video: {records[0]['label']} " in out
