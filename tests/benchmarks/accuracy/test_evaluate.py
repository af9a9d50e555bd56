import hashlib
import json
import math
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.__main__ import main as benchmark
from benchmarks.accuracy import evaluate
from benchmarks.accuracy.evaluation_report import Evaluation
from benchmarks.accuracy.figures import score
from benchmarks.errors import ResultsError
from benchmarks.scoring import dataset_name, scores_of_file
from dataset.fer2013 import LABELS, OFFICIAL_SHA256
from dataset.load import load_dataset
from reporting import metrics
from tests.support.privileges import unprivileged
from tests.support.three_splits import write_three_splits

TINY = Path(__file__).parents[2] / "data"

sklearn_metrics = pytest.importorskip("sklearn.metrics")
pytest.importorskip("matplotlib")


def random_scores(seed, rows, classes):
    random = np.random.default_rng(seed)
    scores = random.dirichlet(np.full(classes, 0.6), rows)
    return scores, random.integers(0, classes, rows)


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    return write_three_splits(tmp_path_factory.mktemp("fer2013") / "faces.csv")


def test_score_gives_the_figures_worked_out_by_hand():
    scores = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.5, 0.3, 0.2]])
    labels = np.array([0, 1, 1, 2])
    figures = score(scores, labels, ["a", "b", "c"], np.array([True, False, False, False]))
    assert figures.confusion == [[1, 0, 0], [1, 1, 0], [1, 0, 0]]
    assert figures.accuracy == pytest.approx(2 / 4)
    assert (figures.faces, figures.faces_without_duplicates) == (4, 3)
    assert figures.accuracy_without_duplicates == pytest.approx(1 / 3)
    assert asdict(figures.classes["a"]) == pytest.approx(
        {"faces": 1, "precision": 1 / 3, "recall": 1.0, "f1": 0.5, "roc_auc": 1.0}
    )
    assert figures.classes["b"].precision == 1.0
    assert figures.classes["b"].recall == 0.5
    assert figures.classes["c"].precision == 0.0
    assert figures.macro_recall == pytest.approx((1 + 0.5 + 0) / 3)
    assert figures.negative_log_likelihood == pytest.approx(-np.log([0.7, 0.3, 0.8, 0.2]).mean())


def test_a_class_without_rows_stays_out_of_the_macro_figures():
    scores, labels = random_scores(1, 50, 3)
    labels = labels % 2
    figures = score(scores, labels, ["a", "b", "c"], None)
    assert math.isnan(figures.classes["c"].roc_auc)
    assert figures.macro_roc_auc == pytest.approx(
        (figures.classes["a"].roc_auc + figures.classes["b"].roc_auc) / 2
    )
    assert figures.macro_recall == pytest.approx(metrics.macro_recall(scores, labels))
    assert figures.faces_without_duplicates is None
    assert math.isnan(figures.accuracy_without_duplicates)


