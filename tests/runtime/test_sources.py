"""Sources: every frame of a file, the newest of a camera, and a line for what can't be read."""

import os
import struct
import sys
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from runtime.command.live import Device, Live
from runtime.command.open_source import _camera_trouble, open_source
from runtime.command.video_file import VideoFile
from runtime.images import SourceError, read_image
from tests.support.privileges import unprivileged

IMAGE = Path(__file__).parents[2] / "demo" / "astronaut.jpg"


def gray_frame(value, height=48, width=64):
    return np.full((height, width, 3), value, np.uint8)


@pytest.fixture
def corner():
    """An image 6 high and 4 wide whose upper left pixel alone is white."""
    image = np.zeros((6, 4, 3), np.uint8)
    image[0, 0] = 255
    return image


@pytest.fixture
def video(tmp_path):
    """Ten frames of 0, 20, ... 180 gray at 10 frames/s."""
    path = tmp_path / "clip.mp4"
    with VideoFile(path, frame_rate=10) as file:
        for number in range(10):
            file.write(gray_frame(20 * number), number / 10)
    return path


def test_an_image_is_one_sample(tmp_path):
    path = tmp_path / "one.png"
    cv2.imwrite(str(path), gray_frame(7))
    with open_source(path) as source:
        (frame,) = source
    assert (source.kind, source.frame_count, source.failures) == ("image", 1, [])
    assert (frame.name, frame.index, frame.time_s) == (str(path), 0, 0.0)
    np.testing.assert_array_equal(frame.pixels, gray_frame(7))


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        ("gray", np.full((5, 6), 100, np.uint8)),
        ("colour", np.full((5, 6, 3), 100, np.uint8)),
        ("alpha", np.full((5, 6, 4), (100, 100, 100, 30), np.uint8)),
        ("gray of 16 bits", np.full((5, 6), 100 * 256 + 255, np.uint16)),
        ("colour of 16 bits", np.full((5, 6, 3), 100 * 256 + 17, np.uint16)),
    ],
)
def test_every_kind_of_image_becomes_bgr_of_8_bits(tmp_path, kind, stored):
    path = tmp_path / f"{kind}.png"
    cv2.imwrite(str(path), stored)
    np.testing.assert_array_equal(read_image(path), np.full((5, 6, 3), 100, np.uint8))


def with_orientation(jpeg: bytes, orientation: int) -> bytes:
    """A JPEG with an EXIF block that holds nothing but the orientation."""
    tiff = b"MM\x00*\x00\x00\x00\x08" + struct.pack(">HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
    exif = b"Exif\x00\x00" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


@pytest.mark.parametrize(
    ("orientation", "shape", "white"),
    [
        (1, (64, 32, 3), (0, 0)),
        (3, (64, 32, 3), (63, 31)),
        (6, (32, 64, 3), (0, 63)),
        (8, (32, 64, 3), (31, 0)),
    ],
)
def test_a_photo_is_turned_as_its_exif_says(tmp_path, orientation, shape, white):
    image = np.zeros((64, 32, 3), np.uint8)
    image[:16, :16] = 255
    path = tmp_path / "photo.jpg"
    path.write_bytes(with_orientation(cv2.imencode(".jpg", image)[1].tobytes(), orientation))
    frame = read_image(path)
    assert frame.shape == shape
    corners = [(row, column) for row in (0, shape[0] - 1) for column in (0, shape[1] - 1)]
    assert [corner for corner in corners if frame[corner].min() > 200] == [white]


def test_a_name_with_letters_of_any_language_is_read(tmp_path, corner):
    path = tmp_path / "Gesicht ä 顔.png"
    path.write_bytes(cv2.imencode(".png", corner)[1].tobytes())
    np.testing.assert_array_equal(read_image(path), corner)


def test_a_folder_gives_its_images_by_name_and_nothing_else(tmp_path):
    for value, name in ((30, "c.png"), (10, "a.PNG"), (20, "b.bmp")):
        (tmp_path / name).write_bytes(cv2.imencode(Path(name).suffix.lower(), gray_frame(value))[1].tobytes())
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / "deeper.png").mkdir()
    with open_source(tmp_path) as source:
        found = [(Path(frame.name).name, frame.index, int(frame.pixels[0, 0, 0])) for frame in source]
    assert found == [("a.PNG", 0, 10), ("b.bmp", 1, 20), ("c.png", 2, 30)]
    assert (source.kind, source.frame_count) == ("images", 3)


