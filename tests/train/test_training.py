"""Training: what a seed, a stop, class weights and a recipe's settings do to the weights."""

import ast
import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("tensorflow")

import keras

from dataset.duplicates import training_samples
from reporting.metrics import macro_recall
from tests.support.made_faces import made_dataset, unbalanced_dataset, voted_dataset
from tests.support.trainings import (
    Interruption,
    assert_equal_weights,
    cross_entropies,
    scores_of,
    small_edge,
    small_network,
    small_network_with_dropout,
    timeless,
    train_broken_off,
    train_edge,
    train_small,
    weights_of,
)
from train.errors import DivergedError, WeightsError

ROOT = Path(__file__).resolve().parents[2]


def weights_by_class(labels):
    return (len(labels) / (7 * np.bincount(labels)))[labels]


def test_the_made_up_faces_hold_two_samples_that_training_leaves_out():
    assert np.flatnonzero(~training_samples(made_dataset())).tolist() == [84, 85]


# --- one seed ----------------------------------------------------------------------------------------


def test_two_runs_with_one_seed_end_with_equal_weights_whatever_the_test_split_holds(unbroken, tmp_path):
    folder, record = unbroken
    again = train_broken_off(tmp_path, made_dataset(test_seed=7))
    assert_equal_weights(tmp_path / "small.keras", folder / "small.keras")
    assert timeless(again["history"]) == timeless(record["history"])
    assert again["best_epoch"] == record["best_epoch"]


def test_the_weights_move_in_every_layer(unbroken):
    folder, _ = unbroken
    keras.utils.set_random_seed(4)
    built = small_network_with_dropout().get_weights()
    for before, after in zip(built, weights_of(folder / "small.keras"), strict=True):
        assert np.abs(after - before).max() > 1e-5


# --- early stopping ----------------------------------------------------------------------------------


def test_training_stops_when_patience_runs_out_and_keeps_the_weights_of_the_best_epoch(tmp_path):
    # Validation holds one label, which training never sees: what is learned can only make it worse.
    whole = made_dataset()
    labels = np.where(whole.splits == "validation", 6, whole.labels % 6)
    dataset = dataclasses.replace(whole, labels=labels)
    record = train_small(tmp_path, dataset, epochs=10, learning_rate=2e-2, patience=2)
    history = record["history"]
    assert (record["best_epoch"], record["epochs_trained"]) == (1, 3)
    assert max(history["val_accuracy"]) == history["val_accuracy"][0]
    assert [len(values) for values in history.values()] == [3] * len(history)
    loss = cross_entropies(tmp_path / "small.keras", *dataset.split("validation")).mean()
    assert loss == pytest.approx(history["val_loss"][0], abs=1e-4)
    assert history["val_loss"][2] - history["val_loss"][0] > 0.1
    assert record["scores"]["validation"]["accuracy"] == history["val_accuracy"][0]


class Figures(keras.callbacks.Callback):
    """Puts figures of one's own, a list of values each, into the logs of the epochs."""

    def __init__(self, **values):
        super().__init__()
        self.values = values

    def on_epoch_end(self, epoch, logs=None):
        logs.update({name: values[epoch] for name, values in self.values.items()})


@pytest.mark.parametrize(("best_by", "epoch"), [("accuracy", 2), ("macro_recall", 3)])
def test_the_best_epoch_is_that_of_the_figure_that_chooses(tmp_path, best_by, epoch):
    figures = Figures(val_accuracy=[0.5, 0.7, 0.6, 0.6], val_macro_recall=[0.2, 0.1, 0.3, 0.3])
    settings = {"best_by": best_by, "patience": 1 if best_by == "accuracy" else 2, "learning_rate": 1e-2}
    record = train_small(tmp_path, epochs=4, callbacks=[figures], **settings)
    assert record["best_epoch"] == epoch
    assert record["epochs_trained"] == (3 if best_by == "accuracy" else 4)
    assert record["scores"]["validation"] == {
        "accuracy": figures.values["val_accuracy"][epoch - 1],
        best_by: figures.values[f"val_{best_by}"][epoch - 1],
    }
    faces, labels = made_dataset().split("validation")
    loss = cross_entropies(tmp_path / "small.keras", faces, labels).mean()
    assert loss == pytest.approx(record["history"]["val_loss"][epoch - 1], abs=1e-4)


