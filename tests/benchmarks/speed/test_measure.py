import json
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.__main__ import main as benchmark
from benchmarks.artifacts import RELEASED, ArtifactsError, ReleasedError, find_artifacts, find_released
from benchmarks.speed.measure import Effort, measure, portrait_frames
from benchmarks.speed.memory import peak_memory_bytes
from benchmarks.speed.plot import draw_results, marker_clusters, overlap, place, points_of
from benchmarks.speed.results import ArtifactRow, FrameSetup, SpeedResults, read_results
from benchmarks.speed.table import artifacts_table, artifacts_tables, models_table
from dataset.load import load_dataset
from reporting import metrics
from reporting.files import write_json
from reporting.plots import DOTS_PER_INCH
from runtime.card import read_card
from runtime.engines import is_installed
from runtime.model import load_model
from tests.support.three_splits import write_three_splits

ROOT = Path(__file__).resolve().parents[3]
TINY = ROOT / "tests" / "data"
LEAST = Effort(turns=1, calls_per_turn=2, frames=2, frame_turns=1)

needs_onnxruntime = pytest.mark.skipif(
    not is_installed("onnxruntime"), reason="ONNX Runtime is not installed"
)
needs_litert = pytest.mark.skipif(not is_installed("litert"), reason="LiteRT is not installed")


def result_row(file, engine, **figures):
    model, _, precision = file.partition(".")[0].rpartition("_")
    row = ArtifactRow(
        file=file,
        model=model,
        precision=precision,
        engine=engine,
        sha256="0" * 64,
        bytes=1_170_000,
        load_ms=3.21,
        median_ms=0.1234,
        p95_ms=0.2,
        accuracy=0.6543,
        accuracy_without_duplicates=0.65,
        macro_recall=0.6,
        label_agreement=0.991,
        peak_memory_bytes=76_000_000,
        frames_per_second={"yunet": 181.4, "haar": None},
    )
    return replace(row, **figures)


DEVICE = {
    "name": "board",
    "processor": "Board 5",
    "cores": 4,
    "memory_bytes": 8_000_000_000,
    "system": "Linux, aarch64",
    "python": "3.11.2",
    "numpy": "2.0.0",
    "opencv": "4.14.0",
    "engines": {"litert": "2.3.0", "onnxruntime": "1.31.1"},
    "threads": 1,
    "load_average": None,
    "measured": "2026-11-22",
}


def results_of(rows, **changes):
    results = SpeedResults(
        results_version=1,
        device=DEVICE,
        calls=500,
        frame=FrameSetup(width=640, height=480, faces=1, detectors={"yunet": 1.0}),
        dataset="FER2013",
        dataset_sha256="1" * 64,
        rows=rows,
        refused=[],
    )
    return replace(results, **changes)


def test_artifacts_are_found_in_folders_and_named_once():
    found = [path.name for path in find_artifacts([TINY, TINY / "tiny_fp32.onnx"])]
    assert found == sorted(set(found))
    assert {"tiny_fp32.onnx", "tiny_fp32.tflite", "tiny_int8_io.tflite"} <= set(found)


