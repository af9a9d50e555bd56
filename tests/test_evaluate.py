import hashlib
import json
import math
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import evaluate, metrics
from train.fer2013 import load_dataset

TINY = Path(__file__).parent / "data"

sklearn_metrics = pytest.importorskip("sklearn.metrics")
pytest.importorskip("matplotlib")


def random_scores(seed, rows, classes):
    random = np.random.default_rng(seed)
    scores = random.dirichlet(np.full(classes, 0.6), rows)
    return scores, random.integers(0, classes, rows)


def write_csv(path, rows_per_split=21, seed=0):
    """A dataset in FER2013's format whose first test row repeats the first training row."""
    random = np.random.default_rng(seed)
    lines = ["emotion,pixels,Usage"]
    first = None
    for usage in ("Training", "PublicTest", "PrivateTest"):
        faces = random.integers(0, 256, (rows_per_split, 2304))
        faces[:, :1152] //= 4  # some contrast, so that the tiny models differ in their answers
        if first is None:
            first = faces[0]
        if usage == "PrivateTest":
            faces[0] = first
        lines += [f"{row % 7},{' '.join(map(str, face))},{usage}" for row, face in enumerate(faces)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def csv(tmp_path_factory):
    return write_csv(tmp_path_factory.mktemp("fer2013") / "faces.csv")


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 80), st.integers(2, 7))
def test_accuracy_macro_recall_and_likelihood_equal_those_of_scikit_learn(seed, rows, classes):
    scores, labels = random_scores(seed, rows, classes)
    predicted = scores.argmax(axis=1)
    present = sorted(set(labels.tolist()))
    assert metrics.accuracy(scores, labels) == pytest.approx(
        sklearn_metrics.accuracy_score(labels, predicted)
    )
    assert metrics.macro_recall(scores, labels) == pytest.approx(
        sklearn_metrics.recall_score(labels, predicted, labels=present, average="macro")
    )
    clipped = np.clip(scores, metrics.SMALLEST_PROBABILITY, 1)
    expected = -np.log(clipped[np.arange(rows), labels]).mean()
    assert metrics.negative_log_likelihood(scores, labels) == pytest.approx(expected)
    if (scores > metrics.SMALLEST_PROBABILITY).all():
        by_sklearn = sklearn_metrics.log_loss(labels, scores, labels=list(range(classes)))
        assert metrics.negative_log_likelihood(scores, labels) == pytest.approx(by_sklearn)


def test_the_calibration_error_of_a_model_that_says_0_8_and_is_right_half_the_time_is_0_3():
    scores = np.tile([0.8, 0.2], (10, 1))
    assert metrics.calibration_error(scores, np.array([0, 1] * 5)) == pytest.approx(0.3)


def test_the_calibration_error_weighs_each_interval_by_its_rows():
    scores = np.array([[0.95, 0.05]] * 3 + [[0.6, 0.4]])  # three right of three, none right of one
    expected = (3 * abs(1 - 0.95) + 1 * abs(0 - 0.6)) / 4
    assert metrics.calibration_error(scores, np.array([0, 0, 0, 1])) == pytest.approx(expected)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 60))
def test_the_calibration_error_lies_between_0_and_1_and_is_0_for_a_model_that_is_sure_and_right(seed, rows):
    scores, labels = random_scores(seed, rows, 7)
    assert 0 <= metrics.calibration_error(scores, labels) <= 1
    assert metrics.calibration_error(np.eye(7)[labels], labels) == 0


def test_figures_over_no_rows_are_not_numbers():
    none, labels = np.empty((0, 7)), np.empty(0, int)
    assert all(
        math.isnan(figure(none, labels))
        for figure in (
            metrics.accuracy,
            metrics.macro_recall,
            metrics.negative_log_likelihood,
            metrics.calibration_error,
        )
    )


def test_score_gives_the_figures_worked_out_by_hand():
    scores = np.array([[0.7, 0.2, 0.1], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1], [0.5, 0.3, 0.2]])
    labels = np.array([0, 1, 1, 2])
    report = evaluate.score(scores, labels, ["a", "b", "c"], np.array([True, False, False, False]))
    assert report["confusion"] == [[1, 0, 0], [1, 1, 0], [1, 0, 0]]
    assert report["accuracy"] == pytest.approx(2 / 4)
    assert (report["rows"], report["rows_unrepeated"]) == (4, 3)
    assert report["accuracy_unrepeated"] == pytest.approx(1 / 3)
    assert report["classes"]["a"] == pytest.approx(
        {"rows": 1, "precision": 1 / 3, "recall": 1.0, "f1": 0.5, "roc_auc": 1.0}
    )
    assert report["classes"]["b"]["precision"] == 1.0
    assert report["classes"]["b"]["recall"] == 0.5
    assert report["classes"]["c"]["precision"] == 0.0
    assert report["macro_recall"] == pytest.approx((1 + 0.5 + 0) / 3)
    assert report["negative_log_likelihood"] == pytest.approx(-np.log([0.7, 0.3, 0.8, 0.2]).mean())


def test_a_class_without_rows_stays_out_of_the_macro_figures():
    scores, labels = random_scores(1, 50, 3)
    labels = labels % 2
    report = evaluate.score(scores, labels, ["a", "b", "c"], None)
    assert math.isnan(report["classes"]["c"]["roc_auc"])
    assert report["macro_roc_auc"] == pytest.approx(
        (report["classes"]["a"]["roc_auc"] + report["classes"]["b"]["roc_auc"]) / 2
    )
    assert report["macro_recall"] == pytest.approx(metrics.macro_recall(scores, labels))
    assert report["rows_unrepeated"] is None
    assert math.isnan(report["accuracy_unrepeated"])