@pytest.mark.parametrize("head", [0.0, 0.5])
def test_the_macro_recall_of_an_epoch_is_that_of_its_weights(tmp_path, monkeypatch, head):
    monkeypatch.delenv("FERPLUS", raising=False)
    whole = voted_dataset(tmp_path)
    rare = np.where(np.arange(len(whole.labels)) % 3, 1, np.arange(len(whole.labels)) % 6)  # no 6
    dataset = dataclasses.replace(whole, labels=np.where(whole.splits == "validation", rare, whole.labels))
    record = train_small(
        tmp_path, dataset, best_by="macro_recall", vote_head_weight=head, temperature_scaling=bool(head)
    )
    faces, labels = dataset.split("validation")
    recall = macro_recall(scores_of(tmp_path / "small.keras", faces), labels)
    assert record["history"]["val_macro_recall"] == [pytest.approx(recall, abs=1e-6)]
    assert record["scores"]["validation"]["macro_recall"] == pytest.approx(recall, abs=1e-6)
    assert 0 < recall < 1 and recall != pytest.approx(record["scores"]["validation"]["accuracy"])


# --- class weights and samples -----------------------------------------------------------------------


def test_class_weights_weigh_the_loss_and_duplicates_are_kept_when_asked(tmp_path):
    # At a learning rate of 0 the weights stay, so that the epoch's loss can be computed from the outside.
    dataset = unbalanced_dataset()
    record = train_small(tmp_path, dataset, learning_rate=0.0, class_weight=True, keep_duplicates=True)
    by_class = dict(zip(dataset.classes, [60, 5, 5, 4, 4, 4, 4], strict=True))
    assert record["samples"] == {"train": 86, "train_by_class": by_class, "left_out": 0, "validation": 28}
    faces, labels = dataset.split("train")
    assert np.bincount(labels).tolist() == [60, 5, 5, 4, 4, 4, 4]
    costs = cross_entropies(tmp_path / "small.keras", faces, labels)
    weighed = (weights_by_class(labels) * costs).mean()
    assert record["history"]["loss"] == [pytest.approx(weighed, rel=1e-5)]
    assert abs(weighed - costs.mean()) > 1e-3


def test_class_weights_move_a_network_as_sample_weights_do_in_keras(tmp_path):
    dataset = unbalanced_dataset()
    settings = {"schedule": "constant", "batch_size": 1000, "keep_duplicates": True}
    train_small(tmp_path, dataset, epochs=3, class_weight=True, **settings)
    moved = weights_of(tmp_path / "run" / "epoch_3.keras")

    faces, labels = dataset.split("train")
    keras.utils.set_random_seed(0)
    network = small_network()
    network.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    for _ in range(3):
        network.train_on_batch(
            faces.astype("float32"), labels, sample_weight=weights_by_class(labels).astype("float32")
        )
    for ours, kerass in zip(moved, network.get_weights(), strict=True):
        np.testing.assert_allclose(ours, kerass, atol=1e-4)


# --- weights to begin with ---------------------------------------------------------------------------


def test_a_training_begins_with_the_weights_that_it_is_given(tmp_path):
    keras.utils.set_random_seed(1)
    earlier = small_network()
    earlier.save(tmp_path / "earlier.keras")
    record = train_small(
        tmp_path, learning_rate=0.0, initial_weights=tmp_path / "earlier.keras", augmentation=None
    )
    for found, wanted in zip(weights_of(tmp_path / "small.keras"), earlier.get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)
    sha256 = hashlib.sha256((tmp_path / "earlier.keras").read_bytes()).hexdigest()
    assert record["arguments"]["initial_weights"] == {"earlier.keras": sha256}
    assert record["trained_on"] == "made.csv's own labels, from the weights of earlier on"


