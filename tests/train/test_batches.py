"""The input pipeline: which faces a batch holds, in what order."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("keras")

from train.batches import FaceBatches
from train.models import MODELS
from train.recipes import Augmentation

EVERYTHING = Augmentation(rotation=20, scale=0.3, shift=0.2, brightness=0.3, contrast=0.5)


def noise_faces(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 48, 48, 1), dtype=np.uint8)


def batches_of(count, **keywords):
    """Batches of faces that show their own number as gray level, each with its number as target too."""
    faces = np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 48, 48, 1))
    targets = np.eye(count, dtype="float32")
    return FaceBatches(faces, targets, **{"batch_size": 8, "seed": 0, "augmentation": None} | keywords)


def all_batches(batches, epoch):
    batches.start(epoch)
    return [batches[index] for index in range(len(batches))]


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(1, 40),
    batch_size=st.integers(1, 50),
    seed=st.integers(0, 2**32 - 1),
    epoch=st.integers(0, 1000),
)
def test_every_face_stands_once_in_every_epoch_beside_its_own_target(count, batch_size, seed, epoch):
    found = all_batches(batches_of(count, batch_size=batch_size, seed=seed), epoch)
    assert [len(faces) for faces, _ in found[:-1]] == [batch_size] * (len(found) - 1)
    assert 0 < len(found[-1][0]) <= batch_size
    numbers = np.concatenate([faces[:, 0, 0, 0] for faces, _ in found])
    targets = np.concatenate([targets for _, targets in found])
    assert sorted(numbers.tolist()) == list(range(count))
    assert targets.argmax(axis=1).tolist() == numbers.tolist()


@pytest.mark.parametrize("augmentation", [None, EVERYTHING])
def test_the_same_seed_and_epoch_give_the_same_batches_whatever_was_read_before(augmentation):
    faces, targets = noise_faces(30), np.eye(30, dtype="float32")
    keywords = {"batch_size": 8, "seed": 5, "augmentation": augmentation}
    unbroken, resumed = FaceBatches(faces, targets, **keywords), FaceBatches(faces, targets, **keywords)
    for epoch in range(3):
        expected = all_batches(unbroken, epoch)
    resumed.start(2)
    for index in (3, 0, 2, 1):  # in any order, as parallel workers would
        np.testing.assert_array_equal(resumed[index][0], expected[index][0])
        np.testing.assert_array_equal(resumed[index][1], expected[index][1])


def test_another_epoch_and_another_seed_give_another_order():
    orders = [
        np.concatenate([faces[:, 0, 0, 0] for faces, _ in all_batches(batches_of(40, seed=seed), epoch)])
        for seed, epoch in ((0, 0), (0, 1), (1, 0), (1, 1))
    ]
    assert len({order.tobytes() for order in orders}) == 4


def test_one_face_is_augmented_anew_in_every_epoch_and_batch():
    faces = np.repeat(noise_faces(1), 4, axis=0)
    batches = FaceBatches(
        faces,
        np.zeros((4, 7), "float32"),
        batch_size=2,
        seed=0,
        augmentation=MODELS["cnn"].recipe.augmentation,
    )
    seen = np.concatenate([batch for epoch in (0, 1) for batch, _ in all_batches(batches, epoch)])
    assert len(np.unique(seen, axis=0)) == 8


def test_without_augmentation_a_batch_holds_the_faces_as_they_are():
    faces = noise_faces(10)
    batches = FaceBatches(faces, np.eye(10, dtype="float32"), batch_size=4, seed=0, augmentation=None)
    for got, targets in all_batches(batches, 0):
        assert got.dtype == np.float32
        np.testing.assert_array_equal(got, faces[targets.argmax(axis=1)])


def test_a_teacher_sees_the_faces_before_they_are_degraded():
    seen = []

    def teacher(faces):
        seen.append(faces)
        return np.zeros((len(faces), 4), "float32")

    def faces_of_a_batch(degraded):
        batches = FaceBatches(
            noise_faces(4),
            np.eye(4, dtype="float32"),
            batch_size=4,
            seed=0,
            augmentation=replace(EVERYTHING, degraded=degraded),
            teacher=teacher,
            teacher_share=0.5,
        )
        return batches[0][0]

    clear, degraded = faces_of_a_batch(0.0), faces_of_a_batch(1.0)
    np.testing.assert_array_equal(seen[1], clear)
    assert np.abs(degraded - clear).mean() > 5
