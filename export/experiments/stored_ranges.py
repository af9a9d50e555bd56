"""What int8 files lose to stored ranges: `python -m export.experiments.stored_ranges`.

`make export` quantizes with ranges of the activations that were measured once, on 1,000 training faces, and
stored beside the weights. Here each model is quantized with them, with the ranges over 1,000 other training
faces, and by the TFLite converter's own calibration on those. Needs FER2013 and takes some minutes; writes
results/stored_ranges.json and reports/stored_ranges.md.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dataset.fer2013 import Dataset
from train.models import MODELS, RELEASED

from .. import onnx_file, tflite_file
from ..batch_norm_folding import with_folded_normalization
from ..keras_file import ROOT, is_recurrent
from ..kernel_rounding import with_rounded_kernel
from ..ranges import CALIBRATION_FACES, Ranges, read_ranges
from .trials import Way, run_experiment, trial_of

RESULTS = ROOT / "results" / "stored_ranges.json"
SEED = 0  # of the choice of the other faces


def measure(dataset: Dataset) -> dict[str, Any]:
    """Returns the trials of every model in every way, and the numbers of faces."""
    train_faces, _ = dataset.split("train")
    chosen = np.random.default_rng(SEED).choice(len(train_faces), CALIBRATION_FACES, replace=False)
    trials = []
    for name in sorted(MODELS):
        weights = RELEASED / f"{name}.keras"
        if is_recurrent(weights):  # its files store no ranges
            continue
        model = keras.saving.load_model(weights, compile=False)
        for way in ways(model, weights, train_faces[chosen]):
            trials.append({"file": f"{name}_int8.{way.form}", **trial_of(way, model, dataset)})
    return {
        "faces": len(dataset.split("validation")[0]),
        "calibration_faces": CALIBRATION_FACES,
        "trials": trials,
    }


def ways(reference: keras.Model, weights: Path, faces: np.ndarray) -> Iterator[Way]:
    """Gives the ways to choose the ranges.

    Args:
        reference: The model.
        weights: Its file; the stored ranges are beside it.
        faces: Other training faces, uint8 (n, 48, 48, 1), to measure and to calibrate with.
    """
    model = with_rounded_kernel(with_folded_normalization(reference))
    stored = weights.with_suffix(".ranges.json")

    def tflite(ranges: Ranges) -> bytes:
        return tflite_file.to_tflite(model, "int8", ranges)

    def onnx(ranges: Ranges) -> bytes:
        return onnx_file.to_onnx(model, "int8", ranges).SerializeToString(deterministic=True)

    def calibrated() -> bytes:
        import tensorflow as tf

        with tflite_file.converter_for(model) as converter:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([face[None].astype("float32")] for face in faces)
            return converter.convert()

    others, own = "of other faces", "the converter's own"
    yield Way(name="stored", form="tflite", make=lambda: tflite(read_ranges(stored, "tflite")))
    yield Way(name=others, form="tflite", make=lambda: tflite(tflite_file.measure_ranges(model, faces)))
    yield Way(name=own, form="tflite", make=calibrated)
    yield Way(name="stored", form="onnx", make=lambda: onnx(read_ranges(stored, "onnx")))
    yield Way(name=others, form="onnx", make=lambda: onnx(onnx_file.measure_ranges(model, faces)))


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    return run_experiment("python -m export.experiments.stored_ranges", __doc__, RESULTS, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
