"""A Keras model as a TFLite file, in five precisions.

| precision | weights | input, output | made by |
|---|---|---|---|
| fp32 | float32 | float32 | the converter |
| fp16 | float16 | float32 | the converter |
| dynamic | int8, activations quantized as they come | float32 | the converter |
| int8 | int8, activations by stored ranges | float32 | the quantizer, on stored ranges |
| int8_io | int8, activations by stored ranges | int8 | the quantizer, on stored ranges |

In the last two the head (last dense layer, softmax) computes in float32. All have batch 1, built-in
operators only and no state between calls, and are compacted (`export.compact`).
"""

import contextlib
import tempfile
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from .compact import compact

Ranges = dict[str, tuple[float, float]]  # a tensor's name: its smallest and its largest value

# An LSTM's cell state sums over 48 steps; in int8 its rounding errors sum as well
# (reports/cnn_lstm_int8.md). Its matrix products are quantized, the arithmetic on the state stays float32.
FLOAT_OPERATORS_OF_LSTM = ["ADD", "MUL", "TANH", "LOGISTIC"]


def to_tflite(model: keras.Model, precision: str, ranges: Ranges | None = None) -> bytes:
    """Returns the TFLite file of a Keras model.

    `ranges`, needed for int8 and int8_io, are those that `measure_ranges` returned for these weights.
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
    """Returns an fp16 file in which no constants but those of matrix products are stored as float16.

    XNNPACK in tflite-runtime 2.14 loses such constants (the rescaling's, the LSTM's first state) where a loop
    holds float16 as well: the scores were wrong in every second process. As float32 they take 3 KB more.
    """
    import flatbuffers
    from tensorflow.lite.python import schema_py_generated as schema

    content = read(file)
    kinds = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in content.operatorCodes]
    for graph in content.subgraphs:
        kept = []
        for operator in graph.operators:
            users = [user for user in graph.operators if operator.outputs[0] in user.inputs]
            products = {kinds[user.opcodeIndex] for user in users} == {schema.BuiltinOperator.FULLY_CONNECTED}
            if kinds[operator.opcodeIndex] != schema.BuiltinOperator.DEQUANTIZE or products:
                kept.append(operator)
                continue
            halves = content.buffers[graph.tensors[operator.inputs[0]].buffer].data
            constant = schema.BufferT()
            constant.data = np.frombuffer(
                np.frombuffer(bytes(halves), np.float16).astype(np.float32).tobytes(), np.uint8
            )
            graph.tensors[operator.outputs[0]].buffer = len(content.buffers)
            content.buffers.append(constant)
        graph.operators = kept
    builder = flatbuffers.Builder()
    builder.Finish(content.Pack(builder), b"TFL3")
    return bytes(builder.Output())


@contextlib.contextmanager
def converter_for(model: keras.Model) -> Iterator[Any]:
    """Gives a converter of the model with batch 1, input `faces` and output `scores`."""
    import tensorflow as tf

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        "serve",
        lambda faces: {"scores": model(faces, training=False)},
        input_signature=[tf.TensorSpec((1, *model.input_shape[1:]), tf.float32, name="faces")],
    )
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        yield tf.lite.TFLiteConverter.from_saved_model(folder)


def unrolled(model: keras.Model) -> keras.Model:
    """Returns the model with its LSTM layers unrolled over time; the same function and weights.

    The looped LSTM can't be quantized to int8: the converter of TensorFlow 2.21 dies of it.
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


def rangeable(model: keras.Model) -> bytes:
    """Returns the float32 file in which every activation has a place for its range.

    The converter fills these places itself, but wrongly where two tensors share memory (a sigmoid
    with values down to -14, TensorFlow 2.21); they are overwritten before quantizing.
    """
    import tensorflow as tf

    face = np.zeros((1, *model.input_shape[1:]), np.float32)
    with converter_for(unrolled(model) if has_lstm(model) else model) as converter:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: [[face]]
        converter._experimental_calibrate_only = True
        return converter.convert()


