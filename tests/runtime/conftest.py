"""Small images and videos that the runtime's tests share."""

import cv2
import numpy as np
import pytest

from runtime.command.video_file import VideoFile
from tests.support.command import small_portrait


@pytest.fixture(scope="session")
def portrait():
    """The face of the demo's image, 160 pixels square."""
    return small_portrait()


@pytest.fixture
def photo(tmp_path, portrait):
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), portrait)
    return path


@pytest.fixture
def clip(tmp_path, portrait):
    """Five frames with a face, one without, at 10 frames/s."""
    path = tmp_path / "clip.mp4"
    with VideoFile(path, frame_rate=10) as video:
        for number in range(6):
            video.write(portrait if number < 5 else np.full_like(portrait, 128), number / 10)
    return path


@pytest.fixture(scope="session")
def long_clip(tmp_path_factory, portrait):
    """1500 frames with a face, more than a run labels before a test stops it."""
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    with VideoFile(path, frame_rate=10) as video:
        for number in range(1500):
            video.write(portrait, number / 10)
    return path
