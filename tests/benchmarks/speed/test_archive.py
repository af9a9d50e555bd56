"""The measurement of `ferkit label`: what is read out of runs, and the page."""

import os
from dataclasses import replace

import cv2
import numpy as np
import pytest

from benchmarks.artifacts import ROOT
from benchmarks.errors import BenchmarkError
from benchmarks.speed.archive_effort import QUICK
from benchmarks.speed.archive_loop import plain_loop
from benchmarks.speed.archive_memory import ALL, ROLES, MemoryRow, Sample, memory_rows
from benchmarks.speed.archive_proof import ProofRow, compare
from benchmarks.speed.archive_report import Archive, goals_table, machines_table, read_archive, render
from benchmarks.speed.archive_runs import Part, on_cores, steady_files_per_s
from benchmarks.speed.archive_speed import KINDS, SpeedRow, StartRow, make_files
from benchmarks.speed.archive_store import StoreRow
from benchmarks.speed.sections import Section, measure_sections
from reporting.machine import describe_device
from runtime.recognizer import Recognizer
from tests.support.command import MODEL
from tests.support.yunet import needs_haar


def face(**changes):
    """A face as a row has it."""
    box = {"x": 1, "y": 2, "width": 3, "height": 4}
    plain = {"frame": 0, "time_s": 0.0, "id": None, "box": box, "label": "happy", "scores": {"happy": 0.5}}
    return {**plain, "confidence": 0.9, "smoothed": False, **changes}


def told(**changes):
    """The same face as `ferkit run` has it."""
    return {**face(), "box": [1, 2, 3, 4], **changes}


def row(path, *faces, error=None):
    return {"path": path, "faces": list(faces), "error": error}


def test_rows_that_are_those_of_ferkit_run_differ_nowhere():
    rows = [row("a.jpg", face(scores={"happy": 0.5000004})), row("b.mp4"), row("c.jpg", error="empty")]
    expected = {"a.jpg": ([told()], True), "b.mp4": ([], True), "c.jpg": ([], False)}
    found = compare(rows, expected)
    assert (found.images, found.videos, found.rows, found.faces, found.compared) == (2, 1, 3, 1, 3)
    assert (found.missing, found.twice, found.differing) == (0, 0, 0)
    assert (found.errors, found.errors_of_run) == (1, 1)
    assert found.largest_gap == pytest.approx(4e-7)


@pytest.mark.parametrize(
    "wrong",
    [
        row("a.jpg"),
        row("a.jpg", face(), face()),
        row("a.jpg", face(), error="empty"),
        row("a.jpg", face(label="sad")),
        row("a.jpg", face(box={"x": 0, "y": 2, "width": 3, "height": 4})),
        row("a.jpg", face(scores={"happy": 0.6})),
        row("a.jpg", face(confidence=0.8)),
    ],
)
def test_a_row_that_differs_in_anything_is_counted(wrong):
    assert compare([wrong], {"a.jpg": ([told()], True)}).differing == 1


def test_a_file_without_a_row_and_one_with_two_are_counted():
    found = compare([row("a.jpg"), row("a.jpg")], {"a.jpg": ([], True), "b.jpg": ([], True)})
    assert (found.missing, found.twice, found.rows) == (1, 1, 2)


def test_the_steady_rate_leaves_out_the_first_part_of_each_actor():
    parts = [Part(100.0, 70), Part(101.0, 80), Part(103.0, 40), Part(105.0, 60)]
    assert steady_files_per_s(parts, 2) == pytest.approx(100 / 4)
    assert steady_files_per_s(parts, 1) == pytest.approx(180 / 5)
    with pytest.raises(BenchmarkError):
        steady_files_per_s(parts[:3], 2)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs Linux")
def test_a_process_is_kept_to_one_core_and_let_go():
    before = os.sched_getaffinity(0)
    with on_cores(1):
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before
    with pytest.raises(BenchmarkError), on_cores(10_000):
        pass


def test_memory_is_compared_between_the_first_and_the_last_tenth_of_the_files():
    parts = [Part(time_s, 10) for time_s in np.arange(0.0, 101.0)]
    samples = [
        Sample(float(time_s), {ROLES[0]: 1000 + time_s, ROLES[1]: 500}, {ROLES[0]: 1, ROLES[1]: 2})
        for time_s in range(-50, 101)
    ]
    rows = {row.role: row for row in memory_rows(samples, {ROLES[1]: 2.5}, parts)}
    assert set(rows) == {*ROLES, ALL}
    driver, everything = rows[ROLES[0]], rows[ALL]
    assert driver.first_bytes == pytest.approx(1005, abs=1)
    assert driver.last_bytes == pytest.approx(1095, abs=1)
    assert (everything.files, everything.processes, everything.cpu_s) == (1010, 3, 2.5)
    assert everything.most_bytes == rows[ROLES[0]].most_bytes + 500


