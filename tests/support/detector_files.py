"""Files of our own detector: the released one, else the one that `make export` wrote."""

from pathlib import Path

from runtime.detectors.ferkit import RELEASED
from runtime.networks import ENGINES_OF_SUFFIX, is_installed

ROOT = Path(__file__).parents[2]


def ferkit_files(precision):
    """Returns the exported files of a precision with each engine that is installed: (path, engine)."""
    return [
        (path, engine)
        for suffix, engines in ENGINES_OF_SUFFIX.items()
        if (path := ROOT / "artifacts" / "detectors" / f"detector_{precision}{suffix}").is_file()
        for engine in engines
        if is_installed(engine)
    ]


def find_ferkit():
    """Returns an int8 file that an engine here runs, else None."""
    for folder in (RELEASED, ROOT / "artifacts" / "detectors"):
        for suffix, engines in ENGINES_OF_SUFFIX.items():
            path = folder / f"detector_int8{suffix}"
            if path.is_file() and any(is_installed(engine) for engine in engines if engine != "opencv"):
                return path
    return None
