"""Runs jobs through SkyPilot: on any cloud, Kubernetes or Slurm cluster, each launched once. Light to import."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from expiac.providers.skypilot.provider import SkypilotProvider
    from expiac.providers.skypilot.service import SkypilotService, get_skypilot_service

__all__ = ["SkypilotProvider", "SkypilotService", "get_skypilot_service"]


def __getattr__(name: str) -> Any:
    if name == "SkypilotProvider":
        from expiac.providers.skypilot.provider import SkypilotProvider

        return SkypilotProvider
    if name in __all__:
        from expiac.providers.skypilot import service

        return getattr(service, name)
    raise AttributeError(name)
