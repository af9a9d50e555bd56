import numpy as np
import pytest

from dataset.duplicates import training_samples
from train.throughput import epoch_seconds, made_up_faces, render


def test_training_leaves_none_of_the_made_up_faces_out():
    dataset = made_up_faces(200)
    assert training_samples(dataset).sum() == 200
    assert set(np.unique(dataset.split("train")[1])) == set(range(7))


def test_each_way_gives_the_seconds_of_every_epoch_but_the_first(small):
    pytest.importorskip("keras")
    dataset = made_up_faces(64)
    for way in ("plain", "bfloat16"):
        seconds = epoch_seconds(way, "small", dataset, epochs=2, batch_size=32)
        assert len(seconds) == 1
        assert min(seconds) > 0


def test_the_table_gives_the_ratio_to_the_plain_fit():
    rates = {"cnn": {"plain": 1000.0, "ours": 1100.0, "augmented": 900.0, "bfloat16": 1500.0}}
    assert render(rates).splitlines()[2] == "| cnn | 1,000 | 1,100 | 1.10 | 900 | 0.90 | 1,500 | 1.50 |"
