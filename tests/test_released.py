"""Which released files are compared, what they were trained on, and where results go."""

import json
from pathlib import Path

import pytest

from benchmarks import peers, robustness
from benchmarks.released import labels_in_words
from benchmarks.writing import place_of_results


def test_labels_are_said_once_for_the_models_that_share_them(tmp_path):
    for model, labels in {
        "edge": "both",
        "edge_tiny": "both",
        "cnn": "its own",
        "cnn_lstm": "its own",
    }.items():
        (tmp_path / f"{model}.json").write_text(json.dumps({"trained_on": labels}))
    files = ["edge_int8.tflite", "edge_tiny_int8.tflite", "cnn_lstm_dynamic.tflite", "fer.tflite"]
    assert labels_in_words(files, tmp_path) == (
        "Trained: `edge` and `edge_tiny` on both; `cnn_lstm` on its own."
    )
    assert labels_in_words(["cnn_int8_io.tflite"], tmp_path) == "Trained: `cnn` on its own."
    assert labels_in_words(["fer.tflite", "edges.tflite"], tmp_path) == ""
    assert labels_in_words(["edge_int8.tflite"], tmp_path / "none") == ""


def test_only_a_whole_measurement_replaces_what_is_committed():
    assert place_of_results("reports/peers.md", whole=True) == Path("reports/peers.md")
    assert place_of_results("reports/peers.md", whole=False) == Path("benchmarks/out/peers.md")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--out", "robustness.md"], "--out: expected a name for the figures, such as robustness.json, got"),
        (["--threads", "0"], "--threads: expected 1 to 256, got 0."),
    ],
)
def test_what_would_lose_the_figures_or_means_nothing_is_refused(arguments, message, capsys):
    with pytest.raises(SystemExit) as caught:
        robustness.main(arguments)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_said_before_the_work(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    out = tmp_path / "file" / "results.json"
    assert robustness.main(["--out", str(out), "--data", str(tmp_path / "none.csv")]) == 1
    assert capsys.readouterr().err.startswith(f"{out.parent}: expected a folder that can be made and written")
    arguments = ["--out", str(out.with_suffix(".md")), "--json", str(out), "--no-accuracy", "--offline"]
    assert peers.main(arguments) == 1
    assert capsys.readouterr().err.startswith(f"{out.parent}: expected a folder that can be made and written")
