"""Files on this machine and at addresses (`s3://...`, `gs://...`), through pyarrow's file systems."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from ..engines import EngineError
from ..errors import PathError
from ..images import SourceError

if TYPE_CHECKING:
    import pyarrow.fs as fs

IN_PATHS = "/!$&'()*+,;=:@"  # may stand in an address's path as they are, beside letters, digits and `_.-~`
TROUBLES = (OSError, ValueError, NotImplementedError)  # what pyarrow raises, beside what the system raises


def check_installed() -> None:
    """Checks that pyarrow and Ray are installed, without importing Ray.

    Raises:
        EngineError: One is missing.
    """
    from importlib.util import find_spec

    if missing := [name for name in ("pyarrow", "ray") if find_spec(name) is None]:
        raise EngineError(
            f"Labelling an archive needs {' and '.join(missing)}: pip install 'ferkit[ray]' (Python 3.10 or "
            "newer, not on 32-bit boards)"
        )


def open_place(text: str, kind: type[PathError]) -> tuple[fs.FileSystem, str]:
    """Returns the file system of a path or an address, and the path in it; a local one is absolute.

    Args:
        text: A path, or an address that pyarrow reads.
        kind: The error to raise.

    Raises:
        PathError: Of that kind: the address is none that can be opened.
    """
    from pyarrow.fs import FileSystem, LocalFileSystem

    if "://" not in text:
        return LocalFileSystem(), os.path.abspath(text)  # noqa: PTH100 - also of a text with `..`
    if re.match(r"[^/]*//(?!anonymous@)[^/?]*@", text):
        raise kind(
            "expected an address without a password, as it is stored in every row. Give it by environment "
            "variables, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
            path=re.sub(r"//[^/?]*@", "//", text),
        )
    try:
        return FileSystem.from_uri(_legal(text))
    except TROUBLES as error:
        raise kind(f"expected an address such as s3://bucket/folder: {reason(error)}", path=text) from error


def _legal(address: str) -> str:
    """Returns an address with what may not stand in its path, such as a space, as `%20`."""
    path, question, options = address.partition("?")
    path = re.sub("%(?![0-9A-Fa-f]{2})", "%25", path)
    return quote(path, f"{IN_PATHS}%", errors="surrogateescape") + question + options


def address_of(inside: str, *, like: str, root: str) -> str:
    """Returns the address of a path in a file system, without options; `open_place` gives the path again.

    Args:
        inside: The path.
        like: An address in the same file system.
        root: What `open_place` gives for it.
    """
    start = unquote(_legal(like.partition("?")[0]), errors="surrogateescape").rstrip("/")
    return start.removesuffix(root.rstrip("/")) + quote(inside, IN_PATHS, errors="surrogateescape")


def reason(error: Exception) -> str:
    """Returns what pyarrow or the system says, in one short line."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(text.split())[:300].rstrip(".") + "."


def with_options(path: str, address: str) -> str:
    """Returns a file's address with the options of the archive's, such as `?endpoint_override=...`."""
    _, question, options = address.partition("?")
    return f"{path}?{options}" if question and "://" in path and "?" not in path else path


@contextmanager
def local_copy(path: str, *, folder: str, address: str) -> Iterator[Path]:
    """Yields a local file with the content of a path or an address; a copy is removed at the end.

    Args:
        path: The file.
        folder: What a relative path is relative to.
        address: The archive's address, for its options.

    Raises:
        SourceError: It can't be read, or is no file.
    """
    from pyarrow.fs import LocalFileSystem

    system, inside = open_place(with_options(path, address), SourceError) if "://" in path else (None, path)
    if system is None or isinstance(system, LocalFileSystem):
        local = Path(folder, inside)
        if not local.is_file():
            raise SourceError(
                "expected a file, got a folder or device." if local.exists() else "no such file."
            )
        yield local
        return
    with tempfile.TemporaryDirectory(prefix="ferkit-") as temporary:
        local = Path(temporary, f"file{Path(inside).suffix}")
        try:
            with system.open_input_stream(inside) as source, local.open("wb") as copy:
                while block := source.read(2**20):
                    copy.write(block)
        except FileNotFoundError:
            raise SourceError("no such file.") from None
        except TROUBLES as error:
            raise SourceError(f"can't be read: {reason(error)}") from error
        yield local
