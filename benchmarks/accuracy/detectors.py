"""Measure every face detector on the same images: what it finds, what it takes for a face, how long it takes.

    python -m benchmarks detectors --images A.zip B.zip --backgrounds C.zip --faces D.zip
                                                     the validation part, for choices
    python -m benchmarks detectors ... --split test  the held-out part, once, for the report
    python -m benchmarks detectors ... --detector build/new.tflite yunet --sheets build/detectors
                                                     a file beside YuNet, and what each got wrong
    python -m benchmarks detectors ... --split test --record models/detector.measured.json
                                                     also keep the first one's figures for its card

--images and --backgrounds take what `python -m train.detector` takes, and leave out what it trains on: both
divide a source by the same rule. --faces takes tightly cut faces with a val.csv (columns file, race), as
FairFace has them. FER2013's faces stand in made-up frames. What is not given is left out of the table.
"""

from __future__ import annotations

import argparse
import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2

from benchmarks.accuracy.detector_figures import (
    DetectorFigures,
    measure_backgrounds,
    measure_curve,
    measure_group,
    measure_times,
)
from benchmarks.accuracy.detector_images import (
    Group,
    Held,
    group_of_frames,
    groups_of_pasted_faces,
    groups_of_photos,
    read_held_out,
)
from benchmarks.accuracy.detector_sheets import ContactSheets, draw_curves, draw_heads
from benchmarks.accuracy.detector_table import curve_table, goals_table, released_points
from benchmarks.accuracy.yunet_place import find_yunet
from benchmarks.scenes import read_portrait
from benchmarks.schemas import read_as
from benchmarks.speed.clips import make_clip
from benchmarks.speed.table import DETECTOR_NAMES, label_of
from dataset.detection.groups import LEAST_SIZE
from dataset.detection.teacher import Teacher, load_teacher
from dataset.duplicates import blank
from dataset.load import load_dataset
from dataset.locate import DatasetError
from reporting.files import place_of_report, place_of_results, sha256_of, write_atomically, write_json
from reporting.machine import describe_device
from reporting.templates import render_template
from runtime.card import card_path
from runtime.detectors import DETECTORS, Detector, DetectorError, load_detector, load_haar
from runtime.detectors.ferkit import released_file

TEMPLATE = Path(__file__).with_name("detectors.md.j2")
NAMES = tuple(DETECTOR_NAMES)
LEAST_CONFIDENCE = 0.1  # of a curve
GLASSES = "glasses: nothing that was given labels them"


def load_all(given: Sequence[str], left_out: list[str]) -> tuple[dict[str, Detector], dict[str, Detector]]:
    """Returns the detectors as they are released, and with the least confidence, for the curves.

    Args:
        given: Names and paths.
        left_out: Gets a sentence on each of `NAMES` that can't be had here.

    Raises:
        DetectorError: A file is no detector.
    """
    released: dict[str, Detector] = {}
    loose: dict[str, Detector] = {}
    for name in given:
        try:
            detector = load_detector(name, offline=True)
        except DetectorError as error:
            if name not in NAMES:
                raise
            left_out.append(f"{DETECTOR_NAMES[name]}: {' '.join(str(error).split())}")
            continue
        key = name if name in NAMES else Path(name).stem
        file = () if name in NAMES else (name,)
        released[key] = detector
        loose[key] = (
            load_haar(min_votes=2)
            if detector.name == "haar"
            else DETECTORS[detector.name](*file, min_confidence=LEAST_CONFIDENCE)
        )
    return released, loose


