"""A window that shows frames; it belongs to the main thread."""

from __future__ import annotations

import os
import re
import socket
import sys
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

QUIT_KEYS = (ord("q"), ord("Q"), 27)  # 27 is Esc


class WindowError(ValueError):
    """There is no display, or this OpenCV can't open windows."""


class Window:
    """A window inside a `with`."""

    def __init__(self, title: str) -> None:
        """Opens the window.

        Raises:
            WindowError: There is no display, or this OpenCV can't open windows.
        """
        # OpenCV's Qt ends the whole process where it finds no display, so this is checked first.
        if sys.platform.startswith("linux") and not (
            os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
        ):
            raise WindowError(
                "--show needs a display, and neither DISPLAY nor WAYLAND_DISPLAY is set. "
                "Use --save to get the image or video as a file."
            )
        if trouble := display_trouble(os.environ.get("DISPLAY", "")):
            raise WindowError(f"--show needs a display: {trouble}. Use --save to get a file instead.")
        self.title = title.encode(errors="replace").decode()  # OpenCV 4.14 crashes on text that isn't UTF-8
        try:
            cv2.namedWindow(self.title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO | cv2.WINDOW_GUI_NORMAL)
        except cv2.error as error:
            raise WindowError(
                "--show needs an OpenCV with windows, and opencv-python-headless has none: "
                "pip uninstall opencv-python-headless, then pip install opencv-python"
            ) from error
        self._sized = False

    def show(self, image: np.ndarray, *, wait_s: float | None) -> bool:
        """Shows a frame.

        Args:
            image: `uint8` BGR `(height, width, 3)`.
            wait_s: For how many seconds; None: until a key is pressed.

        Returns:
            Whether to go on: False after q, Esc or the closing of the window.
        """
        if not self._sized:
            cv2.resizeWindow(self.title, image.shape[1], image.shape[0])
            self._sized = True
        cv2.imshow(self.title, image)
        milliseconds = 100 if wait_s is None else max(1, round(wait_s * 1000))
        while True:
            key = cv2.waitKey(milliseconds) & 0xFF
            if key in QUIT_KEYS or cv2.getWindowProperty(self.title, cv2.WND_PROP_VISIBLE) < 1:
                return False
            if wait_s is not None or key != 0xFF:
                return True

    def poll(self) -> bool:
        """Handles the window's events without a new frame; returns whether to go on, as `show` does."""
        key = cv2.waitKey(1) & 0xFF
        if not self._sized:  # nothing was shown yet, and some systems open the window only then
            return key not in QUIT_KEYS
        return key not in QUIT_KEYS and cv2.getWindowProperty(self.title, cv2.WND_PROP_VISIBLE) >= 1

    def __enter__(self) -> Window:
        """Returns the window."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes the window."""
        cv2.destroyAllWindows()


def display_trouble(display: str, *, sockets: Path = Path("/tmp/.X11-unix")) -> str | None:
    """Returns why an X display of this machine, such as `:0`, can't be reached; None where it can.

    Qt would end the whole process there, too.
    """
    local = re.fullmatch(r":(\d+)(\.\d+)?", display)
    if not local or not sys.platform.startswith("linux") or os.environ.get("WAYLAND_DISPLAY"):
        return None
    address = str(sockets / f"X{local[1]}")
    for name in (address, f"\0{address}"):  # by path, and by Linux's abstract name
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            try:
                connection.connect(name)
                return None
            except OSError:
                continue
    return f"DISPLAY is {display}, and no server answers there"
