"""The reference has everything that the code has: options of commands, settings, keys of JSON, public names."""

from __future__ import annotations

import dataclasses
import importlib
import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
from pydantic import TypeAdapter
from typer.main import get_command
from typer.testing import CliRunner

from docs.site.reference import pages
from docs.site.reference.python_api import MODULES
from expiac.cli.commands import app
from expiac.declare.project import Project
from expiac.policies.builtin import SHIPPED

made_once = cache(pages)


def sections(page: str) -> dict[str, str]:
    """The anchor of each heading → what stands below it, up to the next heading."""
    parts = re.split(r"^#+ .*\{ #(\S+) \}$", made_once()[f"reference/{page}.md"], flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def commands(command: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inner = getattr(command, "commands", None)
    return [path] if not inner else [path, *(found for name in inner for found in commands(inner[name], (*path, name)))]


@pytest.mark.parametrize("path", commands(get_command(app)), ids=" ".join)
def test_each_option_of_a_help_is_in_the_reference(path: tuple[str, ...], monkeypatch: pytest.MonkeyPatch):
    """In the section of its command; `--help` itself is at the top of the page."""
    monkeypatch.setattr("typer.rich_utils.MAX_WIDTH", 200)
    printed = CliRunner().invoke(app, [*path, "--help"]).output
    rows = re.findall(r"^│ +(-.*?)(?:  +[^-\s].*)?│$", printed, re.MULTILINE)
    options = {word for row in rows for word in re.findall(r"(?<![\w-])--?[a-z][a-z-]*", row)} - {"--help", "-h"}
    section = sections("commands")["-".join(["expiac", *path])]
    assert "--help" in printed
    assert options <= set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", section))


def test_the_helps_have_options():
    """So the test above compares something."""
    assert "`--detailed-exitcode`" in sections("commands")["expiac-plan"]
    assert len(commands(get_command(app))) > 30


def test_each_key_of_the_settings_is_in_the_reference():
    """In the section of its table, by pydantic's own account of the classes."""
    made = TypeAdapter(Project).json_schema()
    tables = {"tool-expiac": made, **{f"tool-expiac-{name}": made["$defs"][kind] for name, kind in {
        "training": "TrainingSettings", "evaluation": "EvaluationSettings", "metrics": "MetricSettings",
        "metrics-show": "Metric", "notify": "NotifySettings"}.items()}}
    assert len(made["$defs"]) == len(tables) - 1
    found = sections("settings")
    missing = [(table, key) for table, part in tables.items() for key in part["properties"]
               if key != "root" and f"\n`{key}`: " not in found[table]]
    assert missing == []
    assert all(f"\n`{name}`: " in found["tool-expiac-policies"] for name in SHIPPED)


def test_each_key_of_json_is_in_the_reference():
    """Each part of the schema that the package ships, with its keys."""
    parts = json.loads(files("expiac.view").joinpath("schema.json").read_text(encoding="utf-8"))["$defs"]
    found = sections("documents")
    assert sorted(found) == sorted(parts)
    assert [(name, key) for name, part in parts.items() for key in part.get("properties", {})
            if f"\n`{key}`: " not in found[name]] == []


@pytest.mark.parametrize("module", MODULES)
def test_each_public_name_is_in_the_reference(module: str):
    """With its fields, and what its docstring says first."""
    of = importlib.import_module(module)
    found = sections(module.replace(".", "-"))
    assert list(found) == of.__all__
    for name in of.__all__:
        value = getattr(of, name)
        if dataclasses.is_dataclass(value) and isinstance(value, type):
            fields = [field.name for field in dataclasses.fields(value) if field.init and field.name[0] != "_"]
            assert [field for field in fields if f"`{field}: " not in found[name]] == []
        elif callable(value) and hasattr(value, "__code__"):
            assert (value.__doc__ or "").split("\n")[0].replace("*", "\\*") in found[name]
