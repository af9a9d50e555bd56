"""Knowledge distillation: what teachers make of the targets, and teachers that are none."""

import hashlib
import zipfile

import keras
import numpy as np
import pytest

pytest.importorskip("tensorflow")

from dataset.duplicates import training_samples
from tests.support.made_faces import made_dataset
from tests.support.trainings import scores_of, small_network, train_small
from train.batches import FaceBatches
from train.distillation import read_teachers, scores_of_plain_faces, softened
from train.errors import WeightsError
from train.recipes import Augmentation
from train.targets import one_hot

BRIGHTENED = Augmentation(rotation=0, scale=0, shift=0, brightness=0.2, contrast=0)


@pytest.fixture(scope="module")
def teachers(tmp_path_factory):
    """Two `.keras` files of networks with different weights."""
    paths = []
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        paths.append(tmp_path_factory.mktemp("teachers") / f"teacher_{seed}.keras")
        small_network().save(paths[-1])
    return paths


def faces_and_labels():
    dataset = made_dataset()
    return (part[training_samples(dataset)] for part in dataset.split("train"))


def first_batch(faces, targets):
    return FaceBatches(faces, targets, batch_size=1000, seed=0, augmentation=BRIGHTENED)[0]


def loss_of(folder, faces, targets):
    """The mean cross-entropy of the trained network of a folder."""
    return -(targets * np.log(scores_of(folder / "small.keras", faces))).sum(1).mean()


def test_teachers_make_up_their_share_of_the_targets_for_the_faces_as_augmented(tmp_path, teachers):
    # At a learning rate of 0 the weights stay, so that the epoch's loss can be computed from the outside.
    settings = {"teachers": tuple(teachers), "teacher_share": 0.25, "augmentation": BRIGHTENED}
    record = train_small(tmp_path, learning_rate=0.0, batch_size=1000, **settings)
    faces, labels = faces_and_labels()
    seen, own = first_batch(faces, one_hot(labels))
    targets = 0.75 * own + 0.25 * np.mean([scores_of(path, seen) for path in teachers], axis=0)
    assert record["history"]["loss"] == [pytest.approx(loss_of(tmp_path, seen, targets), rel=1e-4)]
    assert record["trained_on"] == "made.csv's own labels and the scores of teacher_1, teacher_2"
    sums = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in teachers}
    assert (record["arguments"]["teachers"], record["arguments"]["teacher_share"]) == (sums, 0.25)


def test_a_temperature_softens_the_mean_of_the_teachers_scores(tmp_path, teachers):
    settings = {"teachers": tuple(teachers), "teacher_share": 0.25, "teacher_temperature": 3.0}
    record = train_small(tmp_path, learning_rate=0.0, batch_size=1000, augmentation=BRIGHTENED, **settings)
    faces, labels = faces_and_labels()
    seen, own = first_batch(faces, one_hot(labels))
    soft = np.mean([scores_of(path, seen) for path in teachers], axis=0) ** (1 / 3)
    targets = 0.75 * own + 0.25 * soft / soft.sum(axis=1, keepdims=True)
    assert record["history"]["loss"] == [pytest.approx(loss_of(tmp_path, seen, targets), rel=1e-4)]
    assert record["arguments"]["teacher_temperature"] == 3.0


def test_a_temperature_leaves_a_score_of_zero_finite():
    sharp = np.array([[1, 0, 0]], "float32")
    assert softened(sharp, 4.0).sum() == pytest.approx(1)
    assert softened(sharp, 0.1) == pytest.approx(sharp)


def test_teachers_of_plain_faces_score_each_once_with_its_mirror_image(tmp_path, teachers):
    settings = {"teachers": (teachers[0],), "teacher_share": 0.25, "augmentation": BRIGHTENED}
    record = train_small(tmp_path, learning_rate=0.0, batch_size=1000, teacher_input="plain", **settings)
    faces, labels = faces_and_labels()
    plain, mirrored = (scores_of(teachers[0], each) for each in (faces, faces[:, :, ::-1]))
    seen, targets = first_batch(faces, 0.75 * one_hot(labels) + 0.25 * (plain + mirrored) / 2)
    assert record["history"]["loss"] == [pytest.approx(loss_of(tmp_path, seen, targets), rel=1e-4)]
    assert record["arguments"]["teacher_input"] == "plain"


def test_plain_faces_are_scored_in_batches_in_their_order(teachers):
    faces = np.random.default_rng(0).integers(0, 256, (300, 48, 48, 1), dtype=np.uint8)
    teacher = read_teachers(teachers[:1], precision="float32")
    expected = (scores_of(teachers[0], faces) + scores_of(teachers[0], faces[:, :, ::-1])) / 2
    found = scores_of_plain_faces(teacher, faces, show_progress=False)
    np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(
    "files",
    [None, {"metadata.json": "{}"}, {"config.json": "[]", "metadata.json": "{}"}],
    ids=["cut", "no configuration", "another configuration"],
)
def test_a_teacher_that_is_none_is_named(tmp_path, files):
    path = tmp_path / "teacher.keras"
    if files is None:
        path.write_bytes(b"PK\x03\x04")
    else:
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in files.items():
                archive.writestr(name, text)
    with pytest.raises(
        WeightsError, match=f"{path}: expected a teacher, a .keras file of this kit"
    ) as caught:
        train_small(tmp_path, teachers=(path,), teacher_share=0.5)
    assert caught.value.path == path


@pytest.mark.parametrize("channels, classes", [(3, 7), (1, 5)])
def test_a_teacher_of_something_else_is_named(tmp_path, channels, classes):
    faces = keras.Input((48, 48, channels))
    scores = keras.layers.Dense(classes, activation="softmax")(keras.layers.Flatten()(faces))
    path = tmp_path / "teacher.keras"
    keras.Model(faces, scores).save(path)
    with pytest.raises(WeightsError, match=r"teacher\.keras: expected a teacher that gives 7 scores"):
        read_teachers([path], precision="float32")
