"""Measure what a model loses with shifted boxes, other light, worse images and rolled heads.

    python -m benchmarks robustness --split test      the released models: results/robustness.json and .md
    python -m benchmarks robustness my_int8.tflite    other files, on validation: into benchmarks/out

`benchmarks/accuracy/changes.py` says how boxes and images are changed, `benchmarks/accuracy/rolled.py` how
heads are rolled. Validation is the default split: the test split is for models whose every choice has been
made.
"""

from __future__ import annotations

import argparse
import datetime
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from benchmarks.accuracy.changes import (
    BOX_WAYS,
    SCENE_FACE_PX,
    UNCHANGED,
    WAYS,
    Changed,
    changed_faces,
)
from benchmarks.accuracy.rolled import (
    RolledFaces,
    RolledFrames,
    RolledScore,
    frames_table,
    rolled_faces,
    score_rolled,
    scores_table,
)
from benchmarks.accuracy.yunet_place import find_yunet
from benchmarks.artifacts import find_released, trained_on
from benchmarks.formats import percent, signed, verdict
from benchmarks.scenes import read_portrait
from benchmarks.schemas import read_as
from benchmarks.scoring import check_file, dataset_name, scores_of_file
from dataset.fer2013 import LABELS, OFFICIAL_SHA256, SPLITS, Dataset
from dataset.load import load_dataset
from reporting import metrics
from reporting.files import (
    make_folder,
    page_of,
    place_of_results,
    sha256_of,
    write_atomically,
    write_json,
)
from reporting.markdown import table
from reporting.templates import render_template

LIMIT_POINTS = 2.0  # what a changed box may cost
IMAGE_LIMIT_POINTS = 4.0  # what a changed image may cost
WAY_NAMES = {"border": "edge repeated", "scene": "in a scene", "pixels": "-"}
TEMPLATE = Path(__file__).with_name("robustness.md.j2")


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
    rolled: list[RolledScore] = field(default_factory=list)


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
    rolled: list[RolledFrames] = field(default_factory=list)


def measure(
    path: str | Path,
    changed: Changed,
    rolled: Sequence[RolledFaces],
    labels: np.ndarray,
    threads: int = 1,
    *,
    classes: Sequence[str] = LABELS,
) -> FileRobustness:
    """Scores a `.keras` file or an artifact on changed faces.

    Args:
        path: The file.
        changed: What `changed_faces` returned.
        rolled: What `rolled_faces` returned.
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
        rolled=score_rolled(
            lambda some: scores_of_file(path, some, threads, classes=classes), rolled, labels
        ),
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
        DetectorError: The kit's own detector can't be run.
        ScoredFileError, CardError, EngineError, ModelError: A file can't be scored.
    """
    for path in paths:
        check_file(path)  # before minutes of changing faces
    faces, labels = dataset.split(split)
    portrait = read_portrait()
    rolled = rolled_faces(faces, portrait, yunet=find_yunet())
    changed = changed_faces(faces, portrait)
    return Robustness(
        robustness_version=1,
        dataset=dataset_name(dataset),
        dataset_sha256=dataset.sha256,
        split=split,
        faces=len(faces),
        measured=datetime.date.today().isoformat(),
        opencv=cv2.__version__,
        files=[measure(path, changed, rolled, labels, threads, classes=dataset.classes) for path in paths],
        rolled=[one.frames for one in rolled],
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
    """Returns what each limit is about, a line each, and what every file loses there, in points."""
    rows = [
        [f"worst box, {WAY_NAMES[way]}", f"{LIMIT_POINTS:g}", *(_worst(file.boxes[way]) for file in files)]
        for way in BOX_WAYS
    ]
    for index, row in enumerate(files[0].rows):
        if row.way == "pixels" and row.change != UNCHANGED:
            lost = [file.rows[index].drop_points for file in files]
            cells = [f"{points:.2f}, {verdict(points <= IMAGE_LIMIT_POINTS)}" for points in lost]
            rows.append([row.change, f"{IMAGE_LIMIT_POINTS:g}", *cells])
    return table(["change", "points, limit", *(f"`{file.file}`" for file in files)], rows)


def _worst(boxes: BoxVerdict) -> str:
    name = boxes.worst_change.removeprefix("box ")
    return f"{boxes.worst_drop_points:.2f} ({name}), {verdict(boxes.reached)}"


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
        "frames": frames_table(results.rolled) if results.rolled else None,
        "rolled": scores_table([(file.file, file.rolled) for file in results.files if file.rolled]),
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
    report = page_of(out)
    write_atomically(report, render_report(results))
    print(changes_table(results.files), verdicts_table(results.files), sep="\n\n")
    print(f"\nResults: {out}, {report}")
    return 0
