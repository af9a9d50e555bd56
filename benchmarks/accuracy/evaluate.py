"""Score `.keras` files and artifacts on a split of FER2013: JSON, Markdown and two images per file.

    python -m benchmarks evaluate models/cnn.keras artifacts/cnn_int8.tflite
    python -m benchmarks evaluate artifacts/cnn_int8.tflite --data my_faces

Only the split that is scored must be there: `my_faces/test/<class>/*.png` is enough, with the classes it has.
The test split is for the last word on a model whose every choice was made on validation.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import importlib.metadata
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.errors import BenchmarkError, MissingPackageError
from benchmarks.scoring import check_file, dataset_name, scores_of_file
from dataset.duplicates import duplicates_of
from dataset.fer2013 import LABELS, OFFICIAL_SHA256, SPLITS, Dataset
from dataset.load import load_dataset
from reporting import metrics
from reporting.classification_plots import draw_confusion, draw_roc
from reporting.files import make_folder, place_of_report, write_atomically, write_json

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


class EvaluationError(BenchmarkError):
    """A model can't be evaluated; the message says what was expected, what was found and what to do."""


def score(
    scores: np.ndarray,
    labels: np.ndarray,
    label_names: Sequence[str],
    duplicate_mask: np.ndarray | None = None,
) -> dict:
    """Return every figure of one model on one split.

    scores: float `(n, classes)`, probabilities. labels: integer `(n,)`, indices into `label_names`.
    duplicate_mask: bool `(n,)`, true for rows that a training row repeats; None where that has no meaning
    (the training split itself, a dataset without one), and then `accuracy_without_duplicates` is nan.

    Shares are 0 to 1. A class that was never predicted has precision 0; one without a row, or with nothing
    but rows, has the ROC-AUC nan and stays out of `macro_roc_auc`. `confusion` counts rows: true class
    down, predicted class across. Needs scikit-learn.
    """
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support, roc_auc_score

    classes = np.arange(len(label_names))
    predicted = scores.argmax(axis=1)
    precision, recall, f1, rows = precision_recall_fscore_support(
        labels, predicted, labels=classes, zero_division=0.0
    )
    # One class at a time: int8 scores sum to 1 only within their step, which the multi-class form refuses.
    roc_auc = [
        float(roc_auc_score(labels == index, scores[:, index])) if 0 < rows[index] < len(labels) else np.nan
        for index in classes
    ]
    present = rows > 0
    unrepeated = np.zeros(len(labels), bool) if duplicate_mask is None else ~duplicate_mask
    return {
        "rows": len(labels),
        "rows_without_duplicates": None if duplicate_mask is None else int(unrepeated.sum()),
        "accuracy": metrics.accuracy(scores, labels),
        "accuracy_without_duplicates": metrics.accuracy(scores[unrepeated], labels[unrepeated]),
        "macro_precision": float(precision[present].mean()),
        "macro_recall": float(recall[present].mean()),
        "macro_f1": float(f1[present].mean()),
        "macro_roc_auc": float(np.nanmean(roc_auc)) if not np.isnan(roc_auc).all() else np.nan,
        "negative_log_likelihood": metrics.negative_log_likelihood(scores, labels),
        "calibration_error": metrics.calibration_error(scores, labels),
        "classes": {
            name: {
                "rows": int(rows[index]),
                "precision": float(precision[index]),
                "recall": float(recall[index]),
                "f1": float(f1[index]),
                "roc_auc": roc_auc[index],
            }
            for index, name in enumerate(label_names)
        },
        "confusion": confusion_matrix(labels, predicted, labels=classes).tolist(),
    }


def report_name(report: dict) -> str:
    """Return the name, without ending, of a report's files: `cnn.keras` for FER2013's test split.

    Another dataset's name and another split's follow, so that neither takes the place of that report.
    """
    parts = [report["file"]]
    if report["dataset_sha256"] != OFFICIAL_SHA256:
        parts.append(report["dataset"])
    if report["split"] != "test":
        parts.append(report["split"])
    return "_".join(parts)


