"""Compare settings of the face detectors on made-up frames whose face is known.

    python -m benchmarks detector_settings         share found, false boxes and time of every variant
    python -m benchmarks detector_settings --crop  from a detector's box to the dataset's square, a table only

It needs FER2013 (validation faces only), demo/astronaut.jpg and YuNet's file. Writes
results/detector_settings.json and reports/detector_settings.md.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from benchmarks.artifacts import ROOT
from benchmarks.formats import percent
from benchmarks.scenes import empty_scene, portrait_scene, read_portrait, scene
from benchmarks.schemas import read_as
from benchmarks.scoring import say
from dataset.duplicates import blank
from dataset.load import load_dataset
from reporting.files import page_of, write_atomically, write_json
from reporting.machine import Device, describe_device
from reporting.markdown import table
from reporting.metrics import intersection_over_union
from reporting.progress import progress
from reporting.templates import render_template
from reporting.timing import median_and_p95
from runtime.detectors import Detector, DetectorError, load_ferkit, load_haar, load_yunet

RESULTS = ROOT / "results" / "detector_settings.json"
TEMPLATE = Path(__file__).with_name("detector_settings.md.j2")
SMALLEST_FACE_PX, LARGEST_FACE_PX = 60, 300
SMALL_PX = 100  # a face below this is small
FOUND_OVERLAP = 0.4  # of intersection over union: YuNet's box is narrower than the square, Haar's wider

VARIANTS: dict[str, Callable[[], Detector]] = {
    "ferkit, as released": lambda: load_ferkit(),
    "YuNet, 240 px": lambda: load_yunet(size_px=240),
    "YuNet, as released": lambda: load_yunet(),
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
CROP_VARIANTS = ("ferkit, as released", "YuNet, as released", "Haar, as released")


class Frames(NamedTuple):
    """Frames with one known face each: uint8 BGR, the square's box float32 (4,), "room" or "portrait"."""

    images: list[np.ndarray]
    boxes: list[np.ndarray]
    kinds: list[str]


@dataclass(frozen=True)
class DetectorFigures:
    """What one detector finds; shares of 0 to 1."""

    name: str
    found: float
    found_room: float
    found_portrait: float
    found_below_100_px: float
    false_boxes_per_frame: float
    false_boxes_per_empty_frame: float
    median_ms: float
    p95_ms: float


@dataclass(frozen=True)
class CropFigures:
    """Lower quartile, median and upper quartile of a detector's crop rule, on one kind of frames."""

    name: str
    frames: str
    faces: int
    scale: list[float]
    shift_x: list[float]
    shift_y: list[float]


@dataclass(frozen=True)
class DetectorSettings:
    """What the JSON holds."""

    device: Device
    count: int
    seed: int
    empty_frames: int
    found_overlap: float
    variants: list[DetectorFigures]
    crop: list[CropFigures]


def make_frames(faces: np.ndarray, portrait: np.ndarray, *, count: int, seed: int) -> Frames:
    """Returns frames of faces drawn at random, alternately in a room and in the portrait.

    Args:
        faces: uint8 (n, 48, 48, 1), gray.
        portrait: uint8 BGR (512, 512, 3), `demo/astronaut.jpg`.
        count: How many.
        seed: Of faces, sizes, places and rooms.
    """
    random = np.random.default_rng(seed)
    frames = Frames([], [], [])
    for number, row in enumerate(random.choice(len(faces), count, replace=False)):
        frame, box, kind = make_frame(faces[row], portrait, number=number, random=random, seed=seed)
        frames.images.append(frame)
        frames.boxes.append(box)
        frames.kinds.append(kind)
    return frames


