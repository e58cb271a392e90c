"""Every document and every line of `--json`, from the JSON Schema that the package ships."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from docs.site.reference.markdown import code, definition, sentence
from expiac.view.schema import schema

_HEAD = """\
# JSON documents and events

What the commands print with `--json`. [JSON, for programs](../json.md) says which command prints what, with examples.
The package ships the same as a JSON Schema, `expiac/view/schema.json`. Every key is always there, unless it says
*optional*.
"""


def page() -> str:
    """Documents and events first, then the parts that they are made of, then what plain values mean."""
    made = schema()
    parts = made["$defs"]
    documents = list(_chosen(made))
    lines = [_name(line) for line in parts["event"]["oneOf"]]
    objects = [name for name, part in parts.items() if part.get("properties")]
    groups = {
        "Documents": [name for name in documents if name != "event"],
        "Events": ["event", *lines],
        "Parts": [name for name in objects if name not in {*documents, *lines}],
        "Values": [name for name in parts if name not in {*objects, "event"}],
    }
    return "\n".join([_HEAD, *(text for title, names in groups.items()
                               for text in [f"## {title}\n", *(_section(name, parts[name]) for name in names)])])


def _chosen(choice: Mapping[str, Any]) -> Iterator[str]:
    """The sorts of documents between which the schema chooses by a key."""
    while "then" in choice:
        yield _name(choice["then"])
        choice = choice["else"]
    yield _name(choice)


def _section(name: str, part: Mapping[str, Any]) -> str:
    required = part.get("required", ())
    entries = [definition(f"`{key}`: {_type(value)}{'' if key in required else ', *optional*'}",
                          sentence(value.get("description", "")))
               for key, value in part.get("properties", {}).items()]
    kind = [] if entries else [f"{_type(part)}\n"]
    text = sentence(part.get("description", ""))
    return "\n".join([f"### {code(name)} {{ #{name} }}\n", f"{text}\n", *kind, *entries])


def _type(value: Mapping[str, Any]) -> str:
    """The type of a value in words, with links to the parts."""
    match value:
        case {"$ref": str()}:
            return f"[{code(_name(value))}](#{_name(value)})"
        case {"const": constant}:
            return code(json.dumps(constant))
        case {"enum": [*choices]}:
            return " or ".join(code(json.dumps(choice)) for choice in choices)
        case {"anyOf": [*choices]} | {"oneOf": [*choices]}:
            return " or ".join(_type(choice) for choice in choices)
        case {"type": "array", "items": dict(items)}:
            return f"array of {_type(items)}"
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"object of {_type(values)}"
        case {"type": str(name)}:
            return name
    return "any value"


def _name(reference: Mapping[str, Any]) -> str:
    return str(reference["$ref"]).rpartition("/")[2]