def evaluate(
    path: str | Path,
    dataset: Dataset,
    split: str = "test",
    out: str | Path = "results/evaluation",
    threads: int = 1,
) -> dict:
    """Score one file on one split; write `<name>.json`, `.md`, `_confusion.png` and `_roc.png` into `out`.

    For the name see `report_name`. A `.keras` file with a training record beside it (`models/cnn.json`) gets
    its scores noted there, if it was trained on this dataset. Returns what the JSON holds.
    """
    path, out = Path(path), Path(out)
    faces, labels = dataset.split(split)
    if not len(labels):
        raise EvaluationError(f"{split}: expected rows to score {path.name} on, the dataset has none there.")
    scores = scores_of_file(path, faces, threads)
    has_others = split != "train" and len(dataset.rows("train")) > 0
    duplicate_mask = duplicates_of(dataset, split=split, of="train") if has_others else None
    report = {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "dataset": dataset_name(dataset),
        "dataset_sha256": dataset.sha256,
        "split": split,
        "measured": datetime.date.today().isoformat(),
        **score(scores, labels, LABELS, duplicate_mask),
        "versions": {name: importlib.metadata.version(name) for name in ("numpy", "scikit-learn")},
    }
    name = report_name(report)
    write_json(out / f"{name}.json", report)
    pages = place_of_report(out)
    write_atomically(pages / f"{name}_confusion.png", confusion_plot(report))
    write_atomically(pages / f"{name}_roc.png", roc_plot(report, scores, labels))
    write_atomically(pages / f"{name}.md", render_report(report, name))
    if path.suffix == ".keras":
        note_in_record(path.with_suffix(".json"), report)
    return report


def note_in_record(record_path: Path, report: dict) -> bool:
    """Set `scores.<split>` of a training record, keeping everything else; return whether that was done.

    It is not where there is no record, and, said in one line on stderr, where the record is that of a
    training on another dataset: its scores are to be those of one dataset.

    Raises EvaluationError where the record is no record, or one of other weights.
    """
    if not record_path.is_file():
        return False
    try:
        record = json.loads(record_path.read_text(encoding="utf-8"))
        trained = record["weights_sha256"]
        noted = record["scores"]
        trained_on, share = record["arguments"]["dataset_sha256"], record["arguments"].get("validation_share")
    except (ValueError, TypeError, KeyError) as error:
        raise EvaluationError(
            f"{record_path}: expected a training record, an object with weights_sha256, scores and "
            f"arguments.dataset_sha256; got something else ({error!r}). Train again, or move the file away."
        ) from error
    if trained != report["sha256"]:
        raise EvaluationError(
            f"{record_path}: expected the record of {report['file']} (sha256 {report['sha256'][:16]}...), "
            f"got that of other weights ({trained[:16]}...). Put the record of this file beside it."
        )
    if trained_on != report["dataset_sha256"]:
        advice = f" It was trained with --validation-share {share}." if share is not None else ""
        print(
            f"{record_path}: scores are not noted there, it is the record of a training on another dataset "
            f"(sha256 {trained_on[:16]}...) than {report['dataset']} (sha256 "
            f"{report['dataset_sha256'][:16]}...).{advice}",
            file=sys.stderr,
        )
        return False
    noted[report["split"]] = {key: report[key] for key in RECORDED}
    write_json(record_path, record)
    return True


