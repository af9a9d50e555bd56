"""The table of all detectors: its groups, its counts and its goals, on heads of the NASA portrait."""

import csv
import json

import cv2
import numpy as np
import pytest

from benchmarks.__main__ import main as benchmark
from benchmarks.accuracy.detector_figures import (
    CurvePoint,
    DetectorFigures,
    GroupFigures,
    Times,
    measure_curve,
    measure_group,
)
from benchmarks.accuracy.detector_images import (
    ALIKE,
    FRAMES,
    PASTED,
    SMALL,
    Group,
    Held,
    group_of_frames,
    groups_of_pasted_faces,
    groups_of_photos,
    read_held_out,
)
from benchmarks.accuracy.detector_sheets import ContactSheets, draw_curves
from benchmarks.accuracy.detector_table import curve_table, goals_table, released_points
from benchmarks.accuracy.detectors import read_detectors, record_first, render
from benchmarks.artifacts import ROOT
from benchmarks.scenes import empty_scene, people_scene, read_portrait
from dataset.detection.images import DataError
from dataset.detection.teacher import Photo
from export.parity_faces import drawn_face
from reporting.files import sha256_of
from reporting.machine import describe_device
from runtime.detectors import DetectorError
from runtime.detectors.ferkit import RELEASED, RELEASED_FILES
from tests.support.dataset_files import csv_lines, write_csv

NONE = np.empty((0, 4), np.float32)
UNKNOWN = np.full((1, 4), np.nan, np.float32)
SQUARE = np.array([[100, 100, 80, 80]], np.float32)
ROOM = empty_scene(seed=1)


def detector_of(*boxes):
    """A detector that finds the same boxes (x, y, width, height, confidence) in every frame."""
    return lambda frame: np.array(boxes, np.float32).reshape(-1, 5)


def photo(image=ROOM, boxes=SQUARE, ignored=NONE):
    return Photo(image, boxes, np.tile(UNKNOWN, (len(boxes), 1)), ignored)


def cells(table):
    """The cells of each row of a Markdown table, by the first."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    return {row[0]: row[1:] for row in rows}


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Folders of heads of the NASA portrait with their boxes, of rooms, and of drawn faces by group."""
    folder = tmp_path_factory.mktemp("sources")
    for name in ("heads", "rooms", "faces/val"):
        (folder / name).mkdir(parents=True)
    rows = []
    for number in range(12):
        room = empty_scene(seed=number)
        cv2.imwrite(str(folder / "rooms" / f"{number}.jpg"), room)
        x, y, side = 100 + 20 * number, 150, 120
        frame = people_scene(read_portrait(), [(x, y, side)], room=room)
        cv2.imwrite(str(folder / "heads" / f"{number}.jpg"), frame)
        rows.append([f"{number}.jpg", x, y, side, side])
    write_rows(folder / "heads" / "boxes.csv", ["file", "x", "y", "width", "height"], rows)
    rows = []
    for number in range(8):
        face = cv2.resize(drawn_face(np.random.default_rng(number)), (88, 88))
        cv2.imwrite(str(folder / "faces" / "val" / f"{number}.jpg"), face)
        rows.append([f"val/{number}.jpg", ("one", "other")[number % 2]])
    write_rows(folder / "faces" / "val.csv", ["file", "race"], rows)
    return folder


