"""Reports from Jinja2 templates: the data comes from functions, the page from one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


class TemplateEngineError(ImportError):
    """Jinja2 is missing: figures can be stored without it, a report can't be written."""


def render_template(
    template: str | Path, data: Mapping[str, Any], *, filters: Mapping[str, Callable[..., str]] | None = None
) -> str:
    """Returns a template filled with data; a name that the data lacks is an error, never an empty text.

    Args:
        template: The file, `<report>.md.j2`.
        data: What the template names.
        filters: Functions that the template applies, by name: `{{ share | percent }}`.

    Raises:
        TemplateEngineError: Jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, StrictUndefined
    except ImportError as error:
        raise TemplateEngineError("A report needs Jinja2: pip install jinja2") from error
    environment = Environment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown
    )
    environment.filters |= filters or {}
    return environment.from_string(Path(template).read_text(encoding="utf-8")).render(data)
