"""`ferkit verify`: what passes, what fails with which words, and that no file brings it down."""

import hashlib
import json
import os
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.card import card_path, read_card
from runtime.command import verify as verify_module
from runtime.command.cli import main
from runtime.command.verify import FAILED, NOT_CHECKED, PASSED, check_metadata, check_signature, verify
from runtime.engines import ENGINES_OF_SUFFIX, is_installed
from runtime.model import RELEASED, load_model
from runtime.model_file import ContentsError, read_contents
from runtime.model_file.flatbuffer import elements, field, follow, table, tables
from runtime.model_file.tflite import described_tensor, tflite_metadata
from tests.support.golden import GOLDEN, face_of

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
WEIGHTS = "0123456789abcdef" * 4
CHECKS = ["file", "card", "sha256", "signature", "metadata", "golden"]
FILES = ["tiny_fp32.tflite", "tiny_int8_io.tflite", "tiny_fp32.onnx"]
TFLITE_FACTS = (
    "model, description, licence, labels, version, colour_space, normalisation, input_range, output_range"
)
RELEASED_FILES = sorted(path for path in RELEASED.iterdir() if path.suffix in ENGINES_OF_SUFFIX)


def has_engine(path):
    return any(is_installed(engine) for engine in ENGINES_OF_SUFFIX[path.suffix] if engine != "opencv")


def artifact(name, folder):
    """A tiny model with its card's facts inside, and its card, as the export writes them."""
    path = Path(shutil.copy(DATA / name, folder))
    card = json.loads(card_path(DATA / name).read_text(encoding="utf-8"))
    if path.suffix == ".tflite":
        pytest.importorskip("flatbuffers", reason="writing metadata needs flatbuffers")
        from export import tflite_metadata as metadata

        metadata.embed(path, card, WEIGHTS)
    else:
        pytest.importorskip("onnx", reason="writing metadata needs onnx")
        from export.card import embed

        told = "card_version model precision description licence labels input output versions"
        embed(path, {key: card[key] for key in told.split()})
    card["parity"]["reference_sha256"] = WEIGHTS
    write_card(path, card)
    return path


