"""What a model file says of itself: read from any bytes, damaged ones included."""

import os
import shutil
import struct

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.card import card_path, read_card
from runtime.command.cli import main
from runtime.command.verify import FAILED, NOT_CHECKED, PASSED, check_metadata, check_signature
from runtime.model_file import ContentsError, read_contents
from runtime.model_file.flatbuffer import elements, field, follow, table, tables
from runtime.model_file.tflite import described_tensor, tflite_metadata
from tests.support.tiny_models import CHECKS, DATA, FILES, artifact, changed, found, results


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
            'expected normalization [{"mean": [0.0], "deviation": [1.0]}] as the card says, got '
            '[{"mean": [127.5], "deviation": [1.0]}]. ',
        ),
        (
            "tiny_int8_io.tflite",
            lambda blob, faces, scores: elements(blob, table(blob, step_of(blob, faces), 1), 1, 4)[0],
            "<f",
            127.5,
            'expected normalization [{"mean": [0.0], "deviation": [1.0]}] as the card says, got '
            '[{"mean": [0.0], "deviation": [127.5]}]. ',
        ),
        (
            "tiny_fp32.tflite",
            lambda blob, faces, scores: field(blob, step_of(blob, faces), 0),
            "<B",
            2,
            'expected normalization [{"mean": [0.0], "deviation": [1.0]}] as the card says, got [null]. ',
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
def test_metadata_with_another_preparation_of_faces_fails(tmp_path, name, place, form, value, said):
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
def test_a_small_file_does_not_take_all_time_and_memory(lengths, said):
    with pytest.raises(ContentsError, match=said):
        read_contents(crafted(**lengths), ".tflite")


def test_a_zip_without_the_labels_that_the_metadata_names_fails(tmp_path):
    path = artifact("tiny_fp32.tflite", tmp_path)
    data = path.read_bytes().replace(b"labels.txt", b"babels.txt")
    metadata_alone = data.replace(b"babels.txt", b"labels.txt", 1)
    path.write_bytes(metadata_alone)
    assert found(path, "file").startswith("expected labels.txt in a zip behind the model, got none: ")


def test_an_image_under_a_model_s_name_is_no_model(tmp_path):
    path = tmp_path / "face.onnx"
    path.write_bytes(cv2.imencode(".png", np.zeros((48, 48), np.uint8))[1].tobytes())
    assert found(path, "file").endswith("Copy the file again.")
