"""The tables on the pages of the models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.accuracy.group_figures import Counted, Groups, ModelGroups
from benchmarks.accuracy.groups_report import labels_table, share
from benchmarks.comparison.inputs import Candidate
from benchmarks.comparison.page_inputs import Data, Evaluated, Found, ModelInputs, PageRecord, Purpose, Speed
from benchmarks.formats import count, decimal, percent
from reporting.markdown import one_line, table
from reporting.metrics import CALIBRATION_BINS

NOT_MEASURED = "not measured"


def facts_table(record: PageRecord, card: Mapping[str, Any] | None, time: str) -> str:
    """Returns what the model is: file, labels, licence, parameters, time.

    Args:
        record: Of its training.
        card: Of its released file; None where none is released.
        time: Of that file, in words.
    """
    rows = [("parameters", count(record.parameters)), ("time", time)]
    if card:
        labels = [("labels", ", ".join(card["labels"]))] if "labels" in card else []
        file = f"`{card['file']}`, {card['bytes']:,} bytes"
        rows = [("file in the package", file), *labels, ("licence of the weights", card["licence"]), *rows]
    return table(["what", "value"], rows, left=2)


def time_of(speed: Speed | None, unit: str) -> str:
    """Returns the time of a face or a frame with engine, machine and date."""
    if speed is None:
        return NOT_MEASURED
    engine = f"{speed.engine} on " if speed.engine else ""
    return f"{speed.median_ms:.2f} ms a {unit}, one thread: {engine}{speed.processor}, {speed.measured}"


def purposes(kind: Purpose | None, model: Purpose | None) -> Purpose:
    """Returns what a model is for: the model's own sentences, then those of its kind."""
    parts = [part for part in (model, kind) if part]
    return Purpose(
        for_=[line for part in parts for line in part.for_],
        not_for=[line for part in parts for line in part.not_for],
        limits=[line for part in parts for line in part.limits],
    )


def data_of(record: PageRecord, data: Sequence[Data]) -> list[Data]:
    """Returns the data that a record names: in `trained_on`, among its sources, or in its command."""
    given = {name for names in record.sources.values() for name in names} | set(record.command.split())
    return [
        one
        for one in data
        if (one.named and one.named in record.trained_on) or not given.isdisjoint(one.files)
    ]


def data_table(found: Sequence[Data]) -> str:
    """Returns a line per data set with its licence."""
    rows = [(one_line(one.title), one_line(one.licence)) for one in found]
    return table(["learned from", "licence of the data"], rows, left=2)


def training_table(record: PageRecord) -> str:
    """Returns seed, length, time, hardware, versions and energy of a training."""
    settings = record.arguments or record.settings
    hours = f"{record.seconds / 3600:.1f} hours"
    if record.images_per_second:
        hours += f", {record.images_per_second:,.0f} faces/s"
    named = record.versions.items()
    versions = ", ".join(f"{name} {version}" for name, version in named if name != "backend")
    rows = [
        ("seed", str(settings.get("seed", "not recorded"))),
        ("length", _length(record)),
        ("time", hours),
        ("hardware", record.machine.processor if record.machine else "not recorded"),
        ("versions", versions or "not recorded"),
        ("finished", record.finished or "not recorded"),
        ("weights, sha256", f"`{record.weights_sha256[:16]}`"),
        ("energy", NOT_MEASURED),
    ]
    teachers = settings.get("teachers") or settings.get("teacher")
    if isinstance(teachers, dict | list):
        rows.insert(2, ("teachers", ", ".join(f"`{name}`" for name in teachers)))
    if start := settings.get("start"):
        names = [f"`{name}` (sha256 {str(sha256)[:16]})" for name, sha256 in dict(start).items()]
        rows.insert(2, ("begun with weights of", ", ".join(names)))
    return table(["what", "value"], rows, left=2)


def _length(record: PageRecord) -> str:
    if record.epochs_trained is not None:
        best = f", the best of which was number {record.best_epoch}" if record.best_epoch else ""
        return f"{record.epochs_trained} epochs{best}"
    steps = record.settings.get("steps")
    return f"{steps:,} steps" if steps else "not recorded"


def accuracy_table(inputs: ModelInputs, evaluated: Evaluated) -> str:
    """Returns the figures of the whole test split, and the validation accuracy that chose the weights."""
    rows = [("accuracy", percent(evaluated.accuracy))]
    if evaluated.faces_without_duplicates is not None:
        name = f"accuracy on the {evaluated.faces_without_duplicates:,} faces without a duplicate in training"
        rows.append((name, percent(evaluated.accuracy_without_duplicates)))
    rows += [
        ("macro recall", percent(evaluated.macro_recall)),
        ("macro F1", percent(evaluated.macro_f1)),
        ("points lost by quantization", decimal(inputs.lost_points, 2)),
    ]
    if chosen := (inputs.record.scores or {}).get("validation", {}).get("accuracy"):
        rows.append(("accuracy on validation, before quantization", percent(chosen)))
    return table(["figure", "value"], rows)


def classes_table(classes: Mapping[str, Any]) -> str:
    """Returns a line per class."""
    rows = [
        (
            label,
            count(figures.faces),
            percent(figures.precision, 1),
            percent(figures.recall, 1),
            percent(figures.f1, 1),
            decimal(figures.roc_auc),
        )
        for label, figures in classes.items()
    ]
    return table(["class", "faces", "precision", "recall", "F1", "ROC-AUC"], rows)


def calibration_table(inputs: ModelInputs, evaluated: Evaluated) -> str:
    """Returns how far scores are from how often they are right."""
    temperature = inputs.record.temperature
    rows = [
        (f"expected calibration error, {CALIBRATION_BINS} bins", decimal(evaluated.calibration_error)),
        ("mean negative log likelihood, nats", decimal(evaluated.negative_log_likelihood)),
        ("temperature in the last layer", "none" if temperature is None else decimal(temperature)),
    ]
    return table(["figure", "value"], rows)


def groups_table(groups: Groups, model: ModelGroups) -> str:
    """Returns a model's figures by group: shares of right labels, or the agreement with others."""
    if groups.labelled:
        return labels_table(groups, model)
    rows = [
        [group, share(groups.found[group]), share(figures.agreement)]
        for group, figures in model.groups.items()
    ]
    return table(["group", "found", "agrees"], rows)


def found_by_group_table(found: Mapping[str, Counted]) -> str:
    """Returns the share of the faces of each group that a detector found."""
    return table(["group", "found"], [(group, share(figure)) for group, figure in found.items()])


def found_table(found: Found) -> str:
    """Returns the share of faces that a detector found, by group of images."""
    rows = [(name, count(found.faces.get(name)), percent(value, 1)) for name, value in found.found.items()]
    return table(["images", "faces", "found"], rows)


def candidates_table(candidates: Sequence[Candidate]) -> str:
    """Returns the nets that were trained on the way to the released one, in the order of training."""
    rows = [
        (
            one_line(candidate.name),
            one_line(candidate.change),
            percent(candidate.validation_accuracy),
        )
        for candidate in candidates
    ]
    return table(["candidate", "change", "validation"], rows, left=2)