def test_the_evaluation_of_an_artifact_writes_json_markdown_and_two_images(csv, tmp_path, capsys):
    path = TINY / "tiny_fp32.onnx"
    pytest.importorskip("onnxruntime")
    assert benchmark(["evaluate", str(path), "--data", str(csv), "--out", str(tmp_path)]) == 0
    names = sorted(file.name for file in tmp_path.iterdir())
    name = "tiny_fp32.onnx_faces.csv"
    assert names == [f"{name}{ending}" for ending in (".json", ".md", "_confusion.png", "_roc.png")]
    report = json.loads((tmp_path / f"{name}.json").read_text())
    faces, labels = load_dataset(csv).split("test")
    scores = scores_of_file(path, faces)
    assert report["accuracy"] == metrics.accuracy(scores, labels)
    assert report["accuracy_without_duplicates"] == metrics.accuracy(scores[1:], labels[1:])
    assert (report["faces"], report["faces_without_duplicates"], report["split"]) == (21, 20, "test")
    assert report["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert np.sum(report["confusion"]) == 21
    for ending in ("_confusion.png", "_roc.png"):
        assert min(cv2.imread(str(tmp_path / f"{name}{ending}")).shape[:2]) > 600
    markdown = (tmp_path / f"{name}.md").read_text()
    assert f"| accuracy | {100 * report['accuracy']:.2f} % |" in markdown
    assert f"({name}_roc.png)" in markdown
    assert f"{100 * report['macro_f1']:.2f} %" in capsys.readouterr().out


def test_the_training_split_is_scored_without_a_figure_for_unrepeated_faces(csv, tmp_path):
    pytest.importorskip("onnxruntime")
    evaluation = evaluate.evaluate(TINY / "tiny_fp32.onnx", load_dataset(csv), "train", tmp_path)
    assert evaluation.figures.faces_without_duplicates is None
    stored = json.loads((tmp_path / "tiny_fp32.onnx_faces.csv_train.json").read_text())
    assert stored["accuracy_without_duplicates"] is None


def evaluation_of(file, *, dataset="faces", dataset_sha256="cc", split="test"):
    """An evaluation of two faces."""
    figures = score(np.array([[0.7, 0.3], [0.4, 0.6]]), np.array([0, 1]), ["a", "b"])
    return Evaluation(file, "bb", dataset, dataset_sha256, split, "2026-11-22", figures)


@pytest.mark.parametrize(
    ("sha256", "dataset", "split", "name"),
    [
        (OFFICIAL_SHA256, "FER2013", "test", "cnn.keras"),
        (OFFICIAL_SHA256, "FER2013", "validation", "cnn.keras_validation"),
        ("ab" * 32, "my_faces", "test", "cnn.keras_my_faces"),
        ("ab" * 32, "FER2013", "train", "cnn.keras_FER2013_train"),  # a folder that is only called so
    ],
)
def test_only_the_report_on_fer2013s_test_split_is_named_by_the_file_alone(sha256, dataset, split, name):
    assert evaluation_of("cnn.keras", dataset=dataset, dataset_sha256=sha256, split=split).name == name


def test_a_dataset_is_named_by_its_folder_even_where_it_is_given_as_a_dot(tmp_path, monkeypatch):
    write_faces(tmp_path / "my_faces" / "test", ("happy",))
    monkeypatch.chdir(tmp_path / "my_faces")
    assert dataset_name(load_dataset(".", splits=("test",))) == "my_faces"


def write_faces(folder, classes, seed=0):
    """Two images of each class."""
    random = np.random.default_rng(seed)
    for name in classes:
        (folder / name).mkdir(parents=True)
        for number in range(2):
            cv2.imwrite(str(folder / name / f"{number}.png"), random.integers(0, 256, (48, 48), np.uint8))


def test_a_folder_of_ones_own_with_a_test_split_of_some_classes_is_scored(tmp_path, capsys):
    pytest.importorskip("onnxruntime")
    write_faces(tmp_path / "my_faces" / "test", ("happy", "sad", "surprise"))
    arguments = [str(TINY / "tiny_fp32.onnx"), "--data", str(tmp_path / "my_faces")]
    assert benchmark(["evaluate", *arguments, "--out", str(tmp_path / "out")]) == 0
    report = json.loads((tmp_path / "out" / "tiny_fp32.onnx_my_faces.json").read_text())
    rows = {label: row["faces"] for label, row in report["classes"].items()}
    assert rows == dict.fromkeys(rows, 0) | {"happy": 2, "sad": 2, "surprise": 2}
    assert report["faces_without_duplicates"] is None  # there is no training split that could repeat them
    assert report["classes"]["fear"]["roc_auc"] is None
    assert cv2.imread(str(tmp_path / "out" / "tiny_fp32.onnx_my_faces_confusion.png")) is not None
    assert benchmark(["evaluate", *arguments, "--split", "validation", "--out", str(tmp_path / "out")]) == 1
    assert "expected rows of validation (PublicTest), got none of validation." in capsys.readouterr().err


def test_the_validation_split_may_be_held_out_as_the_training_did(tmp_path):
    pytest.importorskip("onnxruntime")
    for split in ("train", "test"):
        write_faces(tmp_path / "my_faces" / split, LABELS)
    arguments = [str(TINY / "tiny_fp32.onnx"), "--data", str(tmp_path / "my_faces"), "--out", str(tmp_path)]
    assert benchmark(["evaluate", *arguments, "--split", "validation", "--validation-share", "0.5"]) == 0
    report = json.loads((tmp_path / "tiny_fp32.onnx_my_faces_validation.json").read_text())
    assert report["faces"] == 7
    assert report["dataset_sha256"] == load_dataset(tmp_path / "my_faces", validation_share=0.5).sha256


def test_a_keras_file_and_its_artifact_get_the_same_figures_and_the_record_keeps_the_rest(csv, tmp_path):
    pytest.importorskip("keras")
    pytest.importorskip("onnxruntime")
    from tests.data.make_tiny_models import build_tiny

    path = tmp_path / "tiny.keras"
    build_tiny().save(path)
    record = {
        "history": {"loss": [2.5]},
        "labels": list(LABELS),
        "scores": {"validation": {"accuracy": 0.5}},
        "weights_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "arguments": {"dataset_sha256": load_dataset(csv).sha256},
    }
    path.with_suffix(".json").write_text(json.dumps(record))
    dataset = load_dataset(csv)
    of_keras = evaluate.evaluate(path, dataset, out=tmp_path / "out")
    of_artifact = evaluate.evaluate(TINY / "tiny_fp32.onnx", dataset, out=tmp_path / "out")
    assert of_keras.figures.confusion == of_artifact.figures.confusion
    assert of_keras.figures.negative_log_likelihood == pytest.approx(
        of_artifact.figures.negative_log_likelihood, abs=1e-5
    )
    noted = json.loads(path.with_suffix(".json").read_text())
    assert noted["history"] == record["history"]
    assert noted["scores"]["validation"] == {"accuracy": 0.5}
    assert noted["scores"]["test"]["macro_f1"] == of_keras.figures.macro_f1


@pytest.mark.parametrize("share", [None, 0.1])
def test_scores_on_another_dataset_than_it_was_trained_on_are_not_noted_in_the_record(
    tmp_path, capsys, share
):
    path = tmp_path / "tiny.json"
    arguments = {"dataset_sha256": OFFICIAL_SHA256, "validation_share": share}
    text = json.dumps({"weights_sha256": "bb", "scores": {"test": {}}, "arguments": arguments})
    path.write_text(text)
    evaluation = evaluation_of("tiny.keras", dataset="my_faces", dataset_sha256="12" * 32)
    assert not evaluate.note_in_record(path, evaluation)
    assert path.read_text() == text
    said = capsys.readouterr().err
    assert said == (
        f"{path}: scores are not noted there, it is the record of a training on another dataset "
        "(sha256 9a507eec5c868568...) than my_faces (sha256 1212121212121212...)."
        + ("" if share is None else " It was trained with --validation-share 0.1.")
        + "\n"
    )


def test_a_record_of_other_weights_is_refused_and_left_as_it_is(tmp_path):
    record = tmp_path / "tiny.json"
    content = '{"weights_sha256": "aa", "scores": {}, "arguments": {"dataset_sha256": "cc"}}'
    record.write_text(content)
    with pytest.raises(ResultsError, match=r"tiny\.json.*tiny\.keras.*other weights"):
        evaluate.note_in_record(record, evaluation_of("tiny.keras"))
    assert record.read_text() == content


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"weights_sha256": "aa", "scores": {}}'])
def test_a_file_that_is_no_record_is_refused_by_name(tmp_path, content):
    record = tmp_path / "tiny.json"
    record.write_text(content)
    with pytest.raises(ResultsError, match=r"tiny\.json: expected a training record"):
        evaluate.note_in_record(record, evaluation_of("tiny.keras"))


