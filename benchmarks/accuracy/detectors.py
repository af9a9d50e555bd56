"""Measures the face detectors on made-up frames whose face is known, and writes reports/detectors.md.

    python -m benchmarks detectors          share found, false boxes and time of every variant
    python -m benchmarks detectors --crop   from a detector's box to the dataset's square, as a table only

It needs FER2013 (validation faces only), demo/astronaut.jpg and YuNet's file.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.scenes import empty_scene, portrait_scene, read_portrait, scene
from dataset.duplicates import blank
from dataset.load import load_dataset
from dataset.locate import DatasetError
from reporting.files import write_atomically, write_json
from reporting.machine import describe_device
from reporting.progress import progress
from runtime.detectors import Detector, DetectorError, load_haar, load_yunet

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "reports" / "detectors.md"
RESULTS = ROOT / "results" / "detectors.json"
SMALLEST_FACE_PX, LARGEST_FACE_PX = 60, 300
CROP_WORDS = ("scale", "shift_x", "shift_y")
FOUND_OVERLAP = 0.4  # of intersection over union: YuNet's box is narrower than the square, Haar's wider

VARIANTS: dict[str, Callable[[], Detector]] = {
    "YuNet, 240 px": lambda: load_yunet(size_px=240),
    "YuNet, 320 px (the default)": lambda: load_yunet(),
    "YuNet, 320 px, confidence 0.9": lambda: load_yunet(min_confidence=0.9),
    "YuNet, 480 px": lambda: load_yunet(size_px=480),
    "YuNet, 640 px": lambda: load_yunet(size_px=640),
    "Haar, as released": lambda: load_haar(),
    "Haar, twice the votes": lambda: load_haar(min_votes=8),
    "Haar, finer steps": lambda: load_haar(step=1.1, min_votes=5),
    "Haar, turned by 30 degrees": lambda: load_haar(angles=(0, -30, 30)),
    "Haar, no border": lambda: load_haar(border=0),
    "Haar, 240 px": lambda: load_haar(size_px=240, min_face_px=20),
    "Haar, cascade alt": lambda: load_haar(cascade="alt"),
    "Haar, cascade default": lambda: load_haar(cascade="default"),
    "Haar, upright pass only, alt2": lambda: load_haar(angles=(0,), step=1.1),
    "Haar, upright pass only, alt": lambda: load_haar(angles=(0,), step=1.1, cascade="alt"),
    "Haar, upright pass only, default": lambda: load_haar(angles=(0,), step=1.1, cascade="default"),
    "Haar, upright pass only, alt_tree": lambda: load_haar(angles=(0,), step=1.1, cascade="alt_tree"),
    "Haar as commonly called (default, full frame)": lambda: load_haar(
        size_px=640, angles=(0,), step=1.1, min_votes=6, cascade="default", border=0, min_face_px=30
    ),
}
CROP_VARIANTS = ("YuNet, 320 px (the default)", "Haar, as released")


class Sample(NamedTuple):
    """Frames with one known face each: uint8 BGR, the square's box float32 (4,), "room" or "portrait"."""

    frames: list[np.ndarray]
    boxes: list[np.ndarray]
    kinds: list[str]


def make_sample(faces: np.ndarray, portrait: np.ndarray, *, count: int, seed: int) -> Sample:
    """Put `count` faces drawn from `faces`, uint8 (n, 48, 48, 1), in turn into a room and the portrait."""
    random = np.random.default_rng(seed)
    sample = Sample([], [], [])
    for number, row in enumerate(random.choice(len(faces), count, replace=False)):
        frame, box, kind = make_frame(faces[row], portrait, number=number, random=random, seed=seed)
        sample.frames.append(frame)
        sample.boxes.append(box)
        sample.kinds.append(kind)
    return sample


def make_frame(
    face: np.ndarray, portrait: np.ndarray, *, number: int, random: np.random.Generator, seed: int
) -> tuple[np.ndarray, np.ndarray, str]:
    """Put a face, uint8 (48, 48, 1), into a room where `number` is even, into the portrait where it is odd.

    Its size is drawn evenly on a logarithmic scale from 60 to 300 px, its place evenly over the frame of
    640x480. Returns the frame, uint8 BGR, the square's box, float32 (4,), and "room" or "portrait".
    """
    face_px = round(float(np.exp(random.uniform(np.log(SMALLEST_FACE_PX), np.log(LARGEST_FACE_PX)))))
    own_seed = seed * 100_000 + number
    if number % 2 == 0:
        return *scene(face, face_px=face_px, seed=own_seed), "room"
    return *portrait_scene(face, portrait, face_px=face_px, seed=own_seed), "portrait"


