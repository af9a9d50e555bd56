"""`ferkit verify`: what passes, what fails with which words, and that no file brings it down."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from runtime.card import card_path
from runtime.command import verify as verify_module
from runtime.command.cli import main
from runtime.command.verify import FAILED, NOT_CHECKED, PASSED
from runtime.engines import ENGINES_OF_SUFFIX
from runtime.model import RELEASED, load_model
from tests.support.golden import GOLDEN, face_of
from tests.support.tiny_models import (
    CHECKS,
    DATA,
    FILES,
    ROOT,
    artifact,
    changed,
    found,
    has_engine,
    results,
)

TFLITE_FACTS = (
    "model, description, licence, labels, version, colour_space, normalization, input_range, output_range"
)
RELEASED_FILES = sorted(path for path in RELEASED.iterdir() if path.suffix in ENGINES_OF_SUFFIX)


@pytest.mark.parametrize(
    ("name", "signature", "facts"),
    [
        (
            "tiny_fp32.tflite",
            "faces (1, 48, 48, 1) float32 -> scores (1, 7) float32",
            TFLITE_FACTS,
        ),
        (
            "tiny_int8_io.tflite",
            "faces (1, 48, 48, 1) int8 -> scores (1, 7) int8",
            TFLITE_FACTS,
        ),
        (
            "tiny_fp32.onnx",
            "faces (n, 48, 48, 1) float32 -> scores (n, 7) float32",
            "card_version, model, precision, description, licence, labels, input, output, versions",
        ),
    ],
)
def test_an_exported_file_passes_and_its_scores_are_unknown(tmp_path, capsys, name, signature, facts):
    path = artifact(name, tmp_path)
    form = "a TFLite" if path.suffix == ".tflite" else "an ONNX"
    assert main(["verify", str(path)]) == 0
    assert capsys.readouterr().out == (
        f"{path}: file passed: {form} file\n"
        f"{path}: card passed: tiny, {name.split('.')[0].removeprefix('tiny_')}\n"
        f"{path}: sha256 passed: {hashlib.sha256(path.read_bytes()).hexdigest()}\n"
        f"{path}: signature passed: {signature}\n"
        f"{path}: metadata passed: {facts}\n"
        f"{path}: golden not checked: no scores of this file are recorded: "
        "it is not a released file of this version\n"
    )


@pytest.mark.parametrize("path", RELEASED_FILES, ids=lambda path: path.name)
def test_a_released_file_passes_every_check_that_it_can_be_given(path):
    result = results(path)
    assert list(result) == CHECKS
    if not has_engine(path):
        assert result.pop("golden") == NOT_CHECKED
    if result["metadata"] == NOT_CHECKED:
        assert found(path, "metadata") == "the file holds none; older exports wrote none"
        del result["metadata"]
    assert set(result.values()) == {PASSED}


@pytest.mark.parametrize("name", FILES)
def test_a_file_without_metadata_is_not_checked_for_it(name):
    assert results(DATA / name) == dict(zip(CHECKS, [PASSED] * 4 + [NOT_CHECKED] * 2, strict=True))


def test_json_is_a_line_per_check_of_every_file(tmp_path, capsys):
    path, missing = artifact("tiny_fp32.tflite", tmp_path), tmp_path / "none.onnx"
    assert main(["verify", str(path), str(missing), "--json"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["file"], line["check"]) for line in lines] == [
        (str(file), check) for file in (path, missing) for check in CHECKS
    ]
    assert lines[3] == {
        "file": str(path),
        "check": "signature",
        "result": "passed",
        "found": "faces (1, 48, 48, 1) float32 -> scores (1, 7) float32",
    }
    assert [line["result"] for line in lines[6:]] == ["failed"] * 2 + ["not checked"] * 4


@pytest.mark.parametrize("name", FILES)
def test_one_bit_changed_fails_by_its_sha256_and_the_file_is_not_run(tmp_path, capsys, name):
    path = artifact(name, tmp_path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert main(["verify", str(path)]) == 1
    assert results(path)["sha256"] == FAILED
    assert found(path, "sha256").startswith("expected the file that its card describes (sha256 ")
    assert "golden not checked: the file is not known to be the one of its card\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "change", "check", "said"),
    [
        (
            "tiny_fp32.tflite",
            lambda card: card["labels"].reverse(),
            "metadata",
            'expected labels ["neutral", "surprise", "sad", "happy", "fear", "disgust", "angry"] as the card '
            'says, got ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]. ',
        ),
        (
            "tiny_fp32.tflite",
            lambda card: card.update(licence="proprietary"),
            "metadata",
            'expected licence "proprietary" as the card says, got "MIT". ',
        ),
        (
            "tiny_fp32.tflite",
            lambda card: card.update(model="edge"),
            "metadata",
            'expected model "edge" as the card says, got "tiny". ',
        ),
        (
            "tiny_int8_io.tflite",
            lambda card: card["parity"].update(reference_sha256="f" * 64),
            "metadata",
            'expected version "ffffffffffffffff" as the card says, got "0123456789abcdef". ',
        ),
        (
            "tiny_fp32.onnx",
            lambda card: card["input"]["crop"]["haar"].update(scale=1.2),
            "metadata",
            'expected input {"name": "faces", ',
        ),
        (
            "tiny_fp32.onnx",
            lambda card: card["input"].update(shape=[1, 48, 48, 1]),
            "signature",
            "expected input.shape [1, 48, 48, 1] as the card says, got [null, 48, 48, 1]. ",
        ),
        (
            "tiny_fp32.tflite",
            lambda card: card["input"].update(dtype="int8", quantization={"scale": 1.0, "zero_point": -128}),
            "signature",
            'expected input.dtype "int8" as the card says, got "float32"; expected input.quantization '
            '{"scale": 1.0, "zero_point": -128} as the card says, got null. ',
        ),
        (
            "tiny_int8_io.tflite",
            lambda card: card["output"]["quantization"].update(scale=0.004),
            "signature",
            'expected output.quantization {"scale": 0.004, "zero_point": -128} as the card says, got '
            '{"scale": 0.00390625, "zero_point": -128}. ',
        ),
        (
            "tiny_fp32.tflite",
            lambda card: card["output"].update(name="logits"),
            "signature",
            'expected output.name "logits" as the card says, got "scores". ',
        ),
    ],
)  # fmt: skip
def test_a_card_with_another_fact_fails_with_both(tmp_path, name, change, check, said):
    path = changed(artifact(name, tmp_path), change)
    failed = [name for name, result in results(path).items() if result == FAILED]
    assert check in failed and set(failed) <= {"signature", "metadata"}
    assert found(path, check).startswith(said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda card: card["input"]["crop"]["yunet"].update(scale=3.0), "expected input {"),
        (lambda card: card["parity"].update(largest_gap=0.9), "expected parity {"),
        (lambda card: card.update(accuracy=None), "expected accuracy {"),
        (lambda card: card.update(precision="fp32"), 'expected precision "int8" as the card of this'),
    ],
    ids=["crop", "parity", "accuracy", "precision"],
)
@pytest.mark.parametrize("suffix", [".tflite", ".onnx"])
def test_an_edited_card_of_a_released_file_fails(tmp_path, suffix, change, said):
    released = RELEASED / f"edge_int8{suffix}"
    path = Path(shutil.copy(released, tmp_path))
    shutil.copy(card_path(released), tmp_path)
    assert results(path)["card"] == PASSED
    changed(path, change)
    assert results(path)["card"] == FAILED
    assert found(path, "card").startswith(said)
    assert found(path, "card").endswith(". Copy the card again.")


def test_a_released_file_under_another_name_passes(tmp_path):
    path = Path(shutil.copy(RELEASED / "edge_int8.tflite", tmp_path / "mine.tflite"))
    shutil.copy(card_path(RELEASED / "edge_int8.tflite"), card_path(path))
    assert FAILED not in results(changed(path, lambda card: card.update(file="mine.tflite"))).values()


def test_a_scale_with_more_digits_than_float32_has_is_the_same(tmp_path):
    """The nearest float32 to 0.1 is 0.10000000149."""
    assert verify_module.alike(
        {"scale": float(np.float32(0.1)), "zero_point": 3}, {"scale": 0.1, "zero_point": 3}
    )
    assert not verify_module.alike({"scale": float(np.float32(0.1))}, {"scale": 0.1000001})
    assert not verify_module.alike({"scale": 0.5}, {"scale": 10**400})


@pytest.mark.parametrize("name", [".", "/", ""])
def test_a_folder_without_a_name_fails_and_the_next_file_is_checked(name, tmp_path, capsys):
    missing = tmp_path / "none.onnx"
    assert main(["verify", name, str(missing)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        f"{name}: file failed: expected a model file ending in .tflite or .onnx.",
        f"{name}: card failed: expected the card of a model file, got a folder.",
    ]
    assert len(lines) == 12
    assert lines[6] == f"{missing}: file failed: no such file."


def test_control_characters_in_a_card_are_escaped(tmp_path, capsys):
    path = changed(
        artifact("tiny_fp32.tflite", tmp_path), lambda card: card.update(model="\x1b[2J\nall passed")
    )
    assert main(["verify", str(path)]) == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert rf"{path}: card passed: \x1b[2J\nall passed, fp32" in out
    assert len(out.splitlines()) == 6


@pytest.fixture
def record(monkeypatch, tmp_path):
    """A function that makes a file a released one: it records its scores, one of them moved."""

    def write(path, *, moved=0.0, largest_gap=0.0):
        changed(path, lambda card: card["parity"].update(largest_gap=largest_gap))
        released = tmp_path / "released"
        released.mkdir(exist_ok=True)
        shutil.copy(card_path(path), released)
        model = load_model(path)
        faces = [face_of(crop)[np.newaxis, ..., np.newaxis] for crop in GOLDEN["crops"]]
        scores = np.concatenate([model(face) for face in faces])
        last = max(number for number, crop in enumerate(GOLDEN["crops"]) if crop["verify"])
        scores[last, 2] += moved
        entry = {"sha256": model.card["sha256"], "scores": scores.tolist()}
        recorded = tmp_path / "golden.json"
        recorded.write_text(json.dumps(GOLDEN | {"models": [entry]}), encoding="utf-8")
        monkeypatch.setattr(verify_module, "GOLDEN", recorded)
        monkeypatch.setattr(verify_module, "RELEASED", released)

    return write


@pytest.mark.parametrize("name", FILES)
def test_the_recorded_scores_pass_and_those_beyond_the_limit_fail(tmp_path, name, record):
    path = artifact(name, tmp_path)
    if not has_engine(path):
        pytest.skip(f"needs an engine for {path.suffix} files")
    engine = load_model(path).engine
    record(path)
    assert results(path)["golden"] == PASSED
    assert found(path, "golden") == f"{engine}, 8 faces, gap 0 of at most 0.0001"
    record(path, moved=0.01)
    assert results(path)["golden"] == FAILED
    assert found(path, "golden").startswith(
        f"{engine} gives other scores than were recorded: expected a gap of at most 0.0001, got 0.01. "
    )
    record(path, moved=0.01, largest_gap=0.02)
    assert results(path)["golden"] == PASSED
    record(path, moved=float("nan"), largest_gap=0.5)
    assert results(path)["golden"] == FAILED


WITHOUT_PACKAGES = """
import importlib.machinery, sys