def make_frame(
    face: np.ndarray, portrait: np.ndarray, *, number: int, random: np.random.Generator, seed: int
) -> tuple[np.ndarray, np.ndarray, str]:
    """Returns a face in a frame of 640x480: even numbers in a room, odd ones in the portrait.

    Its size is drawn evenly on a logarithmic scale from 60 to 300 px, its place evenly over the frame.

    Args:
        face: uint8 (48, 48, 1), gray.
        portrait: uint8 BGR (512, 512, 3), `demo/astronaut.jpg`.
        number: Of the frame.
        random: Draws the size.
        seed: With `number`, of place and room.

    Returns:
        The frame, uint8 BGR (480, 640, 3), the square's box, float32 (4,), and "room" or "portrait".
    """
    face_px = round(float(np.exp(random.uniform(np.log(SMALLEST_FACE_PX), np.log(LARGEST_FACE_PX)))))
    own_seed = seed * 100_000 + number
    if number % 2 == 0:
        return *scene(face, face_px=face_px, seed=own_seed), "room"
    return *portrait_scene(face, portrait, face_px=face_px, seed=own_seed), "portrait"


def measure(
    detector: Detector, frames: Frames, empty_frames: Sequence[np.ndarray], *, name: str
) -> DetectorFigures:
    """Runs a detector over frames with a face and frames without, and counts.

    The time is the processor time of the calling thread, so that other work on the machine does not count.
    """
    milliseconds = []
    found: dict[str, list[bool]] = {"room": [], "portrait": []}
    small, false_boxes = [], 0
    for number in progress(range(len(frames.images)), name):
        box, kind = frames.boxes[number], frames.kinds[number]
        start = time.thread_time()
        boxes = detector(frames.images[number])
        milliseconds.append((time.thread_time() - start) * 1000)
        right = overlaps(boxes, box) >= FOUND_OVERLAP
        found[kind].append(bool(right.any()))
        if box[2] < SMALL_PX:
            small.append(bool(right.any()))
        false_boxes += int(len(right) - right.any())
    median_ms, p95_ms = median_and_p95(np.array(milliseconds))
    return DetectorFigures(
        name=name,
        found=float(np.mean(found["room"] + found["portrait"])),
        found_room=float(np.mean(found["room"])),
        found_portrait=float(np.mean(found["portrait"])),
        found_below_100_px=float(np.mean(small)),
        false_boxes_per_frame=false_boxes / len(frames.images),
        false_boxes_per_empty_frame=sum(len(detector(frame)) for frame in empty_frames) / len(empty_frames),
        median_ms=median_ms,
        p95_ms=p95_ms,
    )


