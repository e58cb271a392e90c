"""The providers of a project, and which of them are backends: those that run jobs.

`local` and `skypilot` are built in; `[tool.expiac.providers]` of `pyproject.toml` registers others by name, or puts
another one in the place of these two. A provider is made when something first asks for it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from expiac.declare.project import Project
from expiac.providers.base import Provider, RunsJobs
from expiac.util.errors import ExpiacError

LOCAL = "local"
"""The backend that runs jobs as processes of this machine."""
SKYPILOT = "skypilot"
"""The backend that also runs jobs at each place of its own, such as `aws/us-east-1`."""
BUILT_IN: Mapping[str, str] = {
    LOCAL: "expiac.providers.local:LocalProvider",
    SKYPILOT: "expiac.providers.skypilot:SkypilotProvider",
}
"""Name → `module:Class`, as a project registers its own; all of them run jobs."""


def no_provider(address: str, name: str) -> ExpiacError:
    """What is said where a resource needs a provider that the project does not have."""
    return ExpiacError("No such provider", f"{address} needs {name}",
                       f'[tool.expiac.providers] {name} = "module:Class"')


class Providers(Mapping[str, Provider]):
    """The providers of one project, by name; `given` are ready-made ones, which stand before those of its settings."""

    def __init__(self, project: Project, given: Mapping[str, Provider] | None = None) -> None:
        self._project = project
        self._registered = {**BUILT_IN, **project.providers}
        self._made: dict[str, Provider] = dict(given or {})

    def __getitem__(self, name: str) -> Provider:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is one of this name; makes none."""
        return name in self._made or name in self._registered

    def __iter__(self) -> Iterator[str]:
        return iter({**self._registered, **self._made})

    def __len__(self) -> int:
        return len({**self._registered, **self._made})

    @property
    def backends(self) -> tuple[str, ...]:
        """The names of those that run jobs, sorted."""
        return tuple(sorted(name for name in self if self.runs_jobs(name)))

    def runs_jobs(self, name: str) -> bool:
        """Whether it is a backend; makes no provider, and imports none of those that are built in."""
        if name in self._made:
            return isinstance(self._made[name], RunsJobs)
        return self._is_built_in(name) or _is_backend(self._class_of(name))

    def rents_machines(self, name: str) -> bool:
        """Whether its jobs run on machines that are paid for by the hour; so it is of what is no backend."""
        if name not in self:
            return True
        backend: Any = self._made.get(name) or self._class_of(name)
        is_backend = isinstance(backend, RunsJobs) or _is_backend(backend)
        return bool(backend.rents_machines) if is_backend else True

    def _is_built_in(self, name: str) -> bool:
        return name in BUILT_IN and name not in self._project.providers

    def _make(self, name: str) -> Provider:
        registered = self._class_of(name)
        is_backend = _is_backend(registered)
        made: Provider = registered.for_project(self._project) if is_backend else registered(self._project.root)
        return made

    def _class_of(self, name: str) -> Any:
        """The registered class, imported: a callable that makes a provider of the project's root will do too."""
        place = self._registered[name]  # a KeyError is a Mapping's way to say that there is none
        module, _, attribute = place.partition(":")
        sys.path.insert(0, str(self._project.root))
        try:
            return getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError) as error:
            raise ExpiacError("No such provider", f"[tool.expiac.providers] {name} = {place!r}: {error}",
                              "module:Class, importable from the project's root") from error
        finally:
            sys.path.remove(str(self._project.root))


def _is_backend(registered: Any) -> bool:
    return isinstance(registered, type) and issubclass(registered, RunsJobs)