def test_the_evaluation_of_an_artifact_writes_json_markdown_and_two_pictures(csv, tmp_path, capsys):
    path = TINY / "tiny_fp32.onnx"
    pytest.importorskip("onnxruntime")
    assert evaluate.main([str(path), "--data", str(csv), "--out", str(tmp_path)]) == 0
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == [f"tiny_fp32.onnx{ending}" for ending in (".json", ".md", "_confusion.png", "_roc.png")]
    report = json.loads((tmp_path / "tiny_fp32.onnx.json").read_text())
    faces, labels = load_dataset(csv).split("test")
    scores = evaluate.scores_of_file(path, faces)
    assert report["accuracy"] == metrics.accuracy(scores, labels)
    assert report["accuracy_unrepeated"] == metrics.accuracy(scores[1:], labels[1:])
    assert (report["rows"], report["rows_unrepeated"], report["split"]) == (21, 20, "test")
    assert report["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert np.sum(report["confusion"]) == 21
    for ending in ("_confusion.png", "_roc.png"):
        assert min(cv2.imread(str(tmp_path / f"tiny_fp32.onnx{ending}")).shape[:2]) > 600
    markdown = (tmp_path / "tiny_fp32.onnx.md").read_text()
    assert f"| accuracy | {100 * report['accuracy']:.2f} % |" in markdown
    assert "tiny_fp32.onnx_roc.png" in markdown
    assert f"{100 * report['macro_f1']:.2f} %" in capsys.readouterr().out


def test_the_name_of_another_split_than_test_stands_in_the_reports_names(csv, tmp_path):
    pytest.importorskip("onnxruntime")
    report = evaluate.evaluate(TINY / "tiny_fp32.onnx", load_dataset(csv), "train", tmp_path)
    assert (tmp_path / "tiny_fp32.onnx_train.json").is_file()
    assert report["rows_unrepeated"] is None
    assert json.loads((tmp_path / "tiny_fp32.onnx_train.json").read_text())["accuracy_unrepeated"] is None


def test_a_keras_file_and_its_artifact_get_the_same_figures_and_the_record_keeps_the_rest(csv, tmp_path):
    pytest.importorskip("keras")
    pytest.importorskip("onnxruntime")
    from tests.data.make_tiny_models import build_tiny

    path = tmp_path / "tiny.keras"
    build_tiny().save(path)
    record = {
        "history": {"loss": [2.5]},
        "scores": {"validation": {"accuracy": 0.5}},
        "weights_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    path.with_suffix(".json").write_text(json.dumps(record))
    dataset = load_dataset(csv)
    of_keras = evaluate.evaluate(path, dataset, out=tmp_path / "out")
    of_artifact = evaluate.evaluate(TINY / "tiny_fp32.onnx", dataset, out=tmp_path / "out")
    assert of_keras["confusion"] == of_artifact["confusion"]
    assert of_keras["negative_log_likelihood"] == pytest.approx(
        of_artifact["negative_log_likelihood"], abs=1e-5
    )
    noted = json.loads(path.with_suffix(".json").read_text())
    assert noted["history"] == record["history"]
    assert noted["scores"]["validation"] == {"accuracy": 0.5}
    assert noted["scores"]["test"]["macro_f1"] == of_keras["macro_f1"]


def test_a_record_of_other_weights_is_refused_and_left_as_it_is(tmp_path):
    record = tmp_path / "tiny.json"
    record.write_text('{"weights_sha256": "aa", "scores": {}}')
    with pytest.raises(evaluate.EvaluationError, match=r"tiny\.json.*tiny\.keras.*other weights"):
        evaluate.note_in_record(record, {"file": "tiny.keras", "sha256": "bb", "split": "test"})
    assert record.read_text() == '{"weights_sha256": "aa", "scores": {}}'


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"weights_sha256": "aa"}'])
def test_a_file_that_is_no_record_is_refused_by_name(tmp_path, content):
    record = tmp_path / "tiny.json"
    record.write_text(content)
    with pytest.raises(evaluate.EvaluationError, match=r"tiny\.json: expected a training record"):
        evaluate.note_in_record(record, {"file": "tiny.keras", "sha256": "bb", "split": "test"})


def test_without_the_dataset_the_evaluation_says_so_and_exits_1(tmp_path, capsys):
    assert evaluate.main([str(TINY / "tiny_fp32.onnx"), "--data", str(tmp_path / "absent.csv")]) == 1
    message = capsys.readouterr().err
    assert "absent.csv" in message
    assert "Traceback" not in message


def test_a_missing_model_file_is_named_and_exits_1(csv, tmp_path, capsys):
    assert evaluate.main([str(tmp_path / "gone.keras"), "--data", str(csv)]) == 1
    assert "gone.keras: expected a .keras file or an artifact, found no file." in capsys.readouterr().err


def test_a_damaged_keras_file_is_named_and_exits_1(csv, tmp_path, capsys):
    pytest.importorskip("keras")
    (tmp_path / "cut.keras").write_bytes(b"PK\x03\x04 and no more")
    assert evaluate.main([str(tmp_path / "cut.keras"), "--data", str(csv), "--out", str(tmp_path)]) == 1
    assert "cut.keras: expected a whole .keras file" in capsys.readouterr().err


def test_an_artifact_without_its_card_is_named_and_exits_1(csv, tmp_path, capsys):
    path = tmp_path / "lonely.onnx"
    path.write_bytes((TINY / "tiny_fp32.onnx").read_bytes())
    assert evaluate.main([str(path), "--data", str(csv), "--out", str(tmp_path)]) == 1
    assert "lonely.onnx.json" in capsys.readouterr().err
