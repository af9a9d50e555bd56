"""Memory and processor time of `ferkit label` over a long run: the command, its workers, and Ray's own."""

from __future__ import annotations

import os
import random
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.artifacts import ROOT
from benchmarks.speed.archive_effort import ArchiveEffort
from benchmarks.speed.archive_files import make_archive
from benchmarks.speed.archive_proof import DAMAGED
from benchmarks.speed.archive_runs import Part, check, label_command, parts_in

INTERVAL_S = 0.25
ROLES = ("command", "actors", "processes that read files", "Ray's own")
ALL = "all"


@dataclass(frozen=True)
class MemoryRow:
    """What the processes of one role held, in bytes, and their seconds of processor time.

    Attributes:
        role: Of `ROLES`, or `ALL`.
        processes: The most at once.
        files: The number labelled.
        samples: How often it was looked at, from each actor's first part to the last.
        first_bytes: The median while the first tenth of the files was labelled; None if nobody looked then.
        last_bytes: The median while the last tenth was.
        most_bytes: The most.
        cpu_s: Of the whole run.
    """

    role: str
    processes: int
    files: int
    samples: int
    first_bytes: float | None
    last_bytes: float | None
    most_bytes: float
    cpu_s: float


@dataclass(frozen=True)
class Sample:
    """By role: the proportional memory in bytes and the number of processes; seconds since 1970."""

    time_s: float
    held: dict[str, int]
    processes: dict[str, int]


def measure_memory(model: str, effort: ArchiveEffort, portrait: np.ndarray) -> list[MemoryRow]:
    """Labels images, videos and damaged files in a mixed order; returns a row per role and one of all."""
    videos = effort.videos
    with tempfile.TemporaryDirectory() as folder:
        paths = make_archive(
            Path(folder, "in"),
            portrait,
            images=effort.images - videos,
            videos=videos,
            damaged=DAMAGED,
            seed=2,
        )
        random.Random(0).shuffle(paths)
        manifest, out = Path(folder, "paths.txt"), Path(folder, "out")
        manifest.write_text("".join(f"{path}\n" for path in paths), encoding="utf-8")
        samples, cpu_s = watch(label_command(manifest, out, model))
        return memory_rows(samples, cpu_s, parts_in(out))


def watch(command: Sequence[str]) -> tuple[list[Sample], dict[str, float]]:
    """Runs `ferkit label`; returns samples of its processes, and the processor time of each role.

    Raises:
        BenchmarkError: It fails.
    """
    samples: list[Sample] = []
    cpu_s: dict[int, tuple[str, float]] = {}  # by process; the last that was seen of one that ended
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=said) as process,
    ):
        over = threading.Event()

        def look() -> None:
            while not over.wait(INTERVAL_S):
                samples.append(_sample(process.pid, cpu_s))

        watcher = threading.Thread(target=look)
        watcher.start()
        code = process.wait()
        over.set()
        watcher.join()
        said.seek(0)
        check(code, said.read())
    sums = dict.fromkeys(ROLES, 0.0)
    for role, seconds in cpu_s.values():
        sums[role] += seconds
    return samples, sums


def memory_rows(samples: Sequence[Sample], cpu_s: dict[str, float], parts: Sequence[Part]) -> list[MemoryRow]:
    """Returns the row of each role and of all.

    Args:
        samples: Of the run.
        cpu_s: The processor time of each role.
        parts: What the run has written, the earliest first.
    """
    written_s = np.array([part.written_s for part in parts])
    done = np.cumsum([part.rows for part in parts])
    files = int(done[-1])

    def share_at(time_s: float) -> float:
        """Returns the share of the files that had a row by then."""
        return float(np.interp(time_s, written_s, done / files))

    shares = [(share_at(sample.time_s), sample) for sample in samples]
    steady = [(share, sample) for share, sample in shares if 0.02 < share < 1]
    rows = []
    for role in (*ROLES, ALL):
        names = ROLES if role == ALL else (role,)

        def held(sample: Sample, names: Sequence[str] = names) -> int:
            return sum(sample.held.get(name, 0) for name in names)

        first = [held(sample) for share, sample in steady if share <= 0.1]
        last = [held(sample) for share, sample in steady if share > 0.9]
        rows.append(
            MemoryRow(
                role=role,
                processes=max(sum(sample.processes.get(name, 0) for name in names) for _, sample in steady),
                files=files,
                samples=len(steady),
                first_bytes=float(np.median(first)) if first else None,
                last_bytes=float(np.median(last)) if last else None,
                most_bytes=max(held(sample) for _, sample in steady),
                cpu_s=sum(cpu_s.get(name, 0.0) for name in names),
            )
        )
    return rows


def _sample(root: int, cpu_s: dict[int, tuple[str, float]]) -> Sample:
    """Looks at a process and all below it; updates the processor time of each."""
    held, processes = dict.fromkeys(ROLES, 0), dict.fromkeys(ROLES, 0)
    now = time.time()
    for pid in [root, *_below(root)]:
        with suppress(OSError, IndexError):  # it has ended
            role = _role(pid, root)
            found = re.search(
                r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE
            )
            if not found:
                continue
            held[role] += 1024 * int(found[1])
            processes[role] += 1
            cpu_s[pid] = (role, _cpu_s(pid))
    return Sample(now, held, processes)


def _below(pid: int) -> list[int]:
    children: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            children += map(int, (task / "children").read_text().split())
    return [*children, *(below for child in children for below in _below(child))]


def _role(pid: int, root: int) -> str:
    if pid == root:
        return ROLES[0]
    line = Path(f"/proc/{pid}/cmdline").read_bytes()
    if b".label.child" in line:
        return ROLES[2]
    return ROLES[1] if b"PartLabeller" in line or b"MapWorker" in line else ROLES[3]


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
