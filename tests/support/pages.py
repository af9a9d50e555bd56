"""The pages written by hand, and the commands, links and headings in them."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
MADE = {"artifacts", "build", "dist", "runs", ".venv", ".venv-docs"}  # by commands, not in the repository
CODE = re.compile(r"`[^`\n]+`")


def written_pages():
    """The pages that people write."""
    return sorted(
        path
        for pattern in ("*.md", "docs/*.md", "android/**/*.md", "demo/*.md")
        for path in ROOT.glob(pattern)
    )


def generated_pages():
    """The pages that commands write: the reports, and those of the models."""
    return sorted([*(ROOT / "reports").rglob("*.md"), *(ROOT / "docs" / "models").glob("*.md")])


def links(text):
    """The targets of the relative links and images, outside code."""
    prose = CODE.sub("", FENCE.sub("", text))
    return [target for target in LINK.findall(prose) if "://" not in target]


def anchors(text):
    """What `#...` may name on a page: its headings as GitHub and Python-Markdown write them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    kept = [re.sub(r"[^\w\- ]", "", heading).strip().lower() for heading in headings]
    return {re.sub(r"[- ]+", "-", heading) for heading in kept}


def paths_named(text):
    """The files and folders of the repository that stand between backticks: `train/models.py`, `results/`."""
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()} - MADE
    spans = {span.strip("`") for span in CODE.findall(FENCE.sub("", text))}
    plain = {span for span in spans if re.fullmatch(r"[\w.-]+/[\w./-]*", span)}
    ours = {span for span in plain if span.partition("/")[0] in folders and not span.startswith("demo/out/")}
    return sorted(span for span in ours if "NAME" not in span)


def commands(text):
    """The commands of a page as lists of words: those in ```bash and those between backticks."""
    fenced = [body for language, body in FENCE.findall(text) if language == "bash"]
    lines = "\n".join(fenced).replace("\\\n", " ").splitlines()
    spans = [span.strip("`").replace("\\|", "|") for span in CODE.findall(FENCE.sub("", text))]
    for line in [*lines, *spans]:
        try:
            words = shlex.split(line, comments=True)
        except ValueError:  # an apostrophe: no command
            continue
        if words and words[0].rpartition("/")[2] in ("ferkit", "make", "python"):
            yield [words[0].rpartition("/")[2], *words[1:]]
