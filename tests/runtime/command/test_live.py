"""Cameras and streams: the newest frame, the dropped ones counted, and a lost device opened again."""

import sys
import threading
from http.server import BaseHTTPRequestHandler

import cv2
import numpy as np
import pytest

from runtime.command.live import Live
from runtime.command.open_source import camera_trouble, open_source
from runtime.images import SourceError
from tests.support.devices import Camera, Time, cable, open_camera, serving
from tests.support.image_files import gray_frame
from tests.support.privileges import unprivileged


@pytest.mark.parametrize(
    ("source", "name"), [(97, "camera 97"), ("97", "camera 97"), ("/dev/video97", "/dev/video97")]
)
def test_a_camera_that_is_not_there_is_named(source, name):
    with pytest.raises(SourceError, match=f"^{name}: can't be opened: .*\\w") as caught:
        open_source(source)
    if sys.platform.startswith("linux"):
        assert "there is no /dev/video97, " in str(caught.value)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux shows its cameras as files")
def test_the_reason_why_a_camera_does_not_open_is_named(tmp_path):
    assert "and no other camera" in camera_trouble(tmp_path / "video0")
    for name in ("video10", "video2", "video2-extra"):
        (tmp_path / name).touch()
    assert "there are the cameras 2, 10" in camera_trouble(tmp_path / "video0")
    assert "another program uses it" in camera_trouble(tmp_path / "video2")
    (tmp_path / "video2").chmod(0)
    with unprivileged(tmp_path, 0o755):
        assert "not allowed to use" in camera_trouble(tmp_path / "video2")
        assert "usermod -aG video" in camera_trouble(tmp_path / "video2")


def test_a_stream_that_cannot_be_opened_is_named_without_its_password():
    with pytest.raises(
        SourceError, match=r"^rtsp://127\.0\.0\.1:9/live: the stream can't be opened"
    ) as caught:
        open_source("rtsp://someone:secret@127.0.0.1:9/live")
    assert "secret" not in str(caught.value)


def test_a_camera_gives_the_newest_frame_and_counts_the_dropped():
    camera = Camera(gray_frame(value) for value in range(10))
    with open_camera(camera) as source:
        frames = iter(source)
        camera.go.release()
        first = next(frames)
        camera.waiting.acquire()  # the first read
        camera.waiting.acquire()  # the second waits
        camera.give(4)
        second = next(frames)
        assert (first.index, int(first.pixels[0, 0, 0])) == (0, 0)
        assert (second.index, int(second.pixels[0, 0, 0])) == (4, 4)
        assert source.dropped == 3
        camera.go.release()
    assert camera.released


def test_the_time_of_a_camera_counts_from_its_start():
    times = iter([100.0, 100.5, 101.25])
    camera = Camera([gray_frame(1), gray_frame(2)])
    with open_camera(camera, clock=lambda: next(times)) as source:
        frames = iter(source)
        camera.go.release()
        assert next(frames).time_s == 0.5
        camera.go.release()
        assert next(frames).time_s == 1.25
        camera.go.release()


def test_a_camera_that_stops_is_a_failure_after_its_last_frame():
    camera = Camera([gray_frame(1)])
    lines = []
    with open_camera(camera, announce=lines.append) as source:
        camera.go.release(2)
        assert [frame.index for frame in source] == [0]
    assert lines == source.failures == ["camera 5: no more frames came after 1."]


def test_a_camera_without_a_frame_is_an_error():
    camera = Camera([])
    with (
        pytest.raises(SourceError, match="camera 5: opened, but no frame came"),
        open_camera(camera) as source,
    ):
        camera.go.release()
        list(source)
    assert camera.released


