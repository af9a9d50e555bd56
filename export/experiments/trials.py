"""Trials: a quantized file scored on the validation split against its weights."""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from dataset.fer2013 import Dataset
from dataset.load import load_dataset
from dataset.locate import DatasetError
from reporting.command import run_command
from reporting.files import page_of, write_atomically, write_json
from reporting.templates import render_template
from runtime.engines import ENGINES

from ..parity import compare


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way to quantize a network.

    Attributes:
        name: For the report.
        form: "tflite" or "onnx".
        make: Returns the file.
    """

    name: str
    form: str
    make: Callable[[], bytes]


def trial_of(way: Way, model: keras.Model, dataset: Dataset, count: int | None = None) -> dict[str, Any]:
    """Makes a file and scores it; prints the figures.

    Args:
        way: How the file is made.
        model: Its weights in Keras.
        dataset: Its validation split is scored.
        count: How many faces of it; None: all.

    Returns:
        The way, the file's bytes, its largest gap and label agreement (`export.parity`), `accuracy_change`
        against Keras (a share of the faces), and `ms_per_face` of one round.
    """
    faces, labels = (part[:count] for part in dataset.split("validation"))
    reference = model.predict(faces.astype(np.float32), batch_size=256, verbose=0)
    file = way.make()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"trial.{way.form}"
        path.write_bytes(file)
        scores_of = ENGINES["litert" if way.form == "tflite" else "onnxruntime"](path)
        start = time.perf_counter()
        scores = scores_of(faces)
        seconds = time.perf_counter() - start
    parity = compare(scores, reference)
    own, original = ((answers.argmax(axis=1) == labels).mean() for answers in (scores, reference))
    trial = {
        "way": way.name,
        "bytes": len(file),
        "largest_gap": parity.largest_gap,
        "label_agreement": parity.label_agreement,
        "accuracy_change": float(own - original),
        "ms_per_face": 1000 * seconds / len(faces),
    }
    print(json.dumps(trial), flush=True)
    return trial


def run_experiment(
    program: str,
    description: str | None,
    results: Path,
    measure: Callable[[Dataset], dict[str, Any]],
    arguments: list[str] | None = None,
) -> int:
    """Runs an experiment's command line: measures, stores the figures and writes the page.

    Args:
        program: The command, such as "python -m export.experiments.stored_ranges".
        description: For its help.
        results: The JSON file for the figures; the page and its template are named after it.
        measure: Returns the figures.
        arguments: Of the command line; None: those of this process.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(prog=program, description=description)
    parser.add_argument("--data", type=Path, help="FER2013; default: where it is found")
    parser.add_argument("--out", type=Path, default=results, metavar="JSON", help="default: %(default)s")
    parser.add_argument(
        "--report", type=Path, metavar="JSON", help="measure nothing: write the page of these figures"
    )
    options = parser.parse_args(arguments)

    def command() -> None:
        if options.report is None:
            write_json(options.out, measure(load_dataset(options.data)))
        write_report(options.report or options.out, template=results.stem)

    return run_command(command, errors=(DatasetError,))


def write_report(results: Path, *, template: str) -> None:
    """Writes the page of some figures.

    Args:
        results: The JSON file of the figures.
        template: The name of a template in this folder, without its endings.
    """
    figures = json.loads(results.read_text(encoding="utf-8"))
    page = render_template(Path(__file__).with_name(f"{template}.md.j2"), figures)
    write_atomically(page_of(results), page)
