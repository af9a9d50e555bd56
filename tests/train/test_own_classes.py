"""Trainings on classes of one's own: the head, the frozen epochs, resuming across their end, the command."""

import dataclasses
import json

import cv2
import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("tensorflow")

import keras

from dataset.fer2013 import LABELS
from dataset.ferplus import CLASSES, VOTES, with_majority_labels
from tests.support.made_faces import drawn_faces, made_dataset, voted_dataset
from tests.support.trainings import (
    Interruption,
    assert_equal_weights,
    small_edge,
    timeless,
    train_small,
    weights_of,
)
from train.__main__ import main
from train.architectures import build_edge
from train.errors import WeightsError
from train.models import MODELS, RELEASED
from train.options import parse
from train.runs import recipe_for
from train.targets import one_hot, training_targets

MINE = ("calm", "tense", "tired")


def own_dataset():
    """`made_dataset` with three classes of its own."""
    whole = made_dataset()
    return dataclasses.replace(whole, labels=whole.labels % 3, classes=MINE)


def own_edge():
    return build_edge(stem=4, widths=(8,), depths=(1,), classes=3)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_gives_as_many_scores_as_there_are_classes(name):
    for classes in (2, 3, 100):
        assert MODELS[name].build(classes=classes).output_shape == (None, classes)


def test_targets_have_a_column_for_each_class():
    np.testing.assert_array_equal(one_hot([2, 0], 3), [[0, 0, 1], [1, 0, 0]])


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    """The weights of a small `edge` of FER2013's seven classes, some epochs old, with their record."""
    folder = tmp_path_factory.mktemp("earlier")
    train_small(folder, build=small_edge, out=folder / "earlier.keras")
    return folder / "earlier.keras"


def tune(folder, earlier, **changes):
    settings = {"frozen_epochs": 2, "epochs": 4, "warmup": 1, "weight_decay": 0.1, "class_weight": True}
    settings["best_by"] = "macro_recall"
    return train_small(
        folder,
        own_dataset(),
        build=own_edge,
        initial_weights=earlier,
        **settings | {"precision": "bfloat16", "augmentation": MODELS["edge"].recipe.augmentation} | changes,
    )


