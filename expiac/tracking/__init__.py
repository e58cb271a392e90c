"""What a tracker keeps of runs: W&B, online by its own client, or offline from the folders that it leaves.

Others use `get_wandb_service`. wandb is imported in `online`, and to read folders in `expiac.apply.metrics`.
"""

from expiac.tracking.runs import TrackedArtifact, TrackedRun
from expiac.tracking.service import WandbService, get_wandb_service

__all__ = ["TrackedArtifact", "TrackedRun", "WandbService", "get_wandb_service"]
