"""Write a page for each released model: docs/models/<name>.md.

    python -m benchmarks model_pages                 every model with a record, and the detector
    python -m benchmarks model_pages edge --out build/pages

A page is made of the training's record (models/<name>.json), the card of the released file, what benchmarks
stored in results/, the candidates, CITATION.cff, and `models/pages.toml` for what none of them holds, such as
purpose and licences. Nothing is measured here. A figure counts only where it is that of the released file, by
its sha256; what is missing is named as not measured.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.accuracy.group_figures import Groups
from benchmarks.accuracy.robustness import FileRobustness, Robustness, changes_table
from benchmarks.accuracy.rolled import scores_table
from benchmarks.artifacts import ROOT
from benchmarks.comparison.page_inputs import (
    Facts,
    Found,
    ModelInputs,
    Places,
    read_all_groups,
    read_candidates_of,
    read_citation,
    read_detector_card,
    read_facts,
    read_found,
    read_frame_speed,
    read_model,
    read_record,
    record_names,
)
from benchmarks.comparison.page_tables import (
    accuracy_table,
    calibration_table,
    candidates_table,
    classes_table,
    data_of,
    data_table,
    facts_table,
    found_by_group_table,
    found_table,
    groups_table,
    purposes,
    time_of,
    training_table,
)
from benchmarks.errors import BenchmarkError
from reporting.files import make_folder, write_atomically
from reporting.templates import render_template

TEMPLATE = Path(__file__).with_name("model_page.md.j2")
OUT = ROOT / "docs" / "models"
DETECTOR, CLASSIFIER = "detector", "classifier"
OURS = "ferkit"  # what `python -m benchmarks detectors` calls the released detector


class ModelNameError(BenchmarkError):
    """There is no model of a name.

    Attributes:
        name: The name.
    """

    def __init__(self, name: str, known: Sequence[str], records: Path) -> None:
        """Keeps the name."""
        self.name = name
        super().__init__(
            f"{records}: expected weights and a record of {name}, got those of "
            f"{', '.join(known) or 'no model'}."
        )


def render_page(name: str, places: Places, facts: Facts) -> str:
    """Returns the page of a model as Markdown.

    Args:
        name: Of its record.
        places: Where everything lies.
        facts: What `pages.toml` holds.
    """
    record = read_record(places.records / f"{name}.json")
    kind = DETECTOR if record.scores is None else CLASSIFIER
    inputs = read_model(name, places) if kind == CLASSIFIER else None
    card = inputs.card if inputs else read_detector_card(name, places)
    found = None if inputs else read_found(name, places, card)
    candidates = read_candidates_of(name, places)
    data = data_of(record, facts.data)
    if inputs:
        own, time = classifier_parts(inputs, facts), time_of(inputs.speed, "face")
    else:
        own = detector_parts(found, places, facts, card, record.threshold)
        time = time_of(read_frame_speed(OURS, places, found), "frame of 640x480")
    page = {
        "name": name,
        "kind": kind,
        "description": card["description"] if card else None,
        "facts": facts_table(record, card, time),
        "purpose": purposes(facts.kinds.get(kind), facts.models.get(name)),
        "learned": learned(record.trained_on, asdict(record.samples) if record.samples else record.images),
        "data": data_table(data) if data else None,
        "command": record.command,
        "training": training_table(record),
        "note": record.note,
        "candidates": candidates_table(candidates) if candidates else None,
        "citation": citation(read_citation(places.citation), name, record.weights_sha256),
    }
    return render_template(TEMPLATE, page | own)


def classifier_parts(inputs: ModelInputs, facts: Facts) -> dict[str, Any]:
    """Returns what only a classifier's page has."""
    evaluated = inputs.evaluated
    return {
        "evaluated": evaluated,
        "accuracy": accuracy_table(inputs, evaluated) if evaluated else None,
        "classes": classes_table(evaluated.classes) if evaluated else None,
        "groups": [
            described(groups, model.references, facts) | {"table": groups_table(groups, model)}
            for groups, model in inputs.groups
        ],
        "changes": changes(*inputs.robustness) if inputs.robustness else None,
        "calibration": calibration_table(inputs, evaluated) if evaluated else "Not measured.",
    }


