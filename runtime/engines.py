"""The programs that run a model file: LiteRT, tflite-runtime, ONNX Runtime, OpenCV DNN.

An engine is a function `(path, *, threads=1) -> scores_of`. `scores_of` takes faces, `uint8`
`(n, 48, 48, 1)`, gray 0-255, and returns scores, `float32` `(n, labels)`, 0 to 1. It serves one thread at a
time. Quantized input and output are converted inside, by the scale and zero point in the file. Nothing else
of an engine escapes.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from .errors import PathError
from .model_file import ContentsError, check_wiring
from .signals import uninterrupted

FACE_SHAPE = (48, 48, 1)

ScoresOf = Callable[[np.ndarray], np.ndarray]


class Engine(Protocol):
    """A function in `ENGINES`."""

    def __call__(self, path: str | os.PathLike[str], *, threads: int = 1) -> ScoresOf:
        """Opens a model file; returns the function from faces to scores.

        Raises:
            EngineError: The engine is missing, or it can't run this file.
        """
        ...


# Its last release was built for numpy 1, as OpenCV 4.11 was.
TFLITE_RUNTIME = "tflite-runtime==2.14.0 'numpy<2' 'opencv-python<4.12'"


class EngineError(PathError):
    """An engine is missing, or it can't run this file."""


def open_litert(path: str | os.PathLike[str], *, threads: int = 1) -> ScoresOf:
    """Opens a `.tflite` file in LiteRT (`ai-edge-litert`)."""
    module = import_engine("ai_edge_litert.interpreter", path, "LiteRT", "ai-edge-litert")
    return open_tflite(module, path, threads, "LiteRT")


def open_tflite_runtime(path: str | os.PathLike[str], *, threads: int = 1) -> ScoresOf:
    """Opens a `.tflite` file in tflite-runtime, the only engine with wheels for 32-bit boards."""
    module = import_engine("tflite_runtime.interpreter", path, "tflite-runtime", TFLITE_RUNTIME)
    return open_tflite(module, path, threads, "tflite-runtime")


