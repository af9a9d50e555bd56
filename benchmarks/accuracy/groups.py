"""Measures for whom a model works: finds and labels by gender, ethnicity, age or any other group.

    python -m benchmarks groups london.zip                 the Face Research Lab London Set
    python -m benchmarks groups fairface.zip               FairFace's validation images, without labels
    python -m benchmarks groups my_faces/ --table who.csv  your own: file, label, person and group columns

`benchmarks/accuracy/grouped_images.py` says how images and groups are read. Where images have labels, a
group's figure is the share of its faces that got the label. Without labels, it is the agreement with a
reference model. Writes results/groups/<name>.json, and reports/groups/<name>.md from it.
"""

from __future__ import annotations

import argparse
import datetime
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.grouped_images import Collection, Listed
from benchmarks.accuracy.smile import mouth_width, recall_at_equal_strength
from reporting.files import place_of_report, write_atomically, write_json
from reporting.machine import describe_device
from reporting.metrics import share_interval
from reporting.progress import progress
from reporting.templates import render_template
from runtime.card import CROP_FIELDS
from runtime.crop import crop_face
from runtime.detectors import Detector, load_detector
from runtime.model import DEFAULT_MODEL, Model, ModelError, load_model

TEMPLATE = Path(__file__).with_name("groups.md.j2")
EVERYBODY = "everybody"
SMILE, REST = "happy", "neutral"

Figures = dict[str, Any]


def measure(
    collection: Collection,
    models: Sequence[Model],
    *,
    detector: Detector,
    reference: Model | None,
    yunet: Path | None,
) -> Figures:
    """Returns the figures of every model for every group of a collection.

    Args:
        collection: The images.
        models: What is measured. All must have the labels of the images.
        detector: Finds the faces; of several in an image the largest is taken.
        reference: The model with which unlabelled faces are compared; None: with nothing.
        yunet: YuNet's file, whose landmarks measure how strongly people smile; None: not measured.
    """
    faces, found, widths = faces_of(collection, models[0], detector=detector, yunet=yunet)
    listed = collection.listed
    groups = members(listed)
    expected = reference(faces).argmax(axis=1) if reference else None
    strength = smile_strength(listed, widths)
    return {
        "groups_version": 1,
        "images": len(listed),
        "labelled": sum(image.label is not None for image in listed),
        "sha256": collection.digest(),
        "left_out": collection.left_out,
        "detector": detector.name,
        "reference": reference.path.name if reference else None,
        "found": {group: counted(found[rows]) for group, rows in groups.items()},
        "models": {
            model.path.name: figures_of(model, faces, found, listed, groups, expected, strength)
            for model in models
        },
    }


def faces_of(
    collection: Collection, model: Model, *, detector: Detector, yunet: Path | None
) -> tuple[np.ndarray, np.ndarray, list[float | None]]:
    """Returns what is seen of each image.

    Returns:
        Faces, uint8 (images, 48, 48, 1), cut by the model's crop rule, black where none was found; whether
        one was found, bool (images,); and the mouth's width (`benchmarks.accuracy.smile`) of each image.
    """
    rule = {field: model.card["input"]["crop"][detector.name][field] for field in CROP_FIELDS}
    faces = np.zeros((len(collection.listed), 48, 48, 1), np.uint8)
    found = np.zeros(len(faces), bool)
    widths: list[float | None] = []
    for number in progress(range(len(faces)), "Finding faces"):
        image = collection.listed[number]
        frame = collection.frame(image.file)
        boxes = detector(frame)
        if len(boxes):
            largest = boxes[(boxes[:, 2] * boxes[:, 3]).argmax()]
            faces[number, :, :, 0] = crop_face(frame, largest[:4], **rule)
            found[number] = True
        smiles = yunet is not None and image.person is not None and image.label in (SMILE, REST)
        widths.append(mouth_width(frame, yunet) if smiles and yunet else None)
    return faces, found, widths


def members(listed: Sequence[Listed]) -> dict[str, np.ndarray]:
    """Returns the images of each group, bool (images,), by "column: value"; first those of everybody."""
    groups = {EVERYBODY: np.ones(len(listed), bool)}
    names = sorted({(column, value) for image in listed for column, value in image.groups.items()})
    for column, value in names:
        groups[f"{column}: {value}"] = np.array([image.groups.get(column) == value for image in listed])
    return groups


def smile_strength(listed: Sequence[Listed], widths: Sequence[float | None]) -> np.ndarray:
    """Returns how much wider each smile's mouth is than the same person's neutral one; nan elsewhere.

    Returns:
        float (images,): 0.2 for a mouth that is 20 % wider.
    """
    rest = {
        image.person: width
        for image, width in zip(listed, widths, strict=True)
        if image.label == REST and width is not None
    }
    return np.array(
        [
            width / rest[image.person] - 1
            if image.label == SMILE and width is not None and image.person in rest
            else np.nan
            for image, width in zip(listed, widths, strict=True)
        ]
    )


