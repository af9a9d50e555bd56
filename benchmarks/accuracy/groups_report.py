"""The page of a collection's groups: reports/groups/<name>.md."""

from __future__ import annotations

from pathlib import Path

from benchmarks.accuracy.group_figures import Counted, Groups, ModelGroups
from benchmarks.accuracy.grouped_images import MOST_GROUPS
from benchmarks.accuracy.smile import SMILE
from benchmarks.formats import MISSING, percent
from reporting.markdown import one_line, table
from reporting.templates import render_template

TEMPLATE = Path(__file__).with_name("groups.md.j2")
EQUAL_STRENGTH = "happy, at equal strength"


def render(results: Groups) -> str:
    """Returns the page as Markdown."""
    tables = {
        file: labels_table(results, model) if results.labelled else shares_table(results, model)
        for file, model in results.models.items()
    }
    figures = [one for model in results.models.values() for one in model.groups.values()]
    return render_template(
        TEMPLATE,
        {
            "results": results,
            "tables": tables,
            "smiles": any(one.smile for one in figures),
            "happy": any(SMILE in one.labels for one in figures),
            "most_groups": MOST_GROUPS,
            "left_out": [one_line(column) for column in results.left_out],
        },
    )


def labels_table(results: Groups, model: ModelGroups) -> str:
    """Returns a line per group: how often its faces got the label that they have."""
    labels = list(next(iter(model.groups.values())).labels)
    smiles = any(figures.smile for figures in model.groups.values())
    heads = ["group", "found", *(f"{label} called so" for label in labels)]
    heads += ["strength of smiles", EQUAL_STRENGTH] if smiles else []
    rows = []
    for group, figures in model.groups.items():
        row = [
            one_line(group),
            share(results.found[group]),
            *(share(figures.labels[label]) for label in labels),
        ]
        if smiles and (smile := figures.smile):
            row += [percent(smile.strength, 1), percent(smile.recall_at_equal_strength, 1)]
        elif smiles:
            row += [MISSING, MISSING]
        rows.append(row)
    return table(heads, rows)


def shares_table(results: Groups, model: ModelGroups) -> str:
    """Returns a line per group: agreement with the references, and how often the model gives each label."""
    agreement = ["agrees"] if model.references else []
    labels = list(next(iter(model.groups.values())).shares)
    rows = [
        [
            one_line(group),
            share(results.found[group]),
            *(share(figures.agreement) for _ in agreement),
            *(percent(figures.shares[label], 1) for label in labels),
        ]
        for group, figures in model.groups.items()
    ]
    return table(["group", "found", *agreement, *labels], rows)


def share(figure: Counted | None) -> str:
    """Returns a counted share with its interval: "97.1 % (91.7-99.0)"; a dash for nothing."""
    if figure is None or not figure.count:
        return MISSING
    return f"{percent(figure.right / figure.count, 1)} ({100 * figure.low:.1f}-{100 * figure.high:.1f})"