def write_rows(path, heads, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([heads, *rows])


def test_a_group_counts_what_is_found_and_what_is_false():
    group = Group("squares", ALIKE, 2, lambda: iter([photo(), photo(ignored=SQUARE + 200)]))
    two = detector_of((100, 100, 80, 80, 0.9), (300, 300, 280, 280, 0.8))
    figures = measure_group(group, {"two": two, "none": detector_of()})
    assert (figures.images, figures.faces) == (2, 2)
    assert figures.found == {"two": 1.0, "none": 0.0}
    assert figures.false == {"two": 1, "none": 0}  # of the second image the box lies on what is ignored


def test_a_curve_falls_as_the_least_confidence_rises():
    points = measure_curve(
        detector_of((100, 100, 80, 80, 0.5), (300, 300, 80, 80, 0.3)), [photo()], [ROOM, ROOM], name="one"
    )
    at = {point.threshold: (point.found, point.false_per_image) for point in points}
    assert at[0.1] == (1.0, 2.0) and at[0.4] == (1.0, 1.0) and at[0.6] == (0.0, 0.0)


def test_groups_are_held_out_and_told_apart(sources):
    held = read_held_out([sources / "heads"], [sources / "rooms"], None, split="test")
    assert {name: len(photos) for name, photos in held.photos.items()} == {"heads": 1}
    assert len(held.backgrounds) == 1
    others = read_held_out([sources / "heads"], [sources / "rooms"], None, split="validation")
    assert not np.array_equal(held.photos["heads"][0].image, others.photos["heads"][0].image)
    groups = groups_of_photos(held)
    assert {group.name: group.kind for group in groups} == {
        "heads": ALIKE,
        "dark (x0.3)": ALIKE,
        "blurred": ALIKE,
        "30-60 px": SMALL,
    }  # without a teacher nobody knows which faces are turned
    assert all(len(list(group.photos())) == group.images for group in groups)


def test_validation_and_test_paste_other_faces(sources):
    held = Held({}, [cv2.cvtColor(ROOM, cv2.COLOR_BGR2GRAY)])
    chosen = {
        split: groups_of_pasted_faces(sources / "faces", held, None, split=split, count=2)
        for split in ("validation", "test")
    }
    assert [group.name for group in chosen["test"]] == [PASTED + "one", PASTED + "other"]
    first, second = (next(iter(groups[0].photos())) for groups in chosen.values())
    assert not np.array_equal(first.image, second.image)
    with pytest.raises(DataError, match="expected more than 4 faces of one, got 4"):
        groups_of_pasted_faces(sources / "faces", held, None, split="test", count=4)
    with pytest.raises(DataError, match=r"expected val\.csv"):
        groups_of_pasted_faces(sources / "rooms", held, None, split="test", count=1)


def test_faces_in_frames_are_the_same_in_every_run():
    faces = np.stack([drawn_face(np.random.default_rng(seed)) for seed in range(3)]).reshape(3, 48, 48, 1)
    group = group_of_frames(faces, read_portrait(), count=500, seed=7)
    assert (group.kind, group.images) == (FRAMES, 3)
    once, again = list(group.photos()), list(group.photos())
    assert all(np.array_equal(one.image, other.image) for one, other in zip(once, again, strict=True))
    assert all(60 <= made.boxes[0, 2] <= 300 for made in once)


def figures_of(*, found=0.99, false=0.005, ms=1.2, small=0.8, worst=0.98):
    others = {"yunet": 0.98, "haar": 0.8}

    def group(name, kind, share, **of_others):
        return GroupFigures(name, kind, 10, 10, {"ferkit": share, **(others | of_others)}, {})

    return DetectorFigures(
        device=describe_device(),
        command="python -m benchmarks detectors",
        split="test",
        detectors={"ferkit": "ferkit", "yunet": "YuNet", "haar": "Haar"},
        left_out=["glasses: nothing that was given labels them"],
        sources=["heads"],
        groups=[
            group("FER2013 in made-up frames", FRAMES, found),
            group("30-60 px", SMALL, small, yunet=0.88),
            group("heads", ALIKE, 0.99),
            group(PASTED + "one", ALIKE, worst),
            group(PASTED + "other", ALIKE, 1.0, haar=0.7),
        ],
        backgrounds=300,
        false_per_background={"ferkit": false, "yunet": 0.007, "haar": 0.4},
        times={"ferkit": Times(ms, 2.0), "yunet": Times(2.0, 3.0), "haar": Times(28.0, 30.0)},
        curves={"ferkit": [CurvePoint(0.1, 1.0, 5.0), CurvePoint(0.4, 0.99, 0.005)]},
    )


def test_every_goal_is_judged():
    rows = cells(goals_table(figures_of()))
    assert {row[-1] for row in rows.values()} >= {"reached", "-"}
    assert "missed" not in {row[-1] for row in rows.values()}
    assert rows["time in YuNet's"][1:4] == ["0.60", "1.00", "14.00"]
    worst = rows["found: pasted faces, the worst group"]
    assert worst[1:4] == ["98.0 % (one)", "98.0 % (one)", "70.0 % (other)"]
    missed = cells(goals_table(figures_of(found=0.97, false=0.008, ms=1.6, small=0.7, worst=0.9)))
    assert {name for name, row in missed.items() if row[-1] == "missed"} == {
        "found: FER2013 in made-up frames",
        "found: 30-60 px",
        "found: pasted faces, the worst group",
        "false faces per image without a face",  # fewer than the goal, and more than YuNet's
        "ms a frame of 640x480",
    }


def test_the_curve_is_shown_where_it_can_be_chosen_from():
    figures = figures_of()
    assert list(cells(curve_table(figures)))[2:] == ["0.400"]
    assert released_points(figures)["Haar"] == pytest.approx((0.4, 0.8))
    assert draw_curves({"ferkit": figures.curves["ferkit"]}, {"ferkit": (0.0, 0.99)}).startswith(b"\x89PNG")
    assert "curves.png" in render(figures, folder="detectors")


def test_contact_sheets_show_the_largest_missed_and_the_surest_false(tmp_path):
    sheets = ContactSheets()
    white = np.full((480, 640), 255, np.uint8)
    two_sizes = np.concatenate([SQUARE, [[300, 200, 40, 40]]]).astype(np.float32)
    wrong = detector_of((400, 20, 60, 60, 0.7))
    measure_group(Group("a", ALIKE, 1, lambda: [photo(white, two_sizes)]), {"wrong": wrong}, sheets)
    written = sheets.write(tmp_path)
    assert sorted(path.name for path in written) == ["wrong_false.png", "wrong_missed.png"]
    missed = cv2.imread(str(tmp_path / "wrong_missed.png"))
    assert missed[10, 10].tolist() == missed[10, 160].tolist() == [255] * 3  # two tiles
    assert missed[10, 310].tolist() == [0] * 3


def test_the_command_writes_figures_page_and_pictures(sources, tmp_path, capsys):
    command = ["detectors", "--images", str(sources / "heads"), "--backgrounds", str(sources / "rooms")]
    command += ["--faces", str(sources / "faces"), "--data", str(write_csv(tmp_path / "f.csv", csv_lines(6)))]
    command += [
        "--detector",
        "haar",
        "--count",
        "2",
        "--pasted",
        "1",
        "--turns",
        "1",
        "--out",
        str(tmp_path / "d.json"),
    ]
    assert benchmark([*command, "--sheets", str(tmp_path / "sheets")]) == 0
    assert "| found: heads | 1 | 100.0 % |" in capsys.readouterr().out
    stored = json.loads((tmp_path / "d.json").read_text())
    assert str(tmp_path) not in json.dumps(stored)
    assert stored["split"] == "validation" and stored["backgrounds"] == 1
    page = (tmp_path / "d.md").read_text()
    assert render(read_detectors(tmp_path / "d.json"), folder="d") == page
    assert (tmp_path / "d" / "curves.png").is_file() and (tmp_path / "d" / "heads.jpg").is_file()
    assert benchmark(["detectors", "--report", str(tmp_path / "d.json")]) == 0


def test_what_is_wrong_is_said_in_a_line(tmp_path, capsys):
    data = str(write_csv(tmp_path / "f.csv", csv_lines(3)))
    missing = ["--images", str(tmp_path / "none.zip"), "--data", data, "--detector", "haar"]
    assert benchmark(["detectors", *missing]) == 1
    assert "none.zip: expected a folder or a zip archive" in capsys.readouterr().err
    assert benchmark(["detectors", "--detector", str(tmp_path / "none.onnx")]) == 1
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_the_first_detectors_figures_are_kept_by_the_sha256_of_its_file(tmp_path, suffix):
    file, record = RELEASED / RELEASED_FILES[suffix], tmp_path / "detector.measured.json"
    record.write_text('{"files": {"other": {"split": "test"}}}')
    record_first(figures_of(found=0.97), str(file), record)
    files = json.loads(record.read_text())["files"]
    assert files["other"] == {"split": "test"}
    assert files[sha256_of(file)]["found"]["FER2013 in made-up frames"] == 0.97
    assert files[sha256_of(file)]["false_per_background"] == 0.005


def test_a_detector_without_a_card_has_no_figures_to_keep(tmp_path):
    with pytest.raises(DetectorError, match="expected a first detector whose file has a card, got haar"):
        record_first(figures_of(), "haar", tmp_path / "detector.measured.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.published
def test_the_committed_page_shows_the_committed_figures():
    results = ROOT / "results" / "detectors.json"
    if not results.is_file():
        pytest.skip("needs results/detectors.json, which the release measures")
    page = (ROOT / "reports" / "detectors.md").read_text(encoding="utf-8")
    assert render(read_detectors(results), folder="detectors") == page
