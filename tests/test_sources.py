"""Sources: every frame of a file, the newest of a camera, and a line for what can't be read."""

import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from runtime.outputs import VideoFile
from runtime.sources import Live, SourceError, open_source, read_picture


def gray_frame(value, height=48, width=64):
    return np.full((height, width, 3), value, np.uint8)


@pytest.fixture
def corner():
    """A picture 6 high and 4 wide whose upper left pixel alone is white."""
    picture = np.zeros((6, 4, 3), np.uint8)
    picture[0, 0] = 255
    return picture


@pytest.fixture
def video(tmp_path):
    """Ten frames of 0, 20, ... 180 gray at 10 frames/s."""
    path = tmp_path / "clip.mp4"
    with VideoFile(path, frame_rate=10) as file:
        for number in range(10):
            file.write(gray_frame(20 * number), number / 10)
    return path


def test_a_picture_is_one_sample(tmp_path):
    path = tmp_path / "one.png"
    cv2.imwrite(str(path), gray_frame(7))
    with open_source(path) as source:
        (sample,) = source
    assert (source.kind, source.frame_count, source.failures) == ("picture", 1, [])
    assert (sample.name, sample.index, sample.time_s) == (str(path), 0, 0.0)
    np.testing.assert_array_equal(sample.frame, gray_frame(7))


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
def test_every_kind_of_picture_becomes_bgr_of_8_bits(tmp_path, kind, stored):
    path = tmp_path / f"{kind}.png"
    cv2.imwrite(str(path), stored)
    np.testing.assert_array_equal(read_picture(path), np.full((5, 6, 3), 100, np.uint8))


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
    picture = np.zeros((64, 32, 3), np.uint8)
    picture[:16, :16] = 255
    path = tmp_path / "photo.jpg"
    path.write_bytes(with_orientation(cv2.imencode(".jpg", picture)[1].tobytes(), orientation))
    frame = read_picture(path)
    assert frame.shape == shape
    corners = [(row, column) for row in (0, shape[0] - 1) for column in (0, shape[1] - 1)]
    assert [corner for corner in corners if frame[corner].min() > 200] == [white]


def test_a_name_with_letters_of_any_language_is_read(tmp_path, corner):
    path = tmp_path / "Gesicht ä 顔.png"
    path.write_bytes(cv2.imencode(".png", corner)[1].tobytes())
    np.testing.assert_array_equal(read_picture(path), corner)


def test_a_folder_gives_its_pictures_by_name_and_nothing_else(tmp_path):
    for value, name in ((30, "c.png"), (10, "a.PNG"), (20, "b.bmp")):
        (tmp_path / name).write_bytes(cv2.imencode(Path(name).suffix.lower(), gray_frame(value))[1].tobytes())
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "deeper.png").mkdir()
    with open_source(tmp_path) as source:
        found = [(Path(sample.name).name, sample.index, int(sample.frame[0, 0, 0])) for sample in source]
    assert found == [("a.PNG", 0, 10), ("b.bmp", 1, 20), ("c.png", 2, 30)]
    assert (source.kind, source.frame_count) == ("pictures", 3)


def test_a_glob_gives_what_matches_also_in_folders_below(tmp_path):
    (tmp_path / "below").mkdir()
    for name in ("one.png", "below/two.png", "three.bmp"):
        cv2.imwrite(str(tmp_path / name), gray_frame(1))
    with open_source(f"{tmp_path}/**/*.png") as source:
        assert sorted(Path(sample.name).name for sample in source) == ["one.png", "two.png"]


def test_in_a_folder_an_unreadable_picture_is_named_and_the_rest_go_on(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), gray_frame(1))
    (tmp_path / "b.png").write_bytes(b"not a picture")
    (tmp_path / "c.png").write_bytes(b"")
    cv2.imwrite(str(tmp_path / "d.png"), gray_frame(2))
    lines = []
    with open_source(tmp_path, announce=lines.append) as source:
        assert [Path(sample.name).name for sample in source] == ["a.png", "d.png"]
    assert lines == source.failures
    assert [line.partition(": ")[0] for line in lines] == [str(tmp_path / "b.png"), str(tmp_path / "c.png")]
    assert "got an empty file" in lines[1]


