"""A run that ends early: by a signal, a reader that goes away, or an output that vanishes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runtime.command.cli import main
from tests.support.command import (
    ROOT,
    RUN,
    frames_of,
    read_on,
    start,
)


@pytest.mark.skipif(os.name != "posix", reason="Windows sends no Ctrl-C to a single process")
@pytest.mark.parametrize("stop", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_stopped_run_leaves_a_playable_video_and_whole_lines(long_clip, tmp_path, stop):
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


def test_two_files_that_can_not_be_finished_are_both_named(long_clip, tmp_path):
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
def test_ctrl_c_during_the_imports_ends_the_command_silently(imported):
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
def test_an_output_whose_folder_vanishes_is_named(long_clip, tmp_path):
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
def test_a_summary_is_written_though_nobody_reads_its_table(clip, tmp_path):
    process = start("run", clip, *RUN, "--save", tmp_path / "saved.mp4", "--summary", tmp_path / "sum")
    process.stdout.close()
    err = process.stderr.read()
    assert process.wait(timeout=60) == 141, err
    assert {path.name for path in tmp_path.iterdir()} >= {"saved.mp4", "sum.md", "sum.json", "sum.png"}
    assert "Traceback" not in err


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such pipes")
def test_a_pipe_gets_every_line_and_a_closed_one_is_not_called_written(clip, tmp_path):
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
