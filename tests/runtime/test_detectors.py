"""Detectors on the NASA portrait, and the download of YuNet's file from a server on this machine."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import cv2
import numpy as np
import pytest

from runtime import detectors
from runtime.detectors import DETECTORS, DetectorError, load_detector, load_haar, load_yunet
from runtime.detectors import haar as haar_module
from runtime.detectors import yunet_file as download
from runtime.detectors.yunet_file import cache_folder, fetch_detector

ROOT = Path(__file__).parents[2]
PORTRAIT = ROOT / "demo" / "astronaut.jpg"
PORTRAIT_FACE = (179, 63, 90, 112)  # of Eileen Collins, 512x512, as YuNet and the eye see it
YUNET_PLACES = (
    os.environ.get("FERKIT_YUNET", ""),
    ROOT.parent / "shared" / "face_detection" / download.FILE_NAME,
)

needs_haar = pytest.mark.skipif(not hasattr(cv2, "CascadeClassifier"), reason="OpenCV 5 has no Haar cascade")

DETECTOR_RESULTS = Path(__file__).parents[2] / "results" / "detectors.json"


@pytest.fixture(autouse=True)
def clean_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user with an empty cache and no settings."""
    monkeypatch.delenv("FERKIT_YUNET", raising=False)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path / "user"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def yunet_file() -> Path:
    for place in YUNET_PLACES:
        if place and Path(place).is_file():
            return Path(place)
    pytest.skip("YuNet's file is not here: name it by the environment variable FERKIT_YUNET")


@pytest.fixture(scope="session")
def portrait() -> np.ndarray:
    if not PORTRAIT.is_file():
        pytest.skip("demo/astronaut.jpg is not here")
    return cv2.imread(str(PORTRAIT))


@pytest.fixture(params=["yunet", pytest.param("haar", marks=needs_haar)])
def detector(request: pytest.FixtureRequest) -> detectors.Detector:
    if request.param == "haar":
        return load_haar()
    return load_yunet(request.getfixturevalue("yunet_file"))


def overlap(box: np.ndarray, other: tuple[float, ...]) -> float:
    """Intersection over union of two boxes."""
    corner = np.maximum(box[:2], other[:2])
    far_corner = np.minimum(box[:2] + box[2:4], np.add(other[:2], other[2:4]))
    shared = np.prod(np.maximum(far_corner - corner, 0))
    return float(shared / (box[2] * box[3] + other[2] * other[3] - shared))


# --- boxes -----------------------------------------------------------------------------------------


def test_the_portrait_has_one_face_and_it_is_found(detector, portrait):
    boxes = detector(portrait)
    assert boxes.shape == (1, 5)
    assert boxes.dtype == np.float32
    assert overlap(boxes[0], PORTRAIT_FACE) > 0.6
    assert 0.5 < boxes[0, 4] <= 1


def test_two_faces_come_with_the_surer_first(detector, portrait):
    blurred = cv2.GaussianBlur(portrait, (0, 0), 2)
    boxes = detector(np.hstack([blurred, portrait]))
    assert len(boxes) == 2
    assert boxes[0, 4] >= boxes[1, 4]
    assert sorted(int(x // 512) for x in boxes[:, 0]) == [0, 1]


def test_a_frame_without_a_face_gives_no_box(detector):
    boxes = detector(np.full((480, 640, 3), 127, np.uint8))
    assert boxes.shape == (0, 5)
    assert boxes.dtype == np.float32


@pytest.mark.parametrize("scale", [0.4, 1, 3])
def test_boxes_are_in_pixels_of_the_frame_whatever_its_size(detector, portrait, scale):
    frame = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    boxes = detector(frame)
    assert len(boxes) == 1
    assert overlap(boxes[0] / [scale, scale, scale, scale, 1], PORTRAIT_FACE) > 0.6


def test_the_frames_size_may_change_between_calls(detector, portrait):
    alone = detector(portrait)
    detector(portrait[:300, 100:400])
    detector(np.zeros((90, 1000, 3), np.uint8))
    assert np.array_equal(detector(portrait), alone)


def test_the_frame_is_left_as_it_was(detector, portrait):
    frame = portrait.copy()
    detector(frame)
    assert np.array_equal(frame, portrait)


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (700, 1), (3, 5), (47, 31), (30, 300), (300, 30)])
def test_a_tiny_or_narrow_frame_gives_no_box_and_no_error(detector, size):
    noise = np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8)
    assert detector(noise).shape == (0, 5)


def test_a_frame_cut_tightly_around_the_face_still_gives_it(detector, portrait):
    x, y, width, height = PORTRAIT_FACE
    tight = portrait[y - 10 : y + height, x - 12 : x + width + 12]
    boxes = detector(tight)
    assert len(boxes) == 1
    assert overlap(boxes[0], (12, 10, width, height)) > 0.6