@pytest.mark.parametrize("name", ["absent", "empty", "notes.txt"])
def test_a_place_without_artifacts_is_refused_by_name(tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(ArtifactsError, match=rf"{name}: expected"):
        find_artifacts([tmp_path / name])


@needs_onnxruntime
@needs_litert
def test_every_artifact_is_measured_in_every_installed_engine_that_runs_it():
    results = measure(find_artifacts([TINY]), device="here", effort=LEAST, offline=True)
    pairs = {(row.file, row.engine) for row in results.rows}
    assert pairs >= {
        ("tiny_fp32.tflite", "litert"),
        ("tiny_int8_io.tflite", "litert"),
        ("tiny_fp32.onnx", "onnxruntime"),
        ("tiny_fp32.onnx", "opencv"),
    }
    assert results.device["name"] == "here"
    assert results.calls == 2
    for row in results.rows:
        assert row.bytes == (TINY / row.file).stat().st_size
        assert row.load_ms > 0
        assert 0 < row.median_ms <= row.p95_ms
        assert (row.faces_per_second_batch_32 is not None) == (row.engine == "onnxruntime")
        assert row.accuracy is None
        assert row.label_agreement_source == "card"
        assert row.peak_memory_bytes is None or row.peak_memory_bytes > 10_000_000
        assert row.frames_per_second["haar"] > 0
    assert 0 <= results.frame.detectors["haar"] <= 1


@needs_onnxruntime
@needs_litert
def test_accuracy_is_that_of_the_timed_callable_and_agreement_that_with_the_float32_artifact(tmp_path):
    dataset = load_dataset(write_three_splits(tmp_path / "faces.csv"))
    paths = [TINY / "tiny_fp32.onnx", TINY / "tiny_int8_io.tflite"]
    results = measure(paths, dataset=dataset, effort=LEAST, offline=True)
    faces, labels = dataset.split("test")
    exact = load_model(paths[0], engine="onnxruntime")(faces)
    quantized = load_model(paths[1], engine="litert")(faces)
    rows = {(row.file, row.engine): row for row in results.rows}
    row = rows["tiny_int8_io.tflite", "litert"]
    assert row.accuracy == metrics.accuracy(quantized, labels)
    assert row.macro_recall == metrics.macro_recall(quantized, labels)
    assert row.accuracy_without_duplicates == metrics.accuracy(quantized[1:], labels[1:])
    assert row.label_agreement == metrics.label_agreement(quantized, exact)
    assert row.label_agreement_source == "fp32 artifact, test split"
    assert rows["tiny_fp32.onnx", "onnxruntime"].label_agreement_source == "card"
    assert results.dataset == "faces.csv"


def test_an_engine_that_cannot_run_a_file_is_listed_with_its_reason(tmp_path):
    for ending in ("", ".json"):
        content = (TINY / f"tiny_fp32.onnx{ending}").read_bytes()
        (tmp_path / f"tiny_fp32.onnx{ending}").write_bytes(content)
    card = json.loads((tmp_path / "tiny_fp32.onnx.json").read_text())
    (tmp_path / "tiny_fp32.onnx.json").write_text(json.dumps({**card, "precision": "fp16"}))
    results = measure(find_artifacts([tmp_path]), effort=LEAST, offline=True)
    assert [(row.file, row.engine) for row in results.refused] == [("tiny_fp32.onnx", "opencv")]
    assert "float32" in results.refused[0].reason
    assert "tiny_fp32.onnx in OpenCV" in artifacts_table(results)


@needs_onnxruntime
def test_the_peak_memory_is_that_of_the_child_and_not_of_its_big_parent():
    ballast = np.ones(40_000_000)  # 320 MB
    peak = peak_memory_bytes(TINY / "tiny_fp32.onnx", "onnxruntime")
    if peak is None:
        pytest.skip("this system does not count peak memory")
    assert 20_000_000 < peak < ballast.nbytes


def test_the_portrait_frames_are_640x480_and_the_same_each_time():
    if not (ROOT / "demo" / "astronaut.jpg").is_file():
        pytest.skip("demo/astronaut.jpg is not there")
    first, second = portrait_frames(2), portrait_frames(2)
    assert [frame.shape for frame in first] == [(480, 640, 3)] * 2
    assert all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))
    assert not np.array_equal(first[0], first[1])


def test_the_table_holds_the_figures_in_the_readers_units_and_a_dash_where_there_is_none():
    table = artifacts_table(results_of([result_row("cnn_int8.tflite", "litert")]))
    assert table.splitlines()[2] == (
        "| `cnn_int8.tflite` | LiteRT | 1,170 | 3.2 | 0.123 | 0.200 | - "
        "| 65.43 % | 60.00 % | 99.1 % | 76 | 181 | - |"
    )
    assert "Measured 2026-11-22 on Board 5 (4 cores, 8 GB), Linux, aarch64" in table
    assert "YuNet found the face in 100 % of the frames" in table


def test_the_table_has_a_column_of_frames_for_each_detector_that_was_measured():
    three = result_row(
        "a_int8.tflite", "litert", frames_per_second={"ferkit": 700.2, "yunet": 500, "haar": 9}
    )
    assert artifacts_table(results_of([three])).splitlines()[2].endswith("| 76 | 700 | 500 | 9 |")
    alone = result_row("a_int8.tflite", "litert", frames_per_second={"ferkit": 700.2})
    head, _, row, *_ = artifacts_table(results_of([alone])).splitlines()
    assert head.endswith("| peak MB | frames/s ferkit |") and row.endswith("| 76 | 700 |")


def test_the_table_says_so_where_other_programs_were_at_work():
    rows = [result_row("cnn_int8.tflite", "litert")]
    half, more = (results_of(rows, device={**DEVICE, "load_average": load}) for load in (2.0, 2.1))
    assert "Measured 2026-11-22 on Board 5" in artifacts_table(half)
    assert "Measured 2026-11-22, with load 2.1 of other programs, on Board 5" in artifacts_table(more)


