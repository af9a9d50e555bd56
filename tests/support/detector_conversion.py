"""The detector as TFLite and ONNX files, to test that every engine runs it. The kit's export is another."""

import tempfile

import keras
import numpy as np

OUTPUTS = ("boxes", "confidences", "eyes")


def to_tflite(detector: keras.Model, images: np.ndarray | None = None) -> bytes:
    """Returns a float32 file, or with images, `uint8 (n, height, width)`, an int8 file with int8 input.

    In the int8 file the convolutions are int8 and the decoding float32: what has no range stays float.
    """
    import flatbuffers
    import tensorflow as tf
    from tensorflow.lite.python import schema_py_generated as schema
    from tensorflow.lite.python.convert import mlir_quantize

    archive = keras.export.ExportArchive()
    archive.track(detector)
    signature = [tf.TensorSpec((1, *detector.input_shape[1:]), tf.float32, name="pixels")]
    archive.add_endpoint("serve", lambda pixels: detector(pixels, training=False), input_signature=signature)
    with tempfile.TemporaryDirectory() as folder:
        archive.write_out(folder, verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        if images is None:
            return converter.convert()
        black_and_white = np.zeros(detector.input_shape[1:3], np.uint8)
        black_and_white[0] = 255  # the input's range is that of gray pixels
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: (
            [image[None, :, :, None].astype(np.float32)] for image in [*images, black_and_white]
        )
        converter._experimental_calibrate_only = True
        content = schema.ModelT.InitFromPackedBuf(converter.convert(), 0)
    for tensor in _decoding(content, schema.BuiltinOperator):
        if tensor.quantization is not None:
            tensor.quantization.min = tensor.quantization.max = None
    builder = flatbuffers.Builder()
    builder.Finish(content.Pack(builder), b"TFL3")
    return mlir_quantize(bytes(builder.Output()), input_data_type=tf.int8, output_data_type=tf.float32)


def _decoding(content, operators):
    """Returns the outputs of all operators after the last convolutions."""
    kinds = (operators.CONV_2D, operators.DEPTHWISE_CONV_2D)
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in content.operatorCodes]
    graph = content.subgraphs[0]
    feeds = set()  # tensors from which a convolution is reached
    for operator in reversed(graph.operators):
        if codes[operator.opcodeIndex] in kinds or feeds.intersection(operator.outputs):
            feeds.update(operator.inputs)
    return [
        graph.tensors[output]
        for operator in graph.operators
        for output in operator.outputs
        if codes[operator.opcodeIndex] not in kinds and output not in feeds
    ]


def to_onnx(detector: keras.Model) -> bytes:
    """Returns a float32 ONNX file with batch 1, opset 17."""
    import tensorflow as tf
    import tf2onnx

    def named(pixels):
        outputs = detector(pixels, training=False)
        return {name: tf.identity(outputs[name], name=name) for name in OUTPUTS}

    signature = [tf.TensorSpec((1, *detector.input_shape[1:]), tf.float32, name="pixels")]
    model, _ = tf2onnx.convert.from_function(tf.function(named), input_signature=signature, opset=17)
    return model.SerializeToString()
