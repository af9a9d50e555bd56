"""What the whole way costs against the bare model: detector, crop and model on frames with one known face.

    python -m benchmarks end_to_end --split test      accuracy of the whole way, with both detectors
    python -m benchmarks end_to_end --rules           validation accuracy of other crop rules

FER2013's faces are put into frames of 640x480, 60 to 300 px wide, half of them into made-up rooms and half
into the head of the NASA portrait (`benchmarks/scenes.py`). `ferkit.Recognizer` sees the frame alone. Its
answer for the box that overlaps the dataset's square most is compared with the model's answer for the
dataset's 48x48 pixels, on the faces that were found; a third answer, for the dataset's square cut from the
frame, tells what the frame itself costs: enlarged, blurred, with a camera's noise and JPEG's. Crop rules are
compared on validation, never on test.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks.accuracy.detectors import (
    FOUND_OVERLAP,
    LARGEST_FACE_PX,
    SMALLEST_FACE_PX,
    make_frame,
    overlaps,
)
from benchmarks.scenes import read_portrait
from dataset.duplicates import blank
from dataset.fer2013 import SPLITS
from dataset.load import load_dataset
from dataset.locate import DatasetError
from reporting.files import place_of_report, write_atomically, write_json
from reporting.machine import describe_device
from reporting.progress import progress
from runtime.card import CardError
from runtime.crop import crop_face
from runtime.detectors import DetectorError
from runtime.engines import EngineError
from runtime.model import ModelError
from runtime.recognizer import Recognizer

DETECTORS = ("yunet", "haar")
LIMIT_POINTS = 1.5  # what the whole way may cost
SIZES_PX = (SMALLEST_FACE_PX, 100, 170, LARGEST_FACE_PX + 1)
SCALES = (0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15)
SHIFTS_Y = (-0.05, 0.0, 0.05)

Frame = tuple[int, np.ndarray, np.ndarray, str]


def frames_of(faces: np.ndarray, portrait: np.ndarray, *, seed: int, doing: str) -> Iterator[Frame]:
    """Yields row, frame (uint8 BGR), the square's box (float32 (4,)) and the kind of every face's frame.

    faces: uint8 (n, 48, 48, 1). Every face comes once, in an order that the seed decides; `doing` is what
    the progress bar says.
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
) -> list[dict]:
    """Returns a dict for each detector: what was found, and the accuracies on what was found.

    faces: uint8 (n, 48, 48, 1); labels: int (n,). Shares are 0 to 1, losses in points. Raises the errors of
    `ferkit.Recognizer`.
    """
    recognizers = {name: Recognizer(model, name) for name in detectors}
    right_of_face = recognizers[detectors[0]].model(faces).argmax(axis=1) == labels
    rows: dict[str, list[tuple]] = {name: [] for name in detectors}
    for row, frame, square, kind in frames_of(faces, portrait, seed=seed, doing="Labelling frames"):
        own = recognizers[detectors[0]].model(crop_face(frame, tuple(square))[None, :, :, None])
        right_of_square = own[0].argmax() == labels[row]
        for name, recognize in recognizers.items():
            found = recognize(frame)
            overlap = overlaps(np.array([face.box for face in found], float).reshape(-1, 4), square)
            hit = bool(len(found)) and overlap.max() >= FOUND_OVERLAP
            right = hit and found[overlap.argmax()].scores.argmax() == labels[row]
            rows[name].append((hit, right, right_of_square, right_of_face[row], kind, square[2]))
    return [summarize(name, rows[name]) for name in detectors]


def summarize(detector: str, rows: Sequence[tuple]) -> dict:
    """Returns the counts of `measure`'s rows: (found, right, right of square, right of face, kind, px)."""
    found, right, of_square, of_face = (np.array([row[column] for row in rows], bool) for column in range(4))
    kinds, sizes = np.array([row[4] for row in rows]), np.array([row[5] for row in rows], float)

    def part(chosen: np.ndarray) -> dict:
        kept = chosen & found
        accuracies = [float(answers[kept].mean()) if kept.any() else None for answers in (of_face, right)]
        return {
            "faces": int(chosen.sum()),
            "found": float(found[chosen].mean()) if chosen.any() else None,
            "direct_accuracy": accuracies[0],
            "square_accuracy": float(of_square[kept].mean()) if kept.any() else None,
            "accuracy": accuracies[1],
            "loss_points": 100 * float(of_face[kept].mean() - right[kept].mean()) if kept.any() else None,
        }

    everything = np.ones(len(rows), bool)
    parts = {"all": part(everything)}
    parts |= {kind: part(kinds == kind) for kind in ("room", "portrait")}
    for smallest, largest in itertools.pairwise(SIZES_PX):
        parts[f"{smallest}-{largest - 1} px"] = part((sizes >= smallest) & (sizes < largest))
    lost = parts["all"]["loss_points"]
    return {"detector": detector, "parts": parts, "reached": lost is not None and lost <= LIMIT_POINTS}


