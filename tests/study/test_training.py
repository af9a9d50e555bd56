"""One training from faces to result: settings, resuming, scoring, progress."""

import json
from dataclasses import replace

import numpy as np
import pytest

from dataset.duplicates import duplicates_of
from dataset.ferplus import find_votes, majority_labels, read_votes
from dataset.load import load_dataset
from dataset.locate import DatasetError
from study.__main__ import RESULTS
from study.experiment import Experiment
from study.experiments import EXPERIMENTS
from study.messages import Progress
from study.paper import PRINTED_TEST_FACES
from study.results import Faces, read_result
from study.split import dataset_of
from tests.support.study import keras_or_skip


def run_lstm(folder, faces_csv, **changes):
    from study.training import run_experiment

    keywords = {"split": "official", "seed": 0, "epochs": 2}
    paths = {"result": folder / "official_LSTM_seed0.json", "run_dir": folder / "run"}
    return run_experiment(EXPERIMENTS["LSTM"], load_dataset(faces_csv), **keywords, **paths, **changes)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory, faces_csv):
    """A training of two epochs: its folder, its result, and what it said on the way."""
    keras_or_skip()
    folder = tmp_path_factory.mktemp("unbroken")
    said = []
    return folder, run_lstm(folder, faces_csv, report=said.append), said


def test_a_result_holds_history_and_scores_of_the_chosen_epoch(unbroken):
    folder, result, _ = unbroken
    assert result == read_result(folder / "official_LSTM_seed0.json")
    assert result.faces == Faces(train=56, validation=14, test=21)
    assert len(result.history.loss) == result.epochs_trained == 2
    assert result.test.accuracy == pytest.approx(result.history.test_accuracy[result.best_epoch - 1])
    assert result.validation_accuracy == max(result.history.val_accuracy)
    assert result.test.labels == [3] * 7
    assert len(result.test.predicted) == 21
    assert np.trace(result.test.confusion) == result.test.right.sum()
    assert result.test.without_duplicates.faces == 21
    assert result.ferplus is None  # not found
    assert result.parameters == 102_855
    assert result.active_units == {}  # no hidden dense layer but on single rows
    assert result.settings == EXPERIMENTS["LSTM"].settings(seed=0, epochs=2)


def test_scores_are_kept_in_the_order_of_the_predictions(unbroken):
    folder, result, _ = unbroken
    scores = np.load(folder / "official_LSTM_seed0.npz")["scores"]
    assert (scores.dtype, scores.shape) == (np.float32, (21, 7))
    assert "".join(map(str, scores.argmax(axis=1))) == result.test.predicted
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)


def test_a_training_says_how_far_it_is_and_leaves_no_checkpoints(unbroken):
    folder, _, said = unbroken
    epochs = [progress.epochs for progress in said]
    assert epochs == sorted(epochs)
    assert (said[0], said[-1]) == (Progress(0), Progress(2, scoring=True))
    assert sum(progress.validation_accuracy is not None for progress in said) == 2
    assert sorted(path.name for path in (folder / "run").iterdir()) == ["weights.json", "weights.keras"]


def test_a_broken_off_training_ends_as_the_unbroken_one(unbroken, faces_csv, tmp_path):
    _, whole, _ = unbroken

    def break_off(progress):
        if progress.epochs > 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_lstm(tmp_path, faces_csv, report=break_off)
    assert not (tmp_path / "official_LSTM_seed0.json").exists()
    assert json.loads((tmp_path / "run" / "state.json").read_text())["epochs_done"] == 1

    resumed = run_lstm(tmp_path, faces_csv)

    assert resumed.test == whole.test
    assert resumed.history.test_accuracy == whole.history.test_accuracy
    assert resumed.history.loss == whole.history.loss


SETTINGS = {
    "learning_rate": 3e-4,
    "batch_size": 16,
    "augmentation": {"rotation": 3, "scale": 0.1, "shift": 0.02, "brightness": 0.0, "contrast": 0.0},
    "class_weight": True,
    "precision": "bfloat16",
    "schedule": "constant",
    "patience": 1,
}


@pytest.fixture(scope="module")
def with_every_setting(tmp_path_factory, faces_csv):
    """A training with settings of which none is a default, on faces of which one recurs in the test."""
    keras_or_skip()
    from study.training import run_experiment

    folder = tmp_path_factory.mktemp("settings")
    lines = faces_csv.read_text().splitlines()
    tested = next(line for line in reversed(lines) if line.endswith("PrivateTest"))
    (folder / "again.csv").write_text("\n".join([*lines, tested.replace("PrivateTest", "Training"), ""]))
    dataset = load_dataset(folder / "again.csv")
    experiment = Experiment(
        name="made", network="cnn", options={"filters": (2,), "dense": (3,), "dropout": 0.25}, epochs=3,
        first_seed=40, why="", hold_out=False, leave_out_duplicates=True, **SETTINGS,
    )  # fmt: skip
    paths = {"result": folder / "made.json", "run_dir": folder / "run"}
    result = run_experiment(experiment, dataset, split="official", seed=2, **paths)
    return folder / "run", dataset, dataset_of(experiment, dataset, split="official"), result


