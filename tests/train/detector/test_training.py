"""A training that is cut off ends as one that was not; the command line says what is wrong."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from dataset.detection.teacher import Photo
from train.detector.__main__ import main
from train.detector.batches import batches_ahead, make_batch
from train.detector.checkpoint import RunError
from train.detector.sampler import Mixture, Pool
from train.detector.training import DivergedError, Recipe, probabilities, train

ROOT = Path(__file__).resolve().parents[3]
NONE = np.empty((0, 4), np.float32)
SMALL = {"input_size": (64, 64), "sizes": ((64, 64),)}
RECIPE = Recipe(steps=4, batch_size=2, steps_per_round=2, warmup=1, **SMALL)


@pytest.fixture(autouse=True, scope="module")
def eager():
    """Computes step by step: tracing the network costs more time than the few steps of a test."""
    tf = pytest.importorskip("tensorflow")
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def pool():
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (90, 120)).astype(np.uint8)
    photo = Photo(image, np.float32([[40, 20, 30, 40]]), np.float32([[48, 35, 62, 35]]), NONE)
    return Pool([photo] * 2, [random.integers(0, 256, (90, 120)).astype(np.uint8) for _ in range(3)], [], [])


class CutOffError(Exception):
    """Stands for a killed process."""


def cut_off_after(rounds):
    """A progress that raises in the middle of the round after so many."""
    begun = []

    def progress(items, _):
        begun.append(1)
        for number, item in enumerate(items):
            if len(begun) > rounds and number == 1:
                raise CutOffError
            yield item

    return progress


def weights_of(path):
    return keras.saving.load_model(path, compile=False).get_weights()


def test_a_run_that_was_cut_off_ends_with_the_same_weights(pool, tmp_path):
    whole = train(RECIPE, pool, pool, out=tmp_path / "whole.keras", run_dir=tmp_path / "whole")
    with pytest.raises(CutOffError):
        train(
            RECIPE,
            pool,
            pool,
            out=tmp_path / "cut.keras",
            run_dir=tmp_path / "cut",
            progress=cut_off_after(1),
        )
    assert not (tmp_path / "cut.keras").exists()
    lines = []
    record = train(RECIPE, pool, pool, out=tmp_path / "cut.keras", run_dir=tmp_path / "cut", say=lines.append)
    for one, other in zip(
        weights_of(tmp_path / "whole.keras"), weights_of(tmp_path / "cut.keras"), strict=True
    ):
        assert one == pytest.approx(other, abs=1e-6)
    assert len(lines) == 1 and lines[0].startswith("step 4 of 4: loss ")
    assert [entry["loss"] for entry in record["history"]] == [entry["loss"] for entry in whole["history"]]
    assert json.loads((tmp_path / "cut.json").read_text())["settings"]["steps"] == 4


def test_a_finished_run_and_other_settings(pool, tmp_path):
    def run(recipe=RECIPE, images=pool, **options):
        return train(recipe, images, images, out=tmp_path / "a.keras", run_dir=tmp_path / "run", **options)

    run(progress=lambda items, _: items)
    before = (tmp_path / "run" / "checkpoint.npz").stat().st_mtime_ns
    run()  # nothing is left to do
    assert (tmp_path / "run" / "checkpoint.npz").stat().st_mtime_ns == before
    with pytest.raises(RunError, match=r"expected a run with batch_size=3, got one with 2; name another"):
        run(dataclasses.replace(RECIPE, batch_size=3))
    with pytest.raises(RunError, match="and 2 backgrounds, got one with 3"):
        run(images=pool._replace(backgrounds=pool.backgrounds[:2]))
    (tmp_path / "run" / "checkpoint.npz").write_bytes(b"PK damaged")
    with pytest.raises(RunError, match=r"checkpoint.npz: expected a checkpoint, got a damaged file"):
        run()


def test_a_start_from_other_weights(pool, tmp_path):
    train(RECIPE, pool, pool, out=tmp_path / "a.keras", run_dir=tmp_path / "a")
    record = train(
        dataclasses.replace(RECIPE, steps=1, learning_rate=1e-9),
        pool,
        pool,
        out=tmp_path / "b.keras",
        run_dir=tmp_path / "b",
        start=tmp_path / "a.keras",
    )
    assert list(record["settings"]["start"]) == ["a.keras"]
    gammas = [weights for weights in weights_of(tmp_path / "a.keras") if weights.ndim == 4]
    again = [weights for weights in weights_of(tmp_path / "b.keras") if weights.ndim == 4]
    assert all(one == pytest.approx(other, abs=1e-4) for one, other in zip(gammas, again, strict=True))
    (tmp_path / "bad.keras").write_bytes(b"no model")
    with pytest.raises(RunError, match=r"bad.keras: expected a detector's .keras file"):
        train(
            RECIPE, pool, pool, out=tmp_path / "c.keras", run_dir=tmp_path / "c", start=tmp_path / "bad.keras"
        )


def test_a_training_that_diverges_is_stopped_and_writes_nothing(pool, tmp_path):
    recipe = dataclasses.replace(RECIPE, learning_rate=float("inf"), warmup=0)
    with pytest.raises(DivergedError, match="expected a finite loss"):
        train(recipe, pool, pool, out=tmp_path / "a.keras", run_dir=tmp_path / "run")
    assert not (tmp_path / "a.keras").exists()


def test_batches_depend_on_seed_and_step_alone(pool):
    options = {"seed": 5, "count": 4}
    ahead = list(
        batches_ahead(
            pool, Mixture(), **options, steps=range(3, 6), sizes=((64, 64), (64, 128)), workers=2, ahead=1
        )
    )
    assert [images.shape for images, _ in ahead] == [(2, 64, 128, 1), (4, 64, 64, 1), (2, 64, 128, 1)]
    images, targets = make_batch(pool, Mixture(), seed=5, step=4, count=4, size=(64, 64))
    assert (ahead[1][0] == images).all() and (ahead[1][1] == targets).all()
    assert (ahead[0][0] != ahead[2][0]).any()


def test_hard_backgrounds_are_likelier():
    assert probabilities(np.zeros(4), 4, 0.5) is None
    assert probabilities(np.float32([0, 1, 1, 0]), 4, 0.5) == pytest.approx([0.125, 0.375, 0.375, 0.125])


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--data", "a"],
        ["--data", "a", "--backgrounds", "b", "--steps", "0"],
        ["--data", "a", "--backgrounds", "b", "--learning-rate", "inf"],
        ["--data", "a", "--backgrounds", "b", "--seed", "-1"],
        ["--data", "a", "--backgrounds", "b", "--threads", "-1"],
        ["--data", "a", "--backgrounds", "b", "--out", "a.tflite"],
        ["--data", "a", "--backgrounds", "b", "--run-dir", __file__],
    ],
)
def test_usage_at_fault_is_exit_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_data_at_fault_is_exit_status_1_and_one_line(tmp_path, capsys):
    assert (
        main(["--data", str(tmp_path / "none"), "--backgrounds", "b", "--run-dir", str(tmp_path / "run")])
        == 1
    )
    said = capsys.readouterr().err
    assert said.startswith(f"{tmp_path / 'none'}: expected a folder or a zip archive of images")
    assert said.count("\n") == 1
    assert main(["--data", "a", "--backgrounds", "b", "--teacher", str(tmp_path / "none.onnx")]) == 1
    assert "expected YuNet's ONNX file" in capsys.readouterr().err


def test_the_command_line_trains_and_writes_a_record(tmp_path):
    random = np.random.default_rng(0)
    for folder in ("photos", "backgrounds"):
        (tmp_path / folder).mkdir()
        for number in range(12):
            cv2.imwrite(
                str(tmp_path / folder / f"{number}.png"), random.integers(0, 256, (80, 100)).astype(np.uint8)
            )
    rows = "".join(f"{number}.png,30,20,30,40\n" for number in range(12))
    (tmp_path / "photos" / "boxes.csv").write_text(f"file,x,y,width,height\n{rows}")
    command = [sys.executable, "-m", "train.detector", "--data", str(tmp_path / "photos"), "--backgrounds"]
    command += [
        str(tmp_path / "backgrounds"),
        "--out",
        str(tmp_path / "d.keras"),
        "--run-dir",
        str(tmp_path / "run"),
    ]
    command += ["--steps", "2", "--batch-size", "1", "--threads", "1"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    )
    assert done.returncode == 0, done.stderr
    assert "step 2 of 2" in done.stdout
    record = json.loads((tmp_path / "d.json").read_text())
    assert str(tmp_path) not in json.dumps(record)
    assert record["images"]["photos"] == 10 and record["sources"]["data"] == ["photos"]
    assert record["threshold"] in {entry["chosen"]["threshold"] for entry in record["history"]}
