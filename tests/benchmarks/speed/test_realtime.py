"""The measurement of the whole runtime: its figures, at the smallest effort."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.__main__ import main as benchmark
from benchmarks.speed.clips import VISITORS, make_clip, make_visits, write_clip
from benchmarks.speed.effort import QUICK
from benchmarks.speed.live import LatencyRow, Paced, live_latency
from benchmarks.speed.processes import ProcessRow, measure_processes
from benchmarks.speed.realtime import REPORT, RESULTS
from benchmarks.speed.realtime_report import (
    Realtime,
    goals_table,
    read_realtime,
    render,
    soak_table,
    summary_table,
)
from benchmarks.speed.sections import Section, measure_sections
from benchmarks.speed.soak import SoakRow, soak
from benchmarks.speed.stages import STAGES, StageRow, read_seconds, stages
from reporting.machine import describe_device
from runtime.command.open_source import open_source
from runtime.recognizer import Recognizer
from tests.support.yunet import find_yunet

ROOT = Path(__file__).parents[3]
MODEL = ROOT / "tests" / "data" / "tiny_fp32.onnx"


@pytest.fixture(scope="module")
def portrait():
    return cv2.imread(str(ROOT / "demo" / "astronaut.jpg"))


@pytest.fixture(scope="module")
def recognizer():
    yunet = find_yunet()
    if yunet is None:
        pytest.skip("YuNet's file is neither at FERKIT_YUNET nor in ../shared/face_detection")
    return Recognizer(MODEL, yunet, engine="opencv")


@pytest.fixture(scope="module")
def clip(portrait):
    return make_clip(portrait, width=320, height=240, faces=2, frames=12)


@pytest.mark.parametrize("faces", [0, 1, 4, 10])
def test_a_clip_shows_so_many_faces(portrait, recognizer, faces):
    frame = make_clip(portrait, width=640, height=480, faces=faces, frames=1)[0]
    assert frame.shape == (480, 640, 3)
    assert len(recognizer(frame)) == faces


def test_a_clip_is_the_same_each_time_and_moves(portrait, clip):
    again = make_clip(portrait, width=320, height=240, faces=2, frames=12)
    np.testing.assert_array_equal(clip, again)
    assert np.abs(clip[0].astype(int) - clip[6]).mean() > 3


def test_the_stages_add_up_to_the_whole(recognizer, clip):
    ticks = iter(range(10**9))  # every reading of the clock is a millisecond later
    row = stages(recognizer, clip, frames=24, read_s=0.002, clock=lambda: next(ticks) / 1000)
    assert tuple(row.ms) == STAGES
    assert row.ms["read"] == pytest.approx(2)
    assert row.ms["draw"] == pytest.approx(1)
    assert row.ms["classify"] == pytest.approx(1)
    assert min(row.ms.values()) > 0
    labelled_ms = sum(row.ms[stage] for stage in ("detect", "track", "crop", "classify"))
    assert row.frames_per_s == pytest.approx(1000 / labelled_ms)
    assert row.frames_per_s_with_read_and_draw == pytest.approx(1000 / sum(row.ms.values()))
    assert row.faces_seen == 2
    assert not hasattr(recognizer.model, "seconds")


def test_reading_takes_time(clip):
    assert 0 < read_seconds(clip) < 1


def test_a_paced_reader_gives_frames_at_its_rate_and_ends(clip):
    paced = Paced(clip, rate=100, seconds=0.2)
    frames = []
    while (answer := paced.read())[0]:
        frames.append(answer[1])
    assert len(frames) == 20
    assert (frames[13] == clip[1]).all()
    assert paced.given_s[-1] - paced.given_s[0] > 0.15
    assert (np.diff(paced.given_s) > 0).all()


def test_latency_counts_every_frame_as_labelled_or_dropped(recognizer, clip):
    row = live_latency(recognizer.stream(), clip, rate=60, seconds=0.5)
    assert row.frames == 30
    assert 0 <= row.dropped < 30
    assert 0 < row.median_ms <= row.p95_ms


def test_a_process_of_its_own_tells_its_time_and_memory(monkeypatch, recognizer):
    monkeypatch.setenv("FERKIT_YUNET", str(find_yunet()))
    rows = measure_processes(str(MODEL), QUICK)
    if not rows:
        pytest.skip("no engine but OpenCV's runs here")
    row = next(row for row in rows if row.detector == "yunet")
    assert 0.05 < row.seconds < 60
    assert row.peak_bytes is None or 20e6 < row.peak_bytes < 2e9


@pytest.fixture(scope="module")
def visits(portrait, tmp_path_factory):
    """A video of 2 s in which faces come and go."""
    path = tmp_path_factory.mktemp("visits") / "visits.mp4"
    write_clip(path, make_visits(portrait, width=640, height=480, frames=60))
    return path


def test_in_the_soaks_video_faces_come_and_go(recognizer, visits):
    with open_source(visits) as source:
        seen = [len(recognizer(frame.pixels)) for frame in source]
    assert len(seen) == 60
    assert (min(seen), max(seen)) == (2, 3)  # of five, half of the time each
    assert VISITORS == 5
    assert sum(before != after for before, after in pairwise(seen)) >= 5


def test_growing_memory_shows_in_the_soak(recognizer, visits, tmp_path):
    held = iter(range(1_000_000, 2_000_000, 1000))
    row = soak(recognizer, visits, frames=20, folder=tmp_path, resident=lambda: next(held))
    assert row.frames == 20
    assert (row.first_bytes, row.last_bytes) == (1_000_500, 1_018_500)
    assert (row.growth_bytes, row.most_bytes) == (18_000, 1_019_000)


def test_the_soak_reads_the_video_over_and_over_and_writes_what_a_run_writes(recognizer, visits, tmp_path):
    row = soak(recognizer, visits, frames=150, folder=tmp_path, part_frames=40, resident=lambda: 0)
    assert (row.frames, row.parts) == (150, 4)  # of 40, 40, 40 and 30 frames
    assert row.faces >= 10  # five come twice or more
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "faces.jsonl",
        "labelled.mp4",
        "summary.json",
        "summary.md",
        "summary.png",
    ]
    with open_source(tmp_path / "labelled.mp4") as video:
        assert sum(1 for _ in video) == 30
    lines = [json.loads(line) for line in (tmp_path / "faces.jsonl").read_text().splitlines()]
    assert {line["frame"] for line in lines} == set(range(120, 150))
    assert lines[0]["time_s"] == pytest.approx(4, abs=0.05)  # the time goes on where the video begins again
    assert lines[-1]["time_s"] == pytest.approx(149 / 30, abs=0.1)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["frames"], len(summary["faces"])) == (150, row.faces)
    assert summary["end_s"] == pytest.approx(5, abs=0.1)
    assert 0 < row.written_bytes < 40 * 640 * 480


def stage(detector="yunet", **changes):
    """The stages of a frame of 640x480 with one face on one thread."""
    row = StageRow(
        detector=detector,
        width=640,
        height=480,
        faces=1,
        threads=1,
        ms=dict.fromkeys(STAGES, 0.5),
        frames_per_s=456.7,
        frames_per_s_with_read_and_draw=234.5,
        detect_every=6.0,
        faces_seen=1.0,
    )
    return replace(row, **changes)


def section(*rows, clock="wall"):
    device = {**describe_device(), "processor": "Board 5", "measured": "2026-11-22"}
    return Section(device=device, clock=clock, model="edge", command="x", rows=list(rows))


SOAK = SoakRow(40, 2, 1669, 47_000_000, 12.0, 70e6, 71e6, 1e6, 72e6)


def test_the_table_of_the_soak_has_memory_in_megabytes():
    assert soak_table([SOAK]).splitlines()[-1] == "| 40 | 12 | 1,669 | 2 | 47 | 70.0 | 71.0 | 72.0 |"


def test_a_goal_is_judged_without_reading_and_drawing():
    rows = [
        stage(frames_per_s=400.0, frames_per_s_with_read_and_draw=300.0),
        stage(faces=10, frames_per_s=149.9, frames_per_s_with_read_and_draw=80.0),
        stage("ferkit", frames_per_s=700.0),
        stage("haar", threads=2),
    ]
    assert goals_table(rows).splitlines()[2:] == [
        "| ferkit | reached | 1 | 700 | 700 | 234 |",
        "| YuNet | reached | 1 | 400 | 400 | 300 |",
        "| YuNet | missed | 10 | 150 | 150 | 80 |",
    ]
    assert goals_table(rows[3:]) is None


def test_the_report_has_the_sections_that_were_measured():
    pytest.importorskip("jinja2")
    page = render(Realtime(stages=section(stage(), clock="cpu")))
    assert "## Frames/s and milliseconds a frame" in page
    assert "## From frame to label" not in page
    assert "processor time" in page
    page = render(Realtime(soak=section(SOAK)))
    assert "## Memory over a long run" in page
    assert "## Frames/s" not in page


def test_the_page_gets_the_rows_of_one_thread_at_640_pixels_with_their_live_latency():
    live = LatencyRow("yunet", 1, 30, 600, 0, 1.86, 9.55)
    stages = section(stage(), stage(faces=4), stage(threads=2), stage(width=320, height=240))
    latency = section(live, replace(live, rate=60, median_ms=77.7))
    lines = summary_table(stages, latency, section(ProcessRow("yunet", 0.284, None))).splitlines()
    assert lines[2:4] == ["| YuNet | 1 | 457 | 234 | 1.9 | 9.6 |", "| YuNet | 4 | 457 | 234 |  |  |"]
    assert len(lines) == 6
    assert "Measured 2026-11-22 on Board 5, one thread, model `edge`" in lines[5]
    assert lines[5].endswith("to the first labels: 0.28 s with YuNet.")


def test_what_is_finished_before_ctrl_c_is_saved_and_what_was_there_before_stays(tmp_path):
    pytest.importorskip("msgspec")
    path = tmp_path / "realtime.json"
    measure_sections({"soak": lambda: section(SOAK), "stages": lambda: section(stage(faces=4))}, path)
    latency = section(LatencyRow("yunet", 1, 30, 600, 0, 1.86, 9.55))

    def interrupted():
        raise KeyboardInterrupt

    finished = []
    sections = {
        "stages": lambda: section(stage(faces=10)),
        "latency": lambda: latency,
        "processes": interrupted,
    }
    with pytest.raises(KeyboardInterrupt):
        measure_sections(sections, path, finished=lambda name, section: finished.append(name))
    assert finished == ["stages", "latency"]
    results = read_realtime(path)
    assert results == Realtime(
        stages=section(stage(faces=10)), latency=latency, processes=None, soak=section(SOAK)
    )


@pytest.mark.published
def test_the_committed_page_shows_what_was_measured():
    results = read_realtime(RESULTS)
    block = summary_table(results.stages, results.latency, results.processes)
    assert block in (ROOT / "docs" / "benchmarks.md").read_text()
    assert render(results) == REPORT.read_text()


def test_a_table_without_results_is_refused_in_a_line(tmp_path, capsys):
    path = tmp_path / "none.json"
    assert (
        benchmark(["realtime", "--table", "--results", str(path), "--page", str(tmp_path / "benchmarks.md")])
        == 1
    )
    said = capsys.readouterr().err
    assert said.startswith(f"{path}: expected what `python -m benchmarks realtime` measured, got ")
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_has_no_place_leaves_the_report_and_is_refused_in_a_line(tmp_path, capsys):
    path, readme, report = tmp_path / "results.json", tmp_path / "benchmarks.md", tmp_path / "out.md"
    path.write_text("[]")
    assert benchmark(["realtime", "--table", "--results", str(path), "--page", str(readme)]) == 1
    assert (
        "expected what `python -m benchmarks realtime` measured, got something else"
        in capsys.readouterr().err
    )
    readme.write_text("no place")
    report.write_text("older")
    assert benchmark(["realtime", "--table", "--page", str(readme), "--out", str(report)]) == 1
    assert "expected the lines" in capsys.readouterr().err
    assert report.read_text() == "older"
    readme.write_text("<!-- realtime:start -->\n<!-- realtime:end -->\n")
    assert benchmark(["realtime", "--table", "--page", str(readme), "--out", str(tmp_path)]) == 1
    assert str(tmp_path) in capsys.readouterr().err
