"""README, docs/ and the other pages: length, links, generated tables, and what the package index shows."""

import json
import posixpath
import re
import runpy
from types import SimpleNamespace

import pytest

from docs.card_fields import PAGE, SCHEMA, TABLES, card_table
from docs.site import on_page_markdown
from tests.support.pages import ROOT, anchors, generated_pages, links, paths_named, written_pages

README = (ROOT / "README.md").read_text(encoding="utf-8")
STUDY = "https://ejournal.yasin-alsys.org/AJSTEA/article/view/8252"
WITHOUT_RELATIVE_LINKS = runpy.run_path(str(ROOT / "setup.py"))["without_relative_links"]


def test_the_readme_is_short():
    assert len(README.splitlines()) <= 110


@pytest.mark.parametrize(
    "path", [*written_pages(), *generated_pages()], ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_every_relative_link_leads_somewhere(path):
    wrong = []
    for link in links(path.read_text(encoding="utf-8")):
        target, _, anchor = link.partition("#")
        place = path.parent / target if target else path
        if not place.is_file() or (anchor and anchor not in anchors(place.read_text(encoding="utf-8"))):
            wrong.append(link)
    assert wrong == []


@pytest.mark.parametrize("path", written_pages(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_file_that_a_page_names_exists(path):
    if path.name == "CHANGELOG.md":
        pytest.skip("names files as they were")
    named = paths_named(path.read_text(encoding="utf-8"))
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_page_of_docs_is_in_the_site_and_can_be_reached_from_the_readme():
    pages = {path.name for path in (ROOT / "docs").glob("*.md")}
    navigation = set(re.findall(r": ([\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE))
    assert pages - navigation == set()
    assert navigation - pages == {"index.md", "ARCHITECTURE.md", "CHANGELOG.md"}
    assert pages - {posixpath.basename(link) for link in links(README)} == set()


def test_every_report_is_listed():
    listed = {
        posixpath.normpath(posixpath.join("docs", link))
        for link in links((ROOT / "docs" / "reports.md").read_text())
    }
    reports = {path.relative_to(ROOT).as_posix() for path in (ROOT / "reports").rglob("*.md")}
    assert reports - listed == set()


def test_the_page_of_every_model_is_in_the_site_and_linked_from_the_page_on_models():
    pages = {f"models/{path.name}" for path in (ROOT / "docs" / "models").glob("*.md")}
    navigation = set(re.findall(r": (models/[\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE))
    assert navigation == pages
    assert pages - set(links((ROOT / "docs" / "models.md").read_text())) == set()


def test_links_out_of_docs_are_rewritten_for_the_site():
    page = SimpleNamespace(file=SimpleNamespace(src_uri="models.md"))
    text = (
        "[a](../reports/study.md#x) [b](training.md) [c](../README.md)\n```\n[d](../reports/study.md)\n```\n"
    )
    assert on_page_markdown(text, page) == (
        "[a](reports/study.md#x) [b](training.md) [c](index.md)\n```\n[d](../reports/study.md)\n```\n"
    )
    model = SimpleNamespace(file=SimpleNamespace(src_uri="models/edge.md"))
    assert on_page_markdown("[a](../../reports/study.md) [b](../responsible-use.md)", model) == (
        "[a](../reports/study.md) [b](../responsible-use.md)"
    )
    report = SimpleNamespace(file=SimpleNamespace(src_uri="reports/study.md"))
    assert on_page_markdown("[a](../docs/models.md) ![b](study/gap.png)", report) == (
        "[a](../models.md) ![b](study/gap.png)"
    )


def test_the_package_index_gets_no_relative_link():
    shown = WITHOUT_RELATIVE_LINKS(README)
    assert "](" in README and links(shown) == []
    assert re.findall(r"^#.*$", shown, re.MULTILINE) == re.findall(r"^#.*$", README, re.MULTILINE)


def test_an_absolute_link_stays_for_the_package_index():
    text = "![a](a.png)\n\n[b](docs/b.md) ([d](d.md)) and [c](https://c.example/d)"
    assert WITHOUT_RELATIVE_LINKS(text) == "b and [c](https://c.example/d)"


@pytest.mark.published
def test_the_table_of_the_card_is_that_of_the_schema():
    for kind in TABLES:
        assert f"\n{card_table(json.loads(SCHEMA.read_text()), kind)}\n" in PAGE.read_text()


def test_the_table_of_a_card_follows_references_once():
    crop = {"properties": {"scale": {"description": "A | B."}}}
    schema = {
        "properties": {"a": {"description": "First.", "allOf": [{"$ref": "#/$defs/crop"}], "const": 1}},
        "$defs": {
            "crop": {"description": "Crop.", **crop},
            "kind": {"properties": {"b": {"$ref": "#/$defs/crop"}, "c": {"$ref": "#/$defs/crop"}}},
        },
    }
    assert card_table(schema, "kind").splitlines()[2:] == [
        "| `a` | First. Always `1`. |",
        "| `a.scale` | A \\| B. |",
        "| `b` | Crop. |",
        "| `b.scale` | A \\| B. |",
        "| `c` | Crop. |",
    ]


@pytest.mark.parametrize("name", ["README.md", "docs/study.md", "CITATION.cff", "pyproject.toml"])
def test_the_study_is_named(name):
    assert STUDY in (ROOT / name).read_text(encoding="utf-8")


def test_the_version_is_the_same_everywhere():
    version = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[1]
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
