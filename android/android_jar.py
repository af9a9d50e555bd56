"""Fetch the classes of Android 6 (API 23) for the compiler: `python -m android.android_jar`.

They are in Debian's package libandroid-23-java, which bookworm left out and the releases before and after it
have. apt fetches it from the mirror that this machine uses; nothing is installed, and root is not needed.
"""

from __future__ import annotations

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
    """The package can't be had here."""


def find_android_jar() -> Path | None:
    """The classes of Android 6, fetched or from an installed package; None where there are none."""
    paths = (FETCHED, Path("/") / INSIDE)
    return next((path for path in paths if path.exists()), None)


def fetch_android_jar(out: Path = FETCHED) -> Path:
    """Fetch the classes with apt into a file, unless it is there; raises `FetchError` saying why not."""
    if out.exists():
        return out
    if not shutil.which("apt-get") or not Path(KEYS).exists():
        raise FetchError(f"Fetching {PACKAGE} needs Debian's apt and keys; neither is part of this system.")
    site = _mirror()
    failures = []
    for release in RELEASES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                jar = _unpack(Path(folder), f"deb [signed-by={KEYS}] {site} {release} main\n")
            except FetchError as error:
                failures.append(f"{release}: {error}")
                continue
            got = hashlib.sha256(jar.read_bytes()).hexdigest()
            if got != SHA256:
                failures.append(f"{release}: expected android.jar with sha256 {SHA256}, got {got}")
                continue
            out.parent.mkdir(parents=True, exist_ok=True)
            part = out.with_name(f".{out.name}.{os.getpid()}.part")
            shutil.copyfile(jar, part)
            part.replace(out)
            return out
    raise FetchError(f"{PACKAGE} can't be fetched. " + "; ".join(failures))


def _mirror() -> str:
    """The address from which apt has this machine's Debian packages."""
    format_ = "$(ORIGIN)|$(LABEL)|$(REPO_URI)"
    lines = _run(["apt-get", "indextargets", "--format", format_, "Created-By: Packages"]).splitlines()
    sites = [line.split("|")[2] for line in lines if line.startswith("Debian|Debian|")]
    if not sites:
        raise FetchError("apt has no list of Debian's packages yet: run apt-get update first.")
    return sites[0]


def _unpack(folder: Path, source: str) -> Path:
    """Fetch the package with sources and lists of its own, and unpack it; returns its android.jar."""
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
    _run([*apt, "update"], folder)
    _run([*apt, "download", PACKAGE], folder)
    _run(["dpkg", "-x", *(str(path) for path in folder.glob(f"{PACKAGE}*.deb")), "unpacked"], folder)
    return folder / "unpacked" / INSIDE


def _run(command: Sequence[str], folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["it said nothing"]
        raise FetchError(f"{command[0]} failed: {lines[-1]}")
    return done.stdout


def main() -> int:
    try:
        path = fetch_android_jar()
    except FetchError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
