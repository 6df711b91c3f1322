"""Generated documentation: the JSON schema of the configuration, and its page."""

import json
from typing import Any

from selfincorrect.config.schema import Config

INTRODUCTION = (
    "# The configuration\n\n"
    "Every key, what it takes and its default. An unknown key, a value that does not fit, a missing judge: "
    "each stops before any job starts,\n"
    "with one message that names the key, what was found and what is allowed. "
    "How to write a configuration is in the\n"
    "[tutorial](tutorial/own-model.md); ready ones are in `workflow/experiments/`.\n\n"
    "This page is generated (`make docs`) from the code that checks the configuration."
)

SCHEMA_ID = "urn:selfincorrect:config.schema.json"  # a name; the file is found by its path


def schema_text() -> str:
    """The JSON schema of the configuration, a line for each key of the file and of each section."""
    named = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA_ID}
    schema = Config.model_json_schema()
    sections = schema.pop("$defs")
    lines = [*_pairs(named), f'"$defs": {_lines(sections)}', *_pairs(schema)]
    return "{\n" + ",\n".join(lines) + "\n}\n"


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
    rows += [
        f"| `{key}` | {kind} | {default} | {text} |" for key, kind, default, text in _rows(schema, schema, "")
    ]
    return "\n".join(rows)


def configuration_page() -> str:
    """The page of the configuration, in Markdown."""
    return f"{INTRODUCTION}\n\n{configuration_table()}\n"


def _rows(schema: dict[str, Any], node: dict[str, Any], prefix: str) -> list[tuple[str, str, str, str]]:
    rows = []
    required = node.get("required", [])
    for name, entry in node["properties"].items():
        key, targets = f"{prefix}{name}", _sections(schema, entry)
        if not targets or _optional(entry):
            default = "required" if name in required else f"`{json.dumps(entry.get('default'))}`"
            text = entry.get("description", "").replace("|", "\\|")
            rows.append((key, _kind(entry), default.replace("`null`", "–"), text))
        mapping = "additionalProperties" in entry or "patternProperties" in entry
        for target in targets:
            rows += _rows(schema, target, f"{key}.<name>." if mapping else f"{key}.")
    # A key that several forms have is there once.
    return list({row[0]: row for row in reversed(rows)}.values())[::-1]


def _sections(schema: dict[str, Any], entry: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects that an entry can hold, itself or by name; none for plain values."""
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
        forms = entry.get("anyOf", entry.get("oneOf", []))
        return " or ".join(dict.fromkeys(_kind(each) for each in forms if each.get("type") != "null"))
    if "$ref" in entry:
        return "mapping"
    if entry.get("type") == "array":
        return f"list of {_kind(entry['items'])}"
    words = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}
    return words.get(entry.get("type", ""), "mapping")
