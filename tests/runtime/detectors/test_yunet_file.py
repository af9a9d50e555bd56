"""The download of YuNet's file from a server on this machine."""

from __future__ import annotations

import hashlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from runtime.detectors import DetectorError, load_detector
from runtime.detectors import yunet_file as download
from runtime.detectors.yunet_file import cache_folder, fetch_detector

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
    assert load_detector("yunet", offline=True).name == "yunet"


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
