"""Gives the package index README.md without its relative images and links, which lead nowhere there."""

import re
from pathlib import Path

from setuptools import setup

IMAGE = re.compile(r"^!\[[^]]*\]\((?!https?://)[^)]+\)\n\n?", re.MULTILINE)
ASIDE = re.compile(r"\s\(\[[^]]+\]\((?!https?://)[^)]+\)\)")  # a link alone in brackets
LINK = re.compile(r"\[([^]]+)\]\((?!https?://)[^)]+\)")


def without_relative_links(markdown: str) -> str:
    """Returns the page without relative images and asides, and with only the text of other relative links."""
    return LINK.sub(r"\1", ASIDE.sub("", IMAGE.sub("", markdown)))


if __name__ == "__main__":
    readme = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
    setup(long_description=without_relative_links(readme), long_description_content_type="text/markdown")