def test_initial_weights_that_are_missing_or_another_networks_are_named(tmp_path):
    with pytest.raises(
        WeightsError, match=r"none\.keras: expected weights to begin with, a \.keras file"
    ) as caught:
        train_small(tmp_path, initial_weights=tmp_path / "none.keras")
    assert caught.value.path == tmp_path / "none.keras"
    small_network(units=4).save(tmp_path / "other.keras")
    with pytest.raises(WeightsError, match=r"other\.keras: expected the weights of a network such as small"):
        train_small(tmp_path, initial_weights=tmp_path / "other.keras")


# --- networks, callbacks, ends -----------------------------------------------------------------------


def test_a_network_of_ones_own_is_trained_under_its_name_and_callbacks_add_to_the_history(tmp_path):
    class Notes(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["noted"] = 10.0 + epoch

    record = train_small(tmp_path, model="mine", build=small_network, callbacks=[Notes()])
    assert (record["model"], record["parameters"]) == ("mine", small_network().count_params())
    assert record["history"]["noted"] == [10.0]


def test_a_training_that_diverges_writes_no_model_over_the_one_there_was(tmp_path):
    out = tmp_path / "small.keras"
    out.write_bytes(b"the last one")
    with pytest.raises(
        DivergedError, match=r"best\.keras: expected finite weights, got others: .* --learning-rate"
    ) as caught:
        train_small(tmp_path, learning_rate=1e38, epochs=2)
    assert caught.value.path == tmp_path / "run" / "best.keras"
    assert out.read_bytes() == b"the last one"
    assert not out.with_suffix(".json").exists()


# --- the flagship's recipe ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def edge(tmp_path_factory):
    """A folder with a whole run of the flagship's recipe, in small, and its record."""
    folder = tmp_path_factory.mktemp("edge")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("FERPLUS", raising=False)
        return folder, train_edge(folder)


def test_a_run_with_batch_normalisation_votes_and_warmup_goes_on_after_an_interruption(
    edge, tmp_path, monkeypatch
):
    monkeypatch.delenv("FERPLUS", raising=False)
    folder, record = edge
    with pytest.raises(KeyboardInterrupt):
        train_edge(tmp_path, callbacks=[Interruption(1)])
    assert json.loads((tmp_path / "run" / "state.json").read_text())["epochs_done"] == 1
    resumed = train_edge(tmp_path)
    assert_equal_weights(tmp_path / "small.keras", folder / "small.keras")
    assert timeless(resumed["history"]) == timeless(record["history"])
    assert record["trained_on"] == "made.csv's own labels and FER+'s votes"


def test_the_written_weights_are_the_best_ones_with_adjustment_and_temperature_in_the_last_layer(edge):
    folder, record = edge
    assert 0.1 <= record["temperature"] <= 10 and record["temperature"] != 1
    best, written = (
        keras.saving.load_model(path, compile=False).get_layer("scores").get_weights()
        for path in (folder / "run" / "best.keras", folder / "small.keras")
    )
    np.testing.assert_allclose(best[0], written[0] * record["temperature"], rtol=1e-5)
    shares = np.bincount(voted_dataset(folder).split("train")[1][:84], minlength=7) / 84
    moved = written[1] * record["temperature"] - best[1]
    np.testing.assert_allclose(moved, -0.5 * np.log(shares), rtol=1e-4, atol=1e-6)


def test_what_served_the_training_is_gone_from_the_written_network(edge):
    folder, _ = edge
    network = keras.saving.load_model(folder / "small.keras", compile=False)
    assert [output.shape for output in network.outputs] == [(None, 7)]  # no head for the votes
    assert {layer.compute_dtype for layer in network.layers} == {"float32"}
    assert [type(layer) for layer in network.layers] == [type(layer) for layer in small_edge().layers]


def test_training_names_no_backend_but_in_two_modules():
    allowed_in = {"precision.py": {"tf"}, "distribution.py": {"jax"}}
    for path in sorted((ROOT / "train").glob("*.py")):
        names = {node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)}
        allowed = allowed_in.get(path.name, set())
        assert names & {"tf", "tensorflow", "torch", "jax", "jnp"} == allowed, path
