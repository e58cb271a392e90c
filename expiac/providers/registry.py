"""The providers of a project: each is made when something first asks for it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping

from expiac.declare.project import Project
from expiac.providers.base import Provider
from expiac.util.errors import ExpiacError

_OWN = ("local", "skypilot")


def no_provider(address: str, name: str) -> ExpiacError:
    """What is said where a resource needs a provider that the project does not have."""
    return ExpiacError("No such provider", f"{address} needs {name}",
                       f'[tool.expiac.providers] {name} = "module:Class"')


class Providers(Mapping[str, Provider]):
    """`local`, `skypilot`, and what `[tool.expiac.providers]` registers: resource type → `module:Class`.

    A registered class is called with the project's root.
    """

    def __init__(self, project: Project, given: Mapping[str, Provider] | None = None) -> None:
        self._project = project
        self._made: dict[str, Provider] = dict(given or {})

    def __getitem__(self, name: str) -> Provider:
        if name not in self._made:
            self._made[name] = self._make(name)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter({*_OWN, *self._made, *self._project.providers})

    def __len__(self) -> int:
        return len({*_OWN, *self._made, *self._project.providers})

    def _make(self, name: str) -> Provider:
        if name == "local" and name not in self._project.providers:
            from expiac.providers.local import LocalProvider, SharedLocalProvider

            kind = SharedLocalProvider if self._project.state_url else LocalProvider
            return kind(self._project.root, self._project.state_folder / "local")
        if name == "skypilot" and name not in self._project.providers:
            from expiac.providers.skypilot import SkypilotProvider

            return SkypilotProvider(self._project.root, self._project.state_folder / "skypilot")
        return self._registered(name)

    def _registered(self, name: str) -> Provider:
        place = self._project.providers[name]  # a KeyError is a Mapping's way to say that there is none
        module, _, attribute = place.partition(":")
        sys.path.insert(0, str(self._project.root))
        try:
            made: Provider = getattr(importlib.import_module(module), attribute)(self._project.root)
        except (ImportError, AttributeError) as error:
            raise ExpiacError("No such provider", f"[tool.expiac.providers] {name} = {place!r}: {error}",
                              "module:Class, importable from the project's root") from error
        finally:
            sys.path.remove(str(self._project.root))
        return made