def test_a_glob_gives_what_matches_also_in_folders_below(tmp_path):
    (tmp_path / "below").mkdir()
    for name in ("one.png", "below/two.png", "three.bmp"):
        cv2.imwrite(str(tmp_path / name), gray_frame(1))
    with open_source(f"{tmp_path}/**/*.png") as source:
        assert sorted(Path(frame.name).name for frame in source) == ["one.png", "two.png"]


def test_in_a_folder_an_unreadable_image_is_named_and_the_rest_go_on(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), gray_frame(1))
    (tmp_path / "b.png").write_bytes(b"not an image")
    (tmp_path / "c.png").write_bytes(b"")
    cv2.imwrite(str(tmp_path / "d.png"), gray_frame(2))
    lines = []
    with open_source(tmp_path, announce=lines.append) as source:
        assert [Path(frame.name).name for frame in source] == ["a.png", "d.png"]
    assert lines == source.failures
    assert [line.partition(": ")[0] for line in lines] == [str(tmp_path / "b.png"), str(tmp_path / "c.png")]
    assert "got an empty file" in lines[1]


def test_a_video_gives_every_frame_with_its_time(video):
    with open_source(video) as source:
        frames = list(source)
    assert (source.kind, source.frame_rate, source.frame_count) == ("video", 10.0, 10)
    assert [frame.index for frame in frames] == list(range(10))
    assert [frame.time_s for frame in frames] == pytest.approx([number / 10 for number in range(10)])
    grays = [float(frame.pixels.mean()) for frame in frames]
    assert grays == pytest.approx([20 * number for number in range(10)], abs=4)
    assert frames[0].pixels.shape == (48, 64, 3)


def test_an_image_is_known_by_its_content_where_the_suffix_says_nothing(tmp_path):
    path = tmp_path / "upload"
    path.write_bytes(cv2.imencode(".png", gray_frame(9))[1].tobytes())
    with open_source(path) as source:
        assert source.kind == "image"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.jpg", None, "no such file or folder"),
        ("text.mp4", b"this is no video" * 100, "expected an image or a video that OpenCV reads, got text"),
        ("notes.txt", b"hello", "expected an image or a video that OpenCV reads, got text"),
        ("notes.jpg", "Gr\u00fc\u00dfe".encode() * 2000, "expected an image that OpenCV reads, got text"),
        ("page.png", b"%PDF-1.7 \x00\xff", "got a PDF: save its page as an image"),
        (
            "phone.jpg",
            b"\x00\x00\x00\x18ftypheic\xff",
            "got HEIC, which OpenCV doesn't read: convert it to JPEG",
        ),
        ("noise.png", b"\x93\x00\x07" * 9, "got one that is damaged or cut short"),
        (
            "broken.jpg",
            b"\xff\xd8\xff\xe0 and then nothing",
            "without its end \\(JPEG's end-of-image marker\\)",
        ),
        ("empty.png", b"", "expected an image, got an empty file"),
        ("empty.mp4", b"", "expected an image or a video, got an empty file"),
        ("noise.mp4", b"\x93\x00\x07" * 9, "got something else or a damaged one"),
        ("*.jpg", None, "no file matches"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=message) as caught, open_source(path) as source:
        list(source)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "start",
    [
        b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41\x00\x00\x00\x08free",  # .mp4
        b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00qt  \x00\x00\x00\x08wide",  # .mov
        b"\x1aE\xdf\xa3\x9f\x00",  # .mkv, .webm
        b"RIFF\x00\xff\x00\x00AVI LIST",
        b"FLV\x01\x05\x00",
        b"\x00\x00\x01\xba\x44\x00",  # .mpg
        (b"G" + 187 * b"\xff") * 2,  # .ts
    ],
)
def test_a_video_instead_of_an_image_is_said_to_be_one_with_what_reads_it(tmp_path, start):
    path = tmp_path / "clip"
    path.write_bytes(start)
    image = tmp_path / "one.png"
    cv2.imwrite(str(image), gray_frame(7))
    video = "got a video: run ferkit on it alone, or read its frames with cv2.VideoCapture."
    with pytest.raises(SourceError) as caught:
        read_image(path)
    assert str(caught.value) == f"{path}: expected an image that OpenCV reads, {video}"
    with pytest.raises(SourceError) as caught:
        open_source([str(image), str(path)])
    assert str(caught.value) == f"{path}: expected an image, as one of several sources, {video}"


