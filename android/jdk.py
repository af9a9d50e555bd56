"""The JDK's tools: Java compiled, packed the same in every build, and run."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

JAVA_RELEASE = 8  # what every Android build tool reads
JARS = Path("/usr/share/java")  # where Debian's packages put them
# Of the tests: a file, and the Debian package that has it.
TEST_JARS = {"junit4.jar": "junit4", "hamcrest.jar": "libhamcrest-java", "jna.jar": "libjna-java"}
# For short runs: to compile bytecode well takes longer than these tests.
SHORT_RUN = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
DOCUMENTED = ("-Xdoclint:all,-missing",)


class BuildError(Exception):
    """A tool refused its input.

    Attributes:
        tool: Its name.
        output: What it printed.
    """

    def __init__(self, tool: str, output: str) -> None:
        """Keeps the tool and its output."""
        super().__init__(f"{tool} failed:\n{output}")
        self.tool, self.output = tool, output


def missing_tools() -> str | None:
    """Returns what is missing to build and test the library, and what installs it; None where nothing is."""
    missing = {name: "default-jdk-headless" for name in ("javac", "java") if not shutil.which(name)}
    missing |= {name: package for name, package in TEST_JARS.items() if not (JARS / name).exists()}
    if not missing:
        return None
    packages = " ".join(dict.fromkeys(missing.values()))
    return f"The Java library needs {', '.join(missing)}: apt-get install {packages}"


def compile_java(
    sources: Sequence[Path],
    classes: Path,
    *,
    android_jar: Path | None = None,
    classpath: Sequence[Path] = (),
    lint: Sequence[str] = (),
) -> Path:
    """Compiles folders of Java; a warning is an error.

    Args:
        sources: The folders.
        classes: The folder of the classes. It is emptied first.
        android_jar: Takes the place of the JDK's own classes.
        classpath: Jars and folders of the classes that the sources use.
        lint: Further options of javac.

    Returns:
        `classes`.

    Raises:
        BuildError: The sources have a fault.
    """
    shutil.rmtree(classes, ignore_errors=True)
    classes.mkdir(parents=True)
    command = ["javac", *(f"-J{flag}" for flag in SHORT_RUN)]
    release = str(JAVA_RELEASE)
    if android_jar:
        command += ["-source", release, "-target", release, "-bootclasspath", str(android_jar)]
    else:
        command += ["--release", release]
    # JDK 21 and newer warn that release 8 is old.
    command += ["-encoding", "UTF-8", "-proc:none", "-Xlint:all,-options", "-Werror", *lint]
    command += ["-d", str(classes), *(["-cp", joined(classpath)] if classpath else [])]
    run([*command, *(str(path) for folder in sources for path in sorted(folder.rglob("*.java")))])
    return classes


def run_java(classpath: Sequence[Path], *arguments: str) -> str:
    """Runs a class with its arguments on a short-lived JVM; returns what it printed.

    Raises:
        BuildError: It failed.
    """
    return run(["java", *SHORT_RUN, "-cp", joined(classpath), *arguments])


def run(command: Sequence[str]) -> str:
    """Runs a tool; returns what it printed.

    Raises:
        BuildError: It failed.
    """
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise BuildError(command[0], f"{done.stdout}{done.stderr}")
    return done.stdout


def joined(classpath: Sequence[Path]) -> str:
    """Returns a classpath as the tools take it."""
    return ":".join(str(path) for path in classpath)


def class_files(classes: Path) -> dict[str, bytes]:
    """Returns the class files of a folder by their paths in it."""
    return {path.relative_to(classes).as_posix(): path.read_bytes() for path in classes.rglob("*.class")}


def pack(archive: Path, files: dict[str, bytes]) -> Path:
    """Writes a zip file whose bytes depend on the files alone; returns its path."""
    part = archive.with_name(f".{archive.name}.part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in sorted(files.items()):
            # An entry made this way is dated 1980.
            opened.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    part.replace(archive)
    return archive


def files_of_package(package: str, pattern: str) -> Iterable[Path]:
    """Gives the files of an installed Python package; none where it is not installed."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations if spec else None) or []:
        yield from Path(folder).glob(pattern)
