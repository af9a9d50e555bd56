"""Measure what a device installs: the size of an environment with ferkit and one engine.

Installs this checkout with each engine into an empty environment, labels the demo image there, and writes
results/install_size.json.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import subprocess
import tempfile
import venv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.artifacts import ROOT
from benchmarks.errors import BenchmarkError
from benchmarks.scenes import PORTRAIT
from reporting.files import write_json

EXTRAS = ("tflite", "onnx")


class CommandError(BenchmarkError):
    """A command of the measurement failed.

    Attributes:
        command: Its words.
        status: Its exit status.
    """

    def __init__(self, command: Sequence[str], status: int) -> None:
        """Keeps the command and its status."""
        self.command, self.status = tuple(command), status
        super().__init__(f"{' '.join(self.command[:4])} ... failed with exit status {status}.")


@dataclass(frozen=True)
class Installed:
    """What was installed beside Python and pip, and the line that ferkit printed for the demo image."""

    installed_bytes: int
    packages: list[str]
    labelled: str


def folder_bytes(folder: Path) -> int:
    """Returns the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def run(command: Sequence[str], folder: str) -> str:
    """Returns what a command printed; raises CommandError where it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=folder)
    if done.returncode:
        raise CommandError(command, done.returncode)
    return done.stdout.strip()


def measure(extra: str) -> Installed:
    """Installs ferkit with one engine into an empty environment and runs it there.

    Raises:
        CommandError: pip or ferkit fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "environment"
        venv.create(environment, with_pip=True)
        pip = [str(environment / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        before = folder_bytes(environment)
        run([*pip, "install", f"{ROOT}[{extra}]"], folder)
        after = folder_bytes(environment)
        said = run([str(environment / "bin" / "ferkit"), "run", str(PORTRAIT), "--offline"], folder)
        packages = [line for line in run([*pip, "freeze"], folder).splitlines() if "==" in line]
    # The results must not depend on where a clone lies.
    return Installed(after - before, packages, said.replace(str(PORTRAIT), PORTRAIT.name))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks install_size", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "install_size.json")
    options = parser.parse_args(arguments)
    results: dict[str, Any] = {
        "measured": datetime.date.today().isoformat(),
        "python": platform.python_version(),
        "system": platform.system() + " " + platform.machine(),
    }
    for extra in EXTRAS:
        print(f"Installing ferkit[{extra}] into an empty environment ...", flush=True)
        installed = measure(extra)
        results[extra] = asdict(installed)
        print(f"  {installed.installed_bytes / 1e6:.0f} MB beside Python and pip; {installed.labelled}")
        write_json(options.out, results)
    return 0
