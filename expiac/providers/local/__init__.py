"""Runs jobs as processes of this machine. Light to import: every supervisor passes through here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from expiac.providers.local.provider import LocalProvider
    from expiac.providers.local.slots import Machine

__all__ = ["LocalProvider", "Machine"]


def __getattr__(name: str) -> Any:
    if name == "LocalProvider":
        from expiac.providers.local.provider import LocalProvider

        return LocalProvider
    if name == "Machine":
        from expiac.providers.local.slots import Machine

        return Machine
    raise AttributeError(name)