def test_a_lost_camera_is_opened_again_after_growing_pauses():
    log, time = [], Time()
    devices = iter([None, None, cable([gray_frame(7)], log, "second")])

    def reopen():
        log.append("opened")
        device = next(devices, None)
        if device is None:
            raise SourceError("camera 5: can't be opened")
        return device

    first = cable([gray_frame(3)], log, "first")
    source = Live(
        "camera 5", first.read, release=first.release, reopen=reopen, retry_s=20.0,
        announce=log.append, clock=time.clock, pause=time.pause,
    )  # fmt: skip
    with source:
        frames = list(source)
    assert frames[-1].index == 1
    assert int(frames[-1].pixels[0, 0, 0]) == 7
    assert frames[-1].time_s == 3.5
    assert len(frames) + source.dropped == 2
    # Back after 0.5 + 1 + 2 seconds; then gone for good: 20 seconds, of which the last pause takes the rest.
    assert time.pauses == [0.5, 1.0, 2.0, 0.5, 1.0, 2.0, 4.0, 8.0, 4.5]
    assert log[:3] == [
        "camera 5: no frames come; trying again in 0.5 s, for 20 s more.",
        "released first",
        "opened",
    ]
    assert "camera 5: back after 3.5 s." in log
    assert log.count("released second") == log.count("released first") == 1
    assert source.failures == [log[-1]] == ["camera 5: no more frames came after 2."]


def test_an_unexpected_error_of_a_driver_ends_the_iteration():
    def release():
        raise OSError("gone for good")

    source = Live(
        "camera 5", lambda: (False, None), release=release, reopen=lambda: None, retry_s=60.0, announce=print
    )
    with pytest.raises(SourceError, match=r"^camera 5: can't be read: gone for good\.$"):
        next(iter(source))
    with (
        Live("camera 6", lambda: (True, [[0]])) as source,
        pytest.raises(SourceError, match=r"^camera 6: can't be read: .*'size'"),
    ):
        next(iter(source))


def test_a_driver_that_raises_when_it_is_opened_again_is_tried_again():
    log, time = [], Time()
    first = cable([gray_frame(3)], log, "first")

    def reopen():
        raise RuntimeError("no such bus")

    source = Live(
        "camera 5", first.read, release=first.release, reopen=reopen, retry_s=1.0,
        announce=log.append, clock=time.clock, pause=time.pause,
    )  # fmt: skip
    with source:
        assert len(list(source)) == 1
    assert time.pauses == [0.5, 0.5]
    assert source.failures == ["camera 5: no more frames came after 1: no such bus."]


def test_a_camera_that_raises_is_opened_again():
    def broken():
        raise RuntimeError("cable pulled")

    log, time = [], Time()
    devices = iter([cable([gray_frame(7)], log, "new")])

    def reopen():
        for device in devices:
            return device
        raise SourceError("camera 5: can't be opened")

    source = Live(
        "camera 5", broken, reopen=reopen, retry_s=1.0,
        announce=log.append, clock=time.clock, pause=time.pause,
    )  # fmt: skip
    with source:
        assert [int(frame.pixels[0, 0, 0]) for frame in source] == [7]
    assert "camera 5: back after 0.5 s." in log


def test_no_time_to_retry_ends_a_camera_at_once():
    camera, log = cable([gray_frame(3)], [], "only"), []
    source = Live("camera 5", camera.read, reopen=lambda: camera, retry_s=0.0, announce=log.append)
    with source:
        list(source)
    assert log == ["camera 5: no more frames came after 1."]


def test_leaving_the_with_ends_the_retrying_at_once():
    retrying = threading.Event()
    camera = cable([gray_frame(3)], [], "only")
    source = Live(
        "camera 5", camera.read, reopen=lambda: camera, retry_s=1000.0, announce=lambda _: retrying.set()
    )
    before = threading.active_count()
    with source:
        iterator = iter(source)
        next(iterator)
        assert retrying.wait(20)
    assert threading.active_count() == before


def test_while_no_frame_comes_a_function_decides_whether_to_go_on():
    camera = Camera([gray_frame(1)])
    asked = []
    with open_camera(camera) as source:
        source.waiting = lambda: asked.append(1) or len(asked) < 3
        assert list(source) == []
        camera.go.release(2)
    assert len(asked) == 3
    assert source.failures == []