def measure_rules(
    model: str, faces: np.ndarray, labels: np.ndarray, portrait: np.ndarray, *, seed: int, detector: str
) -> dict[tuple[float, float], float]:
    """Returns the accuracy on the found faces for every crop rule, (scale, shift_y)."""
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


def render_table(rows: Sequence[dict]) -> str:
    """Returns `measure`'s rows as a Markdown table."""
    lines = [
        "| detector | faces | number | found | model on the 48x48 pixels | on the square in the frame "
        "| the whole way | lost |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        for name, part in row["parts"].items():
            cells = [
                "-" if part[key] is None else f"{part[key]:.1%}"
                for key in ("found", "direct_accuracy", "square_accuracy", "accuracy")
            ]
            lost = "-" if part["loss_points"] is None else f"{part['loss_points']:.2f}"
            lines.append(f"| {row['detector']} | {name} | {part['faces']:,} | {' | '.join(cells)} | {lost} |")
    return "\n".join(lines)


def render_rules(accuracies: dict[tuple[float, float], float]) -> str:
    """Returns `measure_rules`'s accuracies as a Markdown table: a line per scale, a column per shift."""
    lines = [
        "| scale | " + " | ".join(f"shift_y {shift:+.2f}" for shift in SHIFTS_Y) + " |",
        "|---:|" + "---:|" * len(SHIFTS_Y),
    ]
    for scale in SCALES:
        cells = [f"{accuracies[scale, shift]:.2%}" for shift in SHIFTS_Y]
        lines.append(f"| {scale:.2f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def render_report(results: dict) -> str:
    """Returns reports/end_to_end.md."""
    verdicts = []
    for row in results["detectors"]:
        everything = row["parts"]["all"]
        verdicts.append(
            f"- {row['detector']}: {'reached' if row['reached'] else '**missed**'}, "
            f"{everything['loss_points'] or 0:.2f} points lost, {everything['found']:.1%} found."
        )
    return f"""# The whole way against the bare model

Written by `python -m benchmarks end_to_end --split {results["split"]} --model {results["model"]} \
--count {results["count"]} --seed {results["seed"]}` on {results["device"]["measured"]}, OpenCV \
{results["device"]["opencv"]}.

{results["faces"]:,} faces of FER2013's {results["split"]} split (blank ones left out), each in a frame of
640x480, {SMALLEST_FACE_PX} to {LARGEST_FACE_PX} px wide, half in made-up rooms, half in the head of a real
portrait (`benchmarks/scenes.py`); `{results["model"]}` through `ferkit.Recognizer`. A face counts as found
where a box overlaps the dataset's square by at least {FOUND_OVERLAP:.0%} (intersection over union).
Accuracies are those on the found faces: for the dataset's own 48x48 pixels; for the dataset's square cut out
of the frame, which is what the frame itself costs (enlarged, blurred, noise, JPEG); and for the box that the
detector gave.

{render_table(results["detectors"])}

The whole way may cost {LIMIT_POINTS} points:

{chr(10).join(verdicts)}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks end_to_end", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--model", default="edge", help="a released model or a file (default: %(default)s)")
    parser.add_argument("--split", choices=SPLITS, default="validation", help="(default: %(default)s)")
    parser.add_argument("--data", help="FER2013 (default: where it is looked for)")
    parser.add_argument("--count", type=int, default=0, help="faces; 0 takes all (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of frames and places (default: %(default)s)")
    parser.add_argument(
        "--detector", nargs="+", choices=DETECTORS, default=list(DETECTORS), help="(default: both)"
    )
    parser.add_argument("--rules", action="store_true", help="compare crop rules; prints, writes nothing")
    parser.add_argument("--out", default="results/end_to_end.json", help="(default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.count < 0:
        parser.error(f"--count: expected 0 or more, got {options.count}.")
    if options.rules and options.split == "test":
        parser.error("--rules: the test split is for what has been chosen; give --split validation.")
    cv2.setNumThreads(1)
    try:
        faces, labels = load_dataset(options.data).split(options.split)
        kept = np.flatnonzero(~blank(faces))
        if options.count:
            kept = np.random.default_rng(options.seed).permutation(kept)[: options.count]
        faces, labels = faces[kept], labels[kept]
        portrait = read_portrait()
        given = {"seed": options.seed}
        if options.rules:
            for detector in options.detector:
                accuracies = measure_rules(options.model, faces, labels, portrait, detector=detector, **given)
                print(f"{detector}\n\n{render_rules(accuracies)}\n")
            return 0
        rows = measure(options.model, faces, labels, portrait, detectors=options.detector, **given)
    except (DatasetError, DetectorError, CardError, EngineError, ModelError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    results = {
        "device": describe_device(),
        "model": options.model,
        "split": options.split,
        "count": options.count,
        "seed": options.seed,
        "faces": len(faces),
        "found_overlap": FOUND_OVERLAP,
        "limit_points": LIMIT_POINTS,
        "detectors": rows,
    }
    out = Path(options.out)
    write_json(out, results)
    report = place_of_report(out).with_suffix(".md")
    write_atomically(report, render_report(results))
    print(render_table(rows), f"Results: {out}, {report}", sep="\n\n")
    return 0
