"""Measure what a model loses with shifted boxes, other light and worse images than it was trained on.

    python -m benchmarks robustness --split test      the released models: results/robustness.json and .md
    python -m benchmarks robustness my_int8.tflite    other files, on validation: into benchmarks/out

A box is changed in eight ways: its side times 0.9, 1.1, 1.2 and 1.3, its place by 10 % of its side to the
left, the right, up and down. A larger or shifted box needs surroundings, which FER2013's tight crops don't
have. There are two kinds, each with its own unchanged box to compare with:

- `border`: the face is the frame, and its edge is repeated outside its 48x48 pixels. Only the box differs
  from the dataset, but no camera sees such surroundings.
- `scene`: the face stands 96 px wide in a frame of `benchmarks/scenes.py`, with a camera's noise and JPEG.
  Even faces are in a made-up room, odd ones in the head of a real portrait. The frame itself costs accuracy,
  in the unchanged box too.

Both are cut by the runtime's own crop (`runtime/crop.py`), which takes whole pixels. In `border` 10 % of the
side are 5 of 48 pixels, and 0.9, 1.1, 1.2, 1.3 times the side are 43, 53, 58 and 62.

The third kind, `pixels`, keeps the box and changes the face: half the resolution, JPEG, brightness.
Validation is the default split: the test split is for models whose every choice has been made.
"""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from benchmarks.artifacts import find_released, trained_on
from benchmarks.formats import percent, signed, verdict
from benchmarks.scenes import portrait_scene, read_portrait, scene
from benchmarks.schemas import read_as
from benchmarks.scoring import dataset_name, scores_of_file
from dataset.fer2013 import LABELS, OFFICIAL_SHA256, SPLITS, Dataset
from dataset.load import load_dataset
from reporting import metrics
from reporting.files import (
    make_folder,
    place_of_report,
    place_of_results,
    sha256_of,
    write_atomically,
    write_json,
)
from reporting.markdown import table
from reporting.progress import progress
from reporting.templates import render_template
from runtime.crop import FACE_SIDE, crop_face, square_of

SCENE_FACE_PX = 96  # two pixels for each of the face's: more would only be blurred more
SCENE_PX = 3 * SCENE_FACE_PX  # side of the frame
JPEG_QUALITY = 30
LIMIT_POINTS = 2.0  # what a changed box may cost
UNCHANGED = "unchanged"

# A change's name: the keywords of `runtime.crop.crop_face`. Left is where x is small, up where y is.
BOXES: dict[str, dict[str, float]] = {
    UNCHANGED: {},
    "box x0.9": {"scale": 0.9},
    "box x1.1": {"scale": 1.1},
    "box x1.2": {"scale": 1.2},
    "box x1.3": {"scale": 1.3},
    "box 10 % left": {"shift_x": -0.1},
    "box 10 % right": {"shift_x": 0.1},
    "box 10 % up": {"shift_y": -0.1},
    "box 10 % down": {"shift_y": 0.1},
}
BOX_WAYS = ("border", "scene")
WAYS = (*BOX_WAYS, "pixels")
WAY_NAMES = {"border": "edge repeated", "scene": "in a scene", "pixels": "-"}
TEMPLATE = Path(__file__).with_name("robustness.md.j2")

Changed = dict[str, dict[str, np.ndarray]]  # way: change: faces, uint8 (n, 48, 48, 1)


@dataclass(frozen=True)
class ChangeScore:
    """The accuracy of one change, 0 to 1, and the points that it costs against the unchanged face."""

    way: str
    change: str
    accuracy: float
    drop_points: float


@dataclass(frozen=True)
class BoxVerdict:
    """What the changed boxes of a way cost, in points, and whether the worst keeps the limit."""

    mean_drop_points: float
    worst_drop_points: float
    worst_change: str
    limit_points: float
    reached: bool


@dataclass(frozen=True)
class FileRobustness:
    """What was measured of one file; `boxes` by way."""

    file: str
    sha256: str
    rows: list[ChangeScore]
    boxes: dict[str, BoxVerdict]


@dataclass(frozen=True)
class Robustness:
    """What the JSON holds."""

    robustness_version: Literal[1]
    dataset: str
    dataset_sha256: str
    split: str
    faces: int
    measured: str  # YYYY-MM-DD
    opencv: str
    files: list[FileRobustness]


def halve(face: np.ndarray) -> np.ndarray:
    """Returns a face, uint8 (48, 48), shrunk to 24x24 by area and enlarged again bilinearly."""
    small = cv2.resize(face, (FACE_SIDE // 2, FACE_SIDE // 2), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_LINEAR)


def compress(face: np.ndarray) -> np.ndarray:
    """Returns a face, uint8 (48, 48), as a gray JPEG of quality 30 shows it."""
    _, coded = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))


def brighten(face: np.ndarray, factor: float) -> np.ndarray:
    """Returns a face, uint8, its gray levels times `factor`, rounded and at most 255."""
    return np.clip(np.rint(face * factor), 0, 255).astype(np.uint8)


