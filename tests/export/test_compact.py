"""A compacted TFLite file is smaller and otherwise the same."""

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras

from export import tflite_file
from export.compact import ALIGNMENT, compact, shorten_names
from export.parity_faces import parity_faces
from runtime.engines import ENGINES
from runtime.model_file.tflite import read_tflite
from tests.support.trees import tree_of

schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
FILES = pytest.mark.parametrize("name", ["fp32", "int8", "int8_io"])


@pytest.fixture(scope="module")
def files():
    """A net of three convolutions, two of them equally wide, as the converter and the quantizer leave it."""
    import tensorflow as tf

    keras.utils.set_random_seed(0)
    faces = keras.Input((48, 48, 1), name="faces")
    x = keras.layers.Rescaling(1 / 255)(faces)
    for filters in (8, 24, 24):
        x = keras.layers.Conv2D(filters, 3, strides=2, activation="relu")(x)
    scores = keras.layers.Dense(7, activation="softmax")(keras.layers.GlobalAveragePooling2D()(x))
    model = keras.Model(faces, scores)
    ranges = tflite_file.measure_ranges(model, parity_faces(60, seed=2))
    with tflite_file.converter_for(model) as converter:
        plain = converter.convert()
    return {
        "fp32": plain,
        "int8": tflite_file.quantize(model, ranges, tf.float32),
        "int8_io": tflite_file.quantize(model, ranges, tf.int8),
    }


@FILES
def test_it_is_smaller_and_gives_exactly_the_same_scores(files, tmp_path, name):
    before, after = tmp_path / "before.tflite", tmp_path / "after.tflite"
    before.write_bytes(files[name])
    after.write_bytes(compact(files[name]))
    assert after.stat().st_size < before.stat().st_size
    faces = parity_faces(20, seed=3)
    scores = ENGINES["litert"](before)(faces)
    np.testing.assert_array_equal(ENGINES["litert"](after)(faces), scores)
    assert len(np.unique(scores)) > 7


@FILES
def test_its_signature_is_the_same(files, name):
    before, after = read_tflite(files[name]), read_tflite(compact(files[name]))
    assert (after.inputs, after.outputs) == (before.inputs, before.outputs)
    assert [tensor.name for tensor in after.inputs + after.outputs] == ["faces", "scores"]


@FILES
def test_only_the_names_of_tensors_differ(files, name):
    before, after = (schema.ModelT.InitFromPackedBuf(data, 0) for data in (files[name], compact(files[name])))
    for model in (before, after):
        for tensor in model.subgraphs[0].tensors:
            tensor.name = None
    assert tree_of(after) == tree_of(before)


def test_equal_zero_points_are_written_once(files):
    assert len(places_of_zero_points(files["int8"], channels=24)) == 4  # two kernels, two biases
    assert len(places_of_zero_points(compact(files["int8"]), channels=24)) == 1


def places_of_zero_points(data, *, channels):
    """Where the vectors of that many zero points stand in the file."""
    graph = schema.Model.GetRootAs(data).Subgraphs(0)
    quantizations = [graph.Tensors(number).Quantization() for number in range(graph.TensorsLength())]
    slot = 4 + 2 * 3  # zero_point is the fourth field of QuantizationParameters
    return {
        quantization._tab.Vector(quantization._tab.Offset(slot))
        for quantization in quantizations
        if quantization is not None and quantization.ZeroPointLength() == channels
    }


@FILES
def test_every_buffer_starts_at_a_multiple_of_16_bytes(files, name):
    model = schema.Model.GetRootAs(compact(files[name]))
    buffers = [model.Buffers(number) for number in range(model.BuffersLength())]
    places = [buffer._tab.Vector(buffer._tab.Offset(4)) for buffer in buffers if not buffer.DataIsNone()]
    assert len(places) >= 8
    assert [place % ALIGNMENT for place in places] == [0] * len(places)


@FILES
def test_no_two_tensors_have_the_same_name(files, name):
    names = [
        tensor.name
        for tensor in schema.ModelT.InitFromPackedBuf(compact(files[name]), 0).subgraphs[0].tensors
    ]
    assert len(set(names)) == len(names) >= 10
    assert not any(b";" in name for name in names)


def test_a_tensor_is_named_after_its_first_layer():
    given = [
        "net/relu/Relu;net/conv/BiasAdd",
        "net/relu/Relu;net/conv/BiasAdd1",
        "faces:0",
        "net/relu/Relu_2",
    ]
    tensors = [schema.TensorT() for _ in given]
    for tensor, name in zip(tensors, given, strict=True):
        tensor.name = name.encode()
    shorten_names(tensors)
    assert [tensor.name for tensor in tensors] == [
        b"relu/Relu",
        b"relu/Relu_2",
        b"faces:0",
        b"relu/Relu_2_2",
    ]
