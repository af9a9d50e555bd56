"""Score `.keras` files and artifacts on a split of a dataset: JSON, Markdown and two plots per file.

    python -m benchmarks evaluate models/cnn.keras artifacts/cnn_int8.tflite
    python -m benchmarks evaluate artifacts/cnn_int8.tflite --data my_faces

Only the split that is scored must be there: `my_faces/test/<class>/*.png` is enough, with the classes it has.
The test split is for the last word on a model whose every choice was made on validation.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.accuracy.evaluation_report import (
    Evaluation,
    confusion_plot,
    render_page,
    render_table,
    roc_plot,
)
from benchmarks.accuracy.figures import score
from benchmarks.errors import BenchmarkError, MissingPackageError, ResultsError
from benchmarks.scoring import dataset_name, labels_of_file, scores_of_file
from dataset.classes import LABELS_HELP, labels_argument
from dataset.duplicates import duplicates_of
from dataset.fer2013 import LABELS, SPLITS, Dataset
from dataset.load import load_dataset
from reporting.files import make_folder, place_of_report, sha256_of, write_atomically, write_json

# What a training record keeps of an evaluation; the rest stays in the report.
RECORDED = (
    "accuracy",
    "accuracy_without_duplicates",
    "macro_precision",
    "macro_recall",
    "macro_f1",
    "macro_roc_auc",
    "negative_log_likelihood",
    "calibration_error",
)


def evaluate(
    path: str | Path,
    dataset: Dataset,
    split: str = "test",
    out: str | Path = "results/evaluation",
    threads: int = 1,
) -> Evaluation:
    """Scores one file on one split and writes `<name>.json`, `.md`, `_confusion.png` and `_roc.png`.

    A `.keras` file with a training record beside it (`models/cnn.json`) gets its scores noted there, if it
    was trained on this dataset.

    Args:
        path: A `.keras` file or an artifact.
        dataset: With faces in the split.
        split: "train", "validation" or "test".
        out: The folder of the JSON; `reporting.files.place_of_report` says where the page and the plots go.
        threads: Of the engine.
    """
    path, out = Path(path), Path(out)
    faces, labels = dataset.split(split)
    if not len(labels):
        raise BenchmarkError(f"{split}: expected faces to score {path.name} on, the dataset has none there.")
    scores = scores_of_file(path, faces, threads, classes=dataset.classes)
    has_others = split != "train" and len(dataset.rows("train")) > 0
    duplicate_mask = duplicates_of(dataset, split=split, of="train") if has_others else None
    evaluation = Evaluation(
        file=path.name,
        sha256=sha256_of(path),
        dataset=dataset_name(dataset),
        dataset_sha256=dataset.sha256,
        split=split,
        measured=datetime.date.today().isoformat(),
        figures=score(scores, labels, dataset.classes, duplicate_mask),
    )
    name, pages = evaluation.name, place_of_report(out)
    write_json(out / f"{name}.json", stored(evaluation))
    write_atomically(pages / f"{name}_confusion.png", confusion_plot(evaluation))
    write_atomically(pages / f"{name}_roc.png", roc_plot(evaluation, scores, labels))
    write_atomically(pages / f"{name}.md", render_page(evaluation))
    if path.suffix == ".keras":
        note_in_record(path.with_suffix(".json"), evaluation)
    return evaluation


def stored(evaluation: Evaluation) -> dict[str, Any]:
    """Returns what the JSON of an evaluation holds: one object, with the versions that computed it."""
    fields = asdict(evaluation)
    figures = fields.pop("figures")
    versions = {name: importlib.metadata.version(name) for name in ("numpy", "scikit-learn")}
    return {**fields, **figures, "versions": versions}


def note_in_record(record_path: Path, evaluation: Evaluation) -> bool:
    """Sets `scores.<split>` of a training record, keeping everything else; returns whether that was done.

    It is not done where there is no record, nor for another dataset than that of the training, which is said
    in a line on stderr: a record's scores are those of one dataset.

    Raises:
        ResultsError: The record is none, or is of other weights.
    """
    if not record_path.is_file():
        return False
    try:
        record = json.loads(record_path.read_text(encoding="utf-8"))
        trained, noted = record["weights_sha256"], record["scores"]
        trained_on, share = record["arguments"]["dataset_sha256"], record["arguments"].get("validation_share")
    except (ValueError, TypeError, KeyError) as error:
        raise ResultsError(
            record_path,
            "a training record, an object with weights_sha256, scores and arguments.dataset_sha256",
            f"something else ({error!r})",
            "Train again, or move the file away.",
        ) from error
    if trained != evaluation.sha256:
        raise ResultsError(
            record_path,
            f"the record of {evaluation.file} (sha256 {evaluation.sha256[:16]}...)",
            f"that of other weights ({trained[:16]}...)",
            "Put the record of this file beside it.",
        )
    if trained_on != evaluation.dataset_sha256:
        advice = f" It was trained with --validation-share {share}." if share is not None else ""
        print(
            f"{record_path}: scores are not noted there, it is the record of a training on another dataset "
            f"(sha256 {trained_on[:16]}...) than {evaluation.dataset} (sha256 "
            f"{evaluation.dataset_sha256[:16]}...).{advice}",
            file=sys.stderr,
        )
        return False
    figures = asdict(evaluation.figures)
    noted[evaluation.split] = {key: figures[key] for key in RECORDED}
    write_json(record_path, record)
    return True


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks evaluate", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a .keras file or an artifact with its card")
    parser.add_argument(
        "--data", help="FER2013: the CSV, or a folder of images (default: where it is looked for)"
    )
    parser.add_argument(
        "--labels", type=labels_argument, metavar="NAMES", help=f"as of the training: {LABELS_HELP}"
    )
    parser.add_argument("--split", choices=SPLITS, default="test", help="(default: %(default)s)")
    parser.add_argument(
        "--validation-share",
        type=float,
        metavar="SHARE",
        help="hold out this share of train, as the training did, where there is no validation split",
    )
    parser.add_argument(
        "--out", default="results/evaluation", help="folder of the results (default: %(default)s)"
    )
    parser.add_argument(
        "--threads",
        type=int,
        choices=range(1, 257),
        metavar="N",
        default=1,
        help="threads of the engine (default: %(default)s)",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    options = build_parser().parse_args(arguments)
    try:
        import jinja2  # noqa: F401
        import matplotlib  # noqa: F401
        import sklearn  # noqa: F401
    except ImportError as error:
        install = "scikit-learn matplotlib jinja2"
        raise MissingPackageError("The evaluation", str(error.name), install) from error
    classes, *_ = [labels_of_file(path) for path in options.files]
    make_folder(options.out)
    dataset = load_dataset(
        options.data,
        labels=options.labels or (None if classes == LABELS else classes),
        validation_share=options.validation_share,
        splits=(options.split,),
    )
    evaluations = [
        evaluate(path, dataset, options.split, options.out, options.threads) for path in options.files
    ]
    print(render_table(evaluations))
    print(f"Results: {options.out}; pages and plots: {place_of_report(options.out)}")
    return 0
