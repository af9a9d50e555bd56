"""Runs that several tests of training look at; each is trained once."""

import pytest

from train.models import MODELS, ModelEntry


@pytest.fixture(scope="session")
def unbroken(tmp_path_factory):
    """A folder with a whole run that was never interrupted, and its record."""
    pytest.importorskip("tensorflow")
    from tests.support.trainings import train_broken_off

    folder = tmp_path_factory.mktemp("unbroken")
    return folder, train_broken_off(folder, tensorboard=True)


@pytest.fixture(scope="session")
def interrupted(tmp_path_factory):
    """A folder with the same run, interrupted after its first epoch."""
    pytest.importorskip("tensorflow")
    from tests.support.trainings import Interruption, train_broken_off

    folder = tmp_path_factory.mktemp("interrupted")
    with pytest.raises(KeyboardInterrupt):
        train_broken_off(folder, callbacks=[Interruption(1)])
    return folder


@pytest.fixture
def small(monkeypatch):
    """A model that trains in a second, added to the table: the command then knows it."""
    entry = ModelEntry(
        architecture="build_cnn",
        options={"filters": (4,), "dense": (8,)},
        recipe=MODELS["cnn_lstm"].recipe,
        description="A small net.",
        wheel=(),
    )
    monkeypatch.setitem(MODELS, "small", entry)
    return entry