def test_a_face_image_of_48_pixels_is_found(detector, portrait):
    x, y = PORTRAIT_FACE[:2]
    face = cv2.resize(portrait[y - 6 : y + 118, x - 17 : x + 107], (48, 48), interpolation=cv2.INTER_AREA)
    boxes = detector(face)
    assert len(boxes) == 1
    assert overlap(boxes[0], (6, 3, 36, 42)) > 0.5


def test_a_face_in_a_panorama_is_found(yunet_file, portrait):
    panorama = np.full((300, 2400, 3), 120, np.uint8)
    panorama[:, 1000:1512] = portrait[:300]
    boxes = load_yunet(yunet_file)(panorama)
    assert len(boxes) == 1
    assert overlap(boxes[0] - [1000, 0, 0, 0, 0], PORTRAIT_FACE) > 0.6


@pytest.mark.parametrize("shape", [(40, 40000, 3), (40000, 40, 3)])
def test_a_strip_of_any_length_is_searched(detector, shape):
    assert detector(np.full(shape, 120, np.uint8)).shape == (0, 5)


def test_a_view_that_is_not_contiguous_gives_the_boxes_of_its_copy(detector, portrait):
    view = portrait[::2, ::2]
    assert np.array_equal(detector(view), detector(view.copy()))


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((48, 48), np.uint8),
        np.zeros((48, 48, 4), np.uint8),
        np.zeros((48, 48, 3), np.float32),
        np.zeros((0, 48, 3), np.uint8),
    ],
)
def test_what_is_not_a_colour_frame_is_refused_with_its_shape_and_type(detector, frame):
    with pytest.raises(ValueError, match=r"expected a frame of uint8 BGR \(height, width, 3\)") as caught:
        detector(frame)
    assert str(frame.shape) in str(caught.value)
    assert str(frame.dtype) in str(caught.value)


def test_threads_that_share_a_detector_get_the_boxes_of_their_own_frames(detector, portrait):
    frames = [portrait[:300, 100:400], portrait[40:240, 150:300], np.zeros((200, 300, 3), np.uint8)] * 4
    alone = [detector(frame) for frame in frames]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(detector, frames))
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


def test_the_number_of_opencv_threads_is_left_as_it_was(detector, portrait):
    before = cv2.getNumThreads()
    detector(portrait)
    assert cv2.getNumThreads() == before


# --- choice ----------------------------------------------------------------------------------------


def test_a_detector_carries_the_name_of_its_crop_rule(detector):
    assert {"yunet": load_yunet, "haar": load_haar} == DETECTORS
    assert detector.name in DETECTORS


def test_an_unknown_detector_is_refused_with_the_names_that_exist():
    with pytest.raises(DetectorError, match=r"yunet, haar or the path of a YuNet \.onnx file, got 'retina'"):
        load_detector("retina")


def test_the_path_of_a_yunet_file_is_a_detector(yunet_file):
    assert load_detector(yunet_file).name == "yunet"
    assert load_detector(str(yunet_file)).name == "yunet"


def test_a_path_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(DetectorError, match=r"mine\.onnx: expected YuNet's file, got No such file"):
        load_detector(tmp_path / "mine.onnx")


def test_a_file_that_is_no_yunet_is_named(tmp_path):
    (tmp_path / "mine.onnx").write_bytes(b"<html>Not Found</html>")
    with pytest.raises(DetectorError, match=r"mine\.onnx: expected a YuNet model that OpenCV .* runs"):
        load_detector(tmp_path / "mine.onnx")


def test_a_git_lfs_pointer_is_named_as_no_yunet(tmp_path):
    (tmp_path / "mine.onnx").write_text("version https://git-lfs.github.com/spec/v1\nsize 232589\n")
    with pytest.raises(DetectorError, match=r"mine\.onnx: expected a YuNet model"):
        load_detector(tmp_path / "mine.onnx")


def test_a_path_with_letters_outside_ascii_works(yunet_file, tmp_path):
    copy = tmp_path / "Gesichtsgröße 顔.onnx"
    copy.write_bytes(yunet_file.read_bytes())
    assert load_detector(copy).name == "yunet"


def test_the_environment_names_the_file(yunet_file, monkeypatch):
    monkeypatch.setenv("FERKIT_YUNET", str(yunet_file))
    assert load_detector(offline=True).name == "yunet"
    assert load_detector("yunet", offline=True).name == "yunet"


@pytest.mark.parametrize("name", [None, "yunet"])
def test_a_wrong_file_in_the_environment_is_an_error_and_not_a_reason_for_haar(monkeypatch, tmp_path, name):
    monkeypatch.setenv("FERKIT_YUNET", str(tmp_path / "gone.onnx"))
    with pytest.raises(DetectorError, match=r"gone\.onnx \(from the environment variable FERKIT_YUNET\)"):
        load_detector(name, offline=True)


