"""Measures for whom a model works: finds and labels by gender, ethnicity, age or any other group.

    python -m benchmarks groups london.zip                 the Face Research Lab London Set
    python -m benchmarks groups fairface.zip               FairFace's validation images, without labels
    python -m benchmarks groups my_faces/ --table who.csv  your own: file, label, person and group columns

`benchmarks/accuracy/grouped_images.py` says how images and groups are read. Where images have labels, a
group's figure is the share of its faces that got the label. Without labels, it is the agreement with the
mean of the reference models; no model is its own reference. `--pad` repeats the edge around tightly cut
images, for a detector that needs surroundings. Writes results/groups/<name>.json, and
reports/groups/<name>.md from it.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.contact_sheet import write_sheet
from benchmarks.accuracy.group_figures import (
    Groups,
    ModelGroups,
    counted,
    figures_by_group,
    members,
    read_groups,
)
from benchmarks.accuracy.grouped_images import Collection, GroupsError, Listed
from benchmarks.accuracy.groups_report import render
from benchmarks.accuracy.seen_images import Seen, look, rule_of
from benchmarks.accuracy.smile_sheet import missed_smiles
from benchmarks.accuracy.yunet_place import find_yunet
from benchmarks.artifacts import RECORDS
from reporting.command import at_least
from reporting.files import make_folder, page_of, sha256_of, write_atomically, write_json
from reporting.machine import describe_device
from runtime.detectors import Detector, load_detector
from runtime.detectors.ferkit import released_file
from runtime.model import DEFAULT_MODEL, Model, ModelError, load_model

MOST_PAD = 4.0  # longer sides of the image
RESULTS = Path("results", "groups")


def check_models(models: Sequence[Model], listed: Sequence[Listed]) -> None:
    """Raises ModelError unless all models have names of their own and the same labels, with the images'."""
    by_name: dict[str, Path] = {}
    wanted = sorted({image.label for image in listed if image.label is not None})
    for model in models:
        if unknown := next((label for label in wanted if label not in model.labels), None):
            raise ModelError(
                f"{model.path}: expected a model with the labels {', '.join(wanted)}, as the table has them, "
                f"got {', '.join(model.labels)} without {unknown}."
            )
        if model.labels != models[0].labels:
            raise ModelError(
                f"{model.path}: expected the labels of {models[0].path.name}, {', '.join(models[0].labels)}, "
                f"got {', '.join(model.labels)}. Compare models with the same labels."
            )
        if by_name.setdefault(model.path.name, model.path) != model.path:
            raise ModelError(
                f"{model.path}: expected files of different names, got {by_name[model.path.name]}, too. "
                "Rename one of them and its card."
            )


def check_references(models: Sequence[Model], references: Sequence[Model]) -> None:
    """Raises ModelError where a model would be compared with itself alone."""
    for model in models:
        if references and all(one.card["sha256"] == model.card["sha256"] for one in references):
            raise ModelError(f"{model.path}: expected a --reference that is another model, got itself alone.")


def compare(
    seen: Seen, models: Sequence[Model], references: Sequence[Model], detector: Detector
) -> tuple[dict[str, ModelGroups], dict[str, np.ndarray]]:
    """Returns each model's figures and its scores, float32 (images, labels), by the name of its file.

    Args:
        seen: The images.
        models: What is measured.
        references: Those with whose mean scores each model is compared, itself left out.
        detector: That found the faces.
    """
    scores = {
        model.path.name: model(seen.faces[rule_of(model, detector)])
        for model in {model.path: model for model in (*models, *references)}.values()
    }
    results = {}
    for model in models:
        others = [one.path.name for one in references if one.card["sha256"] != model.card["sha256"]]
        expected = np.mean([scores[name] for name in others], axis=0).argmax(axis=1) if others else None
        groups = figures_by_group(
            scores[model.path.name].argmax(axis=1),
            model.labels,
            seen.listed,
            seen.found,
            seen.strength,
            expected,
        )
        results[model.path.name] = ModelGroups(model.card["model"], model.card["sha256"], others, groups)
    return results, scores


def detector_file(named: str | None, detector: Detector) -> Path | None:
    """Returns the file of a detector that the command line named; None for Haar's, which is OpenCV's."""
    if detector.name == "ferkit":
        return Path(named) if named and named != detector.name else released_file()[0]
    return find_yunet(named) if detector.name == "yunet" else None


def learned_from(source: str, detector: Detector) -> list[str]:
    """Returns what the record of ferkit's detector says it took from a file of this name, such as "heads"."""
    record = RECORDS / "detector.json"
    if detector.name != "ferkit" or not record.is_file():
        return []
    sources = json.loads(record.read_text(encoding="utf-8")).get("sources", {})
    return [kind for kind, names in sources.items() if source in names]


def write_sheets(
    folder: Path, collection: Collection, seen: Seen, models: Sequence[Model], scores: dict[str, np.ndarray]
) -> None:
    """Writes a contact sheet of each model's missed smiles, if there are any, and says where."""
    for model in models:
        tiles = missed_smiles(collection, seen, scores[model.path.name], model.labels)
        if tiles:
            path = write_sheet(folder / f"{model.path.stem}_missed_smiles.png", tiles)
            print(f"Missed smiles: {len(tiles)}, {path}", file=sys.stderr)


