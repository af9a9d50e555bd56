"""Evaluation on classes of one's own: by the labels of the card or of the record, never by position."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.__main__ import main as benchmark
from benchmarks.scoring import ScoredFileError, dataset_name, labels_of_file, scores_of_file
from dataset.ferplus import with_majority_labels
from dataset.load import load_dataset
from runtime.model import load_model
from tests.support.dataset_files import numbered_faces, write_images
from tests.support.made_faces import voted_dataset

FOLDER = Path(__file__).parents[2] / "data"
THREE = FOLDER / "three_fp32.tflite"
LABELS = ("tired", "calm", "tense")


@pytest.fixture
def faces_of_three(tmp_path):
    """A test split whose faces lie in the folder of the label that the model of three classes gives them."""
    pytest.importorskip("ai_edge_litert")
    model = load_model(THREE)
    for number, face in enumerate(numbered_faces(12, seed=3) // 8 + 20 * np.arange(12)[:, None, None, None]):
        label = model.labels[int(model(face[np.newaxis].astype(np.uint8))[0].argmax())]
        folder = tmp_path / "faces" / "test" / label
        folder.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / f"{number}.png"), face.astype(np.uint8))
    return tmp_path / "faces"


def test_a_model_is_scored_by_the_names_of_its_card(faces_of_three, tmp_path, capsys):
    pytest.importorskip("sklearn")
    pytest.importorskip("matplotlib")
    assert len(list((faces_of_three / "test").iterdir())) > 1
    out = tmp_path / "results"
    assert benchmark(["evaluate", str(THREE), "--data", str(faces_of_three), "--out", str(out)]) == 0
    (result,) = [json.loads(path.read_text()) for path in out.glob("*.json")]
    assert result["accuracy"] == 1
    assert list(result["classes"]) == list(LABELS)
    assert np.array(result["confusion"]).shape == (3, 3)


def test_a_model_of_other_classes_than_the_datasets_is_refused(tmp_path, capsys):
    data = write_images(tmp_path / "faces", classes=("calm", "tense"))
    (data / "test" / "angry").mkdir()
    assert benchmark(["evaluate", str(THREE), "--data", str(data), "--out", str(tmp_path / "out")]) == 1
    assert "angry: expected a folder named tired, calm, tense, got 'angry'." in capsys.readouterr().err
    (data / "test" / "angry").rmdir()
    dataset = load_dataset(data)
    with pytest.raises(ScoredFileError, match="expected the dataset's classes calm, tense, got"):
        scores_of_file(THREE, dataset.faces, classes=dataset.classes)
    with pytest.raises(ScoredFileError, match="expected FER2013's labels"):
        scores_of_file(THREE, dataset.faces)


def test_fer2013_with_fer_plus_labels_has_a_name_of_its_own(tmp_path):
    dataset = voted_dataset(tmp_path)
    assert dataset_name(with_majority_labels(dataset)) == "FERPlus"
    assert dataset_name(dataset) == "made.csv"


def test_the_labels_of_an_artifact_are_its_cards(tmp_path):
    assert labels_of_file(THREE) == LABELS
    with pytest.raises(ScoredFileError, match=r"none.tflite: expected a .keras file or an artifact"):
        labels_of_file(tmp_path / "none.tflite")
    for name in (THREE.name, f"{THREE.name}.json"):
        shutil.copy(FOLDER / name, tmp_path)
    assert labels_of_file(tmp_path / THREE.name) == LABELS