def test_the_table_does_not_depend_on_the_order_of_the_rows():
    rows = [
        result_row(file, engine)
        for file, engine in (
            ("cnn_fp32.onnx", "opencv"),
            ("cnn_int8.tflite", "litert"),
            ("cnn_fp32.tflite", "litert"),
            ("cnn_lstm_fp32.onnx", "onnxruntime"),
            ("cnn_fp32.onnx", "onnxruntime"),
        )
    ]
    table = artifacts_table(results_of(rows))
    assert table == artifacts_table(results_of(rows[::-1]))
    cells = [line.split("|")[1:3] for line in table.splitlines()[2:7]]
    assert [(file.strip(" `"), engine.strip()) for file, engine in cells] == [
        ("cnn_fp32.tflite", "LiteRT"),
        ("cnn_int8.tflite", "LiteRT"),
        ("cnn_fp32.onnx", "ONNX Runtime"),
        ("cnn_fp32.onnx", "OpenCV"),
        ("cnn_lstm_fp32.onnx", "ONNX Runtime"),
    ]


def test_results_without_fer2013_say_that_accuracy_was_not_measured():
    row = result_row("cnn_int8.tflite", "litert", accuracy=None, macro_recall=None)
    table = artifacts_table(results_of([row], dataset=None, dataset_sha256=None))
    assert "; accuracy not measured;" in table
    assert "| - | - | 99.1 % |" in table


def test_the_page_shows_the_fastest_file_of_each_model_on_each_engine_and_then_all():
    rows = [
        result_row("cnn_fp32.tflite", "litert", median_ms=0.7),
        result_row("cnn_int8.tflite", "litert", median_ms=0.2, accuracy=0.64),
        result_row("cnn_fp32.onnx", "onnxruntime", median_ms=0.1),
        result_row("cnn_lstm_fp32.tflite", "litert", median_ms=0.3),
    ]
    page = artifacts_tables(results_of(rows))
    assert [line.split(" | ")[:4] for line in page.splitlines()[2:5]] == [
        ["| `cnn_fp32.onnx`", "ONNX Runtime", "1,170", "0.100"],
        ["| `cnn_int8.tflite`", "LiteRT", "1,170", "0.200"],
        ["| `cnn_lstm_fp32.tflite`", "LiteRT", "1,170", "0.300"],
    ]
    assert "each engine; Board 5, 1 thread, 2026-11-22. All 4 pairs of file and engine:" in page
    assert page.endswith(artifacts_table(results_of(rows)))
    assert artifacts_tables(results_of(rows[1:])) == artifacts_table(
        results_of(rows[1:])
    )  # no more than these


def released_rows():
    cards = {name: read_card(path) for name, path in find_released()}
    return [
        result_row(card["file"], "litert", model=name, sha256=card["sha256"], bytes=card["bytes"])
        for name, card in cards.items()
    ]


def test_the_readme_has_a_line_for_each_released_model_the_most_accurate_on_validation_first():
    rows = [result_row("cnn_fp32.tflite", "litert", median_ms=9.0), *released_rows()]
    table = models_table(results_of(rows[::-1]), RELEASED).splitlines()
    assert [line.split(" | ")[0] for line in table[2:7]] == [
        f"| `{name}`" for name in ("edge_large", "edge", "edge_tiny", "cnn", "cnn_lstm")
    ]
    assert table[3].endswith("| 65.4 % | 672,100 | 0.12 | 181 |")
    assert table[8].endswith("Accuracy on the test split of FER2013;")
    assert table[9].startswith("LiteRT on Board 5, 1 thread, 2026-11-22")


def test_the_readme_says_of_which_precision_each_file_is():
    rows = [row if row.model != "cnn" else replace(row, precision="dynamic") for row in released_rows()]
    assert "TFLite files: int8; dynamic-range for `cnn`" in models_table(results_of(rows), RELEASED)


def test_results_without_a_released_model_make_no_table_for_the_readme():
    with pytest.raises(ReleasedError) as caught:
        models_table(results_of(released_rows()[1:]), RELEASED)
    assert caught.value.missing == ("edge_large",)


@pytest.mark.published
def test_the_committed_readme_and_page_show_what_was_measured():
    results = read_results(ROOT / "results" / "speed" / "intel-xeon.json")
    assert models_table(results, RELEASED) in (ROOT / "README.md").read_text()
    assert artifacts_tables(results) in (ROOT / "docs" / "benchmarks.md").read_text()


def test_the_plot_is_an_image_of_the_rows_that_have_an_accuracy():
    pytest.importorskip("matplotlib")
    rows = [
        result_row("cnn_int8.tflite", "litert"),
        result_row("cnn_fp32.onnx", "onnxruntime", median_ms=0.3, accuracy=0.66, bytes=4_600_000),
        result_row("cnn_lstm_fp32.onnx", "opencv", median_ms=0.2, accuracy=0.48),
        result_row("cnn_lstm_fp32.onnx", "onnxruntime", accuracy=None),
    ]
    image = draw_results(results_of(rows))
    decoded = cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR)
    assert decoded.shape[1] == 9 * DOTS_PER_INCH
    assert decoded.std() > 10
    with pytest.raises(ValueError, match="No point has an accuracy"):
        draw_results(results_of(rows[3:]))


