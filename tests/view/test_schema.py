"""`schema.json` is what is made of the types, and the types say of each key what it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from expiac.plan.model import Action
from expiac.view import schema

MADE = schema.schema()


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every schema of an object with keys, however deep."""
    if isinstance(value, dict):
        if isinstance(value.get("properties"), dict):
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from objects(part)


def test_the_file_is_made_of_the_types():
    """If it is not: `make schema`."""
    assert schema.FILE.read_text(encoding="utf-8") == schema.text()
    Draft202012Validator.check_schema(json.loads(schema.text()))


def test_every_object_is_closed_but_a_record_of_a_state():
    """Each has all its keys, and no others."""
    closed = [one["additionalProperties"] is False for one in objects(MADE)]
    assert closed.count(False) == 1
    assert MADE["$defs"]["recorded_resource"]["additionalProperties"] is True
    assert all(set(one["required"]) == set(one["properties"]) for one in objects(MADE))


def test_an_inherited_key_is_described():
    parts = MADE["$defs"]
    for name in ("seen", "resource"):
        assert parts[name]["properties"]["detail"]["description"] == "The backend's own words: a reason, an exit code."


def test_a_summary_has_every_action():
    assert MADE["$defs"]["summary"]["required"] == [action.value for action in Action]
