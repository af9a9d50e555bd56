"""Measure accuracy end to end, through detector and crop, against the model alone, on made-up frames.

    python -m benchmarks end_to_end --split test      accuracy end to end, with each detector
    python -m benchmarks end_to_end --rules           validation accuracy of other crop rules

FER2013's faces are put into frames of 640x480, 60 to 300 px wide, half of them into made-up rooms and half
into the head of the NASA portrait (`benchmarks/scenes.py`). `ferkit.Recognizer` sees the frame alone. Its
answer for the box that overlaps the dataset's square most is compared with the model's answer for the
dataset's 48x48 pixels, on the faces that were found. A third answer, for the dataset's square cut from the
frame, shows the loss of the frame itself: enlarged, blurred, with a camera's noise and JPEG. Crop rules are
compared on validation, never on test.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.accuracy.detector_settings import (
    FOUND_OVERLAP,
    LARGEST_FACE_PX,
    SMALLEST_FACE_PX,
    make_frame,
    overlaps,
)
from benchmarks.formats import decimal, percent, verdict
from benchmarks.scenes import read_portrait
from benchmarks.schemas import read_as
from benchmarks.scoring import check_labels, say
from benchmarks.speed.table import label_of
from dataset.duplicates import blank
from dataset.fer2013 import SPLITS
from dataset.load import load_dataset
from reporting.files import page_of, write_atomically, write_json
from reporting.machine import Device, describe_device
from reporting.markdown import table
from reporting.progress import progress
from reporting.templates import render_template
from runtime.crop import crop_face
from runtime.detectors import DetectorError, load_detector
from runtime.model import load_model
from runtime.recognizer import Recognizer

TEMPLATE = Path(__file__).with_name("end_to_end.md.j2")
DETECTORS = ("ferkit", "yunet", "haar")
LIMIT_POINTS = 1.5  # of accuracy that detector, crop and frame may cost
SIZES_PX = (SMALLEST_FACE_PX, 100, 170, LARGEST_FACE_PX + 1)
SCALES = (0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15, 1.2, 1.25)
SHIFTS_Y = (-0.05, 0.0, 0.05)

Frame = tuple[int, np.ndarray, np.ndarray, str]


class Outcome(NamedTuple):
    """Of one face: was it found, and is the label right, of the box, of the square, of the 48x48 pixels?"""

    found: bool
    right: bool
    right_of_square: bool
    right_of_face: bool
    kind: str  # of the frame: "room" or "portrait"
    face_px: float


@dataclass(frozen=True)
class Part:
    """The figures of some faces; accuracies are those on the found ones. None where there is no face."""

    faces: int
    found: float | None
    direct_accuracy: float | None
    square_accuracy: float | None
    accuracy: float | None
    loss_points: float | None


@dataclass(frozen=True)
class DetectorParts:
    """The figures with one detector: of all faces, and by kind of frame and size."""

    detector: str
    parts: dict[str, Part]
    reached: bool


@dataclass(frozen=True)
class EndToEnd:
    """What the JSON holds."""

    device: Device
    model: str
    split: str
    count: int
    seed: int
    faces: int
    found_overlap: float
    limit_points: float
    detectors: list[DetectorParts]


def frames_of(faces: np.ndarray, portrait: np.ndarray, *, seed: int, doing: str) -> Iterator[Frame]:
    """Yields row, frame (uint8 BGR), the square's box (float32 (4,)) and the kind of every face's frame.

    Args:
        faces: uint8 (n, 48, 48, 1), gray; every face comes once, in an order that the seed decides.
        portrait: uint8 BGR (512, 512, 3), `demo/astronaut.jpg`.
        seed: Of the order, the frames and the places.
        doing: What the progress bar says.
    """
    random = np.random.default_rng(seed)
    order = random.permutation(len(faces))
    for number in progress(range(len(order)), doing):
        row = int(order[number])
        yield row, *make_frame(faces[row], portrait, number=number, random=random, seed=seed)


def measure(
    model: str,
    faces: np.ndarray,
    labels: np.ndarray,
    portrait: np.ndarray,
    *,
    seed: int,
    detectors: Sequence[str] = DETECTORS,
) -> list[DetectorParts]:
    """Returns the figures with each detector.

    Args:
        model: A released model or a file.
        faces: uint8 (n, 48, 48, 1), gray.
        labels: int (n,).
        portrait: uint8 BGR (512, 512, 3), `demo/astronaut.jpg`.
        seed: Of frames and places.
        detectors: Names or files, as `ferkit run` takes them.

    Raises:
        CardError, DetectorError, EngineError, ModelError: The recognizer can't be made.
    """
    recognizers = {name: Recognizer(model, name) for name in detectors}
    own_model = recognizers[detectors[0]].model
    right_of_face = own_model(faces).argmax(axis=1) == labels
    outcomes: dict[str, list[Outcome]] = {name: [] for name in detectors}
    for row, frame, square, kind in frames_of(faces, portrait, seed=seed, doing="Labelling frames"):
        own = own_model(crop_face(frame, tuple(square))[None, :, :, None])
        right_of_square = own[0].argmax() == labels[row]
        for name, recognize in recognizers.items():
            found = recognize(frame)
            overlap = overlaps(np.array([face.box for face in found], float).reshape(-1, 4), square)
            hit = bool(len(found)) and overlap.max() >= FOUND_OVERLAP
            right = hit and found[overlap.argmax()].scores.argmax() == labels[row]
            outcomes[name].append(Outcome(hit, right, right_of_square, right_of_face[row], kind, square[2]))
    return [summarize(Path(name).stem, outcomes[name]) for name in detectors]


def summarize(detector: str, outcomes: Sequence[Outcome]) -> DetectorParts:
    """Returns the figures of a detector's outcomes."""
    found, right, of_square, of_face = (
        np.array([outcome[column] for outcome in outcomes], bool) for column in range(4)
    )
    kinds = np.array([outcome.kind for outcome in outcomes])
    sizes = np.array([outcome.face_px for outcome in outcomes], float)

    def part(chosen: np.ndarray) -> Part:
        kept = chosen & found
        any_kept = bool(kept.any())
        return Part(
            faces=int(chosen.sum()),
            found=float(found[chosen].mean()) if chosen.any() else None,
            direct_accuracy=float(of_face[kept].mean()) if any_kept else None,
            square_accuracy=float(of_square[kept].mean()) if any_kept else None,
            accuracy=float(right[kept].mean()) if any_kept else None,
            loss_points=100 * float(of_face[kept].mean() - right[kept].mean()) if any_kept else None,
        )

    parts = {"all": part(np.ones(len(outcomes), bool))}
    parts |= {kind: part(kinds == kind) for kind in ("room", "portrait")}
    for smallest, largest in itertools.pairwise(SIZES_PX):
        parts[f"{smallest}-{largest - 1} px"] = part((sizes >= smallest) & (sizes < largest))
    lost = parts["all"].loss_points
    return DetectorParts(detector, parts, reached=lost is not None and lost <= LIMIT_POINTS)