class Missing(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        blocked = ("ai_edge_litert", "tflite_runtime", "onnxruntime", "onnx", "flatbuffers", "tensorflow")
        return None if name.partition(".")[0] in blocked else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(importlib.machinery.PathFinder)] = Missing
from runtime.command.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize("name", ["tiny_fp32.tflite", "tiny_fp32.onnx"])
def test_all_but_the_scores_are_checked_with_numpy_and_opencv_alone(tmp_path, name):
    released = next(path for path in RELEASED_FILES if path.suffix == Path(name).suffix)
    command = [sys.executable, "-c", WITHOUT_PACKAGES, "verify", str(artifact(name, tmp_path)), str(released)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split(": ", 1)[1] for line in done.stdout.splitlines()]
    assert [line.split(": ")[0] for line in lines[:5]] == [f"{check} passed" for check in CHECKS[:5]]
    package = "ai-edge-litert" if released.suffix == ".tflite" else "onnxruntime"
    assert lines[-1] == f"golden not checked: running the file needs an engine: pip install {package}"


@pytest.mark.published
def test_the_documentation_has_a_row_for_every_check():
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    section = page.partition("\n## Check a model file")[2].partition("\n## ")[0]
    rows = [line.split("|")[1].strip(" `") for line in section.splitlines() if line.startswith("| `")]
    assert rows == CHECKS
