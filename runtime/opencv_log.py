"""How much OpenCV itself writes to standard error."""

from __future__ import annotations

import cv2

SILENT, ERROR = 0, 2  # cv2.utils.logging.LOG_LEVEL_SILENT and LOG_LEVEL_ERROR


def set_log_level(level: int) -> int:
    """Sets the level from which OpenCV writes, `SILENT` or `ERROR`; returns the level before."""
    of_4_8 = getattr(cv2, "setLogLevel", None)  # later releases have cv2.utils.logging in its place
    return int((of_4_8 or cv2.utils.logging.setLogLevel)(level))
