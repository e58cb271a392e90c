"""The outputs of a launch on SkyPilot: those that its job declares, and those that every job here has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from expiac.providers.outputs import CLUSTER

JOB_ID, RECOVERIES, FAILURE_REASON = "job_id", "recoveries", "failure_reason"


@dataclass(frozen=True, slots=True)
class LaunchOutputs:
    """What others may refer to, and what the record keeps."""

    declared: Mapping[str, str]
    """Output name → where it is on the machine."""
    job_id: int
    cluster: str = ""
    """The cluster that it has for itself; empty for a managed job."""
    recoveries: int = 0
    """Of a managed job."""
    failure_reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """By output name."""
        kind = {CLUSTER: self.cluster} if self.cluster else {RECOVERIES: self.recoveries}
        reason = {FAILURE_REASON: self.failure_reason} if self.failure_reason else {}
        return {**self.declared, JOB_ID: self.job_id, **kind, **reason}