def groups_of(
    options: argparse.Namespace, teacher: Teacher | None, left_out: list[str]
) -> tuple[list[Group], Held]:
    """Returns the groups of images that the command line asks for, and the photos they are made of."""
    made: list[Group] = []
    try:
        faces, _ = load_dataset(options.data).split(options.split)
        faces = faces[~blank(faces)]
        made.append(group_of_frames(faces, read_portrait(), count=options.count, seed=options.seed))
    except DatasetError as error:
        if options.data:
            raise
        left_out.append(f"FER2013 in made-up frames: {' '.join(str(error).split())}")
    held = read_held_out(options.images, options.backgrounds, teacher, split=options.split)
    made += groups_of_photos(held)
    if options.faces and held.backgrounds:
        made += groups_of_pasted_faces(
            options.faces, held, teacher, split=options.split, count=options.pasted
        )
    missing = {
        "photographs (--images)": not options.images,
        "images without a face (--backgrounds)": not options.backgrounds,
        "pasted faces (--faces, --backgrounds)": not (options.faces and options.backgrounds),
        "turned faces (YuNet's file)": bool(options.images) and teacher is None,
    }
    left_out += [f"{name}: not given" for name, lacks in missing.items() if lacks]
    return made, held


def measure(
    options: argparse.Namespace, command: str, sheets: ContactSheets | None
) -> tuple[DetectorFigures, bytes]:
    """Measures what the command line asks for.

    Returns:
        The figures, and a JPEG of what the detectors find, which may be published.

    Raises:
        DataError, DatasetError: An image is missing or damaged.
        DetectorError: A detector that was named by its file can't be had.
    """
    left_out: list[str] = []
    released, loose = load_all(options.detector, left_out)
    if not released:
        raise DetectorError(f"Expected a detector to measure, got none. {' '.join(left_out)}")
    yunet = find_yunet()
    teacher = load_teacher(yunet) if yunet else None
    made, held = groups_of(options, teacher, left_out)
    photos = [photo for part in held.photos.values() for photo in part]
    curves = {}
    if photos and held.backgrounds:
        curves = {
            name: measure_curve(detector, photos, held.backgrounds, name=name)
            for name, detector in loose.items()
        }
    labels = {name: label_of(name) for name in released}
    heads = draw_heads({labels[name]: detector for name, detector in released.items()}, read_portrait())
    figures = DetectorFigures(
        device=describe_device(),
        command=command,
        split=options.split,
        detectors=labels,
        left_out=[*left_out, GLASSES],
        sources=list(held.photos),
        groups=[measure_group(group, released, sheets) for group in made],
        backgrounds=len(held.backgrounds),
        false_per_background=(
            measure_backgrounds(held.backgrounds, released, sheets) if held.backgrounds else None
        ),
        times=measure_times(
            released, make_clip(read_portrait(), width=640, height=480, faces=1), turns=options.turns
        ),
        curves=curves,
    )
    return figures, heads


def record_first(results: DetectorFigures, given: str, path: Path) -> None:
    """Keeps what the first detector's file found, by its SHA-256: `python -m export` reads it for the card.

    Args:
        results: What was measured.
        given: The first detector, as the command line names it: a path or "ferkit".
        path: The JSON; other files in it stay.

    Raises:
        DetectorError: The first detector is none that has a card.
    """
    file = released_file()[0] if given == "ferkit" else Path(given)
    if not card_path(file).is_file():
        raise DetectorError(f"--record: expected a first detector whose file has a card, got {given}.")
    name = next(iter(results.detectors))
    content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"files": {}}
    content["files"][sha256_of(file)] = {
        "measured": results.device["measured"],
        "split": results.split,
        "found": {group.name: round(group.found[name], 4) for group in results.groups},
        "faces": {group.name: group.faces for group in results.groups},
        "false_per_background": (results.false_per_background or {}).get(name),
        "backgrounds": results.backgrounds,
    }
    write_json(path, content)


def read_detectors(path: Path) -> DetectorFigures:
    """Returns what this benchmark wrote; raises ResultsError for anything else."""
    return read_as(
        DetectorFigures,
        path,
        expected="what `python -m benchmarks detectors` wrote",
        advice="Run `python -m benchmarks detectors` again.",
    )


