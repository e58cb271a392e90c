"""Makes the JSON Schema of what `--json` prints from its types: `python -m expiac.view.schema` writes the file."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any, Union

from pydantic import ConfigDict, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from expiac.declare.field_docs import field_texts
from expiac.view import compared, documents, lines, recorded, reviewed, runs, synced, verified

FILE = Path(str(files("expiac.view") / "schema.json"))
_BY_KEY: dict[str, Any] = {
    "event": lines.Event, "steps": documents.Plan, "records": recorded.RecordsDocument,
    "approvals": recorded.HistoryDocument, "runs": recorded.Difference, "compared": recorded.Differences,
    "stacks": recorded.StacksDocument,
    "outputs": documents.OutputsDocument, "fetched": documents.FetchedDocument, "pruned": recorded.PruneDocument,
    "patch": recorded.PromoteDocument,
    "synced": synced.SyncDocument, "is_clean": reviewed.ReviewDocument, "verified": verified.VerificationDocument,
    "results": compared.ResultsDocument, "arms": compared.ComparisonDocument, "notebook": compared.ReportDocument,
    "listed": runs.RunsDocument, "run": runs.RunDocument, "spending": runs.CostDocument,
    "resources": documents.StatusDocument,
}
"""A key that one sort of document has and no other → the type of it. What has none of them counts as the last sort."""


class _Generator(GenerateJsonSchema):
    """Describes inherited keys too: pydantic reads what stands below the fields of the class itself only."""

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        part = super().typed_dict_schema(schema)
        texts = _inherited_texts(schema["cls"])
        properties = {name: {**value, "description": texts[name]} if name in texts and "description" not in value
                      else value for name, value in part["properties"].items()}
        return {**part, "properties": properties}


def text() -> str:
    """The contents of the schema's file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def schema() -> dict[str, Any]:
    """The schema. One key tells what a document is, so that an error is about that sort and not about each of them."""
    config = ConfigDict(extra="forbid", use_attribute_docstrings=True)
    sorts: Any = Union[tuple(_BY_KEY.values())]  # noqa: UP007
    adapter: TypeAdapter[Any] = TypeAdapter(sorts, config=config)
    made = adapter.json_schema(schema_generator=_Generator)
    parts = {_snake(name): part for name, part in made["$defs"].items()}
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "title": "What expiac prints with --json: documents, and lines of events",
        **_tidy({**_choice(), "$defs": dict(sorted(parts.items()))}),
    }


def _choice() -> dict[str, Any]:
    *others, (_, last) = _BY_KEY.items()
    chosen: dict[str, Any] = {"$ref": f"#/$defs/{_name(last)}"}
    for key, kind in reversed(others):
        chosen = {"if": {"required": [key]}, "then": {"$ref": f"#/$defs/{_name(kind)}"}, "else": chosen}
    return chosen


def _name(kind: Any) -> str:
    return str(kind.__name__)


def _inherited_texts(kind: type) -> dict[str, str]:
    """What stands below each field of a type and of those that it is made of."""
    texts: dict[str, str] = {}
    for base in getattr(kind, "__orig_bases__", ()):
        if isinstance(base, type):
            texts |= _inherited_texts(base)
    return texts | dict(field_texts(kind))


def _tidy(value: Any) -> Any:
    """The schema with each text on one line, without titles, and with references by the names that parts have in it."""
    match value:
        case {"$ref": str(ref), **others}:
            return {"$ref": f"#/$defs/{_snake(ref.rpartition('/')[2])}", **_tidy(others)}
        case dict():
            return {key: " ".join(part.split()) if key == "description" and isinstance(part, str) else _tidy(part)
                    for key, part in value.items()
                    if key != "discriminator" and not (key == "title" and isinstance(part, str))}
        case list():
            return [_tidy(part) for part in value]
    return value


def _snake(name: str) -> str:
    """`StatusDocument` as `status_document`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
