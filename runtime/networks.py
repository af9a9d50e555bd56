"""The programs that run a model file: LiteRT, tflite-runtime, ONNX Runtime, OpenCV DNN.

Each has a function here that opens a file as a `Network`: gray pixels in, float32 out, whatever the file has
inside. Quantized input and output are converted by the scale and zero point in the file. Nothing else of an
engine escapes.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np

from .errors import PathError
from .model_file import ContentsError, check_wiring, read_contents
from .signals import uninterrupted

# Its last release was built for numpy 1, as OpenCV 4.11 was.
TFLITE_RUNTIME = "tflite-runtime==2.14.0 'numpy<2' 'opencv-python<4.12'"

Shape = tuple[int | None, ...]  # a free dimension is None


class EngineError(PathError):
    """An engine is missing, or it can't run this file."""


@dataclass(frozen=True, eq=False)
class Network:
    """A model file that an engine has opened. It serves one thread at a time.

    Attributes:
        input_shape: Of its one input.
        output_shapes: Of the outputs that were asked for.
        run: From pixels, `uint8` of the input's shape, gray 0-255, to these outputs, each a `float32` array
            of its own.
    """

    input_shape: Shape
    output_shapes: list[Shape]
    run: Callable[[np.ndarray], list[np.ndarray]]


class Opener(Protocol):
    """A function in `NETWORKS`."""

    def __call__(
        self, path: str | os.PathLike[str], *, threads: int = 1, outputs: Sequence[str] | None = None
    ) -> Network:
        """Opens a model file.

        Args:
            path: The file.
            threads: The engine's threads.
            outputs: The names of the outputs that are wanted, in this order. None: all, in the file's order.

        Raises:
            EngineError: The engine is missing, it can't run this file, or the file has other outputs.
        """
        ...


def open_litert(
    path: str | os.PathLike[str], *, threads: int = 1, outputs: Sequence[str] | None = None
) -> Network:
    """Opens a `.tflite` file in LiteRT (`ai-edge-litert`)."""
    module = import_engine("ai_edge_litert.interpreter", path, "LiteRT", "ai-edge-litert")
    return open_tflite(module, path, threads, "LiteRT", outputs)


def open_tflite_runtime(
    path: str | os.PathLike[str], *, threads: int = 1, outputs: Sequence[str] | None = None
) -> Network:
    """Opens a `.tflite` file in tflite-runtime, the only engine with wheels for 32-bit boards."""
    module = import_engine("tflite_runtime.interpreter", path, "tflite-runtime", TFLITE_RUNTIME)
    return open_tflite(module, path, threads, "tflite-runtime", outputs)


