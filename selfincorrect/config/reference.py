"""Generated documentation: the JSON schema of the configuration and its table in the README."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from selfincorrect.config.schema import Config
from selfincorrect.io import write_text

SCHEMA = "workflow/schemas/config.schema.json"
BEGIN, END = "<!-- configuration: begin (make docs) -->", "<!-- configuration: end -->"


def schema_text() -> str:
    """The JSON schema of the configuration, a line for each key of the file and of each section."""
    schema = Config.model_json_schema()
    sections = schema.pop("$defs")
    return "{\n" + ",\n".join([f'"$defs": {_lines(sections)}', *_pairs(schema)]) + "\n}\n"


def _lines(value: dict[str, Any]) -> str:
    return "{\n" + ",\n".join(_pairs(value)) + "\n}"


def _pairs(value: dict[str, Any]) -> list[str]:
    return [
        f"{json.dumps(key)}: {_lines(each) if key == 'properties' else json.dumps(each, ensure_ascii=False)}"
        for key, each in value.items()
    ]


def configuration_table() -> str:
    """A Markdown table with a row for each key: what it takes, its default, what it means."""
    schema = Config.model_json_schema()
    rows = ["| key | takes | default | meaning |", "| --- | --- | --- | --- |"]
    rows += [f"| `{key}` | {kind} | {default} | {text} |" for key, kind, default, text in _rows(schema, schema, "")]
    return "\n".join(rows)


def with_table(readme: str) -> str:
    """`readme` with the table between its two markers made anew. Raises ValueError if a marker is missing."""
    before, after = readme.index(BEGIN) + len(BEGIN), readme.index(END)
    return f"{readme[:before]}\n{configuration_table()}\n{readme[after:]}"


def _rows(schema: dict[str, Any], node: dict[str, Any], prefix: str) -> list[tuple[str, str, str, str]]:
    rows = []
    required = node.get("required", [])
    for name, entry in node["properties"].items():
        key, targets = f"{prefix}{name}", _sections(schema, entry)
        if not targets or _optional(entry):
            default = "required" if name in required else f"`{json.dumps(entry.get('default'))}`"
            rows.append(
                (
                    key,
                    _kind(entry),
                    default.replace("`null`", "–"),
                    entry.get("description", "").replace("|", "\\|"),
                )
            )
        mapping = "additionalProperties" in entry or "patternProperties" in entry
        for target in targets:
            rows += _rows(schema, target, f"{key}.<name>." if mapping else f"{key}.")
    return list({row[0]: row for row in reversed(rows)}.values())[::-1]  # a key that several forms have, once


def _sections(schema: dict[str, Any], entry: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects that an entry can hold (or hold by name), none for plain values."""
    values = [entry.get("additionalProperties"), *entry.get("patternProperties", {}).values()]
    references = [entry.get("$ref"), *(v.get("$ref") for v in values if isinstance(v, dict))]
    references += [each.get("$ref") for each in entry.get("allOf", [])]
    references += [each.get("$ref") for each in entry.get("anyOf", []) if _optional(entry)]
    references += [each["$ref"] for v in values if isinstance(v, dict) for each in v.get("oneOf", [])]
    return [schema["$defs"][reference.rsplit("/", 1)[1]] for reference in references if reference]


def _optional(entry: dict[str, Any]) -> bool:
    """Whether an entry is a section that may be missing."""
    return {"type": "null"} in entry.get("anyOf", []) and any("$ref" in each for each in entry["anyOf"])


def _kind(entry: dict[str, Any]) -> str:
    if "enum" in entry:
        return " or ".join(f"`{each}`" for each in entry["enum"])
    if "anyOf" in entry or "oneOf" in entry:
        parts = [_kind(each) for each in entry.get("anyOf", entry.get("oneOf", [])) if each.get("type") != "null"]
        return " or ".join(dict.fromkeys(parts))
    if "$ref" in entry:
        return "mapping"
    if entry.get("type") == "array":
        return f"list of {_kind(entry['items'])}"
    return {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}.get(entry.get("type", ""), "mapping")  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Write what is generated into the copy of the project that this package lies in; exit code 0."""
    root = Path(__file__).parent.parent.parent
    write_text(root / SCHEMA, schema_text())
    write_text(root / "README.md", with_table((root / "README.md").read_text(encoding="utf-8")))
    return 0
