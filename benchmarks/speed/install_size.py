"""What a device installs: the size of an environment with ferkit and one engine, measured.

`python -m benchmarks install_size` builds the wheel of this checkout, installs it with each engine into
an empty environment, lets it label the demo image there, and writes results/install_size.json.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from reporting.files import write_atomically

ROOT = Path(__file__).parents[2]
EXTRAS = ("tflite", "onnx")


def folder_bytes(folder: Path) -> int:
    """Return the bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def measure(extra: str) -> dict[str, object]:
    """Install ferkit with one engine into an empty environment; return sizes in bytes and its own words."""
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "environment"
        venv.create(environment, with_pip=True)
        python = environment / "bin" / "python"
        pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        before = folder_bytes(environment)
        subprocess.run([*pip, "install", f"{ROOT}[{extra}]"], check=True)
        after = folder_bytes(environment)
        image = ROOT / "demo" / "astronaut.jpg"
        command = [str(environment / "bin" / "ferkit"), "run", str(image), "--offline"]
        said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder).stdout.strip()
        said = said.replace(str(image), image.name)  # the figures must not depend on where a clone lies
        packages = subprocess.run([*pip, "freeze"], check=True, capture_output=True, text=True, cwd=folder)
        versions = [line for line in packages.stdout.splitlines() if "==" in line]
    return {"installed_bytes": after - before, "packages": versions, "labelled": said}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every extra, print and store the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks install_size", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "install_size.json")
    options = parser.parse_args(arguments)
    results: dict[str, object] = {
        "measured": date.today().isoformat(),
        "python": platform.python_version(),
        "system": platform.system() + " " + platform.machine(),
    }
    for extra in EXTRAS:
        print(f"Installing ferkit[{extra}] into an empty environment ...", flush=True)
        try:
            result = measure(extra)
        except subprocess.CalledProcessError as error:
            print(
                f"{' '.join(map(str, error.cmd[:4]))} ... failed with exit code {error.returncode}.",
                file=sys.stderr,
            )
            return 1
        results[extra] = result
        megabytes = int(str(result["installed_bytes"])) / 1e6
        print(f"  {megabytes:.0f} MB beside Python and pip; {result['labelled']}")
    write_atomically(options.out, (json.dumps(results, indent=1) + "\n").encode())
    return 0
