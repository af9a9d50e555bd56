"""Other runtimes, each made once in a cache folder: Pythons with older and newer engines, a C library, ARM64.

Nothing is installed into the system and nothing needs root: pip makes virtual environments, npm downloads a
package without running its scripts, Debian packages are unpacked, not installed. Each step says what it does,
and raises `UnavailableError` where it fails.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.portability.errors import UnavailableError
from benchmarks.scoring import say
from reporting.files import write_atomically
from runtime.detectors.yunet_file import cache_folder

PREPARE = "python -m benchmarks runtimes --prepare"
MARK = "made.json"  # written last: a folder without it is half made
PIP = ("--disable-pip-version-check", "--quiet", "--no-input", "--retries", "2")


@dataclass(frozen=True)
class Recipe:
    """A Python environment: what pip installs, and the minor versions of Python 3 that this exists for."""

    name: str
    requirements: tuple[str, ...]
    minors: tuple[int, ...]


# The newest of each when this was written; the C interface of LiteRT moves between releases.
LITERT_VERSION = "2.3.0"
NEWEST = Recipe(
    "newest",
    (
        f"ai-edge-litert=={LITERT_VERSION}",
        "onnxruntime==1.32.0",
        "opencv-python-headless==4.14.0.94",
        "numpy==2.4.6",
    ),
    (11, 12, 13),
)
OPENCV_5 = Recipe("opencv-5", ("opencv-python-headless==5.0.0.93", "numpy==2.4.6"), (11, 12, 13))
# The last release: built for numpy 1, which OpenCV 4.12 and newer refuse.
TFLITE_RUNTIME = Recipe(
    "tflite-runtime-2.14",
    ("tflite-runtime==2.14.0", "opencv-python-headless==4.11.0.86", "numpy==1.26.4"),
    (11, 10),
)
NPM_PACKAGE = "tfjs-tflite-node@0.0.2"  # holds the C library of TensorFlow Lite 2.9.0 for x86-64 and ARM64
LIBRARY_FOLDERS = {"x86_64": "linux_amd64", "aarch64": "linux_arm64"}


def default_cache() -> Path:
    """Returns the folder for environments in this user's cache."""
    return cache_folder() / "runtimes"


def python_of(recipe: Recipe, cache: Path, *, offline: bool = False) -> Path:
    """Returns the Python of an environment, which pip makes the first time."""

    def make(folder: Path) -> None:
        base = find_python(recipe.minors)
        run([base, "-m", "venv", folder], "venv")
        run([folder / "bin" / "python", "-m", "pip", "install", *PIP, *recipe.requirements], "pip")

    what = f"an environment with {' and '.join(recipe.requirements[:1])}"
    folder = make_once(cache / recipe.name, list(recipe.requirements), make, what, offline=offline)
    return folder / "bin" / "python"


def find_python(minors: Sequence[int]) -> Path:
    """Returns a Python 3 of one of these minor versions that has venv: this one, on PATH, or of pyenv."""
    candidates = [Path(sys.executable)] if sys.version_info[1] in minors else []
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for minor in minors:
        candidates += [Path(found) for found in [shutil.which(f"python3.{minor}")] if found]
        candidates += sorted(versions.glob(f"3.{minor}.*/bin/python"), reverse=True)
    for candidate in candidates:
        # A name on PATH may be pyenv's, of a version that is not chosen, or lack what Debian packs apart.
        tried = [str(candidate), "-c", "import ensurepip, sys, venv; print(sys.version_info[1])"]
        done = subprocess.run(tried, capture_output=True, text=True)
        if done.returncode == 0 and int(done.stdout) in minors:
            return candidate
    raise UnavailableError(f"no Python {' or '.join(f'3.{minor}' for minor in minors)} with venv was found")


def tflite_library(cache: Path, machine: str | None = None, *, offline: bool = False) -> Path:
    """Returns TensorFlow Lite 2.9.0's C library for a machine (None: this one), out of an npm package."""

    def make(folder: Path) -> None:
        if not shutil.which("npm"):
            raise UnavailableError("npm is missing, which downloads the library: apt-get install npm")
        run(["npm", "pack", "--silent", "--pack-destination", folder, NPM_PACKAGE], "npm")
        (archive,) = folder.glob("*.tgz")
        with tarfile.open(archive) as opened:
            for member in opened.getmembers():
                if Path(member.name).name == "libtensorflowlite_c.so" and member.isfile():
                    source = opened.extractfile(member)
                    assert source is not None
                    write_atomically(folder / Path(member.name).parent.name / "tflite.so", source.read())
        archive.unlink()

    folder = make_once(cache / "tflite-2.9.0", [NPM_PACKAGE], make, "TensorFlow Lite 2.9.0", offline=offline)
    machine = machine or platform.machine()
    library = folder / LIBRARY_FOLDERS.get(machine, machine) / "tflite.so"
    if platform.system() != "Linux" or not library.exists():
        raise UnavailableError(f"{NPM_PACKAGE} holds no library for {platform.system()} on {machine}")
    return library


