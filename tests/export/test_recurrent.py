"""Recurrent nets: which files they have, and that these compute what Keras computes."""

import numpy as np
import onnx
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("tf2onnx")
pytest.importorskip("onnxruntime")
pytest.importorskip("ai_edge_litert")

from export import onnx_file, tflite_file, tflite_schema
from export.one_model import file_names
from export.parity import compare, faults
from export.parity_faces import parity_faces
from export.ranges import ranges_for
from tests.support.exported import foreign_operators, scores_in


def test_a_recurrent_net_has_no_int8_tflite_file_and_needs_no_ranges(rows, tmp_path):
    rows.save(tmp_path / "rows.keras")
    assert file_names(tmp_path / "rows.keras") == [
        "rows_fp32.tflite",
        "rows_fp16.tflite",
        "rows_dynamic.tflite",
        "rows_fp32.onnx",
        "rows_fp16.onnx",
        "rows_int8.onnx",
    ]
    ranges_for(tmp_path / "rows.keras", None, tmp_path, announce=pytest.fail)


@pytest.mark.parametrize("precision", ["fp32", "fp16", "dynamic"])
def test_a_recurrent_tflite_file_loops_and_answers_as_keras(rows, tmp_path, precision):
    path = tmp_path / "rows.tflite"
    path.write_bytes(tflite_file.to_tflite(rows, precision))
    assert foreign_operators(path) == []
    assert b"while" in path.read_bytes()
    check_recurrent(path, precision, rows)


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_a_recurrent_onnx_file_has_one_lstm_and_answers_as_keras(rows, tmp_path, precision):
    path = tmp_path / "rows.onnx"
    model = onnx_file.to_onnx(rows, precision)
    onnx.save(model, path)
    operators = [node.op_type for node in model.graph.node]
    assert operators.count("DynamicQuantizeLSTM" if precision == "int8" else "LSTM") == 1
    assert operators.count("MatMul") == 2
    assert not [operator for operator in operators if operator in ("Loop", "Scan", "MatMulInteger")]
    check_recurrent(path, precision, rows)


def check_recurrent(path, precision, model):
    faces = parity_faces(200, seed=5)
    scores = scores_in(path, faces)
    reference = model.predict(faces.astype("float32"), verbose=0)
    assert faults(precision, compare(scores, reference)) == []
    # No state between calls: in another order the answers are the same.
    np.testing.assert_allclose(scores_in(path, faces[::-1]), scores[::-1], atol=1e-6)


def test_only_matrix_products_of_a_recurrent_fp16_file_read_float16(rows):
    # Other constants stored so are lost by XNNPACK in tflite-runtime 2.14.
    from tensorflow.lite.python.schema_py_generated import BuiltinOperator

    file = tflite_schema.read(tflite_file.to_tflite(rows, "fp16"))
    kinds = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in file.operatorCodes]
    names = {BuiltinOperator.DEQUANTIZE: "dequantize", BuiltinOperator.FULLY_CONNECTED: "product"}
    readers = []
    for graph in file.subgraphs:
        kind = [names.get(kinds[operator.opcodeIndex], "other") for operator in graph.operators]
        for number, operator in enumerate(graph.operators):
            if kind[number] == "dequantize":
                readers += [
                    kind[user]
                    for user in range(len(kind))
                    if operator.outputs[0] in graph.operators[user].inputs
                ]
    assert set(readers) == {"product"}


def test_names_in_an_onnx_file_do_not_depend_on_earlier_conversions(rows):
    one, two = (onnx_file.to_onnx(rows, "int8").SerializeToString(deterministic=True) for _ in range(2))
    assert one == two
