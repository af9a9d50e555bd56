"""Targets: labels, FER+'s votes, a second head, and class weights."""

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("tensorflow")

import keras

from dataset.ferplus import VOTES, expected_labels, find_votes, read_votes
from dataset.locate import DatasetError
from tests.support.made_faces import VOTE_OF_LABEL, made_dataset, voted_dataset
from tests.support.trainings import cross_entropies, train_small
from train.recipes import Recipe
from train.targets import class_weights, one_hot, training_targets, validation_targets

# At a learning rate of 0 the weights stay, so that the epoch's loss can be computed from the outside.
STILL = {"learning_rate": 0.0, "batch_size": 1000, "keep_duplicates": True}


def test_class_weights_let_every_class_count_alike():
    # 14 samples in 7 classes: 2 each would weigh 1. Six weigh 2/6, three 2/3, one 2.
    weights = class_weights(np.array([0] * 6 + [1] * 3 + [2, 3, 4, 5, 6]))
    assert weights.tolist() == pytest.approx([1 / 3, 2 / 3, 2, 2, 2, 2, 2])


def test_a_label_without_samples_gets_a_weight_too():
    assert class_weights(np.array([0, 0, 1]))[6] == pytest.approx(3 / 7)


def test_targets_are_one_at_the_label_and_zero_elsewhere():
    targets = one_hot(np.array([6, 0]))
    assert targets.tolist() == [[0, 0, 0, 0, 0, 0, 1], [1, 0, 0, 0, 0, 0, 0]]
    assert targets.dtype == np.float32


def test_votes_make_up_their_share_of_the_targets(tmp_path, monkeypatch):
    monkeypatch.delenv("FERPLUS", raising=False)
    dataset = voted_dataset(tmp_path)
    rows = dataset.rows("train")
    recipe = Recipe(epochs=1, learning_rate=0.0, vote_share=0.25)
    targets = training_targets(dataset, recipe, rows, None, show_progress=False)
    own = one_hot(dataset.labels[rows])
    # The votes name each label by another one. The regression undoes it: it expects the right label.
    votes, train = read_votes(find_votes(dataset), dataset), dataset.splits == "train"
    expected = expected_labels(votes, dataset.labels, train)[rows]
    assert (expected.argmax(axis=1) == dataset.labels[rows]).all()
    np.testing.assert_allclose(targets, 0.75 * own + 0.25 * expected, atol=1e-6)
    assert np.abs(targets - own).max() > 0.01


def test_a_second_head_gets_each_votes_share_in_training_and_in_validation(tmp_path, monkeypatch):
    monkeypatch.delenv("FERPLUS", raising=False)
    dataset = voted_dataset(tmp_path)
    recipe = Recipe(epochs=1, learning_rate=0.0, vote_head_weight=0.5)
    for split, targets in (
        ("train", training_targets(dataset, recipe, dataset.rows("train"), None, show_progress=False)),
        ("validation", validation_targets(dataset, recipe)),
    ):
        labels = dataset.split(split)[1]
        np.testing.assert_array_equal(targets["scores"], one_hot(labels))
        voted = [VOTE_OF_LABEL[label] for label in (labels + 1) % 7]
        np.testing.assert_array_equal(targets["votes"], np.eye(10)[[VOTES.index(vote) for vote in voted]])


def test_votes_that_are_missing_are_said(tmp_path, monkeypatch):
    monkeypatch.delenv("FERPLUS", raising=False)
    recipe = Recipe(epochs=1, learning_rate=0.0, vote_share=0.25)
    dataset = made_dataset()
    with pytest.raises(DatasetError, match=r"Expected FER\+'s votes at "):
        training_targets(dataset, recipe, dataset.rows("train"), None, show_progress=False)


def cost_of_votes(folder, faces, labels):
    """What the votes of `voted_dataset` cost the second head of the run in `folder`, on average."""
    network = keras.saving.load_model(folder / "run" / "best.keras", compile=False)
    shares = keras.ops.convert_to_numpy(network(faces.astype("float32"))["votes"])
    votes = [VOTES.index(VOTE_OF_LABEL[label]) for label in (labels + 1) % 7]
    return -np.log(shares[np.arange(len(votes)), votes]).mean()


@pytest.mark.parametrize("weighed", [False, True])
def test_the_second_head_learns_the_votes_and_class_weights_weigh_the_scores_alone(
    tmp_path, monkeypatch, weighed
):
    monkeypatch.delenv("FERPLUS", raising=False)
    dataset = voted_dataset(tmp_path)  # 13 samples of two labels, 12 of the others
    record = train_small(tmp_path, dataset, vote_head_weight=0.5, class_weight=weighed, **STILL)
    faces, labels = dataset.split("train")
    weights = (len(labels) / (7 * np.bincount(labels)))[labels] if weighed else 1
    costs = (weights * cross_entropies(tmp_path / "small.keras", faces, labels)).mean()
    of_votes = cost_of_votes(tmp_path, faces, labels)
    history = record["history"]
    assert history["scores_loss"] == [pytest.approx(costs, rel=1e-5)]
    assert history["votes_loss"] == [pytest.approx(of_votes, rel=1e-5)]
    assert history["loss"] == [pytest.approx(costs + 0.5 * of_votes, rel=1e-5)]
    assert record["scores"]["validation"]["accuracy"] == history["val_accuracy"][0]
    assert record["trained_on"] == "made.csv's own labels and FER+'s votes"