def measure_rules(
    model: str, faces: np.ndarray, labels: np.ndarray, portrait: np.ndarray, *, seed: int, detector: str
) -> dict[tuple[float, float], float]:
    """Returns the accuracy on the found faces for every crop rule, (scale, shift_y).

    Args:
        model: A released model or a file.
        faces: uint8 (n, 48, 48, 1), gray.
        labels: int (n,).
        portrait: uint8 BGR (512, 512, 3), `demo/astronaut.jpg`.
        seed: Of frames and places.
        detector: A name or a file, as `ferkit run` takes it.
    """
    recognize = Recognizer(model, detector)
    crops: dict[tuple[float, float], list[np.ndarray]] = {(s, y): [] for s in SCALES for y in SHIFTS_Y}
    truth = []
    for row, frame, square, _ in frames_of(faces, portrait, seed=seed, doing=f"Cropping, {detector}"):
        boxes = recognize.detector(frame)
        overlap = overlaps(boxes, square) if len(boxes) else np.zeros(1)
        if overlap.max() < FOUND_OVERLAP:
            continue
        truth.append(labels[row])
        for (scale, shift_y), kept in crops.items():
            kept.append(crop_face(frame, tuple(boxes[overlap.argmax(), :4]), scale=scale, shift_y=shift_y))
    return {
        rule: float((recognize.model(np.array(kept)[..., None]).argmax(axis=1) == truth).mean())
        for rule, kept in crops.items()
    }


def parts_table(detectors: Sequence[DetectorParts]) -> str:
    """Returns a line for each detector and part."""
    heads = (
        "detector",
        "frames",
        "faces",
        "found",
        "model on the 48x48 pixels",
        "on the square in the frame",
        "end to end",
        "points lost",
    )
    lines = [
        (
            label_of(row.detector),
            name,
            f"{part.faces:,}",
            percent(part.found, 1),
            percent(part.direct_accuracy, 1),
            percent(part.square_accuracy, 1),
            percent(part.accuracy, 1),
            decimal(part.loss_points, 2),
        )
        for row in detectors
        for name, part in row.parts.items()
    ]
    return table(heads, lines, left=2)


