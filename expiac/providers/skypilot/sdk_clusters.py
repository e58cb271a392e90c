"""SkyPilot's calls about clusters, as far as expiac needs them. Is given `sky`, so that it imports nothing heavy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from expiac.providers.skypilot.snapshot import Cluster, SkyJob


def clusters(sky: Any, names: Sequence[str]) -> list[Cluster]:
    """Those of the named clusters that there are; asks the cloud where one may have ended by itself."""
    found = sky.get(sky.status(list(names), refresh=sky.StatusRefreshMode.AUTO))
    return [Cluster(one.name, one.status.name, one.last_creation_yaml or "", one.init_status_reason or "")
            for one in found]


def jobs_on(sky: Any, cluster: str) -> list[SkyJob]:
    """The jobs of a cluster, without their tasks; none where it is gone."""
    try:
        records = sky.get(sky.queue(cluster))
    except sky.exceptions.ClusterDoesNotExist:
        return []
    return [SkyJob(record.job_id, record.job_name, record.status.name, "", submitted_at=record.submitted_at,
                cluster=cluster) for record in records]


def down(sky: Any, cluster: str) -> None:
    """Takes a cluster down; one that is gone is down already."""
    try:
        sky.get(sky.down(cluster))
    except sky.exceptions.ClusterDoesNotExist:
        return