def litert_library(cache: Path, *, offline: bool = False) -> Path:
    """Returns LiteRT's C library, out of the newest environment."""
    python = python_of(NEWEST, cache, offline=offline)
    find = "import ai_edge_litert; print(*ai_edge_litert.__path__)"
    library = Path(run([python, "-c", find], "python").strip()) / "libLiteRt.so"
    if not library.exists():
        raise UnavailableError(f"ai-edge-litert {LITERT_VERSION} holds no libLiteRt.so on this system")
    return library


@dataclass(frozen=True)
class Userland:
    """An ARM64 Debian folder with Python, and the emulator that runs its programs.

    Attributes:
        emulator: qemu's user emulator.
        root: The folder.
        python: The Python in it.
        newest: The folder of Python packages with the newest engines.
        tflite_runtime: That with tflite-runtime; None where it has no wheels.
        debian: The version of Debian.
    """

    emulator: Path
    root: Path
    python: Path
    newest: Path
    tflite_runtime: Path | None
    debian: str

    def command(self, cpu: str) -> list[str]:
        """Returns what starts the userland's Python on an emulated processor.

        The processor is always named: qemu 7.2's default, `max`, gives wrong int8 results. -S leaves out
        the packages of the system's own Python, which lie at the same places.
        """
        return [str(self.emulator), "-cpu", cpu, "-L", str(self.root), str(self.python), "-S", "-s"]


# The file by which a program learns of the processor. qemu before 8 shows the machine's own, an x86, which
# ends LiteRT. This is a Cortex-A72, without the extensions of ARMv8.1: what a Pi 3 and 4 lack is not assumed.
CPUINFO = """processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3

"""
USERLAND_PACKAGES = ("python3", "libstdc++6")
# The tags of wheels that Debian 12 (glibc 2.36) and newer run.
WHEEL_PLATFORMS = ("manylinux2014", "manylinux_2_27", "manylinux_2_28", "manylinux_2_31", "manylinux_2_34")


def userland_of(cache: Path, *, offline: bool = False) -> Userland:
    """Returns the ARM64 userland with its emulator, fetched the first time."""
    folder = cache / "arm64"
    emulator = find_emulator(folder / "qemu", offline=offline)
    root = make_once(
        folder / "root",
        list(USERLAND_PACKAGES),
        _make_root,
        "an ARM64 userland of Debian packages",
        offline=offline,
    )
    python = Path(os.path.realpath(root / "usr" / "bin" / "python3"))  # a link within the folder
    minor = python.name.removeprefix("python3.")
    sites: list[Path | None] = []
    for recipe in (NEWEST, TFLITE_RUNTIME):
        if minor.isdigit() and int(minor) in recipe.minors:
            sites.append(_site_of(recipe, minor, folder / recipe.name, offline=offline))
        else:
            sites.append(None)
    newest, tflite_runtime = sites
    if newest is None:
        raise UnavailableError(
            f"Debian's ARM64 {python.name} is none that {', '.join(NEWEST.requirements)} run in"
        )
    debian = (root / "etc" / "debian_version").read_text(encoding="utf-8").strip()
    return Userland(emulator, root, python, newest, tflite_runtime, debian)


def find_emulator(folder: Path, *, offline: bool = False) -> Path:
    """Returns qemu's user emulator of ARM64: the installed one, else that of Debian's package in a folder."""
    for name in ("qemu-aarch64-static", "qemu-aarch64"):
        if found := shutil.which(name):
            return Path(found)

    def make(folder: Path) -> None:
        _debian_packages(["qemu-user-static"], None, folder)

    make_once(folder, ["qemu-user-static"], make, "the emulator qemu-user-static", offline=offline)
    for name in ("qemu-aarch64-static", "qemu-aarch64"):
        if (path := folder / "usr" / "bin" / name).is_file():
            return path
    raise UnavailableError("Debian's qemu-user-static holds no qemu-aarch64")


