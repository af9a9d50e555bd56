"""The file of the face detector YuNet: where it is kept; how it is downloaded, checked and stored."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .detector import DetectorError

FILE_NAME = "face_detection_yunet_2023mar.onnx"
FILE_BYTES = 232_589
FILE_SHA256 = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"

# OpenCV's model zoo keeps the file in Git LFS: raw.githubusercontent.com would serve the 131-byte pointer. A
# tag is named because the main branch replaces files by newer ones. The last address is OpenCV's own copy,
# for days on which the LFS traffic of the zoo is used up.
ADDRESSES = (
    f"https://media.githubusercontent.com/media/opencv/opencv_zoo/4.10.0/models/face_detection_yunet/{FILE_NAME}",
    f"https://github.com/opencv/opencv_zoo/raw/4.10.0/models/face_detection_yunet/{FILE_NAME}",
    f"https://huggingface.co/opencv/face_detection_yunet/resolve/main/{FILE_NAME}",
)


def say(line: str) -> None:
    """Prints a line to standard error, where it mixes with no JSON lines."""
    print(line, file=sys.stderr, flush=True)


def cache_folder() -> Path:
    """Returns the folder of this user's downloads, which may not exist yet.

    `$XDG_CACHE_HOME/ferkit` or `~/.cache/ferkit`; on macOS `~/Library/Caches/ferkit`; on Windows `ferkit` in
    `%LOCALAPPDATA%`.
    """
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return (Path(local) if local else Path.home() / "AppData" / "Local") / "ferkit"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ferkit"
    cache = os.environ.get("XDG_CACHE_HOME", "")
    # By the XDG specification a relative path is ignored.
    return (Path(cache) if Path(cache).is_absolute() else Path.home() / ".cache") / "ferkit"


def is_detector(data: bytes) -> bool:
    """Returns whether these bytes are the pinned file, which was measured."""
    return hashlib.sha256(data).hexdigest() == FILE_SHA256


def cached_detector() -> Path | None:
    """Returns the path of the pinned file in the user's cache; None where it is missing or damaged."""
    path = cache_folder() / FILE_NAME
    try:
        return path if is_detector(path.read_bytes()) else None
    except OSError:
        return None


def fetch_detector(
    *,
    announce: Callable[[str], None] | None = None,
    addresses: Sequence[str] | None = None,
    timeout_s: float = 10.0,
    connect_timeout_s: float = 3.0,
) -> Path:
    """Returns the path of YuNet's file in the user's cache; downloads and checks it where it is missing.

    The file is written under another name and then renamed, so that no later run finds half a file.

    Args:
        announce: Gets a line before the network is used. None: standard error.
        addresses: Tried in order. None: those of the pinned file.
        timeout_s: For all addresses together.
        connect_timeout_s: For the first answer of one address.

    Raises:
        DetectorError: No address served the file, or the cache can't be written.
    """
    path = cached_detector()
    if path:
        return path
    path = cache_folder() / FILE_NAME
    replaces = ", in place of a damaged one" if path.exists() else ""
    (announce or say)(
        f"Downloading the face detector YuNet ({FILE_BYTES / 1000:.0f} KB, once) to {path}{replaces}."
    )
    addresses = addresses or ADDRESSES
    data = _download(addresses, timeout_s=timeout_s, connect_timeout_s=connect_timeout_s)
    try:
        _write_atomically(path, data)
    except OSError as error:
        raise DetectorError(
            f"{path}: the face detector was downloaded but cannot be kept: {error.strerror or error}. Make "
            f"the folder writable, or save {addresses[0]} elsewhere and name it by FERKIT_YUNET."
        ) from error
    return path


def _download(addresses: Sequence[str], *, timeout_s: float, connect_timeout_s: float) -> bytes:
    """Returns the file's bytes from the first address that serves them in time."""
    import http.client  # here, because a run that finds the file needs no network

    deadline = time.monotonic() + timeout_s
    found: list[bytes] = []
    reasons: list[str] = []

    def try_each() -> None:
        for address in addresses:
            try:
                found.append(_read(address, deadline=deadline, connect_timeout_s=connect_timeout_s))
                return
            except (OSError, http.client.HTTPException, ValueError) as error:
                reasons.append(f"{address}: {getattr(error, 'reason', None) or error}")

    # No timeout of urllib bounds the look-up of a host's name. Waiting for a thread does.
    thread = threading.Thread(target=try_each, name="fetch-detector", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if found:
        return found[0]
    if thread.is_alive():
        reasons.append(f"no answer within {timeout_s:g} s")
    reason = "The face detector YuNet could not be downloaded"
    raise DetectorError(
        f"{reason}. Save the file by hand from any of these addresses and name it by FERKIT_YUNET or as the "
        f"detector: {'; '.join(reasons)}",
        reason=reason,
    )


def _read(address: str, *, deadline: float, connect_timeout_s: float) -> bytes:
    """Returns the bytes that an address serves; raises ValueError where they are not the pinned file."""
    import urllib.request

    data = b""
    timeout_s = min(connect_timeout_s, deadline - time.monotonic())
    if timeout_s <= 0:
        raise TimeoutError("no time left")
    with urllib.request.urlopen(address, timeout=timeout_s) as answer:
        # One byte too many shows that it is another file.
        while len(data) <= FILE_BYTES and (part := answer.read1(65536)):
            data += part
            if time.monotonic() > deadline:
                raise TimeoutError(f"too slow: {len(data)} of {FILE_BYTES} bytes came")
    if len(data) != FILE_BYTES:
        size = f"more than {FILE_BYTES}" if len(data) > FILE_BYTES else str(len(data))
        raise ValueError(f"expected {FILE_BYTES} bytes, got {size}")
    if not is_detector(data):
        raise ValueError(f"expected SHA-256 {FILE_SHA256}, got {hashlib.sha256(data).hexdigest()}")
    return data


def _write_atomically(path: Path, data: bytes) -> None:
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
