"""Image files: which files are images, and their pixels as a frame."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

import cv2
import numpy as np

from .errors import PathError

IMAGE_SUFFIXES = frozenset(
    (".avif", ".bmp", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")
)
# How a file begins, and what it is. OpenCV reads none of these as an image.
OTHER_FILES = (
    (rb"%PDF", "a PDF: save its page as an image"),
    (rb"PK\x03\x04", "a ZIP archive: unpack it"),
    (rb"\x1f\x8b", "a gzip archive: unpack it"),
    (rb"....ftyp(heic|heix|hevc|mif1|msf1)", "HEIC, which OpenCV doesn't read: convert it to JPEG"),
)
# MP4, MOV and 3GP (AVIF, HEIC, CR3 and M4A have other brands); Matroska and WebM; AVI; FLV; MPEG's program
# and transport streams.
VIDEO_START = re.compile(
    rb"....ftyp(iso|mp[47]|avc1|M4V|qt  |3g|dash|MSNV|f4v|mmp4)"
    rb"|\x1aE\xdf\xa3|RIFF....AVI |FLV\x01|\x00\x00\x01\xba|G.{187}G",
    re.DOTALL,
)
VIDEO = "run ferkit on it alone, or read its frames with cv2.VideoCapture"
RENAMED = "a video with an image's ending: give its name a video's, then "
DAMAGED = "one that is damaged or cut short: copy or save it again, for instance as JPEG or PNG"


class SourceError(PathError):
    """An image, video, camera or stream can't be read."""


def read_image(path: Path) -> np.ndarray:
    """Reads an image file as a frame, `uint8` BGR `(height, width, 3)`, turned as its EXIF says.

    Gray and CMYK become BGR, 16 bits become 8 (the upper ones), an alpha channel is left out. A JPEG or PNG
    without its end is refused, even where OpenCV would fill the rest with gray.

    Raises:
        SourceError: The file can't be read, or is no whole image.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise SourceError("no such file.", path=path) from None
    except (OSError, ValueError) as error:  # ValueError: a path with a zero byte
        raise SourceError(
            f"can't be read: {getattr(error, 'strerror', None) or error}.", path=path
        ) from error
    if not data:
        raise SourceError("expected an image, got an empty file. Copy or save it again.", path=path)
    if missing := _missing_part(data):
        raise SourceError(
            f"expected a whole image, got one without its end ({missing}). It is cut short or "
            "damaged: copy or save it again.",
            path=path,
        )
    try:
        frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        # Larger than OpenCV's limit of 2**30 pixels, or than the memory.
        raise SourceError(
            f"the image can't be read: {error.err}. It is damaged, or too large: save a smaller "
            "version of it.",
            path=path,
        ) from error
    if frame is None:
        kind = _other_kind(data) or _video(data, path) or DAMAGED
        raise SourceError(f"expected an image that OpenCV reads, got {kind}.", path=path)
    return frame


def is_image(path: Path) -> bool:
    """Returns whether a file is an image, by suffix, else by content.

    A GIF counts as a video, because it may be one.
    """
    if has_image_suffix(path):
        return True
    return path.suffix.lower() != ".gif" and cv2.haveImageReader(opencv_name(path))


def opencv_name(path: Path | str) -> str:
    """Returns a path or address for OpenCV; one that isn't UTF-8 would end the process, in 4.14.

    Raises:
        SourceError: It isn't UTF-8.
    """
    try:
        return str(path).encode().decode()
    except UnicodeEncodeError:
        raise SourceError("expected a name in UTF-8. Rename the file.", path=path) from None


def has_image_suffix(path: Path) -> bool:
    """Returns whether a path has the suffix of an image that OpenCV's own packages read."""
    return path.suffix.lower() in IMAGE_SUFFIXES


def kind_of_file(path: Path, *, video_expected: bool = True) -> str:
    """Returns what a file is that is no image (and no video, if one was expected), with what to do."""
    with path.open("rb") as file:
        data = file.read(4096)
    if kind := _other_kind(data) or (None if video_expected else _video(data, path)):
        return kind
    if VIDEO_START.match(data) and data[4:8] == b"ftyp":
        return "an .mp4 or .mov without its index, which stands at the end: it is cut short. Copy it again"
    suffix = ".mp4" if video_expected else ".png"
    return f"something else or a damaged one: copy it again, or convert it to {suffix}"


def _missing_part(data: bytes) -> str | None:
    """Returns the name of the end that a JPEG or PNG lacks; None for a whole one, and for other kinds.

    An unfinished download may leave zeros where the rest should be. OpenCV 4.14 decodes such a JPEG as an
    image that is gray below. It refuses one that simply stops; older releases decode both.
    """
    if data.startswith(b"\xff\xd8\xff") and not _jpeg_ends(data):
        return "JPEG's end-of-image marker"
    if data.startswith(b"\x89PNG\r\n\x1a\n") and not _png_ends(data):
        return "PNG's last chunk, IEND"
    return None


# In a JPEG's coded data FF 00 is a byte FF, FF D0 to FF D7 are restart markers, and FF FF is padding.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)


def _jpeg_ends(data: bytes) -> bool:
    """Returns whether a JPEG's chain of segments reaches the end-of-image marker.

    A plain search for the marker would find the end of the thumbnail inside a photo. Bytes behind the marker,
    such as a phone's second image, don't matter.
    """
    place = 2  # behind the start-of-image marker
    while marker := _JPEG_MARKER.search(data, place):
        kind = data[marker.end() - 1]
        if kind == 0xD9:
            return True
        place = marker.end()
        if kind not in (0x01, 0xD8):  # every other one is followed by its length
            place += int.from_bytes(data[place : place + 2], "big")
    return False


def _png_ends(data: bytes) -> bool:
    """Returns whether a PNG's chain of chunks reaches the last one.

    OpenCV 4.14 trusts the length of a damaged chunk, and takes up to 4 GiB of memory for it.
    """
    place = 8  # behind the signature
    while place + 12 <= len(data):  # a chunk's length, kind, content and checksum
        length, kind = int.from_bytes(data[place : place + 4], "big"), data[place + 4 : place + 8]
        place += 12 + length
        if kind == b"IEND":
            return place <= len(data)
    return False


def _video(data: bytes, path: Path) -> str | None:
    """Returns what to do about a video; None where the bytes don't begin as one."""
    if not VIDEO_START.match(data):
        return None
    return f"{RENAMED}{VIDEO}" if has_image_suffix(path) else f"a video: {VIDEO}"


def _other_kind(data: bytes) -> str | None:
    """Returns what the bytes of a file are that is no image, with what to do; None where it isn't known."""
    for pattern, kind in OTHER_FILES:
        if re.match(pattern, data, re.DOTALL):
            return kind
    try:
        # Incremental, because the bytes may end in the middle of a letter.
        text = codecs.getincrementaldecoder("utf-8")().decode(data[:4096])
    except UnicodeDecodeError:
        return None
    is_text = all(letter.isprintable() or letter.isspace() for letter in text)
    return "text: name the image itself" if is_text else None
