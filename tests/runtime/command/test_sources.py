"""Sources: images, folders, globs, lists and videos; a line for what can't be read."""

import os
import struct
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import cv2
import numpy as np
import pytest

from runtime.command.open_source import open_source
from runtime.command.video_file import VideoFile
from runtime.images import SourceError
from tests.support.devices import serving
from tests.support.image_files import gray_frame
from tests.support.privileges import unprivileged


@pytest.fixture
def video(tmp_path):
    """Ten frames of 0, 20, ... 180 gray at 10 frames/s."""
    path = tmp_path / "clip.mp4"
    with VideoFile(path, frame_rate=10) as file:
        for number in range(10):
            file.write(gray_frame(20 * number), number / 10)
    return path


def test_an_image_is_one_frame(tmp_path):
    path = tmp_path / "one.png"
    cv2.imwrite(str(path), gray_frame(7))
    with open_source(path) as source:
        (frame,) = source
    assert (source.kind, source.frame_count, source.failures) == ("image", 1, [])
    assert (frame.name, frame.index, frame.time_s) == (str(path), 0, 0.0)
    np.testing.assert_array_equal(frame.pixels, gray_frame(7))


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


def test_a_folder_without_images_is_named(tmp_path):
    with pytest.raises(SourceError, match="expected images in the folder"):
        open_source(tmp_path)


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


def test_a_video_whose_index_a_web_server_does_not_reach_has_its_own_advice(tmp_path):
    path = tmp_path / "clip.mp4"  # with its index at the end
    with VideoFile(path, frame_rate=10) as file:
        for number in range(60):
            noise = np.random.default_rng(number).integers(0, 256, (240, 320, 3))
            file.write(noise.astype(np.uint8), number / 10)
    OneFile.content = path.read_bytes()
    with serving(OneFile) as server:
        address = f"{server}/clip.mp4"
        with pytest.raises(SourceError) as caught, open_source(address, retry_s=0) as source:
            list(source)
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
    with serving(OneFile) as server, open_source(f"{server}/clip.avi") as source:
        grays = [float(frame.pixels.mean()) for frame in source]
    assert (source.kind, source.failures) == ("video", [])
    assert grays == pytest.approx([20 * number for number in range(10)], abs=4)


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
