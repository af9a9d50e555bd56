"""What int8 files lose to stored ranges: `python -m export.experiments.stored_ranges`.

`make export` has no faces: it takes the activations' ranges that were measured once, on 1,000 training faces,
and stored beside the weights. Here each model is quantized with them, with ranges measured anew on 1,000
other training faces, and by the TFLite converter's own calibration on those. Writes reports/stored_ranges.md
from the validation split; needs FER2013 and takes some minutes.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np

from dataset.load import load_dataset
from dataset.locate import DatasetError

from .. import onnx_file, tflite_file
from ..batch_norm_folding import with_folded_normalization
from ..keras_file import ROOT, is_recurrent
from ..kernel_rounding import with_rounded_kernel
from ..ranges import CALIBRATION_FACES, read_ranges
from .lstm_int8 import trial

REPORT = ROOT / "reports" / "stored_ranges.md"
SEED = 0  # of the choice of the other faces


def main(arguments: list[str] | None = None) -> int:
    """Quantizes every model in each way, scores the files and writes the report."""
    parser = argparse.ArgumentParser(prog="python -m export.experiments.stored_ranges", description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--out", type=Path, default=REPORT)
    options = parser.parse_args(arguments)
    try:
        dataset = load_dataset(options.data)
    except DatasetError as error:
        print(error, file=sys.stderr)
        return 1
    train_faces, _ = dataset.split("train")
    chosen = np.random.default_rng(SEED).choice(len(train_faces), CALIBRATION_FACES, replace=False)
    rows = []
    for weights in sorted((ROOT / "models").glob("*.keras")):
        if is_recurrent(weights):  # its files store no ranges
            continue
        reference = keras.saving.load_model(weights, compile=False)
        for way, form, make in ways(reference, weights, train_faces[chosen]):
            cells = trial(make(), form, reference, dataset, len(dataset.split("validation")[0]))
            rows.append([f"`{weights.stem}_int8.{form}`", way, *cells[1:4]])
            print(" ".join(rows[-1]), flush=True)
    count = len(dataset.split("validation")[0])
    text = [
        "# Int8 with stored ranges",
        "",
        f"Made by `python -m export.experiments.stored_ranges` on the {count:,} faces of the validation "
        "split. `make "
        "export` quantizes with ranges that were measured once and stored beside the weights; here they are "
        "set beside ranges measured anew, on 1,000 other training faces, and beside the TFLite converter's "
        "own calibration on these. Points are accuracy against the same weights in Keras.",
        "",
        "| file | ranges | largest gap to Keras | labels as Keras | points |",
        "|---|---|---:|---:|---:|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
    ]
    options.out.write_text("\n".join(text), encoding="utf-8")
    return 0


def ways(
    reference: keras.Model, weights: Path, faces: np.ndarray
) -> Iterator[tuple[str, str, Callable[[], bytes]]]:
    """Gives each way as what it is, its form, and a function that makes the file.

    faces: uint8 (n, 48, 48, 1), to measure and to calibrate with.
    """
    model = with_rounded_kernel(with_folded_normalization(reference))
    stored = weights.with_suffix(".ranges.json")

    def tflite(ranges: tflite_file.Ranges) -> bytes:
        return tflite_file.to_tflite(model, "int8", ranges)

    def onnx(ranges: dict[str, tuple[float, float]]) -> bytes:
        return onnx_file.to_onnx(model, "int8", ranges).SerializeToString(deterministic=True)

    def calibrated() -> bytes:
        import tensorflow as tf

        with tflite_file.converter_for(model) as converter:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([face[None].astype("float32")] for face in faces)
            return converter.convert()

    yield "stored", "tflite", lambda: tflite(read_ranges(stored, "tflite"))
    yield "measured anew", "tflite", lambda: tflite(tflite_file.measure_ranges(model, faces))
    yield "the converter's own", "tflite", calibrated
    yield "stored", "onnx", lambda: onnx(read_ranges(stored, "onnx"))
    yield "measured anew", "onnx", lambda: onnx(onnx_file.measure_ranges(model, faces))


if __name__ == "__main__":
    sys.exit(main())
