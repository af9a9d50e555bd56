"""Changed boxes and changed images: what they show of the face, and what they cost a model."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.__main__ import main as benchmark
from benchmarks.accuracy.changes import (
    BOXES,
    PIXELS,
    SCENE_PX,
    UNCHANGED,
    brighten,
    changed_faces,
    compress,
    curve,
    cut_face,
    halve,
    smear,
    surround,
)
from benchmarks.accuracy.robustness import (
    BoxVerdict,
    ChangeScore,
    FileRobustness,
    judge_boxes,
    read_robustness,
    render_report,
    verdicts_table,
)
from benchmarks.scenes import PORTRAIT
from benchmarks.scoring import scores_of_file
from dataset.load import load_dataset
from reporting import metrics
from runtime.crop import crop_face, square_of

TINY = Path(__file__).parents[2] / "data" / "tiny_fp32.onnx"
STRIPES = np.tile(np.repeat(np.array([40, 215], np.uint8), 6), (48, 4))  # dark and bright, 6 pixels each


def random_face(seed):
    return np.random.default_rng(seed).integers(0, 256, (48, 48, 1), dtype=np.uint8)


@pytest.fixture(scope="module")
def portrait():
    if not PORTRAIT.is_file():
        pytest.skip("demo/astronaut.jpg is not here")
    return cv2.imread(str(PORTRAIT))


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    """A dataset in FER2013's format with twelve faces a split, labelled as the tiny model labels them."""
    pytest.importorskip("onnxruntime")
    random = np.random.default_rng(3)
    blotches = random.integers(0, 256, (12, 6, 6, 1), dtype=np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    labels = scores_of_file(TINY, blotches).argmax(axis=1)
    assert len(set(labels)) > 1
    lines = ["emotion,pixels,Usage"]
    for usage in ("Training", "PublicTest", "PrivateTest"):
        for label, face in zip(labels, blotches, strict=True):
            lines.append(f"{label},{' '.join(map(str, face.ravel()))},{usage}")
    path = tmp_path_factory.mktemp("fer2013") / "faces.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_an_unchanged_box_gives_the_face_pixel_for_pixel(seed):
    face = random_face(seed)
    assert np.array_equal(cut_face(face, **BOXES[UNCHANGED]), face[:, :, 0])


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([("left", -1), ("right", 1)]))
def test_a_box_shifted_aside_reads_the_pixels_five_columns_on_and_repeats_the_edge(seed, side):
    word, sign = side
    face = random_face(seed)[:, :, 0]
    shifted = cut_face(face, **BOXES[f"box 10 % {word}"])
    columns = np.clip(np.arange(48) + 5 * sign, 0, 47)
    assert np.array_equal(shifted, face[:, columns])


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([("up", -1), ("down", 1)]))
def test_a_box_shifted_up_or_down_reads_the_pixels_five_rows_on_and_repeats_the_edge(seed, side):
    word, sign = side
    face = random_face(seed)[:, :, 0]
    shifted = cut_face(face, **BOXES[f"box 10 % {word}"])
    rows = np.clip(np.arange(48) + 5 * sign, 0, 47)
    assert np.array_equal(shifted, face[rows])


@pytest.mark.parametrize("scale, side", [(0.9, 43), (1.1, 53), (1.2, 58), (1.3, 62)])
def test_a_scaled_box_is_the_square_of_so_many_pixels_around_the_middle(scale, side):
    face = random_face(5)[:, :, 0]
    before = square_of((0, 0, 48, 48), scale=scale)[0]
    places = np.clip(np.arange(before, before + side), 0, 47)
    assert abs(before + side / 2 - 24) <= 0.5
    square = face[np.ix_(places, places)]
    method = cv2.INTER_AREA if side > 48 else cv2.INTER_LINEAR
    assert np.array_equal(
        cut_face(face, **BOXES[f"box x{scale}"]), cv2.resize(square, (48, 48), None, 0, 0, method)
    )


def test_the_changed_boxes_are_those_of_the_limit():
    assert [box.get("scale", 1.0) for box in BOXES.values()] == [1.0, 0.9, 1.1, 1.2, 1.3, 1, 1, 1, 1]
    assert [(box.get("shift_x", 0), box.get("shift_y", 0)) for box in list(BOXES.values())[5:]] == [
        (-0.1, 0),
        (0.1, 0),
        (0, -0.1),
        (0, 0.1),
    ]


@pytest.mark.parametrize("kind", ["room", "portrait"])
def test_every_changed_box_lies_inside_the_frame_that_surrounds_the_face(kind, request):
    portrait = request.getfixturevalue("portrait") if kind == "portrait" else None
    for seed in range(6):
        frame, box = surround(STRIPES[..., None], portrait, seed=seed)
        assert (frame.shape, frame.dtype) == ((SCENE_PX, SCENE_PX, 3), np.uint8)
        assert box[2:] == (96, 96)
        for change in BOXES.values():
            left, top, side = square_of(box, **change)
            assert left >= 0 and top >= 0 and left + side <= SCENE_PX and top + side <= SCENE_PX