def test_an_experiment_is_trained_with_each_of_its_settings(with_every_setting):
    run_dir, dataset, trained_on, result = with_every_setting
    arguments = json.loads((run_dir / "weights.json").read_text())["arguments"]
    asked = SETTINGS | {"epochs": 3, "seed": 42, "keep_duplicates": True}
    asked["augmentation"] = SETTINGS["augmentation"] | {"cutout": 0.0, "surroundings": 0.0, "degraded": 0.0}
    assert {key: arguments[key] for key in asked} == asked
    assert arguments["model"] == "cnn filters=[2] dense=[3] dropout=0.25"  # by it a run is found again
    assert arguments["dataset_sha256"] == result.dataset_sha256 == trained_on.sha256 != dataset.sha256
    assert result.source_sha256 == dataset.sha256
    assert result.faces == Faces(train=70, validation=21, test=21)  # 71 but for the one again


def test_an_experiment_is_scored_on_all_test_faces(with_every_setting):
    keras = keras_or_skip()
    run_dir, dataset, trained_on, result = with_every_setting
    weights = keras.saving.load_model(run_dir / "weights.keras", compile=False)
    assert weights.count_params() == result.parameters == 9 * 2 + 2 + 24 * 24 * 2 * 3 + 3 + 3 * 7 + 7

    def predicted(faces):
        return weights.predict(faces.astype("float32"), verbose=0).argmax(axis=1)

    faces, labels = trained_on.split("train")
    assert result.train_accuracy == pytest.approx((predicted(faces) == labels).mean())
    faces, labels = dataset.split("test")
    in_order = np.argsort(labels, kind="stable")
    assert result.test.predicted == "".join(map(str, predicted(faces)[in_order]))
    without = result.test.without_duplicates
    assert without.faces == 21 - duplicates_of(dataset).sum() == 20
    assert without.right == (predicted(faces) == labels)[~duplicates_of(dataset)].sum()


def test_a_recipe_has_the_schedule_and_the_patience_of_its_experiment():
    keras_or_skip()
    from study.training import recipe_of

    recipe = recipe_of(EXPERIMENTS["cosine"].settings(seed=0))
    assert (recipe.schedule, recipe.patience, recipe.epochs) == ("cosine", 50, 50)  # nothing stops it early
    recipe = recipe_of(EXPERIMENTS["LSTM"].settings(seed=2))
    assert (recipe.schedule, recipe.patience, recipe.epochs, recipe.seed) == ("constant", 10, 100, 2)
    assert (recipe.augmentation, recipe.class_weight) == (None, False)


def test_losses_that_are_no_numbers_are_left_out_of_a_result():
    keras_or_skip()
    from study.training import history_of

    numbers = {key: [0.5, 0.25] for key in ("accuracy", "val_accuracy", "test_accuracy", "seconds")}
    history = history_of(
        numbers
        | {"processor_seconds": [1.0, 1.0], "loss": [1.5, float("inf")], "val_loss": [float("nan"), None]}
    )
    assert (history.loss, history.val_loss) == ([1.5, None], [None, None])


def test_an_experiment_on_fer2013_is_scored_as_the_committed_ones_are(fer2013, tmp_path):
    keras_or_skip()
    from study.training import run_experiment

    try:
        votes = find_votes(fer2013)
    except DatasetError:
        pytest.skip("needs FER+'s votes beside FER2013")
    paths = {"result": tmp_path / "made.json", "run_dir": tmp_path / "run"}
    quick = {"network": "row_reader", "options": EXPERIMENTS["rows-dense"].options, "augmentation": None}
    experiment = replace(EXPERIMENTS["without-duplicates"], precision="float32", **quick)
    result = run_experiment(experiment, fer2013, split="paper", seed=0, epochs=1, **paths)

    committed = read_result(RESULTS / "paper_without-duplicates_seed0.json")
    assert (result.source_sha256, result.dataset_sha256) == (
        committed.source_sha256,
        committed.dataset_sha256,
    )
    assert result.faces == committed.faces
    assert result.test.labels == committed.test.labels == list(PRINTED_TEST_FACES)
    without, committed_without = result.test.without_duplicates, committed.test.without_duplicates
    assert without.faces == committed_without.faces == 7066 - 492
    assert result.ferplus.faces == committed.ferplus.faces
    # Of one epoch, whose weights are those that are scored.
    assert result.history.test_accuracy == [pytest.approx(result.test.accuracy, abs=1e-6)]
    assert result.history.val_accuracy[0] != pytest.approx(result.test.accuracy, abs=1e-6)

    tested = dataset_of(EXPERIMENTS["2"], fer2013, split="paper").rows("test")
    in_order = tested[np.argsort(fer2013.labels[tested], kind="stable")]
    majority = majority_labels(read_votes(votes, fer2013))[in_order]
    assert result.ferplus.right == (result.test.answers == majority)[majority >= 0].sum()
