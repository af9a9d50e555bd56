"""The command: what it prints, what it writes, and its exit codes."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

import runtime
from runtime import model as model_module
from runtime.command.cli import main
from runtime.command.exit_codes import EXIT_CODES, FAULT, IN_PART, INTERRUPTED, NO_READER, OK, TABLE
from tests.support.command import (
    IMAGE,
    MODEL,
    ROOT,
    RUN,
    frames_of,
    start,
)

LABELS = ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]


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


def test_a_video_gives_lines_and_an_annotated_video(clip, tmp_path, capsys):
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


@pytest.mark.published
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
    rows = [line.split() for line in lines[1:]]
    assert [row[0] for row in rows] == 3 * ["three"] + 3 * ["tiny"] + 2 * ["twelve"] + 2 * ["detector"]
    assert ["tiny", "tiny_fp32.onnx", "fp32", "3", "not", "measured"] in [row[:6] for row in rows]


def test_models_says_so_where_there_are_none(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(model_module, "RELEASED", tmp_path)
    assert main(["models"]) == 4
    assert "holds no released model" in capsys.readouterr().err
