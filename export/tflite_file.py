"""A Keras model as a TFLite file, in five precisions.

| precision | weights | input, output | made by |
|---|---|---|---|
| fp32 | float32 | float32 | the converter |
| fp16 | float16 | float32 | the converter |
| dynamic | int8, activations quantized in each call | float32 | the converter |
| int8 | int8, activations by stored ranges | float32 | the quantizer, on stored ranges |
| int8_io | int8, activations by stored ranges | int8 | the quantizer, on stored ranges |

In the last two the head computes in float32: a classifier's last dense layer and softmax, a detector's last
convolutions and decoding. All have batch 1, built-in
operators only and no state between calls. `export.compact` makes them smaller.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from . import tflite_schema
from .compact import compact
from .ranges import Ranges, settled
from .signature import signature_of

# An LSTM's cell state is a sum over 48 steps; in int8 the rounding errors add up too
# (reports/cnn_lstm_int8.md). Its matrix products are quantized, the arithmetic on the state stays float32.
FLOAT_OPERATORS_OF_LSTM = ["ADD", "MUL", "TANH", "LOGISTIC"]


def to_tflite(model: keras.Model, precision: str, ranges: Ranges | None = None) -> bytes:
    """Returns the TFLite file of a Keras model.

    Args:
        model: With input float32 (n, height, width, 1), gray 0-255.
        precision: One of `runtime.card.PRECISIONS`.
        ranges: What `measure_ranges` returned for these weights; int8 and int8_io need them.

    Raises:
        ValueError: int8 without ranges, or with those of another model.
    """
    import tensorflow as tf

    if precision in ("int8", "int8_io"):
        if ranges is None:
            raise ValueError(f"{precision} needs the ranges of the activations.")
        return compact(quantize(model, ranges, tf.int8 if precision == "int8_io" else tf.float32))
    with converter_for(model) as converter:
        if precision in ("fp16", "dynamic"):
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            # Per-channel dense layers don't load in tflite-runtime 2.14; an LSTM needs them all the same:
            # with one scale for all gates, fewer of the labels agree with Keras' (reports/cnn_lstm_int8.md).
            converter._experimental_disable_per_channel_quantization_for_dense_layers = not has_lstm(model)
        if precision == "fp16":
            converter.target_spec.supported_types = [tf.float16]
        file = converter.convert()
    return compact(with_float32_beside_products(file) if precision == "fp16" and has_lstm(model) else file)


def with_float32_beside_products(file: bytes) -> bytes:
    """Returns an fp16 file in which only the constants of matrix products are stored as float16.

    XNNPACK in tflite-runtime 2.14 loses other such constants (the rescaling's, the LSTM's first state) where
    a loop holds float16 too: the scores were wrong in every second process. As float32 they take 3 KB more.
    """
    from tensorflow.lite.python import schema_py_generated as schema

    model = tflite_schema.read(file)
    kinds = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in model.operatorCodes]
    for graph in model.subgraphs:
        kept = []
        for operator in graph.operators:
            users = [user for user in graph.operators if operator.outputs[0] in user.inputs]
            products = {kinds[user.opcodeIndex] for user in users} == {schema.BuiltinOperator.FULLY_CONNECTED}
            if kinds[operator.opcodeIndex] != schema.BuiltinOperator.DEQUANTIZE or products:
                kept.append(operator)
                continue
            halves = model.buffers[graph.tensors[operator.inputs[0]].buffer].data
            constant = schema.BufferT()
            constant.data = np.frombuffer(
                np.frombuffer(bytes(halves), np.float16).astype(np.float32).tobytes(), np.uint8
            )
            graph.tensors[operator.outputs[0]].buffer = len(model.buffers)
            model.buffers.append(constant)
        graph.operators = kept
    return tflite_schema.write(model)


@contextlib.contextmanager
def converter_for(model: keras.Model) -> Iterator[Any]:
    """Gives TensorFlow's converter of the model with batch 1 and the names of `export.signature`."""
    import tensorflow as tf

    name, outputs_of = signature_of(model)
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        "serve",
        outputs_of,
        input_signature=[tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name=name)],
    )
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        yield tf.lite.TFLiteConverter.from_saved_model(folder)


def unrolled(model: keras.Model) -> keras.Model:
    """Returns the same model with its LSTM layers unrolled over time.

    The looped LSTM can't be quantized to int8: the converter of TensorFlow 2.21 kills its process.
    """
    x = faces = model.input
    for layer in model.layers[1:]:
        if isinstance(layer, keras.layers.LSTM):
            copy = keras.layers.LSTM.from_config(layer.get_config() | {"unroll": True})
            x = copy(x)
            copy.set_weights(layer.get_weights())
        else:
            x = layer(x)
    return keras.Model(faces, x, name=model.name)


def has_lstm(model: keras.Model) -> bool:
    """Whether any layer is an LSTM."""
    return any(isinstance(layer, keras.layers.LSTM) for layer in model.layers)