def test_without_the_dataset_the_evaluation_says_so_and_exits_1(tmp_path, capsys):
    assert benchmark(["evaluate", str(TINY / "tiny_fp32.onnx"), "--data", str(tmp_path / "absent.csv")]) == 1
    message = capsys.readouterr().err
    assert "absent.csv" in message
    assert "Traceback" not in message


def test_a_missing_model_file_is_named_before_the_dataset_is_read(tmp_path, capsys):
    arguments = [str(tmp_path / "gone.keras"), "--data", str(tmp_path / "absent.csv")]
    assert benchmark(["evaluate", *arguments, "--out", str(tmp_path / "out")]) == 1
    assert "gone.keras: expected a .keras file or an artifact, found no file." in capsys.readouterr().err


def test_a_folder_that_can_not_be_written_is_named_before_the_dataset_is_read(tmp_path, capsys):
    (tmp_path / "shut").mkdir()
    arguments = [str(TINY / "tiny_fp32.onnx"), "--data", str(tmp_path / "absent.csv"), "--out"]
    with unprivileged(tmp_path / "shut", 0o500):
        for out in (tmp_path / "shut", tmp_path / "shut" / "out"):
            assert benchmark(["evaluate", *arguments, str(out)]) == 1
            assert capsys.readouterr().err == (
                f"{out}: expected a folder that can be made and written, got: Permission denied. "
                "Name another one.\n"
            )
    (tmp_path / "file").touch()
    assert benchmark(["evaluate", *arguments, str(tmp_path / "file")]) == 1
    assert capsys.readouterr().err.startswith(f"{tmp_path / 'file'}: expected a folder that can be made")


@pytest.mark.parametrize("content", [b"PK\x03\x04 and no more", b"no archive", b""])
def test_a_damaged_keras_file_is_one_line_and_exits_1(csv, tmp_path, capfd, content):
    pytest.importorskip("keras")
    (tmp_path / "cut.keras").write_bytes(content)
    assert (
        benchmark(["evaluate", str(tmp_path / "cut.keras"), "--data", str(csv), "--out", str(tmp_path)]) == 1
    )
    said = capfd.readouterr().err
    assert "cut.keras: expected a whole .keras file" in said and said.count("\n") == 1


def test_an_artifact_without_its_card_is_named_and_exits_1(csv, tmp_path, capsys):
    path = tmp_path / "lonely.onnx"
    path.write_bytes((TINY / "tiny_fp32.onnx").read_bytes())
    assert benchmark(["evaluate", str(path), "--data", str(csv), "--out", str(tmp_path)]) == 1
    assert "lonely.onnx.json" in capsys.readouterr().err
