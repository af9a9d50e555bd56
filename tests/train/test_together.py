"""`python -m train --distribute`: several processes end with the weights of one, or each says why not."""

import json
import signal
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("jax", reason="needs JAX: pip install -r requirements/distribute.txt")

from tests.support.made_faces import voted_dataset, write_dataset
from tests.support.together import ended, free_port, start, start_together
from tests.support.trainings import timeless, weights_of
from train.cluster import Place
from train.distribution import joined
from train.errors import MismatchError

# Half the time to compile, which is most of these processes' time.
QUICK = "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
BATCH = 27  # 84 faces: 27, 27, 27 and 3, none of which two processes can halve
ENDED = "Start all processes with the same command: the training goes on after the last whole epoch."


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    """The arguments and the environment of a training with votes, batch normalization and dropout."""
    folder = tmp_path_factory.mktemp("faces")
    data = write_dataset(folder / "fer2013.csv", voted_dataset(folder))
    cache = {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path_factory.mktemp("cache")),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        "XLA_FLAGS": QUICK,
    }
    arguments = ["--model", "tiny", "--data", data, "--batch-size", BATCH, "--best-by", "macro_recall"]
    return arguments, cache


def run_alone(folder, arguments, environment):
    """Trains in one process."""
    command = [*arguments, "--out", folder / "tiny.keras", "--run-dir", folder / "run"]
    ((status, _, errors),) = ended([start(*command, **{"KERAS_BACKEND": "jax"} | environment)])
    assert status == 0, errors
    return folder


def run_together(processes, folder, arguments, environment, *, kill=None):
    """Trains in several processes; process 0 dies at `kill`."""
    command = [*arguments, "--out", folder / "tiny.keras", "--run-dir", folder / "run"]
    environments = [environment | ({"KILL": kill} if kill else {}), *[environment] * (processes - 1)]
    return ended(start_together(processes, *command, environments=environments))


def record_in(folder):
    return json.loads((folder / "tiny.json").read_text())


def assert_near(folder, other, *, atol=1e-5):
    """The released and the last weights of two runs are equal, but for `atol`."""
    for name in ("tiny.keras", "run/epoch_3.keras", "run/best.keras"):
        for one, two in zip(weights_of(folder / name), weights_of(other / name), strict=True):
            np.testing.assert_allclose(one, two, rtol=0, atol=atol)


@pytest.fixture(scope="module")
def whole(training, tmp_path_factory):
    """The folder of the run of one process."""
    return run_alone(tmp_path_factory.mktemp("whole"), *training)


def test_a_run_of_two_processes_killed_and_resumed_by_three_ends_with_the_weights_of_one(
    training, whole, tmp_path
):
    killed, left = run_together(2, tmp_path, *training, kill="state.json:2")
    assert killed[0] == -signal.SIGTERM
    assert left[0] == 3, left[2]
    assert left[2].splitlines()[-1].startswith("Lost process 0 (")
    assert left[2].strip().endswith(ENDED)
    assert json.loads((tmp_path / "run" / "state.json").read_text())["epochs_done"] == 1
    assert not (tmp_path / "tiny.keras").exists()

    resumed = run_together(3, tmp_path, *training)
    assert [status for status, _, _ in resumed] == [0, 0, 0], resumed
    assert resumed[0][1].splitlines()[-1].startswith("tiny: validation accuracy ")
    for process in (1, 2):
        said = f"tiny: process {process} of 3 is done; process 0 writes."
        assert resumed[process][1].splitlines()[-1] == said

    assert_near(tmp_path, whole)
    record, expected = record_in(tmp_path), record_in(whole)
    assert record["distribution"] == {"processes": 3, "global_batch": BATCH}
    assert record["arguments"] == expected["arguments"]
    assert "distribution" not in expected
    history = timeless(record["history"])
    assert history.pop("processes") == [2, 3, 3]
    for name, values in timeless(expected["history"]).items():
        assert history[name] == pytest.approx(values, abs=1e-5), name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run", "tiny.json", "tiny.keras"]
    files = {path.name for path in (tmp_path / "run").glob("[!.]*")}  # the killed process left one with a dot
    assert files == {"best.keras", "epoch_3.keras", "log.csv", "state.json"}


def test_one_process_with_three_devices_ends_with_the_weights_of_one_with_one(training, whole, tmp_path):
    arguments, environment = training
    devices = {"XLA_FLAGS": f"{QUICK} --xla_force_host_platform_device_count=3"}
    devices |= {"KERAS_BACKEND": "tensorflow", "WITH_TENSORFLOW": "1"}  # as where both are installed
    run_alone(tmp_path, [*arguments, "--distribute", "--processes", 1], environment | devices)
    assert_near(tmp_path, whole)


def test_a_teacher_teaches_two_processes_what_it_teaches_one(training, whole, tmp_path):
    arguments, environment = training
    taught = [*arguments, "--teachers", whole / "tiny.keras", "--teacher-share", "0.5"]
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one = run_alone(tmp_path / "one", taught, environment)
    together = run_together(2, tmp_path / "two", taught, environment)
    assert [status for status, _, _ in together] == [0, 0], together
    assert_near(tmp_path / "two", one)


def test_two_processes_train_in_bfloat16(training, tmp_path):
    arguments, environment = training
    together = run_together(2, tmp_path, [*arguments, "--precision", "bfloat16"], environment)
    assert [status for status, _, _ in together] == [0, 0], together
    assert record_in(tmp_path)["epochs_trained"] == 3
    assert all(np.isfinite(weights).all() for weights in weights_of(tmp_path / "tiny.keras"))


def test_processes_with_other_settings_all_say_so(training, tmp_path):
    arguments, environment = training
    command = [*arguments, "--out", tmp_path / "tiny.keras", "--run-dir", tmp_path / "run", "--distribute"]
    command += ["--coordinator", f"localhost:{free_port()}", "--processes", 2]
    for status, out, errors in ended(
        [start(*command, "--process-id", number, "--seed", number, **environment) for number in (0, 1)]
    ):
        assert (status, out) == (1, "")
        assert errors.splitlines()[-1].startswith("Expected seed=0, as process 0 (")
    assert not any(tmp_path.iterdir())


def test_a_process_that_alone_is_to_start_over_is_named(tmp_path):
    coordinator = f"localhost:{free_port()}"

    def meet_as(process):
        place, folder = Place(coordinator, 2, process), tmp_path / str(process)
        with (
            pytest.raises(MismatchError, match="--restart=False"),
            joined(place, {}, folder, restart=process == 1, timeout=60),
        ):
            pass

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(meet_as, (0, 1)))


def test_a_missing_process_is_named_after_the_timeout(training, tmp_path):
    arguments, environment = training
    command = [*arguments, "--out", tmp_path / "tiny.keras", "--run-dir", tmp_path / "run", "--distribute"]
    command += ["--coordinator", f"localhost:{free_port()}", "--processes", 2, "--process-id", 0]
    ((status, out, errors),) = ended([start(*command, "--timeout", 1, **environment)])
    assert (status, out) == (3, "")
    assert errors.splitlines()[-1].startswith("Expected 2 processes, got 1: missing 1. ")
    assert not any(tmp_path.iterdir())