def detector_parts(
    found: Found | None,
    places: Places,
    facts: Facts,
    card: dict[str, Any] | None,
    threshold: float | None,
) -> dict[str, Any]:
    """Returns what only a detector's page has; images that it learned from are left out."""
    groups = [
        one
        for one in read_all_groups(places.results / "groups")
        if card and one.detector_sha256 == card["sha256"] and not saw_these(one)
    ]
    calibration = "Whether confidences say how often a box is right was not measured."
    if threshold is not None:
        calibration += f" A box counts as a face from a confidence of {threshold} on: validation chose that."
    return {
        "found": found,
        "found_table": found_table(found) if found else None,
        "groups": [described(one, [], facts) | {"table": found_by_group_table(one.found)} for one in groups],
        "calibration": calibration,
    }


def learned(trained_on: str, counts: dict[str, int]) -> str:
    """Returns what a record says of its samples: "Learned from FER2013's own labels. train: 27,933; ..."."""
    shown = "; ".join(f"{name.replace('_', ' ')}: {number:,}" for name, number in counts.items())
    parts = [f"Learned from {trained_on}." if trained_on else "", f"Images: {shown}." if shown else ""]
    return " ".join(filter(None, parts))


def saw_these(groups: Groups) -> bool:
    """Returns whether the detector learned from these very images, not from others of their file."""
    return bool({"heads", "data"} & set(groups.detector_learned_from))


def described(groups: Groups, references: Sequence[str], facts: Facts) -> dict[str, str]:
    """Returns heading and words of a collection's table: how it was measured, and what its figures mean."""
    known = facts.groups.get(groups.name)
    words = [f"{groups.images:,} images, faces found by {groups.detector}, {groups.measured}."]
    if saw_these(groups):
        words.append("The detector was trained with these images: that it finds them proves nothing.")
    if references:
        mean = "the mean scores of " if len(references) > 1 else ""
        files = " and ".join(f"`{file}`" for file in references)
        words.append(f"*Agrees*: gives the label of {mean}{files}, which is not accuracy.")
    words.append(f"In brackets: the 95 % interval ([report](../../reports/groups/{groups.name}.md)).")
    if known and known.meaning:
        words += ["\n\n" + known.meaning]
    return {"title": known.title if known else groups.name, "words": " ".join(words).replace(" \n", "\n")}


def changes(results: Robustness, file: FileRobustness) -> dict[str, str | None]:
    """Returns what changed boxes and images cost a file."""
    return {
        "words": (
            f"{results.faces:,} faces of the {results.split} split of {results.dataset}, {results.measured}. "
            "In brackets: points against the unchanged face. How it was measured: "
            "[report](../../reports/robustness.md)."
        ),
        "table": changes_table([file]),
        "rolled": scores_table([(file.file, file.rolled)]) if file.rolled else None,
    }


def citation(fields: dict[str, str], model: str, weights_sha256: str) -> str:
    """Returns a BibTeX entry of the release, with the model's weights, and the study if there is one."""
    year = fields["date-released"][:4]
    lines = [
        "```bibtex",
        "@software{ferkit,",
        f"  title = {{{fields['title']}}},",
        f"  author = {{{{{fields['author']}}}}},",
        f"  version = {{{fields['version']}}},",
        f"  year = {{{year}}},",
        f"  note = {{Model {model}, weights {weights_sha256[:16]}}}",
        "}",
        "```",
    ]
    if {"study.title", "study.url"} <= fields.keys():
        lines += [
            "",
            f"And the study that it reproduces: {fields['study.title']}, <{fields['study.url']}>.",
        ]
    return "\n".join(lines)


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks model_pages", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("models", nargs="*", metavar="MODEL", help="default: all that have a record")
    places = Places()
    for flag, default, words in (
        ("--records", places.records, "folder of training records and pages.toml"),
        ("--results", places.results, "folder of what benchmarks stored"),
        ("--released", places.released, "folder of the released files"),
        ("--citation", places.citation, "how to cite the project"),
        ("--out", OUT, "folder of the pages"),
    ):
        shown = default.relative_to(ROOT).as_posix()
        help_ = f"{words} (default: {shown})"
        parser.add_argument(flag, type=Path, default=default, metavar="PATH", help=help_)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    options = build_parser().parse_args(arguments)
    places = Places(options.records, options.results, options.released, options.citation)
    known = record_names(places.records)
    for name in options.models:
        if name not in known:
            raise ModelNameError(name, known, places.records)
    facts = read_facts(places.records)
    pages = {name: render_page(name, places, facts) for name in options.models or known}
    make_folder(options.out)
    for name, page in pages.items():
        path = options.out / f"{name}.md"
        write_atomically(path, page)
        print(f"Page: {path}")
    return 0
