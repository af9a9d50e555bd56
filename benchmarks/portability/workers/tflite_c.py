"""TensorFlow Lite's C library as the module that the runtime expects tflite-runtime to be.

Old phones hold TensorFlow Lite without Python. `stand_in(library)` registers an `Interpreter` over the
stable C interface (`tensorflow/lite/c/c_api.h`), so that `load_model(file, engine="tflite_runtime")` runs the
file in that library, through the very code that runs it in every other: quantization of the input and the
output included.
"""

from __future__ import annotations

import ctypes
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np

# TfLiteType of c_api_types.h: the types that the runtime serves.
DTYPES = {1: np.float32, 3: np.uint8, 9: np.int8}
OK = 0  # kTfLiteOk


class Quantization(ctypes.Structure):
    """TfLiteQuantizationParams: the scale and the zero point of a whole tensor."""

    _fields_ = (("scale", ctypes.c_float), ("zero_point", ctypes.c_int32))


# A function: what it returns and takes. Models, options, interpreters and tensors are bare addresses.
SIGNATURES: dict[str, tuple[Any, ...]] = {
    "TfLiteVersion": (ctypes.c_char_p,),
    "TfLiteModelCreate": (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t),
    "TfLiteModelDelete": (None, ctypes.c_void_p),
    "TfLiteInterpreterOptionsCreate": (ctypes.c_void_p,),
    "TfLiteInterpreterOptionsSetNumThreads": (None, ctypes.c_void_p, ctypes.c_int32),
    "TfLiteInterpreterOptionsDelete": (None, ctypes.c_void_p),
    "TfLiteInterpreterCreate": (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p),
    "TfLiteInterpreterDelete": (None, ctypes.c_void_p),
    "TfLiteInterpreterAllocateTensors": (ctypes.c_int, ctypes.c_void_p),
    "TfLiteInterpreterInvoke": (ctypes.c_int, ctypes.c_void_p),
    "TfLiteInterpreterGetInputTensorCount": (ctypes.c_int32, ctypes.c_void_p),
    "TfLiteInterpreterGetOutputTensorCount": (ctypes.c_int32, ctypes.c_void_p),
    "TfLiteInterpreterGetInputTensor": (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32),
    "TfLiteInterpreterGetOutputTensor": (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32),
    "TfLiteTensorType": (ctypes.c_int, ctypes.c_void_p),
    "TfLiteTensorNumDims": (ctypes.c_int32, ctypes.c_void_p),
    "TfLiteTensorDim": (ctypes.c_int32, ctypes.c_void_p, ctypes.c_int32),
    "TfLiteTensorName": (ctypes.c_char_p, ctypes.c_void_p),
    "TfLiteTensorQuantizationParams": (Quantization, ctypes.c_void_p),
    "TfLiteTensorCopyFromBuffer": (ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t),
    "TfLiteTensorCopyToBuffer": (ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t),
}


def open_library(path: Path) -> ctypes.CDLL:
    """Returns the library with its functions declared; raises OSError or AttributeError for another one."""
    library = ctypes.CDLL(str(path))
    for name, (result, *arguments) in SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def version_of(library: ctypes.CDLL) -> str:
    """Returns the library's own version, as `2.9.0`."""
    return library.TfLiteVersion().decode()


def stand_in(path: Path) -> None:
    """Registers the C library at `path` as the module `tflite_runtime.interpreter` of this process."""
    library = open_library(path)
    module: Any = types.ModuleType("tflite_runtime.interpreter")
    module.Interpreter = lambda model_content, num_threads: Interpreter(library, model_content, num_threads)
    sys.modules["tflite_runtime.interpreter"] = module


class Interpreter:
    """The part of tflite-runtime's `Interpreter` that the runtime uses; inputs have the first indices."""

    def __init__(self, library: ctypes.CDLL, model_content: bytes, num_threads: int) -> None:
        """Opens a model; raises ValueError where the library can't run it."""
        self._library = library
        self._content = model_content  # the library reads it as long as the model lives
        self._model = library.TfLiteModelCreate(model_content, len(model_content))
        if not self._model:
            raise ValueError("The model is not a TensorFlow Lite file.")
        options = library.TfLiteInterpreterOptionsCreate()
        library.TfLiteInterpreterOptionsSetNumThreads(options, num_threads)
        self._interpreter = library.TfLiteInterpreterCreate(self._model, options)
        library.TfLiteInterpreterOptionsDelete(options)
        if not self._interpreter:
            library.TfLiteModelDelete(self._model)
            raise ValueError("The library has not all of the file's operators.")
        self._inputs = library.TfLiteInterpreterGetInputTensorCount(self._interpreter)

    def __del__(self) -> None:
        """Frees what the library holds."""
        if getattr(self, "_interpreter", None):
            self._library.TfLiteInterpreterDelete(self._interpreter)
            self._library.TfLiteModelDelete(self._model)

    def allocate_tensors(self) -> None:
        """Makes room for the tensors; raises RuntimeError where the library refuses the graph."""
        self._check(self._library.TfLiteInterpreterAllocateTensors(self._interpreter), "allocate tensors")

    def get_input_details(self) -> list[dict[str, Any]]:
        """Returns name, index, shape, dtype and quantization of each input."""
        return [self._details(index) for index in range(self._inputs)]

    def get_output_details(self) -> list[dict[str, Any]]:
        """Returns name, index, shape, dtype and quantization of each output."""
        outputs = self._library.TfLiteInterpreterGetOutputTensorCount(self._interpreter)
        return [self._details(self._inputs + index) for index in range(outputs)]

    def set_tensor(self, index: int, value: np.ndarray) -> None:
        """Copies an array of the tensor's dtype and size into it."""
        value = np.ascontiguousarray(value)
        status = self._library.TfLiteTensorCopyFromBuffer(
            self._tensor(index), value.ctypes.data, value.nbytes
        )
        self._check(status, "take the input")

    def invoke(self) -> None:
        """Runs the model."""
        self._check(self._library.TfLiteInterpreterInvoke(self._interpreter), "run the model")

    def get_tensor(self, index: int) -> np.ndarray:
        """Returns a copy of a tensor."""
        details = self._details(index)
        value = np.empty(details["shape"], details["dtype"])
        status = self._library.TfLiteTensorCopyToBuffer(self._tensor(index), value.ctypes.data, value.nbytes)
        self._check(status, "give the output")
        return value

    def _tensor(self, index: int) -> int:
        if index < self._inputs:
            return self._library.TfLiteInterpreterGetInputTensor(self._interpreter, index)
        return self._library.TfLiteInterpreterGetOutputTensor(self._interpreter, index - self._inputs)

    def _details(self, index: int) -> dict[str, Any]:
        tensor = self._tensor(index)
        number = self._library.TfLiteTensorType(tensor)
        if number not in DTYPES:
            raise ValueError(f"Expected a tensor of float32, uint8 or int8, got TfLiteType {number}.")
        quantization = self._library.TfLiteTensorQuantizationParams(tensor)
        rank = self._library.TfLiteTensorNumDims(tensor)
        return {
            "name": self._library.TfLiteTensorName(tensor).decode(),
            "index": index,
            "shape": np.array([self._library.TfLiteTensorDim(tensor, axis) for axis in range(rank)]),
            "dtype": DTYPES[number],
            "quantization": (quantization.scale, quantization.zero_point),
        }

    def _check(self, status: int, action: str) -> None:
        if status != OK:
            raise RuntimeError(f"The library can't {action}: status {status}.")