def verdicts_table(detectors: Sequence[DetectorParts], limit_points: float) -> str:
    """Returns whether each detector keeps the limit."""
    lines = [
        (
            label_of(row.detector),
            verdict(row.reached),
            decimal(row.parts["all"].loss_points, 2),
            f"{limit_points:g}",
            percent(row.parts["all"].found, 1),
        )
        for row in detectors
    ]
    return table(("detector", "limit", "points lost", "points, limit", "found"), lines, left=2)


def rules_table(accuracies: dict[tuple[float, float], float]) -> str:
    """Returns the accuracy of each crop rule: a line per scale, a column per shift."""
    heads = ["scale", *(f"shift_y {shift:+.2f}" for shift in SHIFTS_Y)]
    lines = [[f"{scale:.2f}", *(percent(accuracies[scale, shift]) for shift in SHIFTS_Y)] for scale in SCALES]
    return table(heads, lines, left=0)


def render(results: EndToEnd) -> str:
    """Returns the page as Markdown."""
    data = {
        "results": results,
        "parts": parts_table(results.detectors),
        "verdicts": verdicts_table(results.detectors, results.limit_points),
        "smallest_px": SMALLEST_FACE_PX,
        "largest_px": LARGEST_FACE_PX,
        "overlap": percent(results.found_overlap, 0),
    }
    return render_template(TEMPLATE, data)


def read_end_to_end(path: Path) -> EndToEnd:
    """Returns what this benchmark wrote; raises ResultsError for anything else."""
    return read_as(
        EndToEnd,
        path,
        expected="what `python -m benchmarks end_to_end` wrote",
        advice="Run `python -m benchmarks end_to_end` again.",
    )


def faces_of(options: argparse.Namespace) -> tuple[np.ndarray, np.ndarray]:
    """Returns the faces, uint8 (n, 48, 48, 1), and labels, int (n,), that the command line asks for."""
    dataset = load_dataset(options.data)
    check_labels(options.model, load_model(options.model).labels, dataset.classes)
    faces, labels = dataset.split(options.split)
    kept = np.flatnonzero(~blank(faces))
    if options.count:
        kept = np.random.default_rng(options.seed).permutation(kept)[: options.count]
    return faces[kept], labels[kept]


def available_detectors() -> list[str]:
    """Returns those of DETECTORS that can be had here, and says which can't."""
    names = []
    for name in DETECTORS:
        try:
            load_detector(name)
            names.append(name)
        except DetectorError as error:
            say(f"{label_of(name)} is left out: {error}")
    return names


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks end_to_end", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--model", default="edge", help="a released model or a file (default: %(default)s)")
    parser.add_argument("--split", choices=SPLITS, default="validation", help="(default: %(default)s)")
    parser.add_argument("--data", help="FER2013 (default: where it is looked for)")
    parser.add_argument("--count", type=int, default=0, help="faces; 0 takes all (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of frames and places (default: %(default)s)")
    parser.add_argument(
        "--detector",
        nargs="+",
        metavar="NAME|PATH",
        help=f"(default: those of {', '.join(DETECTORS)} that can be had here)",
    )
    parser.add_argument("--rules", action="store_true", help="compare crop rules; prints, writes nothing")
    parser.add_argument(
        "--out", type=Path, default=Path("results/end_to_end.json"), help="(default: %(default)s)"
    )
    parser.add_argument(
        "--report", action="store_true", help="measure nothing: write the page of the figures at --out"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.count < 0:
        parser.error(f"--count: expected 0 or more, got {options.count}.")
    if options.rules and options.split == "test":
        parser.error("--rules: the test split is for what has been chosen; give --split validation.")
    if options.report:
        results = read_end_to_end(options.out)
    else:
        cv2.setNumThreads(1)
        detectors = options.detector or available_detectors()
        faces, labels = faces_of(options)
        given = (options.model, faces, labels, read_portrait())
        if options.rules:
            for detector in detectors:
                accuracies = measure_rules(*given, seed=options.seed, detector=detector)
                print(f"{detector}\n\n{rules_table(accuracies)}\n")
            return 0
        results = EndToEnd(
            device=describe_device(),
            model=options.model,
            split=options.split,
            count=options.count,
            seed=options.seed,
            faces=len(faces),
            found_overlap=FOUND_OVERLAP,
            limit_points=LIMIT_POINTS,
            detectors=measure(*given, seed=options.seed, detectors=detectors),
        )
        write_json(options.out, asdict(results))
    page = page_of(options.out)
    write_atomically(page, render(results))
    print(parts_table(results.detectors), f"Results: {options.out}, {page}", sep="\n\n")
    return 0