def test_yunet_offline_without_its_file_says_how_to_get_it():
    with pytest.raises(DetectorError, match=r"offline forbids the download.*ferkit fetch-detector"):
        load_detector("yunet", offline=True)


@needs_haar
def test_without_yunet_haar_takes_over_and_one_line_says_what_it_costs():
    lines: list[str] = []
    assert load_detector(offline=True, announce=lines.append).name == "haar"
    assert len(lines) == 1
    assert "Haar" in lines[0]
    assert "%" in lines[0]
    assert "ferkit fetch-detector" in lines[0]


@needs_haar
def test_the_line_goes_to_standard_error_where_nobody_takes_it(capsys):
    load_detector(offline=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1


@needs_haar
def test_haar_asked_for_by_name_says_nothing():
    lines: list[str] = []
    assert load_detector("haar", announce=lines.append).name == "haar"
    assert lines == []


@needs_haar
def test_a_missing_cascade_is_named_with_the_folders_searched():
    with pytest.raises(DetectorError, match=r"haarcascade_frontalface_alt9\.xml in .*data.* got none"):
        load_haar(cascade="alt9")


@needs_haar
def test_without_both_detectors_one_line_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(haar_module, "CASCADE_FOLDERS", (tmp_path,))
    with pytest.raises(DetectorError) as caught:
        load_detector(offline=True)
    line = str(caught.value)
    assert "\n" not in line
    assert "offline forbids the download. Run `ferkit fetch-detector` once with a network, or name" in line
    assert "Haar can't take its place: Expected haarcascade_frontalface_alt2.xml in" in line
    assert "use haar" not in line


@pytest.mark.skipif(hasattr(cv2, "CascadeClassifier"), reason="this OpenCV has the Haar cascade")
@pytest.mark.parametrize("name", [None, "haar"])
def test_opencv_5_without_yunet_says_what_to_do(name):
    with pytest.raises(DetectorError, match=r"no Haar cascade.*ferkit fetch-detector.*opencv-python<5"):
        load_detector(name, offline=True)


# --- download --------------------------------------------------------------------------------------

PAYLOAD = bytes(range(256)) * 900


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Another file in the place of YuNet's, so that the download is tested where that is missing."""
    monkeypatch.setattr(download, "FILE_BYTES", len(PAYLOAD))
    monkeypatch.setattr(download, "FILE_SHA256", hashlib.sha256(PAYLOAD).hexdigest())
    return PAYLOAD


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """A function that serves bytes, by a status and with a pause before each of its parts, at an address."""
    servers = []

    def start(content: bytes, *, status: int = 200, announced: int | None = None, pause_s: float = 0) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked += 1
                self.send_response(status)
                self.send_header("Content-Length", str(len(content) if announced is None else announced))
                self.end_headers()
                for start in range(0, len(content), 20_000):
                    if server.stopped.wait(pause_s):
                        return
                    try:
                        self.wfile.write(content[start : start + 20_000])
                        self.wfile.flush()
                    except OSError:
                        return  # The client has given up, as it should.

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.asked, server.stopped = 0, threading.Event()
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/yunet.onnx"

    start.servers = servers
    yield start
    for server in servers:
        server.stopped.set()
        server.shutdown()
        server.server_close()


def test_the_file_is_downloaded_once_checked_kept_and_said_in_one_line(pinned, serve):
    lines: list[str] = []
    address = serve(pinned)
    path = fetch_detector(announce=lines.append, addresses=[address])
    assert path == cache_folder() / download.FILE_NAME
    assert path.read_bytes() == pinned
    assert fetch_detector(announce=lines.append, addresses=[address]) == path
    assert serve.servers[0].asked == 1
    assert len(lines) == 1
    assert str(path) in lines[0]
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_the_real_file_is_the_pinned_one(yunet_file, serve):
    path = fetch_detector(announce=[].append, addresses=[serve(yunet_file.read_bytes())])
    assert path.stat().st_size == 232_589
    assert load_detector(offline=True).name == "yunet"


@pytest.mark.parametrize(
    ("content", "status", "announced", "reason"),
    [
        (PAYLOAD[:-1] + b"!", 200, None, "expected SHA-256"),
        (PAYLOAD[:1000], 200, None, "expected 230400 bytes, got 1000"),
        (PAYLOAD[:1000], 200, len(PAYLOAD), "expected 230400 bytes, got 1000"),
        (PAYLOAD + b"more", 200, None, "expected 230400 bytes, got more than 230400"),
        (b"version https://git-lfs.github.com/spec/v1", 200, None, "expected 230400 bytes, got 42"),
        (b"", 200, None, "expected 230400 bytes, got 0"),
        (b"gone", 404, None, "Not Found"),
    ],
)
def test_another_file_is_refused_with_the_reason_and_not_kept(
    pinned, serve, content, status, announced, reason
):
    address = serve(content, status=status, announced=announced)
    with pytest.raises(DetectorError) as caught:
        fetch_detector(announce=[].append, addresses=[address])
    assert f"{address}: {reason}" in str(caught.value)
    assert not (cache_folder() / download.FILE_NAME).exists()


def test_the_next_address_is_tried_where_one_fails(pinned, serve):
    wrong, right = serve(PAYLOAD[::-1]), serve(pinned)
    assert fetch_detector(announce=[].append, addresses=[wrong, right]).read_bytes() == pinned


def test_an_address_without_an_answer_is_given_up(pinned, serve):
    slow, right = serve(pinned, pause_s=30), serve(pinned)
    begun = time.monotonic()
    path = fetch_detector(announce=[].append, addresses=[slow, right], connect_timeout_s=0.3)
    assert path.read_bytes() == pinned
    assert time.monotonic() - begun < 5


def test_a_download_that_drips_ends_with_the_time_in_all(pinned, serve):
    begun = time.monotonic()
    with pytest.raises(DetectorError, match=r"could not be downloaded"):
        fetch_detector(announce=[].append, addresses=[serve(pinned, pause_s=0.3)], timeout_s=0.7)
    assert time.monotonic() - begun < 5
    assert not (cache_folder() / download.FILE_NAME).exists()


@pytest.mark.parametrize("damage", [lambda data: data[:-500], lambda data: b"X" + data[1:], lambda data: b""])
def test_a_damaged_cached_file_is_replaced_with_a_line(pinned, serve, damage):
    lines: list[str] = []
    path = cache_folder() / download.FILE_NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(damage(pinned))
    assert fetch_detector(announce=lines.append, addresses=[serve(pinned)]).read_bytes() == pinned
    assert "damaged" in lines[0]


def test_a_cached_file_that_was_altered_is_not_used_offline(yunet_file):
    path = cache_folder() / download.FILE_NAME
    path.parent.mkdir(parents=True)
    path.write_bytes(yunet_file.read_bytes()[:-1] + b"\0")
    with pytest.raises(DetectorError, match=r"offline"):
        load_detector("yunet", offline=True)


@needs_haar
def test_haar_takes_over_where_the_download_fails(monkeypatch):
    monkeypatch.setattr(download, "ADDRESSES", ["http://127.0.0.1:9/yunet.onnx"])  # nobody listens there
    lines: list[str] = []
    assert load_detector(announce=lines.append).name == "haar"
    assert len(lines) == 2
    assert "Downloading" in lines[0]
    assert "Haar" in lines[1]


def test_a_cache_that_cannot_be_written_is_named(pinned, serve):
    cache_folder().parent.mkdir(parents=True)
    cache_folder().write_text("a file where the folder should be")
    with pytest.raises(DetectorError, match=r"downloaded but cannot be kept"):
        fetch_detector(announce=[].append, addresses=[serve(pinned)])


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/c"}, "/c/ferkit"),
        ("linux", {"XDG_CACHE_HOME": "not/absolute"}, "/home/ann/.cache/ferkit"),
        ("linux", {}, "/home/ann/.cache/ferkit"),
        ("darwin", {"XDG_CACHE_HOME": "/c"}, "/home/ann/Library/Caches/ferkit"),
        ("win32", {"LOCALAPPDATA": "/Local"}, "/Local/ferkit"),
        ("win32", {}, "/home/ann/AppData/Local/ferkit"),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="the paths are POSIX paths")
def test_the_cache_folder_is_where_the_system_keeps_caches(monkeypatch, platform, variables, expected):
    monkeypatch.setattr(sys, "platform", platform)
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/ann")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(expected)


@needs_haar
def test_the_warning_that_haar_takes_over_says_why_and_what_was_measured(monkeypatch, tmp_path):
    monkeypatch.delenv("FERKIT_YUNET", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    lines: list[str] = []
    load_detector(offline=True, announce=lines.append)
    (line,) = lines
    assert f"({tmp_path / 'ferkit'}: expected YuNet's file, got none, and offline forbids" in line
    measured = {row["name"]: row for row in json.loads(DETECTOR_RESULTS.read_text())["variants"]}
    yunet, haar = measured["YuNet, 320 px (the default)"], measured["Haar, as released"]
    assert (
        f"finds {haar['found']:.0%} of them where YuNet finds {yunet['found']:.0%}".replace("%", " %") in line
    )
    assert f"in {haar['median_ms'] / yunet['median_ms']:.0f} times the time" in line
