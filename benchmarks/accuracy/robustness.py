"""What a model loses when the face is cut, lit or coded otherwise than the faces it was trained on.

    python -m benchmarks robustness --split test      the released models: results/robustness.json and .md
    python -m benchmarks robustness my_int8.tflite    other files, on validation: into benchmarks/out

A box is changed in nine ways: its side times 0.9, 1.1, 1.2 and 1.3, its place by 10 % of its side to the
left, the right, up and down, and not at all. FER2013's faces are tight crops without surroundings, which a
larger or shifted box needs. They are had in two ways, and each has its own unchanged box to compare with:

- `border`: the face itself is the frame, and what lies outside its 48x48 pixels repeats its edge. Nothing but
  the box differs from the dataset, but no camera sees such surroundings.
- `scene`: the face stands in a frame of `benchmarks/scenes.py`, 96 px wide, the even rows in a made-up room,
  the odd ones in the head of a real portrait, with a camera's noise and JPEG's; hair, neck and background
  come into a larger box. The frame itself costs accuracy, in the unchanged box too.

Both are cut by the runtime's own crop (`runtime/crop.py`), which takes whole pixels: in `border` 10 % of the
side are 5 of 48 pixels, and 0.9, 1.1, 1.2, 1.3 times the side 43, 53, 58 and 62.

The third way, `pixels`, keeps the box and changes the face: half the resolution, JPEG, brightness.
Validation is the default split: the test split is for models whose every choice has been made.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks.artifacts import find_released, trained_on
from benchmarks.scenes import portrait_scene, read_portrait, scene
from benchmarks.scoring import dataset_name, scores_of_file
from dataset.fer2013 import OFFICIAL_SHA256, SPLITS, Dataset
from dataset.load import load_dataset
from reporting import metrics
from reporting.files import (
    make_folder,
    place_of_report,
    place_of_results,
    write_atomically,
    write_json,
)
from reporting.progress import progress
from runtime.crop import FACE_SIDE, crop_face, square_of

ROBUSTNESS_VERSION = 1
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
WAYS = ("border", "scene", "pixels")

Changed = dict[str, dict[str, np.ndarray]]  # way: change: faces, uint8 (n, 48, 48, 1)


def halve(face: np.ndarray) -> np.ndarray:
    """Shrink a face, uint8 (48, 48), to 24x24 by area and bring it back bilinearly."""
    small = cv2.resize(face, (FACE_SIDE // 2, FACE_SIDE // 2), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_LINEAR)


def compress(face: np.ndarray) -> np.ndarray:
    """Write a face, uint8 (48, 48), as a gray JPEG of quality 30 and read it again."""
    _, coded = cv2.imencode(".jpg", face, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))


def brighten(face: np.ndarray, factor: float) -> np.ndarray:
    """Multiply a face's gray levels, uint8, rounding, white where it would be more than 255."""
    return np.clip(np.rint(face * factor), 0, 255).astype(np.uint8)


PIXELS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    UNCHANGED: lambda face: face,
    "half resolution": halve,
    f"JPEG quality {JPEG_QUALITY}": compress,
    "brightness x0.5": lambda face: brighten(face, 0.5),
    "brightness x1.5": lambda face: brighten(face, 1.5),
}


def cut_face(face: np.ndarray, **box: float) -> np.ndarray:
    """Return a face, uint8 (48, 48), cut out in a changed box; outside its 48x48 pixels its edge is repeated.

    box: `scale`, `shift_x`, `shift_y` of `crop_face`, relative to the face's own square.
    """
    frame = cv2.cvtColor(face.reshape(FACE_SIDE, FACE_SIDE), cv2.COLOR_GRAY2BGR)
    return crop_face(frame, (0, 0, FACE_SIDE, FACE_SIDE), **box)


def surround(
    face: np.ndarray, portrait: np.ndarray | None, *, seed: int
) -> tuple[np.ndarray, tuple[float, ...]]:
    """Return a frame around a face, uint8 BGR (288, 288, 3), and the face's box (x, y, width, height).

    face: uint8 (48, 48, 1). portrait: uint8 BGR, into whose head the face comes; None makes up a room.
    Frames are drawn from the seed until one holds the square of every changed box.
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
    """Tell whether a square (left, top, side) lies in a frame of `SCENE_PX`."""
    left, top, side = square
    return min(left, top) >= 0 and max(left, top) + side <= SCENE_PX


def changed_faces(faces: np.ndarray, portrait: np.ndarray, *, seed: int = 0) -> Changed:
    """Return the faces, uint8 (n, 48, 48, 1), in every way and change, each again uint8 (n, 48, 48, 1).

    portrait: uint8 BGR (512, 512, 3), `demo/astronaut.jpg`. seed: of places, rooms and noise.
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


def measure(path: str | Path, changed: Changed, labels: np.ndarray, threads: int = 1) -> dict:
    """Score a `.keras` file or an artifact on the faces of `changed_faces`, labels int (n,).

    Returns what the JSON holds of one file: shares of 0 to 1, drops in points against the unchanged face of
    the same way. Raises the errors of `benchmarks.accuracy.evaluate.scores_of_file`.
    """
    path = Path(path)
    names = [(way, name) for way in WAYS for name in changed[way]]
    # One call for all: a `.keras` file takes seconds to open.
    scores = scores_of_file(path, np.concatenate([changed[way][name] for way, name in names]), threads)
    accuracy = {
        pair: metrics.accuracy(some, labels)
        for pair, some in zip(names, np.split(scores, len(names)), strict=True)
    }
    rows = [
        {
            "way": way,
            "change": name,
            "accuracy": accuracy[way, name],
            "drop_points": 100 * (accuracy[way, UNCHANGED] - accuracy[way, name]),
        }
        for way, name in names
    ]
    return {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "rows": rows,
        "boxes": {way: judge_boxes(rows, way) for way in ("border", "scene")},
    }