def test_a_video_with_an_image_s_ending_is_to_be_renamed_first(tmp_path):
    path = tmp_path / "clip.jpg"
    path.write_bytes(b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41")
    with pytest.raises(SourceError, match="got a video with an image's ending: give its name a"):
        next(iter(open_source(path)))


def test_a_gif_among_images_is_to_become_an_image(tmp_path):
    image, gif = tmp_path / "one.png", tmp_path / "two.gif"
    cv2.imwrite(str(image), gray_frame(7))
    gif.write_bytes(b"GIF89a\x04\x00\x04\x00\x80\x00\x00\xff\xff\xff")
    with pytest.raises(SourceError, match=r"copy it again, or convert it to \.png\.$"):
        open_source([str(image), str(gif)])


@pytest.mark.parametrize(
    "start",
    [
        b"\x00\x00\x00\x20ftypavif\x00\x00",
        b"\x00\x00\x00\x18ftypcrx \x00\x00",  # CR3
        b"RIFF\x00\xff\x00\x00WEBPVP8 ",
    ],
)
def test_a_damaged_image_is_not_said_to_be_a_video(tmp_path, start):
    (tmp_path / "x").write_bytes(start)
    with pytest.raises(SourceError, match="got one that is damaged or cut short"):
        read_image(tmp_path / "x")


def test_a_folder_without_images_is_named(tmp_path):
    with pytest.raises(SourceError, match="expected images in the folder"):
        open_source(tmp_path)


@pytest.mark.parametrize(
    ("source", "name"), [(97, "camera 97"), ("97", "camera 97"), ("/dev/video97", "/dev/video97")]
)
def test_a_camera_that_is_not_there_is_named(source, name):
    with pytest.raises(SourceError, match=f"^{name}: can't be opened: .*\\w") as caught:
        open_source(source)
    if sys.platform.startswith("linux"):
        assert "there is no /dev/video97, " in str(caught.value)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux shows its cameras as files")
def test_what_keeps_a_camera_from_opening_is_said(tmp_path):
    assert "nor is there another camera" in _camera_trouble(tmp_path / "video0")
    for name in ("video10", "video2", "video2-extra"):
        (tmp_path / name).touch()
    assert "there are the cameras 2, 10" in _camera_trouble(tmp_path / "video0")
    assert "another program uses it" in _camera_trouble(tmp_path / "video2")
    (tmp_path / "video2").chmod(0)
    with unprivileged(tmp_path, 0o755):
        assert "not allowed to use" in _camera_trouble(tmp_path / "video2")
        assert "usermod -aG video" in _camera_trouble(tmp_path / "video2")


def test_a_stream_that_cannot_be_opened_is_named_without_its_password():
    with pytest.raises(
        SourceError, match=r"^rtsp://127\.0\.0\.1:9/live: the stream can't be opened"
    ) as caught:
        open_source("rtsp://someone:secret@127.0.0.1:9/live")
    assert "secret" not in str(caught.value)


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


def test_a_camera_that_vanishes_is_opened_anew_with_growing_pauses_and_said():
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


def test_a_driver_that_raises_where_none_is_expected_to_ends_the_iteration():
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


def test_a_driver_that_raises_while_it_is_opened_anew_is_tried_again_and_then_said():
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


def test_a_camera_that_raises_is_opened_anew_as_well():
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


def test_who_waits_for_a_frame_is_asked_whether_to_go_on():
    camera = Camera([gray_frame(1)])
    asked = []
    with open_camera(camera) as source:
        source.waiting = lambda: asked.append(1) or len(asked) < 3
        assert list(source) == []
        camera.go.release(2)
    assert len(asked) == 3
    assert source.failures == []


def test_an_error_of_the_device_reaches_the_one_who_iterates():
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
def test_other_frames_of_a_device_end_it_at_once_with_what_was_expected(frame, got):
    def never():
        raise AssertionError("A device that works was opened anew")

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
    server = ThreadingHTTPServer(("127.0.0.1", 0), MotionJpeg)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}/camera.mjpg"
        with open_source(address, announce=lines.append, retry_s=0.1) as source:
            frames = list(source)
    finally:
        server.shutdown()
        server.server_close()
    assert source.kind == "live"
    assert all(abs(float(frame.pixels.mean()) - 50) < 3 for frame in frames)
    assert frames[-1].index + 1 == len(frames) + source.dropped
    assert 8 <= len(frames) + source.dropped <= 12  # the decoder may keep the last ones
    assert len(source.failures) == 1
    assert lines == [f"{address}: no frames come; trying again in 0.1 s, for 0 s more.", *source.failures]