def _make_root(folder: Path) -> None:
    _debian_packages([*USERLAND_PACKAGES, "base-files"], "arm64", folder)
    (folder / "proc").mkdir(exist_ok=True)
    (folder / "proc" / "cpuinfo").write_text(CPUINFO, encoding="ascii")


def _site_of(recipe: Recipe, minor: str, folder: Path, *, offline: bool) -> Path:
    """Returns a folder of ARM64 Python packages, which pip unpacks from wheels without running anything."""

    def make(folder: Path) -> None:
        tags = [f"--platform={name}_aarch64" for name in WHEEL_PLATFORMS]
        options = ["--only-binary=:all:", "--implementation=cp", f"--python-version=3.{minor}", *tags]
        pip = [sys.executable, "-m", "pip", "install", *PIP, *options]
        run([*pip, "--target", folder, *recipe.requirements], "pip")

    what = f"the ARM64 wheels of {recipe.requirements[0]}"
    return make_once(folder, [*recipe.requirements, minor], make, what, offline=offline)


def _debian_packages(names: Sequence[str], architecture: str | None, folder: Path) -> None:
    """Unpacks Debian packages into a folder, with their dependencies where an architecture is named.

    apt reads the system's sources and keys and writes into the folder only.
    """
    missing = [tool for tool in ("apt-get", "dpkg") if not shutil.which(tool)]
    if missing:
        raise UnavailableError(
            f"{' and '.join(missing)} missing: Debian packages are unpacked on Debian only"
        )
    apt = folder / "apt"
    for place in ("state/lists/partial", "cache/archives/partial"):
        (apt / place).mkdir(parents=True)
    (apt / "status").touch()  # nothing is installed, so all that is needed is fetched
    options = [
        f"Dir::State={apt / 'state'}",
        f"Dir::State::status={apt / 'status'}",
        f"Dir::Cache={apt / 'cache'}",
        "APT::Sandbox::User=",  # as root, apt's own user could not write here
        *(
            [f"APT::Architecture={architecture}", f"APT::Architectures::={architecture}"]
            if architecture
            else []
        ),
    ]
    command: list[str | Path] = ["apt-get", "--quiet=2"]
    command += [word for option in options for word in ("-o", option)]
    run([*command, "update"], "apt-get update")
    archives = apt / "cache" / "archives"
    if architecture:
        run([*command, "install", "--download-only", "--no-install-recommends", "--yes", *names], "apt-get")
    else:
        run([*command, "download", *names], "apt-get", folder=archives)
    for archive in sorted(archives.glob("*.deb")):
        run(["dpkg", "-x", archive, folder], "dpkg")
    shutil.rmtree(apt)


def make_once(
    folder: Path, recipe: Sequence[str], make: Callable[[Path], None], what: str, *, offline: bool
) -> Path:
    """Returns a folder that `make` fills, unless the same recipe filled it before.

    Args:
        folder: Where.
        recipe: What it is made of.
        make: Fills it.
        what: Its name in messages.
        offline: Whether it must not be made.

    Raises:
        UnavailableError: It is not there and must not or can't be made.
    """
    mark = folder / MARK
    if _recipe_in(mark) == list(recipe):
        return folder
    if offline:
        raise UnavailableError(f"needs {what}, which is made once: {PREPARE}")
    say(f"Making {what} in {folder} (once) ...")
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(folder)
        write_atomically(mark, json.dumps(list(recipe)))
    except OSError as error:
        raise UnavailableError(f"{error.filename or folder}: {error.strerror or error}") from error
    return folder


def _recipe_in(mark: Path) -> list[str] | None:
    try:
        return json.loads(mark.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def run(command: Sequence[str | Path], name: str, *, folder: Path | None = None) -> str:
    """Returns what a command printed; raises UnavailableError with its own words where it fails."""
    try:
        done = subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, errors="replace", cwd=folder
        )
    except OSError as error:
        raise UnavailableError(f"{name} can't be started: {error.strerror or error}") from error
    if done.returncode:
        said = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        errors = [line for line in said if line.lower().startswith(("error", "e:", "npm err"))]
        raise UnavailableError(
            f"{name} failed: {(errors or said or [f'exit status {done.returncode}'])[-1][:300]}"
        )
    return done.stdout
