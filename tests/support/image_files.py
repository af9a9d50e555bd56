"""Bytes of image files that a camera, a phone or a print shop writes."""

import struct

import cv2
import numpy as np


def gray_frame(value, height=48, width=64):
    return np.full((height, width, 3), value, np.uint8)


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """A JPEG with an EXIF block that holds nothing but the orientation."""
    tiff = b"MM\x00*\x00\x00\x00\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
    exif = b"Exif\x00\x00" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


def jpeg_of(image, *parameters):
    return cv2.imencode(".jpg", image, parameters)[1].tobytes()


def cmyk_jpeg(cyan, magenta, yellow, black):
    """A JPEG of four inks as Adobe writes it, inverted; each ink is the coded data of a gray JPEG."""
    size = struct.pack(">HH", *cyan.shape)
    scans = b""
    for number, ink in enumerate((cyan, magenta, yellow, black), start=1):
        gray = jpeg_of(255 - ink)
        start = gray.index(b"\xff\xda")
        scans += b"\xff\xda\x00\x08\x01" + bytes([number]) + b"\x00\x00\x3f\x00" + gray[start + 10 : -2]
    tables = gray[gray.index(b"\xff\xdb") : start]
    frame = tables.index(b"\xff\xc0")
    components = b"".join(bytes([number, 0x11, 0]) for number in range(1, 5))
    header = b"\xff\xc0" + struct.pack(">HB", 8 + 12, 8) + size + b"\x04" + components
    adobe = b"\xff\xee\x00\x0eAdobe\x00\x64" + bytes(5)
    return b"\xff\xd8" + adobe + tables[:frame] + header + tables[frame + 13 :] + scans + b"\xff\xd9"
