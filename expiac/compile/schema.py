"""The schema of a project's training configs, `[tool.expiac] schema`: what a config may hold.

With Hydra, a schema that OmegaConf can hold is registered as `root_schema`, for the primary config to name. Any other,
such as a pydantic model or a dataclass with a `Literal`, is checked by pydantic, and so are configs without Hydra.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError

from expiac.compile.imported import source_files
from expiac.declare.project import Project
from expiac.util.errors import ExpiacError


class Schema:
    """The schema class of a project, imported when it is first asked for."""

    def __init__(self, project: Project) -> None:
        self._project = project

    @cached_property
    def node(self) -> Any:
        """The class. Raises `ExpiacError` where it can't be imported."""
        module_name, _, class_name = self._project.schema.partition(":")
        sys.path.insert(0, str(self._project.root))
        try:
            return getattr(importlib.import_module(module_name), class_name)
        except (ImportError, AttributeError, ValueError) as error:
            raise ExpiacError("No such schema", f"{self._named}: {error}",
                              "module:Class, importable from the project's root") from error
        except Exception as error:
            raise ExpiacError("Schema can't be used", f"{self._named}: {type(error).__name__}: {error}",
                              "the module of the schema fails when it is imported") from error
        finally:
            sys.path.remove(str(self._project.root))

    @cached_property
    def files(self) -> tuple[str, ...]:
        """The source files that it is made of: its package, and what that imports of the project."""
        self.node  # noqa: B018  imports them
        return source_files(self._project.schema.partition(":")[0].partition(".")[0])

    @property
    def is_structured(self) -> bool:
        """Whether OmegaConf can hold it."""
        return not self._structured_problem

    def not_structured(self) -> ExpiacError:
        """The error for a primary config that names a schema which OmegaConf can't hold."""
        detail = f"{self._named}, as root_schema: {self._structured_problem}"
        hint = "take root_schema out of the primary config's defaults: expiac checks the config all the same"
        return ExpiacError("Schema can't be used", detail, hint)

    @cached_property
    def _structured_problem(self) -> str:
        """The field that OmegaConf can't hold, and why; empty where it can hold all."""
        from omegaconf import OmegaConf
        from omegaconf.errors import OmegaConfBaseException

        try:
            OmegaConf.structured(self.node)
        except (OmegaConfBaseException, ValueError, TypeError) as error:
            key = getattr(error, "full_key", None)
            return f"{key}: {_first_line(error)}" if key else _first_line(error)
        return ""

    def check(self, job: str, config: Mapping[str, Any]) -> None:
        """Raises `ExpiacError`, with a line for each key that is wrong, where the config is not of the schema."""
        try:
            self._adapter.validate_python(dict(config), extra="forbid")
        except ValidationError as error:
            lines = [invalid_line("", part["loc"], part["msg"], part["input"]) for part in error.errors()]
            raise ExpiacError("Invalid training config", "\n".join(f"{job}: {line}" for line in lines)) from error

    @cached_property
    def _adapter(self) -> TypeAdapter[Any]:
        try:
            adapter: TypeAdapter[Any] = TypeAdapter(self.node)
            adapter.rebuild(raise_errors=True)
            return adapter
        except (PydanticUserError, NameError, TypeError) as error:
            detail = f"{self._named}: {self._first_problem(error)}"
            raise ExpiacError("Schema can't be used", detail,
                              "use numbers, texts, Literal, Enum, lists and other configs") from error

    def _first_problem(self, error: Exception) -> str:
        """The field whose type pydantic does not know, and what it says of it."""
        for name, kind in getattr(self.node, "__annotations__", {}).items():
            try:
                TypeAdapter(kind).rebuild(raise_errors=True)
            except (PydanticUserError, NameError, TypeError) as why:
                return f"{name}: {_first_line(why)}"
        return _first_line(error)

    @property
    def _named(self) -> str:
        return f"[tool.expiac] schema = {self._project.schema!r}"


def invalid_line(prefix: str, location: tuple[Any, ...], message: str, value: Any) -> str:
    """What pydantic says of one key of a config, in one line."""
    path = ".".join([*([prefix] if prefix else []), *map(str, location)])
    given = f" (got {value!r})" if isinstance(value, str | int | float | bool | None) else ""
    return f"{path}: {message.removeprefix('Value error, ')}{given}"


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