def measure_ranges(model: keras.Model, faces: np.ndarray) -> Ranges:
    """Returns the range of every activation over faces `uint8 (n, 48, 48, 1)`, as `settled` says.

    The input's range is that of gray pixels, 0-255, whatever the faces hold, so that int8 input is
    the gray value minus 128.
    """
    from ai_edge_litert.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=rangeable(model),
        experimental_preserve_all_tensors=True,  # else memory is reused before it can be read
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    face_input = interpreter.get_input_details()[0]
    placed = {tensor.name.decode() for tensor in places(read(rangeable(model)))}
    tensors = [tensor for tensor in interpreter.get_tensor_details() if tensor["name"] in placed]
    limits = np.empty((len(faces), len(tensors), 2), np.float32)  # face, tensor, lowest and highest
    for number, face in enumerate(faces):
        interpreter.set_tensor(face_input["index"], face[np.newaxis].astype(np.float32))
        interpreter.invoke()
        values = [interpreter.get_tensor(tensor["index"]) for tensor in tensors]
        limits[number] = [(value.min(), value.max()) for value in values]
    ranges = settled([tensor["name"] for tensor in tensors], limits)
    return ranges | {face_input["name"]: (0.0, 255.0)}


def settled(names: list[str], limits: np.ndarray, *, group: int = 50) -> Ranges:
    """Returns a range per tensor from every face's limits `float32 (faces, tensors, 2)`.

    The limits are taken over each group of faces and averaged over the groups: one extreme face then
    no longer widens the steps for all.
    """
    groups = np.array_split(limits.astype(np.float64), max(1, len(limits) // group))
    lowest = np.mean([part[:, :, 0].min(axis=0) for part in groups], axis=0)
    highest = np.mean([part[:, :, 1].max(axis=0) for part in groups], axis=0)
    return {
        name: (float(np.float32(low)), float(np.float32(high)))
        for name, low, high in sorted(zip(names, lowest, highest, strict=True))
    }


def quantize(
    model: keras.Model,
    ranges: Ranges,
    io_type: Any,
    *,
    float_operators: list[str] | None = FLOAT_OPERATORS_OF_LSTM,
    per_channel_dense: bool = False,
) -> bytes:
    """Returns the int8 file whose activations are quantized by `ranges`.

    The last dense layer and the softmax stay float32: in int8, close scores become equal. In a net with an
    LSTM `float_operators` stay float32 instead. Dense layers are quantized per tensor: per channel they
    give wrong answers on TFLite 2.9.
    """
    import flatbuffers
    from tensorflow.lite.python.convert import mlir_quantize

    content = read(rangeable(model))
    tensors = places(content)
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
    builder = flatbuffers.Builder()
    builder.Finish(content.Pack(builder), b"TFL3")
    return mlir_quantize(
        bytes(builder.Output()),
        input_data_type=io_type,
        output_data_type=io_type,
        denylisted_ops=float_operators if has_lstm(model) else None,
        disable_per_channel_for_dense_layers=not per_channel_dense,
    )


def head_of(content: Any) -> list[Any]:
    """Returns the softmax's input and output, the tensors at a file's end."""
    graph = content.subgraphs[0]
    softmax = graph.operators[-1]
    return [graph.tensors[softmax.inputs[0]], graph.tensors[softmax.outputs[0]]]


def read(file: bytes) -> Any:
    """Returns a TFLite file as the schema's objects."""
    from tensorflow.lite.python import schema_py_generated as schema

    return schema.ModelT.InitFromPackedBuf(file, 0)


def places(content: Any) -> list[Any]:
    """Returns the tensors of a file that carry a range."""
    return [
        tensor
        for graph in content.subgraphs
        for tensor in graph.tensors
        if tensor.quantization is not None
        and tensor.quantization.min is not None
        and len(tensor.quantization.min)
    ]