class OneFile(BaseHTTPRequestHandler):
    """Serves a video as a web server does."""

    content = b""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        with suppress(OSError):  # the reader closes early where it looks for the index
            self.wfile.write(self.content)

    def log_message(self, *arguments):
        pass


def test_a_video_whose_index_a_web_server_does_not_reach_is_not_said_to_be_damaged_alone(tmp_path):
    path = tmp_path / "clip.mp4"  # with its index at the end
    with VideoFile(path, frame_rate=10) as file:
        for number in range(60):
            noise = np.random.default_rng(number).integers(0, 256, (240, 320, 3))
            file.write(noise.astype(np.uint8), number / 10)
    OneFile.content = path.read_bytes()
    server = ThreadingHTTPServer(("127.0.0.1", 0), OneFile)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/clip.mp4"
    try:
        with pytest.raises(SourceError) as caught, open_source(address, retry_s=0) as source:
            list(source)
    finally:
        server.shutdown()
        server.server_close()
    assert str(caught.value) == (
        f"{address}: expected a video, got no frame that can be read. It is damaged, or its server gives no "
        "parts of files: download it, and give the file's path."
    )


def test_a_video_on_a_web_server_gives_every_frame(tmp_path):
    path = tmp_path / "clip.avi"
    with VideoFile(path, frame_rate=10) as file:
        for number in range(10):
            file.write(gray_frame(20 * number), number / 10)
    OneFile.content = path.read_bytes()
    server = ThreadingHTTPServer(("127.0.0.1", 0), OneFile)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with open_source(f"http://127.0.0.1:{server.server_port}/clip.avi") as source:
            grays = [float(frame.pixels.mean()) for frame in source]
    finally:
        server.shutdown()
        server.server_close()
    assert (source.kind, source.failures) == ("video", [])
    assert grays == pytest.approx([20 * number for number in range(10)], abs=4)


def jpeg_of(image, *parameters):
    return cv2.imencode(".jpg", image, parameters)[1].tobytes()