def test_a_run_that_nobody_looked_at_in_time_has_no_memory_of_its_first_tenth():
    rows = memory_rows([Sample(5.0, {}, {})], {}, [Part(0.0, 10), Part(10.0, 10)])
    assert [row.first_bytes for row in rows] == [None] * 5


@needs_haar
@pytest.mark.parametrize("kind", KINDS)
def test_the_loop_finds_a_face_in_every_file_that_is_timed(tmp_path, kind):
    portrait = cv2.imread(str(ROOT / "demo" / "astronaut.jpg"))
    few = QUICK._replace(timed_images=50, timed_videos=2, timed_sampled=2)
    paths = make_files(kind, tmp_path / "in", few, portrait)
    assert len(set(paths)) == len(paths) == (2 if "videos" in kind else 50)
    with Recognizer(MODEL, "ferkit", engine="opencv") as recognizer:
        every_s = 1.0 if "second" in kind else 0.0
        faces = plain_loop(recognizer, list(map(str, paths[:2])), every_s=every_s)
    assert faces >= {KINDS[2]: 590, KINDS[3]: 18}.get(kind, 1)


def speed(kind, cores, *, loop=100.0, steady=95.0):
    seconds = 10.0 if kind in KINDS[2:] else 0.0
    return SpeedRow(kind, cores, 40, 1_000_000, seconds, [loop] * 3, [steady, steady, 1.0], [9.0] * 3)


def section(*rows):
    device = describe_device()
    device["engines"] |= {"ray": "2", "pyarrow": "3"}
    return Section(device=device, clock="wall", model="edge", command="x", rows=list(rows))


PROOF = ProofRow(10, 2, 12, 0, 0, 9, 1, 1, 12, 0, 4e-7, 3, 5.0)
MEMORY = MemoryRow(ALL, 9, 1000, 50, 100e6, 104e6, 110e6, 4.0)
STORE = StoreRow(12, 10_000, 12, 1, 1, 0, 0, 7.0)
SPEED = [speed(kind, cores, steady=95.0 * cores) for kind in KINDS for cores in (1, 2)]
WHOLE = Archive(
    proof=section(PROOF),
    start=section(StartRow("ferkit run", [0.5]), StartRow("ferkit label", [6.0])),
    speed=section(*SPEED),
    memory=section(replace(MEMORY, role=ROLES[0]), MEMORY),
    store=section(STORE),
)


def verdicts(results):
    return [line.split(" | ")[1] for line in goals_table(results).splitlines()[2:]]


def test_the_goals_are_judged_by_the_median_of_the_turns():
    assert verdicts(WHOLE) == ["reached"] * 12
    slow = [speed(KINDS[0], 1, steady=89.0), speed(KINDS[0], 2, steady=179.0)]
    assert verdicts(Archive(speed=section(*slow))) == ["missed", "missed"]


@pytest.mark.parametrize(
    "results",
    [
        Archive(proof=section(replace(PROOF, twice=1, rows=13))),
        Archive(proof=section(replace(PROOF, differing=1))),
        Archive(memory=section(replace(MEMORY, last_bytes=106e6))),
        Archive(store=section(replace(STORE, differing=1))),
    ],
)
def test_a_goal_that_is_missed_is_said(results):
    assert "missed" in verdicts(results)


def test_a_million_videos_are_computed_from_the_rate_on_two_cores():
    lines = machines_table([speed(KINDS[2], 2, steady=50.0)]).splitlines()[2:]
    assert len(lines) == 4
    assert "**measured**" in lines[0] and "40 videos of 10 s: 50.00 a second" in lines[0]
    assert all("| computed |" in line for line in lines[1:])
    days = 1_000_000 * 60 / (50 * 10) / 86_400
    assert [float(line.split("|")[3].split()[0]) for line in lines[1:]] == pytest.approx(
        [days, days / 10, days / 100], abs=0.05
    )


def test_the_report_has_the_sections_that_were_measured():
    pytest.importorskip("jinja2")
    page = render(WHOLE)
    heads = [line for line in page.splitlines() if line.startswith("## ")]
    assert len(heads) == 6
    assert [line for line in render(Archive(store=WHOLE.store)).splitlines() if line.startswith("## ")] == [
        "## An object store"
    ]


def test_what_was_measured_is_read_as_it_was_written(tmp_path):
    pytest.importorskip("msgspec")
    path = tmp_path / "archive.json"
    measure_sections({name: lambda part=part: part for name, part in vars(WHOLE).items()}, path)
    assert read_archive(path) == WHOLE


def test_one_section_that_was_measured_alone_has_its_report(tmp_path):
    pytest.importorskip("msgspec")
    pytest.importorskip("jinja2")
    path = tmp_path / "archive.json"
    measure_sections({"speed": lambda: WHOLE.speed}, path)
    assert "## Files a second" in render(read_archive(path))