def build_parser() -> argparse.ArgumentParser:
    """Returns the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks groups",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", type=Path, nargs="?", help="a folder or zip file of images")
    parser.add_argument("--table", help="the CSV of the groups, in the source or elsewhere")
    parser.add_argument(
        "--model", nargs="+", default=[DEFAULT_MODEL], help="names or files (default: %(default)s)"
    )
    parser.add_argument(
        "--reference",
        nargs="+",
        action="extend",
        default=[],
        metavar="MODEL",
        help="the models with whose mean scores each other model is compared",
    )
    parser.add_argument("--detector", help="ferkit, yunet, haar, or a detector's file")
    parser.add_argument(
        "--pad",
        type=share_of_side,
        default=0.0,
        metavar="SHARE",
        help="repeat the edge of each image so far on every side, in its longer sides (default: %(default)s)",
    )
    parser.add_argument("--threads", type=at_least(1), default=1, help="of the engine (default: %(default)s)")
    parser.add_argument("--name", type=plain_name, help="of the results (default: the source's)")
    parser.add_argument(
        "--sheets",
        type=Path,
        metavar="FOLDER",
        help="show the missed smiles as contact sheets there; never commit them: they show the images",
    )
    parser.add_argument(
        "--report", type=Path, metavar="JSON", help="measure nothing: write the page of these figures"
    )
    return parser


def plain_name(text: str) -> str:
    """Returns a name that a file can have; argparse makes a line of its error."""
    if not re.fullmatch(r"[\w][\w .+-]{0,99}", text):
        raise argparse.ArgumentTypeError(
            f"expected at most 100 letters, digits, spaces and .-+_, a letter or digit first, got {text!r}"
        )
    return text


def name_of(source: Path) -> str:
    """Returns the name of a folder or zip file; raises GroupsError where it can't name results."""
    name = source.resolve().stem if source.suffix == ".zip" else source.resolve().name
    try:
        return plain_name(name)
    except argparse.ArgumentTypeError as error:
        raise GroupsError(source, f"{error}. Give the results a name: --name") from error


def share_of_side(text: str) -> float:
    """Returns a number from 0 to `MOST_PAD`; argparse makes a line of its error."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= MOST_PAD:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to {MOST_PAD:g}, got {text}")
    return value


def measure(options: argparse.Namespace, command: str) -> Groups:
    """Measures what the command line names, and writes the sheets that it asks for."""
    make_folder(RESULTS)
    if options.sheets:
        make_folder(options.sheets)
    with Collection(options.source, options.table) as collection:
        models, references = (
            [load_model(model, threads=options.threads) for model in names]
            for names in (options.model, options.reference)
        )
        check_models([*models, *references], collection.listed)
        check_references(models, references)
        detector = load_detector(options.detector, threads=options.threads)
        rules = {rule_of(model, detector) for model in (*models, *references)}
        yunet = find_yunet(options.detector)
        seen = look(collection, rules, detector=detector, pad=options.pad, yunet=yunet)
        figures, scores = compare(seen, models, references, detector)
        if options.sheets:
            write_sheets(options.sheets, collection, seen, models, scores)
        source = options.source.resolve()
        return Groups(
            groups_version=2,
            name=options.name,
            command=command,
            source=source.name,
            sha256=collection.digest(),
            images=len(seen.listed),
            labelled=sum(image.label is not None for image in seen.listed),
            left_out=collection.left_out,
            detector=detector.name,
            detector_sha256=sha256_of(file) if (file := detector_file(options.detector, detector)) else None,
            detector_learned_from=learned_from(source.name, detector),
            pad=options.pad,
            device=dict(describe_device(threads=options.threads)),
            measured=datetime.date.today().isoformat(),
            found={group: counted(seen.found[rows]) for group, rows in members(seen.listed).items()},
            models=figures,
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns its exit status."""
    parser = build_parser()
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = parser.parse_args(given)
    if bool(options.source) == bool(options.report):
        parser.error("expected a folder or zip file of images, or --report with its figures, and not both.")
    if options.report:
        path, results = options.report, read_groups(options.report)
    else:
        command = command_of(options)
        options.name = options.name or name_of(options.source)
        results = measure(options, command)
        path = RESULTS / f"{results.name}.json"
        write_json(path, asdict(results))
    report = page_of(path)
    write_atomically(report, page := render(results))
    print(page, f"Results: {path}, {report}", sep="\n")
    return 0


def command_of(options: argparse.Namespace) -> str:
    """Returns the command line with the names of files alone, and what changes figures."""
    words: list[Any] = ["python", "-m", "benchmarks", "groups", options.source.name]
    for name in ("table", "model", "reference", "detector", "pad", "name"):
        value = getattr(options, name)
        if value and value != build_parser().get_default(name):
            words += [f"--{name}", *(value if isinstance(value, list) else [value])]
    return shlex.join(Path(str(word)).name for word in words)