def write_card(path, card):
    """A card that fits the bytes of the file, whatever else it says."""
    data = path.read_bytes()
    card |= {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    card_path(path).write_text(json.dumps(card), encoding="utf-8")


def changed(path, change):
    """The file, its card changed."""
    card = json.loads(card_path(path).read_text(encoding="utf-8"))
    change(card)
    write_card(path, card)
    return path


def results(path):
    return {check.name: check.result for check in verify(path)}


def found(path, name):
    (check,) = [check for check in verify(path) if check.name == name]
    return check.found


# --- what passes -------------------------------------------------------------------------------------


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
def test_an_exported_file_passes_and_its_scores_are_said_to_be_unknown(
    tmp_path, capsys, name, signature, facts
):
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


# --- what fails --------------------------------------------------------------------------------------


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
def test_a_card_that_says_something_else_fails_with_both(tmp_path, name, change, check, said):
    path = changed(artifact(name, tmp_path), change)
    failed = [name for name, result in results(path).items() if result == FAILED]
    assert check in failed and set(failed) <= {"signature", "metadata"}
    assert found(path, check).startswith(said)


def image_of(blob, faces):
    return table(blob, table(blob, faces, 3), 1)


def step_of(blob, faces):
    (step,) = tables(blob, faces, 4)
    return step


# Where a number stands in the metadata, by the fields of its schema; what is written over it; what is said.
@pytest.mark.parametrize(
    ("name", "place", "form", "value", "said"),
    [
        (
            "tiny_fp32.tflite",
            lambda blob, faces, scores: field(blob, image_of(blob, faces), 0),
            "<b",
            1,
            'expected colour_space "GRAYSCALE" as the card says, got "RGB". ',
        ),
        (
            "tiny_fp32.tflite",
            lambda blob, faces, scores: field(blob, table(blob, faces, 3), 0),
            "<B",
            1,
            'expected colour_space "GRAYSCALE" as the card says, got null. ',
        ),
        (
            "tiny_fp32.tflite",
            lambda blob, faces, scores: elements(blob, table(blob, step_of(blob, faces), 1), 0, 4)[0],
            "<f",
            127.5,
            'expected normalisation [{"mean": [0.0], "deviation": [1.0]}] as the card says, got '
            '[{"mean": [127.5], "deviation": [1.0]}]. ',
        ),
        (
            "tiny_int8_io.tflite",
            lambda blob, faces, scores: elements(blob, table(blob, step_of(blob, faces), 1), 1, 4)[0],
            "<f",
            127.5,
            'expected normalisation [{"mean": [0.0], "deviation": [1.0]}] as the card says, got '
            '[{"mean": [0.0], "deviation": [127.5]}]. ',
        ),
        (
            "tiny_fp32.tflite",
            lambda blob, faces, scores: field(blob, step_of(blob, faces), 0),
            "<B",
            2,
            'expected normalisation [{"mean": [0.0], "deviation": [1.0]}] as the card says, got [null]. ',
        ),
        (
            "tiny_fp32.tflite",
            lambda blob, faces, scores: elements(blob, table(blob, faces, 5), 0, 4)[0],
            "<f",
            1.0,
            "expected input_range [0.0, 255.0] as the card says, got [0.0, 1.0]. ",
        ),
        (
            "tiny_int8_io.tflite",
            lambda blob, faces, scores: elements(blob, table(blob, scores, 5), 1, 4)[0],
            "<f",
            0.0,
            "expected output_range [-128.0, 127.0] as the card says, got [0.0, 127.0]. ",
        ),
    ],
    ids=["RGB", "no image", "mean", "deviation", "another step", "input", "output"],
)
def test_metadata_that_has_faces_prepared_otherwise_fails(tmp_path, name, place, form, value, said):
    path = artifact(name, tmp_path)
    data = bytearray(path.read_bytes())
    blob = tflite_metadata(data, follow(data, 0))
    faces, scores = (described_tensor(blob, follow(blob, 0), slot) for slot in (2, 3))
    struct.pack_into(form, data, data.index(blob) + place(blob, faces, scores), value)
    path.write_bytes(data)
    changed(path, lambda card: None)
    assert results(path) == dict(zip(CHECKS, [PASSED] * 4 + [FAILED, NOT_CHECKED], strict=True))
    assert found(path, "metadata") == f"{said}The card belongs to another file."


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


@pytest.mark.parametrize(
    ("file", "data", "said"),
    [
        ("empty.tflite", b"", "expected a TFLite file, with TFL3 at its bytes 4-7, got b'' there. "),
        (
            "text.tflite",
            b"Git LFS pointer",
            "expected a TFLite file, with TFL3 at its bytes 4-7, got b'LFS ' ",
        ),
        ("short.tflite", b"\x20\0\0\0TFL3", "cut short or damaged: it refers to byte 32 and has 8. "),
        ("empty.onnx", b"", "expected an ONNX file with a graph, got none. "),
        ("text.onnx", b"version https://git-lfs.github.com/spec/v1\n", "expected an ONNX file, got another"),
        ("notes.txt", b"", "expected a model file ending in .tflite or .onnx."),
    ],
)
def test_what_is_no_model_file_is_named_in_one_line(tmp_path, capsys, file, data, said):
    path = tmp_path / file
    path.write_bytes(data)
    assert main(["verify", str(path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert lines[0].startswith(f"{path}: file failed: {said}")
    assert lines[1].startswith(f"{path}: card failed: {path}.json: expected the card of {file}")


def test_a_folder_and_nothing_at_all_are_named(tmp_path):
    (tmp_path / "folder.onnx").mkdir()
    assert found(tmp_path / "folder.onnx", "file").startswith("can't be read: ")
    assert found(tmp_path / "none.tflite", "file") == "no such file."


@pytest.mark.parametrize("name", [".", "/", ""])
def test_a_folder_without_a_name_is_named_and_the_files_after_it_are_checked(name, tmp_path, capsys):
    missing = tmp_path / "none.onnx"
    assert main(["verify", name, str(missing)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        f"{name}: file failed: expected a model file ending in .tflite or .onnx.",
        f"{name}: card failed: expected the card of a model file, got a folder.",
    ]
    assert len(lines) == 12
    assert lines[6] == f"{missing}: file failed: no such file."


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with a name")
def test_a_pipe_is_not_waited_for(tmp_path):
    """Neither as model nor as card; a reader of either would wait for somebody to write."""
    path = artifact("tiny_fp32.tflite", tmp_path)
    path.unlink()
    os.mkfifo(path)
    said = "can't be read: expected a file, got a folder, a pipe or a device."
    assert found(path, "file") == said
    assert found(path, "sha256") == f"the model {said}"
    other = shutil.copy(DATA / "tiny_fp32.onnx", tmp_path)
    os.mkfifo(card_path(other))
    assert results(other)["file"] == PASSED
    assert found(other, "card") == f"{other}.json: {said}"


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_anywhere_fails_and_never_raises(tmp_path, name):
    path = artifact(name, tmp_path)
    data = path.read_bytes()
    for length in range(0, len(data), 13):
        path.write_bytes(data[:length])
        result = results(path)
        assert result["sha256"] == FAILED
        assert result["golden"] == NOT_CHECKED


@pytest.mark.parametrize("name", FILES)
def test_damage_anywhere_gives_an_answer_in_one_line(tmp_path, name):
    path = artifact(name, tmp_path)
    data, card = path.read_bytes(), read_card(path)
    faults = 0
    for position in range(0, len(data), 2):
        for value in (0, 0x7F, 0xFF):
            damaged = data[:position] + bytes([value]) + data[position + 1 :]
            try:
                contents = read_contents(damaged, path.suffix)
            except ContentsError:
                faults += 1
                continue
            checks = check_signature(contents, card), check_metadata(contents, card)
            faults += any(check.result == FAILED for check in checks)
    assert faults > 100


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", b"\x14\0\0\0TFL3", b":\x06"]))
def test_any_bytes_give_an_answer_or_a_contents_error(data, start):
    for suffix in (".tflite", ".onnx"):
        try:
            read_contents(start + data, suffix)
        except ContentsError as error:
            assert str(error)


def crafted(*, shape=0, free_shape=0, inputs=0, outputs=0, names=0, metadata=0):
    """Returns a TFLite file of one tensor that has lists of these lengths."""
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    flatbuffers = pytest.importorskip("flatbuffers", reason="writing a TFLite file needs flatbuffers")
    model, graph, tensor = schema.ModelT(), schema.SubGraphT(), schema.TensorT()
    tensor.shape, tensor.shapeSignature = np.ones(shape, np.int32), np.ones(free_shape, np.int32)
    graph.tensors = [tensor]
    graph.inputs, graph.outputs = np.zeros(inputs, np.int32), np.zeros(outputs, np.int32)
    signature, name, entry = schema.SignatureDefT(), schema.TensorMapT(), schema.MetadataT()
    name.name, entry.name = "faces", "a name"
    signature.inputs = [name] * names
    model.subgraphs, model.signatureDefs, model.metadata = [graph], [signature], [entry] * metadata
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@pytest.mark.parametrize(
    ("lengths", "said"),
    [
        # Each of the 30,000 inputs is the one tensor of 30,000 dimensions: 900 million numbers.
        ({"shape": 30000, "inputs": 30000}, "at most 64, got 30000"),
        ({"shape": 30000, "inputs": 1}, "at most 8, got 30000"),
        ({"free_shape": 30000, "outputs": 1}, "at most 8, got 30000"),
        ({"names": 65}, "at most 64, got 65"),
        ({"metadata": 65}, "at most 64, got 65"),
    ],
    ids=["inputs", "dimensions", "free dimensions", "names", "metadata"],
)
def test_a_small_file_cannot_ask_for_all_time_and_memory(lengths, said):
    with pytest.raises(ContentsError, match=said):
        read_contents(crafted(**lengths), ".tflite")


def test_a_zip_without_the_labels_that_the_metadata_names_fails(tmp_path):
    path = artifact("tiny_fp32.tflite", tmp_path)
    data = path.read_bytes().replace(b"labels.txt", b"babels.txt")
    metadata_alone = data.replace(b"babels.txt", b"labels.txt", 1)
    path.write_bytes(metadata_alone)
    assert found(path, "file").startswith("expected labels.txt in a zip behind the model, got none: ")


def test_a_terminal_s_commands_in_a_card_are_not_printed(tmp_path, capsys):
    path = changed(
        artifact("tiny_fp32.tflite", tmp_path), lambda card: card.update(model="\x1b[2J\nall passed")
    )
    assert main(["verify", str(path)]) == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert rf"{path}: card passed: \x1b[2J\nall passed, fp32" in out
    assert len(out.splitlines()) == 6


# --- the recorded scores -----------------------------------------------------------------------------


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


# --- without an engine, onnx or flatbuffers ----------------------------------------------------------

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


def test_a_image_under_a_model_s_name_is_no_model(tmp_path):
    path = tmp_path / "face.onnx"
    path.write_bytes(cv2.imencode(".png", np.zeros((48, 48), np.uint8))[1].tobytes())
    assert found(path, "file").endswith("Copy the file again.")


def test_the_documentation_has_a_row_for_every_check():
    page = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    section = page.partition("\n## Check a model file")[2].partition("\n## ")[0]
    rows = [line.split("|")[1].strip(" `") for line in section.splitlines() if line.startswith("| `")]
    assert rows == CHECKS
