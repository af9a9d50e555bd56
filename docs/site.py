"""Hooks of mkdocs: the site also shows README, ARCHITECTURE, CHANGELOG and the reports.

Every page keeps the links that work in the repository. The hooks rewrite them for the site.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PAGES_OUTSIDE = ("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "reports/**/*.md")
LINK = re.compile(r"(?<=\]\()(?P<path>[^)\s#]+)(?P<anchor>#[^)\s]*)?(?=\))")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def site_path(repository_path: str) -> str:
    """Returns where a file of the repository lies on the site."""
    if repository_path == "README.md":
        return "index.md"
    return repository_path.removeprefix("docs/")


def repository_path(page: str) -> str:
    """Returns where a page of the site lies in the repository."""
    if page == "index.md":
        return "README.md"
    return page if (ROOT / page).is_file() else f"docs/{page}"


def linked_files(page: str, text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Yields each relative link of a page outside code, with the repository path that it means."""
    fences = [match.span() for match in FENCE.finditer(text)]
    for match in LINK.finditer(text):
        if "://" in match["path"] or any(start <= match.start() < end for start, end in fences):
            continue
        yield match, posixpath.normpath(posixpath.join(posixpath.dirname(page), match["path"]))


def on_files(files: Any, config: Any) -> Any:
    """Adds the pages that lie outside docs/, and every file that a page links to."""
    from mkdocs.structure.files import File

    pages = {path.relative_to(ROOT).as_posix() for pattern in PAGES_OUTSIDE for path in ROOT.glob(pattern)}
    wanted = set(pages)
    for page in {*pages, *(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))}:
        text = (ROOT / page).read_text(encoding="utf-8")
        wanted |= {path for _, path in linked_files(page, text) if (ROOT / path).is_file()}
    for path in sorted(wanted):
        if files.get_file_from_path(site_path(path)) is None:
            files.append(File.generated(config, site_path(path), abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Rewrites the page's links from places in the repository to places on the site."""
    here = posixpath.dirname(page.file.src_uri)
    text, end = [], 0
    for match, path in linked_files(repository_path(page.file.src_uri), markdown):
        relative = posixpath.relpath(site_path(path), here or ".")
        text += [markdown[end : match.start()], relative, match["anchor"] or ""]
        end = match.end()
    text.append(markdown[end:])
    return "".join(text).replace("<details>", '<details markdown="1">')  # or its table would stay text
