"""Fetch the classes of Android 6 (API 23) for the compiler: `python -m android.android_jar`.

They are in Debian's package libandroid-23-java, which bookworm lacks; the releases before and after have it.
apt fetches it from the mirror that this machine uses. Nothing is installed, and root is not needed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
FETCHED = ROOT / "build" / "android" / "platform" / "android.jar"
PACKAGE = "libandroid-23-java"
RELEASES = ("bullseye", "sid")  # those that have it; both hold the same file
INSIDE = Path("usr/share/java/com.android.android-23.jar")
SHA256 = "4475aa3fe1fc28bdb87ae6351d6ccff58f344a1b9e2fe685f7a6fee41ba68613"  # of version 6.0.1+r72-6
KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


class FetchError(Exception):
    """The package can't be fetched; the message says why."""


def find_android_jar() -> Path | None:
    """Returns the classes of Android 6, fetched or of an installed package; None where there are none."""
    paths = (FETCHED, Path("/") / INSIDE)
    return next((path for path in paths if path.exists()), None)


def fetch_android_jar(out: Path = FETCHED) -> Path:
    """Fetches the classes with apt into a file, unless it is there; returns the file.

    Raises:
        FetchError: There is no apt, or no release has the known file.
    """
    if out.exists():
        return out
    if not shutil.which("apt-get") or not Path(KEYS).exists():
        raise FetchError(f"Fetching {PACKAGE} needs Debian's apt and keys; neither is part of this system.")
    site = mirror()
    failures = []
    for release in RELEASES:
        try:
            fetch_from(f"deb [signed-by={KEYS}] {site} {release} main\n", out)
        except FetchError as error:
            failures.append(f"{release}: {error}")
            continue
        return out
    raise FetchError(f"{PACKAGE} can't be fetched. " + "; ".join(failures))


def fetch_from(source: str, out: Path) -> None:
    """Fetches the classes from one source of apt into a file.

    Raises:
        FetchError: It has no such package, or one with another file.
    """
    with tempfile.TemporaryDirectory() as folder:
        jar = unpack(Path(folder), source)
        got = hashlib.sha256(jar.read_bytes()).hexdigest()
        if got != SHA256:
            raise FetchError(f"expected android.jar with sha256 {SHA256}, got {got}")
        out.parent.mkdir(parents=True, exist_ok=True)
        part = out.with_name(f".{out.name}.{os.getpid()}.part")
        shutil.copyfile(jar, part)
        part.replace(out)


def mirror() -> str:
    """Returns the address from which apt has this machine's Debian packages."""
    format_ = "$(ORIGIN)|$(LABEL)|$(REPO_URI)"
    lines = run(["apt-get", "indextargets", "--format", format_, "Created-By: Packages"]).splitlines()
    sites = [line.split("|")[2] for line in lines if line.startswith("Debian|Debian|")]
    if not sites:
        raise FetchError("apt has no list of Debian's packages yet: run apt-get update first.")
    return sites[0]


def unpack(folder: Path, source: str) -> Path:
    """Fetches the package with sources and lists of its own and unpacks it; returns its android.jar."""
    (folder / "sources.list").write_text(source)
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    settings = {
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": folder / "lists",
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "root",  # apt's own user may not write into this folder
    }
    apt = ["apt-get", "-q", *(f"-o{name}={value}" for name, value in settings.items())]
    run([*apt, "update"], folder)
    run([*apt, "download", PACKAGE], folder)
    run(["dpkg", "-x", *(str(path) for path in folder.glob(f"{PACKAGE}*.deb")), "unpacked"], folder)
    return folder / "unpacked" / INSIDE


def run(command: Sequence[str], folder: Path | None = None) -> str:
    """Runs a tool in a folder; returns what it printed.

    Raises:
        FetchError: It failed; the message is the last line that it printed.
    """
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise FetchError(f"{command[0]} failed: {lines[-1]}")
    return done.stdout


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetches the classes; returns the exit status."""
    argparse.ArgumentParser(
        prog="python -m android.android_jar", description=__doc__.splitlines()[0]
    ).parse_args(arguments)
    try:
        path = fetch_android_jar()
    except FetchError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
