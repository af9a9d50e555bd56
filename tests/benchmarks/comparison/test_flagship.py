"""The flagship report: its figures can be worked out again, and it names what is missing."""

import hashlib
import json
from dataclasses import asdict

import cv2
import pytest

from benchmarks.__main__ import main as benchmark
from benchmarks.accuracy.robustness import changes_table, read_robustness
from benchmarks.comparison.peers import Peers
from benchmarks.scoring import scores_of_file
from dataset.fer2013 import LABELS
from dataset.load import load_dataset
from reporting import metrics
from reporting.machine import describe_device
from reporting.plots import DOTS_PER_INCH
from tests.support.flagship import TINY, peer_row, prepare, record, write_dataset

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")
pytest.importorskip("ai_edge_litert")
pytest.importorskip("msgspec")
pytest.importorskip("jinja2")


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("fer2013"))


@pytest.fixture(autouse=True)
def votes_beside_the_dataset(monkeypatch):
    monkeypatch.delenv("FERPLUS", raising=False)


@pytest.fixture
def place(tmp_path, csv):
    return tmp_path, prepare(tmp_path, csv)


def write_peers(folder, dataset, *rows):
    peers = Peers(
        peers_version=1,
        device=describe_device(),
        calls=30,
        dataset="faces.csv",
        dataset_sha256=dataset.sha256,
        faces=28,
        peers=[],
        rows=list(rows),
    )
    (folder / "peers.json").write_text(json.dumps(asdict(peers)))


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
    own = "FER2013's own labels"
    assert f"| **`edge`** | {own} | measured here | {accuracy} | 1 | {size} | - |" in report
    tiny = f"{own} and FER+'s votes"
    assert f"| **`edge_tiny`** | {tiny} | measured here | {accuracy} | 1 | {size} | - |" in report
    assert f"27 faces; 1 without one of the seven left out) | {100 * happy.mean():.2f} % |" in report
    error = metrics.calibration_error(scores, labels)
    assert f"| at most 0.025 | {error:.3f} |" in report
    assert "| `edge` | latency to that of fer 25.10.3 | - | at most 1.80 | not measured |" in report
    assert "| points lost against Keras | not recorded | not recorded |" in report
    assert "No candidate is recorded" in report
    assert (
        "Not measured: `python -m benchmarks robustness --split test` with edge_int8.tflite edge_tiny"
        in report
    )
    assert "| `edge` | `python -m train --model edge` | a processor | 7 | 3 | 1.5 |" in report
    fear = labels == LABELS.index("fear")
    recall = f"{100 * (scores[fear].argmax(axis=1) == 2).mean():.1f} %"
    assert f"| fear | 4 | {recall} | {recall} |" in report
    assert "development" not in report
    assert f"**`edge`** | {own} | measured here | {accuracy}" in capsys.readouterr().out
    shown = {line.partition("](")[2][:-1] for line in report.splitlines() if line.startswith("![")}
    assert shown == {f"flagship/{path.name}" for path in (folder / "flagship").iterdir()}
    assert len(shown) == 3 + 2 * 2
    assert all(min(cv2.imread(str(folder / name)).shape[:2]) >= 5 * DOTS_PER_INCH for name in shown)


def test_the_report_joins_peers_robustness_quantization_candidates_and_notes(place, csv, capsys):
    folder, flags = place
    digest = hashlib.sha256(TINY.read_bytes()).hexdigest()
    dataset = load_dataset(csv)
    write_peers(folder, dataset, peer_row("fer 25.10.3"), peer_row("ferkit edge", digest, ratio=1.25))
    (folder / "models" / "edge.measured.json").write_text(
        json.dumps({"keras": {"test": 0.72}, "files": {digest: {"test": 0.715}}})
    )
    (folder / "candidates.json").write_text(
        '[{"name": "first", "change": "none", "validation_accuracy": 0.68}]'
    )
    (folder / "models" / "flagship_notes.md").write_text("### By hand\n\nA | stays as it is.\n")
    arguments = [str(folder / "released" / "edge_int8.tflite"), "--data", str(csv), "--split", "test"]
    assert benchmark(["robustness", *arguments, "--out", str(folder / "robustness.json")]) == 0
    assert benchmark(["flagship", "edge", *flags]) == 0
    report = (folder / "flagship.md").read_text()
    assert "| not stated | measured here | 65.81 % | 1 | 93 | 1.00 |" in report
    assert "| not stated | measured elsewhere | 65.80 % | 1 | 93 | 1.00 |" in report
    assert "| `edge` | latency to that of fer 25.10.3 | reached | at most 1.80 | 1.25 |" in report
    assert "| `edge` | points lost by quantization | missed | at most 0.30 | 0.50 |" in report
    assert "| class | faces | `edge` | fer 25.10.3 |" in report
    assert "| **68.00 %** |" in report
    assert "### By hand\n\nA | stays as it is.\n" in report
    (stored,) = read_robustness(folder / "robustness.json").files
    assert changes_table([stored]) in report
    worst = f"{stored.boxes['scene'].worst_drop_points:.2f}"
    assert f"| at most 2.00 | {worst} |" in report
    assert "ferkit edge" not in report


def test_another_split_than_test_is_said_to_be_no_comparison_and_leaves_the_peers_recall_out(place, csv):
    folder, flags = place
    write_peers(folder, load_dataset(csv), peer_row("fer 25.10.3"))
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
            "edge.json: expected the training record of a released model, got something else (Object missing "
            "required field `trained_on`",
        ),
        (
            lambda folder: (folder / "candidates.json").write_text("[{]"),
            "candidates.json: expected a list of candidates, got something else",
        ),
        (
            lambda folder: (folder / "peers.json").write_text('{"peers_version": 2}'),
            "peers.json: expected what `python -m benchmarks peers` wrote, got something else (Invalid enum "
            "value 2 - at `$.peers_version`). Run `python -m benchmarks peers` again.",
        ),
        (
            lambda folder: (folder / "robustness.json").write_text(
                '{"robustness_version": 1, "files": [{"file": "a"}]}'
            ),
            "(Object missing required field `sha256` - at `$.files[0]`). Run `python -m benchmarks robust",
        ),
        (
            lambda folder: (folder / "flagship.md").mkdir(),
            "flagship.md: expected the name of a report, such as flagship.md, got a folder.",
        ),
        (
            lambda folder: (folder / "flagship").write_text(""),
            "flagship: expected a folder for the report's plots, got a file.",
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
