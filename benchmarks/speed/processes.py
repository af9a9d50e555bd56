"""Whole processes: from the start of Python to the labels of the first image."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np

from benchmarks.artifacts import ROOT
from benchmarks.scenes import PORTRAIT
from benchmarks.speed.effort import DETECTORS, RealtimeEffort
from reporting.progress import progress

START_UP = """
import sys, time
from runtime import Recognizer
from benchmarks.speed.memory import own_peak_bytes
faces = Recognizer(sys.argv[1], sys.argv[2], offline=True)(sys.argv[3])
print(time.time() - float(sys.argv[4]), len(faces), own_peak_bytes())
"""


@dataclass(frozen=True)
class ProcessRow:
    """Median seconds and median peak memory; None where the system does not tell it."""

    detector: str
    seconds: float
    peak_bytes: int | None


def measure_processes(model: str, effort: RealtimeEffort) -> list[ProcessRow]:
    """Returns how long a new Python process takes to its first labels, and its peak memory, per detector.

    The first process is not counted: it brings the files into the system's cache.
    """
    rows = []
    for detector in DETECTORS:
        answers = []
        for _ in progress(range(effort.processes + 1), f"Processes, {detector}"):
            command = [sys.executable, "-c", START_UP, model, detector, str(PORTRAIT), str(time.time())]
            child = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            if child.returncode:
                break  # without that detector
            answers.append(child.stdout.split()[-3:])
        if len(answers) > 1:
            seconds = [float(answer[0]) for answer in answers[1:]]
            peaks = [int(answer[2]) for answer in answers[1:] if answer[2] != "None"]
            peak = int(np.median(peaks)) if peaks else None
            rows.append(ProcessRow(detector, float(np.median(seconds)), peak))
    return rows