PIXELS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    UNCHANGED: lambda face: face,
    "half resolution": halve,
    f"JPEG quality {JPEG_QUALITY}": compress,
    "brightness x0.5": lambda face: brighten(face, 0.5),
    "brightness x1.5": lambda face: brighten(face, 1.5),
}


def cut_face(face: np.ndarray, **box: float) -> np.ndarray:
    """Returns a face, uint8 (48, 48), cut out in a changed box; outside its pixels its edge is repeated.

    Args:
        face: uint8 (48, 48), gray.
        **box: `scale`, `shift_x`, `shift_y` of `crop_face`, relative to the face's own square.
    """
    frame = cv2.cvtColor(face.reshape(FACE_SIDE, FACE_SIDE), cv2.COLOR_GRAY2BGR)
    return crop_face(frame, (0, 0, FACE_SIDE, FACE_SIDE), **box)


def surround(
    face: np.ndarray, portrait: np.ndarray | None, *, seed: int
) -> tuple[np.ndarray, tuple[float, ...]]:
    """Returns a frame around a face, uint8 BGR (288, 288, 3), and the face's box (x, y, width, height).

    Frames are made from the seed until one holds the square of every changed box.

    Args:
        face: uint8 (48, 48, 1), gray.
        portrait: uint8 BGR (512, 512, 3), into whose head the face comes; None makes up a room.
        seed: Of places, rooms and noise.
    """
    for draw in range(1000):
        own_seed = seed * 1000 + draw
        if portrait is None:
            frame, box = scene(face, face_px=SCENE_FACE_PX, width=SCENE_PX, height=SCENE_PX, seed=own_seed)
        else:
            frame, box = portrait_scene(
                face, portrait, face_px=SCENE_FACE_PX, width=SCENE_PX, height=SCENE_PX, seed=own_seed
            )
        corner = tuple(float(value) for value in box)
        if all(is_inside(square_of(corner, **change)) for change in BOXES.values()):
            return frame, corner
    raise AssertionError("1,000 places in the frame, and none was in its middle.")


def is_inside(square: tuple[int, int, int]) -> bool:
    """Returns whether a square (left, top, side) lies in a frame of `SCENE_PX`."""
    left, top, side = square
    return min(left, top) >= 0 and max(left, top) + side <= SCENE_PX


def changed_faces(faces: np.ndarray, portrait: np.ndarray, *, seed: int = 0) -> Changed:
    """Returns the faces in every way and change, each uint8 (n, 48, 48, 1).

    Args:
        faces: uint8 (n, 48, 48, 1), gray.
        portrait: uint8 BGR (512, 512, 3), `demo/astronaut.jpg`.
        seed: Of places, rooms and noise.
    """
    changed: Changed = {
        "border": {name: np.empty_like(faces) for name in BOXES},
        "scene": {name: np.empty_like(faces) for name in BOXES},
        "pixels": {name: np.empty_like(faces) for name in PIXELS},
    }
    for row in progress(range(len(faces)), "Changing faces"):
        face = faces[row]
        frame, square = surround(face, portrait if row % 2 else None, seed=seed * 1_000_000 + row)
        for name, box in BOXES.items():
            changed["border"][name][row, :, :, 0] = cut_face(face, **box)
            changed["scene"][name][row, :, :, 0] = crop_face(frame, square, **box)
        for name, change in PIXELS.items():
            changed["pixels"][name][row, :, :, 0] = change(face[:, :, 0])
    return changed


def measure(
    path: str | Path,
    changed: Changed,
    labels: np.ndarray,
    threads: int = 1,
    *,
    classes: Sequence[str] = LABELS,
) -> FileRobustness:
    """Scores a `.keras` file or an artifact on changed faces.

    Args:
        path: The file.
        changed: What `changed_faces` returned.
        labels: int (n,).
        threads: Of the engine.
        classes: Of the dataset.

    Raises:
        ScoredFileError, CardError, EngineError, ModelError: The file can't be scored.
    """
    names = [(way, name) for way in WAYS for name in changed[way]]
    # One call for all: a `.keras` file takes seconds to open.
    faces = np.concatenate([changed[way][name] for way, name in names])
    scores = scores_of_file(path, faces, threads, classes=classes)
    accuracy = {
        pair: metrics.accuracy(some, labels)
        for pair, some in zip(names, np.split(scores, len(names)), strict=True)
    }
    rows = [
        ChangeScore(
            way=way,
            change=name,
            accuracy=accuracy[way, name],
            drop_points=100 * (accuracy[way, UNCHANGED] - accuracy[way, name]),
        )
        for way, name in names
    ]
    return FileRobustness(
        file=Path(path).name,
        sha256=sha256_of(path),
        rows=rows,
        boxes={way: judge_boxes(rows, way) for way in BOX_WAYS},
    )


def judge_boxes(rows: Sequence[ChangeScore], way: str) -> BoxVerdict:
    """Returns mean and worst drop over a way's changed boxes, and whether the limit is kept."""
    changed = [row for row in rows if row.way == way and row.change != UNCHANGED]
    worst = max(changed, key=lambda row: row.drop_points)
    return BoxVerdict(
        mean_drop_points=float(np.mean([row.drop_points for row in changed])),
        worst_drop_points=worst.drop_points,
        worst_change=worst.change,
        limit_points=LIMIT_POINTS,
        reached=worst.drop_points <= LIMIT_POINTS,
    )


