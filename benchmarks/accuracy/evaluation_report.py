"""The page, the plots and the line of the table that show an evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.accuracy.figures import Figures
from benchmarks.formats import decimal, percent
from dataset.fer2013 import OFFICIAL_SHA256
from reporting.classification_plots import draw_confusion, draw_roc
from reporting.markdown import one_line, table
from reporting.metrics import CALIBRATION_BINS
from reporting.templates import render_template

TEMPLATE = Path(__file__).with_name("evaluation.md.j2")


@dataclass(frozen=True)
class Evaluation:
    """One file scored on one split."""

    file: str
    sha256: str
    dataset: str
    dataset_sha256: str
    split: str
    measured: str  # YYYY-MM-DD
    figures: Figures

    @property
    def name(self) -> str:
        """The name, without ending, of the files of an evaluation: `cnn.keras` for FER2013's test split.

        Another dataset's name and another split's follow, so that neither takes the place of that report.
        """
        parts = [self.file]
        if self.dataset_sha256 != OFFICIAL_SHA256:
            parts.append(self.dataset)
        if self.split != "test":
            parts.append(self.split)
        return "_".join(parts)

    @property
    def title(self) -> str:
        """What was scored on what, as a plot says it."""
        return f"{self.file}, {self.dataset} {self.split}"


def render_page(evaluation: Evaluation) -> str:
    """Returns the page as Markdown, showing `<name>_confusion.png` and `<name>_roc.png`."""
    figures = evaluation.figures
    classes = table(
        ("class", "faces", "precision", "recall", "F1", "ROC-AUC"),
        [
            (
                one_line(label),
                f"{of_class.faces:,}",
                percent(of_class.precision),
                percent(of_class.recall),
                percent(of_class.f1),
                decimal(of_class.roc_auc),
            )
            for label, of_class in figures.classes.items()
        ],
    )
    data = {
        "evaluation": evaluation,
        "figures": table(("figure", "value"), _figures(figures)),
        "classes": classes,
    }
    return render_template(TEMPLATE, data)


def _figures(figures: Figures) -> list[tuple[str, str]]:
    rows = [("accuracy", percent(figures.accuracy))]
    if figures.faces_without_duplicates is not None:
        what = f"accuracy on the {figures.faces_without_duplicates:,} faces without a duplicate in training"
        rows.append((what, percent(figures.accuracy_without_duplicates)))
    return [
        *rows,
        ("macro precision", percent(figures.macro_precision)),
        ("macro recall", percent(figures.macro_recall)),
        ("macro F1", percent(figures.macro_f1)),
        ("macro ROC-AUC, one against rest", decimal(figures.macro_roc_auc)),
        ("mean negative log likelihood, nats", decimal(figures.negative_log_likelihood)),
        (f"expected calibration error, {CALIBRATION_BINS} bins", percent(figures.calibration_error)),
    ]


def render_table(evaluations: Sequence[Evaluation]) -> str:
    """Returns a line per evaluation, columns aligned, for the terminal."""
    heads = ("file", "accuracy", "no duplicates", "macro recall", "macro F1", "ROC-AUC", "NLL", "ECE")
    rows = [
        (
            evaluation.file,
            percent(figures.accuracy),
            percent(figures.accuracy_without_duplicates),
            percent(figures.macro_recall),
            percent(figures.macro_f1),
            decimal(figures.macro_roc_auc),
            decimal(figures.negative_log_likelihood),
            percent(figures.calibration_error),
        )
        for evaluation in evaluations
        for figures in [evaluation.figures]
    ]
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    lines = []
    for name, *cells in (heads, *rows):
        aligned = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
        lines.append("  ".join([name.ljust(widths[0]), *aligned]))
    return "\n".join(lines)


def confusion_plot(evaluation: Evaluation) -> bytes:
    """Returns the confusion matrix as PNG."""
    figures = evaluation.figures
    title = f"{evaluation.title}: {percent(figures.accuracy)} of {figures.faces:,} faces"
    return draw_confusion(figures.confusion, list(figures.classes), title=title)


def roc_plot(evaluation: Evaluation, scores: np.ndarray, labels: np.ndarray) -> bytes:
    """Returns the ROC curves as PNG; scores float `(n, classes)`, labels int `(n,)`."""
    areas = {label: of_class.roc_auc for label, of_class in evaluation.figures.classes.items()}
    title = f"{evaluation.title}: macro ROC-AUC {decimal(evaluation.figures.macro_roc_auc)}"
    return draw_roc(scores, labels, areas, title=title)
