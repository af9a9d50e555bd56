"""The artifacts are right on a Raspberry Pi's processors, emulated; the command says what it found."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.portability import arm64, environments
from benchmarks.portability.errors import UnavailableError
from benchmarks.portability.golden import Answers, Comparison, ask, read_golden_scores
from runtime.card import read_card
from runtime.engines import is_installed
from runtime.model import DEFAULT_MODEL, released_models

ROOT = Path(__file__).parents[3]
DATA = ROOT / "tests" / "data"
TINY = {name: DATA / f"tiny_{name}" for name in ("fp32.tflite", "int8_io.tflite", "fp32.onnx")}
FACES = 2


@pytest.fixture(scope="module")
def userland():
    try:
        return environments.userland_of(environments.default_cache(), offline=True)
    except UnavailableError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def emulated(userland):
    """The scores of the tiny files and the default model's on the processor that has least: a Pi 3's."""
    files = [*TINY.values(), *(path for path, card in released_models() if card["model"] == DEFAULT_MODEL)]
    return arm64.ask_emulated(userland, "cortex-a53", files, faces=FACES)


def test_a_pi_3_gives_the_golden_scores(emulated):
    golden = read_golden_scores()
    assert emulated.reasons == {}
    assert emulated.versions["machine"] == "aarch64"
    assert len(emulated.scores) > len(TINY)
    for path, scores in emulated.scores.items():
        card = read_card(path)
        np.testing.assert_allclose(
            scores, golden[card["sha256"]][:FACES], rtol=0, atol=arm64.limit_of(card), err_msg=path.name
        )


def test_an_int8_file_is_bound_more_closely_than_a_float_file():
    limits = {name: arm64.limit_of(read_card(path)) for name, path in TINY.items()}
    assert limits == {"fp32.tflite": 1e-4, "int8_io.tflite": 0.0, "fp32.onnx": 1e-4}
    for _, card in released_models():
        if card["precision"] == "int8":
            assert arm64.limit_of(card) == 1e-6


def test_the_processor_is_always_named(userland):
    """qemu's default, `max`, gives wrong int8 results."""
    command = userland.command("cortex-a72")
    assert command[command.index("-cpu") + 1] == "cortex-a72"
    assert "x86" not in (userland.root / "proc" / "cpuinfo").read_text()


def test_a_gap_within_the_limit_is_right_and_one_beyond_it_is_not():
    path = TINY["int8_io.tflite"]
    here = Answers({path: np.array([[0.25, 0.75], [0.5, 0.5]])}, {}, {})
    same = arm64.cell_of(path, "cortex-a53", here, here)
    assert (same.comparison, same.is_right) == (Comparison(0.0, 2, 2), True)
    moved = Answers({path: np.array([[0.25, 0.75], [0.49609375, 0.50390625]])}, {}, {})
    wrong = arm64.cell_of(path, "cortex-a53", moved, here)
    assert (wrong.comparison, wrong.is_right) == (Comparison(0.00390625, 1, 2), False)
    lost = arm64.cell_of(path, "cortex-a53", Answers({}, {path: "the file ended the process"}, {}), here)
    assert (lost.reason, lost.is_right) == ("the file ended the process", False)
    assert arm64.render([same], ["cortex-a53"]).splitlines() == [
        "artifact               limit              A53 (Pi 3)",
        "tiny_int8_io.tflite    0e+00                  0, 2/2",
    ]
    assert arm64.text_of(wrong) == "TOO FAR: 3.9e-03, 1/2"
    assert arm64.render([lost], ["cortex-a53"]).splitlines()[1:] == [
        "tiny_int8_io.tflite    0e+00             did not run",
        "tiny_int8_io.tflite on cortex-a53: the file ended the process",
    ]


@pytest.mark.skipif(not is_installed("litert"), reason="needs the package ai-edge-litert")
def test_the_command_skips_with_a_reason_where_the_userland_is_missing(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks",
            "arm64",
            str(TINY["fp32.tflite"]),
            "--offline",
            "--cache",
            tmp_path,
        ],
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "Skipped: needs the emulator qemu-user-static, which is made once: "
        "python -m benchmarks runtimes --prepare.\n"
    )


def test_the_command_names_a_file_that_is_none():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "arm64", "nowhere.tflite"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("nowhere.tflite: expected an artifact or a folder of artifacts")


def test_this_machine_is_asked_by_the_same_worker():
    assert ask([sys.executable], "opencv", [TINY["fp32.onnx"]], faces=1).scores[TINY["fp32.onnx"]].shape == (
        1,
        7,
    )
