"""Ways to quantize the recurrent net, each scored: `python -m export.experiments.lstm_int8`.

Faces and accuracy are those of the validation split, which chooses; the limits are those of `export.parity`.
Needs FER2013 and takes some minutes; writes results/cnn_lstm_int8.json and reports/cnn_lstm_int8.md.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np

from dataset.duplicates import training_samples
from dataset.fer2013 import Dataset
from train.batches import FaceBatches
from train.models import MODELS, RELEASED
from train.targets import one_hot

from .. import onnx_file, tflite_file
from ..keras_file import ROOT
from ..parity import SMALLEST_AGREEMENT
from ..ranges import Ranges, training_faces
from .trials import Way, run_experiment, trial_of

MODEL = RELEASED / "cnn_lstm.keras"
RESULTS = ROOT / "results" / "cnn_lstm_int8.json"
FACES = 1000  # to measure ranges on

Configure = Callable[[Any], None]  # sets options of TensorFlow's converter


def measure(dataset: Dataset) -> dict[str, Any]:
    """Returns the trials of every way, of the net and of its fine-tuned copy."""
    model = keras.saving.load_model(MODEL, compile=False)
    trials = [
        trial_of(way, model, dataset)
        for way in (*converter_ways(model, dataset), *ranges_ways(model, dataset), *dynamic_ways(model))
    ]
    tuned = fine_tuned(model, dataset)
    trials += [trial_of(way, tuned, dataset) for way in tuned_ways(tuned, dataset)]
    return {
        "faces": len(dataset.split("validation")[0]),
        "smallest_agreement": SMALLEST_AGREEMENT,
        "trials": trials,
        "looped": loop_in_int8(),
    }


def converter_ways(model: keras.Model, dataset: Dataset) -> Iterator[Way]:
    """Gives the ways in which TensorFlow's converter measures the ranges of the unrolled net."""
    import tensorflow as tf

    faces = training_faces(dataset, FACES)[::10].astype(np.float32)
    unrolled = tflite_file.unrolled(model)

    def calibrated(converter: Any) -> None:
        converter.representative_dataset = lambda: ([face[np.newaxis]] for face in faces)
        per_tensor(converter)

    def with_int16(converter: Any) -> None:
        calibrated(converter)
        kinds = tf.lite.OpsSet
        converter.target_spec.supported_ops = [
            kinds.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        ]

    yield Way(
        name="int8, unrolled, the converter's own ranges",
        form="tflite",
        make=lambda: converted(unrolled, calibrated),
    )
    yield Way(
        name="int8 weights, int16 activations (16x8), unrolled",
        form="tflite",
        make=lambda: converted(unrolled, with_int16),
    )


def per_tensor(converter: Any) -> None:
    """Lets TensorFlow's converter quantize dense layers with one scale each."""
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True


def converted(model: keras.Model, configure: Configure) -> bytes:
    """Returns the file that TensorFlow's converter makes with quantization and some more options."""
    import tensorflow as tf

    with tflite_file.converter_for(model) as converter:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        configure(converter)
        return converter.convert()


def ranges_ways(model: keras.Model, dataset: Dataset) -> Iterator[Way]:
    """Gives the ways with the ranges that the kit measures itself."""
    ranges = tflite_file.measure_ranges(model, training_faces(dataset, FACES))
    more = tflite_file.measure_ranges(model, training_faces(dataset, 3 * FACES))
    yield Way(
        name=f"int8, unrolled, ranges of {FACES:,} faces",
        form="tflite",
        make=quantized(model, ranges, float_operators=None),
    )
    yield Way(
        name="int8, the cell state's arithmetic in float32", form="tflite", make=quantized(model, ranges)
    )
    yield Way(
        name="the same, dense layers per channel",
        form="tflite",
        make=quantized(model, ranges, per_channel_dense=True),
    )
    yield Way(
        name=f"the same, per tensor, ranges of {3 * FACES:,} faces",
        form="tflite",
        make=quantized(model, more),
    )


def quantized(model: keras.Model, ranges: Ranges, **options: Any) -> Callable[[], bytes]:
    """Returns a function that makes the int8 file with float32 input and output."""
    import tensorflow as tf

    return lambda: tflite_file.quantize(model, ranges, tf.float32, **options)


def dynamic_ways(model: keras.Model) -> Iterator[Way]:
    """Gives dynamic-range quantization in both formats; the names of released files are bold."""
    yield Way(name="dynamic range, per tensor", form="tflite", make=lambda: converted(model, per_tensor))
    yield Way(
        name="**dynamic range, per channel (`cnn_lstm_dynamic.tflite`)**",
        form="tflite",
        make=lambda: tflite_file.to_tflite(model, "dynamic"),
    )
    yield Way(
        name="**dynamic range, per channel (`cnn_lstm_int8.onnx`)**",
        form="onnx",
        make=lambda: onnx_file.to_onnx(model, "int8").SerializeToString(),
    )


def tuned_ways(tuned: keras.Model, dataset: Dataset) -> Iterator[Way]:
    """Gives the ways to quantize the fine-tuned net."""
    ranges = tflite_file.measure_ranges(tuned, training_faces(dataset, FACES))
    full = quantized(tuned, ranges, float_operators=None)
    yield Way(name="fine-tuned for int8, full int8", form="tflite", make=full)
    yield Way(name="fine-tuned for int8, the state in float32", form="tflite", make=quantized(tuned, ranges))


def fine_tuned(model: keras.Model, dataset: Dataset, *, epochs: int = 6, limit: float = 0.6) -> keras.Model:
    """Returns the model after some epochs that prepare it for int8.

    Kernels are held within +-`limit` (they reach 1.5), so that one scale serves all of them better. Noise of
    one int8 step is added to the output of the dense front end.
    """
    keras.utils.set_random_seed(0)
    copy, noisy = prepared(model, limit)
    faces, labels = (part[training_samples(dataset)] for part in dataset.split("train"))
    augmentation = MODELS["cnn_lstm"].recipe.augmentation
    batches = FaceBatches(faces, one_hot(labels), batch_size=64, seed=0, augmentation=augmentation)
    schedule = keras.optimizers.schedules.CosineDecay(1e-3, epochs * len(batches))
    noisy.compile(
        keras.optimizers.Adam(schedule), "categorical_crossentropy", metrics=["accuracy"], jit_compile=False
    )
    start = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: batches.start(epoch))
    noisy.fit(batches, epochs=epochs, shuffle=False, callbacks=[start])
    return copy


def prepared(model: keras.Model, limit: float) -> tuple[keras.Model, keras.Model]:
    """Returns a copy with kernels within +-`limit`, and a model of the same weights with noise inside."""

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
    return copy, keras.Model(copy.input, x)


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
    return "the converter fails" if done.returncode else "the converter succeeds"


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    return run_experiment("python -m export.experiments.lstm_int8", __doc__, RESULTS, measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
