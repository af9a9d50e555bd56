"""Writes the tables of the cards' fields into docs/export.md: `python -m docs.card_fields`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

from reporting.command import run_command
from reporting.markdown import BlockError, one_line, rewrite_block, table

ROOT = Path(__file__).parents[1]
SCHEMA = ROOT / "runtime" / "card.schema.json"
PAGE = ROOT / "docs" / "export.md"
TABLES = {"classifier": "card", "detector": "detector-card"}  # a kind of card: its block of the page


def card_table(schema: dict[str, Any], kind: str) -> str:
    """Returns the fields of a kind of card as a Markdown table, those that all cards have first.

    Args:
        schema: The cards' JSON Schema.
        kind: A name of its `$defs`, such as "classifier".
    """
    properties = {
        name: field
        for name, field in schema["properties"].items()
        if name != "kind" or kind == field["const"]  # a classifier's card names no kind
    }
    card = {"allOf": [{"properties": properties}, {"$ref": f"#/$defs/{kind}"}]}
    return table(["field", "what it is"], fields_of(schema, card), left=2)


def fields_of(
    schema: dict[str, Any], node: dict[str, Any], prefix: str = "", shown: set[str] | None = None
) -> Iterator[list[str]]:
    """Yields name and description of each described field of an object, and of the objects in it.

    Args:
        schema: The whole schema, where references lead to.
        node: The object's part of it.
        prefix: What stands before the names of the object's fields.
        shown: The references whose fields were given already; they are given once.
    """
    shown = set() if shown is None else shown
    for name, field in properties_of(schema, node).items():
        target = resolved(schema, field)
        if "description" in target:
            yield [f"`{prefix}{name}`", one_line(target["description"]) + values_of(target)]
        if (reference := field.get("$ref")) not in shown:
            shown |= {reference} - {None}
            yield from fields_of(schema, field, f"{prefix}{name}.", shown)


def properties_of(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """Returns an object's fields, those of the parts that it consists of (`allOf`) first."""
    node = resolved(schema, node)
    found: dict[str, Any] = {}
    for part in [*node.get("allOf", []), {"properties": node.get("properties", {})}]:
        found |= resolved(schema, part).get("properties", {})
    return found


def resolved(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """Returns what a reference such as `#/$defs/crop` leads to, or the node itself where it is none."""
    if "$ref" not in node:
        return node
    return reduce(lambda part, key: part[key], node["$ref"].removeprefix("#/").split("/"), schema)


def values_of(field: dict[str, Any]) -> str:
    """Returns the sentence that gives a field's values or examples; empty where the schema has none."""
    for key, start in {"const": "Always", "enum": "One of", "examples": "Such as"}.items():
        if key in field:
            values = [field[key]] if key == "const" else field[key]
            return f" {start} {', '.join(f'`{one_line(json.dumps(value))}`' for value in values)}."
    return ""


def write_tables() -> None:
    """Writes the table of a classifier's card and that of a detector's."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    for kind, name in TABLES.items():
        rewrite_block(PAGE, card_table(schema, kind), name=name)


def main() -> int:
    """Writes the tables; returns the exit status."""
    return run_command(write_tables, errors=(BlockError,))


if __name__ == "__main__":
    sys.exit(main())