def measure_files(
    paths: Sequence[str | Path], dataset: Dataset, split: str = "validation", *, threads: int = 1
) -> Robustness:
    """Measures every file on one split.

    Raises:
        PortraitError: demo/astronaut.jpg is missing.
        ScoredFileError, CardError, EngineError, ModelError: A file can't be scored.
    """
    faces, labels = dataset.split(split)
    changed = changed_faces(faces, read_portrait())
    return Robustness(
        robustness_version=1,
        dataset=dataset_name(dataset),
        dataset_sha256=dataset.sha256,
        split=split,
        faces=len(faces),
        measured=datetime.date.today().isoformat(),
        opencv=cv2.__version__,
        files=[measure(path, changed, labels, threads, classes=dataset.classes) for path in paths],
    )


def changes_table(files: Sequence[FileRobustness]) -> str:
    """Returns accuracies and differences in points: a line per change, a column per file."""
    rows = [
        [WAY_NAMES[row.way], row.change, *(_cell(file.rows[index]) for file in files)]
        for index, row in enumerate(files[0].rows)
    ]
    return table(["surroundings", "change", *(f"`{file.file}`" for file in files)], rows, left=2)


def _cell(row: ChangeScore) -> str:
    gained = "" if row.change == UNCHANGED else f" ({signed(-row.drop_points)})"
    return percent(row.accuracy) + gained


def verdicts_table(files: Sequence[FileRobustness]) -> str:
    """Returns for each file and way of surroundings whether the limit on boxes is kept."""
    heads = ("file", "surroundings", "worst box", "limit", "points lost, worst", "mean", "points, limit")
    rows = [
        (
            f"`{file.file}`",
            WAY_NAMES[way],
            boxes.worst_change,
            verdict(boxes.reached),
            f"{boxes.worst_drop_points:.2f}",
            f"{boxes.mean_drop_points:.2f}",
            f"{boxes.limit_points:g}",
        )
        for file in files
        for way, boxes in file.boxes.items()
    ]
    return table(heads, rows, left=4)


HOW_MEASURED = f"""\
Points in brackets are against the unchanged face of the same surroundings. *Edge repeated*: the face's edge
is repeated outside its 48x48 pixels. *In a scene*: the face stands {SCENE_FACE_PX} px wide in a made-up room
or in the head of a real portrait, with a camera's noise and JPEG. Both are cut by the runtime's own crop."""


def render_report(results: Robustness) -> str:
    """Returns the page as Markdown."""
    data = {
        "results": results,
        "trained": trained_on([file.sha256 for file in results.files]),
        "verdicts": verdicts_table(results.files),
        "changes": changes_table(results.files),
        "how": HOW_MEASURED,
        "limit": f"{LIMIT_POINTS:g}",
    }
    return render_template(TEMPLATE, data)


def read_robustness(path: Path) -> Robustness:
    """Returns what this benchmark wrote; raises ResultsError for anything else."""
    return read_as(
        Robustness,
        path,
        expected="what `python -m benchmarks robustness` wrote",
        advice="Run `python -m benchmarks robustness` again.",
    )


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks robustness", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="a .keras file or an artifact with its card (default: a file of each released model)",
    )
    parser.add_argument("--split", choices=SPLITS, default="validation", help="(default: %(default)s)")
    parser.add_argument(
        "--data", help="FER2013: the CSV, or a folder of images (default: where it is looked for)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="the figures; the page comes beside them as .md (default: results/robustness.json for the "
        "released models on the test split, else benchmarks/out/robustness.json)",
    )
    parser.add_argument("--threads", type=int, default=1, help="of the engine (default: %(default)s)")
    parser.add_argument(
        "--report", type=Path, metavar="JSON", help="measure nothing: write the page of these figures"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    if not 1 <= options.threads <= 256:
        parser.error(f"--threads: expected 1 to 256, got {options.threads}.")
    if options.out and (options.out.suffix == ".md" or options.out.is_dir()):
        parser.error(f"--out: expected a name for the figures, such as robustness.json, got {options.out}.")
    if options.report:
        out, results = options.report, read_robustness(options.report)
    else:
        cv2.setNumThreads(options.threads)
        dataset = load_dataset(options.data)
        whole = dataset.sha256 == OFFICIAL_SHA256 and not options.files and options.split == "test"
        out = options.out or place_of_results("results/robustness.json", whole=whole)
        make_folder(out.parent)
        files = options.files or [str(path) for _, path in find_released()]
        results = measure_files(files, dataset, options.split, threads=options.threads)
        write_json(out, asdict(results))
    report = place_of_report(out).with_suffix(".md")
    write_atomically(report, render_report(results))
    print(changes_table(results.files), verdicts_table(results.files), sep="\n\n")
    print(f"\nResults: {out}, {report}")
    return 0