@pytest.mark.parametrize("progressive", [0, 1])
@pytest.mark.parametrize("filled", [b"", b"\x00" * 20_000])
def test_a_jpeg_that_stops_is_said_to_be_cut_short(tmp_path, progressive, filled):
    whole = jpeg_of(cv2.imread(str(IMAGE)), cv2.IMWRITE_JPEG_PROGRESSIVE, progressive)
    path = tmp_path / "photo.jpg"
    path.write_bytes(whole)
    assert read_image(path).shape == (512, 512, 3)
    # A download that broke off after 60 %; the file had been given its full length in zeros, or not.
    path.write_bytes(whole[: len(whole) * 6 // 10] + filled)
    with pytest.raises(SourceError, match=r"photo\.jpg: expected a whole image, got one without its end"):
        read_image(path)


def test_a_cut_jpeg_with_a_whole_thumbnail_is_still_cut(tmp_path):
    thumbnail = b"Exif\x00\x00" + jpeg_of(gray_frame(9, 16, 16))
    whole = jpeg_of(gray_frame(9, 64, 64))
    whole = whole[:2] + b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail + whole[2:]
    path = tmp_path / "photo.jpg"
    path.write_bytes(whole)
    assert read_image(path).shape == (64, 64, 3)
    path.write_bytes(whole[:-2] + b"\x00\x00")
    with pytest.raises(SourceError, match="without its end"):
        read_image(path)


def test_what_a_phone_puts_behind_a_jpeg_does_no_harm(tmp_path):
    path = tmp_path / "motion.jpg"
    path.write_bytes(jpeg_of(gray_frame(50)) + b"\x00" * 100 + b"the video of a motion photo")
    assert read_image(path).shape == (48, 64, 3)


def test_a_png_that_stops_is_said_to_be_cut_short(tmp_path):
    path = tmp_path / "drawing.png"
    path.write_bytes(cv2.imencode(".png", gray_frame(50))[1].tobytes()[:-20])
    with pytest.raises(SourceError, match=r"drawing\.png: .*without its end \(PNG's last chunk, IEND\)"):
        read_image(path)


def test_a_png_with_a_chunk_longer_than_the_file_is_refused_before_memory_is_taken_for_it(tmp_path):
    content = bytearray(cv2.imencode(".png", gray_frame(50))[1].tobytes())
    path = tmp_path / "drawing.png"
    path.write_bytes(content + b"what follows a PNG does no harm")
    assert read_image(path).shape == (48, 64, 3)
    place = content.index(b"IDAT") - 4
    content[place : place + 4] = b"\xff\xff\xff\x00"  # by which OpenCV takes 4 GiB
    path.write_bytes(content)
    with pytest.raises(SourceError, match="without its end"):
        read_image(path)


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


def test_a_cmyk_jpeg_has_the_colours_of_its_inks(tmp_path):
    none, full, half = (np.full((16, 24), value, np.uint8) for value in (0, 255, 128))
    path = tmp_path / "print.jpg"
    for inks, colour in (
        ((none, none, none, none), (255, 255, 255)),
        ((full, none, none, none), (255, 255, 0)),  # cyan, as BGR
        ((none, none, full, none), (0, 255, 255)),
        ((none, none, none, half), (127, 127, 127)),
    ):
        path.write_bytes(cmyk_jpeg(*inks))
        frame = read_image(path)
        assert frame.shape == (16, 24, 3)
        np.testing.assert_allclose(frame, np.broadcast_to(colour, frame.shape), atol=3)


def test_an_image_of_more_pixels_than_opencv_takes_is_named(tmp_path):
    jpeg = bytearray(jpeg_of(gray_frame(1)))
    size = jpeg.index(b"\xff\xc0") + 5
    jpeg[size : size + 4] = struct.pack(">HH", 65000, 65000)
    path = tmp_path / "vast.jpg"
    path.write_bytes(jpeg)
    with pytest.raises(SourceError, match=r"vast\.jpg: the image can't be read: .*too large"):
        read_image(path)


@pytest.mark.parametrize("name", ["clip.avi", "clip.mkv"])
def test_a_video_that_breaks_off_says_where(tmp_path, name):
    whole, cut = tmp_path / name, tmp_path / f"cut_{name}"
    writer = cv2.VideoWriter(str(whole), cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 48))
    noise = np.random.default_rng(0)
    for _ in range(50):
        writer.write(noise.integers(0, 255, (48, 64, 3), np.uint8))
    writer.release()
    with open_source(whole) as source:
        assert len(list(source)) == 50
    assert source.failures == []
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    with open_source(cut) as source:
        frames = len(list(source))
    assert 20 <= frames <= 35
    (line,) = source.failures
    assert line.startswith(f"{cut}: breaks off after frame {frames - 1} at {(frames - 1) / 10:.2f} s: ")
    assert f"expected 50 frames as the file says, got {frames}" in line


def test_an_mp4_without_its_end_is_named_as_cut_short(video):
    video.write_bytes(video.read_bytes()[: video.stat().st_size * 9 // 10])
    with pytest.raises(SourceError, match=r"clip\.mp4: .* without its index, .* cut short"):
        open_source(video)


@pytest.mark.skipif(not hasattr(cv2, "imwriteanimation"), reason="this OpenCV writes no GIF")
def test_a_video_of_varying_frame_rate_is_whole_and_keeps_its_times(tmp_path):
    path = tmp_path / "clip.gif"
    animation = cv2.Animation()
    animation.frames = [gray_frame(20 * number) for number in range(8)]
    animation.durations = np.array([100] * 4 + [300] * 4, np.int32)
    cv2.imwriteanimation(str(path), animation)
    with open_source(path) as source:
        times = [round(frame.time_s, 3) for frame in source]
    assert times == [0, 0.1, 0.2, 0.3, 0.4, 0.7, 1.0, 1.3]
    assert source.failures == []


def test_a_frame_rate_beyond_reason_is_measured(tmp_path):
    """As in a browser's WebM, which says 1000 frames/s, the unit of its times."""
    path = tmp_path / "clip.mkv"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 1000, (64, 48))
    for number in range(10):
        writer.write(gray_frame(20 * number))
    writer.release()
    stretched = path.read_bytes()
    scale = stretched.index(b"\x2a\xd7\xb1\x83")  # the length of a tick, three bytes, in nanoseconds
    tick = int.from_bytes(stretched[scale + 4 : scale + 7], "big")
    assert tick == 1_000_000
    path.write_bytes(stretched[: scale + 4] + (16 * tick).to_bytes(3, "big") + stretched[scale + 7 :])
    with open_source(path) as source:
        times = [frame.time_s for frame in source]
    assert times == pytest.approx([0.016 * number for number in range(10)], abs=1e-6)
    assert source.frame_rate == pytest.approx(62.5, rel=0.01)


def test_a_frame_rate_below_reason_is_measured(video):
    """As damage leaves it: 10 frames/s stand in an AVI as a rate over a scale, here over 2**31 - 1."""
    path = video.with_suffix(".avi")
    with VideoFile(path, frame_rate=10) as file:
        for number in range(10):
            file.write(gray_frame(20 * number), number / 10)
    content = bytearray(path.read_bytes())
    place = content.index(b"vidsMJPG") + 20  # dwScale, and then dwRate
    assert struct.unpack_from("<II", content, place) == (1, 10)
    struct.pack_into("<I", content, place, 2**31 - 1)
    path.write_bytes(content)
    with open_source(path) as source:
        assert len(list(source)) == 10
    assert 0.1 <= source.frame_rate <= 240


def test_several_images_are_read_in_their_order(tmp_path):
    for value, name in ((20, "b.png"), (10, "a.png")):
        cv2.imwrite(str(tmp_path / name), gray_frame(value))
    with open_source([str(tmp_path / "b.png"), str(tmp_path / "a.png"), str(tmp_path / "no.png")]) as source:
        assert [int(frame.pixels[0, 0, 0]) for frame in source] == [20, 10]
    assert source.kind == "images"
    assert source.failures == [f"{tmp_path / 'no.png'}: no such file."]


@pytest.mark.parametrize("other", ["-", "0", "rtsp://camera/live", "."])
def test_several_sources_must_be_images(other):
    with pytest.raises(SourceError, match="several sources must be images"):
        open_source(["a.png", other])


def test_paths_from_standard_input_are_read_as_they_come(tmp_path):
    path = tmp_path / "one.png"
    cv2.imwrite(str(path), gray_frame(7))
    asked = []

    def lines():
        for line in (f"{path}\n", "\n", "absent.png\r\n", f"{path}"):
            asked.append(line)
            yield os.fsencode(line)

    with open_source("-", lines=lines()) as source:
        frames = iter(source)
        assert (next(frames).name, asked) == (str(path), [f"{path}\n"])
        assert [(frame.name, frame.index) for frame in frames] == [(str(path), 2)]
    assert source.kind == "images"
    assert source.failures == ["absent.png: no such file."]


def test_standard_input_without_a_path_is_an_error():
    with pytest.raises(SourceError, match="standard input: expected the path of an image"):
        list(open_source("-", lines=[b"\n"]))


def test_a_file_that_this_user_may_not_read_is_named(tmp_path):
    path = tmp_path / "secret.png"
    cv2.imwrite(str(path), gray_frame(7))
    path.chmod(0)
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed").chmod(0)
    with unprivileged(tmp_path, 0o755):
        for source, line in (
            ("secret.png", "secret.png: "),
            ("closed", "closed: "),
            ("closed/x.png", "closed/x"),
        ):
            with pytest.raises(SourceError, match=r"can't be read: Permission denied") as caught:
                list(open_source(tmp_path / source))
            assert str(tmp_path / line.removesuffix(": ")) in str(caught.value)