def open_onnxruntime(
    path: str | os.PathLike[str], *, threads: int = 1, outputs: Sequence[str] | None = None
) -> Network:
    """Opens an `.onnx` file with float input and output in ONNX Runtime, on the CPU."""
    onnxruntime = import_engine("onnxruntime", path, "ONNX Runtime", "onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only: its warnings are about its own optimizer
    data = Path(path).read_bytes()
    try:
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no public base class
        raise unreadable(path, "ONNX Runtime", error) from error
    pixels_input = _only_input(path, session.get_inputs())
    found = session.get_outputs()
    chosen = [found[place] for place in _places(path, [tensor.name for tensor in found], outputs)]
    types = [tensor.type for tensor in (pixels_input, *chosen)]
    if set(types) != {"tensor(float)"}:
        raise EngineError(
            f"expected float input and output, got {' and '.join(types)}. "
            "Int8 input and output are served in .tflite files only.",
            path=path,
        )
    input_name, names = pixels_input.name, [tensor.name for tensor in chosen]

    def run(pixels: np.ndarray) -> list[np.ndarray]:
        found: list[np.ndarray] = session.run(names, {input_name: pixels.astype(np.float32)})
        return found

    return Network(_shape(pixels_input.shape), [_shape(tensor.shape) for tensor in chosen], run)


def open_opencv(
    path: str | os.PathLike[str], *, threads: int = 1, outputs: Sequence[str] | None = None
) -> Network:
    """Opens a float32 `.onnx` file in OpenCV's DNN module, which needs no further package.

    A free batch is taken as a batch of 1: OpenCV 4 gives an LSTM wrong scores in larger ones. `threads` is
    OpenCV's own setting and holds for the whole process. Other precisions are refused: OpenCV 4.14 reads no
    float16 and dynamic-range files, and few with quantized operators.
    """
    data = Path(path).read_bytes()
    if b"QuantizeLinear" in data or b"MatMulInteger" in data:
        raise EngineError(
            "OpenCV runs float32 models only, got a quantized one. Take the float32 file, or "
            "run this one with ONNX Runtime: pip install onnxruntime",
            path=path,
        )
    cv2.setNumThreads(threads)
    engine = "OpenCV, which runs float32 models only"
    try:
        check_wiring(data)
        contents = read_contents(data, ".onnx")
        network = cv2.dnn.readNetFromONNX(np.frombuffer(data, np.uint8))
    except (ContentsError, cv2.error) as error:
        raise unreadable(path, engine, error) from error
    sides = _only_input(path, contents.inputs).shape[1:]
    names = [tensor.name for tensor in contents.outputs]
    places = _places(path, names, outputs)

    def run(pixels: np.ndarray) -> list[np.ndarray]:
        try:
            network.setInput(pixels.astype(np.float32))
            found = network.forward(names)  # OpenCV 5 gives no part of the outputs
        except cv2.error as error:
            raise unreadable(path, engine, error) from error
        return [np.array(found[place]) for place in places]

    return Network((1, *sides), [tuple(contents.outputs[place].shape) for place in places], run)


NETWORKS: dict[str, Opener] = {
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


def open_tflite(
    module: Any,
    path: str | os.PathLike[str],
    threads: int,
    engine: str,
    outputs: Sequence[str] | None = None,
) -> Network:
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
        raise unreadable(path, engine, error) from error
    pixels_input, found = _only_input(path, interpreter.get_input_details()), interpreter.get_output_details()
    if outputs is not None:  # the interpreter has them in the file's order, without the signature's names
        names = [tensor.name for tensor in read_contents(data, ".tflite").outputs]
        found = [found[place] for place in _places(path, names, outputs)]
    input_index = pixels_input["index"]
    quantized = _quantized_pixels(path, pixels_input)
    readers = [(tensor["index"], *_quantization(path, tensor)) for tensor in found]

    def run(pixels: np.ndarray) -> list[np.ndarray]:
        interpreter.set_tensor(
            input_index, pixels.astype(np.float32) if quantized is None else quantized[pixels]
        )
        interpreter.invoke()
        arrays = []
        for index, scale, zero_point in readers:
            array = interpreter.get_tensor(index)
            arrays.append((array.astype(np.float32) - zero_point) * scale if scale else array)
        return arrays

    return Network(_shape(pixels_input["shape"]), [_shape(tensor["shape"]) for tensor in found], run)


def _quantized_pixels(path: str | os.PathLike[str], tensor: dict[str, Any]) -> np.ndarray | None:
    """Returns the quantized input for each of the 256 gray values; None for a float32 input."""
    scale, zero_point = _quantization(path, tensor)
    if not scale:
        return None
    limits = np.iinfo(tensor["dtype"])
    quantized = np.round(np.arange(256, dtype=np.float32) / scale) + zero_point
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


def unreadable(path: str | os.PathLike[str], engine: str, error: Exception) -> EngineError:
    """Returns the error of a file that an engine can't open, with the engine's own reason in one line."""
    reason = " ".join(str(error).split())
    return EngineError(f"can't be opened by {engine}: {reason[:300]}", path=path)


def _only_input(path: str | os.PathLike[str], inputs: Sequence[Any]) -> Any:
    if len(inputs) != 1:
        raise EngineError(f"expected one input, got {len(inputs)}.", path=path)
    return inputs[0]


def _places(path: str | os.PathLike[str], names: Sequence[str], wanted: Sequence[str] | None) -> list[int]:
    """Returns where the wanted outputs are among a file's; None: all."""
    if wanted is None:
        return list(range(len(names)))
    if not set(wanted) <= set(names):
        raise EngineError(
            f"expected the outputs {', '.join(wanted)}, got {', '.join(names) or 'none'}.", path=path
        )
    return [names.index(name) for name in wanted]


def _shape(sizes: Sequence[Any] | np.ndarray) -> Shape:
    """Returns a shape; a free dimension has a name or nothing in the place of its size."""
    return tuple(int(size) if isinstance(size, int | np.integer) else None for size in sizes)
