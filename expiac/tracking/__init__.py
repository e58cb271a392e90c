"""What a tracker keeps of runs: W&B, online by its own client, or offline from the folders that it leaves.

Others use `get_wandb_service`. Its names are imported when they are first used; wandb is imported in `online`, and
to read folders in `expiac.apply.metrics`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from expiac.tracking.runs import TrackedArtifact, TrackedRun
    from expiac.tracking.service import WandbService, get_wandb_service

__all__ = ["TrackedArtifact", "TrackedRun", "WandbService", "get_wandb_service"]


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "runs" if name.startswith("Tracked") else "service"
    return getattr(import_module(f"{__name__}.{home}"), name)
