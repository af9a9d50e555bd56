"""Cameras that tests control, a clock that stands still, and a web server."""

import threading
from contextlib import contextmanager
from http.server import ThreadingHTTPServer

from runtime.command.live import Device, Live


class Camera:
    """A device that gives frame after frame, each as soon as `go` lets it."""

    def __init__(self, frames):
        self.frames = iter(frames)
        self.go = threading.Semaphore(0)
        self.waiting = threading.Semaphore(0)
        self.released = False

    def read(self):
        self.waiting.release()
        self.go.acquire()
        frame = next(self.frames, None)
        return frame is not None, frame

    def release(self):
        self.released = True

    def give(self, count):
        """Let out so many frames and wait until the last is in the slot."""
        for _ in range(count):
            self.go.release()
        for _ in range(count):
            self.waiting.acquire()


def open_camera(camera, **keywords):
    live = Live("camera 5", camera.read, release=camera.release, **keywords)
    return live


class Time:
    """Seconds that pass only while someone pauses."""

    def __init__(self):
        self.now_s = 100.0
        self.pauses = []

    def clock(self):
        return self.now_s

    def pause(self, seconds):
        self.pauses.append(round(seconds, 3))
        self.now_s += seconds


def cable(frames, log, name):
    """A device that gives these frames at once and then none; it writes its release into the log."""
    rest = iter(frames)

    def read():
        frame = next(rest, None)
        return frame is not None, frame

    return Device(read, lambda: log.append(f"released {name}"))


@contextmanager
def serving(handler):
    """Serves requests inside the `with`; gives the server's address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
