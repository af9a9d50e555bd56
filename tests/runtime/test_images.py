"""Image files: their pixels as a frame, and the message about a file that is none."""

import struct
from pathlib import Path

import cv2
import numpy as np
import pytest

from runtime.command.open_source import open_source
from runtime.images import SourceError, read_image
from tests.support.image_files import cmyk_jpeg, gray_frame, jpeg_of, with_orientation

IMAGE = Path(__file__).parents[2] / "demo" / "astronaut.jpg"


@pytest.fixture
def corner():
    """An image 6 high and 4 wide whose upper left pixel alone is white."""
    image = np.zeros((6, 4, 3), np.uint8)
    image[0, 0] = 255
    return image


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
def test_a_video_instead_of_an_image_is_named_with_what_reads_it(tmp_path, start):
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


@pytest.mark.parametrize(
    "start",
    [
        b"\x00\x00\x00\x20ftypavif\x00\x00",
        b"\x00\x00\x00\x18ftypcrx \x00\x00",  # CR3
        b"RIFF\x00\xff\x00\x00WEBPVP8 ",
    ],
)
def test_a_damaged_image_is_not_called_a_video(tmp_path, start):
    (tmp_path / "x").write_bytes(start)
    with pytest.raises(SourceError, match="got one that is damaged or cut short"):
        read_image(tmp_path / "x")


@pytest.mark.parametrize("progressive", [0, 1])
@pytest.mark.parametrize("filled", [b"", b"\x00" * 20_000])
def test_a_jpeg_without_its_end_is_refused(tmp_path, progressive, filled):
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


def test_a_png_without_its_end_is_refused(tmp_path):
    path = tmp_path / "drawing.png"
    path.write_bytes(cv2.imencode(".png", gray_frame(50))[1].tobytes()[:-20])
    with pytest.raises(SourceError, match=r"drawing\.png: .*without its end \(PNG's last chunk, IEND\)"):
        read_image(path)


def test_a_png_with_a_chunk_longer_than_the_file_takes_no_memory(tmp_path):
    content = bytearray(cv2.imencode(".png", gray_frame(50))[1].tobytes())
    path = tmp_path / "drawing.png"
    path.write_bytes(content + b"what follows a PNG does no harm")
    assert read_image(path).shape == (48, 64, 3)
    place = content.index(b"IDAT") - 4
    content[place : place + 4] = b"\xff\xff\xff\x00"  # by which OpenCV takes 4 GiB
    path.write_bytes(content)
    with pytest.raises(SourceError, match="without its end"):
        read_image(path)


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
