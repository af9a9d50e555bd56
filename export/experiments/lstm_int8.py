"""What was tried to quantize the recurrent net, each way scored: `python -m export.experiments.lstm_int8`.

Writes reports/cnn_lstm_int8.md. Needs FER2013 and takes some minutes. Faces and accuracy are those of the
validation split, which chooses; the limits are those of `export.parity`.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dataset.duplicates import training_samples
from dataset.fer2013 import Dataset
from dataset.load import load_dataset
from dataset.locate import DatasetError
from runtime.engines import ENGINES
from train.batches import FaceBatches
from train.models import MODELS
from train.targets import one_hot

from .. import onnx_file, tflite_file
from ..keras_file import ROOT
from ..parity import SMALLEST_AGREEMENT, compare
from ..ranges import training_faces

MODEL = ROOT / "models" / "cnn_lstm.keras"
REPORT = ROOT / "reports" / "cnn_lstm_int8.md"


def ways(model: keras.Model, dataset: Dataset) -> Iterator[tuple[str, str, Callable[[], bytes]]]:
    """Gives each way as what it is, its form, and a function that makes the file."""
    import tensorflow as tf

    faces = training_faces(dataset, 1000)
    ranges = tflite_file.measure_ranges(model, faces)

    def with_converter(unroll: bool, configure: Callable[[tf.lite.TFLiteConverter], None]) -> bytes:
        with tflite_file.converter_for(tflite_file.unrolled(model) if unroll else model) as converter:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            configure(converter)
            return converter.convert()

    def calibrated(converter: tf.lite.TFLiteConverter) -> None:
        chosen = faces[::10].astype(np.float32)
        converter.representative_dataset = lambda: ([face[np.newaxis]] for face in chosen)
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True

    def sixteen(converter: tf.lite.TFLiteConverter) -> None:
        calibrated(converter)
        kinds = tf.lite.OpsSet
        converter.target_spec.supported_ops = [
            kinds.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        ]

    def per_tensor(converter: tf.lite.TFLiteConverter) -> None:
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True

    def quantized(ranges: tflite_file.Ranges, **keywords: Any) -> Callable[[], bytes]:
        return lambda: tflite_file.quantize(model, ranges, tf.float32, **keywords)

    yield "int8, unrolled, the converter's own ranges", "tflite", lambda: with_converter(True, calibrated)
    yield "int8, unrolled, ranges of 1,000 faces", "tflite", quantized(ranges, float_operators=None)
    yield "int8, the cell state's arithmetic in float32", "tflite", quantized(ranges)
    yield "the same, dense layers per channel", "tflite", quantized(ranges, per_channel_dense=True)
    more = tflite_file.measure_ranges(model, training_faces(dataset, 3000))
    yield "the same, per tensor, ranges of 3,000 faces", "tflite", quantized(more)
    yield "int8 weights, int16 activations (16x8), unrolled", "tflite", lambda: with_converter(True, sixteen)
    yield "dynamic range, per tensor", "tflite", lambda: with_converter(False, per_tensor)
    yield (
        "**dynamic range, per channel (`cnn_lstm_dynamic.tflite`)**",
        "tflite",
        lambda: tflite_file.to_tflite(model, "dynamic"),
    )
    yield (
        "**dynamic, per channel (`cnn_lstm_int8.onnx`)**",
        "onnx",
        lambda: onnx_file.to_onnx(model, "int8").SerializeToString(),
    )


def fine_tuned(model: keras.Model, dataset: Dataset, *, epochs: int = 6, limit: float = 0.6) -> keras.Model:
    """Returns the model after some epochs that prepare it for int8.

    Kernels are held within +-`limit` (they reach 1.5), so that one scale serves all of them better, and
    noise of one int8 step is added to the dense front end's output.
    """

    class Within(keras.constraints.Constraint):
        def __call__(self, w: object) -> object:
            return keras.ops.clip(w, -limit, limit)

    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for variable in copy.trainable_variables:
        if "kernel" in variable.path:
            variable.constraint = Within()
            variable.assign(keras.ops.clip(variable, -limit, limit))
    x = copy.input
    for layer in copy.layers[1:]:
        x = layer(x)
        if isinstance(layer, keras.layers.Dense) and layer.units == 64:
            x = keras.layers.GaussianNoise(0.015)(x)
    noisy = keras.Model(copy.input, x)
    faces, labels = (part[training_samples(dataset)] for part in dataset.split("train"))
    augmentation = MODELS["cnn_lstm"].recipe.augmentation
    keras.utils.set_random_seed(0)
    batches = FaceBatches(faces, one_hot(labels), batch_size=64, seed=0, augmentation=augmentation)
    schedule = keras.optimizers.schedules.CosineDecay(1e-3, epochs * len(batches))
    noisy.compile(
        keras.optimizers.Adam(schedule), "categorical_crossentropy", metrics=["accuracy"], jit_compile=False
    )
    start = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: batches.start(epoch))
    noisy.fit(batches, epochs=epochs, shuffle=False, callbacks=[start])
    return copy


def loop_in_int8() -> str:
    """Returns how the conversion of the looped LSTM to int8 ends, tried in a process of its own."""
    program = (
        "import sys, numpy as np, keras, tensorflow as tf\n"
        "from export import tflite_file\n"
        "model = keras.saving.load_model(sys.argv[1], compile=False)\n"
        "with tflite_file.converter_for(model) as converter:\n"
        "    converter.optimizations = [tf.lite.Optimize.DEFAULT]\n"
        "    converter.representative_dataset = lambda: [[np.zeros((1, 48, 48, 1), np.float32)]]\n"
        "    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]\n"
        "    converter.convert()\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(MODEL)], cwd=ROOT, capture_output=True)
    if done.returncode < 0:
        return f"the converter's process dies of signal {-done.returncode}"
    return "fails" if done.returncode else "converts"


def trial(file: bytes, form: str, model: keras.Model, dataset: Dataset, count: int) -> list[str]:
    """Returns a file's cells of the table: bytes, gap, agreement, accuracy, ms per face."""
    faces, labels = (part[:count] for part in dataset.split("validation"))
    reference = model.predict(faces.astype(np.float32), batch_size=256, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"trial.{form}"
        path.write_bytes(file)
        scores_of = ENGINES["litert" if form == "tflite" else "onnxruntime"](path)
        start = time.perf_counter()
        scores = scores_of(faces)
        seconds = time.perf_counter() - start
    parity = compare(scores, reference)
    right = [(answers.argmax(axis=1) == labels).mean() for answers in (scores, reference)]
    return [
        f"{len(file) / 1000:.0f}",
        f"{parity.largest_gap:.3f}",
        f"{parity.label_agreement:.1%}",
        f"{100 * (right[0] - right[1]):+.2f}",
        f"{1000 * seconds / len(faces):.2f}",
    ]


def main() -> int:
    """Tries every way and writes the report."""
    parser = argparse.ArgumentParser(prog="python -m export.experiments.lstm_int8", description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--faces", type=int, default=3589, help="of the validation split")
    options = parser.parse_args()
    try:
        dataset = load_dataset(options.data)
    except DatasetError as error:
        print(error, file=sys.stderr)
        return 1
    model = keras.saving.load_model(MODEL, compile=False)
    rows = []
    for what, form, make in ways(model, dataset):
        rows.append([what, *trial(make(), form, model, dataset, options.faces)])
        print(rows[-1], flush=True)
    tuned = fine_tuned(model, dataset)
    import tensorflow as tf

    for what, float_operators in (
        ("full int8", None),
        ("the state in float32", tflite_file.FLOAT_OPERATORS_OF_LSTM),
    ):
        ranges = tflite_file.measure_ranges(tuned, training_faces(dataset, 1000))
        file = tflite_file.quantize(tuned, ranges, tf.float32, float_operators=float_operators)
        rows.append([f"fine-tuned for int8, {what}", *trial(file, "tflite", tuned, dataset, options.faces)])
        print(rows[-1], flush=True)
    lines = [
        "# Int8 for the recurrent net: what was tried",
        "",
        "Made by `python -m export.experiments.lstm_int8`. A released quantized file must give Keras' label "
        "for at least "
        f"{SMALLEST_AGREEMENT:.0%} of the faces. Measured on {options.faces:,} validation faces; points are "
        "accuracy against the same weights in Keras; ms per face were taken once each, for the order only.",
        "",
        "| way | KB | largest gap | labels as Keras | points | ms |",
        "|---|---:|---:|---:|---:|---:|",
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
        f"The looped LSTM, full int8: {loop_in_int8()}.",
        "",
    ]
    REPORT.write_text("\n".join(lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
