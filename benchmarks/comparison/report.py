"""The flagship report: its tables, its plots, and the page from `flagship.md.j2`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.accuracy.confidence import (
    accuracy_at_coverage,
    draw_coverage,
    draw_reliability,
    render_coverage,
)
from benchmarks.accuracy.evaluation_report import confusion_plot
from benchmarks.accuracy.robustness import HOW_MEASURED, changes_table, verdicts_table
from benchmarks.comparison.contestants import FERS_FILE, Contestant, in_plots, others
from benchmarks.comparison.goals import Goal, goals
from benchmarks.comparison.inputs import Candidate
from benchmarks.comparison.pareto import draw_front
from benchmarks.comparison.peers import Peers
from benchmarks.comparison.released import ReleasedModel
from benchmarks.formats import MISSING, count, kilobytes, percent, signed, span, verdict
from dataset.fer2013 import LABELS
from reporting.markdown import one_line, table
from reporting.metrics import CALIBRATION_BINS
from reporting.templates import render_template

TEMPLATE = Path(__file__).with_name("flagship.md.j2")


def render_report(
    ours: Sequence[ReleasedModel],
    contestants: Sequence[Contestant],
    *,
    peers: Peers | None,
    candidates: Sequence[Candidate],
    notes: str | None,
    labels: np.ndarray,
    folder: str,
) -> str:
    """Returns the page as Markdown.

    Args:
        ours: The released models, at least one.
        contestants: All models of the comparison.
        peers: The results of peers.
        candidates: The nets that were trained.
        notes: Markdown about them, included as it is.
        labels: Of the split, int (n,).
        folder: Of the plots, as seen from the page.
    """
    measured = [model.robustness for model in ours if model.robustness]
    coverage = {model.name: accuracy_at_coverage(model.scores, labels) for model in ours}
    data = {
        "ours": ours,
        "evaluation": ours[0].evaluation,
        "folder": folder,
        "fers_file": FERS_FILE,
        "peers": peers,
        "without_ratio": [one.name for one in in_plots(contestants) if not one.ratio],
        "not_measured": [model.file for model in ours if not model.robustness],
        "notes": notes.strip() if notes else None,
        "how_measured": HOW_MEASURED,
        "contestants": contestants_table(contestants),
        "goals": goals_table(goals(ours)),
        "figures": figures_table(ours),
        "recall": recall_table(ours, peers),
        "coverage": render_coverage(coverage),
        "verdicts": verdicts_table(measured) if measured else None,
        "changes": changes_table(measured) if measured else None,
        "candidates": candidates_table(candidates),
        "trainings": trainings_table(ours),
    }
    return render_template(TEMPLATE, data)


def plots(
    ours: Sequence[ReleasedModel], contestants: Sequence[Contestant], labels: np.ndarray
) -> dict[str, bytes]:
    """Returns the plots as PNG, by name; labels: of the split, int (n,)."""
    evaluation = ours[0].evaluation
    split = f"{evaluation.split} split of {evaluation.dataset}"
    shown = in_plots(contestants)
    images = {
        "accuracy_latency": draw_front(shown, "ratio", f"latency to that of {FERS_FILE}"),
        "accuracy_bytes": draw_front(shown, "bytes", "bytes of the file"),
        "coverage": draw_coverage({model.name: model.scores for model in ours}, labels, f"The {split}"),
    }
    for model in ours:
        images[f"{model.name}_confusion"] = confusion_plot(model.evaluation)
        title = f"{model.file}, {split}"
        images[f"{model.name}_reliability"] = draw_reliability(model.scores, labels, title)
    return images


def contestants_table(contestants: Sequence[Contestant]) -> str:
    """Returns the comparison; ours in bold."""
    heads = ("model", "trained on", "from", "accuracy", "scores averaged", "KB", "latency ratio")
    rows = [
        (
            f"**`{one.name}`**" if one.ours else one.name,
            one.trained_on or "not stated",
            one.source,
            span([100 * share for share in one.accuracy], 2, " %"),
            str(one.averaged),
            kilobytes(one.bytes),
            span(one.ratio, 2),
        )
        for one in contestants
    ]
    return table(heads, rows, left=3)


def goals_table(goals: Sequence[Goal]) -> str:
    """Returns the goals and whether each is reached."""
    if not goals:
        return "None of these models had goals."
    rows = [(f"`{goal.model}`", goal.what, verdict(goal.reached), goal.limit, goal.value) for goal in goals]
    return table(("model", "figure", "goal", "limit", "measured"), rows, left=3)


def figures_table(ours: Sequence[ReleasedModel]) -> str:
    """Returns the figures of each of ours: a line per figure, a column per model."""
    fresh, ferplus = ours[0].figures.faces_without_duplicates, ours[0].ferplus
    majority = (
        f"accuracy, FER+'s majority labels ({ferplus.faces:,} faces; {ferplus.left_out:,} without one of the "
        "seven left out)"
    )
    rows: list[tuple[str, list[str]]] = [
        ("file", [f"`{model.file}`" for model in ours]),
        ("trained on", [model.record.trained_on for model in ours]),
        ("parameters", [count(model.record.parameters) for model in ours]),
        ("accuracy, FER2013's labels", [percent(model.figures.accuracy) for model in ours]),
        *(
            [
                (
                    f"accuracy on the {fresh:,} faces without a duplicate in training",
                    [percent(model.figures.accuracy_without_duplicates) for model in ours],
                )
            ]
            if fresh is not None
            else []
        ),
        (majority, [percent(model.ferplus.accuracy) for model in ours]),
        (
            "of its errors on these, FER+'s majority gives the same label in",
            [percent(model.shared_errors, 1) for model in ours],
        ),
        ("macro recall", [percent(model.figures.macro_recall) for model in ours]),
        ("macro F1", [percent(model.figures.macro_f1) for model in ours]),
        (
            f"expected calibration error, {CALIBRATION_BINS} bins",
            [f"{model.figures.calibration_error:.3f}" for model in ours],
        ),
        (
            "points lost against Keras",
            ["not recorded" if model.lost_points is None else f"{model.lost_points:.2f}" for model in ours],
        ),
    ]
    heads = ["figure", *(f"`{model.name}`" for model in ours)]
    return table(heads, [[what, *cells] for what, cells in rows])


def recall_table(ours: Sequence[ReleasedModel], peers: Peers | None) -> str:
    """Returns the recall of every class: ours, then the peers that were measured on the same split."""
    classes = ours[0].figures.classes
    columns: dict[str, list[float | None]] = {
        f"`{model.name}`": [model.figures.classes[label].recall for label in LABELS] for model in ours
    }
    for row in others(peers) if ours[0].evaluation.split == "test" else []:
        if row.recall:
            columns[row.name] = [row.recall[label] for label in LABELS]
    rows = [
        [label, count(classes[label].faces), *(percent(recall[index], 1) for recall in columns.values())]
        for index, label in enumerate(LABELS)
    ]
    return table(["class", "faces", *columns], rows)


def candidates_table(candidates: Sequence[Candidate]) -> str:
    """Returns every net that was trained, in order, the best validation accuracy in bold."""
    if not candidates:
        return "No candidate is recorded in results/candidates.json."
    accuracy_of = {one.name: one.validation_accuracy for one in candidates}
    best = max((share for share in accuracy_of.values() if share is not None), default=None)
    heads = (
        "candidate",
        "change",
        "trained on",
        "command",
        "validation accuracy",
        "points",
        "epochs",
        "images seen",
        "hours",
        "parameters",
    )
    rows = []
    for one in candidates:
        accuracy = percent(one.validation_accuracy)
        is_best = best is not None and one.validation_accuracy == best
        rows.append(
            (
                one_line(one.name),
                one_line(one.change),
                one_line(one.trained_on or MISSING),
                f"`{one_line(one.command)}`" if one.command else MISSING,
                f"**{accuracy}**" if is_best else accuracy,
                _gain(one, accuracy_of),
                count(one.epochs),
                count(one.images_seen),
                MISSING if one.seconds is None else f"{one.seconds / 3600:.1f}",
                count(one.parameters),
            )
        )
    return table(heads, rows, left=4)


def _gain(candidate: Candidate, accuracy_of: dict[str, float | None]) -> str:
    """Returns by how many points of validation accuracy a candidate beats the one that it changes."""
    share = candidate.validation_accuracy
    before = accuracy_of.get(candidate.against) if candidate.against else None
    if share is None or before is None or candidate.against is None:
        return MISSING
    return f"{signed(100 * (share - before))} against {one_line(candidate.against)}"


def trainings_table(ours: Sequence[ReleasedModel]) -> str:
    """Returns how each model of ours was trained."""
    rows = [
        (
            f"`{model.name}`",
            f"`{model.record.command}`",
            model.record.machine.processor,
            str(model.record.arguments.get("seed", MISSING)),
            count(model.record.epochs_trained),
            f"{model.record.seconds / 3600:.1f}",
        )
        for model in ours
    ]
    return table(("model", "command", "processor", "seed", "epochs", "hours"), rows, left=3)
