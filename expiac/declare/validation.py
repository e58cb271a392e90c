"""What pydantic says of a config, as an error for its author: every problem, each with its path."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from expiac.declare.config import is_config
from expiac.declare.parts import class_paths
from expiac.declare.renamed import old_name_hint, renamed_hint
from expiac.util.errors import ExpiacError, did_you_mean


def config_error(error: ValidationError, about: type | None = None, where: str = "") -> ExpiacError:
    """What pydantic says, all of it, each with its path; an unknown key with the nearest known one."""
    problems = error.errors(include_url=False, include_input=True)
    hints = [_hint(problem, about) for problem in problems]
    lines = [_problem(problem) for problem in problems]
    title = about.__name__ if about else error.title
    hint = next((hint for hint in hints if hint), "")
    return ExpiacError("Invalid config", "\n".join([where or title, *lines]), hint)


def message(problem: Any) -> str:
    """What pydantic says of one problem; of one that a check of ours raised, what the check says."""
    return str(problem["msg"]).removeprefix("Value error, ")


def _problem(problem: Any) -> str:
    path, said = ".".join(str(part) for part in problem["loc"]), message(problem)
    if problem["type"] in ("missing", "missing_keyword_only_argument"):
        return f"{path}: required, and not given"
    if problem["type"] == "unexpected_keyword_argument":
        return f"{path}: no such key"
    given = problem["input"]
    if not path or is_config(given) or isinstance(given, Mapping):
        return f"{path}: {said}" if path else said
    return f"{path}: {said} (given {given!r})"


def _hint(problem: Any, about: type | None) -> str:
    if problem["type"] in ("missing", "missing_keyword_only_argument"):
        return f"{problem['loc'][-1]}=…"
    if problem["type"] != "unexpected_keyword_argument":
        return ""
    name = str(problem["loc"][-1])
    if about is None or len(problem["loc"]) != 1:
        return old_name_hint(name)
    known = [field.name for field in dataclasses.fields(about)]
    return renamed_hint(name, class_paths(about)) or did_you_mean(name, known)