def render_report(report: dict, name: str) -> str:
    """Return the report of one file as Markdown, showing `<name>_confusion.png` and `<name>_roc.png`."""
    lines = [
        f"# {report['file']} on the {report['split']} split of {report['dataset']}",
        "",
        f"{report['rows']:,} faces, scored {report['measured']}. File sha256 `{report['sha256'][:16]}...`, "
        f"dataset sha256 `{report['dataset_sha256'][:16]}...`.",
        "",
        "| figure | value |",
        "|---|---:|",
        f"| accuracy | {_percent(report['accuracy'])} |",
    ]
    if report["rows_without_duplicates"] is not None:
        lines.append(
            f"| accuracy on the {report['rows_without_duplicates']:,} faces that no training row repeats "
            f"| {_percent(report['accuracy_without_duplicates'])} |"
        )
    lines += [
        f"| macro precision | {_percent(report['macro_precision'])} |",
        f"| macro recall | {_percent(report['macro_recall'])} |",
        f"| macro F1 | {_percent(report['macro_f1'])} |",
        f"| macro ROC-AUC, one against rest | {_decimal(report['macro_roc_auc'])} |",
        f"| mean negative log likelihood, nats | {_decimal(report['negative_log_likelihood'])} |",
        f"| expected calibration error, {metrics.CALIBRATION_BINS} bins "
        f"| {_percent(report['calibration_error'])} |",
        "",
        "| class | faces | precision | recall | F1 | ROC-AUC |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    lines += [
        f"| {label} | {row['rows']:,} | {_percent(row['precision'])} | {_percent(row['recall'])} "
        f"| {_percent(row['f1'])} | {_decimal(row['roc_auc'])} |"
        for label, row in report["classes"].items()
    ]
    lines += ["", f"![confusion matrix]({name}_confusion.png)", "", f"![ROC curves]({name}_roc.png)", ""]
    return "\n".join(lines)


def render_table(reports: Sequence[dict]) -> str:
    """Return one line per report, columns aligned, for the terminal."""
    heads = ("file", "accuracy", "unrepeated", "macro recall", "macro F1", "ROC-AUC", "NLL", "ECE")
    rows = [
        (
            report["file"],
            _percent(report["accuracy"]),
            _percent(report["accuracy_without_duplicates"]),
            _percent(report["macro_recall"]),
            _percent(report["macro_f1"]),
            _decimal(report["macro_roc_auc"]),
            _decimal(report["negative_log_likelihood"]),
            _percent(report["calibration_error"]),
        )
        for report in reports
    ]
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    return "\n".join(
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in (heads, *rows)
    )


def _percent(share: float) -> str:
    return "-" if np.isnan(share) else f"{100 * share:.2f} %"


def _decimal(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.3f}"


def _title(report: dict) -> str:
    return f"{report['file']}, {report['dataset']} {report['split']}"


def confusion_plot(report: dict) -> bytes:
    """Returns the PNG of a report's confusion matrix."""
    title = f"{_title(report)}: {_percent(report['accuracy'])} of {report['rows']:,} faces"
    return draw_confusion(report["confusion"], list(report["classes"]), title=title)


def roc_plot(report: dict, scores: np.ndarray, labels: np.ndarray) -> bytes:
    """Returns the PNG of a report's ROC curves; scores `(n, classes)`, labels `(n,)`."""
    areas = {label: row["roc_auc"] for label, row in report["classes"].items()}
    title = f"{_title(report)}: macro ROC-AUC {_decimal(report['macro_roc_auc'])}"
    return draw_roc(scores, labels, areas, title=title)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status: 0, or 1 with one message on stderr."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks evaluate", description=__doc__.splitlines()[0]
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a .keras file or an artifact with its card")
    parser.add_argument(
        "--data", help="FER2013: the CSV, or a folder of images (default: where it is looked for)"
    )
    parser.add_argument("--split", choices=SPLITS, default="test", help="(default: %(default)s)")
    parser.add_argument(
        "--validation-share",
        type=float,
        metavar="SHARE",
        help="hold out this share of train, as the training did, where there is no validation split",
    )
    parser.add_argument(
        "--out", default="results/evaluation", help="folder of the reports (default: %(default)s)"
    )
    parser.add_argument(
        "--threads",
        type=int,
        choices=range(1, 257),
        metavar="N",
        default=1,
        help="threads of the engine (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    try:
        import matplotlib  # noqa: F401
        import sklearn  # noqa: F401
    except ImportError as error:
        raise MissingPackageError("The evaluation", str(error.name), "scikit-learn matplotlib") from error
    for path in options.files:
        check_file(path)
    make_folder(options.out)
    dataset = load_dataset(options.data, validation_share=options.validation_share, splits=(options.split,))
    reports = [evaluate(path, dataset, options.split, options.out, options.threads) for path in options.files]
    print(render_table(reports))
    print(f"Reports and images: {options.out}")
    return 0
