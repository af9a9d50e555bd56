"""The golden faces: the scores that a runtime gives them, asked in a process of its own, and compared.

Other Pythons, processors and libraries answer through `workers/golden_scores.py`. A process that
a file kills costs that file's answer only.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "runtime" / "golden.json"
TIMEOUT_S = 1800  # for all files together, under an emulator and on a busy machine


class UnavailableError(Exception):
    """A runtime can't be had here; the message says why, and what to do where something can be done."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What a runtime made of the golden faces.

    scores: for each file that ran, `float64` `(faces, labels)`. reasons: for each that did not, why.
    versions: of what answered.
    """

    scores: dict[Path, np.ndarray]
    reasons: dict[Path, str]
    versions: dict[str, str]


@dataclass(frozen=True)
class Comparison:
    """largest_gap: between two probabilities of one label. agreeing: faces, of `faces`, of the same label."""

    largest_gap: float
    agreeing: int
    faces: int


def compare(scores: np.ndarray, reference: np.ndarray) -> Comparison:
    """Compare scores `(faces, labels)`, those of the first faces where one has fewer. NaN is a gap of 1."""
    faces = min(len(scores), len(reference))
    scores, reference = scores[:faces], reference[:faces]
    gaps = np.where(np.isfinite(scores), np.abs(scores - reference), 1.0)
    agreeing = int((scores.argmax(axis=1) == reference.argmax(axis=1)).sum())
    return Comparison(float(gaps.max(initial=0.0)), agreeing, faces)


def read_golden_scores() -> dict[str, np.ndarray]:
    """The scores that `golden.json` holds, by the sha256 of the model file: `float64` `(faces, labels)`."""
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
    """Let a Python score the golden faces with each file.

    command: what starts that Python, an emulator included. engine: one of the runtime's, or `any` for the one
    that the runtime prefers. library: TensorFlow Lite's C library instead of tflite-runtime. plain: LiteRT
    without XNNPACK. faces: the first so many only. environment: variables that the process gets beside
    this one's.

    Raises `UnavailableError` where the process ends before it has opened a file.
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
    """Take over what a process said; returns for how many of its files there is an answer now."""
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
    """How a process ended, with the last line that it wrote to standard error."""
    status = done.returncode
    how = f"by {signal.Signals(-status).name}" if status < 0 else f"with exit status {status}"
    said = [line for line in done.stderr.splitlines() if line.strip() and not line.startswith("INFO:")]
    return f"{how}: {said[-1].strip()}" if said else how


def say(line: str) -> None:
    """Print one line of what is being done, on standard error."""
    print(line, file=sys.stderr, flush=True)