def figures_of(
    model: Model,
    faces: np.ndarray,
    found: np.ndarray,
    listed: Sequence[Listed],
    groups: dict[str, np.ndarray],
    expected: np.ndarray | None,
    strength: np.ndarray,
) -> Figures:
    """Returns a model's figures of each group: over the faces that were found alone.

    `labels`: by label, the share that got it. `shares`: by label, how often the model says it. `agreement`:
    with the reference. `smile`: mean strength, and recall if all groups smiled alike.
    """
    predicted = model(faces).argmax(axis=1)
    truth = np.array([image.label for image in listed])
    names = sorted({image.label for image in listed if image.label is not None})
    unknown = [name for name in names if name not in model.labels]
    if unknown:
        raise ModelError(
            f"{model.path}: expected a model with the labels {', '.join(names)}, got none of {unknown[0]}."
        )
    right = {name: predicted == model.labels.index(name) for name in names}
    figures: Figures = {
        group: {
            "labels": {name: counted(right[name][rows & found & (truth == name)]) for name in names},
            "shares": {
                label: float(np.mean(predicted[rows & found] == number)) if (rows & found).any() else None
                for number, label in enumerate(model.labels)
            },
            "agreement": None if expected is None else counted((predicted == expected)[rows & found]),
        }
        for group, rows in groups.items()
    }
    if SMILE in names:
        add_smiles(figures, groups, right[SMILE], found & np.isfinite(strength), strength)
    return figures


def add_smiles(
    figures: Figures,
    groups: dict[str, np.ndarray],
    right: np.ndarray,
    known: np.ndarray,
    strength: np.ndarray,
) -> None:
    """Adds to each group's figures how strongly it smiles, and its recall if all groups smiled alike."""
    for column in sorted({group.partition(": ")[0] for group in groups if group != EVERYBODY}):
        own = {group: rows & known for group, rows in groups.items() if group.startswith(f"{column}: ")}
        smiles = np.any(list(own.values()), axis=0)
        if not smiles.any():
            continue
        group_of = np.full(len(smiles), "", dtype=object)
        for group, rows in own.items():
            group_of[rows] = group
        recalls = recall_at_equal_strength(strength[smiles], right[smiles], list(group_of[smiles]))
        for group, rows in own.items():
            if rows.any():
                figures[group]["smile"] = {
                    "strength": float(strength[rows].mean()),
                    "recall_at_equal_strength": recalls[group],
                }


def counted(right: np.ndarray) -> Figures:
    """Returns how many of bool (n,) are true: `right`, `count`, and the 95 % interval of the share."""
    low, high = share_interval(int(right.sum()), len(right))
    return {"right": int(right.sum()), "count": len(right), "low": low, "high": high}


def render(results: Figures) -> str:
    """Returns the report of a collection."""
    return render_template(TEMPLATE, results, filters={"share": share, "percent": percent})


def share(figure: Figures | None) -> str:
    """Returns a counted share with its interval: "97.1 % (91.7-99.0)"; a dash for nothing."""
    if not figure or not figure["count"]:
        return "-"
    whole = figure["right"] / figure["count"]
    return f"{whole:.1%} ({100 * figure['low']:.1f}-{100 * figure['high']:.1f})".replace("%", " %")


def percent(value: float | None) -> str:
    """Returns a share of 0 to 1 as "45.0 %"; a dash for None."""
    return "-" if value is None else f"{100 * value:.1f} %"


def build_parser() -> argparse.ArgumentParser:
    """Returns the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks groups",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", type=Path, help="a folder or zip file of images")
    parser.add_argument("--table", help="the CSV of the groups, in the source or elsewhere")
    parser.add_argument(
        "--model", nargs="+", default=[DEFAULT_MODEL], help="names or files (default: %(default)s)"
    )
    parser.add_argument("--reference", help="the model with which faces without labels are compared")
    parser.add_argument("--detector", help="yunet, haar or a YuNet file")
    parser.add_argument("--name", help="of the results (default: the source's)")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns its exit status."""
    options = build_parser().parse_args(arguments)
    with Collection(options.source, options.table) as collection:
        models = [load_model(model) for model in options.model]
        reference = load_model(options.reference) if options.reference else None
        detector = load_detector(options.detector)
        results = measure(
            collection, models, detector=detector, reference=reference, yunet=file_of(options.detector)
        )
    name = options.name or options.source.resolve().stem
    results |= {
        "name": name,
        "device": describe_device(),
        "measured": datetime.date.today().isoformat(),
    }
    path = Path("results", "groups", f"{name}.json")
    report = place_of_report(path).with_suffix(".md")
    write_json(path, results)
    write_atomically(report, page := render(results))
    print(page, f"Results: {path}, {report}", sep="\n")
    return 0


def file_of(detector: str | None) -> Path | None:
    """Returns YuNet's file where it is: named, in FERKIT_YUNET, or in the user's cache."""
    from runtime.detectors.yunet_file import FILE_NAME, cache_folder

    places = [detector or "", os.environ.get("FERKIT_YUNET", ""), str(cache_folder() / FILE_NAME)]
    return next((Path(place) for place in places if place.endswith(".onnx") and Path(place).is_file()), None)
