"""What more than one test file needs and takes long to make."""

import signal

import pytest

from dataset.fer2013 import OFFICIAL_SHA256, Dataset
from dataset.load import load_dataset
from dataset.locate import DatasetError, find_dataset
from tests.support.summary import pytest_terminal_summary  # noqa: F401 - a hook that pytest looks up here

# A job that a shell starts in the background ignores Ctrl-C, and so does all that it starts: the tests that
# send it need the default.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):  # likewise under nohup
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def fer2013() -> Dataset:
    """The real FER2013, read once for all tests; reading it takes 8 s."""
    try:
        find_dataset()
    except DatasetError:
        pytest.skip("needs FER2013, in the environment variable FER2013 or in ../shared/fer2013")
    dataset = load_dataset()
    if dataset.sha256 != OFFICIAL_SHA256:
        pytest.skip(f"needs the official fer2013.csv, got {dataset.path} with sha256 {dataset.sha256}")
    return dataset
