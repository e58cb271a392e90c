"""The outputs that expiac itself reads, whichever provider they are from; all others are for resources to refer to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CLUSTER = "cluster"
"""Names what a launch has besides itself: machines that stay when it has ended, until `release`."""
METRICS = "metrics"
"""The file in which a training job writes its progress."""


def cluster_in(outputs: Mapping[str, Any]) -> str | None:
    """The name of the cluster; None if the launch has none."""
    name = outputs.get(CLUSTER)
    return None if name is None else str(name)


def without_cluster(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs of a launch whose cluster is gone."""
    return {name: value for name, value in outputs.items() if name != CLUSTER}


def metrics_in(outputs: Mapping[str, Any]) -> str | None:
    """The path of the metrics file; None if the run has none."""
    path = outputs.get(METRICS)
    return path if isinstance(path, str) else None
