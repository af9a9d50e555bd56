"""Build and test the Java library: `python -m android.build`.

Leaves `build/android/ferkit-core.jar`. Needs a JDK, and for the tests JUnit 4 and JNA, as Debian packages
them: `apt-get install openjdk-17-jdk-headless junit4 libhamcrest-java libjna-java`.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
CORE = ROOT / "android" / "core" / "src"
OUT = ROOT / "build" / "android"

JAVA_RELEASE = 8  # what every Android build tool reads
JARS = Path("/usr/share/java")  # where Debian's packages put them
# A file that is needed: the Debian package that brings it.
TEST_JARS = {"junit4.jar": "junit4", "hamcrest.jar": "libhamcrest-java", "jna.jar": "libjna-java"}
# For short runs: compiling bytecode well takes longer than these tests.
SHORT_RUN = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


class BuildError(Exception):
    """A tool is missing, or it refused its input."""


def missing_tools() -> str | None:
    """What is missing to build and test the library, and what installs it; None where nothing is."""
    missing = {name: "openjdk-17-jdk-headless" for name in ("javac", "java") if not shutil.which(name)}
    missing |= {name: package for name, package in TEST_JARS.items() if not (JARS / name).exists()}
    if not missing:
        return None
    packages = " ".join(dict.fromkeys(missing.values()))
    return f"The Java library needs {', '.join(missing)}: apt-get install {packages}"


def litert_library() -> Path | None:
    """LiteRT's C library, which the package ai-edge-litert holds; None where it is not installed."""
    package = importlib.util.find_spec("ai_edge_litert")
    folders = (package.submodule_search_locations if package else None) or []
    paths = [Path(folder) / "libLiteRt.so" for folder in folders]
    return next((path for path in paths if path.exists()), None)


def build_core(out: Path) -> Path:
    """Compile `android/core` and pack it; returns the jar, the same bytes from the same sources and JDK."""
    classes = _compile(CORE / "main", out / "core", lint=("-Xdoclint:all,-missing",))
    jar = out / "ferkit-core.jar"
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(classes.rglob("*.class")):
            entry = zipfile.ZipInfo(path.relative_to(classes).as_posix())  # dated 1980
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return jar


def test_core(jar: Path, out: Path) -> str:
    """Run the library's JUnit tests; returns their report.

    Model files are run where LiteRT's C library is at hand, and their scores written to `out/scores.txt`.
    Raises `BuildError` with the report where a test fails.
    """
    libraries = [jar, *(JARS / name for name in TEST_JARS)]
    classes = _compile(CORE / "test", out / "core_test", classpath=libraries)
    names = sorted(path.stem for path in (CORE / "test").rglob("*Test.java"))
    library = litert_library()
    return _run(
        ["java", *SHORT_RUN, "-cp", _joined([*libraries, classes]), f"-Dferkit.root={ROOT}"]
        + ([f"-Dferkit.litert={library}", f"-Dferkit.scores={out / 'scores.txt'}"] if library else [])
        + ["org.junit.runner.JUnitCore", *(f"io.github.ferkit.{name}" for name in names)]
    )


def _compile(
    sources: Path, classes: Path, *, classpath: Sequence[Path] = (), lint: Sequence[str] = ()
) -> Path:
    """Compile a folder of Java into an empty folder of classes; a warning is an error."""
    shutil.rmtree(classes, ignore_errors=True)
    classes.mkdir(parents=True)
    command = ["javac", *(f"-J{flag}" for flag in SHORT_RUN), "--release", str(JAVA_RELEASE)]
    # JDK 21 and newer warn that release 8 is old.
    command += ["-encoding", "UTF-8", "-Xlint:all,-options", "-Werror", *lint, "-d", str(classes)]
    command += ["-cp", _joined(classpath)] if classpath else []
    _run([*command, *(str(path) for path in sorted(sources.rglob("*.java")))])
    return classes


def _joined(classpath: Sequence[Path]) -> str:
    return ":".join(str(path) for path in classpath)


def _run(command: Sequence[str]) -> str:
    """Run a tool; returns what it printed, or raises `BuildError` with it."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise BuildError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> int:
    if reason := missing_tools():
        print(reason, file=sys.stderr)
        return 1
    OUT.mkdir(parents=True, exist_ok=True)
    try:
        jar = build_core(OUT)
        report = test_core(jar, OUT)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{jar.relative_to(ROOT)}: {jar.stat().st_size} bytes")
    print(next(line for line in report.splitlines() if line.startswith("OK")))
    if litert_library() is None:
        print("Model files were not run: pip install ai-edge-litert brings the library that runs them.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
