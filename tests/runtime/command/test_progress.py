"""The line of progress, and what a terminal is spared."""

import json
import os
from pathlib import Path

import pytest

from runtime.command.cli import main
from runtime.command.live import Live
from runtime.command.open_source import open_source
from runtime.command.progress import Progress, bar, clock_text
from runtime.command.terminal import terminal_text
from tests.support.command import (
    RUN,
)


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
def test_control_characters_in_a_file_s_name_are_escaped(photo, tmp_path, capsys):
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


def test_letters_of_any_language_are_not_escaped():
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


def test_a_bar_fills_from_left_to_right_and_a_clock_shows_hours():
    full, empty = bar(1.0)[0], bar(0.0)[0]
    assert (bar(0.0), bar(0.25), bar(1.0)) == (empty * 24, full * 6 + empty * 18, full * 24)
    assert [clock_text(seconds) for seconds in (0.4, 61, 3599.6, 3723)] == [
        "0:00",
        "1:01",
        "1:00:00",
        "1:02:03",
    ]
