"""What the tests of the study share: faces, the networks, and trainings that take long."""

import pytest

from study.experiments import EXPERIMENTS
from tests.support.study import keras_or_skip, write_faces


@pytest.fixture(autouse=True)
def without_the_real_data(monkeypatch):
    for variable in ("FER2013", "FERPLUS"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="session")
def faces_csv(tmp_path_factory):
    """A CSV of a few drawn faces in FER2013's splits; see `write_faces`."""
    path = tmp_path_factory.mktemp("faces") / "fer2013.csv"
    write_faces(path)
    return path


@pytest.fixture(scope="session")
def networks():
    """The network of every experiment, by name; those of the same options are one."""
    keras_or_skip()
    from study.networks import NETWORKS

    built = {}
    for experiment in EXPERIMENTS.values():
        key = (experiment.network, str(experiment.options))
        if key not in built:
            built[key] = NETWORKS[experiment.network](**experiment.options)
    return {name: built[e.network, str(e.options)] for name, e in EXPERIMENTS.items()}