def render(results: DetectorFigures, *, folder: str) -> str:
    """Returns the page as Markdown; folder: of its pictures, as seen from the page."""
    data = {
        "results": results,
        "table": goals_table(results),
        "curves": f"{folder}/curves.png" if results.curves else None,
        "heads": f"{folder}/heads.jpg",
        "least_px": LEAST_SIZE,
    }
    return render_template(TEMPLATE, data)


def write_page(results: DetectorFigures, out: Path) -> Path:
    """Writes the page of some results and its curves; returns the page's path."""
    place = place_of_report(out)
    page = place.with_suffix(".md")
    if results.curves:
        labels = {results.detectors[name]: points for name, points in results.curves.items()}
        write_atomically(place / "curves.png", draw_curves(labels, released_points(results)))
    write_atomically(page, render(results, folder=place.name))
    return page


def told(arguments: Sequence[str]) -> str:
    """Returns the command for the report: of paths the last part alone, the rest is this machine's own."""
    shortened = [argument if argument.startswith("-") else Path(argument).name for argument in arguments]
    return shlex.join(["python", "-m", "benchmarks", "detectors", *shortened])


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks detectors",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    several: dict[str, Any] = {"type": Path, "nargs": "+", "metavar": "PATH", "default": []}
    parser.add_argument("--images", **several, help="folders or zip archives of images with boxes")
    parser.add_argument("--backgrounds", **several, help="the same, of images without a face")
    parser.add_argument("--faces", type=Path, metavar="PATH", help="the same, of tightly cut faces to paste")
    parser.add_argument("--data", metavar="PATH", help="FER2013 (default: where it is looked for)")
    parser.add_argument(
        "--split", choices=("validation", "test"), default="validation", help="(default: %(default)s)"
    )
    parser.add_argument(
        "--detector",
        nargs="+",
        metavar="NAME|PATH",
        default=list(NAMES),
        help=f"the goals are the first one's (default: {' '.join(NAMES)})",
    )
    parser.add_argument(
        "--count", type=int, default=500, help="faces in made-up frames (default: %(default)s)"
    )
    parser.add_argument("--pasted", type=int, default=200, help="pasted faces a group (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=30, help="of the times (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of faces and rooms (default: %(default)s)")
    parser.add_argument(
        "--sheets",
        type=Path,
        metavar="FOLDER",
        help="where contact sheets go of what was missed and what was false; never publish them",
    )
    parser.add_argument("--out", type=Path, metavar="JSON", help="the figures")
    parser.add_argument(
        "--record", type=Path, metavar="JSON", help="where the first detector's figures go for its card"
    )
    parser.add_argument(
        "--report", type=Path, metavar="JSON", help="measure nothing: write the page of these figures"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    given = list(arguments or ())
    parser = build_parser()
    options = parser.parse_args(given)
    for name in ("count", "pasted", "turns"):
        if getattr(options, name) < 1:
            parser.error(f"--{name}: expected 1 or more, got {getattr(options, name)}.")
    if options.faces and not options.backgrounds:
        parser.error("--faces: expected --backgrounds too, to paste the faces on, got none.")
    if options.report:
        results, out = read_detectors(options.report), options.report
    else:
        cv2.setNumThreads(1)
        sheets = ContactSheets() if options.sheets else None
        results, heads = measure(options, told(given), sheets)
        everything = list(results.detectors) == list(NAMES) and results.left_out == [GLASSES]
        whole = everything and options.split == "test"
        out = options.out or place_of_results("results/detectors.json", whole=whole)
        write_json(out, asdict(results))
        if sheets:
            print(*sheets.write(options.sheets), sep="\n")
        write_atomically(place_of_report(out) / "heads.jpg", heads)
    if options.record:
        record_first(results, options.detector[0], options.record)
    page = write_page(results, out)
    print(goals_table(results), curve_table(results), f"Results: {out}, {page}", sep="\n\n")
    return 0
