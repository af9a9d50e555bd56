"""`python -m train.throughput`: images/s of our training beside the plainest `model.fit` on arrays in memory.

Four ways train the same architecture on the same made-up faces, interleaved, round after round in one run.
`plain` is `fit` on arrays in memory with Keras's defaults. `ours` is `train.training.train` without
augmentation, checkpoints and validation included; `augmented` is the same with it; `bfloat16` is that in
bfloat16, as `edge` was trained. The first epoch of each fit, in which the backend compiles, is not counted.
Epochs should be long, as in a real training, for `ours` writes a checkpoint after each. The ratio to `plain`
is the result: it should be 1 or more for `ours`.
"""

import argparse
import datetime
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from dataset.fer2013 import LABELS, Dataset
from reporting.command import run_command
from reporting.files import write_atomically
from reporting.machine import processor_name

from .models import MODELS
from .recipes import Recipe

WAYS = ("plain", "ours", "augmented", "bfloat16")


def made_up_faces(images: int, *, seed: int = 0) -> Dataset:
    """Returns a dataset of noise with `images` training samples: a step costs the same for any faces."""
    random = np.random.default_rng(seed)
    splits = np.repeat(["train", "validation", "test"], [images, 64, 7])
    return Dataset(
        faces=random.integers(0, 256, (len(splits), 48, 48, 1), dtype=np.uint8),
        labels=np.arange(len(splits)) % len(LABELS),
        splits=splits,
        origins=range(len(splits)),
        path=Path("made-up faces"),
        sha256="0" * 64,
    )


def epoch_seconds(way: str, model: str, dataset: Dataset, *, epochs: int, batch_size: int) -> list[float]:
    """Trains from new weights in one of `WAYS`; returns the seconds of each epoch but the first."""
    if way == "plain":
        return plain_epoch_seconds(model, dataset, epochs=epochs, batch_size=batch_size)[1:]
    from .training import train

    recipe = Recipe(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=1e-3,
        patience=epochs,
        augmentation=None if way == "ours" else MODELS[model].recipe.augmentation,
        precision="bfloat16" if way == "bfloat16" else "float32",
    )
    with tempfile.TemporaryDirectory() as folder:
        record = train(
            dataset,
            model=model,
            recipe=recipe,
            out=Path(folder) / f"{model}.keras",
            run_dir=Path(folder) / "run",
            tensorboard=False,
            verbose=0,
        )
    return record["history"]["seconds"][1:]


def plain_epoch_seconds(model: str, dataset: Dataset, *, epochs: int, batch_size: int) -> list[float]:
    """Trains by `fit` on float32 arrays with nothing around it; returns the seconds of each epoch."""
    import keras

    from .targets import one_hot

    faces, labels = dataset.split("train")
    arrays, targets = faces.astype("float32"), one_hot(labels)
    network = MODELS[model].build()
    network.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
    clock: list[float] = []
    reader = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: clock.append(time.perf_counter()),
        on_epoch_end=lambda epoch, logs: clock.append(time.perf_counter()),
    )
    network.fit(arrays, targets, batch_size=batch_size, epochs=epochs, callbacks=[reader], verbose=0)
    return [end - begin for begin, end in zip(clock[::2], clock[1::2], strict=True)]


def measure(
    models: list[str], *, images: int, epochs: int, rounds: int, batch_size: int
) -> dict[str, dict[str, float]]:
    """Returns, for each model, images/s of each of `WAYS`: by the median over the epochs of all rounds."""
    from tqdm import tqdm

    dataset = made_up_faces(images)
    seconds: dict[str, dict[str, list[float]]] = {model: {way: [] for way in WAYS} for model in models}
    steps = [(model, way) for model in models for _ in range(rounds) for way in WAYS]
    bar = tqdm(steps, desc="Training", unit="fit")
    for model, way in bar:
        bar.set_postfix_str(f"{model}, {way}")
        seconds[model][way] += epoch_seconds(way, model, dataset, epochs=epochs, batch_size=batch_size)
    return {
        model: {way: images / statistics.median(times) for way, times in ways.items()}
        for model, ways in seconds.items()
    }


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Returns the command line's arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m train.throughput",
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--model", choices=list(MODELS), help="only this architecture")
    parser.add_argument("--images", type=int, default=14_400, help="images of an epoch")
    parser.add_argument("--epochs", type=int, default=2, help="epochs of each fit, at least 2")
    parser.add_argument("--rounds", type=int, default=2, help="fits of each way")
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--out", type=Path, help="also write the table there, as Markdown")
    options = parser.parse_args(arguments)
    if min(options.images, options.rounds, options.batch_size) < 1 or options.epochs < 2:
        parser.error("expected --epochs of at least 2 and the other numbers of at least 1")
    return options


def main(arguments: list[str] | None = None) -> int:
    """Runs the command line; returns its exit status."""
    options = parse(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

    def run() -> None:
        rates = measure(
            [options.model] if options.model else ["cnn", "cnn_lstm"],
            images=options.images,
            epochs=options.epochs,
            rounds=options.rounds,
            batch_size=options.batch_size,
        )
        table = render(rates)
        print(table)
        if options.out:
            write_report(options.out, table, options)

    return run_command(run)


def render(rates: dict[str, dict[str, float]]) -> str:
    """Returns the figures as a Markdown table: images/s, and the ratio to the plain `fit`."""
    lines = [
        "| model | plain fit, images/s | ours | ratio | ours, augmented | ratio | in bfloat16 too | ratio |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for model, rate in rates.items():
        cells = [f"{rate[way]:,.0f} | {rate[way] / rate['plain']:.2f}" for way in WAYS[1:]]
        lines.append(f"| {model} | {rate['plain']:,.0f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def write_report(path: Path, table: str, options: argparse.Namespace) -> None:
    """Writes the table with what it was measured on, as Markdown, atomically."""
    import keras

    from .record import backend_version

    text = f"""# Training throughput

{table}

Images/s by the median epoch. *Plain*: `model.fit` on float32 arrays in memory with Keras's defaults. *Ours*:
`train.training.train` with its checkpoints and its validation, without and with augmentation, and with
augmentation in bfloat16 (`train.precision`). All are interleaved in one run: {options.rounds} fits of \
{options.epochs} epochs of {options.images:,}
images each, batch {options.batch_size}. The first epoch of each is not counted.

Measured on {processor_name()} with {os.cpu_count()} cores; Keras {keras.__version__} on \
{keras.backend.backend()} {backend_version()}; {datetime.date.today().isoformat()}. Made by
`python -m train.throughput --images {options.images} --epochs {options.epochs} --rounds {options.rounds} \
--batch-size {options.batch_size} --out {path}`.
"""
    write_atomically(path, text)


if __name__ == "__main__":
    sys.exit(main())
