"""The commands that the pages name exist, with the options that they are given."""

import functools
import re
import subprocess
import sys

import pytest

from benchmarks.__main__ import COMMANDS
from tests.support.pages import ROOT, commands, written_pages

PAGES = [path for path in written_pages() if path.name != "CHANGELOG.md"]
NAMED = {tuple(words): path.name for path in PAGES for words in commands(path.read_text(encoding="utf-8"))}


def started(words):
    """How a command begins, up to its options and files: `python -m benchmarks measure`, `ferkit run`."""
    if words[:2] == ("python", "-m"):
        return words[:4] if words[2] == "benchmarks" and len(words) > 3 else words[:3]
    return words[:2]


@functools.cache
def help_of(words):
    """What the command prints for --help."""
    start = ["runtime", *words[1:]] if words[0] == "ferkit" else list(words[2:])
    command = [sys.executable, "-m", *start, "--help"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_the_pages_name_commands():
    assert {words[0] for words in NAMED} == {"ferkit", "make", "python"}
    assert len(NAMED) > 50


def test_every_make_target_that_a_page_names_exists():
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    words_after_make = {word for words in NAMED if words[0] == "make" for word in words[1:]}
    named = {word for word in words_after_make if re.fullmatch(r"[a-z0-9][a-z0-9-]*", word)}
    assert named - targets == set()


def test_make_help_lists_every_target():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split()) - {"fer2013"}
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(re.findall(r"make ([\w-]+)", done.stdout)) == targets


def test_every_module_that_a_page_names_exists():
    modules = {words[2] for words in NAMED if words[:2] == ("python", "-m") and len(words) > 2}
    ours = modules - {"pytest"}
    places = {module: ROOT.joinpath(*module.split(".")) for module in ours}
    wrong = [
        module
        for module, place in places.items()
        if not place.with_suffix(".py").is_file() and not (place / "__main__.py").is_file()
    ]
    assert wrong == []


def test_every_benchmark_that_a_page_names_exists():
    named = {words[3] for words in NAMED if words[:3] == ("python", "-m", "benchmarks") and len(words) > 3}
    assert named - {*COMMANDS, "NAME", "--help"} == set()


def test_the_page_on_benchmarks_names_every_benchmark():
    page = (ROOT / "docs" / "benchmarks.md").read_text()
    assert [name for name in COMMANDS if f"`python -m benchmarks {name}" not in page] == []


@pytest.mark.parametrize(
    "words", sorted(words for words in NAMED if any(word.startswith("--") for word in words)), ids=" ".join
)
def test_every_option_that_a_page_names_exists(words):
    if words[0] == "make" or words[1:3] in (("-m", "venv"), ("-m", "pytest")):
        pytest.skip("not our command")
    options = {word.partition("=")[0] for word in words if word.startswith("--") and word != "--help"}
    known = set(re.findall(r"--[a-z][a-z-]*", help_of(started(words))))
    assert options - known == set(), NAMED[words]


def test_the_page_on_the_command_line_lists_every_option_of_ferkit_run():
    page = (ROOT / "docs" / "command-line.md").read_text()
    section = page.partition("## Options of `ferkit run`")[2].partition("\n## ")[0]
    listed = set(re.findall(r"^\| `(--[a-z-]+)", section, re.MULTILINE))
    known = set(re.findall(r"^  (--[a-z-]+)", help_of(("ferkit", "run")), re.MULTILINE))
    assert listed == known


def test_the_page_on_the_command_line_lists_every_command():
    page = (ROOT / "docs" / "command-line.md").read_text()
    done = subprocess.run(
        [sys.executable, "-m", "runtime", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    commands_listed = re.findall(r"^    ([a-z-]+) ", done.stdout, re.MULTILINE)
    assert commands_listed
    assert [name for name in commands_listed if f"| `ferkit {name}" not in page] == []
