"""Peak memory of a process that only loads one artifact and answers a few faces.

    python -m benchmarks.speed.memory FILE ENGINE [THREADS]

prints it in bytes, with Python, numpy, OpenCV and the engine, because a board has to hold them too.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np

FACES = 8


def peak_memory_bytes(path: str | Path, engine: str, threads: int = 1) -> int | None:
    """Returns the largest resident set, in bytes, of a process of its own that runs the artifact.

    None where the system has no such figure (Windows).

    Raises:
        RuntimeError: The process fails.
    """
    child = subprocess.run(
        [sys.executable, "-m", "benchmarks.speed.memory", str(Path(path).resolve()), engine, str(threads)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    if child.returncode:
        raise RuntimeError(f"{path} with {engine}: its process failed:\n{child.stderr}")
    figure = child.stdout.split()[-1]
    return None if figure == "None" else int(figure)


def own_peak_bytes() -> int | None:
    """Returns the largest resident set that this process ever had, in bytes; None where nobody counts it."""
    status = Path("/proc/self/status")
    if status.is_file():
        # Not getrusage: on Linux its figure outlives exec, so a child would report its big parent's.
        found = re.search(r"^VmHWM:\s+(\d+) kB$", status.read_text(), re.MULTILINE)
        return 1024 * int(found[1]) if found else None
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def main(arguments: list[str]) -> None:
    """Prints the peak of this process; arguments: the file, the engine and the number of threads."""
    from runtime.model import load_model

    path, engine, threads = arguments[0], arguments[1], int(arguments[2])
    model = load_model(path, engine=engine, threads=threads)
    for face in np.random.default_rng(0).integers(0, 256, (FACES, 1, 48, 48, 1), dtype=np.uint8):
        model(face)
    print(own_peak_bytes())


if __name__ == "__main__":
    main(sys.argv[1:])