def judge_boxes(rows: Sequence[dict], way: str) -> dict:
    """Return mean and worst drop over a way's changed boxes, in points, and whether the limit is kept."""
    changed = [row for row in rows if row["way"] == way and row["change"] != UNCHANGED]
    worst = max(changed, key=lambda row: row["drop_points"])
    return {
        "mean_drop_points": float(np.mean([row["drop_points"] for row in changed])),
        "worst_drop_points": worst["drop_points"],
        "worst_change": worst["change"],
        "limit_points": LIMIT_POINTS,
        "reached": worst["drop_points"] <= LIMIT_POINTS,
    }


def measure_files(
    paths: Sequence[str | Path], dataset: Dataset, split: str = "validation", *, threads: int = 1
) -> dict:
    """Measure every file on one split; return what the JSON holds.

    Raises RobustnessError without demo/astronaut.jpg; the errors of `measure`.
    """
    portrait = read_portrait()
    faces, labels = dataset.split(split)
    changed = changed_faces(faces, portrait)
    return {
        "robustness_version": ROBUSTNESS_VERSION,
        "dataset": dataset_name(dataset),
        "dataset_sha256": dataset.sha256,
        "split": split,
        "faces": len(faces),
        "measured": datetime.date.today().isoformat(),
        "opencv": cv2.__version__,
        "files": [measure(path, changed, labels, threads) for path in paths],
    }


def render_table(files: Sequence[dict]) -> str:
    """Return the files' accuracies and drops as a Markdown table: a line per change, a column per file."""
    lines = [
        "| surroundings | change | " + " | ".join(f"`{file['file']}`" for file in files) + " |",
        "|---|---|" + "---:|" * len(files),
    ]
    for index, row in enumerate(files[0]["rows"]):
        cells = [_cell(file["rows"][index]) for file in files]
        lines.append(f"| {WAY_NAMES[row['way']]} | {row['change']} | {' | '.join(cells)} |")
    return "\n".join(lines)


WAY_NAMES = {"border": "edge repeated", "scene": "in a scene", "pixels": "-"}


def _cell(row: dict) -> str:
    accuracy = f"{100 * row['accuracy']:.2f} %"
    gained = round(-row["drop_points"], 2) + 0.0  # no "-0.00"
    return accuracy if row["change"] == UNCHANGED else f"{accuracy} ({gained:+.2f})"


def render_verdicts(files: Sequence[dict]) -> str:
    """Return a Markdown list: for each file and way of surroundings, whether the limit on boxes is kept."""
    lines = []
    for file in files:
        for way, boxes in file["boxes"].items():
            verdict = "reached" if boxes["reached"] else "missed"
            lines.append(
                f"- `{file['file']}`, {WAY_NAMES[way]}: **{verdict}**. The worst changed box "
                f"({boxes['worst_change']}) costs {boxes['worst_drop_points']:.2f} points, the mean one "
                f"{boxes['mean_drop_points']:.2f}; the limit is {boxes['limit_points']:g}."
            )
    return "\n".join(lines)


HOW_IT_WAS_MEASURED = f"""\
Points in brackets are against the unchanged face of the same surroundings. *Edge repeated*: the 48x48 face is
all there is, and a box beyond it repeats its edge. *In a scene*: the face stands {SCENE_FACE_PX} px wide in
a made-up room (even rows) or in the head of a real portrait (odd rows), with a camera's noise and JPEG's, so
hair, neck and background come into a larger box. Both are cut by the runtime's own crop."""


def render_report(results: dict) -> str:
    """Return the Markdown beside the JSON."""
    return f"""# Robustness to the crop and to the image

{results["faces"]:,} faces of the {results["split"]} split of {results["dataset"]}, measured \
{results["measured"]} by `python -m benchmarks robustness --split {results["split"]}`, \
OpenCV {results["opencv"]}. {trained_on([one["sha256"] for one in results["files"]])}

{render_table(results["files"])}

{HOW_IT_WAS_MEASURED}

A box scaled by 0.9 to 1.3 or shifted by 10 % of its side may cost {LIMIT_POINTS:g} points:

{render_verdicts(results["files"])}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status: 0, or 1 with one message on stderr."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks robustness", description=__doc__.splitlines()[0]
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
        help="the figures; the table comes beside them as .md (default: results/robustness.json for the "
        "released models on the test split, else benchmarks/out/robustness.json)",
    )
    parser.add_argument("--threads", type=int, default=1, help="of the engine (default: %(default)s)")
    options = parser.parse_args(arguments)
    if not 1 <= options.threads <= 256:
        parser.error(f"--threads: expected 1 to 256, got {options.threads}.")
    if options.out and (options.out.suffix == ".md" or options.out.is_dir()):
        parser.error(f"--out: expected a name for the figures, such as robustness.json, got {options.out}.")
    cv2.setNumThreads(options.threads)
    dataset = load_dataset(options.data)
    whole = dataset.sha256 == OFFICIAL_SHA256 and not options.files and options.split == "test"
    out = options.out or place_of_results("results/robustness.json", whole=whole)
    make_folder(out.parent)
    files = options.files or [str(path) for _, path in find_released()]
    results = measure_files(files, dataset, options.split, threads=options.threads)
    write_json(out, results)
    report = place_of_report(out).with_suffix(".md")
    write_atomically(report, render_report(results))
    print(render_table(results["files"]), render_verdicts(results["files"]), sep="\n\n")
    print(f"\nResults: {out}, {report}")
    return 0
