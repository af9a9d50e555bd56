"""Several processes: each makes its rows of the batches that one process would make."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("keras")

from train.augmentation import augment
from train.batches import FaceBatches
from train.recipes import Augmentation
from train.shares import Shares

EVERYTHING = Augmentation(
    rotation=20,
    scale=(0.7, 1.2),
    shift=0.2,
    brightness=0.3,
    contrast=0.5,
    cutout=0.4,
    surroundings=0.5,
    degraded=0.5,
)


def noise_faces(count):
    return np.random.default_rng(3).integers(0, 256, (count, 48, 48, 1), dtype=np.uint8)


@settings(max_examples=100, deadline=None)
@given(
    processes=st.integers(1, 9),
    devices_of_each=st.integers(1, 4),
    sizes=st.lists(st.integers(1, 100), min_size=1, max_size=3),
)
def test_every_device_gets_equally_many_rows_and_copies_of_the_last_one_come_last(
    processes, devices_of_each, sizes
):
    devices = processes * devices_of_each
    padded = Shares(0, processes, devices).padded(sizes)
    assert padded.keys() == set(sizes)
    assert len(set(padded.values())) == len(padded)  # a step tells batches apart by their padded size
    for size, rows in padded.items():
        assert rows % devices == 0
        parts = [Shares(process, processes, devices).rows_of(size, rows) for process in range(processes)]
        assert len({len(part) for part in parts}) == 1
        assert np.concatenate(parts).tolist() == [*range(size), *[size - 1] * (rows - size)]


def test_a_process_alone_pads_nothing():
    assert Shares().padded([64, 37]) == {64: 64, 37: 37}


@pytest.mark.parametrize("processes", [2, 3])
@pytest.mark.parametrize("augmentation", [None, EVERYTHING])
def test_the_batches_of_all_processes_together_are_those_of_one(processes, augmentation):
    count, size = 23, 9  # batches of 9, 9 and 5
    targets = {"scores": np.eye(count, dtype="float32"), "votes": np.ones((count, 2), "float32")}
    keywords = {
        "batch_size": size,
        "seed": 7,
        "augmentation": augmentation,
        "weights": np.arange(count, dtype="float32"),
    }
    whole = FaceBatches(noise_faces(count), targets, **keywords)
    parts = [
        FaceBatches(noise_faces(count), targets, shares=Shares(process, processes, processes), **keywords)
        for process in range(processes)
    ]
    for batches in (whole, *parts):
        batches.start(4)
    for index in range(len(whole)):
        faces, told, weights = whole[index]
        made = [part[index] for part in parts]
        np.testing.assert_array_equal(np.concatenate([part[0] for part in made])[: len(faces)], faces)
        for head, values in told.items():
            own = np.concatenate([part[1][head] for part in made])[: len(faces)]
            np.testing.assert_array_equal(own, values)
        own = np.concatenate([part[2]["scores"] for part in made])[: len(faces)]
        np.testing.assert_array_equal(own, weights["scores"])


def test_some_rows_of_a_batch_are_augmented_as_among_all():
    faces = noise_faces(12).astype("float32")
    rows = np.array([7, 0, 11, 11])
    every = augment(faces, np.random.default_rng(0), EVERYTHING)
    some = augment(faces, np.random.default_rng(0), EVERYTHING, rows=rows)
    np.testing.assert_array_equal(some, every[rows])


def test_batches_that_are_not_shuffled_keep_the_order_of_the_faces():
    batches = FaceBatches(
        noise_faces(7), np.eye(7, dtype="float32"), batch_size=4, seed=0, augmentation=None, shuffle=False
    )
    for epoch in (0, 5):
        batches.start(epoch)
        order = np.concatenate([batches[index][1].argmax(axis=1) for index in range(len(batches))])
        assert order.tolist() == list(range(7))