def overlaps(boxes: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Returns the intersection over union of boxes, float (n, 4 or 5), with one box (4,): float (n,)."""
    return intersection_over_union(boxes, box[np.newaxis])[:, 0]


def measure_crop(detector: Detector, frames: Frames, *, name: str) -> list[CropFigures]:
    """Returns quartiles of scale and shift from a detector's boxes to the dataset's squares.

    As in a card: the square's side is the longer side of the box times scale, and its centre lies shift_x,
    shift_y sides of the square from the box's centre.
    """
    rules: dict[str, list[np.ndarray]] = {"room": [], "portrait": []}
    for number in progress(range(len(frames.images)), name):
        boxes, (x, y, side, _) = detector(frames.images[number]), frames.boxes[number]
        if len(boxes) == 0:
            continue
        overlap = overlaps(boxes, frames.boxes[number])
        if overlap.max() < FOUND_OVERLAP:
            continue
        left, top, width, height = boxes[overlap.argmax(), :4]
        shift_x = (x + side / 2 - left - width / 2) / side
        shift_y = (y + side / 2 - top - height / 2) / side
        rules[frames.kinds[number]].append(np.array([side / max(width, height), shift_x, shift_y]))
    rows = []
    for kind in ("room", "portrait", "both"):
        chosen = np.array(rules["room"] + rules["portrait"] if kind == "both" else rules[kind])
        scale, shift_x, shift_y = np.percentile(chosen, [25, 50, 75], axis=0).T.round(3).tolist()
        rows.append(CropFigures(name, kind, len(chosen), scale, shift_x, shift_y))
    return rows


def variants_table(rows: Sequence[DetectorFigures]) -> str:
    """Returns a line per detector."""
    heads = (
        "detector",
        "found",
        "in rooms",
        "in the portrait",
        "below 100 px",
        "false boxes per frame",
        "per empty frame",
        "median ms",
        "p95 ms",
    )
    lines = [
        (
            row.name,
            percent(row.found, 1),
            percent(row.found_room, 1),
            percent(row.found_portrait, 1),
            percent(row.found_below_100_px, 1),
            f"{row.false_boxes_per_frame:.3f}",
            f"{row.false_boxes_per_empty_frame:.3f}",
            f"{row.median_ms:.1f}",
            f"{row.p95_ms:.1f}",
        )
        for row in rows
    ]
    return table(heads, lines)


def crop_table(rows: Sequence[CropFigures]) -> str:
    """Returns median (quartiles) of each rule."""
    lines = [
        (
            row.name,
            row.frames,
            str(row.faces),
            *(
                f"{median:+.2f} ({low:+.2f} to {high:+.2f})"
                for low, median, high in (row.scale, row.shift_x, row.shift_y)
            ),
        )
        for row in rows
    ]
    return table(("detector", "frames", "faces", "scale", "shift_x", "shift_y"), lines, left=2)


def render(results: DetectorSettings) -> str:
    """Returns the page as Markdown."""
    data = {
        "results": results,
        "variants": variants_table(results.variants),
        "crop": crop_table(results.crop),
        "smallest_px": SMALLEST_FACE_PX,
        "largest_px": LARGEST_FACE_PX,
        "overlap": percent(results.found_overlap, 0),
    }
    return render_template(TEMPLATE, data)


def faces_and_portrait(path: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Returns the validation faces, uint8 (n, 48, 48, 1), without blank ones, and the portrait, uint8 BGR."""
    faces, _ = load_dataset(path).split("validation")
    return faces[~blank(faces)], read_portrait()


def load_variants(names: Iterable[str]) -> dict[str, Detector]:
    """Returns those of the named VARIANTS that can be had here, and says which can't."""
    loaded = {}
    for name in names:
        try:
            loaded[name] = VARIANTS[name]()
        except DetectorError as error:
            say(f"{name} is left out: {error}")
    return loaded


def run(frames: Frames, *, count: int, seed: int) -> DetectorSettings:
    """Measures every variant, and the crop rules of those in CROP_VARIANTS."""
    variants = load_variants(VARIANTS)
    crop = [
        row
        for name in CROP_VARIANTS
        if name in variants
        for row in measure_crop(variants[name], frames, name=name)
    ]
    empty_frames = [
        empty_scene(seed=seed * 100_000 + 50_000 + number) for number in range(max(1, count // 4))
    ]
    return DetectorSettings(
        device=describe_device(),
        count=count,
        seed=seed,
        empty_frames=len(empty_frames),
        found_overlap=FOUND_OVERLAP,
        variants=[measure(detector, frames, empty_frames, name=name) for name, detector in variants.items()],
        crop=crop,
    )


def read_detector_settings(path: Path) -> DetectorSettings:
    """Returns what this benchmark wrote; raises ResultsError for anything else."""
    return read_as(
        DetectorSettings,
        path,
        expected="what `python -m benchmarks detector_settings` wrote",
        advice="Run `python -m benchmarks detector_settings` again.",
    )


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks detector_settings", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--crop", action="store_true", help="print the crop rules only, and write nothing")
    parser.add_argument("--count", type=int, default=160, help="frames with a face (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7, help="of faces and frames (default: %(default)s)")
    parser.add_argument("--data", metavar="PATH", help="FER2013 (default: where it is looked for)")
    parser.add_argument(
        "--report", type=Path, metavar="JSON", help="measure nothing: write the page of these figures"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    options = build_parser().parse_args(arguments)
    if options.report:
        out, results = options.report, read_detector_settings(options.report)
    else:
        cv2.setNumThreads(1)
        out = RESULTS
        faces, portrait = faces_and_portrait(options.data)
        frames = make_frames(faces, portrait, count=options.count, seed=options.seed)
        if options.crop:
            for name, detector in load_variants(CROP_VARIANTS).items():
                print(crop_table(measure_crop(detector, frames, name=name)))
            return 0
        results = run(frames, count=options.count, seed=options.seed)
        write_json(out, asdict(results))
    page = page_of(out)
    write_atomically(page, render(results))
    print(variants_table(results.variants), crop_table(results.crop), f"{page}", sep="\n\n")
    return 0