def test_an_error_of_the_device_reaches_the_iteration():
    def read():
        raise RuntimeError("cable pulled")

    with (
        pytest.raises(SourceError, match="camera 5: can't be read: cable pulled"),
        Live("camera 5", read) as source,
    ):
        list(source)


def test_a_camera_that_raises_in_the_end_is_a_failure_after_its_last_frame():
    frames = iter([gray_frame(3)])

    def read():
        for frame in frames:
            return True, frame
        raise RuntimeError("cable pulled")

    with Live("camera 5", read) as source:
        assert [int(frame.pixels[0, 0, 0]) for frame in source] == [3]
    assert source.failures == ["camera 5: no more frames came after 1: cable pulled."]


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 1), (48, 64, 4)])
def test_gray_and_transparent_frames_of_a_device_become_bgr(shape):
    frame = np.full(shape, 90, np.uint8)
    if shape[2:] == (4,):
        frame[:, :, 3] = 255  # an alpha channel, which is left out
    with Live("camera 5", cable([frame], [], "only").read) as source:
        (frame,) = source
    np.testing.assert_array_equal(frame.pixels, gray_frame(90))


@pytest.mark.parametrize(
    ("frame", "got"),
    [
        (np.zeros((48, 64, 2), np.uint8), r"uint8 \(48, 64, 2\)"),  # YUYV as cameras store it
        (np.zeros((48, 64, 3), np.uint16), r"uint16 \(48, 64, 3\)"),
        (np.zeros(4096, np.uint8), r"uint8 \(4096,\)"),  # a JPEG that nobody decoded
    ],
)
def test_frames_of_another_kind_end_the_iteration_at_once(frame, got):
    def never():
        raise AssertionError("A device that works was opened again")

    log = []
    first = cable([frame], log, "only")
    expected = rf"^camera 5: can't be read: expected frames of .*, got {got}\. Set .*$"
    with (
        pytest.raises(SourceError, match=expected),
        Live("camera 5", first.read, reopen=never, retry_s=60.0, announce=log.append) as source,
    ):
        list(source)
    assert log == []


def test_an_empty_frame_of_a_device_is_none():
    with Live("camera 5", cable([gray_frame(3), gray_frame(3)[:0]], [], "only").read) as source:
        assert [frame.pixels.shape for frame in source] == [(48, 64, 3)]
    assert source.failures == ["camera 5: no more frames came after 1."]


def test_leaving_the_with_ends_the_thread():
    before = threading.active_count()
    camera = Camera(gray_frame(value % 256) for value in range(100_000))
    with open_camera(camera) as source:
        camera.go.release(3)
        next(iter(source))
        assert threading.active_count() == before + 1
        camera.go.release(100_000)
    assert threading.active_count() == before
    assert camera.released


class MotionJpeg(BaseHTTPRequestHandler):
    """Serves 12 frames as an IP camera does, a single time."""

    served = False

    def do_GET(self):
        if MotionJpeg.served:
            self.send_error(404)
            return
        MotionJpeg.served = True
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        self.end_headers()
        jpeg = cv2.imencode(".jpg", gray_frame(50))[1].tobytes()
        for _ in range(12):
            self.wfile.write(b"--next\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg))
            self.wfile.write(jpeg + b"\r\n")

    def log_message(self, *arguments):
        pass


def test_a_stream_is_read_to_its_end_with_every_frame_taken_or_dropped():
    lines = []
    MotionJpeg.served = False
    with serving(MotionJpeg) as server:
        address = f"{server}/camera.mjpg"
        with open_source(address, announce=lines.append, retry_s=0.1) as source:
            frames = list(source)
    assert source.kind == "live"
    assert all(abs(float(frame.pixels.mean()) - 50) < 3 for frame in frames)
    assert frames[-1].index + 1 == len(frames) + source.dropped
    assert 8 <= len(frames) + source.dropped <= 12  # the decoder may keep the last ones
    assert len(source.failures) == 1
    assert lines == [f"{address}: no frames come; trying again in 0.1 s, for 0 s more.", *source.failures]