def open_onnxruntime(path: str | os.PathLike[str], *, threads: int = 1) -> ScoresOf:
    """Opens an `.onnx` file with float input and output in ONNX Runtime, on the CPU.

    With a free batch dimension all faces run in one call, with a batch of 1 one by one.
    """
    onnxruntime = import_engine("onnxruntime", path, "ONNX Runtime", "onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only: its warnings are about its own optimizer
    data = Path(path).read_bytes()
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no public base class
        raise _unreadable(path, "ONNX Runtime", error) from error
    (face_input, *more_inputs), (scores_output, *more_outputs) = session.get_inputs(), session.get_outputs()
    _check_count(path, 1 + len(more_inputs), 1 + len(more_outputs))
    _check_shape(path, face_input.shape, scores_output.shape)
    if (face_input.type, scores_output.type) != ("tensor(float)", "tensor(float)"):
        raise EngineError(
            f"expected float input and output, got {face_input.type} and {scores_output.type}. "
            "Int8 input and output are served in .tflite files only.",
            path=path,
        )
    free_batch = face_input.shape[0] != 1
    input_name, output_names = face_input.name, [scores_output.name]

    def scores_of(faces: np.ndarray) -> np.ndarray:
        pixels = faces.astype(np.float32)
        if free_batch and len(faces):
            return session.run(output_names, {input_name: pixels})[0]
        scores = np.empty((len(faces), scores_output.shape[1]), np.float32)
        for number in range(len(faces)):
            scores[number] = session.run(output_names, {input_name: pixels[number : number + 1]})[0][0]
        return scores

    return scores_of


def open_opencv(path: str | os.PathLike[str], *, threads: int = 1) -> ScoresOf:
    """Opens a float32 `.onnx` file in OpenCV's DNN module, which needs no further package.

    Faces run one by one: OpenCV 4 gives an LSTM wrong scores in larger batches. `threads` is OpenCV's own
    setting and holds for the whole process. Other precisions are refused: OpenCV 4.14 reads no float16 and
    dynamic-range files, and few with quantized operators.
    """
    data = Path(path).read_bytes()
    if b"QuantizeLinear" in data or b"MatMulInteger" in data:
        raise EngineError(
            "OpenCV runs float32 models only, got a quantized one. Take the float32 file, or "
            "run this one with ONNX Runtime: pip install onnxruntime",
            path=path,
        )
    cv2.setNumThreads(threads)
    try:
        check_wiring(data)
        network = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
        network.setInput(np.zeros((1, *FACE_SHAPE), np.float32))
        shape = network.forward().shape
    except (ContentsError, cv2.error) as error:
        raise _unreadable(path, "OpenCV, which runs float32 models only", error) from error
    if len(shape) != 2 or shape[0] != 1:
        raise EngineError(f"expected scores of shape (1, labels), got {tuple(shape)}.", path=path)

    def scores_of(faces: np.ndarray) -> np.ndarray:
        scores = np.empty((len(faces), shape[1]), np.float32)
        for number in range(len(faces)):
            network.setInput(faces[number : number + 1].astype(np.float32))
            scores[number] = network.forward()[0]
        return scores

    return scores_of


ENGINES: dict[str, Engine] = {
    "litert": open_litert,
    "tflite_runtime": open_tflite_runtime,
    "onnxruntime": open_onnxruntime,
    "opencv": open_opencv,
}

# A model file's suffix: the engines that run it, the preferred one first.
ENGINES_OF_SUFFIX = {".tflite": ("litert", "tflite_runtime"), ".onnx": ("onnxruntime", "opencv")}

_MODULES = {"litert": "ai_edge_litert", "tflite_runtime": "tflite_runtime", "onnxruntime": "onnxruntime"}


def is_installed(engine: str) -> bool:
    """Returns whether an engine's package is installed. OpenCV always is."""
    return engine not in _MODULES or importlib.util.find_spec(_MODULES[engine]) is not None


def open_tflite(module: Any, path: str | os.PathLike[str], threads: int, engine: str) -> ScoresOf:
    """Opens a `.tflite` file with the interpreter of a module, LiteRT's or tflite-runtime's.

    Raises:
        EngineError: The interpreter can't run this file, or doesn't work with this numpy.
    """
    data = Path(path).read_bytes()
    try:
        interpreter = module.Interpreter(model_content=data, num_threads=threads)
        interpreter.allocate_tensors()
    except (AttributeError, SystemError) as error:
        # tflite-runtime 2.14 was built for numpy 1: with numpy 2 the import succeeds and this fails.
        raise EngineError(
            f"{engine} is installed but doesn't work with numpy {np.__version__}: "
            f"pip install {TFLITE_RUNTIME} brings the versions that go together."
        ) from error
    except (RuntimeError, ValueError) as error:
        raise _unreadable(path, engine, error) from error
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    _check_count(path, len(inputs), len(outputs))
    (face_input,), (scores_output,) = inputs, outputs
    _check_shape(path, face_input["shape"].tolist(), scores_output["shape"].tolist())
    input_index, output_index = face_input["index"], scores_output["index"]
    input_of_pixel = _input_of_pixel(path, face_input)
    scale, zero_point = _quantization(path, scores_output)
    labels = int(scores_output["shape"][1])

    def scores_of(faces: np.ndarray) -> np.ndarray:
        scores = np.empty((len(faces), labels), np.float32)
        for number in range(len(faces)):
            interpreter.set_tensor(input_index, input_of_pixel[faces[number : number + 1]])
            interpreter.invoke()
            scores[number] = interpreter.get_tensor(output_index)[0]
        return (scores - zero_point) * scale if scale else scores

    return scores_of


def _input_of_pixel(path: str | os.PathLike[str], tensor: dict[str, Any]) -> np.ndarray:
    """Returns the input for each of the 256 gray values: the value as float32, or quantized."""
    pixels = np.arange(256, dtype=np.float32)
    scale, zero_point = _quantization(path, tensor)
    if not scale:
        return pixels
    limits = np.iinfo(tensor["dtype"])
    quantized = np.round(pixels / scale) + zero_point
    return np.clip(quantized, limits.min, limits.max).astype(tensor["dtype"])


def _quantization(path: str | os.PathLike[str], tensor: dict[str, Any]) -> tuple[np.float32, int]:
    """Returns scale and zero point of an int8 or uint8 tensor; a scale of 0 for float32."""
    dtype = np.dtype(tensor["dtype"])
    if dtype == np.float32:
        return np.float32(0), 0
    scale, zero_point = tensor["quantization"]
    if dtype not in (np.int8, np.uint8) or not scale > 0:
        raise EngineError(
            f"expected {tensor['name']} as float32, or as int8 or uint8 with a scale, "
            f"got {dtype} with scale {scale}.",
            path=path,
        )
    return np.float32(scale), int(zero_point)


def import_engine(module: str, path: str | os.PathLike[str], engine: str, packages: str) -> Any:
    """Imports an engine's module.

    Raises:
        EngineError: It is missing or broken; the message says which packages to install.
    """
    try:
        with uninterrupted():  # a Ctrl-C in it would come out as a library that can't be initialized
            return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        if getattr(error, "name", None) in (package, module):
            line = f"Running {Path(path).name} needs {engine}: pip install {packages}"
        else:
            line = f"{engine} is installed but can't be imported: {error}. Try: pip install {packages}"
        raise EngineError(line) from error


def _check_count(path: str | os.PathLike[str], inputs: int, outputs: int) -> None:
    if (inputs, outputs) != (1, 1):
        raise EngineError(f"expected one input and one output, got {inputs} and {outputs}.", path=path)


def _check_shape(path: str | os.PathLike[str], input_shape: list[Any], output_shape: list[Any]) -> None:
    if tuple(input_shape[1:]) != FACE_SHAPE:
        raise EngineError(f"expected faces of shape (n, 48, 48, 1), got {tuple(input_shape)}.", path=path)
    if len(output_shape) != 2 or not isinstance(output_shape[1], int):
        raise EngineError(f"expected scores of shape (n, labels), got {tuple(output_shape)}.", path=path)


def _unreadable(path: str | os.PathLike[str], engine: str, error: Exception) -> EngineError:
    reason = " ".join(str(error).split())
    return EngineError(f"can't be opened by {engine}: {reason[:300]}", path=path)
