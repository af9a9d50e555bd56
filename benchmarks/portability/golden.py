"""The golden faces: a runtime scores them in a process of its own, and the scores are compared.

Other Pythons, processors and libraries answer through `workers/golden_scores.py`. A process that
a file kills costs that file's answer only.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.portability.errors import UnavailableError
from dataset.detection.boxes import overlaps

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "runtime" / "golden.json"
SAME_PLACE = 0.8  # of two boxes' union, what they share
TIMEOUT_S = 1800  # for all files together, under an emulator and on a busy machine


@dataclass(frozen=True, eq=False)
class Answers:
    """What a runtime made of the golden faces.

    Attributes:
        scores: Of each file that ran, float64 `(faces, labels)`; of a face detector `(images, cells, 5)`: x,
            y, width, height in pixels and confidence.
        reasons: Of each file that did not run, why.
        versions: Of the software that answered.
    """

    scores: dict[Path, np.ndarray]
    reasons: dict[Path, str]
    versions: dict[str, str]


@dataclass(frozen=True)
class Comparison:
    """Two runtimes on the same faces.

    Attributes:
        largest_gap: Between two probabilities of one label or two confidences of one cell, 0 to 1.
        agreeing: Faces with the same label; a detector's images whose surest boxes lie in the same place.
        faces: All of them.
    """

    largest_gap: float
    agreeing: int
    faces: int


def compare(scores: np.ndarray, reference: np.ndarray) -> Comparison:
    """Compares answers of `Answers`; those of the first faces where one has fewer. NaN is a gap of 1."""
    faces = min(len(scores), len(reference))
    scores, reference = scores[:faces], reference[:faces]
    if reference.ndim == 3:
        agreeing = sum(map(is_same_face, scores, reference))
        scores, reference = scores[..., 4], reference[..., 4]
        gaps = np.where(np.isfinite(scores), np.abs(scores - reference), 1.0)
        return Comparison(float(gaps.max(initial=0.0)), agreeing, faces)
    gaps = np.where(np.isfinite(scores), np.abs(scores - reference), 1.0)
    agreeing = int((scores.argmax(axis=1) == reference.argmax(axis=1)).sum())
    return Comparison(float(gaps.max(initial=0.0)), agreeing, faces)


def is_same_face(answers: np.ndarray, reference: np.ndarray) -> bool:
    """Whether a detector's surest boxes in an image lie in the same place; both `(cells, 5)`."""
    surest = [cells[cells[:, 4].argmax(), :4][np.newaxis] for cells in (answers, reference)]
    return bool(overlaps(*surest)[0, 0] >= SAME_PLACE)


def read_golden_scores() -> dict[str, np.ndarray]:
    """Returns the scores in `golden.json` by the sha256 of the model file: float64 `(faces, labels)`."""
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return {model["sha256"]: np.array(model["scores"]) for model in golden["models"]}


def ask(
    command: Sequence[str | Path],
    engine: str,
    files: Sequence[Path],
    *,
    library: Path | None = None,
    plain: bool = False,
    faces: int | None = None,
    environment: Mapping[str, str] | None = None,
) -> Answers:
    """Lets a Python score the golden faces with each file.

    Args:
        command: What starts that Python, an emulator included.
        engine: One of the runtime's, or `any` for the one that the runtime prefers.
        files: The artifacts.
        library: TensorFlow Lite's C library instead of tflite-runtime.
        plain: Whether LiteRT computes without XNNPACK.
        faces: The number of faces, from the first; None takes all.
        environment: Variables that the process gets beside this one's.

    Raises:
        UnavailableError: The process ends before it has opened a file.
    """
    arguments = [
        *map(str, command),
        "-m",
        "benchmarks.portability.workers.golden_scores",
        engine,
        str(GOLDEN),
    ]
    arguments += ["--library", str(library)] if library else []
    arguments += ["--plain"] if plain else []
    arguments += ["--faces", str(faces)] if faces else []
    answers = Answers({}, {}, {})
    left = [path.resolve() for path in files]
    while left:
        answered = _take(answers, _run(arguments, left, environment), left)
        left = left[answered:]
    return answers


def _run(
    arguments: list[str], files: Sequence[Path], environment: Mapping[str, str] | None
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            arguments,
            input="".join(f"{path}\n" for path in files),
            capture_output=True,
            text=True,
            errors="replace",
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONNOUSERSITE": "1", **(environment or {})},
            timeout=TIMEOUT_S,
        )
    except OSError as error:
        raise UnavailableError(f"{arguments[0]} can't be started: {error.strerror or error}") from error
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"{arguments[0]} gave no answer within {TIMEOUT_S} s") from error


def _take(answers: Answers, done: subprocess.CompletedProcess[str], files: Sequence[Path]) -> int:
    """Adds what a process said to the answers; returns how many of its files have one now."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines() if line[:1] == "{"]
    if not lines:
        raise UnavailableError(f"its process ended {_ending(done)}")
    versions, *given = lines
    answers.versions.update(versions)
    for answer in given:
        if "scores" in answer:
            answers.scores[Path(answer["file"])] = np.array(answer["scores"])
        else:
            answers.reasons[Path(answer["file"])] = answer["reason"]
    if len(given) == len(files):
        return len(files)
    answers.reasons[files[len(given)]] = f"the file ended the process {_ending(done)}"
    return len(given) + 1


def _ending(done: subprocess.CompletedProcess[str]) -> str:
    """Returns how a process ended, with the last line that it wrote to standard error."""
    status = done.returncode
    how = f"by {signal.Signals(-status).name}" if status < 0 else f"with exit status {status}"
    said = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("INFO:")]
    return f"{how}: {said[-1].strip()}" if said else how