def test_markers_that_lie_upon_each_other_share_a_label():
    rows = [
        result_row("cnn_fp32.onnx", "onnxruntime", median_ms=0.70),
        result_row("cnn_fp16.onnx", "onnxruntime", median_ms=0.71),
        result_row("cnn_fp32.onnx", "opencv", median_ms=0.70),
        result_row("cnn_int8.onnx", "onnxruntime", median_ms=0.30),
        result_row("edge_fp32.onnx", "onnxruntime", median_ms=0.70),
    ]
    clusters = [
        [(point.model, point.precision, point.engine) for point in group]
        for group in marker_clusters(points_of(results_of(rows)))
    ]
    assert clusters == [
        [("cnn", "int8", "onnxruntime")],
        [("cnn", "fp32", "onnxruntime"), ("cnn", "fp16", "onnxruntime")],
        [("cnn", "fp32", "opencv")],
        [("edge", "fp32", "onnxruntime")],
    ]


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(150, 850), st.integers(150, 450)), min_size=1, max_size=8))
def test_labels_are_placed_where_they_cover_no_marker_and_no_other_label(points):
    markers = [(x - 8, y - 8, x + 8, y + 8) for x, y in points]
    taken = list(markers)
    for x, y in points:
        left, bottom, _ = place(x, y, 8, 40, 12, taken, limits=(0, 0, 1000, 600))
        label = (left, bottom, left + 40, bottom + 12)
        assert sum(overlap(label, other) for other in taken) == 0
        assert left >= 0 and bottom >= 0 and left + 40 <= 1000 and bottom + 12 <= 600
        taken.append(label)


def test_the_command_draws_stored_results_again_without_measuring(tmp_path, capsys):
    pytest.importorskip("matplotlib")
    stored, readme, page = tmp_path / "board.json", tmp_path / "README.md", tmp_path / "page.md"
    results = results_of(released_rows())
    write_json(stored, asdict(results))
    page.write_text("<!-- benchmark:start -->\n<!-- benchmark:end -->\n")
    arguments = ["measure", str(stored), "--table", "--readme", str(readme), "--page", str(page)]
    assert benchmark(arguments) == 1
    assert f"{readme}: expected the lines <!-- models:start -->" in capsys.readouterr().err
    readme.write_text("<!-- models:start -->\n<!-- models:end -->\n")
    assert benchmark(arguments) == 0
    assert models_table(results, RELEASED) in readme.read_text()
    assert artifacts_tables(results) in page.read_text()
    assert artifacts_table(results) in capsys.readouterr().out
    assert cv2.imread(str(tmp_path / "board.png")) is not None
    assert read_results(stored) == results


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"results_version": 2}'])
def test_a_json_that_holds_no_results_is_refused_by_name(tmp_path, capsys, content):
    stored = tmp_path / "board.json"
    stored.write_text(content)
    assert benchmark(["measure", str(stored)]) == 1
    assert "board.json: expected results" in capsys.readouterr().err


def test_a_dataset_that_was_named_and_is_missing_is_an_error_and_not_left_out(tmp_path, capsys):
    assert (
        benchmark(
            [
                "measure",
                str(TINY),
                "--data",
                str(tmp_path / "absent.csv"),
                "--out",
                str(tmp_path / "out.json"),
            ]
        )
        == 1
    )
    assert "absent.csv" in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()


@needs_onnxruntime
def test_the_benchmark_runs_where_only_numpy_opencv_and_an_engine_are(tmp_path):
    arguments = ["measure", str(TINY / "tiny_fp32.onnx"), "--quick", "--offline", "--no-accuracy"]
    arguments += ["--device", "bare", "--out", str(tmp_path / "bare.json")]
    heavy = (
        "tensorflow",
        "keras",
        "tf2onnx",
        "onnx",
        "sklearn",
        "scipy",
        "matplotlib",
        "tqdm",
        "jinja2",
        "msgspec",
    )
    program = f"""
import sys
for name in {heavy}:
    sys.modules[name] = None
from benchmarks.__main__ import main
sys.exit(main({arguments}))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = read_results(tmp_path / "bare.json")
    assert {row.engine for row in results.rows} == {"onnxruntime", "opencv"}
    assert "No plot" in done.stderr
    assert "| `tiny_fp32.onnx` | ONNX Runtime |" in done.stdout
