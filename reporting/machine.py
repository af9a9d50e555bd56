"""The machine that a figure was measured on: a time without it and its versions says nothing."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import re
import subprocess
from pathlib import Path
from typing import TypedDict

import cv2
import numpy as np

PACKAGES = {
    "litert": ("ai-edge-litert",),
    "tflite_runtime": ("tflite-runtime",),
    "onnxruntime": ("onnxruntime",),
    "opencv": ("opencv-python", "opencv-python-headless", "opencv-contrib-python"),
}


class Device(TypedDict):
    """A machine with its software; sizes in bytes, None where the system does not tell."""

    name: str
    processor: str
    cores: int | None
    memory_bytes: int | None
    system: str
    python: str
    numpy: str
    opencv: str
    engines: dict[str, str]  # the version of each that is installed
    threads: int
    load_average: float | None
    measured: str  # YYYY-MM-DD


def describe_device(name: str | None = None, threads: int = 1) -> Device:
    """Returns the machine, its software and today's date.

    Args:
        name: What to call the device; None takes the processor's name as a file name.
        threads: How many are measured with.
    """
    processor = processor_name()
    return {
        "name": name or slug(processor),
        "processor": processor,
        "cores": os.cpu_count(),
        "memory_bytes": memory_bytes(),
        "system": system_name(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "engines": {engine: version for engine in PACKAGES if (version := engine_version(engine))},
        "threads": threads,
        "load_average": load_average(),
        "measured": datetime.date.today().isoformat(),
    }


def processor_name() -> str:
    """Returns the board's name where there is one (a Raspberry Pi), else the processor's."""
    board = Path("/proc/device-tree/model")
    if board.is_file():
        return board.read_text(errors="replace").strip("\0 \n")
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        names = re.findall(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(errors="replace"), re.MULTILINE)
        if names:
            return names[0].strip()
    if platform.system() == "Darwin":
        answer = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True)
        if answer.stdout.strip():
            return answer.stdout.strip()
    return platform.processor() or platform.machine()


def system_name() -> str:
    """Returns the operating system with its version and the processor's architecture."""
    try:
        system = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        system = f"{platform.system()} {platform.release()}"
    return f"{system}, {platform.machine()}"


def memory_bytes() -> int | None:
    """Returns the machine's memory in bytes; None where the system does not tell (Windows)."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def load_average() -> float | None:
    """Returns how many programs wanted a core in the last minute; None where nobody counts them."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return None


def engine_version(engine: str) -> str | None:
    """Returns the version of the package behind an engine; None where it is not installed."""
    for package in PACKAGES[engine]:
        try:
            return importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def slug(name: str) -> str:
    """Returns the name as a file name: lower case, words of letters and digits joined by hyphens."""
    plain = re.sub(r"\((r|tm|c)\)|processor|\bcpu\b", " ", name.lower())
    return "-".join(re.findall(r"[a-z0-9]+", plain)) or "device"