@pytest.mark.parametrize("kind", ["room", "portrait"])
def test_the_unchanged_box_in_a_scene_shows_the_face_and_the_shifted_one_shows_it_shifted(kind, request):
    portrait = request.getfixturevalue("portrait") if kind == "portrait" else None
    frame, box = surround(STRIPES[..., None], portrait, seed=1)
    middle = slice(12, 36)
    for change, moved in ((UNCHANGED, 0), ("box 10 % right", 5), ("box 10 % left", -5)):
        shown = crop_face(frame, box, **BOXES[change])[middle, middle].astype(float)
        expected = STRIPES[middle, 12 + moved : 36 + moved]
        assert np.corrcoef(shown.ravel(), expected.ravel())[0, 1] > 0.95


def test_half_the_resolution_is_the_mean_of_four_pixels_brought_back():
    board = np.indices((48, 48)).sum(axis=0) % 2 * 200
    assert np.all(halve(board.astype(np.uint8)) == 100)
    flat = np.full((48, 48), 77, np.uint8)
    assert np.array_equal(halve(flat), flat)
    detail = random_face(1)[:, :, 0]
    assert halve(detail).std() < 0.6 * detail.std()


def test_a_jpeg_of_quality_30_keeps_a_flat_face_and_coarsens_detail():
    flat = np.full((48, 48), 128, np.uint8)
    assert np.array_equal(compress(flat), flat)
    face = random_face(2)[:, :, 0]
    coarse = compress(face)
    assert (coarse.shape, coarse.dtype) == ((48, 48), np.uint8)
    finer = cv2.imdecode(cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, 90])[1], cv2.IMREAD_GRAYSCALE)
    assert np.abs(coarse.astype(int) - face).mean() > 2 * np.abs(finer.astype(int) - face).mean()


def test_brightness_multiplies_rounds_to_even_and_clips_at_white():
    levels = np.array([[0, 1, 100, 171, 255]], np.uint8)
    assert brighten(levels, 0.5).tolist() == [[0, 0, 50, 86, 128]]
    assert brighten(levels, 1.5).tolist() == [[0, 2, 150, 255, 255]]
    assert brighten(levels, 1.5).dtype == np.uint8


def test_gamma_is_a_power_of_the_gray_levels_and_keeps_black_and_white():
    levels = np.array([[0, 64, 128, 255]], np.uint8)
    assert curve(levels, 0.5).tolist() == [[0, 128, 181, 255]]
    assert curve(levels, 2.0).tolist() == [[0, 16, 64, 255]]
    assert curve(levels, 1.0).tolist() == levels.tolist()


def test_motion_blur_is_the_mean_of_three_pixels_along_one_side():
    dot = np.zeros((48, 48), np.uint8)
    dot[20, 10] = 240
    rows, columns = np.nonzero(smear(dot, down=False))
    assert (rows.tolist(), columns.tolist()) == ([20, 20, 20], [9, 10, 11])
    rows, columns = np.nonzero(smear(dot, down=True))
    assert (rows.tolist(), columns.tolist()) == ([19, 20, 21], [10, 10, 10])
    assert smear(dot, down=True)[20, 10] == 80
    edge = np.full((48, 48), 90, np.uint8)
    assert np.array_equal(smear(edge, down=False), edge)


def test_changed_faces_holds_every_way_and_change_row_by_row(portrait):
    faces = np.stack([random_face(seed) for seed in range(2)])
    changed = changed_faces(faces, portrait)
    assert {way: list(changes) for way, changes in changed.items()} == {
        "border": list(BOXES),
        "scene": list(BOXES),
        "pixels": list(PIXELS),
    }
    assert {some.shape for changes in changed.values() for some in changes.values()} == {(2, 48, 48, 1)}
    assert np.array_equal(changed["border"][UNCHANGED], faces)
    assert np.array_equal(changed["pixels"][UNCHANGED], faces)
    assert np.array_equal(changed["border"]["box x1.3"][1, :, :, 0], cut_face(faces[1], scale=1.3))
    assert np.array_equal(changed["pixels"]["brightness x0.5"][1], brighten(faces[1], 0.5))
    room, square = surround(faces[0], None, seed=0)
    head, square_in_head = surround(faces[1], portrait, seed=1)
    assert np.array_equal(changed["scene"]["box x1.2"][0, :, :, 0], crop_face(room, square, scale=1.2))
    assert np.array_equal(
        changed["scene"]["box x1.2"][1, :, :, 0], crop_face(head, square_in_head, scale=1.2)
    )