def test_a_video_gives_every_frame_with_its_time(video):
    with open_source(video) as source:
        samples = list(source)
    assert (source.kind, source.frame_rate, source.frame_count) == ("video", 10.0, 10)
    assert [sample.index for sample in samples] == list(range(10))
    assert [sample.time_s for sample in samples] == pytest.approx([number / 10 for number in range(10)])
    grays = [float(sample.frame.mean()) for sample in samples]
    assert grays == pytest.approx([20 * number for number in range(10)], abs=4)
    assert samples[0].frame.shape == (48, 64, 3)


def test_a_picture_is_known_by_its_content_where_the_suffix_says_nothing(tmp_path):
    path = tmp_path / "upload"
    path.write_bytes(cv2.imencode(".png", gray_frame(9))[1].tobytes())
    with open_source(path) as source:
        assert source.kind == "picture"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.jpg", None, "no such file or folder"),
        ("text.mp4", b"this is no video" * 100, "expected a picture or a video that OpenCV reads"),
        ("notes.txt", b"hello", "expected a picture or a video that OpenCV reads"),
        ("broken.jpg", b"\xff\xd8\xff\xe0 and then nothing", "expected a picture that OpenCV reads"),
        ("empty.png", b"", "expected a picture, got an empty file"),
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


def test_a_folder_without_pictures_is_named(tmp_path):
    with pytest.raises(SourceError, match="expected pictures in the folder"):
        open_source(tmp_path)


@pytest.mark.parametrize(
    ("source", "name"), [(97, "camera 97"), ("97", "camera 97"), ("/dev/video97", "/dev/video97")]
)
def test_a_camera_that_is_not_there_is_named(source, name):
    with pytest.raises(SourceError, match=f"^{name}: can't be opened. Is it plugged in"):
        open_source(source)


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
        samples = iter(source)
        camera.go.release()
        first = next(samples)
        camera.waiting.acquire()  # the first read
        camera.waiting.acquire()  # the second waits
        camera.give(4)
        second = next(samples)
        assert (first.index, int(first.frame[0, 0, 0])) == (0, 0)
        assert (second.index, int(second.frame[0, 0, 0])) == (4, 4)
        assert source.dropped == 3
        camera.go.release()
    assert camera.released


def test_the_time_of_a_camera_counts_from_its_start():
    times = iter([100.0, 100.5, 101.25])
    camera = Camera([gray_frame(1), gray_frame(2)])
    with open_camera(camera, clock=lambda: next(times)) as source:
        samples = iter(source)
        camera.go.release()
        assert next(samples).time_s == 0.5
        camera.go.release()
        assert next(samples).time_s == 1.25
        camera.go.release()


def test_a_camera_that_stops_is_a_failure_after_its_last_frame():
    camera = Camera([gray_frame(1)])
    lines = []
    with open_camera(camera, announce=lines.append) as source:
        camera.go.release(2)
        assert [sample.index for sample in source] == [0]
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


def test_an_error_of_the_device_reaches_the_one_who_iterates():
    def read():
        raise RuntimeError("cable pulled")

    with (
        pytest.raises(SourceError, match="camera 5: can't be read: cable pulled"),
        Live("camera 5", read) as source,
    ):
        list(source)


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
    """Serves 12 frames as an IP camera does."""

    def do_GET(self):
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
    server = ThreadingHTTPServer(("127.0.0.1", 0), MotionJpeg)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with open_source(f"http://127.0.0.1:{server.server_port}/camera.mjpg") as source:
            samples = list(source)
    finally:
        server.shutdown()
        server.server_close()
    assert source.kind == "live"
    assert all(abs(float(sample.frame.mean()) - 50) < 3 for sample in samples)
    assert samples[-1].index + 1 == len(samples) + source.dropped
    assert 8 <= len(samples) + source.dropped <= 12  # the decoder may keep the last ones
    assert len(source.failures) == 1
