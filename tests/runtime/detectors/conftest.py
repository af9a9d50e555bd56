"""A user without settings, YuNet's file, a detector of each kind, the portrait."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from runtime import detectors
from runtime.detectors import load_ferkit, load_haar, load_yunet
from tests.support.detector_files import find_ferkit
from tests.support.yunet import find_yunet, needs_haar

ROOT = Path(__file__).parents[3]
PORTRAIT = ROOT / "demo" / "astronaut.jpg"
YUNET = find_yunet()  # before the user's settings are taken away


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
    return YUNET or pytest.skip("YuNet's file is not here: name it by the environment variable FERKIT_YUNET")


@pytest.fixture(scope="session")
def portrait() -> np.ndarray:
    if not PORTRAIT.is_file():
        pytest.skip("demo/astronaut.jpg is not here")
    return cv2.imread(str(PORTRAIT))


@pytest.fixture(scope="session")
def ferkit_file() -> Path:
    return find_ferkit() or pytest.skip("our detector is not here: make export writes it")


@pytest.fixture(params=["ferkit", "yunet", pytest.param("haar", marks=needs_haar)])
def detector(request: pytest.FixtureRequest) -> detectors.Detector:
    if request.param == "haar":
        return load_haar()
    if request.param == "ferkit":  # at any threshold: how sure the weights are is measured elsewhere
        return load_ferkit(request.getfixturevalue("ferkit_file"), min_confidence=0.6)
    return load_yunet(request.getfixturevalue("yunet_file"))
