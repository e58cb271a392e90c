"""Every key of `[tool.expiac]`, from the dataclasses that read it."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from docs.site.reference.markdown import block, code, definition, sentence
from expiac.declare.field_docs import field_texts
from expiac.declare.project import Project
from expiac.policies.builtin import SHIPPED

_HEAD = """\
# Settings

The keys of `[tool.expiac]` in `pyproject.toml`; each is optional. A path is from the project's root. `--state URL` and
the variable `EXPIAC_STATE` replace `state`. [Your project](../your-project.md#settings) has the same in short.
"""
_NAMES = {str: "string", int: "integer", float: "number", bool: "true or false", Path: "path", Any: "any value"}
_SHORT = 60
"""Characters of a default that stands beside its key."""


def page() -> str:
    """A section for each table."""
    tables = [f"## {code(head)} {{ #{head.strip('[]').replace('.', '-')} }}\n\n{body}"
              for head, body in _tables(Project, "[tool.expiac]")]
    return "\n".join([_HEAD, *tables, _policies()])


def _tables(settings: Any, head: str) -> Iterator[tuple[str, str]]:
    """The table of a dataclass, then those in it, each below its head: `[tool.expiac]`."""
    hints = get_type_hints(settings, include_extras=True)
    fields = [field for field in dataclasses.fields(settings) if field.name != "root"]
    summary = "" if settings is Project else sentence(inspect.getdoc(settings) or "") + "\n\n"
    yield head, summary + "\n".join(_entry(settings, field, hints[field.name]) for field in fields)
    for field in fields:
        for inner in _dataclasses(hints[field.name]):
            name = f"[{head.strip('[]')}.{field.name}]"
            yield from _tables(inner, f"[{name}]" if get_origin(hints[field.name]) is tuple else name)


def _entry(owner: Any, field: dataclasses.Field[Any], hint: Any) -> str:
    default, long = _default(field), ""
    if len(default) > _SHORT:
        default, long = "", f"\n\nBy default:\n\n{block(default, 'bash')}"
    term = f"`{field.name}`: {_type(hint)}{f', default {code(default)}' if default else ''}"
    return definition(term, sentence(field_texts(owner).get(field.name, "")) + long)


def _default(field: dataclasses.Field[Any]) -> str:
    """As TOML writes it; empty where there is none, or nothing to write."""
    match field.default:
        case None | dataclasses.MISSING | "" | ():
            return ""
        case str(text) if "\n" in text:
            return text
        case str() | Path():
            return json.dumps(str(field.default))
        case bool():
            return json.dumps(field.default)
        case tuple(values):
            return json.dumps(list(values))
    return str(field.default)


def _type(hint: Any) -> str:
    """A type in the words of TOML."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _type(arguments[0])
    if origin in (Union, UnionType):
        return " or ".join(_type(one) for one in arguments if one is not NoneType)
    if origin is Literal:
        return " or ".join(code(json.dumps(value)) for value in arguments)
    if origin is tuple:
        return f"array of {_type(arguments[0])}"
    if origin in (Mapping, dict):
        return f"table of {_type(arguments[1])}"
    return "table" if dataclasses.is_dataclass(hint) else _NAMES.get(hint, str(hint))


def _dataclasses(hint: Any) -> Iterator[Any]:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        yield hint
    for part in get_args(hint):
        yield from _dataclasses(part)


def _policies() -> str:
    entries = [definition(f"`{name}`: {_parameters(policy)}", sentence(inspect.getdoc(policy) or ""))
               for name, policy in sorted(SHIPPED.items())]
    head = ("## `[tool.expiac.policies]` { #tool-expiac-policies }\n\n"
            "The policies that expiac ships; [Policies](../policies.md) says how to write your own.\n")
    return "\n".join([head, *entries])


def _parameters(policy: Callable[..., Any]) -> str:
    """What is given to a policy."""
    hints = get_type_hints(policy)
    (parameter,) = inspect.signature(policy).parameters.values()
    kind = _type(hints[parameter.name])
    return f"array of {kind}" if parameter.kind is inspect.Parameter.VAR_POSITIONAL else kind
