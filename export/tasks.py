"""What runs in a process of its own: one conversion, one measurement of ranges, Keras' own scores.

`python -m export.tasks` serves one caller, `export.own_process`. It imports Keras and the converters once,
which takes seconds, and does each task in a fork of this state.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import numpy as np

from . import detector
from .ranges import read_ranges

if TYPE_CHECKING:
    import keras

Task = Callable[..., None]

# What the tasks import inside functions and would import again in every fork.
PRELOADED = (
    "export.onnx_file",
    "export.tflite_file",
    "ai_edge_litert.interpreter",
    "onnxruntime.quantization",
    "tensorflow",
    "tf2onnx",
)


def convert(keras_file: str, out: str, precision: str, ranges_file: str) -> None:
    """Writes one artifact, without the facts of its card.

    Args:
        keras_file: The weights.
        out: The file to write; its suffix, `.tflite` or `.onnx`, is the format.
        precision: One of `runtime.card.PRECISIONS`.
        ranges_file: The ranges of the activations; read for int8 files of nets without an LSTM.
    """
    from . import onnx_file, tflite_file
    from .batch_norm_folding import with_folded_normalization
    from .kernel_rounding import with_rounded_kernel

    path = Path(out)
    model = with_folded_normalization(load(keras_file))
    quantized = precision.startswith("int8") and not tflite_file.has_lstm(model)
    ranges = read_ranges(Path(ranges_file), path.suffix[1:]) if quantized else None
    if quantized:
        model = with_rounded_kernel(model)
    elif (path.suffix, precision) == (".tflite", "fp16"):
        model = with_rounded_kernel(model, "float16")
    if path.suffix == ".tflite":
        path.write_bytes(tflite_file.to_tflite(model, precision, ranges))
    else:
        path.write_bytes(onnx_file.to_onnx(model, precision, ranges).SerializeToString(deterministic=True))


def measure_ranges(keras_file: str, images_file: str, out: str) -> None:
    """Writes the range of every activation over images as JSON, for both formats.

    Args:
        keras_file: The weights.
        images_file: A NumPy file of faces or images, uint8 (n, height, width, 1), gray 0-255.
        out: The file to write.
    """
    from . import onnx_file, tflite_file
    from .batch_norm_folding import with_folded_normalization
    from .kernel_rounding import with_rounded_kernel

    images = np.load(images_file)
    model = with_rounded_kernel(with_folded_normalization(load(keras_file)))
    ranges_of = {"tflite": tflite_file.measure_ranges, "onnx": onnx_file.measure_ranges}
    Path(out).write_text(json.dumps({form: measure(model, images) for form, measure in ranges_of.items()}))


def score(keras_file: str, images_file: str, out: str) -> None:
    """Writes Keras' answers as a NumPy file: scores, float32 (n, classes), of a detector `joined` outputs.

    Arguments as `measure_ranges`.
    """
    images, model = np.load(images_file), load(keras_file)
    batch = 16 if isinstance(model.output, dict) else 256
    parts = [
        model.predict_on_batch(images[first : first + batch].astype(np.float32))
        for first in range(0, len(images), batch)
    ]
    np.save(
        out, np.concatenate([detector.joined(part) if isinstance(part, dict) else part for part in parts])
    )


TASKS: dict[str, Task] = {"convert": convert, "ranges": measure_ranges, "scores": score}


def load(keras_file: str) -> keras.Model:
    """Returns the model of a `.keras` file, a detector's for the files' size of images."""
    import keras

    model = keras.saving.load_model(keras_file, compile=False)
    return detector.as_exported(model) if model.name == detector.NAME else model


def serve(requests: TextIO, replies: TextIO, *, forks: bool) -> None:
    """Does tasks as they are requested.

    Args:
        requests: Lines of JSON: the task's name and its arguments.
        replies: Gets a line of JSON for each: the exit status of the task's process, negative for a signal,
            and the error's text or null.
        forks: Whether each task has a fork of its own; else they are done here.
    """
    for line in requests:
        name, *arguments = json.loads(line)
        if forks:
            status, error = in_a_fork(TASKS[name], arguments)
        else:
            status, error = 0, error_of(TASKS[name], arguments)
        print(json.dumps([status, error]), file=replies, flush=True)


def in_a_fork(task: Task, arguments: list[str]) -> tuple[int, str | None]:
    """Does a task in a fork; returns its exit status and the error's text, None without one."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.write(writable, (error_of(task, arguments) or "").encode())
            status = 0
        finally:
            os._exit(status)
    os.close(writable)
    with os.fdopen(readable, encoding="utf-8", errors="replace") as pipe:
        error = pipe.read()
    _, ended = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(ended), error or None


def error_of(task: Task, arguments: list[str]) -> str | None:
    """Does a task; returns the last line of the error that it raised with the error's kind, else None."""
    try:
        task(*arguments)
    except Exception as error:  # whatever a converter raises: the caller reports it and goes on
        return f"{type(error).__name__}: {error}".strip().splitlines()[-1]
    return None


def main() -> None:
    """Serves standard input; replies go to standard output, and what the converters print does not."""
    forks = sys.argv[1:] == ["forks"]
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for module in PRELOADED if forks else ():
        with contextlib.suppress(ImportError):  # the task that needs it says so
            importlib.import_module(module)
    serve(sys.stdin, replies, forks=forks)


if __name__ == "__main__":
    main()