def calibration_file(model: keras.Model) -> bytes:
    """Returns the float32 file in which every activation has a field for its range.

    The converter fills these fields itself, but wrongly where two tensors share memory (a sigmoid with values
    down to -14, TensorFlow 2.21). They are overwritten before quantizing.
    """
    import tensorflow as tf

    face = np.zeros((1, *model.input_shape[1:]), np.float32)
    with converter_for(unrolled(model) if has_lstm(model) else model) as converter:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: [[face]]
        converter._experimental_calibrate_only = True
        return converter.convert()


def measure_ranges(model: keras.Model, images: np.ndarray) -> Ranges:
    """Returns the range of every activation over a classifier's faces or a detector's images.

    The input's range is that of gray pixels, 0-255, whatever the images hold, so that int8 input is the gray
    value minus 128.

    Args:
        model: With input float32 (n, height, width, 1).
        images: uint8 (n, height, width, 1), gray 0-255.

    Returns:
        A range per tensor, averaged by `export.ranges.settled`.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    file = calibration_file(model)
    interpreter = Interpreter(
        model_content=file,
        experimental_preserve_all_tensors=True,  # else memory is reused before it can be read
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    pixels = interpreter.get_input_details()[0]
    names = {tensor.name.decode() for tensor in tensors_with_range(tflite_schema.read(file))}
    tensors = [tensor for tensor in interpreter.get_tensor_details() if tensor["name"] in names]
    limits = np.empty((len(images), len(tensors), 2), np.float32)  # image, tensor, lowest and highest
    for number, image in enumerate(images):
        interpreter.set_tensor(pixels["index"], image[np.newaxis].astype(np.float32))
        interpreter.invoke()
        values = [interpreter.get_tensor(tensor["index"]) for tensor in tensors]
        limits[number] = [(value.min(), value.max()) for value in values]
    ranges = settled([tensor["name"] for tensor in tensors], limits)
    return ranges | {pixels["name"]: (0.0, 255.0)}


def quantize(
    model: keras.Model,
    ranges: Ranges,
    io_type: Any,
    *,
    float_operators: list[str] | None = FLOAT_OPERATORS_OF_LSTM,
    per_channel_dense: bool = False,
) -> bytes:
    """Returns the int8 file whose activations are quantized by stored ranges, not compacted.

    The head stays float32: in int8, close scores become equal, and boxes move in steps.

    Args:
        model: With input float32 (n, height, width, 1), gray 0-255.
        ranges: What `measure_ranges` returned for these weights.
        io_type: TensorFlow's type of input and output, `tf.float32` or `tf.int8`.
        float_operators: Of a net with an LSTM: the operators that stay float32 instead of the head.
        per_channel_dense: Whether dense layers have a scale per channel; TFLite 2.9 computes these wrongly.

    Raises:
        ValueError: The ranges are those of another model.
    """
    from tensorflow.lite.python.convert import mlir_quantize

    content = tflite_schema.read(calibration_file(model))
    tensors = tensors_with_range(content)
    if unknown := {tensor.name.decode() for tensor in tensors} ^ set(ranges):
        raise ValueError(f"the ranges are not this model's: {sorted(unknown)[0]} is in one of the two only.")
    left_float = [] if has_lstm(model) else head_of(content)
    for tensor in tensors:
        if tensor in left_float:  # what has no range is not quantized
            tensor.quantization.min = tensor.quantization.max = None
            continue
        low, high = ranges[tensor.name.decode()]
        tensor.quantization.min = np.array([low], np.float32)
        tensor.quantization.max = np.array([high], np.float32)
    return mlir_quantize(
        tflite_schema.write(content),
        input_data_type=io_type,
        output_data_type=io_type,
        denylisted_ops=float_operators if has_lstm(model) else None,
        disable_per_channel_for_dense_layers=not per_channel_dense,
    )


def head_of(content: Any) -> list[Any]:
    """Returns what the head's operators give: those from which no further matrix product is reached."""
    from tensorflow.lite.python.schema_py_generated import BuiltinOperator

    products = (
        BuiltinOperator.CONV_2D,
        BuiltinOperator.DEPTHWISE_CONV_2D,
        BuiltinOperator.FULLY_CONNECTED,
    )
    kinds = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in content.operatorCodes]
    graph = content.subgraphs[0]
    before: set[int] = set()  # the tensors that lead to a product
    head = []
    for operator in reversed(graph.operators):
        if before.isdisjoint(operator.outputs):
            head += [graph.tensors[number] for number in operator.outputs]
        if kinds[operator.opcodeIndex] in products or not before.isdisjoint(operator.outputs):
            before.update(operator.inputs)
    return head


def tensors_with_range(content: Any) -> list[Any]:
    """Returns the tensors of a file that have a range."""
    return [
        tensor
        for graph in content.subgraphs
        for tensor in graph.tensors
        if tensor.quantization is not None
        and tensor.quantization.min is not None
        and len(tensor.quantization.min)
    ]
