"""What runs in a process of its own: one conversion, one measurement of ranges, Keras' own scores.

A conversion can kill its process (TensorFlow 2.21 does, on an int8 loop), and generated names depend on
what was converted before: so each file is made by a fresh process, and the export goes on without it.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np


class ConversionError(RuntimeError):
    """A conversion failed or its process died; the message holds its last words."""


def in_own_process(task: str, keras_file: Path, *arguments: str | Path) -> None:
    """Runs `task` of this module in a fresh process; raises ConversionError if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "export.convert", task, str(keras_file), *map(str, arguments)],
        cwd=Path(__file__).parent.parent,
        env=os.environ
        | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"},
        capture_output=True,
        text=True,
    )
    if done.returncode < 0:
        raise ConversionError(f"{task} of {keras_file} died of signal {-done.returncode}.")
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or ["no message"]
        raise ConversionError(f"{task} of {keras_file} failed: {last[0]}")


def read_ranges(path: Path, form: str) -> dict[str, tuple[float, float]]:
    """Returns the stored ranges of `form`, "tflite" or "onnx"."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    return {name: (low, high) for name, (low, high) in stored[form].items()}


def main() -> None:
    """Does one task: `convert KERAS OUT PRECISION RANGES`, `ranges` or `scores` `KERAS FACES OUT`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("task", choices=["convert", "ranges", "scores"])
    parser.add_argument("keras_file", type=Path)
    parser.add_argument("arguments", nargs="+", type=Path)
    options = parser.parse_args()

    import keras

    from . import onnx_file, tflite_file
    from .batch_norm_folding import with_folded_normalisation
    from .kernel_rounding import with_rounded_kernel

    model = keras.saving.load_model(options.keras_file, compile=False)
    if options.task != "scores":
        model = with_folded_normalisation(model)
    if options.task == "convert":
        out, precision, ranges_file = options.arguments
        form = out.suffix[1:]
        quantized = str(precision).startswith("int8") and not tflite_file.has_lstm(model)
        ranges = read_ranges(ranges_file, form) if quantized else None
        if quantized:
            model = with_rounded_kernel(model)
        elif (form, str(precision)) == ("tflite", "fp16"):
            model = with_rounded_kernel(model, "float16")
        if form == "tflite":
            out.write_bytes(tflite_file.to_tflite(model, str(precision), ranges))
        else:
            out.write_bytes(
                onnx_file.to_onnx(model, str(precision), ranges).SerializeToString(deterministic=True)
            )
    elif options.task == "ranges":
        faces_file, out = options.arguments
        faces, model = np.load(faces_file), with_rounded_kernel(model)
        ranges_of = {"tflite": tflite_file.measure_ranges, "onnx": onnx_file.measure_ranges}
        out.write_text(json.dumps({form: measure(model, faces) for form, measure in ranges_of.items()}))
    else:
        faces_file, out = options.arguments
        np.save(out, model.predict(np.load(faces_file).astype(np.float32), batch_size=256, verbose=0))


if __name__ == "__main__":
    main()