def test_the_same_faces_are_changed_the_same_way_again(portrait):
    faces = np.stack([random_face(seed) for seed in range(2)])
    first, again = changed_faces(faces, portrait), changed_faces(faces, portrait)
    assert all(np.array_equal(first[way][name], again[way][name]) for way in first for name in first[way])


def rows_of(drops):
    return [
        ChangeScore(way="scene", change=name, accuracy=0.6 - drop / 100, drop_points=drop)
        for name, drop in {UNCHANGED: 0.0, **drops}.items()
    ]


def test_the_limit_is_judged_by_the_worst_changed_box():
    verdict = judge_boxes(rows_of({"box x0.9": -1.0, "box x1.3": 2.0}), "scene")
    assert verdict == BoxVerdict(
        mean_drop_points=0.5, worst_drop_points=2.0, worst_change="box x1.3", limit_points=2.0, reached=True
    )
    assert judge_boxes(rows_of({"box x0.9": 0.0, "box x1.3": 2.1}), "scene").reached is False


def test_the_unchanged_box_takes_no_part_in_mean_and_worst():
    verdict = judge_boxes(rows_of({"box x0.9": -1.0, "box x1.3": -3.0}), "scene")
    assert verdict.mean_drop_points == -2.0
    assert verdict.worst_drop_points == -1.0


def test_the_page_judges_the_worst_box_by_two_points_and_an_image_by_four():
    pixels = [
        ChangeScore(way="pixels", change=name, accuracy=0.6, drop_points=drop)
        for name, drop in {UNCHANGED: 0.0, "half resolution": 4.0, "gamma 2": 4.01}.items()
    ]
    worst = judge_boxes(rows_of({"box x0.9": 1.0, "box x1.3": 2.1}), "scene")
    file = FileRobustness("a.tflite", "0" * 64, pixels, {"border": worst, "scene": worst})
    assert verdicts_table([file]).splitlines()[2:] == [
        "| worst box, edge repeated | 2 | 2.10 (x1.3), missed |",
        "| worst box, in a scene | 2 | 2.10 (x1.3), missed |",
        "| half resolution | 4 | 4.00, reached |",
        "| gamma 2 | 4 | 4.01, missed |",
    ]


def test_the_command_writes_figures_that_can_be_worked_out_again(csv, tmp_path, capsys, portrait):
    out = tmp_path / "robustness.json"
    assert benchmark(["robustness", str(TINY), "--data", str(csv), "--split", "test", "--out", str(out)]) == 0
    results = read_robustness(out)
    assert (results.split, results.faces, results.dataset) == ("test", 12, "faces.csv")
    (file,) = results.files
    assert file.file == "tiny_fp32.onnx"
    assert len(file.rows) == 2 * len(BOXES) + len(PIXELS)
    faces, labels = load_dataset(csv).split("test")
    whole = metrics.accuracy(scores_of_file(TINY, faces), labels)
    dark = metrics.accuracy(scores_of_file(TINY, brighten(faces, 0.5)), labels)
    row_of = {(row.way, row.change): row for row in file.rows}
    assert row_of["border", UNCHANGED].accuracy == row_of["pixels", UNCHANGED].accuracy == whole == 1
    assert dark < 1
    assert row_of["pixels", "brightness x0.5"].accuracy == dark
    assert row_of["pixels", "brightness x0.5"].drop_points == pytest.approx(100 * (whole - dark))
    assert file.boxes["border"].reached == (file.boxes["border"].worst_drop_points <= 2)
    markdown = out.with_suffix(".md").read_text()
    assert f"| edge repeated | unchanged | {100 * whole:.2f} % |" in markdown
    assert "-0.00" not in markdown
    assert f"| - | brightness x0.5 | {100 * dark:.2f} % ({100 * (dark - whole):+.2f}) |" in markdown
    assert f"| worst box, in a scene | 2 | {file.boxes['scene'].worst_drop_points:.2f} (" in markdown
    assert "`tiny_fp32.onnx`" in capsys.readouterr().out


def test_a_missing_file_is_named_and_nothing_is_written(csv, tmp_path, capsys, portrait):
    out = tmp_path / "robustness.json"
    assert (
        benchmark(["robustness", str(tmp_path / "gone.tflite"), "--data", str(csv), "--out", str(out)]) == 1
    )
    message = capsys.readouterr().err
    assert "gone.tflite: expected a .keras file or an artifact, found no file." in message
    assert not out.exists()


@pytest.mark.published
def test_the_committed_page_shows_the_committed_figures():
    root = Path(__file__).parents[3]
    results = read_robustness(root / "results" / "robustness.json")
    assert render_report(results) == (root / "reports" / "robustness.md").read_text(encoding="utf-8")
