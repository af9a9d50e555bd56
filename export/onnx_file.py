"""A Keras model as an ONNX file, in three precisions.

A classifier's batch is free, a detector's is 1. fp32 comes from tf2onnx (opset 17). fp16 has float32 input
and output. int8 quantizes all but the head (a classifier's last dense layer and softmax, a detector's last
convolutions and decoding) on stored ranges (QDQ, per channel, uint8 activations). In a net with an LSTM it
quantizes that layer alone, with dynamic ranges: on stored ranges an LSTM stays float32, and convolutions with
dynamic ranges are 5-7 times slower (ONNX Runtime 1.31).
"""

import tempfile
from pathlib import Path

import keras
import numpy as np
import onnx

from .ranges import Ranges, settled
from .signature import signature_of
from .tflite_file import has_lstm

PRODUCTS = ("Conv", "MatMul", "Gemm")
OPSET = 17  # tf2onnx 1.17 goes up to 18; OpenCV's DNN module was tried with 17


def to_onnx(model: keras.Model, precision: str, ranges: Ranges | None = None) -> onnx.ModelProto:
    """Returns the ONNX model of a Keras model.

    Args:
        model: With input float32 (n, height, width, 1), gray 0-255.
        precision: "fp32", "fp16" or "int8".
        ranges: What `measure_ranges` returned for these weights; int8 needs them, but of a net with an LSTM.

    Raises:
        ValueError: int8 without ranges.
    """
    from onnxruntime.quantization.onnx_model import ONNXModel

    exported = to_fp32(model)
    if precision == "fp32":
        return exported
    if precision == "fp16":
        from onnxruntime.transformers.float16 import convert_float_to_float16

        exported = convert_float_to_float16(exported, keep_io_types=True)
    else:
        exported = quantize_dynamically(exported) if has_lstm(model) else quantize(exported, ranges)
    ordered = ONNXModel(exported)  # the casts and quantizers were appended at the end
    ordered.topological_sort()
    return renamed(ordered.model)


def to_fp32(model: keras.Model) -> onnx.ModelProto:
    """Returns the float32 ONNX model; its names depend on the model alone."""
    import tensorflow as tf
    import tf2onnx

    name, outputs_of = signature_of(model)

    def named(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        return {output: tf.identity(value, name=output) for output, value in outputs_of(pixels).items()}

    batch = 1 if isinstance(model.output, dict) else None
    exported, _ = tf2onnx.convert.from_function(
        tf.function(named),
        input_signature=[tf.TensorSpec((batch, *model.input_shape[1:]), tf.float32, name=name)],
        opset=OPSET,
    )
    return renamed(exported)


def renamed(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns the model with numbered names; a free batch dimension is called `n`.

    Its input and outputs keep the names of `export.signature`. tf2onnx generates other names in every run:
    without this, two exports of the same weights differ.
    """
    graph = model.graph
    ends = [*graph.input, *graph.output]
    names = {"": ""} | {value.name: value.name.partition(":")[0] for value in ends}
    initializers = {initializer.name: initializer for initializer in graph.initializer}
    ordered: list[onnx.TensorProto] = []
    for node in graph.node:
        for name in node.input:
            if name not in names:
                names[name] = f"w{len(ordered)}"
                ordered.append(initializers[name])
        for name in node.output:
            names.setdefault(name, f"x{len(names)}")
    for number, node in enumerate(graph.node):
        node.name = f"{node.op_type}_{number}"
        node.input[:] = [names[name] for name in node.input]
        node.output[:] = [names[name] for name in node.output]
    for initializer in ordered:
        initializer.name = names[initializer.name]
    del graph.initializer[:]
    graph.initializer.extend(ordered)
    del graph.value_info[:]
    graph.name = "ferkit"
    for value in ends:
        value.name = names[value.name]
        batch = value.type.tensor_type.shape.dim[0]
        if not batch.dim_value:
            batch.dim_param = "n"
    model.doc_string = graph.doc_string = ""
    onnx.checker.check_model(model)
    return model


def measure_ranges(model: keras.Model, images: np.ndarray) -> Ranges:
    """Returns the range of every float tensor over images, averaged as for TFLite.

    Args:
        model: With input float32 (n, height, width, 1).
        images: uint8 (n, height, width, 1), gray 0-255.
    """
    import onnxruntime

    exported = onnx.shape_inference.infer_shapes(to_fp32(model))
    values = [v for v in exported.graph.value_info if v.type.tensor_type.elem_type == onnx.TensorProto.FLOAT]
    exported.graph.output.extend(values)
    session = onnxruntime.InferenceSession(exported.SerializeToString(), providers=["CPUExecutionProvider"])
    pixels = session.get_inputs()[0].name
    names = [output.name for output in session.get_outputs()]
    limits = np.empty((len(images), len(names), 2), np.float32)  # image, tensor, lowest and highest
    for number, image in enumerate(images):
        values = session.run(names, {pixels: image[np.newaxis].astype(np.float32)})
        limits[number] = [(value.min(), value.max()) for value in values]
    return {pixels: (0.0, 255.0)} | settled(names, limits)


def quantize(model: onnx.ModelProto, ranges: Ranges | None) -> onnx.ModelProto:
    """Returns the model with QDQ pairs: activations uint8 by stored ranges, weights int8 per channel.

    The head stays float32, as in TFLite.

    Raises:
        ValueError: There are no ranges.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantType
    from onnxruntime.quantization.calibrate import TensorsData
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
    from onnxruntime.quantization.registry import QDQRegistry

    if ranges is None:
        raise ValueError("int8 needs the ranges of the activations.")
    data = {name: (np.float32(low), np.float32(high)) for name, (low, high) in ranges.items()}
    quantizer = QDQQuantizer(
        onnx.shape_inference.infer_shapes(model),
        per_channel=True,
        reduce_range=False,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=TensorsData(CalibrationMethod.MinMax, data),
        nodes_to_quantize=[],
        nodes_to_exclude=head_of(model),
        op_types_to_quantize=list(QDQRegistry),
        extra_options={},
    )
    quantizer.quantize_model()
    return quantizer.model.model


def head_of(model: onnx.ModelProto) -> list[str]:
    """Returns the names of the head's nodes: those from which no further matrix product is reached."""
    before: set[str] = set()  # the tensors that lead to a product
    names = []
    for node in reversed(model.graph.node):
        if before.isdisjoint(node.output):
            names.append(node.name)
        if node.op_type in PRODUCTS or not before.isdisjoint(node.output):
            before.update(node.input)
    return names


def quantize_dynamically(model: onnx.ModelProto) -> onnx.ModelProto:
    """Returns the model with dynamic-range quantization of its LSTM: int8 weights."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        onnx.save(onnx.shape_inference.infer_shapes(model), source)
        # One scale for all gates, or a quantized front end too, and fewer labels agree with Keras'.
        quantize_dynamic(
            source, target, weight_type=QuantType.QInt8, per_channel=True, op_types_to_quantize=["LSTM"]
        )
        return onnx.load(target)
