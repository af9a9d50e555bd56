"""Tasks in processes of their own, and what is left of them."""

import threading
import time

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("onnx")

import keras

from export import own_process
from export.errors import ConversionError
from export.own_process import in_own_process
from export.parity_faces import parity_faces


@pytest.fixture(scope="module")
def faces_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("faces") / "faces.npy"
    np.save(path, parity_faces(20, seed=4))
    return path


def check_scores(tiny, faces_file, scores_file):
    in_own_process("scores", tiny, faces_file, scores_file)
    expected = keras.saving.load_model(tiny).predict(np.load(faces_file).astype("float32"), verbose=0)
    np.testing.assert_allclose(np.load(scores_file), expected, atol=1e-6)


def test_tasks_share_a_server_and_no_process(tiny, faces_file, tmp_path):
    check_scores(tiny, faces_file, tmp_path / "first.npy")
    (server, *_) = own_process.idle
    check_scores(tiny, faces_file, tmp_path / "second.npy")
    assert server in own_process.idle
    assert server.poll() is None


def test_where_a_system_cannot_fork_each_task_has_a_server(monkeypatch, tiny, faces_file, tmp_path):
    monkeypatch.setattr(own_process, "CAN_FORK", False)
    monkeypatch.setattr(own_process, "idle", [])
    monkeypatch.setattr(own_process, "servers", set())
    check_scores(tiny, faces_file, tmp_path / "scores.npy")
    assert own_process.servers == set()


def test_an_error_is_raised_with_file_and_task(tmp_path):
    missing = tmp_path / "none.keras"
    with pytest.raises(ConversionError) as caught:
        in_own_process("scores", missing, tmp_path / "faces.npy", tmp_path / "scores.npy")
    assert (caught.value.path, caught.value.task) == (missing, "scores")
    assert caught.value.reason.startswith("scores failed: FileNotFoundError")


def test_stopping_ends_a_task_at_once(monkeypatch, tiny, tmp_path):
    monkeypatch.setattr(own_process, "idle", [])
    monkeypatch.setattr(own_process, "servers", set())
    np.save(tmp_path / "faces.npy", np.zeros((5000, 48, 48, 1), np.uint8))
    caught = []

    def work():
        try:
            in_own_process("scores", tiny, tmp_path / "faces.npy", tmp_path / "scores.npy")
        except ConversionError as error:
            caught.append(error.reason)

    thread = threading.Thread(target=work)
    thread.start()
    while not own_process.servers and thread.is_alive():
        time.sleep(0.01)
    (server,) = own_process.servers
    own_process.stop_all()
    thread.join(timeout=20)
    assert not thread.is_alive()
    assert caught == ["scores died of signal 9"]
    assert own_process.servers == set()
    assert server.poll() is not None