def overlaps(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes, float (n, 4 or 5), with one box (4,): float (n,), 0 to 1."""
    corner = np.maximum(boxes[:, :2], box[:2])
    far_corner = np.minimum(boxes[:, :2] + boxes[:, 2:4], box[:2] + box[2:])
    shared = np.prod(np.maximum(far_corner - corner, 0), axis=1)
    return shared / (boxes[:, 2] * boxes[:, 3] + box[2] * box[3] - shared)


def measure(detector: Detector, sample: Sample, empty_frames: Sequence[np.ndarray], *, name: str) -> dict:
    """Run a detector over the sample and the frames without a face, and count.

    The time is the processor time of the calling thread, so that other work on the machine does not count.
    """
    milliseconds = []
    found: dict[str, list[bool]] = {"room": [], "portrait": []}
    small, false_boxes = [], 0
    for number in progress(range(len(sample.frames)), name):
        frame, box, kind = sample.frames[number], sample.boxes[number], sample.kinds[number]
        begun = time.thread_time()
        boxes = detector(frame)
        milliseconds.append((time.thread_time() - begun) * 1000)
        right = overlaps(boxes, box) >= FOUND_OVERLAP
        found[kind].append(bool(right.any()))
        if box[2] < 100:
            small.append(bool(right.any()))
        false_boxes += int(len(right) - right.any())
    return {
        "name": name,
        "found": float(np.mean(found["room"] + found["portrait"])),
        "found_room": float(np.mean(found["room"])),
        "found_portrait": float(np.mean(found["portrait"])),
        "found_below_100_px": float(np.mean(small)),
        "false_boxes_per_frame": false_boxes / len(sample.frames),
        "false_boxes_per_empty_frame": sum(len(detector(frame)) for frame in empty_frames)
        / len(empty_frames),
        "median_ms": float(np.median(milliseconds)),
        "p95_ms": float(np.percentile(milliseconds, 95)),
    }


def measure_crop(detector: Detector, sample: Sample, *, name: str) -> list[dict]:
    """Quartiles of scale and shift from the detector's boxes to the dataset's squares, per kind of frame.

    As in a card: the square's side is the longer side of the box times scale, and its centre lies shift_x,
    shift_y sides of the square from the box's centre.
    """
    rules: dict[str, list[np.ndarray]] = {"room": [], "portrait": []}
    for number in progress(range(len(sample.frames)), name):
        boxes, (x, y, side, _) = detector(sample.frames[number]), sample.boxes[number]
        if len(boxes) == 0:
            continue
        overlap = overlaps(boxes, sample.boxes[number])
        if overlap.max() < FOUND_OVERLAP:
            continue
        left, top, width, height = boxes[overlap.argmax(), :4]
        shift_x = (x + side / 2 - left - width / 2) / side
        shift_y = (y + side / 2 - top - height / 2) / side
        rules[sample.kinds[number]].append(np.array([side / max(width, height), shift_x, shift_y]))
    rows = []
    for kind in ("room", "portrait", "both"):
        chosen = np.array(rules["room"] + rules["portrait"] if kind == "both" else rules[kind])
        quartiles = np.percentile(chosen, [25, 50, 75], axis=0)
        rows.append({"name": name, "frames": kind, "faces": len(chosen)})
        for column, word in enumerate(CROP_WORDS):
            rows[-1][word] = quartiles[:, column].round(3).tolist()
    return rows


def render_variants(rows: Sequence[dict]) -> str:
    """The Markdown table of `measure`'s rows."""
    lines = [
        "| detector | found | in rooms | in the portrait | below 100 px | false boxes per frame |"
        " per empty frame | median ms | p95 ms |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        lines.append(
            f"| {row['name']} | {row['found']:.1%} | {row['found_room']:.1%} | {row['found_portrait']:.1%} "
            f"| {row['found_below_100_px']:.1%} | {row['false_boxes_per_frame']:.3f} "
            f"| {row['false_boxes_per_empty_frame']:.3f} | {row['median_ms']:.1f} | {row['p95_ms']:.1f} |"
        )
    return "\n".join(lines)


def render_crop(rows: Sequence[dict]) -> str:
    """The Markdown table of `measure_crop`'s rows: median (quartiles)."""
    lines = ["| detector | frames | faces | scale | shift_x | shift_y |", "|---|---|---|---|---|---|"]
    for row in rows:
        cells = [f"{row[word][1]:+.2f} ({row[word][0]:+.2f} to {row[word][2]:+.2f})" for word in CROP_WORDS]
        lines.append(f"| {row['name']} | {row['frames']} | {row['faces']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def render_report(results: dict) -> str:
    """reports/detectors.md."""
    device = results["device"]
    return f"""# Face detectors, measured

Written by `python -m benchmarks detectors --count {results["count"]} --seed {results["seed"]}` on
{device["measured"]}: {device["processor"]}, one thread, OpenCV {device["opencv"]}. The figures as JSON:
`results/detectors.json`.

{results["count"]} frames of 640x480 with one FER2013 validation face each, {SMALLEST_FACE_PX} to
{LARGEST_FACE_PX} px wide, half in made-up rooms, half in the head of the NASA portrait
(`benchmarks/scenes.py`), and {results["empty_frames"]} rooms with nobody in them. A face counts as
found where a box overlaps the dataset's square by at least {FOUND_OVERLAP:.0%} (intersection over
union); every other box is false. Some faces of FER2013 are drawings, profiles or no faces at all, so
100 % cannot be had. The time is processor time of the one thread, from the frame to the boxes.

## Found, false, and how fast

{render_variants(results["variants"])}

## What was chosen

- YuNet on 320 px, with a confidence limit of 0.6 in place of OpenCV's own 0.9.
- Haar, where YuNet cannot be had: three passes, upright and turned by 20 degrees to both sides, whose
  accepted windows vote together (people tilt their heads, and the cascades know upright faces only), on a
  frame with a border of repeated pixels, for faces at the edge.

Their rows stand above beside the other choices'.

## From a box to the dataset's square

Median (quartiles). The square's side is the longer side of the box times scale; its centre lies shift_x,
shift_y sides of the square from the box's centre, right and down positive. What scores best is for a
model to decide; this is where the dataset's own squares lie.

{render_crop(results["crop"])}
"""


def run(*, count: int, seed: int, dataset: str | None, crop_only: bool) -> dict:
    """Measure the crop rules, and unless `crop_only` every variant and its report's other facts."""
    faces, _ = load_dataset(dataset).split("validation")
    faces = faces[~blank(faces)]
    portrait = read_portrait()
    sample = make_sample(faces, portrait, count=count, seed=seed)
    crop = []
    for name in CROP_VARIANTS:
        crop += measure_crop(VARIANTS[name](), sample, name=name)
    if crop_only:
        return {"crop": crop}
    empty_frames = [
        empty_scene(seed=seed * 100_000 + 50_000 + number) for number in range(max(1, count // 4))
    ]
    variants = [measure(load(), sample, empty_frames, name=name) for name, load in VARIANTS.items()]
    return {
        "device": describe_device(),
        "count": count,
        "seed": seed,
        "empty_frames": len(empty_frames),
        "found_overlap": FOUND_OVERLAP,
        "variants": variants,
        "crop": crop,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks detectors", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--crop", action="store_true", help="print the crop rules only, and write nothing")
    parser.add_argument("--count", type=int, default=160, help="frames with a face (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of faces and frames (default: %(default)s)")
    parser.add_argument("--dataset", metavar="PATH", help="FER2013 (default: where dataset/fer2013.py looks)")
    chosen = parser.parse_args(arguments)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        results = run(count=chosen.count, seed=chosen.seed, dataset=chosen.dataset, crop_only=chosen.crop)
    except (DatasetError, DetectorError) as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        cv2.setNumThreads(threads)
    if chosen.crop:
        print(render_crop(results["crop"]))
        return 0
    write_json(RESULTS, results)
    write_atomically(REPORT, render_report(results))
    print(render_variants(results["variants"]), render_crop(results["crop"]), f"{REPORT}", sep="\n\n")
    return 0