@pytest.fixture(scope="module")
def tuned(earlier, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tuned")
    return folder, tune(folder, earlier)


def test_in_the_frozen_epochs_the_new_head_alone_learns(tmp_path, earlier):
    with pytest.raises(KeyboardInterrupt):
        tune(tmp_path, earlier, callbacks=[Interruption(2)])
    *body, kernel, bias = weights_of(tmp_path / "run" / "epoch_2.keras")
    *before, _, _ = weights_of(earlier)
    for found, wanted in zip(body, before, strict=True):  # the averages of the batch normalization, too
        np.testing.assert_array_equal(found, wanted)
    assert kernel.shape == (8, 3)
    assert np.abs(bias).max() > 0


def test_after_the_frozen_epochs_every_layer_learns(tuned, earlier):
    folder, record = tuned
    body, before = (weights_of(path)[:-2] for path in (folder / "run" / "epoch_4.keras", earlier))
    assert all(np.abs(own - other).max() > 0 for own, other in zip(body, before, strict=True))
    assert record["labels"] == list(MINE)
    assert record["arguments"]["classes"] == list(MINE)
    network = keras.saving.load_model(folder / "small.keras", compile=False)
    assert all(layer.trainable for layer in network.layers)


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_run_broken_off_before_or_at_the_end_of_the_frozen_epochs_resumes_alike(
    tmp_path, earlier, tuned, epoch
):
    with pytest.raises(KeyboardInterrupt):
        tune(tmp_path, earlier, callbacks=[Interruption(epoch)])
    record = tune(tmp_path, earlier)
    folder, unbroken = tuned
    assert_equal_weights(tmp_path / "small.keras", folder / "small.keras")
    assert timeless(record["history"]) == timeless(unbroken["history"])


def test_a_run_on_other_class_names_is_another_run(tmp_path):
    settings = {"build": own_edge, "epochs": 1}
    train_small(tmp_path, own_dataset(), **settings)
    with pytest.raises(ValueError, match=r"expected a run with classes=\['a', 'b', 'c'\]"):
        train_small(tmp_path, dataclasses.replace(own_dataset(), classes=("a", "b", "c")), **settings)


def test_seven_classes_of_other_names_have_a_new_head(tmp_path, earlier):
    named = dataclasses.replace(made_dataset(), classes=tuple("abcdefg"))
    train_small(tmp_path, named, build=small_edge, initial_weights=earlier, learning_rate=0.0, seed=5)
    found, before = weights_of(tmp_path / "small.keras"), weights_of(earlier)
    assert np.abs(found[-2] - before[-2]).max() > 0.1
    np.testing.assert_array_equal(found[0], before[0])


def test_a_teacher_of_other_classes_is_refused(tmp_path, earlier):
    named = dataclasses.replace(made_dataset(), classes=tuple("abcdefg"))
    teach = {"teachers": (earlier,), "teacher_share": 0.5}
    with pytest.raises(WeightsError, match=r"expected a teacher of the classes a, b, .* got one of angry"):
        train_small(tmp_path, named, **teach)
    with pytest.raises(WeightsError, match="expected a teacher that gives 3 scores"):
        train_small(tmp_path, own_dataset(), build=own_edge, **teach)
    assert not (tmp_path / "run").exists()


def test_fer_plus_eight_classes_learn_from_their_votes(tmp_path):
    dataset = with_majority_labels(voted_dataset(tmp_path))
    assert dataset.classes == CLASSES
    recipe = dataclasses.replace(MODELS["edge"].recipe, vote_share=0.5)
    rows = dataset.rows("train")
    targets = training_targets(dataset, recipe, rows, None, show_progress=False)
    assert targets["scores"].shape == (len(rows), 8)
    assert targets["votes"].shape == (len(rows), len(VOTES))
    np.testing.assert_allclose(targets["scores"].sum(axis=1), 1, atol=1e-5)


# --- the command -------------------------------------------------------------------------------------


def write_own_faces(folder, counts):
    for name, count in counts.items():
        (folder / name).mkdir(parents=True)
        for number, face in enumerate(drawn_faces(count, seed=len(name))):
            cv2.imwrite(str(folder / name / f"{number:02}.png"), face)
    return folder


def test_the_command_takes_the_classes_from_the_folders_and_drops_what_knows_fer2013_alone(
    tmp_path, small, monkeypatch, capsys
):
    voting = dataclasses.replace(MODELS["edge_tiny"].recipe, vote_share=0.2, precision="float32")
    monkeypatch.setitem(MODELS, "small", dataclasses.replace(small, recipe=voting))
    data = write_own_faces(tmp_path / "faces", {"calm": 40, "very tense": 12})
    out = tmp_path / "mine.keras"
    arguments = ["--model", "small", "--data", str(data), "--out", str(out)]
    assert main([*arguments, "--run-dir", str(tmp_path / "run"), "--epochs", "3"]) == 0
    record = json.loads(out.with_suffix(".json").read_text())
    assert record["labels"] == ["calm", "very tense"]
    assert (record["arguments"]["vote_share"], record["arguments"]["teachers"]) == (0, {})
    faces = {"calm": 32, "very tense": 10}
    assert record["samples"] == {"train": 42, "train_by_class": faces, "left_out": 0, "validation": 5}
    said = capsys.readouterr()
    assert "2 classes: calm, very tense." in said.out
    assert "10 training faces of very tense: with fewer than 20" in said.err


def test_fine_tuning_to_other_classes_keeps_the_released_body_under_a_new_head(tmp_path):
    data = write_own_faces(tmp_path / "faces", {"calm": 30, "tense": 10})
    out = tmp_path / "mine.keras"
    arguments = ["--model", "cnn_lstm", "--fine-tune", "--data", str(data), "--out", str(out)]
    arguments += ["--run-dir", str(tmp_path / "run"), "--epochs", "3", "--frozen-epochs", "1"]
    assert main(arguments) == 0
    record = json.loads(out.with_suffix(".json").read_text())
    assert record["labels"] == ["calm", "tense"]
    assert record["arguments"]["class_weight"] is True
    history, best = record["history"], record["best_epoch"]
    assert max(history["val_macro_recall"]) == history["val_macro_recall"][best - 1]
    assert record["scores"]["validation"].keys() == {"accuracy", "macro_recall"}
    released = weights_of(RELEASED / "cnn_lstm.keras")
    moves = [np.abs(a - b).max() for a, b in zip(weights_of(out)[:-2], released[:-2], strict=True)]
    assert max(moves) < 0.01


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ([], "macro_recall"),
        (["--no-class-weight"], "accuracy"),
        (["--best-by", "accuracy"], "accuracy"),
        (["--no-class-weight", "--best-by", "macro_recall"], "macro_recall"),
    ],
)
def test_where_classes_count_alike_the_epoch_is_chosen_by_macro_recall(options, chosen):
    command = parse(["--model", "cnn_lstm", "--fine-tune", "--out", "mine.keras", *options])
    assert recipe_for("cnn_lstm", command, own_dataset()).best_by == chosen
    assert recipe_for("cnn_lstm", command, made_dataset()).best_by == (
        chosen if "--best-by" in options else "accuracy"
    )


def test_labels_that_can_be_none_are_wrong_usage(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--model", "edge", "--labels", "calm"])
    assert ended.value.code == 2
    assert "'calm': expected 2 to 100 classes, got 1: calm." in capsys.readouterr().err


def test_fer2013s_seven_stay_as_they_were(tmp_path):
    record = train_small(tmp_path)
    assert record["labels"] == list(LABELS)
    assert "classes" not in record["arguments"]
